"""Flights in a CP-SAT model: what airframes, cells, chargers, pads and crews can do at once, beside what is booked."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ortools.sat.python import cp_model

from mission.schedule.fleet import Fleet, Flyer, most_flight_s

_CHARGE_SCALE: Final = 10_000
_LATER_S: Final = 7200
"""How long after the horizon a cell may still be charging, beyond its own time."""


@dataclass(frozen=True)
class Flight:
    """A flight in a model: `takeoff` and `landing` are affine in one variable each, `length` is what lies between."""

    takeoff: Any
    landing: Any
    length: Any
    chosen: Any
    name: str


class FlightsModel:
    """A CP-SAT model and the intervals that each airframe, cell, charger, pad and crew sees; `horizon_s` ends all of it."""

    def __init__(self, fleet: Fleet, horizon_s: int) -> None:
        self.fleet = fleet
        self.cp = cp_model.CpModel()
        slowest_s = max(
            (cell.charge_s / cell.health_ratio for flyer in fleet.flyers for cell in fleet.cells_of(flyer)), default=0.0
        )
        self.end_s = horizon_s + 4 * round(slowest_s) + _LATER_S
        self._airframe: defaultdict[int, list[Any]] = defaultdict(list)
        self._cells: defaultdict[tuple[int, int], list[Any]] = defaultdict(list)
        self._charging: defaultdict[int, list[Any]] = defaultdict(list)
        self._pads: defaultdict[int, list[Any]] = defaultdict(list)
        self._crew: defaultdict[int, list[Any]] = defaultdict(list)

    def fly(self, flyer: Flyer, flight: Flight) -> None:
        """Have a flyer make a flight where it is chosen."""
        cp, fleet, chosen, name = self.cp, self.fleet, flight.chosen, flight.name
        ground, cells = fleet.ground_of(flyer), fleet.cells_of(flyer)
        cp.add(flight.takeoff >= max(flyer.ready_s, min(cell.full_at_s for cell in cells))).only_enforce_if(chosen)
        cp.add(flight.length <= most_flight_s(flyer, cells)).only_enforce_if(chosen)
        charged, charging, whole, begin = (
            cp.new_int_var(0, self.end_s, f"{what}_{name}") for what in ("charged", "charging", "whole", "begin")
        )
        for_one_s = round(max(cell.charge_s / cell.health_ratio for cell in cells) / flyer.full_s * _CHARGE_SCALE + 0.5)
        cp.add(_CHARGE_SCALE * charging >= for_one_s * flight.length).only_enforce_if(chosen)
        cp.add(begin >= flight.landing).only_enforce_if(chosen)
        busy = cp.new_optional_interval_var(flight.takeoff, whole, charged, chosen, f"cell_{name}")
        charge = cp.new_optional_interval_var(begin, charging, charged, chosen, f"charge_{name}")
        self._charging[flyer.dock_id].append(charge)
        self._cells[(-1, flyer.dock_id) if ground.cells else (flyer.airframe_id, 0)].append(busy)
        turn_s = fleet.turn_s(flyer)
        away = cp.new_optional_interval_var(
            flight.takeoff, flight.length + turn_s, flight.landing + turn_s, chosen, f"air_{name}"
        )
        self._airframe[flyer.airframe_id].append(away if ground.cells else busy)
        for moment in (flight.takeoff - fleet.lead_s, flight.landing - fleet.stagger_s + fleet.lead_s):
            pad = cp.new_optional_fixed_size_interval_var(moment, fleet.stagger_s, chosen, f"pad_{name}")
            self._pads[flyer.dock_id].append(pad)
        self._crew_for(flight)

    def _crew_for(self, flight: Flight) -> None:
        """Have one crew on shift fly it, where there are crews."""
        if not self.fleet.staff:
            return
        options = []
        for staff in self.fleet.staff:
            for start_s, end_s in staff.shifts:
                on_shift = self.cp.new_bool_var(f"crew_{flight.name}_{staff.crew_id}_{start_s}")
                self.cp.add(flight.takeoff >= start_s).only_enforce_if(on_shift)
                self.cp.add(flight.landing <= end_s).only_enforce_if(on_shift)
                self._crew[staff.crew_id].append(
                    self.cp.new_optional_interval_var(flight.takeoff, flight.length, flight.landing, on_shift, "crew")
                )
                options.append(on_shift)
        self.cp.add(sum(options) == flight.chosen)

    def bound(self) -> None:
        """Add what all of them can do at once, with what is booked already; called once, after the last flight."""
        self._book()
        for intervals in self._airframe.values():
            self.cp.add_no_overlap(intervals)
        for key, intervals in self._cells.items():
            pool = [len(ground.cells) for ground in self.fleet.grounds if key == (-1, ground.dock_id)]
            self._at_most(intervals, pool[0] if pool else 1)
        for ground in self.fleet.grounds:
            self._at_most(self._charging[ground.dock_id], ground.charger_count)
            self._at_most(self._pads[ground.dock_id], ground.pad_count)
        for staff in self.fleet.staff:
            self._at_most(self._crew[staff.crew_id], staff.drone_count)

    def _at_most(self, intervals: Sequence[Any], count: int) -> None:
        if len(intervals) > count:
            self.cp.add_cumulative(list(intervals), [1] * len(intervals), count)

    def _book(self) -> None:
        cp = self.cp
        for number, booking in enumerate(self.fleet.booked):
            name = f"booked_{number}"
            takeoff_s, landing_s, charged_s = (
                booking.takeoff_s,
                booking.landing_s,
                max(booking.charged_s, booking.landing_s),
            )
            away = cp.new_fixed_size_interval_var(takeoff_s, booking.free_s - takeoff_s, name)
            self._airframe[booking.airframe_id].append(away)
            cell = cp.new_fixed_size_interval_var(takeoff_s, charged_s - takeoff_s, name)
            self._cells[(booking.airframe_id, 0) if booking.battery_id is None else (-1, booking.dock_id)].append(cell)
            charge = cp.new_fixed_size_interval_var(landing_s, charged_s - landing_s, name)
            self._charging[booking.dock_id].append(charge)
            for moment_s, _ in self.fleet.moments_of(takeoff_s, landing_s):
                self._pads[booking.dock_id].append(cp.new_fixed_size_interval_var(moment_s, self.fleet.stagger_s, name))
            if booking.crew_id is not None:
                flown = cp.new_fixed_size_interval_var(takeoff_s, landing_s - takeoff_s, name)
                self._crew[booking.crew_id].append(flown)


def solved(cp: Any, *, within_s: float, seed: int, enough_share: float = 0.0) -> tuple[Any, bool] | None:  # noqa: ANN401 - ortools has no types
    """Solve a model with hints, on one thread: return the solver and whether nothing better exists, None without an answer.

    `within_s` are of CP-SAT's deterministic time, so that the same model gives the same answer on every machine.
    """
    _complete_hint(cp)
    solver = _solver(within_s, seed)
    solver.parameters.relative_gap_limit = enough_share
    status = solver.solve(cp)
    return (solver, status == cp_model.OPTIMAL) if status in {cp_model.OPTIMAL, cp_model.FEASIBLE} else None


def _solver(within_s: float, seed: int) -> Any:  # noqa: ANN401 - ortools has no types
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    solver.parameters.max_deterministic_time = within_s
    return solver


def _complete_hint(cp: Any) -> None:  # noqa: ANN401 - ortools has no types
    """Give every variable the value that it has in what the hint says, so that the search begins from there."""
    solver = _solver(0.5, 0)
    solver.parameters.fix_variables_to_their_hinted_value = True
    if solver.solve(cp) in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        values = solver.response_proto.solution
        cp.clear_hints()
        for index, value in enumerate(values):
            cp.add_hint(cp.get_int_var_from_proto_index(index), value)
