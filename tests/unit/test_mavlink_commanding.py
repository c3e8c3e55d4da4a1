"""Flight commands until they are answered, in each firmware's own way; and frames of another ground station passed on."""

import msgspec
import pymavlink.dialects.v20.ardupilotmega as dialect
import pytest

from telemetry.model.commands import FlightAction, FlightCommand, RelayFrames, UploadMission
from telemetry.model.errors import ConflictError, InputError
from telemetry.model.events import CommandAnswered
from telemetry.sources.mavlink.frame import FrameReader, encode
from tests.mavlink_scene import KEY
from tests.pymavlink_autopilot import SECOND, Autopilot, BadLine, Manners, Message
from tests.unit.test_mavlink_transfer import line_to, mission_of

BOTH = pytest.mark.parametrize("manners", list(Manners))
AUTO = {Manners.ARDUPILOT: 3, Manners.PX4: 4 << 16 | 4 << 24}


def order(line: BadLine, action: FlightAction, *, at_most_s: float = 60, **fields: float) -> CommandAnswered:
    """Give a flight command and let time go by until it is answered."""
    command_id = 100 + sum(isinstance(event, CommandAnswered) for event in line.events)
    asked = {"command": "flight", "device_id": 1, "command_id": command_id, "action": action, **fields}
    line.take(line.decoder.send(msgspec.convert(asked, FlightCommand), line.now_us))
    assert line.run(lambda: bool(answered(line, command_id)), at_most_s=at_most_s)
    (answer,) = answered(line, command_id)
    return answer


def answered(line: BadLine, command_id: int) -> list[CommandAnswered]:
    return [event for event in line.events if isinstance(event, CommandAnswered) and event.command_id == command_id]


@BOTH
def test_arming_starting_and_returning_are_answered_and_done(manners: Manners) -> None:
    line = line_to(Autopilot(manners=manners))
    line.take(line.decoder.send(UploadMission(device_id=1, command_id=5, mission=mission_of(4)), line.now_us))
    assert line.run(lambda: bool(answered(line, 5)), at_most_s=60)
    assert order(line, FlightAction.ARM).state == "delivered"
    assert line.vehicle.armed
    assert order(line, FlightAction.START).state == "delivered"
    assert line.vehicle.mode == AUTO[manners]
    assert line.run(lambda: not line.vehicle.armed, at_most_s=30)
    assert order(line, FlightAction.RETURN_HOME).state == "delivered"


@BOTH
def test_a_command_is_said_again_with_a_confirmation_number_until_it_is_answered(manners: Manners) -> None:
    line = line_to(Autopilot(manners=manners))
    line.silent = lambda elapsed_us: elapsed_us < 6 * SECOND
    assert order(line, FlightAction.ARM).state == "delivered"
    arming = [confirmation for command, confirmation in line.vehicle.commands if command == 400]
    assert arming[0] >= 2


def test_the_reason_that_a_vehicle_says_stands_beside_its_refusal() -> None:
    line = line_to(Autopilot(position_ok=False))
    assert order(line, FlightAction.ARM).text == "arming: it tried and failed (it says: PreArm: Need Position Estimate)"
    line.take(line.decoder.send(UploadMission(device_id=1, command_id=5, mission=mission_of(4)), line.now_us))
    assert line.run(lambda: bool(answered(line, 5)), at_most_s=60)
    line.vehicle.armed = True
    answer = order(line, FlightAction.START)
    assert (
        answer.text
        == "starting the mission: it tried and failed (it says: Mode change to AUTO failed: requires position)"
    )


def test_an_arducopter_is_taken_out_of_a_mode_in_which_it_does_not_arm() -> None:
    line = line_to(Autopilot())
    line.vehicle.mode = 17
    line.run(lambda: False, at_most_s=3)
    assert order(line, FlightAction.ARM).state == "delivered"
    assert (line.vehicle.armed, line.vehicle.mode) == (True, 4)


def test_a_command_in_progress_is_waited_for_and_not_said_again() -> None:
    line = line_to(Autopilot(manners=Manners.PX4))
    line.vehicle.in_progress = 1
    line.take(line.decoder.send(FlightCommand(device_id=1, command_id=9, action=FlightAction.ARM), line.now_us))
    line.run(lambda: False, at_most_s=8)
    assert [command for command, _ in line.vehicle.commands if command == 400] == [400]
    assert answered(line, 9) == []
    assert line.run(lambda: bool(answered(line, 9)), at_most_s=8)
    assert answered(line, 9)[0].state == "delivered"


def test_what_is_urgent_does_not_wait_for_what_was_asked_before() -> None:
    line = line_to(Autopilot())
    line.silent = lambda elapsed_us: elapsed_us < 4 * SECOND
    line.take(line.decoder.send(FlightCommand(device_id=1, command_id=8, action=FlightAction.START), line.now_us))
    assert order(line, FlightAction.RETURN_HOME).state == "delivered"
    assert answered(line, 8)[0].text == "given up for a newer order: return_home"
    assert line.vehicle.mode == 6


def test_an_answer_to_what_was_said_before_is_not_taken_for_one_to_the_urgent_order() -> None:
    line = line_to(Autopilot(), delay_us=500_000)
    line.vehicle.mode = 5
    line.run(lambda: False, at_most_s=3)
    line.take(line.decoder.send(FlightCommand(device_id=1, command_id=8, action=FlightAction.CONTINUE), line.now_us))
    line.run(lambda: False, at_most_s=0.5)
    line.loses_next = 2  # the order, and the question for its home that goes with it
    assert order(line, FlightAction.HOLD).state == "delivered"
    assert line.vehicle.mode == 4


def test_an_urgent_order_is_taken_however_many_wait() -> None:
    line = line_to(Autopilot())
    line.silent = lambda elapsed_us: elapsed_us < 3 * SECOND
    for number in range(8):
        line.take(
            line.decoder.send(FlightCommand(device_id=1, command_id=number, action=FlightAction.ARM), line.now_us)
        )
    with pytest.raises(ConflictError, match="8 commands wait"):
        line.decoder.send(FlightCommand(device_id=1, command_id=9, action=FlightAction.ARM), line.now_us)
    assert order(line, FlightAction.RETURN_HOME).state == "delivered"


def test_no_answer_at_all_is_told_after_all_attempts() -> None:
    line = line_to(Autopilot())
    line.silent = lambda _: True
    answer = order(line, FlightAction.LAND, at_most_s=120)
    assert answer.state == "refused"
    assert "no answer in" in answer.text


def test_a_pause_that_the_vehicle_does_not_know_becomes_its_own_way_of_standing_still() -> None:
    line = line_to(Autopilot())
    assert order(line, FlightAction.PAUSE).state == "delivered"
    assert line.vehicle.mode == 17
    assert order(line, FlightAction.CONTINUE).state == "delivered"
    assert line.vehicle.mode == 3


@pytest.mark.parametrize(
    ("action", "fields", "words"),
    [
        (FlightAction.GO_TO, {}, "no place to go to"),
        (FlightAction.GO_TO, {"lat_e7": 910_000_000, "lon_e7": 0}, "no place to go to"),
        (FlightAction.GO_TO, {"lat_e7": 360_000_000, "lon_e7": 0}, "its height is not known yet"),
        (FlightAction.GO_TO, {"lat_e7": 360_000_000, "lon_e7": 0, "alt_home_m": -4}, "alt_home_m -4 m to go there"),
        (FlightAction.TAKE_OFF, {}, "must be told how high"),
        (FlightAction.SET_CURRENT, {}, "no item to go on with"),
    ],
)
def test_a_value_that_is_missing_or_wrong_is_refused_before_anything_is_sent(
    action: FlightAction, fields: dict[str, float], words: str
) -> None:
    line = line_to(Autopilot())
    with pytest.raises(InputError, match=words):
        order(line, action, **fields)


def test_a_place_is_sent_whole_with_the_height_above_home() -> None:
    line = line_to(Autopilot())
    seen: list[Message] = []
    line.vehicle._on_command_int = lambda message, _: seen.append(message)  # type: ignore[assignment,method-assign]
    command = FlightCommand(
        device_id=1, action=FlightAction.GO_TO, lat_e7=360_612_345, lon_e7=1_038_300_001, alt_home_m=55.5
    )
    line.take(line.decoder.send(command, line.now_us))
    line.run(lambda: bool(seen), at_most_s=5)
    (said, *_) = seen
    assert (said.command, said.frame, said.x, said.y, said.z) == (192, 6, 360_612_345, 1_038_300_001, 55.5)


def of_qgroundcontrol(target_system: int, *, version: int = 1) -> bytes:
    fields = {"target_system": target_system, "target_component": 1, "command": 400, "param1": 1.0}
    return encode("COMMAND_LONG", fields, system_id=255, component_id=190, sequence=77, version=version)


def test_frames_of_another_ground_station_are_signed_with_our_key_and_keep_their_sender_and_content() -> None:
    line = line_to(Autopilot(key=KEY))
    data = of_qgroundcontrol(1) + encode("HEARTBEAT", {"type": 6}, system_id=255, component_id=190, sequence=3)
    replies = line.decoder.send(RelayFrames(device_id=1, data=data), line.now_us).replies
    reader = dialect.MAVLink(None)
    reader.signing.secret_key = KEY
    command, heartbeat = reader.parse_buffer(b"".join(reply.data for reply in replies))
    assert (command.get_type(), command.param1, command.command) == ("COMMAND_LONG", 1.0, 400)
    assert (command.get_srcSystem(), command.get_srcComponent()) == (255, 190)
    assert command.get_signed()
    assert heartbeat.type == 6
    assert [frame.sequence for reply in replies for frame in FrameReader().feed(reply.data)] == [0, 1]


def test_frames_for_another_vehicle_are_left_out_and_counted() -> None:
    line = line_to(Autopilot())
    output = line.decoder.send(RelayFrames(device_id=1, data=of_qgroundcontrol(2) + of_qgroundcontrol(1)), line.now_us)
    assert len(output.replies) == 1
    assert output.bad == {"relayed_for_others": 1}


@pytest.mark.parametrize(
    "data",
    [
        of_qgroundcontrol(2),
        encode("HEARTBEAT", {"type": 2}, system_id=1, component_id=1, sequence=0),
        b"no frame",
        bytes(70_000),
    ],
)
def test_nothing_but_frames_for_the_vehicle_is_passed_on(data: bytes) -> None:
    line = line_to(Autopilot())
    with pytest.raises(InputError, match="another ground station"):
        line.decoder.send(RelayFrames(device_id=1, data=data), line.now_us)
