"""What hostile and odd JT/T 808 terminals may not cost: seconds, memory, another's identity, or their own way in."""

import time
from typing import cast

import pytest

from telemetry.model.events import DeviceParameters, VendorData
from telemetry.sources.jt808 import messages as m
from telemetry.sources.jt808.frame import Form, FrameReader, write
from telemetry.sources.jt808.items import split_items, vendor_of
from telemetry.sources.jt808.terminal import Edition, position_body
from tests.jt808_scene import CODE, PHONE, Call, device_of, fix_at, frames_in, registry_of

OLD_FORM = Form(bytes.fromhex(PHONE.rjust(12, "0")))
LYING_FORM = OLD_FORM._replace(says_2019=True)


def test_a_terminal_that_repeats_an_item_without_end_buys_no_seconds_and_no_room() -> None:
    call = Call().connect()
    began_s = time.process_time()
    items = vendor_of(split_items(b"\xe0\x00" * 30_000, 0))
    assert time.process_time() - began_s < 0.5
    assert list(items) == ["0xe0", *[f"0xe0#{again}" for again in range(2, 9)]]
    body = position_body(fix_at()) + b"\xe0\x00" * 490
    assert call.say(call.terminal.say(m.POSITION, body).data).acknowledged
    assert len(cast(VendorData, call.events_of(VendorData)[-1]).items) == 8


def test_a_terminal_that_tells_more_settings_than_can_be_counted_is_heard_out_to_255() -> None:
    call = Call().connect()
    settings = b"".join((0x1_0000 + number).to_bytes(4) + b"\x00" for number in range(2_000))
    (speaker,) = call.decoder._speakers.values()
    parts = [settings[at : at + 1_000] for at in range(0, len(settings), 1_000)]
    for number, part in enumerate(parts, 1):
        body = b"\x00\x01\xff" + part if number == 1 else part
        call.say(write(m.PARAMETERS, body, speaker.form, 100 + number, part=number, parts=len(parts)))
    (told,) = call.events_of(DeviceParameters)
    assert len(cast(DeviceParameters, told).values) == 255


@pytest.mark.parametrize("padding", [b"\0\0\0", b"   ", b" \0\0", b"\0left over", b"\r\n"])
def test_a_code_is_known_however_a_terminal_pads_it(padding: bytes) -> None:
    call = Call()
    for form in (OLD_FORM, LYING_FORM):
        fresh = Call(call.registry).decoder
        output = fresh.feed(write(m.AUTHENTICATE, CODE.encode() + padding, form, 0), call.now_us)
        assert output.proven == (7,)
    counted = bytes([len(CODE) + len(padding)]) + CODE.encode() + padding + bytes(35)
    form = Form(bytes.fromhex(PHONE.rjust(20, "0")), 1, says_2019=True)
    assert Call(call.registry).decoder.feed(write(m.AUTHENTICATE, counted, form, 0), call.now_us).proven == (7,)


def test_padding_alone_is_no_code() -> None:
    call = Call(registry_of(device_of(), code=""))
    for code in (b"", b"\0", b" ", b"\0" + CODE.encode()):
        assert not call.decoder.feed(write(m.AUTHENTICATE, code, OLD_FORM, 0), call.now_us).proven


@pytest.mark.parametrize("edition", list(Edition))
def test_a_proven_terminal_that_registers_each_minute_is_told_the_code_that_it_showed_and_goes_on(
    edition: Edition,
) -> None:
    call = Call(edition=edition).connect()
    stranger = Call(call.registry, edition=edition, code=None)
    for _ in range(30):
        call.now_us += 60_000_000
        output = call.decoder.feed(call.terminal.register().data, call.now_us)
        (reply,) = frames_in(output.replies[0].data)
        assert (reply.msg_id, reply.body[2], reply.body[3:]) == (m.REGISTER_REPLY, m.Registered.DONE, CODE.encode())
        assert call.say(call.terminal.position(fix_at(call.now_us)).data).acknowledged
    output = stranger.decoder.feed(stranger.terminal.register().data, call.now_us)
    assert CODE.encode() not in output.replies[0].data


def test_sentences_without_end_take_no_quadratic_time() -> None:
    began_s = time.process_time()
    reader = FrameReader()
    assert reader.feed(b"~" + b"()" * 300_000) == []
    assert time.process_time() - began_s < 1.0
    assert len(reader.sentences) == 300_000


def test_what_is_counted_as_bad_was_bad_at_least_once() -> None:
    call = Call().connect()
    output = call.decoder.feed(b"$$" + Call().terminal.heartbeat().data + b"~", call.now_us)
    assert all(output.bad.values())
    fresh = Call(call.registry).decoder.feed(b"$$" + call.terminal.heartbeat().data, call.now_us)
    assert fresh.bad == {"junk": 1, "unproven": 1}
