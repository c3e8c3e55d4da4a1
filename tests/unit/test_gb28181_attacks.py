"""Who is not a registered camera is not believed: replays, forgeries, strangers, other devices' names, monstrous bodies."""

import time
import tracemalloc

import msgspec
import pytest

from telemetry.model.decoding import Peer, SourceContext
from telemetry.sources.gb28181 import open_source
from telemetry.sources.gb28181.camera import Camera
from telemetry.sources.gb28181.manscdp import XmlError, read_document
from telemetry.sources.gb28181.sip import SipError, parse, user_of
from telemetry.sources.gb28181.stream import MessageSplitter
from tests.gb28181_scene import (
    CAMERA,
    NOW_US,
    OPTIONS,
    OTHER,
    PEER,
    Scene,
    device,
    fix,
    message,
    plan,
    registry,
    source,
)

STRANGER = Peer(transport="udp", host="66.6.6.6", port=5060, local_host="10.0.0.1", local_port=5060)
POSITION = (
    f"<Notify><CmdType>MobilePosition</CmdType><SN>9</SN><DeviceID>{CAMERA}</DeviceID><Time>2026-09-21T22:26:40</Time>"
    "<Longitude>103.9</Longitude><Latitude>36.1</Latitude></Notify>"
).encode()


def registers(scene: Scene) -> list[bytes]:
    return [data for data in scene.heard if data.startswith(b"REGISTER") and b"Authorization" in data]


def with_branch(data: bytes, branch: str) -> bytes:
    before = parse(data).branch
    return data.replace(before.encode(), branch.encode())


@pytest.mark.parametrize("qop", ["auth", "none"])
def test_a_registration_that_is_sent_again_from_anywhere_registers_nobody(qop: str) -> None:
    table = registry()
    scene = Scene(source(table, qop=qop), table=table)
    scene.start()
    (captured,) = registers(scene)
    again = with_branch(captured, "z9hG4bKreplayed")
    assert scene.ask(again, scene.server.decoder(STRANGER)) == b"401 Unauthorized"
    assert scene.ask(again) == b"401 Unauthorized"
    assert scene.bad() == {"stale_nonce": 1, "replayed_digest": 1}


def test_a_captured_registration_is_worth_nothing_a_minute_later() -> None:
    scene = Scene()
    challenge = scene.decoder.feed(scene.camera.start(NOW_US)[0], NOW_US).replies[0].data
    (answered,) = scene.camera.feed(challenge, NOW_US)
    scene.now_us += 60_000_001
    assert scene.ask(answered) == b"401 Unauthorized"
    assert b"stale=true" in scene.said[-1]
    scene.now_us -= 1
    assert scene.ask(answered) == b"200 OK"


def test_a_nonce_of_another_process_is_worth_nothing() -> None:
    scene = Scene()
    challenge = scene.decoder.feed(scene.camera.start(NOW_US)[0], NOW_US).replies[0].data
    (answered,) = scene.camera.feed(challenge, NOW_US)
    context = SourceContext(registry=scene.registry, link_group="main", options=OPTIONS, process_secret=b"another")
    assert scene.ask(answered, open_source(context).decoder(PEER)) == b"401 Unauthorized"


def test_nobody_unregisters_a_camera_without_its_password() -> None:
    scene = Scene()
    scene.start()
    (captured,) = registers(scene)
    sip = parse(captured)
    bare = message(
        method="REGISTER", call_id=sip.call_id, to=f"<sip:{CAMERA}@x>", headers=(("Expires", "0"), ("Contact", "*"))
    )
    for decoder in (scene.decoder, scene.server.decoder(STRANGER)):
        assert scene.ask(bare.replace(b"z9hG4bK", b"z9hG4bKx"), decoder) == b"401 Unauthorized"
    ended = with_branch(captured, "z9hG4bKended").replace(b"Expires: 3600", b"Expires: 0")
    assert scene.ask(ended) == b"401 Unauthorized"
    scene.deliver(scene.camera.report([fix(scene.now_us)], scene.now_us))
    assert len(scene.camera.take_acknowledged()) == 1


def test_a_camera_unregisters_itself_by_its_password_and_is_not_believed_afterwards() -> None:
    scene = Scene()
    scene.start()
    scene.deliver(scene.camera.leave(scene.now_us))
    fact = scene.registry.registration(1)
    assert fact is not None
    assert fact.expires_us == 0
    assert scene.tell(POSITION) == b"403 Forbidden"
    assert scene.rows() == []


def test_a_device_cannot_register_under_another_ones_name_with_its_own_password() -> None:
    table = registry(device(), device(2, OTHER))
    scene = Scene(table=table, camera=Camera(plan(password="correct-horse2")))
    scene.deliver(scene.camera.start(NOW_US))
    assert scene.bad() == {"wrong_password": 1}
    thief = Camera(plan(address=OTHER, password="correct-horse2"))
    challenge = scene.decoder.feed(thief.start(NOW_US)[0], NOW_US).replies[0].data
    (answered,) = thief.feed(challenge, NOW_US)
    for_other = (
        answered.replace(f"From: <sip:{OTHER}".encode(), f"From: <sip:{CAMERA}".encode())
        .replace(f"To: <sip:{OTHER}".encode(), f"To: <sip:{CAMERA}".encode())
    )  # fmt: skip
    assert scene.ask(for_other) == b"401 Unauthorized"
    mixed = answered.replace(f"To: <sip:{OTHER}".encode(), f"To: <sip:{CAMERA}".encode())
    assert scene.ask(mixed) == b"403 Forbidden"
    assert not [output for output in scene.outputs if output.facts or output.proven]


def test_positions_from_another_address_or_port_are_refused_even_within_the_dialog() -> None:
    scene = Scene()
    scene.start()
    (notify,) = scene.camera.report([fix(scene.now_us)], scene.now_us)
    for peer in (
        STRANGER,
        Peer(transport="udp", host=PEER.host, port=5999),
        Peer(transport="tcp", host=PEER.host, port=5060),
    ):
        decoder = scene.server.decoder(peer)
        assert scene.ask(notify, decoder) == b"481 Call/Transaction Does Not Exist"
        assert scene.ask(message(POSITION), decoder) == b"403 Forbidden"
    assert scene.rows() == []
    assert scene.bad() == {"not_registered": 6}
    assert scene.ask(notify) == b"200 OK"


def test_a_notify_outside_of_our_dialogs_is_refused_from_the_right_address_too() -> None:
    scene = Scene()
    scene.start()
    (notify,) = scene.camera.report([fix(scene.now_us)], scene.now_us)
    sip = parse(notify)
    for old, new in (
        (sip.call_id, "other"),
        (sip.first("to").rpartition("=")[2], "other"),
    ):
        forged = with_branch(notify.replace(old.encode(), new.encode()), f"z9hG4bK{old}")
        assert scene.ask(forged) == b"481 Call/Transaction Does Not Exist"
    assert scene.rows() == []
    assert scene.bad() == {"notify_without_dialog": 2}


def test_a_camera_whose_notifications_bear_another_tag_than_its_answer_is_heard_our_own_are_secret_enough() -> None:
    scene = Scene()
    scene.start()
    (notify,) = scene.camera.report([fix(scene.now_us)], scene.now_us)
    tag = parse(notify).first("from").rpartition("=")[2]
    assert scene.ask(notify.replace(tag.encode(), b"another")) == b"200 OK"
    assert len(scene.rows()) == 1


def test_nothing_is_honoured_before_the_registration_and_none_of_it_after_it_expired() -> None:
    scene = Scene(camera=Camera(plan(expires_s=60)))
    assert scene.tell(POSITION) == b"403 Forbidden"
    scene.deliver(scene.camera.start(scene.now_us))
    assert scene.tell(POSITION) == b"200 OK"
    scene.now_us += 60_000_000
    assert scene.tell(POSITION) == b"403 Forbidden"
    assert len(scene.rows()) == 1


def test_a_camera_that_was_revoked_or_whose_password_was_changed_is_out_at_once() -> None:
    scene = Scene()
    scene.start()
    scene.registry._secrets = {1: b"another"}
    assert scene.tell(POSITION) == b"403 Forbidden"
    scene.registry._secrets = {1: b"correct-horse"}
    assert scene.tell(POSITION) == b"200 OK"
    scene.registry.register(msgspec.structs.replace(device(), revoked=True), None, 1)
    assert scene.tell(POSITION) == b"403 Forbidden"


def test_a_camera_speaks_only_from_the_addresses_that_it_may_use() -> None:
    table = registry(device(allowed_hosts=("10.9.0.0/16",)))
    scene = Scene(table=table)
    scene.deliver(scene.camera.start(scene.now_us))
    assert scene.camera.refused == [403]
    assert scene.bad() == {"host_not_allowed": 1}
    near = Scene(table=table, peer=Peer(transport="udp", host="10.9.1.1", port=5060))
    near.start()
    assert near.camera.is_registered


def test_positions_for_another_enrolled_device_are_left_out() -> None:
    scene = Scene(table=registry(device(), device(2, OTHER)))
    scene.start()
    assert scene.tell(POSITION.replace(CAMERA.encode(), OTHER.encode())) == b"200 OK"
    assert scene.rows() == []
    assert scene.bad() == {"position_of_other": 1}


def test_guessing_is_locked_for_a_minute_for_the_guessing_host_alone() -> None:
    scene = Scene()
    for number in range(5):
        guess = Camera(plan(password=f"guess{number}", seed=number))
        challenge = scene.server.decoder(STRANGER).feed(guess.start(NOW_US)[0], NOW_US).replies[0].data
        (answered,) = guess.feed(challenge, NOW_US)
        said = scene.ask(answered, scene.server.decoder(STRANGER))
    assert said == b"403 Forbidden"
    right = Camera(plan())
    assert scene.ask(right.start(NOW_US)[0], scene.server.decoder(STRANGER)) == b"403 Forbidden"
    assert [entry.reason for entry in scene.registry.quarantined()] == ["wrong password"]
    scene.start()
    assert scene.camera.is_registered
    scene.now_us += 61_000_000
    assert scene.ask(Camera(plan(seed=9)).start(NOW_US)[0], scene.server.decoder(STRANGER)) == b"401 Unauthorized"


def test_ten_thousand_unknown_ids_cost_bounded_memory_and_leave_the_registered_camera_alone() -> None:
    scene = Scene()
    scene.start()
    decoder = scene.server.decoder(STRANGER)
    flood = [
        message(method="REGISTER", user=f"9901020049132{number:07d}", to=f"<sip:9901020049132{number:07d}@x>")
        for number in range(10_000)
    ]
    tracemalloc.start()
    before_bytes = tracemalloc.get_traced_memory()[0]
    for data in flood:
        output = decoder.feed(data, scene.now_us)
        assert output.replies[0].data.startswith(b"SIP/2.0 403")
    grown_bytes = tracemalloc.get_traced_memory()[0] - before_bytes
    tracemalloc.stop()
    assert grown_bytes < 2_000_000
    assert len(scene.registry.quarantined()) <= 1_000
    assert scene.tell(POSITION) == b"200 OK"


def test_names_that_are_no_ids_are_refused_and_not_kept() -> None:
    scene = Scene()
    for user in ("admin", "1", "4" * 21, "%00", "44010200491320000001x"):
        assert scene.ask(message(method="REGISTER", user=user, to=f"<sip:{user}@x>")) == b"403 Forbidden"
    assert scene.registry.quarantined() == []


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE a [<!ENTITY b "c">]><Notify><CmdType>&b;</CmdType></Notify>',
        b'<?xml version="1.0"?><!DOCTYPE Notify SYSTEM "file:///etc/passwd"><Notify><CmdType>Alarm</CmdType></Notify>',
        b'<!DOCTYPE x [<!ENTITY a0 "ha">'
        + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
        + b"]><Notify><CmdType>&a9;</CmdType></Notify>",
        '<!DOCTYPE Notify [<!ENTITY a "b">]><Notify><CmdType>&a;</CmdType></Notify>'.encode("utf-16"),
        b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE a+AD4-<Notify/>',
        b"<Notify><CmdType>Alarm</CmdType>" + b"x" * 70_000 + b"</Notify>",
        b"<Notify>" + b"<a>" * 20_000,
        b"<Notify/>",
        b"\xff\xfe\x00",
        b"<Notify><CmdType>&undefined;</CmdType></Notify>",
    ],
)
def test_bodies_with_entities_of_monstrous_size_or_form_are_refused(body: bytes) -> None:
    with pytest.raises(XmlError):
        read_document(body)


def test_a_deep_body_is_read_without_falling_down() -> None:
    depth = 9_000
    body = b"<Notify><CmdType>x</CmdType>" + b"<a>" * depth + b"</a>" * depth + b"</Notify>"
    assert read_document(body).command == "x"


def test_a_bad_body_costs_itself_and_is_said_to_be_bad() -> None:
    scene = Scene()
    scene.start()
    assert scene.tell(b"<Notify><CmdType>MobilePosition</CmdType>") == b"400 Bad Request"
    assert scene.tell(POSITION) == b"200 OK"
    assert scene.bad() == {"xml_bad": 1}


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"REGISTER sip:x SIP/2.0\r\n\r\n",
        b"REGISTER sip:x SIP/2.0\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"REGISTER sip:x SIP/2.0\r\nA: " + b"b" * 20_000 + b"\r\n\r\n",
        b"MESSAGE sip:x SIP/2.0\r\nVia: a\r\nFrom: b\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\n\r\n" + b"x" * 70_000,
        b"\x00" * 100,
        b"SIP/2.0 999 no\r\n\r\n",
        b"",
    ],
)
def test_what_is_no_sip_message_is_refused(data: bytes) -> None:
    with pytest.raises(SipError):
        parse(data)


def test_a_stream_that_announces_a_huge_body_is_closed_and_one_that_never_ends_a_head_stays_small() -> None:
    scene = Scene(peer=Peer(transport="tcp", host="10.1.2.3", port=40_000))
    huge = b"MESSAGE sip:x SIP/2.0\r\nVia: a\r\nFrom: b\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\nContent-Length: 99999999\r\n\r\n"
    assert "at most 65536" in str(scene.decoder.feed(huge, NOW_US).close)
    splitter = MessageSplitter()
    splitter.feed(b"MESSAGE sip:x SIP/2.0\r\n")
    for _ in range(1_000):
        assert splitter.feed(b"A: " + b"b" * 100 + b"\r\n") == []
    assert splitter.begun_bytes < 40_000


def test_a_header_that_a_device_sends_cannot_break_out_of_our_answer() -> None:
    scene = Scene()
    data = message(method="REGISTER", to=f"<sip:{CAMERA}@x>").replace(b"Call-ID: ", b"Call-ID: a\rX-Evil: b")
    scene.ask(data)
    assert b"\r\nX-Evil" not in scene.said[-1]
    assert b"\rX-Evil" not in scene.said[-1]


def test_messages_before_a_monstrous_one_are_served_and_none_after_it() -> None:
    scene = Scene(peer=Peer(transport="tcp", host="10.1.2.3", port=5060, local_host="10.0.0.1", local_port=5060))
    scene.start()
    huge = message(b"").replace(b"Content-Length: 0", b"Content-Length: 70000")
    output = scene.decoder.feed(message(POSITION) + huge + message(POSITION), scene.now_us)
    assert len(output.batch) == 1
    assert output.close
    assert not scene.decoder.feed(message(POSITION), scene.now_us).batch.size


def test_nobody_buys_seconds_of_ours_with_one_datagram() -> None:
    began_s = time.process_time()
    for _ in range(100):
        assert user_of("sip:" * 4_000) == ""
    with pytest.raises(XmlError):
        read_document(b" " * 60_000 + b"<")
    assert read_document(b"<Notify><CmdType>x</CmdType>" + b" " * 60_000 + b"</Notify>").command == "x"
    assert time.process_time() - began_s < 0.2


def test_what_is_remembered_of_answers_is_small_however_long_the_requests_are() -> None:
    scene = Scene()
    scene.start()
    tracemalloc.start()
    before_bytes = tracemalloc.get_traced_memory()[0]
    for number in range(500):
        name = f"{number:08d}" * 800
        scene.decoder.feed(message(method="OPTIONS", branch=name, call_id=name), scene.now_us)
        scene.decoder.feed(message(POSITION, branch=name, call_id=name), scene.now_us)
    grown_bytes = tracemalloc.get_traced_memory()[0] - before_bytes
    tracemalloc.stop()
    assert grown_bytes < 500_000
