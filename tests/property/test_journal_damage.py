"""Whatever happens to the last segment's bytes, the journal opens, gives no bad record and loses only what was hit."""

import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.journal import Journal, Record
from infra.journal_segment import encode_frame, scan_frames, segment_name

EPOCH = 1_790_000_000_000_000
PAYLOADS = (b"first", b"", b"SKJ1" * 5, bytes(range(40)), b"last")


def frames_of(payloads: tuple[bytes, ...]) -> list[bytes]:
    return [encode_frame(EPOCH, number, 1, payload) for number, payload in enumerate(payloads, start=1)]


def scan_all(data: bytes, chunk_bytes: int, limit: int = 3) -> tuple[list[Record], int]:
    """Read as the journal does, chunk by chunk; return the records and the bytes called damaged."""
    records: list[Record] = []
    offset = damaged = 0
    wanted = chunk_bytes
    while offset < len(data):
        scan = scan_frames(data[offset : offset + wanted], EPOCH, limit, len(data) - offset)
        assert scan.consumed_bytes or scan.needed_bytes > min(wanted, len(data) - offset)
        records += [record for run in scan.runs for record in run.records()]
        damaged += sum(length for _, length in scan.damage)
        offset += scan.consumed_bytes
        wanted = max(chunk_bytes, scan.needed_bytes)
    return records, damaged


def originals() -> list[Record]:
    return [Record(EPOCH, number, 1, payload) for number, payload in enumerate(PAYLOADS, start=1)]


def frame_hit(frames: list[bytes], offset: int) -> int:
    end = 0
    for index, frame in enumerate(frames):
        end += len(frame)
        if offset < end:
            return index
    return len(frames)


@pytest.mark.parametrize("chunk_bytes", [7, 64, 4096])
def test_flipping_any_bit_costs_the_record_it_hits_and_no_other(chunk_bytes: int) -> None:
    frames = frames_of(PAYLOADS)
    data = b"".join(frames)
    for offset in range(len(data)):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[offset] ^= 1 << bit
            records, damaged_bytes = scan_all(bytes(damaged), chunk_bytes)
            hit = frame_hit(frames, offset)
            assert records == originals()[:hit] + originals()[hit + 1 :], (offset, bit)
            assert damaged_bytes == len(frames[hit])


@pytest.mark.parametrize(("payload_bytes", "chunk_bytes", "limit"), [(0, 4096, 1000), (9, 4096, 13), (9, 500, 1000)])
def test_any_flip_among_records_that_are_alike_costs_one(payload_bytes: int, chunk_bytes: int, limit: int) -> None:
    payloads = tuple(bytes([number]) * payload_bytes for number in range(24))
    frames = frames_of(payloads)
    data = b"".join(frames)
    written = [Record(EPOCH, number, 1, payload) for number, payload in enumerate(payloads, start=1)]
    assert scan_all(data, chunk_bytes, limit) == (written, 0)
    assert any(run.record_count > 1 for run in scan_frames(data, EPOCH, limit, len(data)).runs)
    for offset in range(len(data)):
        damaged = bytearray(data)
        damaged[offset] ^= 1 << offset % 8
        hit = frame_hit(frames, offset)
        records, damaged_bytes = scan_all(bytes(damaged), chunk_bytes, limit)
        assert records == written[:hit] + written[hit + 1 :], offset
        assert damaged_bytes == len(frames[hit])


@pytest.mark.parametrize("chunk_bytes", [7, 64, 4096])
def test_cutting_at_any_byte_keeps_every_whole_record(chunk_bytes: int) -> None:
    frames = frames_of(PAYLOADS)
    data = b"".join(frames)
    for size in range(len(data) + 1):
        records, damaged_bytes = scan_all(data[:size], chunk_bytes)
        whole = frame_hit(frames, size)
        assert records == originals()[:whole]
        assert damaged_bytes == size - sum(map(len, frames[:whole]))


def test_a_journal_opens_over_any_flipped_or_cut_byte_of_its_last_segment() -> None:
    frames = frames_of(PAYLOADS)
    data = b"".join(frames)
    for offset in range(len(data)):
        flipped = bytearray(data)
        flipped[offset] ^= 0xFF
        hit = frame_hit(frames, offset)
        assert reopened(bytes(flipped)) == (originals()[:hit] + originals()[hit + 1 :], len(frames[hit]))
        torn = offset - sum(map(len, frames[:hit]))
        assert reopened(data[:offset]) == (originals()[:hit], torn)


def reopened(data: bytes) -> tuple[list[Record], int]:
    """Open a journal whose last segment has these bytes, write to it, and return what is read back."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        folder = Path(name)
        (folder / segment_name(EPOCH, 1)).write_bytes(data)
        with closing(Journal.open(folder)) as journal:
            journal.wait_durable(journal.append(9, b"new life"))
            records: list[Record] = []
            after = (0, 0)
            while found := journal.read(after=after, limit=2):
                records += found
                after = found[-1].epoch, found[-1].sequence
            assert records.pop() == Record(journal.epoch, 1, 9, b"new life")
            return records, sum(run.byte_count for run in journal.damage)


@given(data=st.binary(max_size=400), chunk_bytes=st.integers(1, 100))
def test_any_bytes_at_all_are_read_to_the_end_without_a_record(data: bytes, chunk_bytes: int) -> None:
    records, damaged_bytes = scan_all(data, chunk_bytes)
    assert records == []
    assert damaged_bytes == len(data)


@settings(max_examples=200)
@given(
    payloads=st.lists(st.binary(max_size=60), min_size=1, max_size=8),
    wounds=st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), max_size=6),
    chunk_bytes=st.integers(1, 200),
)
def test_many_wounds_never_make_a_record_that_was_not_written(
    payloads: list[bytes], wounds: list[tuple[int, int]], chunk_bytes: int
) -> None:
    frames = frames_of(tuple(payloads))
    data = bytearray(b"".join(frames))
    hit = set()
    for place, mask in wounds:
        offset = place % len(data)
        data[offset] ^= mask
        hit.add(frame_hit(frames, offset))
    records, _ = scan_all(bytes(data), chunk_bytes)
    written = dict(enumerate(payloads, start=1))
    assert all(written[record.sequence] == record.payload for record in records)
    assert {record.sequence - 1 for record in records} >= set(range(len(payloads))) - hit
