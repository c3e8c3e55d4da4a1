"""The plan: points, lines and areas, by how the crew on duty moves."""

import numpy as np
import pytest

from mission.cover.coverage import Coverage
from mission.cover.ground import GroundUnits
from mission.cover.posting import Outposts, lines_of, planned_units, posts_of
from mission.cover.ring import Ring
from mission.roads.travel import GROUND_MODES, TravelMode
from tests.unit.test_coverage_ring_and_gaps import street, triangle
from tests.unit.test_coverage_shares import degrees, posts
from tests.unit.test_roads_travel_times import PLANE

CAR, BIKE, FOOT = TravelMode.CAR, TravelMode.MOTORCYCLE, TravelMode.FOOT


def crew(*modes: TravelMode, station_id: int = 1) -> GroundUnits:
    count = len(modes)
    return GroundUnits(
        np.arange(count, dtype=np.int32),
        np.full(count, station_id, np.int32),
        np.zeros(count),
        np.zeros(count),
        np.array([GROUND_MODES.index(mode) for mode in modes], np.int32),
        np.zeros(count),
    )


def placed(coverage: Coverage, units: GroundUnits, lines: Outposts, *posts_m: tuple[float, float]) -> dict[int, float]:
    """Return metres east of each planned unit of the crew."""
    lat, lon = degrees(posts_m)
    stand = posts_of(coverage, [-1] * len(posts_m), lat, lon)
    found = planned_units(coverage, units, lines=lines, posts=stand)
    east_m = PLANE.to_plane(found.lat_deg, found.lon_deg)[0]
    return {unit: round(m) for unit, m in zip(found.unit_id.tolist(), east_m.tolist(), strict=True) if unit >= 0}


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    """A street of 6 km with a station at its western end and another at the eastern."""
    return Coverage(street(6000.0, 600.0, pieces=60), posts((0.0, 0.0), (6000.0, 0.0)))


def test_day_crew_two_cars_on_lines_one_at_the_station_motorcycles_over_the_zone_walkers_at_posts(
    coverage: Coverage,
) -> None:
    lines = Outposts(np.zeros(2, np.int32), *degrees(((700.0, 0.0), (800.0, 0.0))))
    found = placed(coverage, crew(CAR, FOOT, CAR, BIKE, BIKE, FOOT, CAR), lines, (300.0, 0.0))
    assert found == {0: 700, 2: 800, 6: 0, 3: 1500, 4: 1500, 1: 300, 5: 0}


def test_night_crew_two_cars_on_lines_the_motorcycle_at_the_station(coverage: Coverage) -> None:
    lines = Outposts(np.zeros(2, np.int32), *degrees(((700.0, 0.0), (800.0, 0.0))))
    assert placed(coverage, crew(CAR, CAR, BIKE, FOOT), lines) == {0: 700, 1: 800, 2: 0, 3: 0}


def test_the_last_vehicle_stays_at_the_station_and_a_vehicle_to_spare_mans_a_post(coverage: Coverage) -> None:
    lines = Outposts(np.zeros(1, np.int32), *degrees(((700.0, 0.0),)))
    assert placed(coverage, crew(CAR), lines, (300.0, 0.0)) == {0: 0}
    assert placed(coverage, crew(CAR, BIKE), lines, (300.0, 0.0)) == {0: 700, 1: 0}
    assert placed(coverage, crew(CAR, BIKE), Outposts(), (300.0, 0.0)) == {0: 300, 1: 0}


def test_a_post_of_no_station_is_of_the_zone_it_lies_in(coverage: Coverage) -> None:
    lat, lon = degrees(((1000.0, 0.0), (5000.0, 0.0), (1000.0, 0.0)))
    assert posts_of(coverage, [-1, 77, 2], lat, lon).station.tolist() == [0, 1, 1]


def test_a_station_with_nobody_on_duty_is_planned_with_one_car_and_strangers_are_left_out(coverage: Coverage) -> None:
    found = planned_units(coverage, crew(CAR, station_id=77))
    assert (found.unit_id.tolist(), found.station_id.tolist()) == ([-1, -1], [1, 2])


def test_lines_end_where_the_stations_own_zone_does_and_are_held_from_their_middle() -> None:
    graph, stations = triangle()
    coverage = Coverage(graph, stations)
    lines = lines_of(coverage, Ring(coverage))
    assert sorted(lines.station.tolist()) == [0, 0, 1, 1, 2, 2]
    east, north = coverage.graph.plane.to_plane(lines.lat_deg, lines.lon_deg)
    own = np.column_stack(
        coverage.graph.plane.to_plane(stations.lat_deg[lines.station], stations.lon_deg[lines.station])
    )
    assert np.hypot(east - own[:, 0], north - own[:, 1]) == pytest.approx(np.full(6, 1000.0), abs=250.0)
