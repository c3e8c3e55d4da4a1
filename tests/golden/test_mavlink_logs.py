"""Recorded logs through both tiers: pymavlink's values bit for bit, its frames at least, no frame that never was."""

import random
import struct
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymavlink.dialects.v20 import ardupilotmega as peer

from console.bench.decode import differences
from telemetry.model.errors import FileFormatError
from telemetry.sources.mavlink.block import BlockReader, parse_block, parse_tlog
from telemetry.sources.mavlink.frame import Frame, FrameReader, encode
from telemetry.sources.mavlink.stamps import split_tlog

pytestmark = pytest.mark.shared_data
Damage = Callable[[bytes, random.Random], bytes]

# frames, runs of skipped bytes, bytes skipped, records: as the files hold them
LOGS = {
    "ahmadkhanfar_test": (10_277, 0, 0, 10_277),
    "dronekit_flight_replay": (75_477, 1_315, 17_093, 76_792),
    "dvd_attack_mavlink_flood": (25_755, 0, 0, 25_755),
    "dvd_attack_mission_request_flood": (13_144, 0, 0, 13_144),
    "dvd_baseline": (5_393, 0, 0, 5_393),
    "phoenix_mission1_2018-09-17": (29_475, 0, 0, 29_475),
    "uavlogviewer_vtol": (23_894, 0, 0, 23_894),
}
PHOENIX = "phoenix_mission1_2018-09-17"


def log(test_data: Path, name: str) -> bytes:
    return (test_data / "mavlink" / f"{name}.tlog").read_bytes()


def peer_frames(data: bytes) -> int:
    """Return how many good frames pymavlink finds; not those whose id it does not know, which it never checks."""
    receiver = peer.MAVLink(None)
    receiver.robust_parsing = True
    found: list[Any] = receiver.parse_buffer(data) or []
    return sum(message.get_msgId() in peer.mavlink_map for message in found)


def by_scalar(data: bytes) -> tuple[list[Frame], FrameReader]:
    reader = FrameReader()
    frames = reader.feed(data)
    return frames + reader.flush(), reader


@pytest.mark.parametrize("name", LOGS)
def test_every_value_of_a_log_is_pymavlinks_bit_for_bit(test_data: Path, name: str) -> None:
    assert differences(split_tlog(log(test_data, name)).frames) == 0


@pytest.mark.parametrize("name", LOGS)
def test_a_log_is_frames_stamps_and_noise_and_nothing_else(test_data: Path, name: str) -> None:
    data = log(test_data, name)
    block, stamp_us = parse_tlog(data)
    records = split_tlog(data)
    assert (block.frames_good, block.frames_bad, block.bytes_skipped, len(records.record_at)) == LOGS[name]
    assert len(records.frames) + 8 * len(records.record_at) == len(data)
    assert stamp_us[0] == struct.unpack(">Q", data[:8])[0]
    assert len(stamp_us) == len(block)
    assert np.all(np.diff(stamp_us) >= 0)


@pytest.mark.parametrize("name", LOGS)
def test_both_tiers_find_the_same_in_a_log_with_its_stamps_left_in(test_data: Path, name: str) -> None:
    data = log(test_data, name)
    frames, scalar = by_scalar(data)
    block = parse_block(data)
    assert [block.frame(number) for number in range(len(block))] == frames
    assert (block.frames_bad, block.bytes_skipped) == (scalar.frames_bad, scalar.bytes_skipped)


def test_a_stream_in_datagram_sized_chunks_gives_what_the_whole_gives(test_data: Path) -> None:
    data = split_tlog(log(test_data, "ahmadkhanfar_test")).frames
    reader = BlockReader()
    blocks = [reader.feed(data[at : at + 1400]) for at in range(0, len(data), 1400)]
    frames = [block.frame(number) for block in blocks for number in range(len(block))]
    assert frames == by_scalar(data)[0]
    assert reader.bytes_skipped == 0


def byte_errors(rate: float) -> Damage:
    def damage(data: bytes, draw: random.Random) -> bytes:
        harmed = bytearray(data)
        for at in range(len(harmed)):
            if draw.random() < rate:
                harmed[at] ^= draw.randint(1, 255)
        return bytes(harmed)

    return damage


def drops(data: bytes, draw: random.Random) -> bytes:
    """Cut 1 to 40 bytes out every 2 to 6 kB."""
    kept = bytearray()
    at = 0
    while at < len(data):
        run = draw.randint(2000, 6000)
        kept += data[at : at + run]
        at += run + draw.randint(1, 40)
    return bytes(kept)


@pytest.mark.parametrize(
    "damage", [byte_errors(1e-4), byte_errors(1e-3), byte_errors(5e-3), drops], ids=["1e-4", "1e-3", "5e-3", "drops"]
)
def test_damage_costs_no_more_frames_than_pymavlink_loses_and_makes_none_up(test_data: Path, damage: Damage) -> None:
    data = split_tlog(log(test_data, PHOENIX)).frames
    sent = {frame.raw for frame in by_scalar(data)[0]}
    harmed = damage(data, random.Random(7))
    found, _ = by_scalar(harmed)
    block = parse_block(harmed)
    assert len(found) >= peer_frames(harmed)
    assert [frame.raw for frame in found if frame.raw not in sent] == []
    assert [block.frame(number) for number in range(len(block))] == found


def test_a_damaged_log_keeps_the_stamps_of_the_frames_that_are_left(test_data: Path) -> None:
    data = log(test_data, "dvd_baseline")
    whole, stamp_us = parse_tlog(data)
    stamps: dict[bytes, set[int]] = {}
    for number in range(len(whole)):
        stamps.setdefault(whole.frame(number).raw, set()).add(int(stamp_us[number]))
    harmed = bytearray(data)
    draw = random.Random(3)
    for number in draw.sample(range(len(whole)), 300):
        at = draw.randrange(int(whole.offset[number]), int(whole.stop[number]))
        harmed[at] ^= draw.randint(1, 255)
    left, left_us = parse_tlog(bytes(harmed))
    assert 5_090 <= len(left) <= 5_093
    assert all(int(left_us[n]) in stamps[left.frame(n).raw] for n in range(len(left)))
    assert 250 < left.frames_bad <= 300


def beat(sequence: int) -> bytes:
    return encode("HEARTBEAT", {"type": 2, "autopilot": 3}, system_id=1, component_id=1, sequence=sequence)


def stamp(at_us: int) -> bytes:
    return struct.pack(">Q", at_us)


NOW_US = 1_790_000_000_000_000


def test_a_frame_that_a_logger_wrote_in_two_records_is_put_together() -> None:
    halves = beat(1)[:9], beat(1)[9:]
    pieces = [beat(0), halves[0], halves[1], beat(2)]
    data = b"".join(stamp(NOW_US + 1000 * number) + piece for number, piece in enumerate(pieces))
    block, stamp_us = parse_tlog(data)
    assert block.sequence.tolist() == [0, 1, 2]
    assert (stamp_us - NOW_US).tolist() == [0, 1000, 3000]
    assert (block.frames_bad, block.bytes_skipped) == (0, 0)


def test_two_noisy_records_in_a_row_are_one_run_without_their_stamps() -> None:
    pieces = [beat(0), b"noise", b"more noise", beat(1)]
    data = b"".join(stamp(NOW_US + 1000 * number) + piece for number, piece in enumerate(pieces))
    block, stamp_us = parse_tlog(data)
    assert (len(block), block.frames_bad, block.bytes_skipped) == (2, 1, 15)
    assert (stamp_us - NOW_US).tolist() == [0, 3000]


def test_a_clock_set_in_mid_log_changes_stamps_and_loses_nothing() -> None:
    times_us = [5_000_000, 6_000_000, NOW_US, NOW_US + 1]
    data = b"".join(stamp(at_us) + beat(number) for number, at_us in enumerate(times_us))
    block, stamp_us = parse_tlog(data)
    assert (stamp_us.tolist(), block.frames_bad) == (times_us, 0)


@pytest.mark.parametrize("tail", [b"", b"\x00", stamp(NOW_US), stamp(NOW_US) + beat(9)[:7]])
def test_a_log_that_ends_in_mid_record_gives_all_before(tail: bytes) -> None:
    data = b"".join(stamp(NOW_US + number) + beat(number) for number in range(4)) + tail
    block, _ = parse_tlog(data)
    assert len(block) == 4
    assert block.bytes_skipped == len(tail) - 8 * (len(tail) >= 8)


@pytest.mark.parametrize("data", [b"", b"\x00" * 400, b"not a log at all" * 99, beat(0) + beat(1), stamp(NOW_US)])
def test_what_is_no_tlog_is_refused(data: bytes) -> None:
    with pytest.raises(FileFormatError, match="tlog"):
        parse_tlog(data)


def test_any_cut_of_a_log_is_read_without_a_false_frame(test_data: Path) -> None:
    data = log(test_data, "dvd_baseline")[:20_000]
    sent = {frame.raw for frame in by_scalar(data)[0]}
    draw = random.Random(5)
    for begin, end in pairwise(sorted(draw.sample(range(len(data)), 30))):
        block, _ = parse_tlog(data[:begin] + data[end:])
        assert all(block.frame(number).raw in sent for number in range(len(block)))
