"""Crews of 4 patrol, 2 traffic and 1 special by day and of 4 patrol by night, by the city's clock."""

from collections import Counter

import pytest

from console.demo.city import City, prepare_city
from console.demo.crews import CITY_UTC_OFFSET_S, CREW, CityClock, Watch, watch_at
from console.demo.force_plan import ForcePlan, PlannedUnit
from console.demo.seed_force import plan_force
from telemetry.model.unit import DutyStatus, Equipment, Service, UnitKind
from telemetry.registry.force_file import UnitLine

DAY = Counter({Service.PATROL: 4, Service.TRAFFIC: 2, Service.SPECIAL: 1})
NIGHT = Counter({Service.PATROL: 4})


class Hands:
    """A clock that stands at a time of the day in UTC."""

    def __init__(self, hour: int) -> None:
        self.hour = hour

    def now_us(self) -> int:
        return 1_790_000_000_000_000 // 86_400_000_000 * 86_400_000_000 + self.hour * 3_600_000_000

    def monotonic_s(self) -> float:
        return 0.0


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    return prepare_city(tmp_path_factory.mktemp("data"), 1)


def crew_of(plan: ForcePlan, station: int, watch: Watch) -> list[PlannedUnit]:
    mine = [unit for unit in plan.on_duty(watch) if unit.station_number == station and unit.kind is not UnitKind.DRONE]
    return [unit for unit in mine if unit.answers]


def test_each_of_the_fourteen_stations_has_seven_by_day_and_four_by_night(city: City) -> None:
    plan = plan_force(city)
    for station in range(1, 15):
        assert Counter(unit.service for unit in crew_of(plan, station, Watch.DAY)) == DAY
        assert Counter(unit.service for unit in crew_of(plan, station, Watch.NIGHT)) == NIGHT
    others = [unit for unit in plan.units if not unit.answers and unit.kind is not UnitKind.DRONE]
    assert [unit.call_sign for unit in others if unit.covert] == ["Car 03-04"]
    assert {unit.kind for unit in others if unit.watches and not unit.covert} == {UnitKind.MOBILE_ROOM}
    assert sum(unit.duty_in(Watch.DAY) is DutyStatus.OFF_DUTY for unit in plan.units) == 93
    assert {unit.kind for unit in plan.units if Equipment.AED in unit.equipment} == {
        *(UnitKind.CAR, UnitKind.MOTORCYCLE, UnitKind.MOBILE_ROOM)
    }


def test_a_larger_force_has_more_crews_and_a_small_one_keeps_its_patrol_at_night(city: City) -> None:
    large = plan_force(city, unit_count=500)
    assert Counter(unit.service for unit in crew_of(large, 3, Watch.DAY)) == DAY + DAY + DAY
    small = plan_force(city, unit_count=30)
    assert small.on_duty(Watch.NIGHT) == small.on_duty(Watch.DAY) == small.units
    assert any(unit.kind is UnitKind.OFFICER for unit in small.on_duty(Watch.NIGHT))


def test_registry_lines_put_the_watch_on_duty_that_is_asked_for(city: City) -> None:
    for watch in Watch:
        plan = plan_force(city, watch=watch)
        duty = {line.call_sign: line.duty_status for line in plan.lines if isinstance(line, UnitLine)}
        assert duty == {unit.call_sign: unit.duty_in(watch) for unit in plan.units}


def test_the_day_watch_is_from_seven_to_twenty_one_by_the_citys_clock() -> None:
    hours = [watch_at(3600.0 * hour) for hour in range(24)]
    assert hours.count(Watch.DAY) == 14
    assert (hours[6], hours[7], hours[20], hours[21]) == (Watch.NIGHT, Watch.DAY, Watch.DAY, Watch.NIGHT)
    assert CityClock(Hands(4)).day_s() == 12 * 3600.0
    assert CityClock(Hands(23)).watch() is Watch.DAY
    assert CityClock(Hands(14)).watch() is Watch.NIGHT
    assert CITY_UTC_OFFSET_S == 28_800


@pytest.mark.parametrize("hour", [0, 9, 23])
def test_a_clock_may_show_another_hour(hour: int) -> None:
    clock = CityClock.showing(Hands(17), hour)
    assert clock.day_s() == 3600.0 * hour
    assert clock.watch() is watch_at(3600.0 * hour)


def test_a_crew_has_seats_for_both_watches() -> None:
    assert sum(Watch.DAY in seat.watches for seat in CREW) == 7
    assert sum(Watch.NIGHT in seat.watches for seat in CREW) == 4
