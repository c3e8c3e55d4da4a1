"""Drones of one dock climb and land one at a time, those that watch too; who cannot be kept apart is said, and why nobody came."""

from collections.abc import Mapping
from itertools import pairwise

import msgspec
import pytest

from mission.model import Airframe, Programme, TaskKind, Window
from mission.plan import Plan
from mission.planner import plan_day
from mission.schedule.routing.problem import Effort
from tests.patrol_day import airframe, day, dock, hour, place, point, programme, tasks

FEW = Effort(within_s=None, iterations=30)


def asked(*wanted: Mapping[str, object], drones: int, pads: int = 4) -> Programme:
    base = {"recurrence": None, "revisit_s": None, "alt_agl_m": 60.0, "pattern": None}
    return programme(
        tasks=tuple(
            msgspec.structs.replace(tasks()[0], **(base | dict(one) | {"task_id": number}))
            for number, one in enumerate(wanted, 1)
        ),
        docks=(dock(1, -200, 200, pad_count=pads, charger_count=8),),
        airframes=tuple(airframe(number, 1, endurance_s=2400.0) for number in range(1, drones + 1)),
        zones=(),
    )


def planned(of: Programme) -> Plan:
    return plan_day(of, day(), now_us=hour(-2), effort=FEW)


def apart_s(plan: Plan, frame: Airframe) -> float:
    """Return the least time between two take-offs or landings over the dock."""
    flown = [sortie for sortie in plan.sorties if sortie.waypoints]
    moments = sorted(
        [(one.takeoff_us + 60.0 / frame.climb_mps * 0.5e6) / 1e6 for one in flown]
        + [(one.landing_us - 60.0 / frame.sink_mps * 0.5e6) / 1e6 for one in flown]
    )
    return min(after - before for before, after in pairwise(moments))


def test_two_watchers_of_one_dock_climb_one_after_the_other() -> None:
    event = {
        "kind": TaskKind.EVENT,
        "geometry": point(600, 600),
        "windows": (Window(hour(18), hour(19)),),
        "watcher_count": 2,
    }
    of = asked(event, drones=5)
    plan = planned(of)
    assert apart_s(plan, of.airframes[0]) > 20.0
    assert [one for one in plan.conflicts if not one.mended_by] == []


@pytest.mark.parametrize("revisit_s", [None, 600.0])
def test_what_stays_in_conflict_is_refused_by_the_rule_of_separation(revisit_s: float | None) -> None:
    lines = [[place(600 + 180 * row, 600), place(600 + 180 * row, 1040)] for row in range(5)]
    lines += [[place(600, 600 + 110 * row), place(1320, 600 + 110 * row)] for row in range(5)]
    streets = {
        "kind": TaskKind.STREETS, "geometry": {"type": "MultiLineString", "coordinates": lines},
        "windows": (Window(hour(10), hour(11)),), "revisit_s": revisit_s, "alt_agl_m": 80.0,
    }  # fmt: skip
    plan = planned(asked(streets, drones=6, pads=1))
    left = [one for one in plan.conflicts if not one.mended_by]
    told = [one for one in plan.refusals if one.rule_id == "R-05" and not one.is_warning]
    assert bool(left) == bool(told)
    refused = {sortie.sortie_id for sortie in plan.sorties if sortie.is_refused}
    assert all({one.sortie_id, one.other_sortie_id} & refused for one in left)


def test_a_visit_for_which_a_drone_is_free_but_not_the_air_over_its_dock_says_so() -> None:
    points: list[dict[str, object]] = [
        {
            "kind": TaskKind.POINT,
            "geometry": point(600 + 300 * number, 600),
            "windows": (Window(hour(10), hour(10.03)),),
        }
        for number in range(9)
    ]
    plan = planned(asked(*points, drones=9, pads=2))
    missed = [one for one in plan.refusals if one.visit_id is not None and not one.is_warning]
    assert missed
    assert {one.rule_id for one in missed} == {"R-05"}
    assert all("dock" in one.remedy_en for one in missed)
