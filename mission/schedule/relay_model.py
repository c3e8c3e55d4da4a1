"""A relay as a CP-SAT model: gaps closed, overlaps kept and watches made even, from a rota that is already known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from mission.schedule.fleet import Fleet, Span
from mission.schedule.flights_model import Flight, FlightsModel, solved
from mission.schedule.ledger import Ledger
from mission.schedule.relay_rota import Event, Watch

_EXTRA_WATCHES: Final = 2
_GAP_WEIGHT: Final = 1000
_LONGEST_WEIGHT: Final = 100
_OVERLAP_WEIGHT: Final = 50
_ENOUGH_SHARE: Final = 0.02
"""Watches as even as this is enough: to prove the last second takes longer than it is worth."""


@dataclass(frozen=True)
class Polished:
    """What the model found; `is_proven` when nothing better exists."""

    watches: list[Watch]
    is_proven: bool


@dataclass(frozen=True)
class _Turn:
    """One relief of a position: when it stands there, for how long (0: not needed), and by whom."""

    start: Any
    length: Any
    end: Any
    is_flown: Any
    flown_by: Mapping[int, Any]


class _Model:
    """The relay being modelled: the turns of each position, and what is missing."""

    def __init__(self, event: Event, fleet: Fleet, ways: Mapping[int, Span]) -> None:
        self.event, self.fleet, self.ways = event, fleet, ways
        self.flights = FlightsModel(fleet, event.end_s + max(sum(way) for way in ways.values()))
        self.cp = self.flights.cp
        self.flyers = {flyer.airframe_id: flyer for flyer in fleet.flyers if flyer.airframe_id in ways}
        self.longest_flight = self.cp.new_int_var(0, self.flights.end_s, "longest")
        self.longest_gap = self.cp.new_int_var(0, event.end_s, "longest_gap")
        self.late: list[Any] = []
        self.short: list[Any] = []
        self.turns: list[list[_Turn]] = []

    def position(self, number: int, count: int) -> None:
        """Add a position that is relieved up to `count` times."""
        turns = [self._turn(number, index) for index in range(count)]
        self.turns.append(turns)
        cp, event = self.cp, self.event
        for before, after in pairwise(turns):
            cp.add_implication(after.is_flown, before.is_flown)
            cp.add(after.start >= before.start)
            cp.add(after.end >= before.end)
            self._close(before.end, after, event.overlap_s)
            cp.add(after.start == before.end).only_enforce_if(after.is_flown.negated())
        covered_s = event.covered_until_s(number)
        self._close(covered_s, turns[0], event.overlap_s if event.is_relieved_first(number) else 0)
        cp.add(turns[0].start == covered_s).only_enforce_if(turns[0].is_flown.negated())
        cp.add(turns[-1].end + self._new_late() >= event.end_s)

    def _turn(self, number: int, index: int) -> _Turn:
        cp, event, name = self.cp, self.event, f"{number}_{index}"
        start = cp.new_int_var(min(0, event.start_s), event.end_s, f"start_{name}")
        length = cp.new_int_var(0, event.end_s - event.start_s, f"length_{name}")
        end = cp.new_int_var(min(0, event.start_s), event.end_s, f"end_{name}")
        is_flown = cp.new_bool_var(f"flown_{name}")
        flown_by = {airframe: cp.new_bool_var(f"by_{name}_{airframe}") for airframe in self.flyers}
        cp.add(sum(flown_by.values()) == is_flown)
        cp.add(length == 0).only_enforce_if(is_flown.negated())
        cp.add(start + length == end)
        for airframe, flyer in self.flyers.items():
            out_s, back_s = self.ways[airframe]
            chosen = flown_by[airframe]
            flight = Flight(start - out_s, end + back_s, length + out_s + back_s, chosen, f"{name}_{airframe}")
            self.flights.fly(flyer, flight)
            cp.add(self.longest_flight >= flight.length).only_enforce_if(chosen)
        return _Turn(start, length, end, is_flown, flown_by)

    def _new_late(self) -> Any:  # noqa: ANN401 - ortools has no types
        late = self.cp.new_int_var(0, self.event.end_s, "late")
        self.cp.add(self.longest_gap >= late)
        self.late.append(late)
        return late

    def _close(self, covered: Any, after: _Turn, overlap_s: int) -> None:  # noqa: ANN401 - as above
        """Ask that `after` begins `overlap_s` before the position would be empty, or pay for it."""
        late, short = self._new_late(), self.cp.new_int_var(0, overlap_s, "short")
        self.short.append(short)
        self.cp.add(after.start <= covered - overlap_s + late + short).only_enforce_if(after.is_flown)
        self.cp.add(after.start <= covered + late).only_enforce_if(after.is_flown)

    def hint(self, found: Sequence[Watch]) -> None:
        """Begin from a rota that is known."""
        for number, turns in enumerate(self.turns):
            here = sorted((watch for watch in found if watch.position == number), key=lambda watch: watch.start_s)
            for index, turn in enumerate(turns):
                watch = here[index] if index < len(here) else None
                self.cp.add_hint(turn.is_flown, watch is not None)
                if watch is not None:
                    self.cp.add_hint(turn.start, watch.start_s)
                    self.cp.add_hint(turn.length, watch.end_s - watch.start_s)
                    self.cp.add_hint(turn.end, watch.end_s)
                for airframe, chosen in turn.flown_by.items():
                    self.cp.add_hint(chosen, watch is not None and watch.airframe_id == airframe)

    def weigh(self) -> None:
        """Ask for the least time without a watch, then the shortest of the longest gaps, the overlaps, and even flights."""
        missing = _GAP_WEIGHT * sum(self.late) + _LONGEST_WEIGHT * self.longest_gap + _OVERLAP_WEIGHT * sum(self.short)
        self.cp.minimize(missing + self.longest_flight)


def polish(
    event: Event, fleet: Fleet, *, ways: Mapping[int, Span], found: Sequence[Watch], within_s: float, seed: int
) -> Polished | None:
    """Return a rota at least as good, or None where none was found in the time: see `relay.relay`."""
    model = _Model(event, fleet, ways)
    for number in range(event.watcher_count):
        count = sum(watch.position == number for watch in found)
        if count == 0 and event.covered_until_s(number) >= event.end_s:
            model.turns.append([])
            continue
        model.position(number, count if _is_whole(event, found, number) else count + _EXTRA_WATCHES)
    model.flights.bound()
    model.hint(found)
    model.weigh()
    answer = solved(model.cp, within_s=within_s, seed=seed, enough_share=_ENOUGH_SHARE)
    if answer is None:
        return None
    watches = _read(model, answer[0])
    return Polished(watches, answer[1]) if _stands(fleet, watches) else None


def _is_whole(event: Event, found: Sequence[Watch], number: int) -> bool:
    until_s = event.covered_until_s(number)
    for watch in sorted((each for each in found if each.position == number), key=lambda each: each.start_s):
        if watch.start_s > until_s:
            return False
        until_s = max(until_s, watch.end_s)
    return until_s >= event.end_s


def _read(model: _Model, solver: Any) -> list[Watch]:  # noqa: ANN401 - ortools has no types
    watches = []
    for number, turns in enumerate(model.turns):
        for turn in turns:
            by = [airframe for airframe, chosen in turn.flown_by.items() if solver.value(chosen)]
            start_s, length_s = solver.value(turn.start), solver.value(turn.length)
            if by and length_s > 0:
                out_s, back_s = model.ways[by[0]]
                end_s = start_s + length_s
                watch = Watch(
                    airframe_id=by[0],
                    position=number,
                    takeoff_s=start_s - out_s,
                    start_s=start_s,
                    end_s=end_s,
                    landing_s=end_s + back_s,
                )
                watches.append(watch)
    return watches


def _stands(fleet: Fleet, watches: Sequence[Watch]) -> bool:
    """Tell whether each flight finds a cell, a charger, a pad and a crew of its own: cells of one dock may differ."""
    ledger = Ledger(fleet)
    for watch in sorted(watches, key=lambda each: each.takeoff_s):
        booking = ledger.fit(ledger.flyers[watch.airframe_id], watch.takeoff_s, watch.landing_s)
        if booking is None:
            return False
        ledger.book(booking)
    return True
