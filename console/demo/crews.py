"""The crews of the demo's stations: who is on duty by day and by night, on which beat, with what on board."""

from enum import StrEnum
from typing import Final, NamedTuple

from infra.clock import MICROSECONDS, Clock
from mission.calls.incident import Equipment
from telemetry.model.unit import DutyStatus, Service, UnitKind

CITY_UTC_OFFSET_S: Final = 8 * 3600
"""Jincheng keeps Asia/Shanghai's time, which has known no summer time since 1991."""
DAY_S: Final = 86_400.0
DAY_BEGINS_HOUR: Final = 7
NIGHT_BEGINS_HOUR: Final = 21
UNITS_A_CREW: Final = 140
"""So many ground units make one crew at each of 14 stations, with some in reserve; a larger force has more crews."""


class Watch(StrEnum):
    """The two watches of a day: 07:00 to 21:00 and the night."""

    DAY = "day"
    NIGHT = "night"


class Beat(StrEnum):
    """Where a unit patrols: around its station, or towards the station before or after it in the ring."""

    HOME = "home"
    BEFORE = "before"
    AFTER = "after"


class Seat(NamedTuple):
    """One place in a station's crew."""

    kind: UnitKind
    service: Service
    watches: tuple[Watch, ...]
    beat: Beat
    equipment: tuple[Equipment, ...]
    duty: DutyStatus = DutyStatus.FREE


_BOTH: Final = (Watch.DAY, Watch.NIGHT)
_DAY: Final = (Watch.DAY,)
CREW: Final = (
    Seat(
        UnitKind.CAR, Service.PATROL, _BOTH, Beat.BEFORE, (Equipment.AED, Equipment.FIRST_AID, Equipment.EXTINGUISHER)
    ),
    Seat(UnitKind.OFFICER, Service.PATROL, _DAY, Beat.HOME, (Equipment.FIRST_AID,)),
    Seat(
        UnitKind.CAR,
        Service.PATROL,
        _BOTH,
        Beat.AFTER,
        (Equipment.FIRST_AID, Equipment.LIFE_RING, Equipment.SEARCHLIGHT),
    ),
    Seat(UnitKind.MOTORCYCLE, Service.PATROL, _BOTH, Beat.HOME, (Equipment.AED, Equipment.FIRST_AID)),
    Seat(UnitKind.MOTORCYCLE, Service.TRAFFIC, _DAY, Beat.HOME, (Equipment.BREATH_TESTER, Equipment.FIRST_AID)),
    Seat(UnitKind.OFFICER, Service.TRAFFIC, _DAY, Beat.HOME, (Equipment.BREATH_TESTER,)),
    Seat(
        UnitKind.CAR,
        Service.SPECIAL,
        _DAY,
        Beat.HOME,
        (Equipment.SHIELD, Equipment.SPEAKER, Equipment.SEARCHLIGHT, Equipment.FIRST_AID),
        DutyStatus.STANDBY,
    ),
    Seat(UnitKind.OFFICER, Service.PATROL, (Watch.NIGHT,), Beat.HOME, (Equipment.FIRST_AID,)),
)
"""A station's crew in the order in which a small force fills it: 4 patrol, 2 traffic and 1 special by day, 4 patrol by night.

Patrol vehicles serve both watches; the officers on foot are others by night.
"""
NIGHT_ONLY: Final = frozenset(rank for rank, seat in enumerate(CREW) if seat.watches == (Watch.NIGHT,))
ROOM_EQUIPMENT: Final = (Equipment.AED, Equipment.FIRST_AID, Equipment.EXTINGUISHER, Equipment.LIFE_RING)
DRONE_EQUIPMENT: Final = (Equipment.SPEAKER, Equipment.SEARCHLIGHT, Equipment.THERMAL_CAMERA)


def crew_count(ground_count: int) -> int:
    """Return how many crews each station of a force has."""
    return max(1, ground_count // UNITS_A_CREW)


def watch_at(day_s: float) -> Watch:
    """Return the watch of a time of the city's day (s since midnight)."""
    return Watch.DAY if DAY_BEGINS_HOUR * 3600 <= day_s < NIGHT_BEGINS_HOUR * 3600 else Watch.NIGHT


class CityClock:
    """What the demo's clocks show: the machine's time, so many seconds ahead of UTC (by default the city's zone)."""

    def __init__(self, clock: Clock, *, offset_s: float = float(CITY_UTC_OFFSET_S)) -> None:
        self._clock = clock
        self.offset_s: Final = offset_s

    @classmethod
    def showing(cls, clock: Clock, hour: int) -> "CityClock":
        """Return a clock that shows this hour of the day (0..23) now."""
        return cls(clock, offset_s=hour * 3600.0 - clock.now_us() / MICROSECONDS % DAY_S)

    def day_s(self) -> float:
        """Return the seconds since the city's midnight."""
        return (self._clock.now_us() / MICROSECONDS + self.offset_s) % DAY_S

    def watch(self) -> Watch:
        """Return the watch that is on duty now."""
        return watch_at(self.day_s())
