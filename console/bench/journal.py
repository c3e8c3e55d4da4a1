"""How fast the journal makes records safe, against plain write and fdatasync of the same bytes, and how fast it reads them back."""

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np

from console.bench import Figures
from infra.clock import SYSTEM_CLOCK
from infra.journal import Journal
from infra.journal_segment import SegmentFile

RATIO_RAW_GOAL: Final = 0.8
RUN_BYTES: Final = 128 << 20
TURN_BYTES: Final = 8 << 10
"""One record of one turn of the loop: about 130 positions."""
ROW_BYTES: Final = 61
"""One record of a lone position, the dearest case."""
ROW_RUN_BYTES: Final = 8 << 20
ROOM_BYTES: Final = 4 * RUN_BYTES
RECORDS_A_READ: Final = 10_000
GIGABYTE: Final = 1_000_000_000


def run(*, runs: int, seed: int) -> Figures:
    """Measure pairs in the temporary folder's file system, each pair in both orders; medians of runs.

    `ratio_raw` is raw seconds over the journal's: raw writes and syncs the very groups that the journal wrote just before,
    so both pay the same number of syncs. `s_per_gb` reads a whole journal back, every checksum compared.
    """
    random = np.random.default_rng(seed)
    pairs, recoveries, small = [], [], []
    for number in range(runs):
        with tempfile.TemporaryDirectory(prefix="skybeat-bench-") as name:
            folder = Path(name)
            pairs.append(_pair(folder, random, is_raw_first=number % 2 == 1))
            recoveries.append(_recover_s(folder / "journal"))
            small.append(
                _append_s(folder / "small", [random.bytes(ROW_BYTES)] * (ROW_RUN_BYTES // ROW_BYTES), SegmentFile)
            )
    journal_s = median(journal_s for journal_s, _ in pairs)
    return Figures(
        figures={
            "ratio_raw": round(median(raw_s / journal_s for journal_s, raw_s in pairs), 3),
            "journal_mb_per_s": round(RUN_BYTES / 1e6 / journal_s, 1),
            "raw_mb_per_s": round(RUN_BYTES / 1e6 / median(raw_s for _, raw_s in pairs), 1),
            "s_per_gb": round(median(recoveries) * GIGABYTE / RUN_BYTES, 3),
            "lone_records_per_s": round(ROW_RUN_BYTES // ROW_BYTES / median(small)),
        },
        goals={"ratio_raw": (">=", RATIO_RAW_GOAL)},
    )


def _pair(folder: Path, random: np.random.Generator, *, is_raw_first: bool) -> tuple[float, float]:
    """Return the seconds of the journal and of raw writes; with raw first its groups are those of a warm-up run."""
    data = random.bytes(RUN_BYTES)
    payloads = [data[start : start + TURN_BYTES] for start in range(0, RUN_BYTES, TURN_BYTES)]
    groups: list[Sequence[bytes]] = []
    create = _counting(groups)
    if is_raw_first:
        _append_s(folder / "warm", payloads, create)
        raw_s = _write_raw_s(folder / "raw", groups)
        return _append_s(folder / "journal", payloads, SegmentFile), raw_s
    journal_s = _append_s(folder / "journal", payloads, create)
    return journal_s, _write_raw_s(folder / "raw", groups)


def _counting(groups: list[Sequence[bytes]]) -> type[SegmentFile]:
    class Counting(SegmentFile):
        def write(self, parts: Sequence[bytes]) -> None:
            groups.append(parts)
            super().write(parts)

    return Counting


def _append_s(directory: Path, payloads: Sequence[bytes], segments: type[SegmentFile]) -> float:
    journal = Journal.open(directory, max_bytes=ROOM_BYTES, create_segment=segments.create)
    try:
        return _timed(lambda: _append(journal, payloads))
    finally:
        journal.close()


def _append(journal: Journal, payloads: Sequence[bytes]) -> None:
    for payload in payloads:
        sequence = journal.append(1, payload)
    journal.wait_durable(sequence, timeout_s=120.0)


def _write_raw_s(path: Path, groups: list[Sequence[bytes]]) -> float:
    blocks = [b"".join(parts) for parts in groups]
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        return _timed(lambda: _write_raw(descriptor, blocks))
    finally:
        os.close(descriptor)


def _write_raw(descriptor: int, blocks: list[bytes]) -> None:
    for block in blocks:
        view = memoryview(block)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fdatasync(descriptor)


def _recover_s(directory: Path) -> float:
    journal = Journal.open(directory, max_bytes=ROOM_BYTES)
    try:
        return _timed(lambda: _read_all(journal))
    finally:
        journal.close()


def _read_all(journal: Journal) -> None:
    after = journal.watermark
    while runs := journal.read_runs(after=after, limit=RECORDS_A_READ):
        after = (runs[-1].epoch, runs[-1].last_sequence)


def _timed(work: Callable[[], None]) -> float:
    started_s = SYSTEM_CLOCK.monotonic_s()
    work()
    return SYSTEM_CLOCK.monotonic_s() - started_s
