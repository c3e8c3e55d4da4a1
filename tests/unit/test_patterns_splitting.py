"""Patterns in parts for batteries and controllers, thinned lines, and their waypoints."""

from itertools import pairwise

import numpy as np
import pytest
import shapely

from mission.airspace import CALM, Airspace, Wind
from mission.formats.mavlink_items import TRIGGER_DISTANCE, items_of
from mission.model import Airframe, Camera, Dock, Task, TaskKind
from mission.patterns.choose import pattern_of
from mission.patterns.flown import Pattern
from mission.patterns.legs import fly_s
from mission.patterns.splitting import split
from mission.patterns.thinning import thin, thinned
from mission.patterns.transit import Ways
from mission.patterns.waypoints import waypoints_of
from mission.plan import CameraAction, Sortie
from telemetry.model.errors import InputError
from telemetry.model.geodesy import local_plane

PLANE = local_plane(36.0, 103.8)
DRONE = Airframe(airframe_id=1, name="D1", dock_id=1)
TASK = Task(
    name_zh="湿地",
    name_en="wetland",
    kind=TaskKind.AREA,
    task_id=7,
    alt_agl_m=40.0,
    geometry={
        "type": "Polygon",
        "coordinates": [[[103.8, 36.0], [103.806, 36.0], [103.806, 36.004], [103.8, 36.004], [103.8, 36.0]]],
    },
)
HOME = np.array([-200.0, 100.0])


def survey() -> Pattern:
    return pattern_of(TASK, DRONE, plane=PLANE, sky=Airspace(plane=PLANE))


def seconds_of(part: Pattern, wind: Wind = CALM) -> float:
    there = np.stack((HOME, part.places[0])), np.stack((part.places[-1], HOME))
    return float(sum(fly_s(way, DRONE, wind).sum() for way in (part.places, *there)) + part.hold_s.sum())


@pytest.mark.parametrize("wind", [CALM, Wind(from_deg=30.0, speed_mps=6.0)])
def test_each_part_with_its_ways_there_and_home_stays_within_the_limit(wind: Wind) -> None:
    whole = survey()
    parts = split(whole, DRONE, 400.0, wind=wind, home=HOME)
    seconds = [seconds_of(part, wind) for part in parts]
    assert len(parts) > 1
    assert max(seconds) <= 400.0
    assert max(seconds) - min(seconds) <= 120.0


def test_parts_together_fly_and_see_what_the_whole_does() -> None:
    whole = survey()
    parts = split(whole, DRONE, 400.0, home=HOME)
    assert sum(part.length_m for part in parts) == pytest.approx(whole.length_m)
    assert all(np.array_equal(one.places[-1], other.places[0]) for one, other in pairwise(parts))
    seen = shapely.union_all([part.footprint for part in parts])
    assert seen.area == pytest.approx(whole.footprint.area, rel=1e-6)


def test_a_pattern_that_fits_stays_whole() -> None:
    whole = survey()
    assert split(whole, DRONE, 10_000.0) == [whole]


def test_a_hold_where_parts_meet_is_held_once() -> None:
    count = 9
    line = np.column_stack((np.arange(count) * 100.0, np.zeros(count)))
    pattern = Pattern(
        places=line, gaze=np.full((count, 2), np.nan), hold_s=np.full(count, 30.0), alt_agl_m=50.0, length_m=800.0,
        footprint=shapely.LineString(line).buffer(20.0), swath_m=40.0, seen_m=40.0,
    )  # fmt: skip
    parts = split(pattern, DRONE, 120.0)
    assert len(parts) > 2
    assert sum(part.hold_s.sum() for part in parts) == pytest.approx(count * 30.0)


def test_no_part_has_more_places_than_the_controller_takes() -> None:
    whole = survey()
    parts = split(whole, DRONE, 1e6, most_places=9)
    assert max(len(part.places) for part in parts) <= 9
    assert sum(part.length_m for part in parts) == pytest.approx(whole.length_m)


def test_a_flight_that_no_battery_reaches_is_refused_with_its_seconds() -> None:
    with pytest.raises(InputError, match=r"to its farthest place and home alone takes \d+ s"):
        split(survey(), DRONE, 60.0, home=HOME)


def test_thinning_takes_the_places_that_are_missed_least() -> None:
    places = np.array([[0, 0], [50, 0.1], [100, 0], [150, 3.0], [200, 0], [200, 100.0]], np.float64)
    thinned = thin(places, 5, 5.0)
    assert thinned.kept.tolist() == [0, 2, 3, 4, 5]
    assert thinned.deviation_m == pytest.approx(0.1)
    assert thin(places, 6, 5.0).kept.tolist() == [0, 1, 2, 3, 4, 5]


def test_thinning_says_at_which_tolerance_it_could_be_done() -> None:
    places = np.array([[0, 0], [50, 20.0], [100, 0], [150, -20.0], [200, 0]], np.float64)
    with pytest.raises(
        InputError, match=r"4 waypoints remain with a tolerance of 5 m and the controller takes 3: allow 26.4 m"
    ):
        thin(places, 3, 5.0)


def test_thinning_never_cuts_a_zone_nor_a_place_that_must_stay() -> None:
    places = np.array([[0, 0], [0, 12.0], [100, 12.0], [100, 0]], np.float64)
    ways = Ways(shapely.box(10.0, -20.0, 90.0, 11.0))
    with pytest.raises(InputError, match="split the flight"):
        thin(places, 2, 50.0, ways=ways)
    with pytest.raises(InputError, match="split the flight"):
        thin(places, 3, 50.0, must=np.array([False, True, True, False]))


def test_a_thinned_circle_keeps_its_eye_on_the_place_and_says_how_far_it_left_its_line() -> None:
    task = Task(
        name_zh="塔", name_en="tower", kind=TaskKind.POINT, geometry={"type": "Point", "coordinates": [103.8, 36.0]}
    )
    ring = pattern_of(task, DRONE, plane=PLANE, sky=Airspace(plane=PLANE))
    fewer, deviation_m = thinned(ring, 16, 10.0)
    assert len(fewer.places) == len(fewer.gaze) == len(fewer.hold_s) == 16
    assert 0.0 < deviation_m <= 10.0
    assert np.allclose(fewer.gaze, ring.gaze[0])
    assert fewer.length_m < ring.length_m


def test_waypoints_say_place_height_camera_and_task() -> None:
    pattern = survey()
    points = waypoints_of(pattern, PLANE, TASK, DRONE, ground_above_home_m=-5.0)
    assert len(points) == len(pattern.places)
    east, north = PLANE.to_plane([point.lat_deg for point in points], [point.lon_deg for point in points])
    assert np.allclose(np.column_stack((east, north)), pattern.places, atol=0.002)
    assert {point.alt_home_m for point in points} == {35.0}
    assert {point.task_id for point in points} == {7}
    assert (points[0].action, points[-1].action) == (CameraAction.START_VIDEO, CameraAction.STOP_VIDEO)
    assert {point.gaze_lat_deg for point in points} == {None}


def test_a_watch_of_one_place_has_two_waypoints_so_that_filming_ends() -> None:
    task = Task(
        name_zh="灯会",
        name_en="lanterns",
        kind=TaskKind.EVENT,
        dwell_s=90.0,
        geometry={"type": "Point", "coordinates": [103.8, 36.0]},
    )
    pattern = pattern_of(task, DRONE, plane=PLANE, sky=Airspace(plane=PLANE))
    points = waypoints_of(pattern, PLANE, task, DRONE)
    assert [point.hold_s for point in points] == [90.0, 0.0]
    assert [point.action for point in points] == [CameraAction.START_VIDEO, CameraAction.STOP_VIDEO]


def test_a_multispectral_camera_takes_photos_by_distance_no_faster_than_it_can() -> None:
    camera = Camera(name="ms", kind="multispectral", least_interval_s=2.0)
    drone = Airframe(airframe_id=1, name="D1", dock_id=1, cameras=(camera,))
    pattern = pattern_of(TASK, drone, plane=PLANE, sky=Airspace(plane=PLANE))
    points = waypoints_of(pattern, PLANE, TASK, drone)
    assert points[0].action is CameraAction.PHOTOS_BY_DISTANCE
    assert points[0].trigger_m is not None
    assert points[0].speed_mps <= points[0].trigger_m / 2.0 + 0.01


def test_a_multispectral_camera_takes_photos_along_the_whole_line_to_an_autopilot() -> None:
    camera = Camera(name="ms", kind="multispectral", least_interval_s=2.0)
    drone = Airframe(airframe_id=1, name="D1", dock_id=1, cameras=(camera,))
    pattern = pattern_of(TASK, drone, plane=PLANE, sky=Airspace(plane=PLANE))
    points = waypoints_of(pattern, PLANE, TASK, drone)
    assert {(point.action, point.trigger_m) for point in points[:-1]} == {(points[0].action, points[0].trigger_m)}
    sortie = Sortie(
        sortie_id=1, airframe_id=1, dock_id=1, takeoff_us=0, landing_us=1, free_us=1, visit_ids=(), task_ids=(1,),
        waypoints=points, length_m=1.0, landing_battery_ratio=0.5, transit_alt_home_m=60.0,
    )  # fmt: skip
    plan = items_of(sortie, drone, Dock(dock_id=1, name="dock", lat_deg=36.0, lon_deg=103.8))
    triggers = [
        (number, item.param1) for item, number in zip(plan.mission, plan.waypoint_numbers, strict=True)
        if item.command == TRIGGER_DISTANCE
    ]  # fmt: skip
    assert triggers == [(0, points[0].trigger_m), (len(points) - 1, 0.0)]


def test_an_orbit_tells_the_camera_where_to_look() -> None:
    task = Task(
        name_zh="塔", name_en="tower", kind=TaskKind.POINT, geometry={"type": "Point", "coordinates": [103.8, 36.0]}
    )
    pattern = pattern_of(task, DRONE, plane=PLANE, sky=Airspace(plane=PLANE))
    points = waypoints_of(pattern, PLANE, task, DRONE)
    assert points[3].gaze_lat_deg == pytest.approx(36.0, abs=1e-7)
    assert points[3].gaze_lon_deg == pytest.approx(103.8, abs=1e-7)
    assert points[3].gimbal_pitch_deg == -45.0
