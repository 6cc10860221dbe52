import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganaug.gans.diffaugment import diffaugment
from ganaug.randomness import torch_rng
from ganaug.specs import DiffAugmentSpec

SIDE = 8
FILL = torch.tensor([-0.75, 0.25, 0.5])
MOVE = DiffAugmentSpec(translation=0.25, cutout=0)
CUT = DiffAugmentSpec(translation=0, cutout=0.375)


def some(n, seed=0):
    return torch.rand(n, 3, SIDE, SIDE, generator=torch_rng(seed, "test")) * 2 - 1


def moved(image, dy, dx):
    """Written out pixel by pixel."""
    out = FILL.view(3, 1, 1).expand(3, SIDE, SIDE).clone()
    for row in range(SIDE):
        for column in range(SIDE):
            if 0 <= row + dy < SIDE and 0 <= column + dx < SIDE:
                out[:, row, column] = image[:, row + dy, column + dx]
    return out


def is_close(a, b):
    return torch.allclose(a, b, atol=1e-6)


def test_translation_moves_an_image_by_up_to_its_reach_and_never_flips_it():
    image = some(1)
    shifts = {(dy, dx): moved(image[0], dy, dx) for dy in range(-2, 3) for dx in range(-2, 3)}
    out = diffaugment(image.expand(200, -1, -1, -1), MOVE, FILL, torch_rng(0, "move"))
    seen = set()
    for each in out:
        (shift,) = [s for s, expected in shifts.items() if is_close(each, expected)]
        seen.add(shift)
    assert seen == set(shifts)


def test_translation_golden():
    # reach 1, 3 x 3, and the nine pixels tell where each came from
    image = torch.arange(9.0).view(1, 1, 3, 3) / 10
    out = diffaugment(
        image.expand(50, -1, -1, -1),
        DiffAugmentSpec(translation=0.3, cutout=0),
        torch.tensor([-1.0]),
        torch_rng(0, "golden"),
    )
    down_and_right = torch.tensor([[-1, -1, -1], [-1, 0.0, 0.1], [-1, 0.3, 0.4]])
    assert any(is_close(each[0], down_and_right) for each in out)


def test_cutout_is_one_square_of_background_and_the_rest_is_untouched():
    x = some(50)
    out = diffaugment(x, CUT, FILL, torch_rng(0, "cut"))
    corners = set()
    for before, after in zip(x, out, strict=True):
        hole = ~torch.isclose(before, after, atol=1e-6).all(0)
        rows, columns = hole.any(1).nonzero().flatten(), hole.any(0).nonzero().flatten()
        assert hole.sum() == len(rows) * len(columns) == 9
        assert torch.allclose(after[:, hole], FILL[:, None], atol=1e-6)
        corners.add((int(rows[0]), int(columns[0])))
    assert len(corners) > 20  # each image is cut on its own
    assert {0, SIDE - 3} <= {top for top, _ in corners}


@given(st.integers(0, 99))
def test_an_empty_image_stays_empty(seed):
    x = FILL.view(1, 3, 1, 1).expand(4, 3, SIDE, SIDE)
    assert is_close(diffaugment(x, DiffAugmentSpec(), FILL, torch_rng(seed, "empty")), x)


@given(st.integers(0, 99))
def test_it_depends_on_the_generator_alone_and_leaves_its_input(seed):
    x = some(5)
    before = x.clone()
    once, again = (diffaugment(x, DiffAugmentSpec(), FILL, torch_rng(seed, "twice")) for _ in range(2))
    assert torch.equal(once, again)
    assert torch.equal(x, before)
    assert once.shape == x.shape


def test_no_strength_is_no_augmentation():
    x = some(5)
    assert is_close(diffaugment(x, DiffAugmentSpec(translation=0, cutout=0), FILL, torch_rng(0, "none")), x)


@pytest.mark.parametrize("spec", [MOVE, CUT, DiffAugmentSpec()])
def test_gradients_reach_what_is_seen_and_nothing_else(spec):
    x = some(4).requires_grad_()
    out = diffaugment(x, spec, FILL, torch_rng(0, "gradient"))
    out.sum().backward()
    seen = (out != FILL.view(1, 3, 1, 1)).sum()
    assert set(x.grad.unique().tolist()) <= {0.0, 1.0}
    assert x.grad.sum() == pytest.approx(float(seen), abs=3)
