"""The demo city's day from the air is a programme that the planner can plan whole."""

from datetime import UTC, datetime

import pytest

from console.demo.city import City, prepare_city
from console.demo.day_plan import HOUR_US, Registered, day_programme, search_task
from console.demo.seed_force import plan_force
from mission.formats.wpml_models import drone_of
from mission.model import Airframe, Programme, TaskKind, Window
from mission.planner import plan_day
from mission.schedule.routing.problem import Effort

MIDNIGHT_US = round(datetime(2026, 9, 18, 16, tzinfo=UTC).timestamp() * 1e6)
MORNING_US = MIDNIGHT_US + 6 * HOUR_US
DAY = Window(MIDNIGHT_US, MIDNIGHT_US + 24 * HOUR_US)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    return prepare_city(tmp_path_factory.mktemp("day-plan"), 1)


@pytest.fixture(scope="module")
def asked(city: City) -> Programme:
    registered = {"Hawk 02": Registered(11, 21)}
    return day_programme(city, plan_force(city), registered, now_us=MORNING_US)


def test_the_days_programme_asks_for_area_festival_wetlands_crossing_and_river(asked: Programme) -> None:
    assert [task.task_id for task in asked.tasks] == [1, 2, 3, 4, 5, 6]
    kinds = [task.kind for task in asked.tasks]
    assert kinds.count(TaskKind.AREA) == 2
    assert {TaskKind.EVENT, TaskKind.POINT, TaskKind.CORRIDOR} <= set(kinds)
    assert len(asked.airframes) == 6
    assert {airframe.dock_id for airframe in asked.airframes} == {1, 2, 3}
    assert (asked.airframes[0].unit_id, asked.airframes[0].device_id) == (11, 21)
    assert len(asked.zones) == 3


def test_the_planner_plans_the_whole_day_and_the_festival_without_a_gap(asked: Programme) -> None:
    plan = plan_day(asked, DAY, now_us=MORNING_US, effort=Effort(within_s=None, iterations=20, seed=1))
    figures = {figure.task_id: figure for figure in plan.figures}
    assert figures[2].longest_gap_s == 0.0
    assert all(figure.planned_count == figure.visit_count > 0 for figure in plan.figures)


def test_the_demos_plans_can_be_written_for_dji(asked: Programme) -> None:
    assert {drone_of(airframe) for airframe in asked.airframes} == {(91, 1)}


@pytest.mark.parametrize(
    ("model", "numbers"),
    [
        ("DJI Matrice 350 RTK", (89, 0)),
        ("Mavic 3 Enterprise", (77, 0)),
        ("Mavic 3 Thermal", (77, 1)),
        ("m3td", (91, 1)),
    ],
)
def test_models_are_known_by_the_names_that_are_printed_on_them(model: str, numbers: tuple[int, int]) -> None:
    assert drone_of(Airframe(airframe_id=1, name="Hawk", dock_id=1, model=model)) == numbers


def test_a_short_demo_has_its_festival_now(city: City) -> None:
    soon = day_programme(city, plan_force(city), {}, now_us=MORNING_US, festival_from_us=MORNING_US + HOUR_US)
    festival = soon.tasks[1]
    assert festival.recurrence is None
    assert festival.windows[0].start_us == MORNING_US + HOUR_US


def test_a_search_begins_within_the_hour() -> None:
    task = search_task(36.07, 103.82, now_us=MORNING_US, task_id=99)
    assert task.kind is TaskKind.SEARCH
    assert task.windows == (Window(MORNING_US, MORNING_US + HOUR_US),)
