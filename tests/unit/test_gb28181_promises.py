"""What a camera was told that we have: durable answers, refusals, requests that come again, restarts on either side."""

import pytest

from telemetry.model.commands import OpenVideo
from telemetry.model.decoding import Peer, Promise, SourceContext
from telemetry.model.errors import InputError
from telemetry.model.events import SosRaised, VideoChanged
from telemetry.sources.gb28181 import open_source
from telemetry.sources.gb28181.camera import Camera
from telemetry.sources.gb28181.sip import parse
from tests.gb28181_scene import CAMERA, OPTIONS, PEER, Scene, fix, message, plan, registry, source

TCP = Peer(transport="tcp", host="10.1.2.3", port=40_000, local_host="10.0.0.1", local_port=5060)
SOS = (
    f"<Notify><CmdType>Alarm</CmdType><SN>1</SN><DeviceID>{CAMERA}</DeviceID><AlarmPriority>1</AlarmPriority>"
    "<AlarmMethod>2</AlarmMethod></Notify>"
).encode()
KEEPALIVE = (
    f"<Notify><CmdType>Keepalive</CmdType><SN>1</SN><DeviceID>{CAMERA}</DeviceID><Status>OK</Status></Notify>".encode()
)


def test_positions_and_alarms_are_answered_by_a_promise_and_signs_of_life_at_once() -> None:
    scene = Scene()
    scene.start()
    (notify,) = scene.camera.report([fix(scene.now_us)], scene.now_us)
    (ok,) = scene.decoder.feed(notify, scene.now_us).replies
    assert ok.promise is Promise.DURABLE
    assert ok.refusal.startswith(b"SIP/2.0 503 Service Unavailable\r\nRetry-After: 10\r\n")
    assert parse(ok.refusal).branch == parse(notify).branch
    taken, answered = scene.decoder.feed(message(SOS), scene.now_us).replies
    assert (taken.promise, answered.promise) == (Promise.DURABLE, Promise.DURABLE)
    assert taken.refusal == b""
    (alive,) = scene.decoder.feed(message(KEEPALIVE), scene.now_us).replies
    assert alive.promise is Promise.NOW


def test_a_request_that_comes_again_is_answered_the_same_and_says_the_very_same_again() -> None:
    scene = Scene()
    scene.start()
    alarm = message(SOS)
    first = scene.decoder.feed(alarm, scene.now_us)
    again = scene.decoder.feed(alarm, scene.now_us + 5_000_000)
    assert again.events == first.events
    assert isinstance(again.events[0], SosRaised)
    assert again.replies[-1].promise is Promise.DURABLE
    assert parse(again.replies[-1].data).status == 200
    (notify,) = scene.camera.report([fix(scene.now_us)], scene.now_us)
    once = scene.decoder.feed(notify, scene.now_us)
    twice = scene.decoder.feed(notify, scene.now_us + 500_000)
    assert (once.batch == twice.batch).all()
    assert once.replies == twice.replies
    alive = message(KEEPALIVE)
    assert scene.decoder.feed(alive, scene.now_us).replies == scene.decoder.feed(alive, scene.now_us + 1).replies


def test_what_was_refused_is_held_again_when_the_same_request_comes_again() -> None:
    scene = Scene()
    scene.start()
    scene.is_journal_full = True
    (notify,) = scene.camera.report([fix(scene.now_us)], scene.now_us)
    assert scene.ask(notify) == b"503 Service Unavailable"
    scene.is_journal_full = False
    output = scene.decoder.feed(notify, scene.now_us + 500_000)
    assert len(output.batch) == 1
    assert output.replies[0].promise is Promise.DURABLE


def test_a_camera_that_is_refused_comes_again_until_everything_is_kept() -> None:
    scene = Scene()
    scene.start()
    fixes = [fix(scene.now_us + second * 1_000_000) for second in range(20)]
    scene.is_journal_full = True
    scene.deliver(scene.camera.report(fixes, scene.now_us))
    assert scene.camera.take_acknowledged() == []
    scene.is_journal_full = False
    scene.run(12)
    assert sorted(scene.camera.take_acknowledged(), key=lambda one: one.observed_us) == fixes
    assert scene.camera.unsaid == 0
    assert {row[1] for row in scene.rows()} >= {one.observed_us for one in fixes}


@pytest.mark.parametrize("peer", [PEER, TCP])
def test_after_our_restart_a_registration_that_holds_is_honoured_from_where_it_came(peer: Peer) -> None:
    scene = Scene(peer=peer)
    scene.start()
    scene.server = source(scene.registry)
    scene.decoder = scene.server.decoder(peer)
    (late,) = scene.camera.report([fix(scene.now_us)], scene.now_us)
    assert scene.ask(late) == b"481 Call/Transaction Does Not Exist"
    assert scene.tell(KEEPALIVE) == b"200 OK"
    assert scene.outputs[-2].proven == (1,)
    scene.run(3)
    assert scene.camera.is_subscribed
    assert scene.camera.registrations == 1
    assert len(scene.camera.take_acknowledged()) == 1


def test_after_our_restart_a_keepalive_from_elsewhere_or_too_late_makes_the_camera_register_again() -> None:
    scene = Scene()
    scene.start()
    fresh = source(scene.registry)
    moved = fresh.decoder(Peer(transport="udp", host=PEER.host, port=6000))
    assert scene.ask(message(KEEPALIVE), moved) == b"403 Forbidden"
    scene.now_us += 3_600_000_000
    assert scene.ask(message(KEEPALIVE), fresh.decoder(PEER)) == b"403 Forbidden"


def test_a_camera_that_hears_403_registers_again_and_loses_nothing() -> None:
    scene = Scene()
    scene.start()
    scene.registry._registrations.clear()
    scene.server = source(scene.registry)
    scene.decoder = scene.server.decoder(PEER)
    for second in range(70):
        scene.deliver(scene.camera.report([fix(scene.now_us + second)], scene.now_us))
        scene.run(1)
    assert scene.camera.registrations == 2
    assert scene.camera.unsaid == 0
    assert len(scene.camera.take_acknowledged()) == 70


def test_a_camera_behind_a_nat_that_gives_it_another_port_registers_again_from_there() -> None:
    scene = Scene()
    scene.start()
    before = scene.decoder
    scene.decoder = scene.server.decoder(Peer(transport="udp", host=PEER.host, port=33_333, local_host="10.0.0.1"))
    scene.deliver(scene.camera.report([fix(scene.now_us)], scene.now_us))
    scene.run(70)
    assert scene.camera.registrations == 2
    assert len(scene.camera.take_acknowledged()) == 1
    fact = scene.registry.registration(1)
    assert fact is not None
    assert fact.port == 33_333
    assert f"sip:{CAMERA}@10.1.2.3:33333".encode() in b"".join(scene.said)
    assert not before.tick(scene.now_us)


def test_a_camera_that_was_started_anew_is_subscribed_to_again_at_once() -> None:
    scene = Scene()
    scene.start()
    scene.camera = Camera(plan(seed=2))
    scene.deliver(scene.camera.start(scene.now_us))
    scene.run(2)
    assert scene.camera.is_subscribed


def test_answers_name_where_the_request_really_came_from() -> None:
    scene = Scene()
    scene.tell(KEEPALIVE)
    via = parse(scene.said[-1]).first("via")
    assert via.endswith(";received=10.1.2.3;rport=5060")
    assert ";rport;" not in via


def test_the_registration_is_answered_with_contact_life_and_the_cameras_local_time() -> None:
    scene = Scene()
    scene.deliver(scene.camera.start(scene.now_us))
    ok = next(sip for sip in map(parse, scene.said) if sip.cseq[1] == "REGISTER" and sip.status == 200)
    assert ok.first("contact") == f"<sip:{CAMERA}@10.1.2.3:5060>;expires=3600"
    assert ok.first("expires") == "3600"
    assert ok.first("date") == "2026-09-21T22:13:20.000"


def test_the_log_of_received_bytes_is_read_again_without_secrets_and_without_answers() -> None:
    scene = Scene()
    scene.start()
    scene.deliver(scene.camera.report([fix(scene.now_us)], scene.now_us))
    scene.deliver(scene.camera.press_sos(fix(scene.now_us), scene.now_us))
    peer = Peer(transport="udp", host=PEER.host, port=PEER.port, is_trusted=True)
    again = source(scene.registry).decoder(peer)
    outputs = [again.feed(data, scene.now_us) for data in scene.heard]
    rows = [row.item() for output in outputs for row in output.batch]
    assert rows == scene.rows()
    assert [event for output in outputs for event in output.events if isinstance(event, SosRaised)]
    assert not [output for output in outputs if output.replies or output.facts or output.proven]


def test_an_ended_connection_begins_again_with_nothing_lost() -> None:
    scene = Scene(peer=TCP)
    scene.start()
    scene.camera.report([fix(scene.now_us), fix(scene.now_us + 1_000_000)], scene.now_us)
    scene.decoder = scene.server.decoder(Peer(transport="tcp", host=TCP.host, port=40_001, local_host="10.0.0.1"))
    scene.deliver(scene.camera.start(scene.now_us))
    scene.run(3)
    assert len(scene.camera.take_acknowledged()) == 2


def test_a_process_without_a_secret_gives_no_nonces() -> None:
    with pytest.raises(InputError, match="32 random bytes"):
        open_source(SourceContext(registry=registry(), link_group="main", options=OPTIONS))


def test_a_camera_that_uses_one_branch_for_everything_loses_no_alarm() -> None:
    scene = Scene()
    scene.start()
    assert scene.tell(KEEPALIVE, branch="z9hG4bKalways") == b"200 OK"
    assert scene.tell(SOS, branch="z9hG4bKalways") == b"200 OK"
    assert [event for event in scene.events() if isinstance(event, SosRaised)]


def test_a_registered_camera_proves_itself_to_a_decoder_that_was_made_anew_for_its_address() -> None:
    scene = Scene()
    scene.start()
    fresh = scene.server.decoder(PEER)
    assert fresh.feed(message(KEEPALIVE), scene.now_us).proven == (1,)
    assert fresh.feed(message(KEEPALIVE), scene.now_us).proven == ()


def test_a_call_for_help_in_a_dialog_of_before_our_restart_is_heard_and_the_dialog_ended() -> None:
    scene = Scene()
    scene.start()
    scene.server = source(scene.registry)
    scene.decoder = scene.server.decoder(PEER)
    assert scene.ask(message(SOS, method="NOTIFY", to="<sip:x@y>;tag=old")) == b"481 Call/Transaction Does Not Exist"
    assert [event for event in scene.events() if isinstance(event, SosRaised)]
    stranger = Peer(transport="udp", host="66.6.6.6", port=5060)
    output = scene.server.decoder(stranger).feed(message(SOS, method="NOTIFY"), scene.now_us)
    assert not output.events


def test_an_alarm_is_not_answered_for_a_sign_of_life_whose_names_a_camera_uses_again() -> None:
    scene = Scene()
    scene.start()
    for body in (KEEPALIVE, SOS):
        output = scene.decoder.feed(message(body, branch="z9hG4bKalways", call_id="always"), scene.now_us)
    assert [event for event in output.events if isinstance(event, SosRaised)]
    assert {reply.promise for reply in output.replies} == {Promise.DURABLE}


def test_a_camera_that_renews_its_registration_by_another_call_id_loses_no_position_no_video_and_no_dialog() -> None:
    table = registry()
    scene = Scene(source(table, media="10.0.0.9:10000"), table=table)
    scene.start()
    scene.command(OpenVideo(device_id=1))
    dialogs = {sip.call_id for sip in scene.asked("SUBSCRIBE")}
    renewing = Camera(plan(seed=77))
    said = renewing.start(scene.now_us)
    for _ in range(2):
        output = scene.decoder.feed(said[0], scene.now_us)
        said = renewing.feed(output.replies[0].data, scene.now_us)
    assert renewing.is_registered
    (notify,) = scene.camera.report([fix(scene.now_us)], scene.now_us)
    assert scene.ask(notify) == b"200 OK"
    scene.run(3)
    assert {sip.call_id for sip in scene.asked("SUBSCRIBE")} == dialogs
    assert len(scene.asked("SUBSCRIBE")) == 4, "each is asked whether it still lives"
    assert scene.camera.video
    assert [bool(event.url) for event in scene.events() if isinstance(event, VideoChanged)] == [True]


def test_the_video_of_a_camera_that_was_started_anew_is_over() -> None:
    table = registry()
    scene = Scene(source(table, media="10.0.0.9:10000"), table=table)
    scene.start()
    scene.command(OpenVideo(device_id=1))
    scene.camera = Camera(plan(seed=2))
    scene.deliver(scene.camera.start(scene.now_us))
    scene.run(2)
    assert [bool(event.url) for event in scene.events() if isinstance(event, VideoChanged)] == [True, False]
