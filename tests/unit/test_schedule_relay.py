"""A watch without a gap: what relays keep, whom they spare, what they say when they cannot, and brute force on small ones."""

from itertools import pairwise, product

import pytest

from mission.schedule.fleet import Booking, Cell, Fleet, Flyer, Ground, Staff
from mission.schedule.ledger import Ledger
from mission.schedule.relay import Relay, gaps_of, relay, remedies
from mission.schedule.relay_rota import Event, rota

HOUR = 3600


def fleet(count: int, *, full_s: float = 1500.0, charge_s: float = 1800.0, docks: int = 1, **changes: object) -> Fleet:
    flyers = tuple(
        Flyer(airframe_id=number, dock_id=number % docks + 1, full_s=full_s, cell=Cell(charge_s=charge_s))
        for number in range(1, count + 1)
    )
    grounds = tuple(Ground(dock, pad_count=2, charger_count=count) for dock in range(1, docks + 1))
    return Fleet(**({"flyers": flyers, "grounds": grounds} | changes))  # type: ignore[arg-type]


def event(hours: float = 3.0, **changes: object) -> Event:
    values: dict[str, object] = {"start_s": 600, "end_s": 600 + round(hours * HOUR), "overlap_s": 60}
    return Event(**(values | changes))  # type: ignore[arg-type]


def ways(count: int, way_s: int = 100) -> dict[int, tuple[int, int]]:
    return dict.fromkeys(range(1, count + 1), (way_s, way_s))


def assert_sound(found: Relay, of: Fleet, asked: Event) -> None:
    """No gap but those said, no drone twice at once, never beyond its battery, cells charged, crews on shift."""
    ledger = Ledger(of)
    for watch in sorted(found.watches, key=lambda each: each.takeoff_s):
        booking = ledger.fit(ledger.flyers[watch.airframe_id], watch.takeoff_s, watch.landing_s)
        assert booking is not None, watch
        ledger.book(booking)
    assert found.gaps == gaps_of(asked, found.watches)


def test_three_drones_of_25_minutes_watch_six_hours_without_a_gap() -> None:
    of, asked = fleet(3), event(6.0, overlap_s=30)
    found = relay(asked, of, ways=ways(3), within_s=0.05)
    assert_sound(found, of, asked)
    assert found.gap_s == 0
    assert found.least_overlap_s is not None
    assert found.least_overlap_s >= 30


def test_a_drone_more_than_needed_stands_by() -> None:
    of = fleet(5)
    found = relay(event(2.0), of, ways=ways(5), within_s=0.03)
    assert found.spare_id is not None
    assert found.spare_id not in {watch.airframe_id for watch in found.watches}
    assert found.failure_gap_s is not None
    assert found.failure_gap_s <= 100


def test_two_positions_are_watched_at_once() -> None:
    of, asked = fleet(8), event(1.0, watcher_count=2)
    found = relay(asked, of, ways=ways(8), within_s=0.05)
    assert_sound(found, of, asked)
    assert found.gap_s == 0
    for second in range(asked.start_s, asked.end_s, 60):
        assert sum(watch.start_s <= second < watch.end_s for watch in found.watches) >= 2


def test_too_few_drones_leave_gaps_and_it_is_said_what_would_close_them() -> None:
    of, asked = fleet(2), event(2.0)
    found = relay(asked, of, ways=ways(2), within_s=0.05)
    assert_sound(found, of, asked)
    assert found.gap_s > 0
    assert found.longest_gap_s <= found.gap_s
    said = {each.field: each.value for each in remedies(asked, of, ways=ways(2))}
    more = said["airframes"]
    assert relay(asked, fleet(2 + more), ways=ways(2 + more), within_s=0.05).gap_s == 0
    assert relay(event(2.0, end_s=said["end"]), of, ways=ways(2), within_s=0.05).gap_s == 0


def test_nobody_in_reach_leaves_the_whole_event_unwatched() -> None:
    asked = event(1.0)
    found = relay(asked, fleet(2), ways={}, within_s=0.03)
    assert found.gap_s == HOUR
    assert found.failure_gap_s == 0


def test_one_charger_for_three_drones_is_kept_to() -> None:
    of = fleet(3, grounds=(Ground(1, pad_count=2, charger_count=1),))
    asked = event(2.0)
    found = relay(asked, of, ways=ways(3), within_s=0.05)
    assert_sound(found, of, asked)


def test_batteries_that_are_changed_let_two_drones_do() -> None:
    cells = tuple(Cell(battery_id=number, charge_s=1800.0) for number in range(1, 7))
    of = fleet(2, grounds=(Ground(1, pad_count=2, charger_count=6, cells=cells),))
    asked = event(2.0)
    found = relay(asked, of, ways=ways(2), within_s=0.05)
    assert_sound(found, of, asked)
    assert found.gap_s == 0


def test_crews_off_shift_fly_nothing() -> None:
    of = fleet(4, staff=(Staff(7, ((0, 600 + HOUR),), drone_count=3),))
    asked = event(2.0)
    found = relay(asked, of, ways=ways(4), within_s=0.05)
    assert_sound(found, of, asked)
    assert all(watch.landing_s <= 600 + HOUR for watch in found.watches)
    assert found.gap_s > 0


def test_who_watches_already_is_relieved_in_time() -> None:
    of = fleet(4)
    asked = event(1.0, covered_s=(1500,))
    found = relay(asked, of, ways=ways(4), within_s=0.05)
    assert found.gap_s == 0
    first = min(watch.start_s for watch in found.watches)
    assert 600 < first <= 1500 - 60


def test_the_same_question_has_the_same_answer() -> None:
    asked = event(2.0)
    assert relay(asked, fleet(3), ways=ways(3), within_s=0.05, seed=3) == relay(
        asked, fleet(3), ways=ways(3), within_s=0.05, seed=3
    )


@pytest.mark.parametrize(
    ("count", "charge_s", "way_s"), [(2, 900.0, 60), (2, 3600.0, 150), (3, 1800.0, 150), (3, 3600.0, 60)]
)
def test_no_shorter_gap_is_found_by_trying_every_order_of_drones(count: int, charge_s: float, way_s: int) -> None:
    of, asked = fleet(count, charge_s=charge_s), event(1.0)
    found = relay(asked, of, ways=ways(count, way_s), within_s=0.05)
    assert_sound(found, of, asked)
    assert found.gap_s <= brute_gap_s(of, asked, way_s)


def brute_gap_s(of: Fleet, asked: Event, way_s: int) -> int:
    """Every order of drones, each as early as it can and as long as it can."""
    best = asked.end_s - asked.start_s
    longest_s = int(1500 * 0.75)
    for order in product([flyer.airframe_id for flyer in of.flyers], repeat=6):
        free_s, until_s, gap_s = dict.fromkeys(order, 0), asked.start_s, 0
        for number in order:
            wanted_s = until_s - (asked.overlap_s if until_s > asked.start_s else 0)
            takeoff_s = max(free_s[number], wanted_s - way_s)
            start_s = takeoff_s + way_s
            if until_s >= asked.end_s or start_s >= asked.end_s:
                break
            end_s = min(takeoff_s + longest_s - way_s, asked.end_s)
            gap_s += max(start_s - until_s, 0)
            flown_s = end_s + way_s - takeoff_s
            free_s[number] = end_s + way_s + -int(-flown_s / 1500 * of.flyers[0].cell.charge_s // 1)
            until_s = max(until_s, end_s)
        best = min(best, gap_s + max(asked.end_s - until_s, 0))
    return best


def test_what_is_booked_is_left_alone() -> None:
    booked = tuple(Booking(number, 1, 900, 1800, 2900, 2900) for number in (1, 2))
    of = fleet(4, booked=booked)
    for watch in rota(event(1.0), of, ways(4)):
        if watch.airframe_id in {1, 2}:
            assert watch.landing_s <= 900 or watch.takeoff_s >= 2900


def test_watches_follow_each_other_in_time() -> None:
    found = relay(event(2.0), fleet(3), ways=ways(3), within_s=0.03)
    assert all(before.start_s <= after.start_s for before, after in pairwise(found.watches))
