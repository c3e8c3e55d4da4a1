"""A drone's radio: loses its link now and then for some seconds, both ways."""

from typing import Final

import numpy as np

LOSS_EVERY_S: Final = 420.0
LEAST_APART_S: Final = 60.0
LOSS_S: Final = (5.0, 15.0)


class Radio:
    """Asked at growing times, it tells whether the link is lost; `first_loss_s` is when for the first time."""

    def __init__(self, random: np.random.Generator, *, first_loss_s: float) -> None:
        self._random = random
        self._from_s = first_loss_s
        self._until_s = first_loss_s + float(random.uniform(*LOSS_S))

    def is_silent(self, elapsed_s: float) -> bool:
        """Tell whether nothing comes through at this time."""
        if elapsed_s >= self._until_s:
            self._from_s = elapsed_s + LEAST_APART_S + float(self._random.exponential(LOSS_EVERY_S))
            self._until_s = self._from_s + float(self._random.uniform(*LOSS_S))
        return elapsed_s >= self._from_s
