"""Whatever a ground station says to a demo drone, it lives on, stays a plausible body and keeps speaking MAVLink."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from console.demo.autopilot.body import FASTEST_AIR_MPS
from console.demo.autopilot.drone import Drone
from console.demo.autopilot.numbers import CopterMode, Do, FenceItem, Nav
from telemetry.model.mission_items import MissionItem, MissionList
from telemetry.sources.mavlink.frame import FrameReader, Value, encode
from telemetry.sources.mavlink.tables import MESSAGE_ID, MESSAGES, Field
from tests.demo_drone import new_drone

START_US = 1_790_000_000_000_000
HEARD = (
    "COMMAND_LONG", "COMMAND_INT", "SET_MODE", "MISSION_SET_CURRENT", "SET_POSITION_TARGET_GLOBAL_INT", "PARAM_SET",
    "PARAM_REQUEST_READ", "PARAM_REQUEST_LIST", "REQUEST_DATA_STREAM", "MISSION_COUNT", "MISSION_ITEM_INT", "MISSION_ITEM",
    "MISSION_REQUEST_INT", "MISSION_REQUEST_LIST", "MISSION_CLEAR_ALL", "TIMESYNC", "PING", "HEARTBEAT",
)  # fmt: skip
COMMANDS = [int(one) for kind in (Nav, Do, FenceItem) for one in kind] + [21_196, 42]
NUMBERS = [0.0, 1.0, -1.0, 3.0, 4.0, 6.0, 36.06, 103.83, 50.0, 1e6, -1e9, math.nan, math.inf, -math.inf]
WHOLE = [0, 1, 2, 3, 4, 5, 9, 16, 33, 255, 65_535, 360_610_000, 1_038_310_000, -2_147_483_648, 2_147_483_647]
RANGES = {"B": (0, 255), "b": (-128, 127), "H": (0, 65_535), "h": (-32_768, 32_767), "I": (0, 2**32 - 1)}
RANGES |= {"i": (-(2**31), 2**31 - 1), "Q": (0, 2**64 - 1), "q": (-(2**63), 2**63 - 1)}


def value_of(field: Field, draw: st.DrawFn) -> Value:
    """Return something for a field: ordinary numbers of commands and places, and the worst there are."""
    if field.name in {"target_system", "target_component"}:
        return 1
    if field.code == "c":
        return draw(st.sampled_from(["FENCE_ENABLE", "SIM_WIND_SPD", "WPNAV_SPEED", "RTL_ALT", "NO_SUCH"]))
    if field.code in "fd":
        return draw(st.sampled_from(NUMBERS))
    if field.name == "command":
        return draw(st.sampled_from(COMMANDS))
    lowest, highest = RANGES[field.code]
    return min(max(draw(st.sampled_from(WHOLE)), lowest), highest)


@st.composite
def said(draw: st.DrawFn) -> bytes:
    message = MESSAGES[MESSAGE_ID[draw(st.sampled_from(HEARD))]]
    fields = {
        field.name: value_of(field, draw) for field in message.fields if not field.array_length or field.code == "c"
    }
    return encode(message.name, fields, system_id=255, component_id=190, sequence=0)


def aloft() -> Drone:
    drone = new_drone()
    drone.craft.replace(
        MissionList.MISSION,
        (
            MissionItem(command=22, alt_m=20.0),
            MissionItem(command=17, lat_e7=360_605_000, lon_e7=1_038_300_000, alt_m=30.0),
        ),
    )
    drone.craft.set_mode(CopterMode.GUIDED)
    drone.craft.arm()
    drone.craft.take_off(20.0)
    drone.tick(START_US, steps=150)
    return drone


@settings(max_examples=60, deadline=None)
@given(frames=st.lists(said(), max_size=25))
def test_no_order_breaks_a_drone(frames: list[bytes]) -> None:
    drone, reader = aloft(), FrameReader()
    for turn, frame in enumerate(frames):
        reader.feed(drone.hear(frame, START_US + turn * 100_000))
        reader.feed(drone.tick(START_US + turn * 100_000, steps=5))
        body = drone.craft.body
        assert all(map(math.isfinite, (*body.place, body.height_m, body.climb_mps, body.heading_deg)))
        assert body.height_m >= 0.0
        assert body.airspeed_mps <= FASTEST_AIR_MPS + 41.0
    assert reader.frames_bad == 0
