"""What a plan says is covered is what lies in its footprints; an event of which not all is seen says so, with the height that would do."""

from collections.abc import Mapping

import msgspec
import pytest

from mission.model import PatternKind, Programme, TaskKind, Window, Zone, ZoneKind
from mission.plan import Plan
from mission.planner import plan_day
from mission.schedule.routing.problem import Effort
from tests.patrol_day import airframe, day, dock, hour, place, programme, rectangle, tasks

FEW = Effort(within_s=None, iterations=30)
FIELD = rectangle(300, 600, 300, 220)


def asked(kind: TaskKind, geometry: Mapping[str, object], **changes: object) -> Programme:
    task = msgspec.structs.replace(
        tasks()[0], **({"task_id": 1, "kind": kind, "geometry": geometry, "windows": (Window(hour(12), hour(12.3)),),
        "recurrence": None, "revisit_s": None, "alt_agl_m": 60.0, "pattern": None} | changes),
    )  # fmt: skip
    return programme(tasks=(task,), docks=(dock(1, -200, 200),), airframes=(airframe(1, 1), airframe(2, 1)), zones=())


def planned(of: Programme) -> Plan:
    plan = plan_day(of, day(), now_us=hour(-2), effort=FEW)
    assert plan.sorties
    return plan


def covered(of: Programme) -> float:
    ratio = planned(of).figures[0].covered_ratio
    assert ratio is not None
    return ratio


@pytest.mark.parametrize("pattern", [PatternKind.HOLD, PatternKind.ORBIT])
def test_an_area_of_which_a_part_is_looked_at_is_not_covered(pattern: PatternKind) -> None:
    assert covered(asked(TaskKind.AREA, FIELD, pattern=pattern)) < 0.9


def test_a_survey_covers_all_but_what_is_closed() -> None:
    of = asked(TaskKind.AREA, FIELD)
    assert covered(of) > 0.999
    half = Zone(zone_id=1, name="塔", kind=ZoneKind.NO_FLY, geometry=rectangle(450, 500, 400, 500))
    assert 0.4 < covered(msgspec.structs.replace(of, zones=(half,))) < 0.7


@pytest.mark.parametrize(
    "geometry", [{"type": "LineString", "coordinates": [place(0, 600), place(1000, 700)]}, rectangle(0, 600, 700, 650)]
)
def test_an_event_that_is_seen_in_part_says_how_much_and_what_would_show_it_all(geometry: dict[str, object]) -> None:
    plan = planned(asked(TaskKind.EVENT, geometry))
    (said,) = [one for one in plan.refusals if one.rule_id == "R-26"]
    ratio = plan.figures[0].covered_ratio
    assert ratio is not None
    assert said.is_warning
    assert said.numbers["seen_pct"] == pytest.approx(ratio * 100.0, abs=0.1)
    assert ratio < 0.6


def test_an_event_that_is_seen_from_higher_is_seen_whole_there() -> None:
    of = asked(TaskKind.EVENT, rectangle(0, 600, 90, 60))
    (said,) = [one for one in planned(of).refusals if one.rule_id == "R-26"]
    higher = msgspec.structs.replace(of.tasks[0], alt_agl_m=float(said.remedy["alt_agl_m"]))
    plan = planned(msgspec.structs.replace(of, tasks=(higher,)))
    assert [one for one in plan.refusals if one.rule_id == "R-26"] == []
    assert plan.figures[0].covered_ratio == pytest.approx(1.0, abs=0.05)


def test_several_places_are_no_single_point() -> None:
    several = {"type": "MultiPoint", "coordinates": [place(0, 600), place(500, 600)]}
    of = asked(TaskKind.POINT, several)
    plan = plan_day(of, day(), now_us=hour(-2), effort=FEW)
    assert plan.sorties == ()
    assert any("Point" in one.reason_en for one in plan.refusals)
