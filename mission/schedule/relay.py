"""An event watched without a gap: drones with little endurance relieve each other, and what to do when they cannot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from mission.schedule.fleet import Fleet, Flyer, Span, charging_s, most_flight_s
from mission.schedule.relay_model import polish
from mission.schedule.relay_rota import Event, Watch, rota

_EVEN_S: Final = 0.2
"""How long watches that keep everything are made even."""
LEAST_RELIEF_S: Final = 180
"""How long who comes for a drone that failed can stay at least."""
MOST_MORE_DRONES: Final = 6
"""How many more drones are tried when it is asked what would make a relay possible."""


@dataclass(frozen=True, kw_only=True)
class Relay:
    """Who watches when, in order of start; times in seconds from the fleet's zero.

    `gaps` are the times at which fewer watch than wanted, `least_overlap_s` is None where nobody relieves anybody. `spare_id`
    stands by in its dock all the time. `failure_gap_s` is how long a position is empty at most when a drone on watch fails
    and whoever can be there first takes off; None where nobody can.
    """

    watches: tuple[Watch, ...]
    gaps: tuple[Span, ...] = ()
    least_overlap_s: int | None = None
    spare_id: int | None = None
    failure_gap_s: int | None = None
    is_proven: bool = False

    @property
    def gap_s(self) -> int:
        """Return for how long fewer watch than wanted."""
        return sum(end - start for start, end in self.gaps)

    @property
    def longest_gap_s(self) -> int:
        """Return the longest time at which fewer watch than wanted."""
        return max((end - start for start, end in self.gaps), default=0)


@dataclass(frozen=True)
class Remedy:
    """What would close a relay's gaps: the field to change (`airframes`, `charge_s`, `batteries`, `end`) and its value."""

    field: str
    value: int


def relay(event: Event, fleet: Fleet, *, ways: Mapping[int, Span], within_s: float = 2.0, seed: int = 0) -> Relay:
    """Return who watches the event when.

    `ways` says for each airframe that may watch how long it flies to the event and back. A rota by simulation is found at
    once (about 10 ms for 6 hours and 3 drones); CP-SAT closes its gaps, and makes its watches even, for `within_s` of its
    deterministic time (about as many on a free core). Where one drone is more than needed, one stays as a spare.
    """
    spare_id, watches = _with_spare(event, fleet, ways)
    usable = {airframe: way for airframe, way in ways.items() if airframe != spare_id}
    effort_s = within_s if any(_worth(event, watches)[:2]) else min(within_s, _EVEN_S)
    is_open = bool(watches) and not event.step_s
    polished = polish(event, fleet, ways=usable, found=watches, within_s=effort_s, seed=seed) if is_open else None
    if polished is not None and _worth(event, polished.watches) <= _worth(event, watches):
        watches = polished.watches
    return Relay(
        watches=tuple(sorted(watches, key=lambda watch: (watch.start_s, watch.position))),
        gaps=gaps_of(event, watches),
        least_overlap_s=least_overlap_s(event, watches),
        spare_id=spare_id,
        failure_gap_s=failure_gap_s(event, fleet, ways, watches),
        is_proven=polished is not None and polished.is_proven,
    )


def _with_spare(event: Event, fleet: Fleet, ways: Mapping[int, Span]) -> tuple[int | None, Sequence[Watch]]:
    """Return a spare and a rota of the others without a gap, or None and a rota of all."""
    full = rota(event, fleet, ways)
    if len(ways) > event.watcher_count + 1 and not gaps_of(event, full):
        for spare_id in sorted(ways, key=lambda airframe: (ways[airframe][0], airframe)):
            others = {airframe: way for airframe, way in ways.items() if airframe != spare_id}
            watches = rota(event, fleet, others)
            if not gaps_of(event, watches) and not _short_overlap(event, watches):
                return spare_id, watches
    return None, full


def _short_overlap(event: Event, watches: Sequence[Watch]) -> bool:
    least_s = least_overlap_s(event, watches)
    return least_s is not None and least_s < event.overlap_s


def _worth(event: Event, watches: Sequence[Watch]) -> tuple[int, int, int]:
    """Return what is to be small: the gaps, missing overlap, and the longest flight."""
    gap_s = sum(end - start for start, end in gaps_of(event, watches))
    least_s = least_overlap_s(event, watches)
    missing_s = 0 if least_s is None else max(event.overlap_s - least_s, 0)
    return gap_s, missing_s, max((watch.landing_s - watch.takeoff_s for watch in watches), default=0)


def gaps_of(event: Event, watches: Sequence[Watch]) -> tuple[Span, ...]:
    """Return the times at which a position of the event is empty, in order of position and time."""
    gaps = []
    for position in range(event.watcher_count):
        until_s = event.covered_until_s(position)
        for watch in sorted((each for each in watches if each.position == position), key=lambda each: each.start_s):
            if watch.start_s > until_s:
                gaps.append((until_s, watch.start_s))
            until_s = max(until_s, watch.end_s)
        if until_s < event.end_s:
            gaps.append((until_s, event.end_s))
    return tuple(gaps)


def least_overlap_s(event: Event, watches: Sequence[Watch]) -> int | None:
    """Return how long two are over the event at least when one relieves the other; 0 or less where there is a gap."""
    found = []
    for position in range(event.watcher_count):
        here = sorted((each for each in watches if each.position == position), key=lambda each: each.start_s)
        if here and event.is_relieved_first(position):
            found.append(max(event.covered_until_s(position) - here[0].start_s, 0))
        found += [max(before.end_s - after.start_s, 0) for before, after in pairwise(here)]
    return min(found, default=None)


def failure_gap_s(event: Event, fleet: Fleet, ways: Mapping[int, Span], watches: Sequence[Watch]) -> int | None:
    """Return how long a position is empty at most when any one drone fails as soon as it has relieved the one before.

    Whoever can be there first takes off at once, charged for `LEAST_RELIEF_S` of watch at least; None where nobody can be there
    before the event ends.
    """
    worst_s = 0
    for failed in watches:
        fails_s = max([failed.start_s, *(each.end_s for each in watches if _relieves(failed, each))])
        if fails_s >= event.end_s:
            continue
        arrivals = [
            _arrival_s(fleet, flyer, ways[flyer.airframe_id], watches, fails_s)
            for flyer in fleet.flyers
            if flyer.airframe_id in ways and flyer.airframe_id != failed.airframe_id
        ]
        first_s = min(arrivals, default=event.end_s)
        if first_s >= event.end_s:
            return None
        worst_s = max(worst_s, round(first_s) - fails_s)
    return worst_s


def _arrival_s(fleet: Fleet, flyer: Flyer, way: Span, watches: Sequence[Watch], now_s: int) -> float:
    """Return when a drone can be over the event, called at `now_s`: charged as far as it must be, or with another battery."""
    mine = [each for each in watches if each.airframe_id == flyer.airframe_id and each.takeoff_s <= now_s]
    flown = [(each.takeoff_s, each.landing_s) for each in mine]
    flown += [
        (each.takeoff_s, each.landing_s)
        for each in fleet.booked
        if each.airframe_id == flyer.airframe_id and each.takeoff_s <= now_s
    ]
    out_s, back_s = way
    if not flown:
        return max(now_s, flyer.ready_s) + out_s
    takeoff_s, landing_s = max(flown, key=lambda each: each[1])
    cells = fleet.cells_of(flyer)
    if fleet.turn_s(flyer):
        return max(now_s, landing_s + fleet.turn_s(flyer)) + out_s
    left_ratio = 1.0 - (landing_s - takeoff_s) / flyer.full_s
    needed_ratio = flyer.reserve_ratio + (out_s + back_s + LEAST_RELIEF_S) / flyer.full_s
    charges_s = charging_s(flyer, cells, max(needed_ratio - left_ratio, 0.0) * flyer.full_s)
    return max(now_s, landing_s + charges_s) + out_s


def _relieves(after: Watch, before: Watch) -> bool:
    return before.position == after.position and before.start_s < after.start_s < before.end_s


def remedies(event: Event, fleet: Fleet, *, ways: Mapping[int, Span]) -> list[Remedy]:
    """Return what would close the gaps of a relay, each by itself: more drones, quicker charging, an earlier end.

    Each was tried by simulation: the smallest of its kind that works.
    """
    usable = [flyer for flyer in fleet.flyers if flyer.airframe_id in ways]
    if not usable:
        return []
    best = max(usable, key=lambda flyer: most_flight_s(flyer, fleet.cells_of(flyer)) - sum(ways[flyer.airframe_id]))
    found = []
    for count in range(1, MOST_MORE_DRONES + 1):
        more, more_ways = _with_more(fleet, best.airframe_id, count, ways)
        if not gaps_of(event, rota(event, more, more_ways)):
            found.append(Remedy("airframes", count))
            break
    for share in (0.8, 0.6, 0.4, 0.2, 0.1):
        quick = _charging_in(fleet, share)
        if not gaps_of(event, rota(event, quick, ways)):
            found.append(Remedy("charge_s", int(best.cell.charge_s * share)))
            break
    gaps = gaps_of(event, rota(event, fleet, ways))
    first_s = min((start for start, _ in gaps), default=event.start_s)
    return [*found, Remedy("end", first_s)] if first_s > event.start_s else found


def _with_more(fleet: Fleet, airframe_id: int, count: int, ways: Mapping[int, Span]) -> tuple[Fleet, dict[int, Span]]:
    """Return the fleet with so many more drones like that one, each with a charger, a pad and a cell of its own."""
    like = next(flyer for flyer in fleet.flyers if flyer.airframe_id == airframe_id)
    new_ids = [min(flyer.airframe_id for flyer in fleet.flyers) - 1 - number for number in range(count)]
    new_docks = [min(ground.dock_id for ground in fleet.grounds) - 1 - number for number in range(count)]
    ground = replace(fleet.ground_of(like), pad_count=1, charger_count=1, cells=())
    flyers = [
        replace(like, airframe_id=new, dock_id=dock, ready_s=0, cell=replace(like.cell, full_at_s=0))
        for new, dock in zip(new_ids, new_docks, strict=True)
    ]
    grounds = [replace(ground, dock_id=dock) for dock in new_docks]
    staff = tuple(replace(each, drone_count=each.drone_count + count) for each in fleet.staff)
    more = replace(fleet, flyers=(*fleet.flyers, *flyers), grounds=(*fleet.grounds, *grounds), staff=staff)
    return more, dict(ways) | dict.fromkeys(new_ids, ways[airframe_id])


def _charging_in(fleet: Fleet, share: float) -> Fleet:
    flyers = tuple(
        replace(flyer, cell=replace(flyer.cell, charge_s=flyer.cell.charge_s * share)) for flyer in fleet.flyers
    )
    grounds = tuple(
        replace(ground, cells=tuple(replace(cell, charge_s=cell.charge_s * share) for cell in ground.cells))
        for ground in fleet.grounds
    )
    return replace(fleet, flyers=flyers, grounds=grounds)
