"""What flies, as the solvers need it: times in whole seconds from one zero, batteries as cells, docks with pads and chargers."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

Span: TypeAlias = tuple[int, int]
"""From when to when, seconds; the end not included."""
STAGGER_S: Final = 30
"""How long a take-off or a landing keeps a pad of its dock."""
SWAP_S: Final = 180
"""How long it takes to change a battery and check the drone, where a dock has batteries of its own."""


@dataclass(frozen=True)
class Cell:
    """A battery: `battery_id` None is the one that is charged in its airframe. `full_at_s` is when it is full first.

    `charge_s` is from empty to full, `health_ratio` of a new battery's capacity.
    """

    battery_id: int | None = None
    full_at_s: int = 0
    charge_s: float = 1800.0
    health_ratio: float = 1.0


@dataclass(frozen=True)
class Ground:
    """A dock: pads, chargers, and the cells that its airframes share; without cells each airframe has its own."""

    dock_id: int
    pad_count: int = 1
    charger_count: int = 1
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True)
class Staff:
    """A crew: its shifts and how many drones it flies at once."""

    crew_id: int
    shifts: tuple[Span, ...]
    drone_count: int = 1


@dataclass(frozen=True)
class Booking:
    """A flight that stands: who, from which dock, with which cell and crew, until when the cell is charged again."""

    airframe_id: int
    dock_id: int
    takeoff_s: int
    landing_s: int
    free_s: int
    """From when on the airframe may take off again."""
    charged_s: int
    """From when on the cell is full again."""
    battery_id: int | None = None
    crew_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Flyer:
    """An airframe: `full_s` is how long a new battery lasts, `reserve_ratio` what it lands with at least.

    `cell` is its own battery where its dock has none to share. It may take off from `ready_s` on.
    """

    airframe_id: int
    dock_id: int
    full_s: float
    reserve_ratio: float = 0.25
    ready_s: int = 0
    swap_s: int = SWAP_S
    cell: Cell = Cell()


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """All that flies and serves, and what is booked already (a flight in the air, an event's relay)."""

    flyers: tuple[Flyer, ...]
    grounds: tuple[Ground, ...]
    staff: tuple[Staff, ...] = ()
    booked: tuple[Booking, ...] = ()
    stagger_s: int = STAGGER_S
    lead_s: int = 0
    """How much of `stagger_s` lies before a take-off or after a landing."""

    def moments_of(self, takeoff_s: int, landing_s: int) -> tuple[Span, Span]:
        """Return when a flight keeps a pad: round its take-off and round its landing."""
        begins_s = takeoff_s - self.lead_s, landing_s - self.stagger_s + self.lead_s
        return (begins_s[0], begins_s[0] + self.stagger_s), (begins_s[1], begins_s[1] + self.stagger_s)

    def ground_of(self, flyer: Flyer) -> Ground:
        """Return the dock that it stands in."""
        return next(ground for ground in self.grounds if ground.dock_id == flyer.dock_id)

    def cells_of(self, flyer: Flyer) -> tuple[Cell, ...]:
        """Return the cells that it may fly with: its dock's, or its own."""
        return self.ground_of(flyer).cells or (flyer.cell,)

    def turn_s(self, flyer: Flyer) -> int:
        """Return how long it stands between landing and take-off beside charging: the change of a battery, or nothing."""
        return flyer.swap_s if self.ground_of(flyer).cells else 0


def most_flight_s(flyer: Flyer, cells: Sequence[Cell]) -> int:
    """Return how long it flies at most with the weakest of the cells, its reserve kept."""
    health = min(cell.health_ratio for cell in cells)
    return math.floor(flyer.full_s * health * (1.0 - flyer.reserve_ratio))


def charging_s(flyer: Flyer, cells: Sequence[Cell], flight_s: float) -> int:
    """Return how long the slowest of the cells charges after such a flight, whole seconds rounded up."""
    slowest = max(cell.charge_s / cell.health_ratio for cell in cells)
    return math.ceil(flight_s / flyer.full_s * slowest - 1e-9)


def free_of(spans: Iterable[Span], start_s: int, end_s: int) -> bool:
    """Tell whether nothing of `spans` lies between."""
    return all(end <= start_s or begin >= end_s for begin, end in spans)
