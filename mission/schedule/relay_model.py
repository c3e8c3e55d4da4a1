"""A relay as a CP-SAT model: gaps closed, overlaps kept and watches made even, from a rota that is already known."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from ortools.sat.python import cp_model

from mission.schedule.fleet import Cell, Fleet, Flyer, Span, most_flight_s
from mission.schedule.ledger import Ledger
from mission.schedule.relay_rota import Event, Watch

_EXTRA_WATCHES: Final = 2
_GAP_WEIGHT: Final = 1000
_LONGEST_WEIGHT: Final = 100
_OVERLAP_WEIGHT: Final = 50
_CHARGE_SCALE: Final = 10_000
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
    """The model being built: turns of positions, and the intervals that airframes, cells, chargers, pads and crews see."""

    def __init__(self, event: Event, fleet: Fleet, ways: Mapping[int, Span]) -> None:
        self.event, self.fleet, self.ways = event, fleet, ways
        self.cp = cp_model.CpModel()
        self.flyers = {flyer.airframe_id: flyer for flyer in fleet.flyers if flyer.airframe_id in ways}
        self.longest_flight = self.cp.new_int_var(0, event.end_s + _past(fleet, ways), "longest")
        self.longest_gap = self.cp.new_int_var(0, event.end_s, "longest_gap")
        self.late: list[Any] = []
        self.short: list[Any] = []
        self.airframe: defaultdict[int, list[Any]] = defaultdict(list)
        self.cells: defaultdict[tuple[int, int | None], list[Any]] = defaultdict(list)
        self.charging: defaultdict[int, list[Any]] = defaultdict(list)
        self.pads: defaultdict[int, list[Any]] = defaultdict(list)
        self.crew: defaultdict[int, list[Any]] = defaultdict(list)
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
        self._close(event.start_s, turns[0], 0)
        cp.add(turns[0].start == event.start_s).only_enforce_if(turns[0].is_flown.negated())
        tail = self._new_late()
        cp.add(turns[-1].end + tail >= event.end_s)

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
        turn = _Turn(start, length, end, is_flown, flown_by)
        for airframe, flyer in self.flyers.items():
            self._flight(turn, flyer, flown_by[airframe], f"{name}_{airframe}")
        return turn

    def _flight(self, turn: _Turn, flyer: Flyer, chosen: Any, name: str) -> None:  # noqa: ANN401 - ortools has no types
        cp, fleet, (out_s, back_s) = self.cp, self.fleet, self.ways[flyer.airframe_id]
        ground, cells = fleet.ground_of(flyer), fleet.cells_of(flyer)
        takeoff, landing = turn.start - out_s, turn.end + back_s
        flight = turn.length + out_s + back_s
        cp.add(takeoff >= max(flyer.ready_s, min(cell.full_at_s for cell in cells))).only_enforce_if(chosen)
        cp.add(flight <= most_flight_s(flyer, cells)).only_enforce_if(chosen)
        cp.add(self.longest_flight >= flight).only_enforce_if(chosen)
        end_s = self.event.end_s + _past(fleet, self.ways)
        charged = cp.new_int_var(0, end_s, f"charged_{name}")
        charging = cp.new_int_var(0, end_s, f"charging_{name}")
        for_one_s = round(max(cell.charge_s / cell.health_ratio for cell in cells) / flyer.full_s * _CHARGE_SCALE + 0.5)
        cp.add(_CHARGE_SCALE * charging >= for_one_s * flight).only_enforce_if(chosen)
        whole = cp.new_int_var(0, end_s, f"whole_{name}")
        begin = cp.new_int_var(0, end_s, f"begin_{name}")
        cp.add(begin >= landing).only_enforce_if(chosen)
        is_shared = bool(ground.cells)
        busy = cp.new_optional_interval_var(takeoff, whole, charged, chosen, f"cell_{name}")
        self.charging[flyer.dock_id].append(
            cp.new_optional_interval_var(begin, charging, charged, chosen, f"charge_{name}")
        )
        self.cells[(-1, flyer.dock_id) if is_shared else (flyer.airframe_id, None)].append(busy)
        turn_s = fleet.turn_s(flyer)
        away = cp.new_optional_interval_var(takeoff, flight + turn_s, landing + turn_s, chosen, f"air_{name}")
        self.airframe[flyer.airframe_id].append(away if is_shared else busy)
        stagger_s = fleet.stagger_s
        for moment in (takeoff, landing - stagger_s):
            self.pads[flyer.dock_id].append(cp.new_optional_fixed_size_interval_var(moment, stagger_s, chosen, name))
        self._crewed(takeoff, flight, landing, chosen, name)

    def _crewed(self, takeoff: Any, flight: Any, landing: Any, chosen: Any, name: str) -> None:  # noqa: ANN401 - as above
        if not self.fleet.staff:
            return
        options = []
        for staff in self.fleet.staff:
            for start_s, end_s in staff.shifts:
                on_shift = self.cp.new_bool_var(f"crew_{name}_{staff.crew_id}_{start_s}")
                self.cp.add(takeoff >= start_s).only_enforce_if(on_shift)
                self.cp.add(landing <= end_s).only_enforce_if(on_shift)
                self.crew[staff.crew_id].append(
                    self.cp.new_optional_interval_var(takeoff, flight, landing, on_shift, f"crew_{name}")
                )
                options.append(on_shift)
        self.cp.add(sum(options) == chosen)

    def _new_late(self) -> Any:  # noqa: ANN401 - as above
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

    def bound(self) -> None:
        """Add what airframes, cells, chargers, pads and crews can do at once, with what is booked already."""
        self._book()
        for intervals in self.airframe.values():
            self.cp.add_no_overlap(intervals)
        pools = {(-1, ground.dock_id): len(ground.cells) for ground in self.fleet.grounds if ground.cells}
        for key, intervals in self.cells.items():
            self._at_most(intervals, pools.get((key[0], key[1] or 0), 1))
        for ground in self.fleet.grounds:
            self._at_most(self.charging[ground.dock_id], ground.charger_count)
            self._at_most(self.pads[ground.dock_id], ground.pad_count)
        for staff in self.fleet.staff:
            self._at_most(self.crew[staff.crew_id], staff.drone_count)

    def _at_most(self, intervals: Sequence[Any], count: int) -> None:
        if len(intervals) > count:
            self.cp.add_cumulative(list(intervals), [1] * len(intervals), count)

    def _book(self) -> None:
        cp, stagger_s = self.cp, self.fleet.stagger_s
        for number, booking in enumerate(self.fleet.booked):
            name, pooled = f"booked_{number}", booking.battery_id is not None
            cell_end_s = max(booking.charged_s, booking.landing_s)
            cell = cp.new_fixed_size_interval_var(booking.takeoff_s, cell_end_s - booking.takeoff_s, name)
            away = cp.new_fixed_size_interval_var(booking.takeoff_s, booking.free_s - booking.takeoff_s, name)
            self.airframe[booking.airframe_id].append(away)
            self.cells[(-1, booking.dock_id) if pooled else (booking.airframe_id, None)].append(cell)
            charge_s = cell_end_s - booking.landing_s
            self.charging[booking.dock_id].append(cp.new_fixed_size_interval_var(booking.landing_s, charge_s, name))
            for moment in (booking.takeoff_s, booking.landing_s - stagger_s):
                self.pads[booking.dock_id].append(cp.new_fixed_size_interval_var(moment, stagger_s, name))
            if booking.crew_id is not None:
                flight_s = booking.landing_s - booking.takeoff_s
                self.crew[booking.crew_id].append(cp.new_fixed_size_interval_var(booking.takeoff_s, flight_s, name))

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


def polish(
    event: Event, fleet: Fleet, *, ways: Mapping[int, Span], found: Sequence[Watch], seconds: float, seed: int
) -> Polished | None:
    """Return a rota at least as good, or None where none was found in the time: see `relay.relay`."""
    model = _Model(event, fleet, ways)
    if not model.flyers:
        return None
    for number in range(event.watcher_count):
        count = sum(watch.position == number for watch in found)
        model.position(number, count if _is_whole(event, found, number) else count + _EXTRA_WATCHES)
    model.bound()
    model.hint(found)
    model.cp.minimize(
        _GAP_WEIGHT * sum(model.late)
        + _LONGEST_WEIGHT * model.longest_gap
        + _OVERLAP_WEIGHT * sum(model.short)
        + model.longest_flight
    )
    _complete_hint(model.cp)
    solver = _solver(seconds, seed)
    solver.parameters.relative_gap_limit = _ENOUGH_SHARE
    status = solver.solve(model.cp)
    if status not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        return None
    watches = _read(model, solver)
    return Polished(watches, status == cp_model.OPTIMAL) if _stands(fleet, watches) else None


def _solver(seconds: float, seed: int) -> Any:  # noqa: ANN401 - ortools has no types
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    solver.parameters.max_deterministic_time = seconds
    return solver


def _complete_hint(cp: Any) -> None:  # noqa: ANN401 - ortools has no types
    """Give every variable the value that it has in the rota of the hint, so that the search begins from there."""
    solver = _solver(0.5, 0)
    solver.parameters.fix_variables_to_their_hinted_value = True
    if solver.solve(cp) in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        values = solver.response_proto.solution
        cp.clear_hints()
        for index, value in enumerate(values):
            cp.add_hint(cp.get_int_var_from_proto_index(index), value)


def _is_whole(event: Event, found: Sequence[Watch], number: int) -> bool:
    until_s = event.start_s
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
                watches.append(
                    Watch(
                        airframe_id=by[0],
                        position=number,
                        takeoff_s=start_s - out_s,
                        start_s=start_s,
                        end_s=start_s + length_s,
                        landing_s=start_s + length_s + back_s,
                    )  # fmt: skip
                )
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


def _past(fleet: Fleet, ways: Mapping[int, Span]) -> int:
    """Return how far beyond the event's end a flight and its charging may reach."""
    slowest_s = max((_charge_s(fleet.cells_of(flyer)) for flyer in fleet.flyers), default=0.0)
    return int(max(sum(way) for way in ways.values()) + slowest_s * 4) + 7200


def _charge_s(cells: Sequence[Cell]) -> float:
    return max(cell.charge_s / cell.health_ratio for cell in cells)
