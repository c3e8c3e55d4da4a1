"""A .tlog in any state is read or refused in words; stamps, frames and noise are told apart alike by both tiers."""

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.model.errors import FileFormatError
from telemetry.sources.mavlink.block import parse_tlog
from telemetry.sources.mavlink.frame import FrameReader, encode
from telemetry.sources.mavlink.stamps import split_tlog

BEGIN_US = 1_790_000_000_000_000


def frame(sequence: int) -> bytes:
    name, fields = ("HEARTBEAT", {"type": 2}) if sequence % 3 else ("ATTITUDE", {"roll": 0.5, "yawspeed": -1.0})
    return encode(name, fields, system_id=1, component_id=1, sequence=sequence, version=1 + sequence % 2)


# noise without zeros can hold no stamp of our century and no beginning of a known frame
noise = st.binary(min_size=1, max_size=60).map(lambda data: bytes(byte % 0xFC + 1 for byte in data))
records = st.lists(st.tuples(st.booleans(), noise, st.integers(0, 2_000_000)), min_size=2, max_size=20)


@settings(deadline=None)
@given(records)
def test_every_stamp_every_frame_and_every_byte_of_noise_is_known_for_what_it_is(
    drawn: list[tuple[bool, bytes, int]],
) -> None:
    at_us = BEGIN_US
    data = struct.pack(">Q", at_us) + frame(0)
    expected, skipped = [at_us], 0
    for number, (is_frame, other, later_us) in enumerate(drawn, 1):
        at_us += later_us
        data += struct.pack(">Q", at_us) + (frame(number) if is_frame else other)
        expected += [at_us] * is_frame
        skipped += 0 if is_frame else len(other)
    block, stamp_us = parse_tlog(data)
    assert stamp_us.tolist() == expected
    assert block.bytes_skipped == skipped


@settings(deadline=None)
@given(records, st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=12), st.integers(0, 3000))
def test_a_damaged_log_is_read_alike_by_both_tiers_or_refused(
    drawn: list[tuple[bool, bytes, int]], changes: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray()
    for number, (is_frame, other, later_us) in enumerate(drawn):
        data += struct.pack(">Q", BEGIN_US + later_us) + (frame(number) if is_frame else other)
    for at, value in changes:
        data[at % len(data)] = value
    del data[len(data) - cut % len(data) :]
    try:
        block, stamp_us = parse_tlog(bytes(data))
    except FileFormatError:
        return
    reader = FrameReader()
    stream = split_tlog(bytes(data)).frames
    frames = reader.feed(stream) + reader.flush()
    assert [block.frame(number) for number in range(len(block))] == frames
    assert (block.frames_bad, block.bytes_skipped) == (reader.frames_bad, reader.bytes_skipped)
    assert len(stamp_us) == len(frames)


@settings(deadline=None)
@given(st.binary(max_size=300), st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8))
def test_stamps_from_any_time_and_any_noise_break_nothing(other: bytes, first: bytes, second: bytes) -> None:
    block, stamp_us = parse_tlog(first + frame(1) + other + second + frame(2) + other)
    assert len(stamp_us) == len(block) >= 1
