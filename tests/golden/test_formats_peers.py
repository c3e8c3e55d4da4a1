"""Our files are read by programs that nobody here wrote, and the samples of others by us."""

import importlib
import io
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import icalendar
import pydantic
import pytest
from pymavlink import mavutil, mavwp

from mission.formats import (
    geojson,
    gpx,
    icalendar_reading,
    kml,
    plan_files,
    qgc_plan,
    waypoints_file,
    wpml,
    wpml_reading,
)
from mission.formats import icalendar as calendar
from mission.formats.mavlink_items import items_of
from mission.model import ZoneKind
from mission.plan import CameraAction
from tests.flown_day import DOCK, EAST, HAWK, HOMEWARD, LOOK, PLAN, PROGRAMME, SORTIE, WEST


@pytest.mark.shared_data
def test_the_checker_of_qgroundcontrols_keys_passes_our_plan(test_data: Path, tmp_path: Path) -> None:
    plan = tmp_path / "patrol.plan"
    plan.write_bytes(qgc_plan.write(items_of(SORTIE, HAWK, DOCK, zones=PROGRAMME.zones), HAWK))
    checker = test_data / "mission" / "samples" / "check_plan.py"
    said = subprocess.run([sys.executable, str(checker), str(plan)], capture_output=True, text=True, check=True)
    assert said.stdout.strip().endswith("OK"), said.stdout


@pytest.mark.shared_data
def test_a_plan_written_by_hand_from_the_public_keys_is_read_whole(test_data: Path) -> None:
    brought = qgc_plan.read((test_data / "mission" / "samples" / "minimal.plan").read_bytes())
    assert [(point.lat_deg, point.lon_deg) for point in brought.waypoints] == [(24.4821, 118.0921), (24.4821, 118.0921)]
    first, second = brought.waypoints
    assert (first.speed_mps, first.gaze_lat_deg, first.gaze_lon_deg) == (8.0, 24.4825, 118.093)
    assert second.hold_s == 180.0
    assert [zone.kind for zone in brought.zones] == [ZoneKind.KEEP_IN, ZoneKind.NO_FLY]
    assert brought.home == (24.4798, 118.0894)
    assert [note.en for note in brought.notes] == ["1 rally points were left out: drones come home to their docks"]


def test_pymavlinks_waypoint_loader_reads_our_items_bit_for_bit(tmp_path: Path) -> None:
    plan = items_of(SORTIE, HAWK, DOCK)
    path = tmp_path / "patrol.waypoints"
    path.write_bytes(waypoints_file.write(plan))
    loader = mavwp.MAVWPLoader()
    assert loader.load(str(path)) == len(plan.mission) + 1
    for number, item in enumerate(plan.mission, 1):
        read = loader.wp(number)
        said = [0.0 if value is None else value for value in (item.param1, item.param2, item.param3, item.param4)]
        assert [read.param1, read.param2, read.param3, read.param4] == said
        assert (read.command, read.frame, read.z) == (item.command, item.frame, item.alt_m)
        if item.frame != mavutil.mavlink.MAV_FRAME_MISSION:
            assert (round(read.x * 1e7), round(read.y * 1e7)) == (item.lat_e7, item.lon_e7)


def test_djikmz_reads_our_template() -> None:
    with warnings.catch_warnings():  # djikmz 0.1.0 is written for an older pydantic
        warnings.simplefilter("ignore", pydantic.PydanticDeprecationWarning)
        peer = importlib.import_module("djikmz.model.kml").KML
    with zipfile.ZipFile(io.BytesIO(wpml.write(SORTIE, HAWK))) as archive:
        assert archive.namelist() == ["wpmz/template.kml", "wpmz/waylines.wpml"]
        template = archive.read("wpmz/template.kml").decode()
    # djikmz 0.1.0 spells this key of DJI's reference otherwise and knows no second spelling
    read = peer.from_xml(template.replace("gimbalPitchMode>", "globalGimbalPitchMode>"))
    assert [(point.latitude, point.longitude, point.height) for point in read.waypoints] == [
        (point.lat_deg, point.lon_deg, point.alt_home_m) for point in SORTIE.waypoints
    ]
    assert str(read.mission_config.drone_info.drone_model) == "M3TD"
    assert read.waypoints[1].heading_param.waypoint_heading_mode == "towardPOI"


@pytest.mark.shared_data
def test_a_wayline_written_by_hand_from_the_reference_is_read(test_data: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("wpmz/waylines.wpml", (test_data / "mission" / "samples" / "waylines.wpml").read_bytes())
    brought = wpml_reading.read(buffer.getvalue())
    (point,) = brought.waypoints
    assert (point.lat_deg, point.lon_deg, point.alt_home_m, point.hold_s) == (24.4821, 118.0921, 60.0, 180.0)
    assert (point.gaze_lat_deg, point.gaze_lon_deg) == (24.4825, 118.093)
    assert brought.notes == ()


def test_what_we_write_as_waylines_we_read_back_the_same() -> None:
    brought = wpml_reading.read(wpml.write(SORTIE, HAWK))
    assert brought.notes == ()
    for read, written in zip(brought.waypoints, SORTIE.waypoints, strict=True):
        assert (read.lat_deg, read.lon_deg, read.alt_home_m) == (written.lat_deg, written.lon_deg, written.alt_home_m)
        assert (read.speed_mps, read.hold_s, read.heading_deg) == (
            written.speed_mps,
            written.hold_s,
            written.heading_deg,
        )
        assert (read.action, read.trigger_m, read.gaze_lat_deg) == (
            written.action,
            written.trigger_m,
            written.gaze_lat_deg,
        )


def test_what_we_write_as_a_plan_we_read_back_the_same() -> None:
    brought = qgc_plan.read(qgc_plan.write(items_of(SORTIE, HAWK, DOCK, zones=PROGRAMME.zones), HAWK))
    assert [(point.lat_deg, point.lon_deg, point.alt_home_m, point.speed_mps) for point in brought.waypoints] == [
        (point.lat_deg, point.lon_deg, point.alt_home_m, point.speed_mps) for point in (WEST, LOOK, EAST, HOMEWARD)
    ]
    west, look, east, homeward = brought.waypoints
    assert west.action is CameraAction.START_VIDEO
    assert look.hold_s == 90.0
    assert (look.gaze_lat_deg, look.gaze_lon_deg) == (LOOK.gaze_lat_deg, LOOK.gaze_lon_deg)
    assert (east.gaze_lat_deg, east.heading_deg, east.trigger_m) == (None, 270.0, 30.0)
    assert homeward.action is CameraAction.NONE
    assert sorted(zone.kind for zone in brought.zones) == [ZoneKind.KEEP_IN, ZoneKind.NO_FLY, ZoneKind.NO_FLY]


def test_the_calendar_is_read_by_icalendar_in_both_languages() -> None:
    for language, name in (("en", "Hawk 3: North bank"), ("zh", "Hawk 3: 北滨河线")):
        read = icalendar.Calendar.from_ical(calendar.write(PLAN, PROGRAMME, language=language))
        sortie, shift = read.walk("VEVENT")
        assert str(sortie["summary"]) == name
        assert (sortie.decoded("dtend") - sortie.decoded("dtstart")).total_seconds() == 900.0
        assert str(shift["summary"]) == "Zhou Lan"
    assert [name for name, _ in icalendar_reading.read(calendar.write(PLAN, PROGRAMME)).shifts] == ["Zhou Lan"]


def test_places_go_round_by_geojson_kml_and_gpx_without_an_order_of_lat_and_lon_mixed_up() -> None:
    whole = geojson.read(geojson.write_programme(PROGRAMME))
    assert (whole.tasks[0].geometry, whole.tasks[0].width_m) == (PROGRAMME.tasks[0].geometry, 60.0)
    assert [zone.geometry for zone in whole.zones] == [zone.geometry for zone in PROGRAMME.zones]
    drawn = kml.read(kml.write(PLAN, PROGRAMME))
    assert [str(task.geometry["type"]) for task in drawn.tasks] == ["LineString"]
    assert [zone.geometry for zone in drawn.zones] == [zone.geometry for zone in PROGRAMME.zones]
    (bank,) = (task for task in drawn.tasks if task.name_en == "North bank")
    assert bank.geometry == PROGRAMME.tasks[0].geometry
    (route,) = gpx.read(gpx.write(PLAN)).tasks
    assert route.geometry["coordinates"] == [[point.lon_deg, point.lat_deg] for point in SORTIE.waypoints]


def test_a_wayline_does_without_a_link_what_the_rules_say() -> None:
    said = {}
    for action in ("return", "hold", "land", "continue"):
        with zipfile.ZipFile(io.BytesIO(wpml.write(SORTIE, HAWK, link_loss=action))) as archive:
            text = archive.read("wpmz/waylines.wpml").decode()
        said[action] = (
            text.split("exitOnRCLost>")[1].split("<")[0],
            text.split("executeRCLostAction>")[1].split("<")[0],
        )
    assert said["hold"] == ("executeLostAction", "hover")
    assert said["land"] == ("executeLostAction", "landing")
    assert said["return"] == ("executeLostAction", "goBack")
    assert said["continue"][0] == "goContinue"


def test_a_calendar_of_shifts_and_holidays_brings_crews() -> None:
    event = "BEGIN:VEVENT\r\nUID:{0}\r\n{1}\r\n{2}\r\nSUMMARY:{3}\r\nEND:VEVENT\r\n"
    events = [
        event.format(1, "DTSTART:20260919T000000Z", "DTEND:20260919T080000Z", "Zhou Lan"),
        event.format(2, "DTSTART:20260920T000000Z", "DTEND:20260920T080000Z", "Zhou Lan"),
        event.format(3, "DTSTART;VALUE=DATE:20261001", "DTEND;VALUE=DATE:20261003", "National Day"),
    ]
    data = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + "".join(events) + "END:VCALENDAR\r\n"
    programme = plan_files.read_file(data.encode(), "shifts.ics").programme
    (crew,) = programme.crews
    assert (crew.name, len(crew.shifts)) == ("Zhou Lan", 2)
    assert [day.isoformat() for day in programme.holidays] == ["2026-10-01", "2026-10-02"]
