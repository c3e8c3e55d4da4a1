"""Drones arrive by the shortest way round no-fly zones, with the wind: checked against networkx and against random ways."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from mission.airspace import CALM, LEAST_PROGRESS_MPS, Airspace, Wind, flight_times, load_airspace, straight_s
from telemetry.model.errors import FileFormatError, InputError
from telemetry.model.geodesy import distance_m, local_plane

PLANE = local_plane(36.0, 103.8)
Places = NDArray[np.float64]


def at(places_m: object) -> tuple[Places, Places]:
    xy = np.array(places_m, np.float64).reshape(-1, 2)
    return PLANE.from_plane(xy[:, 0], xy[:, 1])


def zone(outline_m: object, *holes_m: object) -> Any:  # noqa: ANN401 - shapely has no types
    rings = [np.column_stack(at(ring)[::-1]) for ring in (outline_m, *holes_m)]
    return shapely.Polygon(rings[0], rings[1:])


def sky(*zones: Any) -> Airspace:  # noqa: ANN401 - as above
    return Airspace(zones, plane=PLANE)


def fly(starts_m: object, target_m: tuple[float, float], **how: Any) -> list[float]:  # noqa: ANN401 - flight_times checks them
    lat, lon = at(starts_m)
    target_lat, target_lon = (float(value[0]) for value in at(target_m))
    seconds = flight_times(lat, lon, target_lat, target_lon, **({"air_speed_mps": 10.0} | how))
    return [float(value) for value in seconds]


SQUARE = zone([(-100, -100), (100, -100), (100, 100), (-100, 100)])


def test_in_calm_air_a_free_way_takes_its_length_over_the_air_speed() -> None:
    lat, lon = at([(3000, 4000), (0, 0)])
    found = flight_times(lat, lon, 36.0, 103.8, air_speed_mps=10.0, launch_s=40.0)
    assert found == pytest.approx(distance_m(lat, lon, 36.0, 103.8) / 10.0 + 40.0, abs=0.02)
    assert found[1] == pytest.approx(40.0, abs=1e-6)


@pytest.mark.parametrize(
    ("wind", "seconds"),
    [
        (Wind(0.0, 4.0), 100.0),  # from the north, flying south
        (Wind(180.0, 4.0), 1400.0 / 6.0),
        (Wind(90.0, 6.0), 1400.0 / 8.0),
        (Wind(270.0, 6.0), 1400.0 / 8.0),
        (Wind(180.0, 9.6), np.inf),
        (Wind(90.0, 10.0), np.inf),
        (Wind(0.0, 30.0), 35.0),
        (Wind(180.0, 30.0), np.inf),
    ],
)
def test_wind_helps_from_behind_hinders_from_ahead_and_may_be_too_strong(wind: Wind, seconds: float) -> None:
    assert fly([(0, 1400)], (0, 0), wind=wind) == [pytest.approx(seconds, rel=1e-3)]


def test_the_way_round_a_square_touches_its_corner() -> None:
    found = fly([(-300, 0), (-300, 150)], (300, 0), airspace=sky(SQUARE))
    assert found[0] == pytest.approx((2 * np.hypot(200, 100) + 200) / 10.0, rel=1e-4)
    assert found[1] < found[0]


def test_a_way_along_a_border_and_through_a_corner_is_allowed() -> None:
    assert fly([(-300, 100), (-200, 0)], (300, 100), airspace=sky(SQUARE))[0] == pytest.approx(60.0, rel=1e-4)
    assert fly([(-200, 0)], (0, 200), airspace=sky(SQUARE))[0] == pytest.approx(np.hypot(200, 200) / 10.0, rel=1e-4)


def test_a_place_in_a_zone_is_not_reached_and_one_in_a_hole_only_from_within() -> None:
    ring = zone(
        [(-300, -300), (300, -300), (300, 300), (-300, 300)], [(-200, -200), (200, -200), (200, 200), (-200, 200)]
    )
    assert fly([(500, 0), (100, 100)], (0, 0), airspace=sky(SQUARE)) == [np.inf, np.inf]
    assert fly([(500, 0), (100, 100)], (0, 0), airspace=sky(ring)) == [np.inf, pytest.approx(np.hypot(100, 100) / 10)]
    assert fly([(250, 0)], (1000, 0), airspace=sky(ring)) == [np.inf]


def test_with_wind_the_quicker_side_is_not_the_shorter_one() -> None:
    wall = zone([(-20, -1000), (20, -1000), (20, 1400), (-20, 1400)])
    calm, blown = (fly([(-500, 0)], (500, 0), airspace=sky(wall), wind=wind)[0] for wind in (CALM, Wind(180.0, 8.0)))
    assert calm == pytest.approx((2 * np.hypot(480, 1000) + 40) / 10.0, rel=1e-3)
    over = [(-500, 0), (-20, 1400), (20, 1400), (500, 0)]
    under = [(-500, 0), (-20, -1000), (20, -1000), (500, 0)]
    assert blown == pytest.approx(min(time_of(over, Wind(180.0, 8.0)), time_of(under, Wind(180.0, 8.0))), rel=1e-4)


def time_of(way_m: object, wind: Wind) -> float:
    return float(straight_s(np.diff(np.array(way_m, np.float64), axis=0), 10.0, wind).sum())


def random_zones(random: np.random.Generator, count: int) -> list[Any]:
    zones = []
    for _ in range(count):
        middle, radius = random.uniform(-1500, 1500, 2), random.uniform(150, 500)
        turns = np.sort(random.uniform(0, 2 * np.pi, int(random.integers(3, 9))))
        zones.append(zone(middle + radius * np.column_stack((np.cos(turns), np.sin(turns)))))
    return [shape for shape in zones if shape.is_valid and shape.area > 0]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("wind", [CALM, Wind(230.0, 7.0), Wind(20.0, 9.9)])
def test_times_equal_networkx_over_all_corners(seed: int, wind: Wind) -> None:
    random = np.random.default_rng(seed)
    airspace = sky(*random_zones(random, 6))
    starts, target = random.uniform(-2500, 2500, (8, 2)), random.uniform(-2500, 2500, 2)
    found = fly(starts, (float(target[0]), float(target[1])), airspace=airspace, wind=wind)
    assert found == pytest.approx(corner_oracle(airspace.closed, starts, target, wind), rel=1e-6)


def corner_oracle(closed: Any, starts: Places, target: Places, wind: Wind) -> list[float]:  # noqa: ANN401 - as above
    """All corners of all rings, starts and target, joined where a line has no length inside a zone."""
    places = np.vstack((target, starts, shapely.get_coordinates(closed)))
    inner = closed.buffer(-0.005, join_style="mitre")
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(places)))
    for a, b in combinations(range(len(places)), 2):
        if shapely.LineString(places[[a, b]]).intersection(inner).length < 1e-3:
            there, back = straight_s(places[[b, a]] - places[[a, b]], 10.0, wind).tolist()
            graph.add_weighted_edges_from([(a, b, there)] if np.isfinite(there) else [])
            graph.add_weighted_edges_from([(b, a, back)] if np.isfinite(back) else [])
    found = nx.single_source_dijkstra_path_length(graph.reverse(copy=False), 0)
    away = np.hypot(*(target - starts).T)
    seconds = [float(found.get(number + 1, np.inf)) for number in range(len(starts))]
    return [s if s * LEAST_PROGRESS_MPS <= m else np.inf for s, m in zip(seconds, away, strict=True)]


@pytest.mark.parametrize("seed", range(3))
def test_no_way_over_random_places_is_quicker(seed: int) -> None:
    random, wind = np.random.default_rng(100 + seed), Wind(140.0, 5.0)
    airspace = sky(*random_zones(random, 8))
    start, target = np.array([-2400.0, -300.0]), np.array([2300.0, 200.0])
    best = fly([start], (2300.0, 200.0), airspace=airspace, wind=wind)[0]
    over = random.uniform(-2600, 2600, (4000, 3, 2))
    ways = np.concatenate((np.tile(start, (4000, 1, 1)), over, np.tile(target, (4000, 1, 1))), axis=1)
    legs = np.diff(ways, axis=1)
    seconds = straight_s(legs.reshape(-1, 2), 10.0, wind).reshape(4000, -1).sum(axis=1)
    free = airspace.sees(ways[:, :-1].reshape(-1, 2), ways[:, 1:].reshape(-1, 2)).reshape(4000, -1).all(axis=1)
    assert free.sum() > 20
    assert seconds[free].min() >= best - 1e-6


def test_nobody_flies_at_no_speed() -> None:
    with pytest.raises(InputError, match="air speed is 0"):
        fly([(0, 0)], (100, 0), air_speed_mps=0.0)
    assert fly([], (100, 0), airspace=sky(SQUARE)) == []


def test_a_citys_zones_are_read_and_unsound_ones_refused(tmp_path: Path) -> None:
    assert load_airspace(tmp_path).closed.is_empty
    file = tmp_path / "no_fly.geojson"
    feature = {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(SQUARE)}
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    found = load_airspace(tmp_path, plane=PLANE)
    assert found.closed.area == pytest.approx(40_000.0, rel=1e-6)
    assert len(found.corners) == 4
    bow_tie = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
    for geometry in ({"type": "Point", "coordinates": [1, 2]}, bow_tie, {"type": "Polygon"}, None):
        file.write_text(json.dumps({"features": [{"geometry": geometry}]}))
        with pytest.raises(FileFormatError, match="no no-fly zones"):
            load_airspace(tmp_path)
    for text in ("", "{", "[]", '{"features": 3}'):
        file.write_text(text)
        with pytest.raises(FileFormatError, match="no no-fly zones"):
            load_airspace(tmp_path)
