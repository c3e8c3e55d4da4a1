"""A first plan at once: whoever is free first takes the targets that gain most for their time, until its battery asks for home."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mission.schedule.costs import Costs
from mission.schedule.fleet import Booking, Fleet, Flyer, most_flight_s
from mission.schedule.ledger import Ledger
from telemetry.model.geodesy import Floats

_RETRY_S: Final = 60
_WAIT_WEIGHT: Final = 0.5
"""What a second of waiting in the dock counts against a second of flying."""


@dataclass(frozen=True)
class Draft:
    """A sortie in the making: its booking, and the targets with the seconds at which each is begun, in order."""

    booking: Booking
    stops: tuple[tuple[int, float], ...]

    @property
    def flight_s(self) -> int:
        """Return how long it is in the air."""
        return self.booking.landing_s - self.booking.takeoff_s


@dataclass(frozen=True)
class Craft:
    """A flyer with its row of docks and its kind in the costs."""

    flyer: Flyer
    dock: int
    kind: int
    most_s: float


def crafts_of(fleet: Fleet, costs: Costs, kinds: Mapping[int, int]) -> list[Craft]:
    """Return the flyers that stand in a dock of the costs; `kinds` says each airframe's kind."""
    return [
        Craft(
            flyer,
            costs.dock_ids.index(flyer.dock_id),
            kinds[flyer.airframe_id],
            most_flight_s(flyer, fleet.cells_of(flyer)),
        )
        for flyer in fleet.flyers
        if flyer.dock_id in costs.dock_ids
    ]


def first_plan(
    costs: Costs,
    crafts: list[Craft],
    ledger: Ledger,
    *,
    until_s: float,
    left: NDArray[np.bool_],
    noise: Floats | None = None,
) -> list[Draft]:
    """Return sorties that fit the ledger (and book them) for targets that are `left` (n,), which is changed as they are taken.

    `noise` (n,) multiplies the prizes, to find other plans. About 0.1 ms a target.
    """
    prize = costs.prize * (np.ones(costs.count) if noise is None else noise)
    queue = [(float(craft.flyer.ready_s), number) for number, craft in enumerate(crafts)]
    heapq.heapify(queue)
    drafts = []
    while queue and left.any():
        clock_s, number = heapq.heappop(queue)
        craft = crafts[number]
        stops = _route(costs, craft, prize, left, clock_s)
        if not stops:
            continue
        draft = booked(costs, craft, ledger, stops)
        if draft is None:
            heapq.heappush(queue, (ledger.free_after(craft.flyer, clock_s, _RETRY_S), number))
            continue
        drafts.append(draft)
        for target, _ in stops:
            take(costs, left, target)
        if draft.booking.free_s < until_s:
            heapq.heappush(queue, (float(draft.booking.free_s), number))
    return drafts


def take(costs: Costs, left: NDArray[np.bool_], target: int) -> None:
    """Take a target and all of its group off those that are left."""
    left[target] = False
    if costs.group[target] >= 0:
        left[costs.group == costs.group[target]] = False


def booked(
    costs: Costs, craft: Craft, ledger: Ledger, stops: Sequence[tuple[int, float]], *, is_kept_apart: bool = False
) -> Draft | None:
    """Book a sortie with these stops at their times; None where it does not fit. `is_kept_apart` as in `Ledger.fit`."""
    draft = drafted(costs, craft, ledger, stops, is_kept_apart=is_kept_apart)
    if draft is not None:
        ledger.book(draft.booking)
    return draft


def drafted(
    costs: Costs, craft: Craft, ledger: Ledger, stops: Sequence[tuple[int, float]], *, is_kept_apart: bool = False
) -> Draft | None:
    """Return a sortie with these stops at their times, not booked; None where it does not fit."""
    (first, begin_s), (last, last_s) = stops[0], stops[-1]
    takeoff_s = int(np.floor(begin_s - costs.out_s[craft.kind][craft.dock, first]))
    ends_s = last_s + costs.service_s[craft.kind, last] + costs.back_s[craft.kind][last, craft.dock]
    booking = ledger.fit(craft.flyer, takeoff_s, int(np.ceil(ends_s)), is_kept_apart=is_kept_apart)
    return None if booking is None else Draft(booking, tuple(stops))


def _route(
    costs: Costs, craft: Craft, prize: Floats, left: NDArray[np.bool_], clock_s: float
) -> list[tuple[int, float]]:
    """Return the stops of one sortie that takes off at `clock_s` or later."""
    out_s, back_s = costs.out_s[craft.kind][craft.dock], costs.back_s[craft.kind][:, craft.dock]
    service_s, between_s = costs.service_s[craft.kind], costs.between_s[craft.kind]
    begin_s = np.maximum(clock_s + out_s, costs.from_s)
    fits = left & (begin_s <= costs.until_s) & (out_s + service_s + back_s <= craft.most_s)
    if not fits.any():
        return []
    waits_s = begin_s - out_s - clock_s
    worth = np.where(fits, prize / (out_s + service_s + back_s + _WAIT_WEIGHT * waits_s), -1.0)
    target = int(worth.argmax())
    takeoff_s = begin_s[target] - out_s[target]
    stops, open_now = [(target, float(begin_s[target]))], left.copy()
    take(costs, open_now, target)
    now_s = begin_s[target] + service_s[target]
    places_left = costs.most_places[craft.kind] - int(costs.place_count[target])
    while open_now.any():
        begin_s = np.maximum(now_s + between_s[target], costs.from_s)
        done_s = begin_s + service_s
        open_now &= costs.place_count <= places_left
        fits = open_now & (begin_s <= costs.until_s) & (done_s + back_s - takeoff_s <= craft.most_s - 1.0)
        if not fits.any():
            break
        extra_s = done_s - now_s + back_s - back_s[target]
        worth = np.where(fits, prize / np.maximum(extra_s, 1.0), -1.0)
        target = int(worth.argmax())
        stops.append((target, float(begin_s[target])))
        places_left -= int(costs.place_count[target])
        take(costs, open_now, target)
        now_s = done_s[target]
    return stops
