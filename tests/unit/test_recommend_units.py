"""Who is offered and advised: by arrival, suitable, and what opens nothing."""

from mission.calls.incident import Category, Equipment, Urgency
from mission.calls.recommend import (
    SHOWN,
    Candidate,
    Crew,
    Leaves,
    Unsuited,
    mode_for,
    offered,
    unsuited_of,
    wanted_of,
)
from mission.roads.travel import TravelMode
from telemetry.model.unit import Service, UnitKind


def unit(
    unit_id: int, travel_s: float, *, gap: str | None = None, ring: tuple[int, ...] | None = None, fit: bool = True
) -> Candidate:
    return Candidate(
        unit_id=unit_id,
        in_air=False,
        travel_s=travel_s,
        turnout_s=20.0,
        distance_m=1.0,
        unsuited=() if fit else (Unsuited.EQUIPMENT,),
        leaves=Leaves(cover_change_ratio=-0.01, opens_gap=gap, opens_ring=ring),
    )


def advised(*candidates: Candidate) -> list[int]:
    return [one.unit_id for one in offered(candidates) if one.advised]


def test_the_fastest_is_advised_unless_one_within_twenty_seconds_opens_nothing() -> None:
    assert advised(unit(1, 100), unit(2, 110)) == [1]
    assert advised(unit(1, 100, gap="0.4 km²"), unit(2, 119)) == [2]
    assert advised(unit(1, 100, ring=(3, 4)), unit(2, 121)) == [1], "too much later"
    assert advised(unit(1, 100, ring=(3, 4)), unit(2, 110, gap="1 km²")) == [1], "both open something"
    assert advised(unit(1, 100, fit=False), unit(2, 400)) == [2]
    assert advised(unit(1, 100, fit=False)) == []


def test_ten_are_offered_by_arrival_and_unsuited_ones_where_they_are_the_soonest() -> None:
    many = [unit(number, 100.0 + number) for number in range(30)]
    assert [one.unit_id for one in offered(many)] == list(range(SHOWN))
    nearer = unit(99, 10, fit=False)
    shown = offered([*many, nearer, unit(98, float("inf"))])
    assert [one.unit_id for one in shown] == [99, *range(SHOWN - 1)]
    assert [one.unit_id for one in shown if one.advised] == [0]
    few = offered([unit(1, 100), unit(2, 500, fit=False), unit(3, 50, fit=False)])
    assert [one.unit_id for one in few] == [3, 1, 2]


def test_a_call_asks_for_what_it_says_else_for_what_its_category_needs() -> None:
    assert wanted_of(Category.HELP, frozenset(), in_air=False) == {Equipment.FIRST_AID}
    assert wanted_of(Category.HELP, {Equipment.LIFE_RING}, in_air=False) == {Equipment.LIFE_RING}
    assert wanted_of(Category.MISSING_PERSON, {Equipment.SHIELD}, in_air=True) == {Equipment.THERMAL_CAMERA}
    assert wanted_of(Category.THEFT, frozenset(), in_air=False) == frozenset()


def test_services_equipment_and_batteries_make_units_unsuited() -> None:
    volunteer = Crew(unit_id=1, kind=UnitKind.OFFICER, service=Service.VOLUNTEER)
    assert unsuited_of(volunteer, Category.VIOLENCE, frozenset(), travel_s=10) == (
        (Unsuited.EQUIPMENT, Unsuited.SERVICE),
        (Equipment.SHIELD,),
    )
    for battery_ratio, travel_s, suits in (
        (0.9, 100.0, True),
        (0.9, 600.0, False),
        (0.35, 10.0, False),
        (None, 10.0, False),
    ):
        drone = Crew(unit_id=2, kind=UnitKind.DRONE, service=Service.AIR, battery_ratio=battery_ratio)
        why, _ = unsuited_of(drone, Category.THEFT, frozenset(), travel_s=travel_s)
        assert (why == ()) is suits, (battery_ratio, travel_s)


def test_cars_go_with_blue_lights_to_the_most_urgent_alone() -> None:
    assert mode_for(UnitKind.CAR, Urgency.ONE) is TravelMode.BLUE_LIGHT
    assert mode_for(UnitKind.CAR, Urgency.TWO) is TravelMode.CAR
    assert mode_for(UnitKind.OFFICER, Urgency.ONE) is TravelMode.FOOT
