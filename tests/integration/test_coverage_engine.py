"""The coverage process's mind on the demo city: tiers, people, scopes, losses, and the figures of a station too far from a road."""

import numpy as np
import pytest
import shapely
from shapely.geometry import shape as shape_of

from console.coverage.engine import CoverageEngine
from console.coverage.protocol import (
    CrewsTold,
    LeavingAnswer,
    LeavingAsked,
    Order,
    PostsTold,
    StationPlace,
    TickAnswer,
    TickAsked,
    UnitColumns,
)
from console.demo.city import City, prepare_city
from mission.roads.travel import GROUND_MODES, TravelMode

CAR, FOOT = GROUND_MODES.index(TravelMode.CAR), GROUND_MODES.index(TravelMode.FOOT)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    return prepare_city(tmp_path_factory.mktemp("data"), 5)


@pytest.fixture(scope="module")
def engine(city: City) -> CoverageEngine:
    stations = [StationPlace(int(spot.key), spot.lat_deg, spot.lon_deg, int(spot.key)) for spot in city.facts.stations]
    return CoverageEngine(Order(str(city.directory), [*stations, StationPlace(99, 36.5, 103.83, None)]))


def crew(city: City, *, without: int = 0) -> UnitColumns:
    """A car and an officer at each station but one; ids are 10 and 11 times the station's number."""
    spots = [spot for spot in city.facts.stations if int(spot.key) != without]
    columns = UnitColumns()
    for spot in spots:
        for factor, mode in ((10, CAR), (1000, FOOT)):
            columns.unit_id.append(int(spot.key) * factor)
            columns.station_id.append(int(spot.key))
            columns.lat_deg.append(spot.lat_deg)
            columns.lon_deg.append(spot.lon_deg)
            columns.mode.append(mode)
    return columns


def tick(engine: CoverageEngine, units: UnitColumns, *scopes: list[int], at_s: float = 0.0) -> TickAnswer:
    answer = engine.answer(TickAsked(1_000.0, at_s * 1000.0, 30, units, scopes=list(scopes)))
    assert isinstance(answer, TickAnswer)
    return answer


def test_crews_at_their_posts_are_as_planned_and_ones_absence_is_named(engine: CoverageEngine, city: City) -> None:
    engine.answer(CrewsTold(crew(city)))
    told = tick(engine, crew(city)).changed
    assert told.shares == pytest.approx(told.plan, abs=1e-3)
    assert all(station.missing_unit_ids == [] for station in told.stations)
    assert sum(tier.total for tier in told.tiers) > 0
    assert told.people_shares is not None
    assert told.people_shares == sorted(told.people_shares)
    absent = tick(engine, crew(city, without=6), at_s=10.0).changed
    (sixth,) = [station for station in absent.stations if station.station_id == 6]
    assert (sixth.on_duty, sixth.crew, sixth.missing_unit_ids) == (2, 2, [60, 6000])
    assert sixth.plan[1] - sixth.shares[1] > 0.1
    assert sum(gap.road_km for gap in absent.gaps) > sum(gap.road_km for gap in told.gaps)


def test_a_station_far_from_any_road_has_no_zone_and_says_how_far_it_is(engine: CoverageEngine, city: City) -> None:
    told = tick(engine, crew(city)).changed
    (far,) = [station for station in told.stations if station.station_id == 99]
    assert (far.shares, far.plan) == ([], [])
    assert far.post_away_m > 10_000.0
    assert [post.has_zone for post in engine.ready().stations if post.station_id == 99] == [False]


def test_what_a_limited_account_gets_lies_within_its_zones(engine: CoverageEngine, city: City) -> None:
    answer = tick(engine, crew(city, without=6), [6], [6, 7])
    assert [part.station_ids for part in answer.scopes] == [[6], [6, 7]]
    whole = shapely.union_all([shape_of({"type": "Polygon", "coordinates": c.polygon}) for c in answer.contours or []])
    zones = []
    for part in answer.scopes:
        assert part.contours is not None
        mine = shapely.union_all([shape_of({"type": "Polygon", "coordinates": c.polygon}) for c in part.contours])
        assert mine.difference(whole.buffer(1e-5)).area <= 1e-9
        zones.append(mine.area)
        assert sum(tier.total for tier in part.tiers) < sum(tier.total for tier in answer.changed.tiers)
        assert all(
            closer.unit_id // 10 in {6, 7} for gap in part.gaps for closer in gap.closers if closer.unit_id < 1000
        )
    assert zones[0] < zones[1] < whole.area
    assert all(gap.area_km2 <= max(g.area_km2 for g in answer.changed.gaps) for gap in answer.scopes[0].gaps)


def test_contours_keep_their_ids_while_nothing_moves_and_are_not_repeated_between(
    engine: CoverageEngine, city: City
) -> None:
    first, again = tick(engine, crew(city)), tick(engine, crew(city))
    assert [c.contour_id for c in first.contours or []] == [c.contour_id for c in again.contours or []]
    quiet = engine.answer(TickAsked(2_000.0, 0.0, 30, crew(city), wants_shapes=False))
    assert isinstance(quiet, TickAnswer)
    assert quiet.contours is None
    assert quiet.changed.gaps == again.changed.gaps


def test_leaving_is_answered_by_the_last_tick_and_equals_a_tick_without_the_unit(
    engine: CoverageEngine, city: City
) -> None:
    whole = tick(engine, crew(city))
    answer = engine.answer(LeavingAsked([60, 70, 12345]))
    assert isinstance(answer, LeavingAnswer)
    assert [loss.unit_id for loss in answer.losses] == [60, 70]
    columns = crew(city)
    kept = [row for row, unit_id in enumerate(columns.unit_id) if unit_id != 60]
    without = UnitColumns(
        unit_id=[columns.unit_id[row] for row in kept],
        station_id=[columns.station_id[row] for row in kept],
        lat_deg=[columns.lat_deg[row] for row in kept],
        lon_deg=[columns.lon_deg[row] for row in kept],
        mode=[columns.mode[row] for row in kept],
    )
    left = tick(engine, without)
    lost = whole.changed.shares[1] - left.changed.shares[1]
    assert answer.losses[0].loss_ratio == pytest.approx(lost, abs=2e-4)
    assert len(whole.losses) == 28


def test_units_beside_the_map_and_without_a_place_are_counted_and_told(engine: CoverageEngine) -> None:
    lost = UnitColumns([1, 2, 3], [1, 1, 1], [0.0, float("nan"), 36.06], [0.0, 103.8, 250.0], [CAR] * 3)
    told = tick(engine, lost).changed
    assert (told.available_count, told.off_map_count) == (0, 3)
    assert told.shares == [0.0, 0.0, 0.0]
    assert told.response_p50_s is None
    assert np.isfinite(told.gaps[0].area_km2)


def test_a_station_with_nobody_on_duty_is_told_as_unmanned_and_planned_with_one_car(
    engine: CoverageEngine, city: City
) -> None:
    engine.answer(CrewsTold(crew(city)))
    planned = [s.plan for s in tick(engine, crew(city)).changed.stations if s.station_id == 6]
    engine.answer(CrewsTold(crew(city, without=6)))
    told = tick(engine, crew(city, without=6), at_s=20.0).changed
    (sixth,) = [station for station in told.stations if station.station_id == 6]
    assert (sixth.crew, sixth.on_duty, sixth.missing_unit_ids) == (0, 0, [])
    assert [sixth.plan] == planned, "one car is planned there by day and night"
    assert sixth.plan[1] - sixth.shares[1] > 0.1


def test_posts_are_manned_on_foot_by_the_station_that_has_them(engine: CoverageEngine, city: City) -> None:
    engine.answer(CrewsTold(crew(city)))
    before = tick(engine, crew(city)).changed
    spot = next(place for place in city.facts.places if place.key == "market")
    engine.answer(PostsTold([-1], [spot.lat_deg], [spot.lon_deg]))
    after = tick(engine, crew(city)).changed
    engine.answer(PostsTold([], [], []))
    assert after.shares == before.shares
    gained = [round(new - old, 4) for new, old in zip(after.plan, before.plan, strict=True)]
    assert gained[0] > 0.0
    assert tick(engine, crew(city)).changed.plan == before.plan
