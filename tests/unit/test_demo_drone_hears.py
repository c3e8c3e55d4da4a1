"""What a demo drone hears: commands by LONG and INT, modes, parameters, streams; for itself only, and only with its key."""

import math

import pytest

from console.demo.autopilot.drone import Drone
from console.demo.autopilot.numbers import CopterMode
from telemetry.model.mission_items import MissionList
from telemetry.sources.mavlink.frame import FrameReader, Value, encode, values
from telemetry.sources.mavlink.signing import Signer
from telemetry.sources.mavlink.tables import MESSAGES
from tests.demo_drone import PAD_LAT_DEG, PAD_LON_DEG, new_drone

START_US = 1_790_000_000_000_000
KEY = bytes(range(32))
Fields = dict[str, Value]
Said = list[tuple[str, Fields]]


def said(data: bytes) -> Said:
    return [(MESSAGES[frame.msg_id].name, values(frame)) for frame in FrameReader().feed(data)]


def tell(drone: Drone, name: str, signer: Signer | None = None, **fields: Value) -> Said:
    """Say something to the drone and return its answers."""
    whole = {"target_system": drone.system_id} | ({} if name == "SET_MODE" else {"target_component": 1}) | fields
    return said(drone.hear(encode(name, whole, system_id=255, component_id=190, sequence=1, signer=signer), START_US))


def command(drone: Drone, number: int, *params: float, is_int: bool = False, **fields: Value) -> int:
    """Give a command and return its result."""
    given: Fields = {f"param{place}": value for place, value in enumerate(params, 1)}
    name = "COMMAND_INT" if is_int else "COMMAND_LONG"
    answers = tell(drone, name, None, command=number, **(given | fields))
    assert answers[0][0] == "COMMAND_ACK"
    assert answers[0][1]["command"] == number
    assert answers[0][1]["target_system"] == 255
    result = answers[0][1]["result"]
    assert isinstance(result, int)
    return result


def pass_s(drone: Drone, duration_s: float, *, steps: int = 10) -> Said:
    """Let simulated time pass and return what was sent."""
    turns = round(duration_s * 10 / steps)
    return [one for turn in range(turns) for one in said(drone.tick(START_US + turn * 100_000, steps=steps))]


def test_a_whole_flight_by_commands() -> None:
    drone = new_drone()
    craft = drone.craft
    assert command(drone, 176, 1.0, 4.0) == 0
    assert command(drone, 22, 0, 0, 0, 0, 0, 0, 30.0) == 4  # not armed
    assert command(drone, 400, 1.0) == 0
    assert command(drone, 22, 0, 0, 0, 0, 0, 0, 30.0) == 0
    pass_s(drone, 20)
    assert craft.body.height_m == pytest.approx(30.0, abs=1.0)
    place: Fields = {"x": round((PAD_LAT_DEG + 0.001) * 1e7), "y": round(PAD_LON_DEG * 1e7), "z": 50.0, "frame": 6}
    assert command(drone, 192, 8.0, 1.0, 0.0, math.nan, is_int=True, **place) == 0
    pass_s(drone, 40)
    assert craft.body.place.north_m == pytest.approx(111.0, abs=3.0)
    assert craft.body.height_m == pytest.approx(50.0, abs=1.0)
    assert command(drone, 193, 0.0) == 0
    assert craft.is_paused
    assert command(drone, 20) == 0
    assert command(drone, 400, 0.0) == 4
    pass_s(drone, 90)
    assert not craft.is_armed
    assert craft.body.place.away_m(craft.home) < 1.5


def test_a_place_by_command_long_is_in_degrees_and_a_reposition_without_leave_changes_no_mode() -> None:
    drone = new_drone()
    tell(drone, "SET_MODE", custom_mode=4, base_mode=1)
    command(drone, 400, 1.0)
    command(drone, 22, 0, 0, 0, 0, 0, 0, 20.0)
    pass_s(drone, 15)
    assert command(drone, 192, -1.0, 1.0, 0.0, math.nan, PAD_LAT_DEG, PAD_LON_DEG + 0.001, 20.0) == 0
    pass_s(drone, 30)
    assert drone.craft.body.place.east_m == pytest.approx(90.0, abs=3.0)
    tell(drone, "SET_MODE", custom_mode=5, base_mode=1)
    assert command(drone, 192, -1.0, 0.0, 0.0, math.nan, PAD_LAT_DEG, PAD_LON_DEG, 20.0) == 2
    assert drone.craft.mode is CopterMode.LOITER


def test_a_target_is_taken_in_guided_only() -> None:
    drone = new_drone()
    target: Fields = {
        "lat_int": round((PAD_LAT_DEG + 0.0005) * 1e7), "lon_int": round(PAD_LON_DEG * 1e7), "alt": 25.0,
        "coordinate_frame": 6, "type_mask": 0xDF8,
    }  # fmt: skip
    tell(drone, "SET_POSITION_TARGET_GLOBAL_INT", None, **target)
    assert drone.craft.target.height_m == 0.0
    command(drone, 176, 1.0, 4.0)
    command(drone, 400, 1.0)
    command(drone, 22, 0, 0, 0, 0, 0, 0, 20.0)
    pass_s(drone, 15)
    tell(drone, "SET_POSITION_TARGET_GLOBAL_INT", None, **target)
    pass_s(drone, 20)
    assert drone.craft.body.place.north_m == pytest.approx(55.5, abs=2.0)


def test_what_is_meant_for_another_system_or_component_is_not_heard() -> None:
    drone = new_drone(system_id=7)
    for target in ({"target_system": 8}, {"target_component": 100}):
        assert tell(drone, "COMMAND_LONG", None, command=400, param1=1.0, **target) == []
    assert not drone.craft.is_armed
    assert tell(drone, "COMMAND_LONG", None, command=400, param1=1.0, target_system=0, target_component=0)
    assert drone.craft.is_armed


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("COMMAND_LONG", {"command": 400, "param1": 1.0}),
        ("COMMAND_INT", {"command": 400, "param1": 1.0}),
        ("SET_MODE", {"custom_mode": 4}),
        ("MISSION_COUNT", {"count": 0}),
        ("MISSION_CLEAR_ALL", {}),
        ("PARAM_SET", {"param_id": "FENCE_ENABLE", "param_type": 2}),
    ],
)
def test_nothing_without_the_key_is_obeyed_and_a_signed_frame_counts_once(name: str, fields: Fields) -> None:
    drone, signer = new_drone(key=KEY), Signer(KEY, 3)
    assert tell(drone, name, None, **fields) == []
    assert tell(drone, name, Signer(bytes(32), 3), **fields) == []
    assert drone.commands_refused == 2
    whole = {"target_system": 1} | ({} if name == "SET_MODE" else {"target_component": 1}) | fields
    frame = encode(name, whole, system_id=255, component_id=190, sequence=1, signer=signer)
    assert drone.hear(frame, START_US)
    assert drone.hear(frame, START_US) == b""
    assert drone.commands_refused == 3


def test_parameters_are_listed_read_and_set_within_their_range() -> None:
    drone = new_drone()
    tell(drone, "PARAM_REQUEST_LIST")
    listed = {str(fields["param_id"]): fields for name, fields in pass_s(drone, 20) if name == "PARAM_VALUE"}
    assert len(listed) == listed["FENCE_ENABLE"]["param_count"]
    ((_, one),) = tell(drone, "PARAM_SET", param_id="FENCE_ALT_MAX", param_value=80.0, param_type=9)
    assert one["param_value"] == 80.0
    ((_, one),) = tell(drone, "PARAM_SET", param_id="FS_GCS_ENABLE", param_value=99.0, param_type=2)
    assert one["param_value"] == 5.0
    ((_, one),) = tell(drone, "PARAM_SET", param_id="SYSID_THISMAV", param_value=9.0, param_type=4)
    assert one["param_value"] == 1.0
    ((_, one),) = tell(drone, "PARAM_REQUEST_READ", param_id="", param_index=int(str(one["param_index"])))
    assert one["param_id"] == "SYSID_THISMAV"
    assert tell(drone, "PARAM_REQUEST_READ", param_id="NO_SUCH", param_index=-1) == []


def test_streams_begin_when_they_are_asked_for_and_end() -> None:
    drone = new_drone()
    assert {name for name, _ in pass_s(drone, 30)} == {"HEARTBEAT"}
    assert command(drone, 511, 33.0, 200_000.0) == 0
    assert command(drone, 511, 9999.0, 200_000.0) == 4
    names = [name for name, _ in pass_s(drone, 10, steps=1)]
    assert names.count("GLOBAL_POSITION_INT") == pytest.approx(50, abs=1)
    assert command(drone, 511, 33.0, -1.0) == 0
    assert "GLOBAL_POSITION_INT" not in {name for name, _ in pass_s(drone, 10)}
    tell(drone, "REQUEST_DATA_STREAM", req_stream_id=6, req_message_rate=2, start_stop=1)
    assert [name for name, _ in pass_s(drone, 5, steps=1)].count("GLOBAL_POSITION_INT") == pytest.approx(10, abs=1)
    (_, (_, interval)) = tell(drone, "COMMAND_LONG", None, command=510, param1=33.0)
    assert interval["interval_us"] == 500_000


def test_it_says_who_it_is_where_home_is_and_that_it_speaks_version_two() -> None:
    drone = new_drone()
    (_, (name, version)) = tell(drone, "COMMAND_LONG", None, command=512, param1=148.0)
    assert name == "AUTOPILOT_VERSION"
    assert int(str(version["capabilities"])) & (4 | 8 | 8192 | 16384 | 32768) == 4 | 8 | 8192 | 16384 | 32768
    (_, (name, home)) = tell(drone, "COMMAND_LONG", None, command=410)
    assert (name, home["latitude"]) == ("HOME_POSITION", round(PAD_LAT_DEG * 1e7))
    assert command(drone, 512, 4242.0) == 4
    assert command(drone, 31000) == 3


def test_it_does_not_know_where_it_is_before_its_satellites_say_so() -> None:
    drone = new_drone(position_after_s=10.0)
    (_, (_, place)) = tell(drone, "COMMAND_LONG", None, command=512, param1=33.0)
    assert (place["lat"], place["lon"]) == (0, 0)
    (_, (_, fix)) = tell(drone, "COMMAND_LONG", None, command=512, param1=24.0)
    assert fix["fix_type"] == 0
    assert command(drone, 300) == 4
    texts = [str(fields["text"]) for name, fields in pass_s(drone, 1) if name == "STATUSTEXT"]
    assert texts == ["Mode change to AUTO failed: requires position"]
    pass_s(drone, 12)
    (_, (_, place)) = tell(drone, "COMMAND_LONG", None, command=512, param1=33.0)
    assert place["lat"] == round(PAD_LAT_DEG * 1e7)


def test_one_clear_takes_all_lists_away() -> None:
    drone = new_drone()
    ((_, answer),) = tell(drone, "MISSION_CLEAR_ALL", mission_type=255)
    assert (answer["type"], answer["mission_type"]) == (0, 255)
    assert all(count == 1 for count in drone.craft.store.revisions.values())
    assert drone.craft.store[MissionList.FENCE] == ()
