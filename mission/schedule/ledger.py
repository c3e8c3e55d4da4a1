"""Which flights fit beside those that stand: airframes, cells, chargers, pads and crews, looked up and booked one at a time."""

from collections import defaultdict
from collections.abc import Iterable

from mission.schedule.fleet import Booking, Cell, Fleet, Flyer, Span, free_of


class Ledger:
    """The bookings of a fleet. `fit` tells whether a flight fits and with which cell and crew; `book` writes it down.

    A flight that is booked may lie before others that stand. A look-up costs about 20 us for a dock with ten flights.
    """

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.flyers = {flyer.airframe_id: flyer for flyer in fleet.flyers}
        self.bookings: list[Booking] = []
        self._airframe: defaultdict[int, list[Span]] = defaultdict(list)
        self._cell: defaultdict[tuple[int, int | None], list[Span]] = defaultdict(list)
        self._charging: defaultdict[int, list[Span]] = defaultdict(list)
        self._pads: defaultdict[int, list[Span]] = defaultdict(list)
        self._crew: defaultdict[int | None, list[Span]] = defaultdict(list)
        self._grounds = {ground.dock_id: ground for ground in fleet.grounds}
        for booking in fleet.booked:
            self.book(booking)

    def book(self, booking: Booking) -> None:
        """Write a flight down, whether it fits or not."""
        self.bookings.append(booking)
        self._airframe[booking.airframe_id].append((booking.takeoff_s, booking.free_s))
        self._cell[self._cell_key(booking)].append((booking.takeoff_s, booking.charged_s))
        self._charging[booking.dock_id].append((booking.charged_s - self._charging_s(booking), booking.charged_s))
        self._pads[booking.dock_id] += self.fleet.moments_of(booking.takeoff_s, booking.landing_s)
        self._crew[booking.crew_id].append((booking.takeoff_s, booking.landing_s))

    def fit(self, flyer: Flyer, takeoff_s: int, landing_s: int, *, is_kept_apart: bool = False) -> Booking | None:
        """Return the booking of a flight with the first cell and crew with which it fits, or None.

        One that `is_kept_apart` from the others over its dock already, by layers or by a delay, need not wait for the pad.
        """
        fleet, ground = self.fleet, self._grounds[flyer.dock_id]
        if takeoff_s < flyer.ready_s or not (is_kept_apart or self._pad_is_free(flyer.dock_id, takeoff_s, landing_s)):
            return None
        if not free_of(self._airframe[flyer.airframe_id], takeoff_s, landing_s + fleet.turn_s(flyer)):
            return None
        crew_id = self._crew_for(takeoff_s, landing_s)
        if fleet.staff and crew_id is None:
            return None
        for cell in fleet.cells_of(flyer):
            charged_s = self._charged_s(flyer, cell, takeoff_s, landing_s)
            if charged_s is None:
                continue
            free_s = landing_s + fleet.turn_s(flyer) if ground.cells else charged_s
            if free_of(self._airframe[flyer.airframe_id], takeoff_s, free_s):
                return Booking(
                    airframe_id=flyer.airframe_id, dock_id=flyer.dock_id, takeoff_s=takeoff_s, landing_s=landing_s,
                    free_s=free_s, charged_s=charged_s, battery_id=cell.battery_id, crew_id=crew_id,
                )  # fmt: skip
        return None

    def earliest(
        self, flyer: Flyer, flight_s: int, *, from_s: int, until_s: int, is_kept_apart: bool = False
    ) -> Booking | None:
        """Return the earliest flight of that length that fits and takes off from `from_s` to `until_s`, or None."""
        for takeoff_s in sorted({max(from_s, flyer.ready_s), *self._turns(flyer, flight_s)}):
            if from_s <= takeoff_s <= until_s:
                found = self.fit(flyer, takeoff_s, takeoff_s + flight_s, is_kept_apart=is_kept_apart)
                if found is not None:
                    return found
        return None

    def free_after(self, flyer: Flyer, time_s: float, least_s: float) -> float:
        """Return when a flight that does not fit at a time is worth trying again: at least so many seconds later."""
        over = [end for start, end in self._airframe[flyer.airframe_id] if start <= time_s + least_s < end]
        return max([time_s + least_s, *map(float, over)])

    def _turns(self, flyer: Flyer, flight_s: int) -> Iterable[int]:
        """Yield the moments from which on a flight may fit that did not fit before."""
        yield from (end for _, end in self._airframe[flyer.airframe_id])
        landing_after_s = self.fleet.stagger_s - self.fleet.lead_s - flight_s
        for _, end in self._pads[flyer.dock_id]:
            yield from (end + self.fleet.lead_s, end + landing_after_s)
        for cell in self.fleet.cells_of(flyer):
            yield cell.full_at_s
            yield from (end for _, end in self._cell[self._key(flyer, cell)])
        for staff in self.fleet.staff:
            yield from (start for start, _ in staff.shifts)
            yield from (end for _, end in self._crew[staff.crew_id])

    def _charged_s(self, flyer: Flyer, cell: Cell, takeoff_s: int, landing_s: int) -> int | None:
        """Return when the cell is full again after the flight; None where it or a charger is not to be had."""
        capacity_s = flyer.full_s * cell.health_ratio
        if takeoff_s < cell.full_at_s or landing_s - takeoff_s > capacity_s * (1.0 - flyer.reserve_ratio) + 1e-6:
            return None
        length_s = -int(-(landing_s - takeoff_s) / capacity_s * cell.charge_s // 1)
        busy = self._charging[flyer.dock_id]
        for start_s in sorted({landing_s, *(end for _, end in busy if end > landing_s)}):
            if most_at_once(busy, start_s, start_s + length_s) < self._grounds[flyer.dock_id].charger_count:
                charged_s = start_s + length_s
                return charged_s if free_of(self._cell[self._key(flyer, cell)], takeoff_s, charged_s) else None
        return None

    def _pad_is_free(self, dock_id: int, takeoff_s: int, landing_s: int) -> bool:
        busy, pads = self._pads[dock_id], self._grounds[dock_id].pad_count
        return all(most_at_once(busy, *moment) < pads for moment in self.fleet.moments_of(takeoff_s, landing_s))

    def _crew_for(self, takeoff_s: int, landing_s: int) -> int | None:
        for staff in self.fleet.staff:
            on_shift = any(start <= takeoff_s and landing_s <= end for start, end in staff.shifts)
            if on_shift and most_at_once(self._crew[staff.crew_id], takeoff_s, landing_s) < staff.drone_count:
                return staff.crew_id
        return None

    def _key(self, flyer: Flyer, cell: Cell) -> tuple[int, int | None]:
        return (flyer.airframe_id, None) if cell.battery_id is None else (-1, cell.battery_id)

    def _cell_key(self, booking: Booking) -> tuple[int, int | None]:
        return (booking.airframe_id, None) if booking.battery_id is None else (-1, booking.battery_id)

    def _charging_s(self, booking: Booking) -> int:
        flyer = self.flyers.get(booking.airframe_id)
        if flyer is None:
            return max(booking.charged_s - booking.landing_s, 0)
        cells = self.fleet.cells_of(flyer)
        cell = next((cell for cell in cells if cell.battery_id == booking.battery_id), cells[0])
        flight_s = booking.landing_s - booking.takeoff_s
        return -int(-flight_s / (flyer.full_s * cell.health_ratio) * cell.charge_s // 1)


def most_at_once(spans: Iterable[Span], start_s: int, end_s: int) -> int:
    """Return how many of `spans` lie over one moment between, at most."""
    inside = [(max(begin, start_s), end) for begin, end in spans if begin < end_s and end > start_s]
    return max((sum(begin <= moment < end for begin, end in inside) for moment, _ in inside), default=0)
