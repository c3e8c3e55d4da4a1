"""Whatever the bookings: no airframe and no cell is used twice at once, chargers and pads suffice, reserves are kept."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from mission.model import Task, TaskKind, Window
from mission.schedule.fleet import Booking, Cell, Fleet, Flyer, Ground, Staff
from mission.schedule.ledger import Ledger, most_at_once
from mission.schedule.recurrence import united
from mission.schedule.visits import visits_of

US = 1_000_000
WISHES = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 20_000), st.integers(60, 1400)), max_size=40)


@settings(max_examples=60, deadline=None)
@given(WISHES, st.integers(0, 4), st.integers(1, 3), st.integers(1, 3), st.booleans())
def test_flights_booked_by_wish_never_collide(
    wishes: list[tuple[int, int, int]], cell_count: int, charger_count: int, pad_count: int, has_crew: bool
) -> None:
    cells = tuple(Cell(battery_id=number, health_ratio=1.0 - number / 20.0) for number in range(cell_count))
    staff = (Staff(1, ((1000, 9000),), drone_count=2), Staff(2, ((8000, 30_000),))) if has_crew else ()
    flyers = tuple(Flyer(airframe_id=number, dock_id=1, full_s=1500.0) for number in (1, 2, 3))
    fleet = Fleet(flyers=flyers, grounds=(Ground(1, pad_count, charger_count, cells),), staff=staff)
    ledger = Ledger(fleet)
    for airframe_id, from_s, flight_s in wishes:
        found = ledger.earliest(ledger.flyers[airframe_id], flight_s, from_s=from_s, until_s=from_s + 4000)
        if found is not None:
            assert from_s <= found.takeoff_s <= from_s + 4000
            ledger.book(found)
    assert_apart(ledger.bookings, fleet)


def assert_apart(bookings: list[Booking], fleet: Fleet) -> None:
    for key in {(booking.airframe_id, -1) for booking in bookings}:
        mine = sorted((each for each in bookings if each.airframe_id == key[0]), key=lambda each: each.takeoff_s)
        assert all(before.free_s <= after.takeoff_s for before, after in pairwise(mine))
    for battery_id in {booking.battery_id for booking in bookings} - {None}:
        mine = sorted((each for each in bookings if each.battery_id == battery_id), key=lambda each: each.takeoff_s)
        assert all(before.charged_s <= after.takeoff_s for before, after in pairwise(mine))
    (ground,) = fleet.grounds
    cells = {cell.battery_id: cell for cell in ground.cells}
    charging, pads = [], []
    for booking in bookings:
        cell = cells.get(booking.battery_id, Cell())
        flight_s = booking.landing_s - booking.takeoff_s
        assert flight_s <= 1500.0 * cell.health_ratio * 0.75 + 1e-6
        charge_s = -int(-flight_s / (1500.0 * cell.health_ratio) * cell.charge_s // 1)
        assert booking.charged_s - charge_s >= booking.landing_s
        charging.append((booking.charged_s - charge_s, booking.charged_s))
        pads += [(booking.takeoff_s, booking.takeoff_s + 30), (booking.landing_s - 30, booking.landing_s)]
        shifts = [shift for crew in fleet.staff if crew.crew_id == booking.crew_id for shift in crew.shifts]
        assert not fleet.staff or any(start <= booking.takeoff_s and booking.landing_s <= end for start, end in shifts)
    assert most_at_once(charging, 0, 100_000) <= ground.charger_count
    assert most_at_once(pads, 0, 100_000) <= ground.pad_count
    for crew in fleet.staff:
        flown = [(each.takeoff_s, each.landing_s) for each in bookings if each.crew_id == crew.crew_id]
        assert most_at_once(flown, 0, 100_000) <= crew.drone_count


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.integers(60, 86_400), st.integers(60, 20_000), st.data())
def test_however_visits_are_begun_within_their_windows_no_place_waits_longer_than_asked(
    start_s: int, length_s: int, revisit_s: int, data: st.DataObject
) -> None:
    window = Window(start_s * US, (start_s + length_s) * US)
    task = Task(name_zh="", name_en="", kind=TaskKind.POINT, geometry={}, revisit_s=float(revisit_s))
    visits = visits_of(task, (window,))
    begun = [data.draw(st.integers(visit.window.start_us, visit.window.end_us)) for visit in visits[:8]]
    begun += [visit.window.end_us for visit in visits[8:]]
    moments = [window.start_us, *begun, window.end_us]
    if revisit_s < length_s:
        assert max(after - before for before, after in pairwise(moments)) <= revisit_s * US + len(visits)
    assert len(visits) == 1 or len(visits) <= length_s / (revisit_s * 0.9) + 2


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=12))
def test_united_windows_are_apart_and_hold_the_same_moments(spans: list[tuple[int, int]]) -> None:
    windows = [Window(*span) for span in spans]
    found = united(windows)
    assert all(before.end_us < after.start_us for before, after in pairwise(found))
    inside = {moment for window in windows for moment in range(window.start_us, window.end_us)}
    assert {moment for window in found for moment in range(window.start_us, window.end_us)} == inside
