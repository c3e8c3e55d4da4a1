"""How much of an effort's time is spent, for steps that shall end together: what one step takes longer, the next have less."""

from typing import Final

import pyvrp

_TICKS: Final = 50


class Budget:
    """The time of an effort, counted from when this is made, in fiftieths of it; without a limit nothing is ever spent."""

    def __init__(self, within_s: float | None) -> None:
        ticks = range(1, _TICKS + 1) if within_s is not None else ()
        self._ticks = [pyvrp.stop.MaxRuntime((within_s or 0.0) * tick / _TICKS) for tick in ticks]
        for tick in self._ticks:
            tick(0)

    @property
    def spent_ratio(self) -> float:
        """Return which part of the time has passed, 0 to 1."""
        return sum(tick(0) for tick in self._ticks) / _TICKS

    @property
    def is_spent(self) -> bool:
        """Whether all of it has passed."""
        return bool(self._ticks) and self._ticks[-1](0)
