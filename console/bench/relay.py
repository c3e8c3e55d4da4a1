"""`skybeat bench relay`: six hours without a gap by three drones of 25 minutes, checked second by second by code of its own."""

from collections.abc import Sequence
from itertools import pairwise
from time import perf_counter
from typing import Final

from console.bench import Figures
from mission.schedule.fleet import Cell, Fleet, Flyer, Ground
from mission.schedule.relay import relay
from mission.schedule.relay_rota import Event, Watch

EVENT_S: Final = 6 * 3600
DRONES: Final = 3
ENDURANCE_S: Final = 25 * 60
RESERVE_RATIO: Final = 0.25
CHARGE_S: Final = 1800
WAY_S: Final = 110
"""There and back over about a kilometre, climb and descent included."""
OVERLAP_S: Final = 30
_FIRST_S: Final = 600


def run(*, runs: int, seed: int) -> Figures:
    """Solve the relay so many times; the time shown is the median."""
    event = Event(start_s=_FIRST_S, end_s=_FIRST_S + EVENT_S, overlap_s=OVERLAP_S)
    numbers = range(1, DRONES + 1)
    cell = Cell(charge_s=CHARGE_S)
    flyers = tuple(
        Flyer(airframe_id=number, dock_id=1, full_s=ENDURANCE_S, reserve_ratio=RESERVE_RATIO, cell=cell)
        for number in numbers
    )
    fleet = Fleet(flyers=flyers, grounds=(Ground(1, pad_count=1, charger_count=DRONES),))
    ways = dict.fromkeys(numbers, (WAY_S, WAY_S))
    took_s = []
    for _ in range(runs):
        began = perf_counter()
        found = relay(event, fleet, ways=ways, within_s=2.0, seed=seed)
        took_s.append(perf_counter() - began)
    gap_s, overlap_s = watched(event, found.watches)
    return Figures(
        figures={
            "drones": DRONES,
            "endurance_s": ENDURANCE_S,
            "way_s": WAY_S,
            "charge_s": CHARGE_S,
            "reserve_ratio": RESERVE_RATIO,
            "sorties": len(found.watches),
            "gap_s": gap_s,
            "min_overlap_s": overlap_s,
            "broken": broken(found.watches),
            "solve_s": round(sorted(took_s)[len(took_s) // 2], 3),
        },
        goals={"gap_s": ("<=", 0), "min_overlap_s": (">=", 30), "broken": ("<=", 0), "solve_s": ("<=", 5.0)},
    )


def watched(event: Event, watches: Sequence[Watch]) -> tuple[int, int]:
    """Return in how many seconds nobody is over the event, and how long two are there at the shortest handover."""
    there = [0] * (event.end_s - event.start_s)
    for watch in watches:
        for second in range(max(watch.start_s, event.start_s), min(watch.end_s, event.end_s)):
            there[second - event.start_s] += 1
    relieved = sorted(watches, key=lambda watch: watch.start_s)
    overlaps = [min(before.end_s, after.end_s) - after.start_s for before, after in pairwise(relieved)]
    return there.count(0), min(overlaps, default=0)


def broken(watches: Sequence[Watch]) -> int:
    """Return how many flights are too long for the battery, or begin before it is charged again."""
    found = 0
    for airframe_id in {watch.airframe_id for watch in watches}:
        mine = sorted(
            (watch for watch in watches if watch.airframe_id == airframe_id), key=lambda watch: watch.takeoff_s
        )
        full_at_s = 0.0
        for watch in mine:
            flown_s = watch.landing_s - watch.takeoff_s
            is_there_in_time = watch.start_s - watch.takeoff_s >= WAY_S and watch.landing_s - watch.end_s >= WAY_S
            is_sound = (
                flown_s <= ENDURANCE_S * (1.0 - RESERVE_RATIO) and watch.takeoff_s >= full_at_s and is_there_in_time
            )
            found += not is_sound
            full_at_s = watch.landing_s + flown_s / ENDURANCE_S * CHARGE_S
    return found
