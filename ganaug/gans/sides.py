"""Which image sides the convolutional GANs can be built for; without torch, so a study is refused before it runs."""


def halvings(side: int) -> int:
    """How often a side can be halved while it stays whole and at least 4 pixels."""
    n = 0
    while side % 2 == 0 and side // 2 >= 4:
        side, n = side // 2, n + 1
    return n


def check_side(side: int, gan: str = "projection") -> None:
    """Raise ValueError for a side that a convolutional GAN cannot reach by doubling from a base of 4 to 7 pixels."""
    base = side >> halvings(side)
    if not (4 <= base <= 7 and base < side):
        raise ValueError(f"the {gan} GAN needs a side of 4, 5, 6 or 7 times 2, 4, 8, …, got {side} pixels")
