"""What the live picture shows of a drone that is to fly: a place that it has now, and not one that it had once."""

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import numpy as np
import pytest

from console.flight.briefs import Given
from console.flight.drones import Drones
from console.sources import FieldBridge
from infra.clock import SYSTEM_CLOCK
from mission.pilot import Seen
from mission.plan import Sortie, Waypoint
from telemetry.model.batch import FIX_2D, FIX_3D, UNKNOWN_I1, Quality
from telemetry.model.unit import LinkState
from telemetry.model.unit_state import LINK_STATES, UNIT_STATE, UnitBit
from tests.patrol_day import airframe, dock

HAWK = 7
SECOND = 1_000_000
FLIES = UnitBit.ARMED | UnitBit.ARMED_KNOWN | UnitBit.AIRBORNE | UnitBit.AIRBORNE_KNOWN


def drones(*, age_s: float = 1.0, **columns: int) -> Drones:
    """A drone that was heard so long ago, armed and in the air."""
    rows = np.zeros(1, UNIT_STATE)
    received_us = round(SYSTEM_CLOCK.now_us() - age_s * SECOND)
    said: dict[str, Any] = {
        "unit_id": HAWK,
        "observed_us": received_us,
        "received_us": received_us,
        "fix": FIX_3D,
        "link": LINK_STATES.index(LinkState.LIVE),
        "state": FLIES,
        "battery_pct": 80,
        **columns,
    }
    for column, value in said.items():
        rows[column] = value
    bridge: Any = SimpleNamespace(picture=SimpleNamespace(units=rows))
    return Drones(cast("FieldBridge", bridge), SYSTEM_CLOCK)


@pytest.mark.parametrize(
    ("age_s", "columns", "is_located"),
    [
        (1, {}, True),
        (1, {"fix": UNKNOWN_I1}, True),
        (1, {"fix": FIX_2D}, False),
        (1, {"fix": UNKNOWN_I1, "quality": int(Quality.NO_FIX)}, False),
        (31, {}, False),
        (31, {"quality": int(Quality.SPARSE)}, True),
    ],
)
def test_a_place_to_fly_by_is_fresh_and_by_satellites(
    age_s: float, columns: dict[str, int], *, is_located: bool
) -> None:
    found = drones(age_s=age_s, **columns)
    place = found.place_of(HAWK)
    assert place is not None
    assert place.is_located is is_located
    assert found.seen_of(HAWK) == Seen(is_heard=True, is_armed=True, is_airborne=True if is_located else None)


def test_of_a_drone_that_never_told_its_place_its_arming_is_known_all_the_same() -> None:
    found = drones(observed_us=0, link=LINK_STATES.index(LinkState.NEVER), state=int(UnitBit.ARMED_KNOWN))
    assert found.place_of(HAWK) is None
    assert found.seen_of(HAWK) == Seen(is_heard=False, is_armed=False, is_airborne=None)
    assert found.seen_of(HAWK + 1) == Seen(is_heard=False)


def given_stay(*, goal: int) -> Given:
    """A sortie over two places, 100 m apart, with a stay at the first."""
    there = Waypoint(lat_deg=36.06, lon_deg=103.83, alt_home_m=60.0, speed_mps=10.0, hold_s=300.0)
    next_one = msgspec.structs.replace(there, lat_deg=36.0609, hold_s=0.0)
    sortie = Sortie(
        sortie_id=0, airframe_id=1, dock_id=1, takeoff_us=0, landing_us=1, free_us=1, visit_ids=(), task_ids=(),
        waypoints=(there, next_one), length_m=900.0, landing_battery_ratio=0.7, transit_alt_home_m=60.0,
    )  # fmt: skip
    return Given(
        sortie=sortie, airframe=airframe(1, 1), dock=dock(1, 0, 0), zones=(), plan_id=None, goal=goal, account_id=5,
        account_name="wang",
    )  # fmt: skip


def test_a_drone_is_there_while_it_stays_and_not_only_when_it_leaves() -> None:
    given = given_stay(goal=0)
    assert not given.is_there(36.0598, 103.83, 0)
    assert given.is_there(36.05995, 103.83, 0)
    assert given.is_there(36.0, 103.83, 1), "it has been there"
    assert not given_stay(goal=1).is_there(36.06, 103.83, 0)
    assert not given_stay(goal=1).is_there(36.0609, 103.83, 0), "over the last place on the way to the first"
