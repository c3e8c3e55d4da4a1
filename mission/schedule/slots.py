"""The time of each airframe cut into sorties' slots, so that routes made in them never get into each other's way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mission.schedule.fleet import Booking, Fleet, Span, charging_s
from mission.schedule.greedy import Craft, Draft

_LEAST_FLIGHT_S: Final = 240
_MOST_EXTRA: Final = 6


@dataclass(frozen=True)
class Slot:
    """From `start_s` to `end_s` one flight of at most `most_s` is made; `draft` numbers the present one, -1 for none."""

    craft: int
    start_s: int
    end_s: int
    most_s: float
    draft: int = -1


@dataclass(frozen=True)
class Cut:
    """How idle time is cut: `share` (0..1) of it goes to the flight before, or, `is_new`, new slots are laid where they fit."""

    share: float
    is_new: bool


def slots_of(fleet: Fleet, crafts: Sequence[Craft], drafts: Sequence[Draft], *, until_s: float, cut: Cut) -> list[Slot]:
    """Return slots that hold the present drafts and all the time between; after each there is time to charge or to swap."""
    found = []
    for number, craft in enumerate(crafts):
        mine = sorted(
            (draft.booking.takeoff_s, index)
            for index, draft in enumerate(drafts)
            if draft.booking.airframe_id == craft.flyer.airframe_id
        )
        for start_s, end_s in _open(fleet, craft, until_s):
            inside = [index for takeoff_s, index in mine if start_s <= takeoff_s < end_s]
            found += _between(
                fleet, (number, craft), [(index, drafts[index].booking) for index in inside], (start_s, end_s), cut
            )
    return found


def _open(fleet: Fleet, craft: Craft, until_s: float) -> list[Span]:
    """Return when nothing is booked for the craft; the last flight may land after `until_s` no more."""
    start_s, found = craft.flyer.ready_s, []
    for booking in sorted(fleet.booked, key=lambda each: each.takeoff_s):
        if booking.airframe_id == craft.flyer.airframe_id:
            if booking.takeoff_s > start_s:
                found.append((start_s, booking.takeoff_s))
            start_s = max(start_s, booking.free_s)
    last_s = int(until_s + craft.most_s + _turn_s(fleet, craft, craft.most_s)) + 1
    return [*found, (start_s, last_s)] if start_s < last_s else found


def _turn_s(fleet: Fleet, craft: Craft, flight_s: float) -> int:
    """Return how long after a flight the craft may fly again."""
    flyer = craft.flyer
    turn_s = fleet.turn_s(flyer)
    return turn_s or charging_s(flyer, fleet.cells_of(flyer), flight_s)


def _between(
    fleet: Fleet, numbered: tuple[int, Craft], flights: list[tuple[int, Booking]], span: Span, cut: Cut
) -> list[Slot]:
    number, craft = numbered
    found: list[Slot] = []
    start_s = span[0]
    for place, (index, booking) in enumerate(flights):
        found_here, begin_s = _extra(fleet, numbered, start_s, booking.takeoff_s, cut)
        found += found_here
        next_s = flights[place + 1][1].takeoff_s if place + 1 < len(flights) else span[1]
        idle_s = max(next_s - booking.free_s, 0)
        is_long = cut.is_new and idle_s > _LEAST_FLIGHT_S + _turn_s(fleet, craft, _LEAST_FLIGHT_S)
        free_by_s = booking.free_s + (0 if is_long else int(idle_s * cut.share))
        most_s = min(craft.most_s, _longest_s(fleet, craft, free_by_s - booking.landing_s))
        most_s = max(most_s, booking.landing_s - booking.takeoff_s)
        end_s = max(free_by_s - _turn_s(fleet, craft, most_s), booking.landing_s)
        found.append(Slot(number, begin_s, end_s, most_s, index))
        start_s = free_by_s
    return found + _extra(fleet, numbered, start_s, span[1], cut)[0]


def _longest_s(fleet: Fleet, craft: Craft, turn_s: float) -> float:
    """Return how long a flight may be after which the craft is free in so many seconds."""
    if fleet.turn_s(craft.flyer):
        return craft.most_s
    whole_s = charging_s(craft.flyer, fleet.cells_of(craft.flyer), craft.flyer.full_s)
    return max(turn_s, 0.0) / max(whole_s, 1) * craft.flyer.full_s


def _extra(fleet: Fleet, numbered: tuple[int, Craft], start_s: int, end_s: int, cut: Cut) -> tuple[list[Slot], int]:
    """Return new slots between, and from when on the flight after them may begin."""
    number, craft = numbered
    if not cut.is_new:
        return [], start_s
    whole_s = craft.most_s + _turn_s(fleet, craft, craft.most_s)
    room_s = end_s - start_s
    if room_s <= _LEAST_FLIGHT_S + _turn_s(fleet, craft, _LEAST_FLIGHT_S):
        return [], start_s
    count = min(max(round(room_s / whole_s), 1), _MOST_EXTRA)
    each_s = room_s / count
    flight_s = min(craft.most_s, each_s * craft.most_s / whole_s)
    turn_s = _turn_s(fleet, craft, flight_s)
    found = []
    for index in range(count):
        begin_s, next_s = start_s + int(index * each_s), start_s + int((index + 1) * each_s)
        if index == 0 and count > 1:
            next_s = begin_s + max(int(each_s * (0.5 + cut.share)), int(flight_s) + turn_s)
        found.append(Slot(number, begin_s, max(next_s - turn_s, begin_s), flight_s))
    for index in range(1, len(found)):
        before = found[index - 1]
        found[index] = Slot(number, max(found[index].start_s, before.end_s + turn_s), found[index].end_s, flight_s)
    return [slot for slot in found if slot.end_s - slot.start_s >= _LEAST_FLIGHT_S], end_s
