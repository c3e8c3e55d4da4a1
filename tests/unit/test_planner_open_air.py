"""Air that is closed only at a time, at a height or without a number is flown where it is open; one task twice in one sortie."""

import msgspec
import pytest

from mission.model import Programme, TaskKind, Window, Zone, ZoneKind
from mission.plan import Plan
from mission.planner import plan_day
from mission.schedule.routing.problem import Effort
from tests.patrol_day import airframe, day, dock, hour, point, programme, rectangle, tasks

FEW = Effort(within_s=None, iterations=30)
ZONE = Zone(zone_id=1, name="水厂", kind=ZoneKind.NO_FLY, geometry=rectangle(500, 500, 900, 900))
INSIDE = {
    TaskKind.POINT: point(900, 900),
    TaskKind.AREA: rectangle(400, 700, 400, 300),
    TaskKind.CORRIDOR: {"type": "LineString", "coordinates": [point(300, 900)["coordinates"], point(1200, 900)["coordinates"]]},
    TaskKind.SEARCH: point(900, 900),
    TaskKind.EVENT: point(900, 900),
}  # fmt: skip


def asked(kind: TaskKind, **changes: object) -> Programme:
    """Return a programme that wants one thing inside the zone between noon and two; an event is short enough for two drones."""
    task = msgspec.structs.replace(
        tasks()[0], task_id=1, kind=kind, geometry=INSIDE[kind],
        windows=(Window(hour(12), hour(12.25 if kind is TaskKind.EVENT else 14)),), recurrence=None,
        revisit_s=None, alt_agl_m=60.0, pattern=None, width_m=100.0,
    )  # fmt: skip
    values: dict[str, object] = {
        "tasks": (task,), "docks": (dock(1, -200, 200),), "airframes": (airframe(1, 1), airframe(2, 1)), "zones": (ZONE,),
    }  # fmt: skip
    return programme(**(values | changes))


def planned(of: Programme) -> Plan:
    return plan_day(of, day(), now_us=hour(-2), effort=FEW)


def against(plan: Plan) -> list[str]:
    return [one.reason_en for one in plan.refusals if not one.is_warning]


@pytest.mark.parametrize("kind", INSIDE)
@pytest.mark.parametrize(
    "open_to",
    [
        {"kind": ZoneKind.RESTRICTED, "approval": "CAAC-7"},
        {"windows": (Window(hour(10), hour(11)),)},
        {"floor_agl_m": 100.0},
        {"ceiling_agl_m": 40.0},
    ],
    ids=["with its number", "at another time", "below its floor", "above its ceiling"],
)
def test_what_lies_in_a_zone_is_flown_where_the_zone_is_open(kind: TaskKind, open_to: dict[str, object]) -> None:
    of = asked(kind, zones=(msgspec.structs.replace(ZONE, **open_to),))
    if "approval" in open_to:
        of = msgspec.structs.replace(of, tasks=(msgspec.structs.replace(of.tasks[0], approval="NIGHT-3, CAAC-7"),))
    plan = planned(of)
    assert against(plan) == []
    assert plan.figures[0].planned_count == plan.figures[0].visit_count > 0


def test_what_lies_in_a_zone_that_stays_closed_is_refused_by_its_name() -> None:
    plan = planned(asked(TaskKind.POINT))
    assert plan.sorties == ()
    assert any("水厂" in one.reason_zh and one.rule_id == "R-03" for one in plan.refusals)


@pytest.mark.parametrize("revisit_s", [600.0, 900.0])
def test_a_task_is_visited_twice_in_one_sortie_when_that_is_how_often_it_is_wanted(revisit_s: float) -> None:
    of = asked(TaskKind.POINT, zones=())
    plan = planned(msgspec.structs.replace(of, tasks=(msgspec.structs.replace(of.tasks[0], revisit_s=revisit_s),)))
    assert against(plan) == []
    assert plan.figures[0].planned_count == plan.figures[0].visit_count
    assert max(len(sortie.visit_ids) for sortie in plan.sorties) > 1


def test_an_airframe_that_may_not_fly_as_high_as_others_flies_its_way_lower() -> None:
    micro = [airframe(number, 1, empty_kg=0.2, takeoff_kg=0.24) for number in (1, 2)]
    of = asked(TaskKind.POINT, zones=(), airframes=tuple(micro), rule_set="cn_interim_2024")
    task = msgspec.structs.replace(of.tasks[0], alt_agl_m=40.0, approval="CAAC-7")
    plan = planned(msgspec.structs.replace(of, tasks=(task,)))
    assert [one for one in against(plan) if "above ground" in one] == []
    plan = planned(msgspec.structs.replace(of, tasks=(msgspec.structs.replace(task, approval=""),)))
    assert [one for one in against(plan) if "above ground" in one] == []
    assert max((way.alt_home_m for sortie in plan.sorties for way in sortie.waypoints), default=0.0) <= 50.0
    assert plan.sorties


def test_a_dock_in_closed_air_is_told_with_the_zone() -> None:
    plan = planned(
        asked(TaskKind.POINT, zones=(msgspec.structs.replace(ZONE, geometry=rectangle(-300, 100, 200, 200)),))
    )
    assert plan.sorties == ()
    assert any("no-fly zone '水厂'" in one for one in against(plan))


def test_a_battery_that_does_not_suffice_to_climb_and_land_is_told_as_that() -> None:
    plan = planned(asked(TaskKind.POINT, zones=(), airframes=(airframe(1, 1, endurance_s=100.0),)))
    assert any("battery does not suffice" in one for one in against(plan))


def test_a_corridor_of_other_traffic_is_flown_round_or_waited_for() -> None:
    across = msgspec.structs.replace(ZONE, kind=ZoneKind.TRAFFIC, geometry=rectangle(-400, 450, 1600, 200))
    for zone in (across, msgspec.structs.replace(across, windows=(Window(hour(11.5), hour(13)),))):
        plan = planned(asked(TaskKind.POINT, zones=(zone,)))
        assert against(plan) == []
        assert plan.figures[0].planned_count == 1
