"""A rota over an event by simulation: whoever can relieve does so as late as the overlap allows, by several orders."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from mission.schedule.fleet import Fleet, Flyer, Span, most_flight_s
from mission.schedule.ledger import Ledger

_WATCH_SHARES: Final = (1.0, 0.9, 0.8, 0.7)
"""How much of the longest possible watch is stood: shorter ones put the drones of several positions out of step."""
_LEAST_WATCH_S: Final = 60


@dataclass(frozen=True, kw_only=True)
class Event:
    """What is watched, seconds from the fleet's zero: by how many at once, and how long two are there at each handover.

    `covered_s` is until when each position is watched already by who is there now; empty: by nobody. With a `step_s` watches
    last so long or a multiple of it (rounds of a patrol), but for the last.
    """

    start_s: int
    end_s: int
    watcher_count: int = 1
    overlap_s: int = 60
    covered_s: tuple[int, ...] = ()
    step_s: int = 0

    def covered_until_s(self, position: int) -> int:
        """Return until when a position is watched already, its start where by nobody."""
        return max(self.start_s, *self.covered_s[position : position + 1], self.start_s)

    def is_relieved_first(self, position: int) -> bool:
        """Tell whether the first watch of a position relieves somebody."""
        return self.covered_until_s(position) > self.start_s


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One flight to the event: over it from `start_s` to `end_s`, at a position (0 to watcher_count - 1)."""

    airframe_id: int
    position: int
    takeoff_s: int
    start_s: int
    end_s: int
    landing_s: int


def rota(event: Event, fleet: Fleet, ways: Mapping[int, Span]) -> list[Watch]:
    """Return the best of several simulated rotas: the least time with a position empty, then the fewest flights."""
    flyers = [flyer for flyer in fleet.flyers if flyer.airframe_id in ways]
    best: tuple[tuple[int, int], list[Watch]] | None = None
    for share in _WATCH_SHARES:
        for order in (_by_rest, _by_watch):
            found, empty_s = _simulate(event, fleet, flyers, ways, share=share, order=order)
            worth = (empty_s, len(found))
            if best is None or worth < best[0]:
                best = (worth, found)
        if best is not None and best[0][0] == 0:
            break
    return best[1] if best else []


def _by_rest(flyer: Flyer, watch: Watch, last_s: Mapping[int, int]) -> tuple[int, ...]:
    return (last_s.get(flyer.airframe_id, -1), -watch.end_s, flyer.airframe_id)


def _by_watch(flyer: Flyer, watch: Watch, last_s: Mapping[int, int]) -> tuple[int, ...]:
    return (-watch.end_s, last_s.get(flyer.airframe_id, -1), flyer.airframe_id)


def _simulate(
    event: Event,
    fleet: Fleet,
    flyers: list[Flyer],
    ways: Mapping[int, Span],
    *,
    share: float,
    order: Callable[[Flyer, Watch, Mapping[int, int]], tuple[int, ...]],
) -> tuple[list[Watch], int]:
    """Return the watches of one order of relief and for how long positions are empty."""
    ledger, watches, empty_s = Ledger(fleet), [], 0
    until_s = [event.covered_until_s(position) for position in range(event.watcher_count)]
    last_s: dict[int, int] = {}
    while min(until_s) < event.end_s:
        position = until_s.index(min(until_s))
        is_first = until_s[position] == event.start_s and not event.is_relieved_first(position)
        wanted_s = until_s[position] - (0 if is_first else event.overlap_s)
        offers = []
        for flyer in flyers:
            watch = _offer(
                event, ledger, flyer, ways[flyer.airframe_id], position=position, wanted_s=wanted_s, share=share
            )
            if watch is not None and watch.end_s > until_s[position]:
                offers.append((max(watch.start_s - until_s[position], 0), order(flyer, watch, last_s), watch))
        if not offers:
            empty_s += event.end_s - until_s[position]
            until_s[position] = event.end_s
            continue
        late_s, _, chosen = min(offers, key=lambda offer: offer[:2])
        booking = ledger.fit(ledger.flyers[chosen.airframe_id], chosen.takeoff_s, chosen.landing_s)
        assert booking is not None
        ledger.book(booking)
        watches.append(chosen)
        empty_s += late_s
        last_s[chosen.airframe_id] = chosen.landing_s
        until_s[position] = chosen.end_s
    return watches, empty_s


def _offer(
    event: Event, ledger: Ledger, flyer: Flyer, way: Span, *, position: int, wanted_s: int, share: float
) -> Watch | None:
    """Return the flyer's earliest watch at the position from `wanted_s` on, or None."""
    out_s, back_s = way
    longest_s = most_flight_s(flyer, ledger.fleet.cells_of(flyer)) - out_s - back_s
    watch_s = min(int(longest_s * share), event.end_s - wanted_s)
    if event.step_s:
        watch_s = min(longest_s, event.end_s - wanted_s) // event.step_s * event.step_s
    if longest_s < _LEAST_WATCH_S or watch_s <= 0:
        return None
    flight_s = out_s + watch_s + back_s
    found = ledger.earliest(flyer, flight_s, from_s=wanted_s - out_s, until_s=event.end_s - out_s - 1)
    if found is None:
        return None
    start_s = found.takeoff_s + out_s
    end_s = min(start_s + watch_s, event.end_s)
    if end_s < start_s + watch_s and ledger.fit(flyer, found.takeoff_s, end_s + back_s) is None:
        return None
    return Watch(
        airframe_id=flyer.airframe_id, position=position, takeoff_s=found.takeoff_s, start_s=start_s, end_s=end_s,
        landing_s=end_s + back_s,
    )  # fmt: skip
