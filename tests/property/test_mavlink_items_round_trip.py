"""Whatever a sortie's waypoints ask for, its items say it so that it is read back the same, from a .plan and a .waypoints too."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mission.formats import qgc_plan, waypoints_file
from mission.formats.mavlink_items import WAYPOINT, items_of, place_count, waypoints_of
from mission.plan import CameraAction, Waypoint
from tests.flown_day import DOCK, HAWK, SORTIE

LAST = Waypoint(
    lat_deg=36.06, lon_deg=103.84, alt_home_m=60.0, speed_mps=10.0, heading_deg=90.0, gimbal_pitch_deg=-90.0
)
"""Of the last waypoint nobody can tell what it ends from what the way home ends."""
LAT_E7, LON_E7 = 360_500_000, 1_038_300_000
STAYS = st.sampled_from([0.0, 0.5, 30.0, 912.0])


@st.composite
def waypoints(draw: st.DrawFn) -> tuple[Waypoint, ...]:
    """A few waypoints, some of them at one place; a pitch that was set is always set anew."""
    made: list[Waypoint] = []
    has_heading = draw(st.booleans())
    for _ in range(draw(st.integers(1, 8))):
        values: dict[str, Any] = {
            "lat_deg": (LAT_E7 + draw(st.integers(0, 2)) * 1000) / 1e7,
            "lon_deg": (LON_E7 + draw(st.integers(0, 2)) * 1000) / 1e7,
            "alt_home_m": draw(st.sampled_from([60.0, 80.5])),
            "speed_mps": draw(st.sampled_from([6.0, 10.0])),
            "hold_s": draw(STAYS),
            "gimbal_pitch_deg": draw(st.sampled_from([-90.0, -45.0])),
            "action": draw(st.sampled_from(list(CameraAction))),
        }
        if has_heading:
            values["heading_deg"] = draw(st.sampled_from([0.0, 270.0]))
        if values["action"] is CameraAction.PHOTOS_BY_DISTANCE:
            values["trigger_m"] = draw(st.sampled_from([20.0, 30.0]))
        if draw(st.booleans()):
            values |= {"gaze_lat_deg": (LAT_E7 + 500) / 1e7, "gaze_lon_deg": (LON_E7 + draw(st.integers(0, 1))) / 1e7}
        made.append(Waypoint(**values))
    asked = [one for number, one in enumerate(made) if number == 0 or not _is_stay_of(one, made[number - 1])]
    return (*asked, LAST)


def _is_stay_of(one: Waypoint, before: Waypoint) -> bool:
    """Tell whether a waypoint is but the stay at the one before: two waypoints that are one."""
    return one.hold_s > 0.0 == before.hold_s and (one.lat_deg, one.lon_deg) == (before.lat_deg, before.lon_deg)


@given(waypoints())
def test_what_is_written_is_read_back_the_same(asked: tuple[Waypoint, ...]) -> None:
    sortie = msgspec.structs.replace(SORTIE, waypoints=asked)
    plan = items_of(sortie, HAWK, DOCK)
    read, unknown = waypoints_of(plan.mission)
    assert (read, unknown) == (asked, ())
    assert qgc_plan.read(qgc_plan.write(plan, HAWK)).waypoints == asked
    from_lines = waypoints_file.read(waypoints_file.write(plan)).waypoints
    assert [(one.lat_deg, one.lon_deg, one.hold_s, one.action) for one in from_lines] == [
        (one.lat_deg, one.lon_deg, one.hold_s, one.action) for one in asked
    ]
    assert place_count(sortie, HAWK) == sum(item.command == WAYPOINT for item in plan.mission)


@given(waypoints())
def test_what_is_to_be_seen_during_a_stay_is_said_before_it(asked: tuple[Waypoint, ...]) -> None:
    plan = items_of(msgspec.structs.replace(SORTIE, waypoints=asked), HAWK, DOCK)
    for number, waypoint in enumerate(asked):
        mine = [item for item, of in zip(plan.mission, plan.waypoint_numbers, strict=True) if of == number]
        last = max(at for at, item in enumerate(mine) if item.command == WAYPOINT)
        assert mine[last].param1 == waypoint.hold_s
        after = {item.command for item in mine[last + 1 :]}
        assert waypoint.hold_s == 0.0 or after <= {2000, 2501}
