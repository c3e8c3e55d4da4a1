"""What the live picture shows of a drone that is to fly: a place that it has now, and not one that it had once."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from console.flight.drones import Drones
from console.sources import FieldBridge
from infra.clock import SYSTEM_CLOCK
from mission.pilot import Seen
from telemetry.model.batch import FIX_2D, FIX_3D, UNKNOWN_I1, Quality
from telemetry.model.unit import LinkState
from telemetry.model.unit_state import LINK_STATES, UNIT_STATE, UnitBit

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
