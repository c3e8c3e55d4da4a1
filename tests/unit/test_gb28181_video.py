"""Live video by signalling: INVITE, ACK and BYE from either side, and what is told of them."""

import pytest

from telemetry.model.commands import (
    CloseVideo,
    OpenVideo,
)
from telemetry.model.errors import InputError
from telemetry.model.events import (
    VideoChanged,
)
from telemetry.sources.gb28181.sip import parse, write_response
from tests.gb28181_scene import CAMERA, SERVER_ID, Scene, message, registry, source

CHANNEL = "44010200491310000007"


def test_video_goes_from_the_camera_to_the_media_server_and_its_address_is_told() -> None:
    table = registry()
    server = source(table, media="10.0.0.9:10000", watch="https://media.example/rtp/{ssrc_hex}.flv")
    scene = Scene(server, table=table)
    scene.start()
    scene.command(OpenVideo(device_id=1, command_id=1, channel=CHANNEL))
    (invite,), (ack,) = scene.asked("INVITE"), scene.asked("ACK")
    assert invite.uri == f"sip:{CHANNEL}@10.1.2.3:5060"
    assert invite.first("subject") == f"{CHANNEL}:0102000001,{SERVER_ID}:0"
    sdp = invite.body.decode().splitlines()
    assert "c=IN IP4 10.0.0.9" in sdp
    assert "m=video 10000 RTP/AVP 96 98 97" in sdp
    assert sdp[-1].startswith("y=0")
    assert ack.uri == f"sip:{CAMERA}@10.1.2.3:5060"
    assert ack.cseq == (1, "ACK")
    assert list(scene.camera.video.values()) == ["10.0.0.9:10000"]
    with pytest.raises(InputError, match="open already"):
        scene.decoder.send(OpenVideo(device_id=1, channel=CHANNEL), scene.now_us)
    scene.command(CloseVideo(device_id=1, command_id=2, channel=CHANNEL))
    assert scene.camera.video == {}
    urls = [(event.channel, event.url) for event in scene.events() if isinstance(event, VideoChanged)]
    ssrc_hex = f"{int(sdp[-1][2:]):08X}"
    assert urls == [(CHANNEL, f"https://media.example/rtp/{ssrc_hex}.flv"), (CHANNEL, "")]
    assert scene.answers() == [(1, "delivered", ""), (2, "delivered", "")]
    with pytest.raises(InputError, match="no video"):
        scene.decoder.send(CloseVideo(device_id=1, channel=CHANNEL), scene.now_us)


def test_video_that_the_camera_ends_or_refuses_is_told_so() -> None:
    table = registry()
    scene = Scene(source(table, media="10.0.0.9:10000"), table=table)
    scene.start()
    scene.command(OpenVideo(device_id=1, command_id=1))
    (invite,) = scene.asked("INVITE")
    bye = message(method="BYE", user=CHANNEL, call_id=invite.call_id, to=invite.first("from"))
    assert scene.ask(bye) == b"200 OK"
    assert scene.ask(message(method="BYE", call_id="x")) == b"481 Call/Transaction Does Not Exist"
    output = scene.decoder.send(OpenVideo(device_id=1, command_id=2), scene.now_us)
    second = parse(output.replies[0].data)
    scene.take(scene.decoder.feed(write_response(second, 100, "Trying"), scene.now_us))
    refused = scene.decoder.feed(write_response(second, 486, "Busy Here", to_tag="x"), scene.now_us)
    scene.outputs.append(refused)
    ack = parse(refused.replies[0].data)
    assert (ack.method, ack.branch, ack.uri) == ("ACK", second.branch, second.uri)
    assert scene.answers() == [(1, "delivered", ""), (2, "refused", "486 Busy Here")]
    assert [event.url for event in scene.events() if isinstance(event, VideoChanged)] == [
        "rtsp://10.0.0.9/rtp/06146581",
        "",
    ]


def test_video_that_is_not_wanted_any_more_before_the_camera_answers_is_ended_as_soon_as_it_does() -> None:
    table = registry()
    scene = Scene(source(table, media="10.0.0.9:10000"), table=table)
    scene.start()
    output = scene.decoder.send(OpenVideo(device_id=1, command_id=1), scene.now_us)
    assert not scene.decoder.send(CloseVideo(device_id=1, command_id=2), scene.now_us).replies
    scene.deliver(scene.take(output))
    assert [sip.method for sip in map(parse, scene.said)][-2:] == ["ACK", "BYE"]
    assert not [event for event in scene.events() if isinstance(event, VideoChanged)]
    assert scene.camera.video == {}


def test_an_answer_to_an_invite_that_comes_again_is_acknowledged_again() -> None:
    table = registry()
    scene = Scene(source(table, media="10.0.0.9:10000"), table=table)
    scene.start()
    scene.command(OpenVideo(device_id=1))
    ok = next(data for data in scene.heard if b"CSeq: 1 INVITE" in data)
    (again,) = scene.decoder.feed(ok, scene.now_us).replies
    assert parse(again.data).method == "ACK"


def test_video_ends_with_the_registration() -> None:
    table = registry()
    scene = Scene(source(table, media="10.0.0.9:10000"), table=table)
    scene.start()
    scene.command(OpenVideo(device_id=1))
    scene.deliver(scene.camera.leave(scene.now_us))
    assert [bool(event.url) for event in scene.events() if isinstance(event, VideoChanged)] == [True, False]


def test_a_camera_that_leaves_while_it_sends_video_is_answered_the_same_when_it_says_so_again() -> None:
    table = registry()
    scene = Scene(source(table, media="10.0.0.9:10000"), table=table)
    scene.start()
    scene.command(OpenVideo(device_id=1))
    (invite,) = scene.asked("INVITE")
    bye = message(method="BYE", user=CHANNEL, call_id=invite.call_id, to=invite.first("from"))
    assert [scene.ask(bye), scene.ask(bye)] == [b"200 OK", b"200 OK"]
    assert scene.registry.quarantined() == []
    scene.command(OpenVideo(device_id=1))
    scene.deliver(scene.camera.leave(scene.now_us))
    last = next(data for data in reversed(scene.heard) if data.startswith(b"REGISTER"))
    assert scene.ask(last) == b"200 OK"
