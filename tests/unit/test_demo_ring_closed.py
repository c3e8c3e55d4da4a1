"""The demo's fourteen stations form a closed ring with all crews on duty, and one station's absence opens its two links."""

import numpy as np
import pytest

from console.demo.city import City, prepare_city
from console.demo.crews import Watch
from console.demo.force_plan import ForcePlan, PlannedUnit
from console.demo.ground import Streets, Walker
from console.demo.seed_force import plan_force
from mission.cover.coverage import Coverage
from mission.cover.ground import GroundUnits, station_posts
from mission.cover.posting import lines_of, planned_units
from mission.cover.ring import Ring, RingNow
from mission.roads.travel import DEFAULT_SPEEDS, GROUND_MODES, mode_of
from telemetry.model.unit import AVAILABLE, UnitKind

STATIONS = range(1, 15)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    return prepare_city(tmp_path_factory.mktemp("data"), 1)


@pytest.fixture(scope="module")
def plan(city: City) -> ForcePlan:
    return plan_force(city)


@pytest.fixture(scope="module")
def coverage(city: City) -> Coverage:
    spots = city.facts.stations
    posts = station_posts(
        [int(spot.key) for spot in spots],
        [spot.lat_deg for spot in spots],
        [spot.lon_deg for spot in spots],
        ring_order=list(STATIONS),
    )
    return Coverage(city.roads, posts)


@pytest.fixture(scope="module")
def ring(coverage: Coverage) -> Ring:
    return Ring(coverage)


def crews(plan: ForcePlan, watch: Watch) -> list[PlannedUnit]:
    """Return who counts as available on the ground in a watch; a covert unit never does."""
    return [
        unit
        for unit in plan.on_duty(watch)
        if unit.duty_in(watch) in AVAILABLE and unit.kind is not UnitKind.DRONE and not unit.covert
    ]


def ground(units: list[PlannedUnit], places: list[tuple[float, float]] | None = None) -> GroundUnits:
    modes = [mode_of(unit.kind) for unit in units]
    lat, lon = zip(*(places or [(unit.base_lat_deg, unit.base_lon_deg) for unit in units]), strict=True)
    return GroundUnits(
        unit_id=np.arange(len(units), dtype=np.int32),
        station_id=np.array([unit.station_number for unit in units], np.int32),
        lat_deg=np.array(lat),
        lon_deg=np.array(lon),
        mode=np.array([GROUND_MODES.index(mode) for mode in modes], np.int32),
        turnout_s=np.array([DEFAULT_SPEEDS.turnout_s[mode] for mode in modes]),
    )


def state(coverage: Coverage, ring: Ring, units: GroundUnits, hour: int) -> RingNow:
    now = coverage.now(units, hour_of_week=hour)
    return ring.now(now.standing, (units.station_id - 1).astype(np.int32), hour=hour)


def open_links(now: RingNow) -> set[tuple[int, int]]:
    return {(link.one + 1, link.other + 1) for link in now.links if not link.closed}


@pytest.mark.parametrize(("watch", "hour"), [(Watch.DAY, 8), (Watch.DAY, 12), (Watch.DAY, 18), (Watch.NIGHT, 2)])
def test_with_all_crews_on_duty_the_chain_is_closed_in_rush_hours_too(
    plan: ForcePlan, coverage: Coverage, ring: Ring, watch: Watch, hour: int
) -> None:
    now = state(coverage, ring, ground(crews(plan, watch)), hour)
    assert len(now.links) == 14
    assert open_links(now) == set()
    assert now.closed


def test_the_chain_is_closed_from_the_posts_alone(coverage: Coverage, ring: Ring) -> None:
    posts = planned_units(coverage, GroundUnits())
    now = ring.now(coverage.now(posts).standing, (posts.station_id - 1).astype(np.int32))
    assert open_links(now) == set()


@pytest.mark.parametrize(("watch", "hour"), [(Watch.DAY, 12), (Watch.NIGHT, 2)])
def test_with_all_crews_on_their_beats_plan_and_now_are_comparable_and_the_plan_closes_the_ring(
    plan: ForcePlan, coverage: Coverage, ring: Ring, watch: Watch, hour: int
) -> None:
    units = ground(crews(plan, watch))
    planned = coverage.now(planned_units(coverage, units, lines=lines_of(coverage, ring)), hour_of_week=hour)
    now = coverage.now(units, hour_of_week=hour)
    assert planned.shares[1] == pytest.approx(now.shares[1], abs=0.05)
    assert planned.shares[2] >= now.shares[2] - 0.02
    assert open_links(ring.now(planned.standing, (planned.units.station_id - 1).astype(np.int32), hour=hour)) == set()


@pytest.mark.parametrize("absent", STATIONS)
def test_one_stations_absence_opens_the_links_to_both_its_neighbours_and_no_other(
    plan: ForcePlan, coverage: Coverage, ring: Ring, absent: int
) -> None:
    there = [unit for unit in crews(plan, Watch.DAY) if unit.station_number != absent]
    now = state(coverage, ring, ground(there), 12)
    before, after = (absent - 2) % 14 + 1, absent % 14 + 1
    assert open_links(now) == {(before, absent), (absent, after)}
    assert all(link.missing_s > 0.0 for link in now.links if not link.closed)


def test_patrolling_crews_keep_it_closed(city: City, plan: ForcePlan, coverage: Coverage, ring: Ring) -> None:
    streets = Streets(city.roads)
    units = crews(plan, Watch.DAY)
    walkers = [Walker(streets, u.kind, u.base_lat_deg, u.base_lon_deg, (1, n)) for n, u in enumerate(units)]
    closed = 0
    for _ in range(12):
        for _ in range(20):
            seen = [walker.step(5.0) for walker in walkers]
        closed += state(coverage, ring, ground(units, [(s.lat_deg, s.lon_deg) for s in seen]), 12).closed
    assert closed >= 11
