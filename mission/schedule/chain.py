"""Routes chained to airframes, batteries, docks and crews by CP-SAT: the set of sorties of most prize that can all be flown."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mission.schedule.fleet import Fleet
from mission.schedule.flights_model import Flight, FlightsModel, solved

_PRIZE_SCALE: Final = 100_000
"""One point of prize outweighs all the seconds of a day in the air."""


@dataclass(frozen=True)
class Candidate:
    """A sortie that may be flown once: takes off from `earliest_s` to `latest_s`, lasts `flight_s`, by one of `airframe_ids`.

    Of all candidates that share one of `claims` only one is flown.
    """

    earliest_s: int
    latest_s: int
    flight_s: int
    prize: int
    airframe_ids: tuple[int, ...]
    claims: frozenset[int]


@dataclass(frozen=True)
class Chosen:
    """A candidate (its number) that is flown, by whom and from when."""

    candidate: int
    airframe_id: int
    takeoff_s: int


def chain(
    candidates: Sequence[Candidate],
    fleet: Fleet,
    *,
    known: Collection[Chosen] = (),
    within_s: float = 1.0,
    seed: int = 0,
) -> list[Chosen]:
    """Return which candidates are flown, by whom and when, in order of take-off: the most prize, then the least time in the air.

    Each airframe charges before it flies again (or takes a charged battery of its dock); chargers, pads, crews' shifts and
    drones at once are kept, beside what is booked in the fleet. `known` is a chain to begin from. Runs for up to `within_s` of
    CP-SAT's deterministic time; without an answer by then `known` is returned.
    """
    if not candidates:
        return []
    flyers = {flyer.airframe_id: flyer for flyer in fleet.flyers}
    model = FlightsModel(fleet, max(each.latest_s + each.flight_s for each in candidates))
    options = [_options(model, number, each, flyers) for number, each in enumerate(candidates)]
    model.bound()
    _claim_once(model.cp, candidates, options)
    _hint(model.cp, options, known)
    gain = [
        (_PRIZE_SCALE * each.prize - each.flight_s) * sum(option.by.values())
        for each, option in zip(candidates, options, strict=True)
        if option.by
    ]
    model.cp.maximize(sum(gain))
    answer = solved(model.cp, within_s=within_s, seed=seed)
    if answer is None:
        return sorted(known, key=lambda chosen: chosen.takeoff_s)
    return _read(options, answer[0].value)


@dataclass(frozen=True)
class _Option:
    takeoff: Any
    by: dict[int, Any]


def _options(model: FlightsModel, number: int, candidate: Candidate, flyers: dict[int, Any]) -> _Option:
    cp = model.cp
    takeoff = cp.new_int_var(candidate.earliest_s, max(candidate.latest_s, candidate.earliest_s), f"takeoff_{number}")
    by = {}
    for airframe_id in candidate.airframe_ids:
        if airframe_id in flyers:
            chosen = cp.new_bool_var(f"by_{number}_{airframe_id}")
            by[airframe_id] = chosen
            landing, name = takeoff + candidate.flight_s, f"{number}_{airframe_id}"
            model.fly(flyers[airframe_id], Flight(takeoff, landing, candidate.flight_s, chosen, name))
    return _Option(takeoff, by)


def _claim_once(cp: Any, candidates: Sequence[Candidate], options: Sequence[_Option]) -> None:  # noqa: ANN401 - ortools has no types
    claimed: dict[int, list[Any]] = {}
    for candidate, option in zip(candidates, options, strict=True):
        cp.add_at_most_one(list(option.by.values()))
        for claim in candidate.claims:
            claimed.setdefault(claim, []).extend(option.by.values())
    for chosen in claimed.values():
        cp.add_at_most_one(chosen)


def _hint(cp: Any, options: Sequence[_Option], known: Collection[Chosen]) -> None:  # noqa: ANN401 - as above
    by_number = {chosen.candidate: chosen for chosen in known}
    for number, option in enumerate(options):
        chosen = by_number.get(number)
        if chosen is not None:
            cp.add_hint(option.takeoff, chosen.takeoff_s)
        for airframe_id, is_chosen in option.by.items():
            cp.add_hint(is_chosen, chosen is not None and chosen.airframe_id == airframe_id)


def _read(options: Sequence[_Option], value: Callable[[Any], int]) -> list[Chosen]:
    found = [
        Chosen(number, airframe_id, value(option.takeoff))
        for number, option in enumerate(options)
        for airframe_id, is_chosen in option.by.items()
        if value(is_chosen)
    ]
    return sorted(found, key=lambda chosen: (chosen.takeoff_s, chosen.candidate))
