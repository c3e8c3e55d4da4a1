"""A drone's battery by time: what flying takes of it, what its dock gives back, and what its gauge says."""

from typing import Final

ENDURANCE_S: Final = 1500.0
"""From full to empty, hovering in calm air."""
CHARGE_S: Final = 300.0
"""From empty to full: a dock that swaps and charges fast, so that a short demo sees flights."""
EMPTY_RATIO: Final = 0.0
FULL_CELL_MV: Final = 4180
EMPTY_CELL_MV: Final = 3450
CELLS: Final = 6
CAPACITY_MAH: Final = 9000.0
CLIMB_EFFORT: Final = 0.15
"""How much more a climb takes than level flight."""
EASY_AIRSPEED_MPS: Final = 11.0
"""Up to here flying forward costs no more than hovering; above, drag grows with the square."""
DRAG_EFFORT: Final = 0.004
HOVER_CURRENT_A: Final = CAPACITY_MAH / 1000.0 / (ENDURANCE_S / 3600.0)
IDLE_CURRENT_A: Final = 0.6


def effort(airspeed_mps: float, climb_mps: float) -> float:
    """Return the power that flying takes, as a multiple of hovering."""
    over_mps = max(0.0, airspeed_mps - EASY_AIRSPEED_MPS)
    return 1.0 + (CLIMB_EFFORT if climb_mps > 0.5 else 0.0) + DRAG_EFFORT * over_mps * over_mps


class Battery:
    """What is left of a battery, 0..1, and the current that flows out of it."""

    def __init__(self, ratio: float = 1.0, *, endurance_s: float = ENDURANCE_S) -> None:
        self.ratio = ratio
        self.endurance_s = endurance_s
        self.current_a = IDLE_CURRENT_A

    @property
    def percent(self) -> int:
        """What the gauge shows."""
        return round(self.ratio * 100.0)

    @property
    def cell_mv(self) -> int:
        """The voltage of each cell."""
        return round(EMPTY_CELL_MV + (FULL_CELL_MV - EMPTY_CELL_MV) * self.ratio)

    @property
    def consumed_mah(self) -> int:
        """What was taken since it was full."""
        return round((1.0 - self.ratio) * CAPACITY_MAH)

    @property
    def left_s(self) -> int:
        """How long it lasts hovering."""
        return round(self.ratio * self.endurance_s)

    def drain(self, power_ratio: float, *, over_s: float) -> None:
        """Fly on for a time with so much of the hovering power."""
        self.current_a = HOVER_CURRENT_A * power_ratio
        self.ratio = max(EMPTY_RATIO, self.ratio - power_ratio * over_s / self.endurance_s)

    def rest(self) -> None:
        """Stand on the ground with stopped motors."""
        self.current_a = IDLE_CURRENT_A

    def charge(self, *, over_s: float) -> None:
        """Stand in the dock for a time."""
        self.current_a = IDLE_CURRENT_A
        self.ratio = min(1.0, self.ratio + over_s / CHARGE_S)
