"""How fast positions of JT/T 808 are read a thousand at once against one by one, and what a connection costs a position.

Both sides do the same work on the same bytes: find the frames, undo escapes, check checksums and lengths, read core and
items, make rows of REPORT; the rows are compared. The one by one side is the product's own decoder for live connections, written
with `struct`: times are CPU time, measured in turn so that a busy machine slows both, and the figures are medians.
"""

import random
import statistics
import time
from collections.abc import Callable
from typing import Final

import numpy as np

from console.bench import Figures, Goal, acks
from telemetry.model.batch import Batch
from telemetry.model.decoding import Output, Peer, SourceContext
from telemetry.model.unit import Device
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.sources.jt808 import Jt808Source
from telemetry.sources.jt808.block import find_plain, read_block
from telemetry.sources.jt808.codes import packed_digits
from telemetry.sources.jt808.frame import Form, FrameReader, parse, unescape
from telemetry.sources.jt808.position import Reading, read_position, rows_of
from telemetry.sources.jt808.terminal import Edition, Terminal, TerminalFix

FRAMES: Final = 1_000
BLOCK_REPEATS: Final = 10  # the block alone is too short to be measured
FEED_REPEATS: Final = 200
IN_ONE_FEED: Final = (1, 10, 1_000)
NOW_US: Final = 1_790_000_000_000_000
PHONE: Final = "13912345678"
CODE: Final = "0" * 32
FORM: Final = Form(packed_digits(PHONE, 6))
GOALS: Final[dict[str, Goal]] = {"block_ratio": (">=", 10.0), "rows_different": ("<=", 0.0)}
Work = Callable[[], object]


def run(*, runs: int, seed: int) -> Figures:
    """Measure the codec alone, then what is acknowledged over sockets (`acks`)."""
    frames = positions(seed)
    stream = b"".join(frames)
    reading = Reading(1, NOW_US, 28_800)
    different = int(np.count_nonzero(one_by_one(stream, reading) != at_once(stream, reading)))
    pairs = [
        (
            cpu_s(lambda: at_once(stream, reading), BLOCK_REPEATS),
            cpu_s(lambda: one_by_one(stream, reading), 1),
        )
        for _ in range(runs)
    ]
    figures: dict[str, float | int | str | None] = {
        "block_ratio": round(statistics.median(single_s / block_s for block_s, single_s in pairs), 2),
        "rows_different": different,
        "block_frames_per_cpu_s": _rate(FRAMES, [block_s for block_s, _ in pairs]),
        "single_frames_per_cpu_s": _rate(FRAMES, [single_s for _, single_s in pairs]),
    }
    for count in IN_ONE_FEED:
        figures[f"feed_{count}_us_a_position"] = round(feed_us(frames[:count], runs), 2)
    acked = acks.run(runs=runs, seed=seed)
    return Figures(figures=figures | dict(acked.figures), goals=GOALS | dict(acked.goals))


def positions(seed: int) -> list[bytes]:
    """Return frames of one terminal of the 2013 edition: moving, with the items that most terminals send."""
    draw = random.Random(seed)  # noqa: S311 a benchmark's values are no secret
    terminal = Terminal(PHONE, edition=Edition.E2013)
    return [
        terminal.position(
            TerminalFix(
                lat_deg=draw.uniform(29.0, 30.0),
                lon_deg=draw.uniform(106.0, 107.0),
                observed_us=NOW_US + number * 1_000_000,
                alt_msl_m=draw.uniform(150, 900),
                speed_mps=draw.uniform(0, 30),
                course_deg=draw.uniform(0, 359),
                items=(
                    (0x01, draw.randrange(1 << 24).to_bytes(4)),
                    (0x30, bytes([draw.randrange(32)])),
                    (0x31, bytes([draw.randrange(4, 24)])),
                ),
            )
        ).data
        for number in range(FRAMES)
    ]


def at_once(stream: bytes, reading: Reading) -> Batch:
    """Return the rows of a stream of whole positions of one terminal, by columns."""
    plain = find_plain(FrameReader().take(stream), FORM)
    return read_block(plain.data, plain.at, plain.end, reading).batch


def one_by_one(stream: bytes, reading: Reading) -> Batch:
    """Return the same rows, frame by frame."""
    rows = []
    for piece in FrameReader().feed(stream):
        frame = parse(unescape(piece))
        if frame is None or not frame.checksum_fits:
            continue
        position = read_position(frame.body, reading)
        if position is not None:
            rows.append(position.row)
    return rows_of(rows)


def feed_us(frames: list[bytes], runs: int) -> float:
    """Return what one position costs a live connection's decoder when these arrive in one piece: rows, alarms and answers."""
    device = Device(device_id=1, protocol="jt808", address=PHONE)
    registry = RegistryTable(RegistryContents(devices=(device,), secrets={1: CODE.encode()}))
    decoder = Jt808Source(SourceContext(registry=registry, link_group="bench")).decoder(Peer(transport="tcp"))
    decoder.feed(Terminal(PHONE, edition=Edition.E2013, code=CODE).connect(), NOW_US)
    data = b"".join(frames)

    def work() -> Output:
        return decoder.feed(data, NOW_US)

    assert len(work().batch) == len(frames)
    repeats = max(1, FEED_REPEATS * IN_ONE_FEED[1] // len(frames))
    return statistics.median(cpu_s(work, repeats) for _ in range(runs)) * 1e6 / len(frames)


def cpu_s(work: Work, repeats: int) -> float:
    """Return the CPU seconds that one go of the work takes."""
    begin_s = time.process_time()
    for _ in range(repeats):
        work()
    return (time.process_time() - begin_s) / repeats


def _rate(count: int, times_s: list[float]) -> int:
    return round(count / statistics.median(times_s))
