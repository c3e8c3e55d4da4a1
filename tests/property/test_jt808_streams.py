"""JT/T 808 in any pieces, joined and with garbage between: the same rows, and no bytes that make a decoder raise."""

from typing import Final

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.model.batch import Batch
from telemetry.model.decoding import Output
from telemetry.model.unit import DeviceOptions
from telemetry.sources.jt808 import ENROLMENT, message_reader
from telemetry.sources.jt808 import messages as m
from telemetry.sources.jt808.alarms import AlarmWatch, Seen
from telemetry.sources.jt808.block import find_plain, read_block
from telemetry.sources.jt808.codes import address_of, packed_time, unix_s_of_time
from telemetry.sources.jt808.frame import (
    FLAG,
    LONGEST_BODY_BYTES,
    OTHER_FLAG,
    Form,
    FrameReader,
    escape,
    parse,
    unescape,
    write,
    write_message,
    xor_of,
)
from telemetry.sources.jt808.items import readings_of, split_items, vendor_of
from telemetry.sources.jt808.parts import Assembly
from telemetry.sources.jt808.position import CORE_BYTES, Reading, read_position, rows_of
from telemetry.sources.jt808.terminal import Edition, Terminal, TerminalFix
from tests.jt808_scene import CODE, PHONE, START_US, Call, device_of, fix_at, frames_in, registry_of, same_rows

EDITIONS: Final = st.sampled_from(list(Edition))
ITEMS: Final = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=9)), max_size=6).map(tuple)
FIXES: Final = st.builds(
    fix_at,
    st.integers(START_US - 10**13, START_US + 10**12).map(lambda us: us // 1_000_000 * 1_000_000),
    lat_deg=st.floats(-90, 90),
    lon_deg=st.floats(-180, 180),
    alt_msl_m=st.integers(-500, 9000),
    speed_mps=st.floats(0, 400),
    course_deg=st.floats(0, 359),
    alarm_bits=st.sampled_from([0, 0, 0, 1, 1 << 29, 0x7D7E7D7E]),
    status_bits=st.sampled_from([2, 3, 0, 0x22, 0x7E7D0002]),
    items=ITEMS,
)
CORES: Final = st.binary(min_size=CORE_BYTES, max_size=CORE_BYTES + 24)
JUNK: Final = st.binary(max_size=40).map(lambda data: bytes(byte for byte in data if byte not in (FLAG, OTHER_FLAG)))
READING: Final = Reading(7, START_US, 28_800)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Data in pieces, cut at these places (taken modulo its length)."""
    at = sorted({place % (len(data) + 1) for place in places})
    return [data[begin:end] for begin, end in zip([0, *at], [*at, len(data)], strict=True)]


def told(outputs: list[Output]) -> tuple[Batch, list[int], list[str]]:
    """Rows, acknowledged serials and events (but for the vendor's, which are looked at once a feed) of many outputs."""
    batch = np.concatenate([output.batch for output in outputs])
    replies = b"".join(reply.data for output in outputs for reply in output.replies)
    serials = [said[0] for frame in frames_in(replies) if (said := m.read_reply(frame.body)) and said[2] == 0]
    kinds = ("sos_raised", "device_alarm")
    events = [str(msgspec.to_builtins(event)) for output in outputs for event in output.events]
    return batch, serials, [event for event in events if any(kind in event for kind in kinds)]


@settings(max_examples=60, deadline=None)
@given(EDITIONS, st.lists(FIXES, min_size=1, max_size=60), JUNK, st.lists(st.integers(0, 10**6), max_size=12))
def test_a_stream_in_any_pieces_with_garbage_between_gives_every_position_once(
    edition: Edition, fixes: list[TerminalFix], junk: bytes, places: list[int]
) -> None:
    whole, pieces = Call(edition=edition).connect(), Call(edition=edition).connect()
    sent = [whole.terminal.position(fix) for fix in fixes]
    one_by_one = told([whole.decoder.feed(one.data, START_US) for one in sent])
    stream = junk.join([b"", *(one.data for one in sent), b""])
    in_pieces = told([pieces.decoder.feed(piece, START_US) for piece in cut(stream, places)])
    assert same_rows(one_by_one[0], in_pieces[0])
    assert one_by_one[1] == in_pieces[1] == [one.serial for one in sent]
    assert one_by_one[2] == in_pieces[2]


@settings(max_examples=60, deadline=None)
@given(EDITIONS, st.lists(CORES, min_size=1, max_size=40))
def test_the_block_path_gives_the_rows_of_the_scalar_path_for_any_bodies(edition: Edition, bodies: list[bytes]) -> None:
    terminal = Terminal(PHONE, edition=edition)
    stream = b"".join(terminal.say(m.POSITION, body).data for body in bodies)
    first = parse(unescape(FrameReader().feed(stream)[0]))
    assert first is not None
    plain = find_plain(FrameReader().take(stream), first.form)
    assert plain.is_plain.all()
    block = read_block(plain.data, plain.at, plain.end, READING)
    found = [read_position(body, READING) for body in bodies]
    assert same_rows(block.batch, rows_of([position.row for position in found if position is not None]))
    assert block.alarm_bits.tolist() == [position.alarm_bits for position in found if position is not None]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([m.POSITION] * 12 + [m.HEARTBEAT, m.TRANSPARENT, m.LOGOUT]), CORES),
        min_size=60,
        max_size=90,
    ),
    st.booleans(),
)
def test_other_messages_between_positions_are_taken_in_their_order(said: list[tuple[int, bytes]], breaks: bool) -> None:
    joined, single = Call().connect(), Call().connect()
    frames = [joined.terminal.say(msg_id, body).data for msg_id, body in said]
    if breaks:
        frames[30] = frames[30][:-2] + bytes([frames[30][-2] ^ 1]) + b"~"
    left = told([joined.decoder.feed(b"".join(frames), START_US)])
    right = told([single.decoder.feed(frame, START_US) for frame in frames])
    assert same_rows(left[0], right[0])
    assert sorted(left[1]) == sorted(right[1])
    assert left[2] == right[2]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([0, 1, 4, 5]), st.integers(-100, 100), st.booleans()), min_size=1, max_size=40)
)
def test_alarms_of_many_positions_are_those_of_one_after_the_other(rows: list[tuple[int, int, bool]]) -> None:
    many, one = AlarmWatch(), AlarmWatch()
    for is_archive in (False, True, False):
        part = [(bits, START_US + at_s * 1_000_000) for bits, at_s, archive in rows if archive is is_archive]
        if not part:
            continue
        seen = Seen(7, START_US, is_archive)
        bits, observed_us = (np.array(column, np.int64) for column in zip(*part, strict=True))
        left = many.take_many(bits, observed_us, seen)
        assert left == [event for word, at_us in part for event in one.take(word, at_us, seen)]
        assert many.live_bits == one.live_bits


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=6), st.booleans(), st.booleans())
def test_no_bytes_make_a_decoder_raise(pieces: list[bytes], lenient: bool, trusted: bool) -> None:
    options = DeviceOptions(ignores_checksum=lenient, ignores_length=lenient, crs="bd09" if lenient else "wgs84")
    call = Call(registry_of(device_of(options=options)), edition=Edition.E2013)
    call.peer = msgspec.structs.replace(call.peer, is_trusted=trusted)
    call.connect()
    for piece in pieces:
        call.decoder.feed(piece, START_US)
        call.decoder.tick(START_US)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(m.NAMES)),
    st.binary(max_size=200),
    st.booleans(),
    st.tuples(st.integers(0, 4), st.integers(0, 4)),
)
def test_no_body_of_any_message_makes_a_proven_terminals_decoder_or_the_reader_raise(
    msg_id: int, body: bytes, is_2019: bool, part: tuple[int, int]
) -> None:
    call = Call(edition=Edition.E2019 if is_2019 else Edition.E2011).connect()
    number, parts = part
    frame = write(msg_id, body, call.terminal._form, 5, part=number, parts=parts)
    call.decoder.feed(frame, START_US)
    call.terminal.feed(frame)
    assert message_reader(utc_offset_s=0).read(frame)


@given(st.binary(max_size=400))
def test_the_reader_gives_something_for_any_bytes_and_loses_none(data: bytes) -> None:
    reader = message_reader(utc_offset_s=28_800)
    pieces = reader.split(data)
    assert b"".join(pieces).replace(b"~", b"") == data.replace(b"~", b"") or data[:1] == b"\xe7"
    for piece in pieces:
        assert reader.read(piece)
    assert 0 <= reader.whole_bytes(data) <= len(data)


@given(st.binary(max_size=200), st.sampled_from([FLAG, OTHER_FLAG]))
def test_escaping_is_undone_and_leaves_no_delimiter(content: bytes, flag: int) -> None:
    escaped = escape(content, flag)
    assert flag not in escaped
    assert unescape(escaped, flag) == content


@given(st.binary(max_size=1_100))
def test_the_folded_checksum_is_the_exclusive_or_of_all_bytes(data: bytes) -> None:
    expected = 0
    for byte in data:
        expected ^= byte
    assert xor_of(data) == expected


@settings(deadline=None)
@given(
    st.integers(0, 0xFFFF),
    st.binary(max_size=3 * LONGEST_BODY_BYTES),
    st.integers(0, 0xFFFF),
    st.sampled_from([6, 7, 10]),
    st.binary(min_size=10, max_size=10),
)
def test_a_written_message_is_read_again_in_every_form(
    msg_id: int, body: bytes, serial: int, id_bytes: int, digits: bytes
) -> None:
    flag = OTHER_FLAG if id_bytes == 7 else FLAG
    form = Form(digits[:id_bytes], 1, says_2019=True) if id_bytes == 10 else Form(digits[:id_bytes], flag=flag)
    frames = write_message(msg_id, body, form, serial)
    found = frames_in(b"".join(frames))
    assembly = Assembly()
    bodies = [assembly.take(frame) for frame in found]
    assert bodies[-1] == body
    assert all(frame.checksum_fits and frame.length_fits and frame.form == form for frame in found)
    assert [frame.serial for frame in found] == [(serial + number) & 0xFFFF for number in range(len(frames))]
    assert {frame.msg_id for frame in found} == {msg_id}


@given(st.integers(946_684_800, 4_102_444_799), st.integers(-12 * 3600, 14 * 3600))
def test_times_are_read_as_they_were_packed(unix_s: int, utc_offset_s: int) -> None:
    if not 946_684_800 <= unix_s + utc_offset_s < 4_102_444_800:
        return
    packed = packed_time(unix_s * 1_000_000, utc_offset_s)
    assert unix_s_of_time(packed) == unix_s + utc_offset_s


@given(ITEMS, st.binary(max_size=3))
def test_items_are_all_found_and_each_is_a_reading_or_a_vendors(
    items: tuple[tuple[int, bytes], ...], tail: bytes
) -> None:
    body = b"".join(bytes([number, len(value)]) + value for number, value in items)
    found = split_items(body + tail, 0)
    assert tuple(found[: len(items)]) == items
    assert len(vendor_of(list(items))) + sum(bool(readings_of([item])) for item in items) == len(items)


@given(st.binary(min_size=6, max_size=10))
def test_every_terminal_id_has_an_address_that_can_be_enrolled(terminal: bytes) -> None:
    assert ENROLMENT.checked(address_of(terminal)) == address_of(terminal)


@given(st.binary(max_size=64))
def test_a_code_that_is_not_the_secret_never_opens(code: bytes) -> None:
    call = Call(edition=Edition.E2013)
    call.say(call.terminal.say(m.AUTHENTICATE, code).data)
    is_right = code.rstrip(b"\0") == CODE.encode() or code[1:33] == CODE.encode()
    assert bool(call.outputs[-1].proven) == is_right
