"""A store whose process dies while a training keeps its progress."""

import numpy as np

from sweeps.store import Store


class Killed(BaseException):
    """Stands for a lost node."""


class Mortal(Store):
    """Dies right after it has kept a state for the third time."""

    saves = 0

    def save_progress(self, key: str, state: dict[str, np.ndarray]) -> None:
        super().save_progress(key, state)
        self.saves += 1
        if self.saves == 3:
            raise Killed
