"""Whatever arrives, in whatever pieces: neither tier of the MAVLink parser crashes, and both decide alike."""

import random
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.sources.mavlink.block import BlockReader, parse_block
from telemetry.sources.mavlink.frame import Frame, FrameReader, decode, encode
from telemetry.sources.mavlink.signing import Signer
from telemetry.sources.mavlink.tables import MESSAGES

V1_IDS = [msg_id for msg_id in MESSAGES if msg_id <= 0xFF]


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """One valid frame of any message, version and length, signed or not, filled with bytes of the test's choice."""
    version = draw(st.sampled_from([1, 2, 2]))
    message = MESSAGES[draw(st.sampled_from(V1_IDS if version == 1 else list(MESSAGES)))]
    signer = Signer(bytes(32), 1) if version == 2 and draw(st.booleans()) else None
    fill = random.Random(draw(st.integers(0, 2**16)))
    kept = fill.randint(0, message.max_len)
    payload = bytes(fill.choice((0, 0, 1, 0xFD, 0xFE, fill.randrange(256))) for _ in range(kept))
    return with_payload(message.msg_id, payload, version, signer)


def with_payload(msg_id: int, payload: bytes, version: int, signer: Signer | None) -> bytes:
    """Encode by the payload's bytes instead of by values."""
    from telemetry.sources.mavlink import frame as room

    message = MESSAGES[msg_id]
    padded = payload.ljust(message.max_len, b"\0")
    build = room._frame_v1 if version == 1 else room._frame_v2
    header = build(message, padded, 7, 1, 1, signer)
    framed = header + room._crc_bytes(header[1:], message.crc_extra)
    return framed + signer.sign(framed) if signer else framed


noise = st.binary(max_size=40) | st.lists(st.sampled_from([0xFD, 0xFE, 0, 1, 9, 33]), max_size=40).map(bytes)
beginnings = st.builds(lambda frame, at: frame[: at % len(frame)], frames(), st.integers(0, 300))
nested = st.builds(lambda frame: with_payload(385, b"\x01" * 6 + frame[:120], 2, None), frames())


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Frames, noise, cut frames and frames inside frames, with some bytes changed."""
    pieces = draw(st.lists(st.one_of(frames(), noise, beginnings, nested), max_size=12))
    stream = bytearray(b"".join(pieces))
    for at, value in draw(st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=3)):
        if at < len(stream):
            stream[at] = value
    return bytes(stream)


def cut(stream: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(at % (len(stream) + 1) for at in cuts), len(stream)]
    return [stream[begin:end] for begin, end in pairwise(edges)]


def by_scalar(pieces: list[bytes]) -> tuple[list[Frame], FrameReader]:
    reader = FrameReader()
    found = [frame for piece in pieces for frame in reader.feed(piece)]
    return found + reader.flush(), reader


def by_block(pieces: list[bytes]) -> tuple[list[Frame], BlockReader]:
    reader = BlockReader()
    blocks = [reader.feed(piece) for piece in pieces]
    blocks.append(reader.flush())
    return [block.frame(number) for block in blocks for number in range(len(block))], reader


@settings(deadline=None)
@given(streams(), st.lists(st.integers(0, 10_000), max_size=6))
def test_both_tiers_find_the_same_frames_and_count_alike(stream: bytes, cuts: list[int]) -> None:
    pieces = cut(stream, cuts)
    scalar, scalar_reader = by_scalar(pieces)
    block, block_reader = by_block(pieces)
    whole = parse_block(stream)
    assert block == scalar
    assert [whole.frame(number) for number in range(len(whole))] == scalar
    counts = (len(scalar), scalar_reader.frames_bad, scalar_reader.bytes_skipped)
    assert (scalar_reader.frames_good, *counts[1:]) == counts
    assert (block_reader.frames_good, block_reader.frames_bad, block_reader.bytes_skipped) == counts
    assert (len(whole), whole.frames_bad, whole.bytes_skipped) == counts


@settings(deadline=None)
@given(streams(), st.lists(st.integers(0, 10_000), max_size=6))
def test_while_it_waits_each_tier_holds_back_as_much_as_the_other(stream: bytes, cuts: list[int]) -> None:
    scalar, block = FrameReader(), BlockReader()
    for piece in cut(stream, cuts):
        frames_now = scalar.feed(piece)
        block_now = block.feed(piece)
        assert [block_now.frame(number) for number in range(len(block_now))] == frames_now
        assert scalar.pending_bytes == block.pending_bytes < 280
        assert (scalar.frames_bad, scalar.bytes_skipped) == (block.frames_bad, block.bytes_skipped)


@settings(deadline=None)
@given(streams())
def test_every_byte_is_either_in_a_frame_or_counted_as_skipped(stream: bytes) -> None:
    found, reader = by_scalar([stream])
    assert sum(len(frame.raw) for frame in found) + reader.bytes_skipped == len(stream)


@settings(deadline=None)
@given(st.binary(max_size=600))
def test_no_bytes_make_it_fail(data: bytes) -> None:
    for frame in by_scalar([data])[0]:
        decode(frame)
    for columns in parse_block(data).columns.values():
        assert len(columns.rows) == len(columns.system_id) > 0


@settings(deadline=None)
@given(st.lists(frames(), min_size=1, max_size=10))
def test_frames_alone_are_all_found_with_the_payloads_that_were_sent(sent: list[bytes]) -> None:
    found, reader = by_scalar([b"".join(sent)])
    assert [frame.raw for frame in found] == sent
    assert (reader.frames_bad, reader.pending_bytes) == (0, 0)
    columns = parse_block(b"".join(sent)).columns
    for number, frame in enumerate(found):
        mine = columns[frame.msg_id]
        assert mine.rows[mine.index.tolist().index(number)].tobytes() == frame.payload


def test_many_frames_of_one_length_are_checked_together_as_one_by_one() -> None:
    beats = [encode("HEARTBEAT", {"type": n % 7}, system_id=1, component_id=1, sequence=n % 256) for n in range(900)]
    stream = bytearray(b"".join(beats))
    for at in range(500, len(stream), 997):
        stream[at] ^= 0x10
    scalar, _ = by_scalar([bytes(stream)])
    assert by_block([bytes(stream)])[0] == scalar
    assert 840 < len(scalar) < 900
