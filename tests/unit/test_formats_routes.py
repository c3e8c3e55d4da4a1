"""Routes of other tools as tasks: places that there are, the height that it is, and a sentence for the rest."""

import io
import json
import zipfile

import msgspec
import pytest

from mission.formats import qgc_plan, wpml
from mission.formats.mavlink_items import items_of
from mission.formats.plan_files import FileRead, read_file
from mission.model import Camera, TaskKind
from mission.plan import CameraAction
from tests.flown_day import BANK, DOCK, HAWK, LOOK, SORTIE

SURVEY = {"type": "ComplexItem", "complexItemType": "survey", "polygon": [[36, 103], [36.01, 103], [36.01, 103.01]]}
FENCE = {"inclusion": False, "polygon": [[36, 103], [36.01, 103], [36.01, 103.01]]}


def item(lat: float | None, lon: float | None, alt_m: float = 50.0, *, command: int = 16, frame: int = 3) -> object:
    params = [0, 0, 0, None, lat, lon, alt_m]
    return {"type": "SimpleItem", "command": command, "frame": frame, "params": params, "autoContinue": True}


def speed(mps: float) -> object:
    return {"type": "SimpleItem", "command": 178, "frame": 2, "params": [1, mps, -1, 0, 0, 0, 0]}


def plan(*items: object) -> FileRead:
    root = {"fileType": "Plan", "version": 1, "mission": {"items": items}, "rallyPoints": {}}
    return read_file(json.dumps(root | {"geoFence": {"polygons": [FENCE]}}).encode(), "hill.plan")


def said(read: FileRead) -> list[str]:
    assert all(note.zh not in ("", note.en) for note in read.notes)
    return [note.en for note in read.notes]


def test_a_plan_with_one_waypoint_brings_a_point_beside_its_survey_and_its_fence() -> None:
    found = plan(item(36.0, 103.0), SURVEY)
    assert [task.kind for task in found.programme.tasks] == [TaskKind.AREA, TaskKind.POINT]
    assert found.programme.tasks[1].geometry == {"type": "Point", "coordinates": [103.0, 36.0]}
    assert len(found.programme.zones) == 1


def test_a_waypoint_file_with_one_place_that_is_stayed_at_is_a_point_with_its_dwell() -> None:
    home = "0\t1\t0\t16\t0\t0\t0\t0\t36\t103\t0\t1"
    rows = [f"{number}\t0\t3\t16\t{hold}\t0\t0\t0\t36.1\t103.1\t60\t1" for number, hold in ((1, 0), (2, 90))]
    found = read_file("\n".join(["QGC WPL 110", home, *rows]).encode(), "one.waypoints")
    (task,) = found.programme.tasks
    assert (task.kind, task.dwell_s, task.alt_agl_m) == (TaskKind.POINT, 90.0, 60.0)
    assert said(found) == []


def test_places_that_are_not_given_are_left_out_with_their_number_and_what_is_done_there_is_not_done_elsewhere() -> (
    None
):
    stop = {"type": "SimpleItem", "command": 2501, "frame": 2, "params": [0, 0, 0, 0, 0, 0, 0]}
    found = plan(SURVEY, item(36.0, 103.0), item(None, 103.0), stop, item(0.0, 0.0), item(36.001, 103.0))
    assert found.programme.tasks[1].geometry["coordinates"] == [[103.0, 36.0], [103.0, 36.001]]
    lost = [f"item {number}: it has no place (0, 0) and was left out" for number in (3, 5)]
    assert [one for one in said(found) if "no place" in one] == lost
    assert not any("recorded" in one for one in said(found))


def test_one_height_above_the_take_off_place_is_the_tasks_and_several_are_told_with_speeds_and_looks() -> None:
    assert plan(item(36.0, 103.0), item(36.001, 103.0)).programme.tasks[0].alt_agl_m == 50.0
    found = plan(speed(5.0), item(36.0, 103.0), speed(9.0), item(36.001, 103.0, 70.0))
    assert found.programme.tasks[0].alt_agl_m is None
    (note,) = found.notes
    assert note.en == (
        "the route became a task that is planned anew; left out: heights of 50 to 70 m, speeds of 5 to 9 m/s"
    )
    assert note.zh == "航线已转为任务，将重新规划；略去：50 至 70 m 的高度、5 至 9 m/s 的速度"
    sea = plan(item(36.0, 103.0, 1500.0, frame=0), item(36.001, 103.0, 1500.0, frame=0))
    assert sea.programme.tasks[0].alt_agl_m is None
    assert "left out: heights of 1500 m" in said(sea)[-1]


def test_a_route_of_ours_says_that_its_stays_and_what_its_camera_does_are_lost() -> None:
    found = read_file(qgc_plan.write(items_of(SORTIE, HAWK, DOCK), HAWK), "day.plan")
    assert "stays of 90 s, where nose and camera look and what is recorded" in said(found)[-1]


@pytest.mark.parametrize(("mode", "alt_agl_m"), [(1, 45.0), (3, 45.0), (2, None)])
def test_a_survey_keeps_its_height_above_ground_and_says_what_is_planned_anew(mode: int, alt_agl_m: float) -> None:
    camera = {"DistanceToSurface": 45, "DistanceMode": mode}
    found = plan(SURVEY | {"TransectStyleComplexItem": {"CameraCalc": camera}})
    assert found.programme.tasks[0].alt_agl_m == alt_agl_m
    height = "height, " if mode == 2 else ""
    assert said(found) == [
        f"item 1: its {height}spacing, angle and camera were left out: 'survey item 1' is planned anew"
    ]


def test_dji_routes_keep_the_one_camera_that_they_record_with_and_tell_of_several() -> None:
    drone = msgspec.structs.replace(HAWK, cameras=(Camera(name="M3TD"), Camera(name="ir", kind="thermal")))
    photo = msgspec.structs.replace(LOOK, action=CameraAction.PHOTO)
    sortie = msgspec.structs.replace(SORTIE, waypoints=(photo, photo))
    written = wpml.write(sortie, drone, tasks=(msgspec.structs.replace(BANK, camera="thermal"),))
    (task,) = read_file(written, "hot.kmz").programme.tasks
    assert (task.camera, task.alt_agl_m, task.kind) == ("thermal", 80.0, TaskKind.POINT)
    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        waylines = archive.read("wpmz/waylines.wpml").replace(b">ir<", b">ir,wide<", 1)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("wpmz/waylines.wpml", waylines)
    found = read_file(buffer.getvalue(), "both.kmz")
    assert found.programme.tasks[0].camera == ""
    assert "waylines.wpml: lenses ir, wide were left out: choose the task's camera" in said(found)
