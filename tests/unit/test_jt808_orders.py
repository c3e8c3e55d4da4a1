"""What we ask of JT/T 808 terminals, and that their answers find the command that they belong to."""

from typing import cast

import pytest

from telemetry.model.commands import (
    CloseVideo,
    Command,
    CommandState,
    OpenVideo,
    RequestParameters,
    RequestPosition,
    SendText,
    SetParameters,
    SetReportInterval,
    TrackFaster,
)
from telemetry.model.decoding import Peer, SourceContext
from telemetry.model.errors import InputError, NotFoundError
from telemetry.model.events import CommandAnswered, DeviceInfo, DeviceParameters, VideoChanged
from telemetry.sources.jt808 import TAKES, open_source
from telemetry.sources.jt808 import messages as m
from telemetry.sources.jt808.media import media_of
from telemetry.sources.jt808.parameters import BY_NAME, HIDDEN, read_parameters, write_parameters
from telemetry.sources.jt808.terminal import Edition, Heard, Terminal
from tests.jt808_scene import PHONE, START_US, Call, fix_at, registry_of

MEDIA = {"media": "rtmp/media.example:1078"}


def order(call: Call, command: Command) -> Heard:
    """Send a command; the terminal hears it and its answer is heard."""
    heard = call.hear(call.decoder.send(command, call.now_us))
    call.say(heard.data)
    return heard


def answers_of(call: Call) -> list[tuple[int, str, str]]:
    events = [cast(CommandAnswered, event) for event in call.events_of(CommandAnswered)]
    return [(event.command_id, event.state, event.text) for event in events]


@pytest.mark.parametrize("edition", list(Edition))
def test_a_text_is_shown_and_spoken_in_chinese_and_its_delivery_is_told(edition: Edition) -> None:
    call = Call(edition=edition).connect()
    heard = order(call, SendText(device_id=7, command_id=42, text="请立即返回派出所", is_spoken=True, is_urgent=True))
    assert heard.orders[0].text == "请立即返回派出所"
    assert call.frames[-1].body[0] == 0b1101
    assert answers_of(call) == [(42, CommandState.DELIVERED, "")]


def test_what_gbk_lacks_does_not_cost_the_rest_of_a_text() -> None:
    call = Call().connect()
    assert order(call, SendText(device_id=7, text="到场 🚓 了")).orders[0].text == "到场 ? 了"


@pytest.mark.parametrize("answered", [0, 1])
def test_a_long_text_goes_in_parts_and_an_answer_to_any_of_them_is_its_answer(answered: int) -> None:
    call = Call().connect()
    output = call.decoder.send(SendText(device_id=7, command_id=5, text="警" * 512), START_US)
    heard = call.hear(output)
    assert [frame.parts for frame in call.frames[-2:]] == [2, 2]
    assert heard.orders[0].text == "警" * 512
    serial = call.frames[-2 + answered].serial
    call.say(call.terminal.reply(serial, m.TEXT).data)
    assert answers_of(call) == [(5, CommandState.DELIVERED, "")]
    call.say(call.terminal.reply(call.frames[-1].serial, m.TEXT).data)
    assert len(answers_of(call)) == 1


def test_a_terminal_that_lost_a_part_of_a_long_text_gets_it_again() -> None:
    call = Call().connect()
    call.decoder.send(SendText(device_id=7, command_id=5, text="警" * 512), START_US)
    first = call.decoder._serials.following - 2
    request = first.to_bytes(2) + b"\x00\x01" + b"\x00\x02"
    call.say(call.terminal.say(m.RESEND_FROM_US, request).data)
    assert [(frame.part, frame.serial) for frame in call.frames[-1:]] == [(2, first + 1)]


@pytest.mark.parametrize(
    ("result", "words"), [(1, "could not"), (2, "is wrong"), (3, "does not know"), (9, "result 9")]
)
def test_a_refusal_is_told_in_words(result: int, words: str) -> None:
    call = Call().connect()
    call.hear(call.decoder.send(RequestParameters(device_id=7, command_id=3), START_US))
    call.say(call.terminal.reply(call.frames[-1].serial, m.QUERY_PARAMETERS, result).data)
    ((command_id, state, text),) = answers_of(call)
    assert (command_id, state) == (3, CommandState.REFUSED)
    assert words in text


def test_a_position_asked_for_answers_the_command_and_is_a_position() -> None:
    call = Call().connect()
    heard = order(call, RequestPosition(device_id=7, command_id=8))
    assert heard.data == b""
    call.say(call.terminal.position_answer(heard.orders[0].serial, fix_at()).data)
    assert answers_of(call) == [(8, CommandState.DELIVERED, "")]
    assert call.batch["lat_e7"].tolist() == [295_630_120]


def test_reporting_faster_and_another_interval_are_whole_seconds() -> None:
    call = Call().connect()
    heard = order(call, TrackFaster(device_id=7, interval_s=2.0, duration_s=600.0))
    assert (heard.orders[0].interval_s, heard.orders[0].duration_s) == (2, 600)
    assert order(call, SetReportInterval(device_id=7, interval_s=15)).orders[0].interval_s == 15
    assert call.frames[-1].body.hex() == "01" + "00000029" + "04" + "0000000f"
    for bad in (
        SetReportInterval(device_id=7, interval_s=0.5),
        TrackFaster(device_id=7, interval_s=1, duration_s=90_000),
        SendText(device_id=7, text="警" * 513),
        SendText(device_id=7, text=""),
        OpenVideo(device_id=7),
        SetParameters(device_id=7, values={"no_such": "1"}),
    ):
        with pytest.raises(InputError):
            call.decoder.send(bad, START_US)


def test_nobody_waits_for_a_command_without_a_number_and_nobody_answers_anothers() -> None:
    call = Call().connect()
    order(call, SendText(device_id=7, text="1"))
    call.hear(call.decoder.send(SendText(device_id=7, command_id=4, text="2"), START_US))
    call.say(call.terminal.reply(999, m.TEXT).data)
    assert answers_of(call) == []


def test_a_device_that_is_not_connected_takes_no_command() -> None:
    call = Call()
    with pytest.raises(NotFoundError, match="not connected"):
        call.decoder.send(RequestPosition(device_id=7), START_US)
    call.connect()
    with pytest.raises(NotFoundError):
        call.decoder.send(RequestPosition(device_id=8), START_US)


def test_answers_are_not_waited_for_longer_than_ten_minutes() -> None:
    call = Call().connect()
    call.hear(call.decoder.send(SendText(device_id=7, command_id=4, text="2"), START_US))
    serial = call.frames[-1].serial
    call.decoder.tick(START_US + 700_000_000)
    call.say(call.terminal.reply(serial, m.TEXT).data)
    assert answers_of(call) == []


def test_settings_are_written_with_the_widths_of_the_standard_and_read_again() -> None:
    values = {
        "heartbeat_s": "60",
        "server": "10.0.0.1",
        "plate": "渝A12345警",
        "plate_colour": "2",
        "rollover_deg": "30",
    }
    body = write_parameters(values | {"0xf364": "0a0b"})
    assert read_parameters(body, 1) == values | {"0xf364": "0a0b"}
    assert body.startswith(bytes.fromhex("06" + "00000001" + "04" + "0000003c"))
    assert read_parameters(write_parameters({"apn_password": "secret"}), 1) == {"apn_password": HIDDEN}
    with pytest.raises(InputError, match="0 to 255"):
        write_parameters({"plate_colour": "256"})
    with pytest.raises(InputError, match="whole number"):
        write_parameters({"heartbeat_s": "-1"})


def test_a_width_that_is_not_the_standards_stays_raw() -> None:
    assert read_parameters(bytes.fromhex("00000090" + "04" + "00000002"), 0) == {"0x0090": "00000002"}


def test_the_settings_that_reviewers_found_mixed_up_elsewhere_are_pinned() -> None:
    pinned = {
        "heartbeat_s": 0x0001, "server": 0x0013, "tcp_port": 0x0018, "report_by": 0x0020, "sleep_report_s": 0x0027,
        "emergency_report_s": 0x0028, "report_s": 0x0029, "report_m": 0x002C, "corner_deg": 0x0030,
        "highest_speed_kmh": 0x0055, "overspeed_after_s": 0x0056, "odometer_hm": 0x0080, "plate": 0x0083,
        "plate_colour": 0x0084,
    }  # fmt: skip
    assert {name: BY_NAME[name].number for name in pinned} == pinned


def test_settings_asked_for_are_told_by_name() -> None:
    call = Call().connect()
    call.hear(call.decoder.send(RequestParameters(device_id=7, command_id=9), START_US))
    listed = write_parameters({"heartbeat_s": "60", "report_s": "10"})
    call.say(call.terminal.say(m.PARAMETERS, call.frames[-1].serial.to_bytes(2) + listed).data)
    told = cast(DeviceParameters, call.events_of(DeviceParameters)[0])
    assert told.values == {"heartbeat_s": "60", "report_s": "10"}
    assert answers_of(call) == [(9, CommandState.DELIVERED, "")]


def test_a_terminal_is_asked_once_what_it_is() -> None:
    call = Call().connect()
    call.hear(call.decoder.tick(START_US))
    assert call.frames[-1].msg_id == m.QUERY_ATTRIBUTES
    assert not call.decoder.tick(START_US + 1)
    attributes = bytes.fromhex("0007") + b"MAKER" + b"X7".ljust(30, b"\0") + b"42".ljust(30, b"\0") + bytes(10)
    call.say(call.terminal.say(m.ATTRIBUTES, attributes + b"\x02H1\x02F9" + b"\x03\x01").data)
    fields = cast(DeviceInfo, call.events_of(DeviceInfo)[-1]).fields
    assert (fields["maker"], fields["model"], fields["hardware"], fields["firmware"]) == ("MAKER", "X7", "H1", "F9")


def test_video_goes_to_the_named_server_alone_and_its_place_is_told_when_the_terminal_agrees() -> None:
    call = Call(options=MEDIA).connect()
    heard = order(call, OpenVideo(device_id=7, command_id=2, channel="3"))
    assert (heard.orders[0].host, heard.orders[0].port, heard.orders[0].channel) == ("media.example", 1078, 3)
    order(call, CloseVideo(device_id=7, channel="3"))
    opened, closed = (cast(VideoChanged, event) for event in call.events_of(VideoChanged))
    assert (opened.channel, opened.url) == ("3", f"rtmp://media.example/live/{PHONE}_3")
    assert (closed.channel, closed.url) == ("3", "")


def test_video_that_the_terminal_refuses_is_not_told_as_begun() -> None:
    call = Call(options=MEDIA).connect()
    call.hear(call.decoder.send(OpenVideo(device_id=7, command_id=2), START_US))
    call.say(call.terminal.reply(call.frames[-1].serial, m.OPEN_VIDEO, 3).data)
    assert not call.events_of(VideoChanged)
    assert answers_of(call)[0][1] == CommandState.REFUSED


@pytest.mark.parametrize(
    "options", [{"media": "media.example:1078"}, {"media": "rtmp/h:70000"}, {**MEDIA, "watch": "x/{secret}"}]
)
def test_a_media_server_that_is_not_named_rightly_is_refused_when_the_link_opens(options: dict[str, str]) -> None:
    with pytest.raises(InputError):
        open_source(SourceContext(registry=registry_of(), link_group="main", options=options))


def test_where_video_is_watched_can_be_said_by_a_template() -> None:
    media = media_of({**MEDIA, "watch": "https://watch.example/{device}/{channel}.flv"})
    assert media is not None
    assert media.url_of(phone=PHONE, device_id=7, channel=2) == "https://watch.example/7/2.flv"


def test_the_room_says_which_commands_it_takes() -> None:
    assert {kind.__name__ for kind in TAKES} >= {"SendText", "TrackFaster", "OpenVideo", "ConfirmAlarm"}


def test_a_replay_sends_nothing() -> None:
    call = Call(peer=Peer(transport="tcp", is_trusted=True))
    call.say(call.terminal.position(fix_at()).data)
    assert not call.decoder.tick(START_US).replies
    with pytest.raises(NotFoundError):
        call.decoder.send(RequestPosition(device_id=7), START_US)


def test_a_terminal_s_own_phone_must_fit_its_edition() -> None:
    with pytest.raises(InputError):
        Terminal("1" * 13, edition=Edition.E2013)
