"""Every kind of task flown by its pattern: what is seen, where the camera looks, and what is refused."""

from typing import Any

import numpy as np
import pytest
import shapely

from mission.air.sky import Sky
from mission.airspace import Airspace, Wind
from mission.model import Airframe, PatternKind, Task, TaskKind, Window, Zone, ZoneKind
from mission.patterns.choose import USUAL, pattern_of
from mission.patterns.flown import Pattern
from telemetry.model.errors import InputError
from telemetry.model.geodesy import local_plane

PLANE = local_plane(36.0, 103.8)
OPEN = Airspace(plane=PLANE)
DRONE = Airframe(airframe_id=1, name="D1", dock_id=1)
HOUR_US = 3_600_000_000


def lonlat(*places: tuple[float, float]) -> list[list[float]]:
    east, north = np.array(places, np.float64).T
    lat, lon = PLANE.from_plane(east, north)
    return np.column_stack((lon, lat)).tolist()  # type: ignore[no-any-return]


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = lonlat((west, south), (east, south), (east, north), (west, north), (west, south))
    return {"type": "Polygon", "coordinates": [ring]}


POINT = {"type": "Point", "coordinates": lonlat((0.0, 0.0))[0]}
LINE = {"type": "LineString", "coordinates": lonlat((-300.0, 0.0), (0.0, 50.0), (300.0, 0.0))}
AREA = box(-300.0, -200.0, 300.0, 200.0)
SHAPES = {
    TaskKind.AREA: AREA,
    TaskKind.CORRIDOR: LINE,
    TaskKind.PERIMETER: AREA,
    TaskKind.POINT: POINT,
    TaskKind.EVENT: POINT,
    TaskKind.SEARCH: POINT,
    TaskKind.STREETS: {
        "type": "MultiLineString",
        "coordinates": [LINE["coordinates"], lonlat((0.0, 50.0), (0.0, 300.0))],
    },
}
ZONE = Zone(name="Z", kind=ZoneKind.NO_FLY, geometry=box(-60.0, -80.0, 70.0, 90.0), zone_id=1)


def flown(kind: TaskKind, *, sky: Sky | Airspace = OPEN, window: Window | None = None, **values: Any) -> Pattern:  # noqa: ANN401 - fields of a task
    values = {"geometry": SHAPES[kind], "alt_agl_m": 60.0, **values}
    task = Task(name_zh="某", name_en="it", kind=kind, **values)
    return pattern_of(task, DRONE, plane=PLANE, sky=sky, wind=Wind(270.0, 4.0), window=window)


def line_of(pattern: Pattern) -> Any:  # noqa: ANN401 - shapely has no types
    return shapely.LineString(pattern.places) if len(pattern.places) > 1 else shapely.Point(pattern.places[0])


@pytest.mark.parametrize("kind", list(TaskKind))
def test_every_kind_of_task_has_a_pattern_that_keeps_out_of_zones(kind: TaskKind) -> None:
    sky = Sky([ZONE], plane=PLANE)
    pattern = flown(kind, sky=sky, dwell_s=60.0)
    assert not line_of(pattern).intersects(sky.closed_at())
    assert pattern.places.shape == pattern.gaze.shape == (len(pattern.hold_s), 2)
    assert pattern.length_m == pytest.approx(line_of(pattern).length)
    assert pattern.footprint.is_valid
    assert pattern.footprint.area > 0.0


def test_every_kind_has_its_usual_pattern() -> None:
    assert set(USUAL) == set(TaskKind)


def test_a_survey_sees_all_of_its_area_and_says_what_is_closed() -> None:
    whole = flown(TaskKind.AREA)
    area = shapely.box(-300.0, -200.0, 300.0, 200.0)
    assert area.difference(whole.footprint).area <= 0.001 * area.area
    assert whole.left_out_m2 == 0.0
    assert flown(TaskKind.AREA, sky=Sky([ZONE], plane=PLANE)).left_out_m2 == pytest.approx(130.0 * 170.0, rel=0.001)


def test_a_zone_that_is_shut_at_another_time_or_height_is_not_in_the_way() -> None:
    by_night = Zone(
        name="N", kind=ZoneKind.NO_FLY, geometry=ZONE.geometry, windows=(Window(20 * HOUR_US, 24 * HOUR_US),)
    )
    above = Zone(name="A", kind=ZoneKind.NO_FLY, geometry=ZONE.geometry, floor_agl_m=100.0)
    sky = Sky([by_night, above], plane=PLANE)
    assert flown(TaskKind.AREA, sky=sky, window=Window(8 * HOUR_US, 9 * HOUR_US)).left_out_m2 == 0.0
    assert flown(TaskKind.AREA, sky=sky, window=Window(21 * HOUR_US, 22 * HOUR_US)).left_out_m2 > 0.0
    assert flown(TaskKind.AREA, sky=sky, alt_agl_m=120.0).left_out_m2 > 0.0


def test_a_restricted_zone_opens_to_the_approval_that_it_names() -> None:
    zone = Zone(name="R", kind=ZoneKind.RESTRICTED, geometry=ZONE.geometry, approval="A-7")
    sky = Sky([zone], plane=PLANE)
    assert flown(TaskKind.AREA, sky=sky).left_out_m2 > 0.0
    assert flown(TaskKind.AREA, sky=sky, approval="A-7").left_out_m2 == 0.0


def test_a_corridor_of_one_swath_is_its_line_and_a_wide_one_has_parallel_lines() -> None:
    narrow, wide = flown(TaskKind.CORRIDOR), flown(TaskKind.CORRIDOR, width_m=200.0)
    middle = shapely.transform(
        shapely.geometry.shape(LINE), lambda places: np.column_stack(PLANE.to_plane(places[:, 1], places[:, 0]))
    )
    assert narrow.length_m == pytest.approx(middle.length, rel=0.001)
    wanted = middle.buffer(100.0, cap_style="flat", join_style="mitre")
    assert wanted.difference(wide.footprint).area <= 0.001 * wanted.area
    assert 2.5 * middle.length < wide.length_m < 4.0 * middle.length


def test_a_perimeter_is_flown_once_round() -> None:
    ring = flown(TaskKind.PERIMETER)
    assert ring.length_m == pytest.approx(2_000.0, rel=0.001)
    assert np.allclose(ring.places[0], ring.places[-1])


def test_an_orbit_keeps_its_distance_and_its_eye_on_the_place() -> None:
    ring = flown(TaskKind.POINT, width_m=100.0)
    assert np.allclose(np.hypot(*ring.places.T), 100.0, atol=1.0)
    assert np.allclose(ring.gaze, 0.0, atol=0.01)
    assert ring.gimbal_pitch_deg == pytest.approx(-np.degrees(np.arctan2(60.0, 100.0)))
    assert ring.footprint.contains(shapely.Point(0.0, 0.0))


def test_an_orbit_is_flown_as_often_as_the_dwell_asks_for() -> None:
    once, longer = flown(TaskKind.POINT, width_m=100.0), flown(TaskKind.POINT, width_m=100.0, dwell_s=300.0)
    assert longer.length_m / once.length_m >= 3.0


def test_an_orbit_whose_north_is_closed_goes_round_it_again_between_its_laps() -> None:
    zone = Zone(name="N", kind=ZoneKind.NO_FLY, geometry=box(-20.0, 60.0, 40.0, 140.0))
    sky = Sky([zone], plane=PLANE)
    laps = flown(TaskKind.POINT, sky=sky, width_m=100.0, dwell_s=300.0)
    assert laps.length_m > 1_200.0
    assert not line_of(laps).intersects(sky.closed_at())


def test_a_watch_stands_over_its_place_or_looks_from_the_nearest_open_one() -> None:
    over = flown(TaskKind.EVENT, dwell_s=600.0)
    assert over.places.shape == (1, 2)
    assert over.hold_s.tolist() == [600.0]
    aside = flown(TaskKind.EVENT, sky=Sky([ZONE], plane=PLANE), dwell_s=600.0)
    assert np.hypot(*aside.places[0]) == pytest.approx(60.2, abs=0.5)
    assert np.allclose(aside.gaze, 0.0, atol=0.01)


def test_viewpoints_see_all_of_an_area_and_look_at_a_point_from_four_sides() -> None:
    area = flown(TaskKind.AREA, pattern=PatternKind.VIEWPOINTS, dwell_s=5.0)
    assert shapely.box(-300.0, -200.0, 300.0, 200.0).difference(area.footprint).area <= 1.0
    point = flown(TaskKind.POINT, pattern=PatternKind.VIEWPOINTS, dwell_s=60.0)
    assert (point.hold_s > 0.0).sum() == 4
    assert point.hold_s.sum() == pytest.approx(60.0)


@pytest.mark.parametrize("kind", [PatternKind.EXPANDING_SQUARE, PatternKind.SECTOR, PatternKind.PARALLEL_TRACK])
def test_searches_say_how_likely_they_find(kind: PatternKind) -> None:
    near = flown(TaskKind.SEARCH, pattern=kind, width_m=250.0)
    assert near.detection_ratio is not None
    assert 0.4 < near.detection_ratio < 1.0
    if kind is not PatternKind.PARALLEL_TRACK:
        assert np.allclose(near.places[0], 0.0, atol=0.01)


def test_streets_are_each_flown() -> None:
    net = flown(TaskKind.STREETS)
    assert 850.0 < net.length_m < 1_200.0


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"geometry": POINT}, "asks for Polygon"),
        (
            {"geometry": {"type": "Polygon", "coordinates": [lonlat((0, 0), (100, 100), (100, 0), (0, 100), (0, 0))]}},
            "Self-inters",
        ),
        ({"geometry": {"type": "Polygon", "coordinates": []}}, "empty"),
        ({"geometry": {"type": "Circle"}}, "no GeoJSON geometry"),
        ({"geometry": {}}, "no GeoJSON geometry"),
        ({"geometry": {"type": "Point", "coordinates": [200.0, 0.0]}}, "off the globe"),
        ({"geometry": {"type": "Point", "coordinates": [float("nan"), 0.0]}}, "off the globe|empty"),
        ({"side_overlap_ratio": 1.0}, "allowed is 0 to 0.95"),
        ({"camera": "x-ray"}, "no camera 'x-ray'"),
    ],
)
def test_what_cannot_be_flown_is_refused_with_what_to_change(values: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        flown(TaskKind.AREA, **values)


def test_a_place_that_is_all_closed_is_refused() -> None:
    everywhere = Zone(name="E", kind=ZoneKind.NO_FLY, geometry=box(-900.0, -900.0, 900.0, 900.0))
    with pytest.raises(InputError, match="open air"):
        flown(TaskKind.CORRIDOR, sky=Sky([everywhere], plane=PLANE))


def test_the_wind_decides_the_direction_of_lines_where_sides_are_alike() -> None:
    task = Task(
        name_zh="方", name_en="square", kind=TaskKind.AREA, geometry=box(0.0, 0.0, 400.0, 400.0), alt_agl_m=60.0
    )
    seconds = []
    for from_deg in (0.0, 90.0):
        pattern = pattern_of(task, DRONE, plane=PLANE, sky=OPEN, wind=Wind(from_deg, 8.0))
        way = np.diff(pattern.places, axis=0)
        along = np.abs(way[np.hypot(*way.T) > 200.0])
        seconds.append(bool((along[:, 0] > along[:, 1]).all()))
    assert seconds[0] != seconds[1]
