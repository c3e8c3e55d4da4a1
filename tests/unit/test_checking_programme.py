"""Bad input: each wrong thing is found, with where it is and what is allowed, and what is sound is left alone."""

from datetime import UTC, date, time
from typing import Any

import msgspec
import pytest

from mission.checking import check_programme, sound_part
from mission.model import (
    Airframe,
    Battery,
    Camera,
    Crew,
    Dock,
    Programme,
    Recurrence,
    Task,
    Weather,
    Window,
    Zone,
    ZoneKind,
)
from mission.programme_items import ItemKind, item_of
from telemetry.model.errors import InputError
from tests.patrol_day import airframe, day, dock, hour, place, point, programme, rectangle, recurrence, tasks


def ring(*corners: tuple[float, float]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[place(*corner) for corner in corners]]}


def with_task(**changes: object) -> Programme:
    return programme(tasks=(msgspec.structs.replace(tasks()[0], **changes),))


def rule(**changes: object) -> Recurrence:
    return msgspec.structs.replace(recurrence(time(8), time(9)), **changes)


WRONG_TASKS = [
    ({"geometry": ring((0, 0), (100, 100), (100, 0), (0, 100), (0, 0))}, "geometry", "Self-intersection"),
    ({"geometry": {"type": "Polygon", "coordinates": []}}, "geometry", "empty"),
    ({"geometry": {"type": "Polygon"}}, "geometry", "cannot be read"),
    ({"geometry": {"type": "Blob", "coordinates": [1, 2]}}, "geometry", "cannot be read"),
    ({"geometry": {}}, "geometry", "cannot be read"),
    ({"geometry": point(0, 0)}, "geometry", "is a Point"),
    ({"geometry": {"type": "Polygon", "coordinates": [[[36, 103], [37, 103], [37, 104], [36, 103]]]}}, "geometry", "globe"),
    ({"geometry": rectangle(0, 0, 90_000, 90_000)}, "geometry", "km2"),
    ({"windows": (Window(hour(9), hour(8)),)}, "windows[1]", "closes before it opens"),
    ({"windows": (Window(8, 9),)}, "windows[1]", "1990"),
    ({"windows": (Window(hour(0), hour(24 * 500)),)}, "windows[1]", "400 days"),
    ({"recurrence": rule(zone="Mars/Base")}, "recurrence.zone", "tz database"),
    ({"recurrence": rule(rule="FREQ=HOURLY")}, "recurrence.rule", "FREQ"),
    ({"recurrence": rule(first_on=date(1, 1, 1))}, "recurrence.first_on", "0001-01-01"),
    ({"revisit_s": 1.0}, "revisit_s", "is 1"),
    ({"alt_agl_m": float("nan")}, "alt_agl_m", "nan"),
    ({"priority": 11}, "priority", "is 11"),
    ({"watcher_count": 0}, "watcher_count", "is 0"),
    ({"side_overlap_ratio": 1.0}, "side_overlap_ratio", "is 1"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "where", "reason"), WRONG_TASKS)
def test_a_wrong_task_is_told_where_and_why(changes: dict[str, object], where: str, reason: str) -> None:
    (said,) = check_programme(with_task(**changes))
    assert said.numbers["where"] == where
    assert reason in said.reason_en
    assert said.reason_zh
    assert said.remedy_zh
    assert said.remedy_en
    assert said.task_id == 1
    left, wrong = sound_part(with_task(**changes))
    assert left.tasks == ()
    assert wrong == [said]


def test_an_unsound_border_is_told_in_each_language_without_words_of_the_other() -> None:
    (said,) = check_programme(with_task(geometry=ring((0, 0), (100, 100), (100, 0), (0, 100), (0, 0))))
    assert "自相交[" in said.reason_zh
    assert "Self" not in said.reason_zh


def test_a_sound_programme_has_nothing_wrong() -> None:
    assert check_programme(programme()) == []
    assert sound_part(programme()) == (programme(), [])


def test_an_event_without_a_time_is_refused() -> None:
    event: Task = msgspec.structs.replace(tasks()[1], recurrence=None)
    assert [said.numbers["where"] for said in check_programme(programme(tasks=(event,)))] == ["windows"]


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        (airframe(9, 77), "dock_id"),
        (airframe(9, 1, endurance_s=0.0), "endurance_s"),
        (airframe(9, 1, cruise_mps=20.0), "fastest_mps"),
        (airframe(9, 1, cameras=()), "cameras"),
    ],
)
def test_an_airframe_that_cannot_fly_is_left_out(changed: Airframe, where: str) -> None:
    of = programme(airframes=(airframe(1, 1), changed))
    (said,) = check_programme(of)
    assert (said.numbers["where"], said.airframe_id) == (where, 9)
    assert [each.airframe_id for each in sound_part(of)[0].airframes] == [1]


@pytest.mark.parametrize(
    "changes",
    [
        {"zone": "Nowhere"},
        {"tasks": (tasks()[0], tasks()[0])},
        {"docks": (dock(1, 0, 0), dock(1, 5, 5)), "airframes": ()},
        {"batteries": (Battery(battery_id=1, name="b", dock_id=44),)},
        {"batteries": (Battery(battery_id=1, name="b", dock_id=1, charge_ratio=1.2),)},
        {"crews": (Crew(crew_id=1, name="c", shifts=(day(9, 8),)),)},
        {"docks": (Dock(dock_id=1, name="d", lat_deg=103.0, lon_deg=36.0),), "airframes": ()},
        {"zones": (Zone(name="z", kind=ZoneKind.NO_FLY, geometry=point(0, 0)),)},
        {"zones": (Zone(name="z", kind=ZoneKind.NO_FLY, geometry=rectangle(0, 0, 9, 9), floor_agl_m=50, ceiling_agl_m=50),)},
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_whole_is_refused_at_the_door(changes: dict[str, object]) -> None:
    assert check_programme(programme(**changes))
    with pytest.raises(InputError, match=r"\(.+\)"):
        sound_part(programme(**changes))


def test_times_of_day_that_carry_a_zone_are_refused() -> None:
    (said,) = check_programme(with_task(recurrence=rule(since=time(8, tzinfo=UTC))))
    assert said.numbers["where"] == "recurrence.since"


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"horizontal_fov_deg": 0.0}, "horizontal_fov_deg"),
        ({"vertical_fov_deg": 180.0}, "vertical_fov_deg"),
        ({"width_px": 0}, "width_px"),
        ({"least_interval_s": -1.0}, "least_interval_s"),
    ],
)
def test_a_camera_that_cannot_be_costs_its_airframe_alone(changes: dict[str, Any], where: str) -> None:
    blind = msgspec.structs.replace(airframe(9, 1), cameras=(Camera(name="c", **changes),))
    (said,) = check_programme(programme(airframes=(airframe(1, 1), blind)))
    assert (said.numbers["where"], said.airframe_id) == (where, 9)
    left, _ = sound_part(programme(airframes=(airframe(1, 1), blind)))
    assert [each.airframe_id for each in left.airframes] == [1]


@pytest.mark.parametrize(
    ("changes", "where"),
    [({"wind_mps": -5.0}, "wind_mps"), ({"temperature_c": 999.0}, "temperature_c"), ({"from_us": 2**62}, "from_us")],
)
def test_weather_that_cannot_be_is_told(changes: dict[str, Any], where: str) -> None:
    weather = msgspec.structs.replace(Weather(from_us=0, observed_us=0, source="entered"), **changes)
    (said,) = check_programme(programme(weather=(weather,)))
    assert said.numbers["where"] == where


@pytest.mark.parametrize(
    ("said", "en", "zh"),
    [
        ({"hight": 1}, "a task has no field 'hight'", "任务没有字段“hight”：可用 name_zh"),
        ({"recurrence": {"rules": ""}}, "recurrence of a task has no", "任务的 recurrence 没有字段“rules”：可用 rule"),
    ],
)
def test_a_field_that_nobody_reads_is_told_in_each_language(said: dict[str, Any], en: str, zh: str) -> None:
    with pytest.raises(InputError) as refused:
        item_of(ItemKind.TASK, said)
    assert str(refused.value).startswith(en)
    assert refused.value.zh.startswith(zh)
