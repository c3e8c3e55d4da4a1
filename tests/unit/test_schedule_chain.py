"""Routes chained to airframes, batteries, docks and crews: compared with every possible choice on small questions."""

from itertools import permutations, product

import numpy as np
import pytest

from mission.schedule.chain import Candidate, Chosen, chain
from mission.schedule.fleet import Booking, Cell, Fleet, Flyer, Ground, Staff
from mission.schedule.ledger import Ledger


def fleet(count: int = 2, **changes: object) -> Fleet:
    flyers = tuple(Flyer(airframe_id=number, dock_id=1, full_s=1600.0) for number in range(1, count + 1))
    values: dict[str, object] = {"flyers": flyers, "grounds": (Ground(1, pad_count=count, charger_count=count),)}
    return Fleet(**(values | changes))  # type: ignore[arg-type]


def candidate(
    earliest_s: int, latest_s: int, prize: int = 10, *, flight_s: int = 600, claims: tuple[int, ...] = ()
) -> Candidate:
    return Candidate(earliest_s, latest_s, flight_s, prize, (1, 2), frozenset(claims))


def assert_sound(chosen: list[Chosen], candidates: list[Candidate], of: Fleet) -> None:
    ledger, claimed = Ledger(of), set[int]()
    for each in chosen:
        asked = candidates[each.candidate]
        assert asked.earliest_s <= each.takeoff_s <= asked.latest_s
        assert not claimed & asked.claims
        claimed |= asked.claims
        booking = ledger.fit(ledger.flyers[each.airframe_id], each.takeoff_s, each.takeoff_s + asked.flight_s)
        assert booking is not None
        ledger.book(booking)


def prize_of(chosen: list[Chosen], candidates: list[Candidate]) -> int:
    return sum(candidates[each.candidate].prize for each in chosen)


def test_a_route_is_shifted_until_its_airframe_is_charged() -> None:
    candidates = [candidate(0, 0), candidate(0, 3000)]
    chosen = chain(candidates, fleet(1), within_s=0.1)
    assert_sound(chosen, candidates, fleet(1))
    assert [each.candidate for each in chosen] == [0, 1]
    assert chosen[1].takeoff_s >= 600 + 675


def test_of_two_routes_with_one_target_the_better_is_flown() -> None:
    candidates = [candidate(0, 100, 5, claims=(1,)), candidate(0, 100, 9, claims=(1,))]
    assert [each.candidate for each in chain(candidates, fleet(), within_s=0.1)] == [1]


def test_a_crew_flies_no_more_drones_at_once_than_it_may() -> None:
    of = fleet(staff=(Staff(1, ((0, 2000),), drone_count=1),))
    candidates = [candidate(0, 900), candidate(0, 900), candidate(1500, 2500)]
    chosen = chain(candidates, of, within_s=0.1)
    assert_sound(chosen, candidates, of)
    assert {each.candidate for each in chosen} == {0, 1}


def test_batteries_of_a_dock_are_shared() -> None:
    cells = (Cell(battery_id=1), Cell(battery_id=2), Cell(battery_id=3))
    of = fleet(1, grounds=(Ground(1, pad_count=1, charger_count=3, cells=cells),))
    candidates = [candidate(0, 4000) for _ in range(3)]
    chosen = chain(candidates, of, within_s=0.1)
    assert_sound(chosen, candidates, of)
    assert len(chosen) == 3
    assert chosen[1].takeoff_s == chosen[0].takeoff_s + 600 + 180


def test_what_is_booked_stands() -> None:
    of = fleet(1, booked=(Booking(1, 1, 500, 1000, 1500, 1500),))
    candidates = [candidate(0, 400), candidate(1000, 1600)]
    chosen = chain(candidates, of, within_s=0.1)
    assert [(each.candidate, each.takeoff_s >= 1500) for each in chosen] == [(1, True)]


def test_a_known_chain_is_never_made_worse() -> None:
    candidates = [candidate(0, 100, 5), candidate(0, 100, 6), candidate(0, 100, 7)]
    known = [Chosen(1, 1, 0), Chosen(2, 2, 0)]
    assert prize_of(chain(candidates, fleet(), known=known, within_s=1e-6), candidates) >= 13


@pytest.mark.parametrize("seed", range(4))
def test_nothing_better_is_found_by_trying_every_order(seed: int) -> None:
    random = np.random.default_rng(seed)
    candidates = []
    for _ in range(4):
        earliest_s = int(random.integers(0, 1500))
        claims = tuple(int(each) for each in random.integers(0, 6, 2))
        prize, flight_s = int(random.integers(1, 20)), int(random.integers(200, 900))
        candidates.append(
            candidate(earliest_s, earliest_s + int(random.integers(0, 1500)), prize, flight_s=flight_s, claims=claims)
        )
    chosen = chain(candidates, fleet(), within_s=0.5)
    assert_sound(chosen, candidates, fleet())
    assert prize_of(chosen, candidates) >= brute(candidates)


def brute(candidates: list[Candidate]) -> int:
    """Every order and every airframe, each as early as it can."""
    best = 0
    for order in permutations(range(len(candidates))):
        for airframes in product((1, 2), repeat=len(order)):
            ledger, claimed, prize = Ledger(fleet()), set[int](), 0
            for number, airframe_id in zip(order, airframes, strict=True):
                asked, flyer = candidates[number], ledger.flyers[airframe_id]
                booking = ledger.earliest(flyer, asked.flight_s, from_s=asked.earliest_s, until_s=asked.latest_s)
                if booking is not None and not claimed & asked.claims:
                    ledger.book(booking)
                    claimed |= asked.claims
                    prize += asked.prize
            best = max(best, prize)
    return best
