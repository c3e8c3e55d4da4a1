"""How fast both tiers of the MAVLink parser are against pymavlink on the same bytes, with every value compared.

Times are CPU time of this process. Each run measures ours and pymavlink's one after the other, so that a busy machine
slows both; the figures are medians over the runs. pymavlink decodes while it parses; ours is timed with decoding: all
columns of all messages in the block tier, the values of every frame in the scalar one.
"""

import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from math import prod
from pathlib import Path
from typing import Any, Final

import numpy as np
from pymavlink.dialects.v20 import ardupilotmega as peer

from console.bench import Figures, Goal
from telemetry.sources.mavlink.block import Block, BlockReader, parse_block
from telemetry.sources.mavlink.frame import FrameReader, decode
from telemetry.sources.mavlink.stamps import split_tlog
from telemetry.sources.mavlink.tables import MESSAGES

CHUNK_BYTES: Final = 256 * 1024
MIX_ROUNDS: Final = 2500
MIX_SYSTEMS: Final = 50
SCALAR_FRAMES: Final = 12_000
REPEATS: Final = 3  # of ours inside one measurement: it is too short alone
GOALS: Final[dict[str, Goal]] = {
    "block_ratio_mix": (">=", 30.0),
    "block_ratio_logs": (">=", 12.0),
    "scalar_ratio": (">=", 3.5),
    "values_different": ("<=", 0.0),
}
Work = Callable[[], object]


def run(*, runs: int, seed: int) -> Figures:
    """Measure; logs are read from SKYBEAT_TEST_DATA (default: shared/data beside the project), without them their goal is unmet."""
    frames = mix(seed)
    stream = b"".join(frames)
    logs = {path.stem: split_tlog(path.read_bytes()).frames for path in log_files()}
    different = sum(differences(data) for data in (stream, *logs.values()))
    log_ratios = {name: _ratio(_block_work(data), _peer_work([data]), runs) for name, data in logs.items()}
    block = _pairs(_block_work(stream), _peer_work(_chunks(stream)), runs)
    datagrams = frames[:SCALAR_FRAMES]
    scalar = _pairs(_scalar_work(datagrams), _peer_work(datagrams), runs)
    figures: dict[str, float | int | str | None] = {
        "block_ratio_mix": _median_ratio(block),
        "block_ratio_logs": round(prod(log_ratios.values()) ** (1 / len(logs)), 2) if logs else None,
        "scalar_ratio": _median_ratio(scalar),
        "values_different": different,
        "block_messages_per_cpu_s": _rate(len(frames), [ours_s for ours_s, _ in block]),
        "scalar_messages_per_cpu_s": _rate(len(datagrams), [ours_s for ours_s, _ in scalar]),
        "pymavlink_chunk_messages_per_cpu_s": _rate(len(frames), [theirs_s for _, theirs_s in block]),
        "pymavlink_datagram_messages_per_cpu_s": _rate(len(datagrams), [theirs_s for _, theirs_s in scalar]),
    }
    figures |= {f"log_ratio_{name}": ratio for name, ratio in log_ratios.items()}
    return Figures(figures=figures, goals=GOALS)


def log_files() -> list[Path]:
    """Return the recorded .tlog files at hand."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    return sorted((Path(os.environ.get("SKYBEAT_TEST_DATA", beside)) / "mavlink").glob("*.tlog"))


def mix(seed: int) -> list[bytes]:
    """Return MAVLink 2 frames by pymavlink: 10 ATTITUDE to 5 GLOBAL_POSITION_INT to 1 HEARTBEAT, of 50 systems."""
    draw = random.Random(seed)  # noqa: S311 a benchmark's values are no secret
    senders = [peer.MAVLink(None, srcSystem=system_id, srcComponent=1) for system_id in range(1, MIX_SYSTEMS + 1)]
    frames = []
    for number in range(MIX_ROUNDS):
        for message in _round(draw, number * 100):
            sender = draw.choice(senders)
            frames.append(bytes(message.pack(sender)))
            sender.seq = (sender.seq + 1) % 256
    return frames


def _round(draw: random.Random, boot_ms: int) -> Iterator[Any]:
    """Yield 16 messages of one round with plausible values."""
    for _ in range(10):
        yield peer.MAVLink_attitude_message(boot_ms, *(draw.uniform(-3, 3) for _ in range(6)))
    for _ in range(5):
        lat_e7, lon_e7 = draw.randint(360_000_000, 361_000_000), draw.randint(1_037_000_000, 1_039_000_000)
        yield peer.MAVLink_global_position_int_message(
            boot_ms,
            lat_e7,
            lon_e7,
            draw.randint(1_500_000, 1_700_000),
            draw.randint(0, 120_000),
            *(draw.randint(-2000, 2000) for _ in range(3)),
            draw.randint(0, 35_999),
        )
    yield peer.MAVLink_heartbeat_message(2, 3, 0x81, draw.randint(0, 20), 4, 3)


def _chunks(data: bytes) -> list[bytes]:
    return [data[at : at + CHUNK_BYTES] for at in range(0, len(data), CHUNK_BYTES)]


def _block_work(data: bytes) -> Work:
    """Return the block tier's work: all chunks, and a view of every column of every message."""
    chunks = _chunks(data)

    def work() -> None:
        reader = BlockReader()
        for chunk in chunks:
            touch(reader.feed(chunk))
        touch(reader.flush())

    return work


def touch(block: Block) -> int:
    """Ask for every column of every message, headers included; return how many there were."""
    count = 0
    for columns in block.columns.values():
        header = (columns.version, columns.sequence, columns.system_id, columns.component_id, columns.signed)
        names = columns.rows.dtype.names or ()
        count += len(header) + len([columns.rows[name] for name in names])
    return count


def _scalar_work(datagrams: list[bytes]) -> Work:
    def work() -> None:
        reader = FrameReader()
        for datagram in datagrams:
            for frame in reader.feed(datagram):
                decode(frame)

    return work


def _peer_work(pieces: list[bytes]) -> Work:
    """Return pymavlink's work; it decodes every message into attributes as it parses."""

    def work() -> None:
        receiver = _peer_receiver()
        for piece in pieces:
            receiver.parse_buffer(piece)

    return work


def _peer_receiver() -> Any:  # noqa: ANN401 pymavlink has no types
    receiver = peer.MAVLink(None)
    receiver.robust_parsing = True
    return receiver


def _pairs(ours: Work, theirs: Work, runs: int) -> list[tuple[float, float]]:
    """Return (ours, theirs) in CPU seconds, measured in turn after one warm-up of ours (its tables are made on demand)."""
    ours()
    return [(_cpu_s(ours, REPEATS), _cpu_s(theirs, 1)) for _ in range(runs)]


def _ratio(ours: Work, theirs: Work, runs: int) -> float:
    return _median_ratio(_pairs(ours, theirs, runs))


def _median_ratio(pairs: list[tuple[float, float]]) -> float:
    return round(statistics.median(theirs_s / ours_s for ours_s, theirs_s in pairs), 2)


def _rate(count: int, times_s: list[float]) -> int:
    return round(count / statistics.median(times_s))


def _cpu_s(work: Work, repeats: int) -> float:
    begin_s = time.process_time()
    for _ in range(repeats):
        work()
    return (time.process_time() - begin_s) / repeats


def differences(data: bytes) -> int:
    """Return in how many values either tier differs from pymavlink, bit for bit; a missing frame counts as one."""
    messages = [message for message in _peer_receiver().parse_buffer(data) or () if message.get_msgId() in MESSAGES]
    block = parse_block(data)
    reader = FrameReader()
    frames = reader.feed(data) + reader.flush()
    missing = abs(len(block) - len(messages)) + abs(len(frames) - len(messages))
    if missing:
        return missing
    scalar = sum(block.frame(number) != frame for number, frame in enumerate(frames))
    scalar += sum(_scalar_differences(decode(frame), message) for frame, message in zip(frames, messages, strict=True))
    return scalar + sum(
        _column_differences(columns.rows, [messages[number] for number in columns.index.tolist()])
        for columns in block.columns.values()
    )


def _scalar_differences(ours: tuple[Any, ...], message: Any) -> int:  # noqa: ANN401 pymavlink has no types
    """Count a frame's values that differ from pymavlink's (a NaN equals a NaN)."""
    count = 0
    for value, name in zip(ours, message.ordered_fieldnames, strict=True):
        theirs = _peer_value(message, name)
        if isinstance(theirs, bytes):
            theirs = theirs.partition(b"\0")[0].decode("utf-8", "replace")
        if isinstance(theirs, list):
            theirs = tuple(theirs)
        count += value != theirs and repr(value) != repr(theirs)
    return count


def _column_differences(rows: np.ndarray[Any, np.dtype[np.void]], messages: list[Any]) -> int:
    """Count the values of one message's columns whose bits differ from pymavlink's."""
    count = 0
    for name in rows.dtype.names or ():
        theirs = np.array([_peer_value(message, name) for message in messages], rows[name].dtype)
        ours = np.ascontiguousarray(rows[name])
        if ours.dtype.kind == "f":  # a signalling NaN turns quiet on its way through a Python float, as pymavlink's did
            ours = np.array(ours.tolist(), ours.dtype)
        count += int(np.count_nonzero(ours.reshape(-1).view(np.uint8) != theirs.reshape(-1).view(np.uint8)))
    return count


def _peer_value(message: Any, name: str) -> Any:  # noqa: ANN401 pymavlink has no types
    """Return a value as pymavlink unpacked it: text as bytes without the zeros at its end."""
    raw = getattr(message, f"_{name}_raw", None)
    return getattr(message, name) if raw is None else raw
