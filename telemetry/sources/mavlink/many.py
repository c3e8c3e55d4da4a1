"""The turn tier: datagrams of many peers at once, read by columns where they simply go on, with the same result as one by one."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from telemetry.model.batch import UNKNOWN_I2, Batch, Quality, concatenate, hash_fixes, new_batch
from telemetry.model.decoding import Output
from telemetry.sources.mavlink.block import Block
from telemetry.sources.mavlink.candidates import PADDING, Positions, exactly
from telemetry.sources.mavlink.columns import TENTHS_PER_RADIAN, Ints, put_altitudes, put_motion
from telemetry.sources.mavlink.fusion import INACCURATE_DM, Joined
from telemetry.sources.mavlink.members import Head, Link
from telemetry.sources.mavlink.secondary import NO_ANGLE
from telemetry.sources.mavlink.turn import Turn
from telemetry.sources.mavlink.vehicle import HIGHEST_YAW, Vehicle

POSITION: Final = 33
ATTITUDE: Final = 30


class Follows(Protocol):
    """What is asked of each peer's decoder."""

    link: Link

    def follow(self, head: Head, now_us: int) -> Vehicle | None:
        """Take the head of a whole frame that simply goes on; None: nothing was done."""

    def feed_into(self, data: bytes, now_us: int, turn: Turn) -> None:
        """Feed a datagram within the turn of all."""


Piece = tuple[Follows, bytes]
"""A datagram and the decoder of the peer that sent it."""


class ManySaid(NamedTuple):
    """What a turn of datagrams gave: one output, for each datagram how many rows and how many bad things it held, and what is answered.

    An answer is the number of a datagram of the peer that is told it, and an output with the replies.
    """

    output: Output
    row_counts: list[int]
    bad_counts: list[int]
    answers: list[tuple[int, Output]]


class _Plain(NamedTuple):
    """The datagrams that are one whole unsigned position or attitude, by the number of the datagram; others have msg_id 0."""

    msg_id: list[int]
    head: list[Head]
    value: list[int]
    """Height above home (mm) of a position; the nose's direction (tenths of a degree) of an attitude, or unknown."""
    place: NDArray[np.intp]
    """Where a position stands in `positions`."""
    positions: "_Positions"


class _Positions:
    """The payloads of the plain positions."""

    def __init__(self, rows: NDArray[np.void]) -> None:
        self.rows = rows

    def ints(self, field: str) -> Ints:
        """Return one field as 64-bit integers."""
        values: Ints = self.rows[field].astype(np.int64)
        return values


def feed_many(pieces: Sequence[Piece], now_us: int, *, is_tapped: bool = False) -> ManySaid:
    """Do as each decoder's `feed` in turn; worth it from about thirty datagrams.

    What bears a signature, several frames, a heartbeat or anything that a vehicle has not said just so before goes the usual
    way; the rest is read by columns, and only identity, boot clock and what is joined to a row are followed one by one.
    `is_tapped`: the frames are wanted as they came.
    """
    plain = _plain_of([data for _, data in pieces])
    turn = Turn()
    row_counts, bad_counts = [0] * len(pieces), [0] * len(pieces)
    said: list[tuple[int, int, bool, Joined]] = []
    others: list[int] = []
    for number, (decoder, data) in enumerate(pieces):
        vehicle = decoder.follow(plain.head[number], now_us) if plain.msg_id[number] else None
        if vehicle is None:
            rows, bad = len(turn.rows), turn.bad.total()
            decoder.feed_into(data, now_us, turn)
            row_counts[number], bad_counts[number] = len(turn.rows) - rows, turn.bad.total() - bad
            others += [number] * row_counts[number]
            continue
        if is_tapped:
            turn.heard.append((vehicle.device_id, decoder.link.number, data))
        if plain.msg_id[number] == POSITION:
            said.append(_position(number, vehicle, plain, now_us, turn))
            row_counts[number] = 1
        else:
            _attitude(vehicle, plain.head[number][3], plain.value[number], now_us, turn)
    scalar = turn.output()
    batch = _batch_of(said, plain, now_us)
    if others and said:
        order = np.argsort(np.array([*(row[0] for row in said), *others]), kind="stable")
        batch = concatenate([batch, scalar.batch])[order]
    elif others:
        batch = scalar.batch
    output = Output(
        batch=batch,
        events=scalar.events,
        facts=scalar.facts,
        bad=scalar.bad,
        heard=scalar.heard,
        sightings=scalar.sightings,
    )
    return ManySaid(output, row_counts, bad_counts, [])


def _position(number: int, vehicle: Vehicle, plain: _Plain, now_us: int, turn: Turn) -> tuple[int, int, bool, Joined]:
    vehicle.requests.heard(POSITION, now_us)
    stamp = vehicle.stamp(plain.head[number][3], now_us, turn)
    joined = vehicle.fusion.joined(now_us)
    vehicle.climb(plain.value[number], now_us, turn)
    return number, stamp.observed_us, stamp.estimated, joined


def _attitude(vehicle: Vehicle, boot_ms: int, yaw_ddeg: int, now_us: int, turn: Turn) -> None:
    vehicle.requests.heard(ATTITUDE, now_us)
    vehicle.stamp(boot_ms, now_us, turn)
    if yaw_ddeg != UNKNOWN_I2:
        vehicle.fusion.note_yaw(yaw_ddeg, now_us)


def _plain_of(datagrams: list[bytes]) -> _Plain:
    """Find the datagrams that are one whole frame of the two messages that vehicles send most."""
    sizes = np.fromiter(map(len, datagrams), np.int64, len(datagrams))
    stop: Positions = np.cumsum(sizes)
    padded = b"".join((*datagrams, PADDING))
    found, piece = exactly(padded, stop - sizes, stop)
    block = Block(padded, found, frames_bad=0, bytes_skipped=0)
    count = len(datagrams)
    msg_id, value, place = np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count, np.intp)
    boot_ms = np.zeros(count, np.int64)
    positions = block.of("GLOBAL_POSITION_INT")
    lat_e7, lon_e7 = positions.rows["lat"].astype(np.int64), positions.rows["lon"].astype(np.int64)
    is_place = ((lat_e7 != 0) | (lon_e7 != 0)) & (np.abs(lat_e7) <= 900_000_000) & (np.abs(lon_e7) <= 1_800_000_000)
    at = piece[positions.index]
    msg_id[at] = np.where(is_place, POSITION, 0)
    value[at], boot_ms[at], place[at] = (
        positions.rows["relative_alt"],
        positions.rows["time_boot_ms"],
        np.arange(len(at)),
    )
    attitudes = block.of("ATTITUDE")
    at = piece[attitudes.index]
    msg_id[at], value[at], boot_ms[at] = ATTITUDE, _yaws(attitudes.rows["yaw"]), attitudes.rows["time_boot_ms"]
    heads = np.zeros((4, count), np.int64)
    heads[0, piece], heads[1, piece], heads[2, piece] = block.system_id, block.component_id, block.sequence
    heads[3] = boot_ms
    head = list(zip(*heads.tolist(), strict=True))
    return _Plain(msg_id.tolist(), head, value.tolist(), place, _Positions(positions.rows))


def _yaws(yaw_rad: NDArray[np.float32]) -> Ints:
    with np.errstate(invalid="ignore"):
        yaw = yaw_rad.astype(np.float64)
        known = np.abs(yaw) <= HIGHEST_YAW
    return np.where(known, np.rint(np.where(known, yaw, 0.0) * TENTHS_PER_RADIAN).astype(np.int64) % 3600, UNKNOWN_I2)


def _batch_of(said: list[tuple[int, int, bool, Joined]], plain: _Plain, now_us: int) -> Batch:
    """Return the rows of plain positions as `Fusion.global_position` makes them."""
    batch = new_batch(len(said))
    if not said:
        return batch
    numbers, observed_us, estimated, joined = zip(*said, strict=True)
    positions = _Positions(plain.positions.rows[plain.place[list(numbers)]])
    names = ("device_id", "heading_ddeg", "alt_hae_dm", "accuracy_dm", "battery_pct", "satellites", "fix", "quality")
    for name, column in zip(names, np.array(joined, np.int64).T, strict=True):
        batch[name] = column
    batch["observed_us"], batch["received_us"] = observed_us, now_us
    batch["lat_e7"], batch["lon_e7"] = positions.rows["lat"], positions.rows["lon"]
    batch["quality"] |= np.where(estimated, int(Quality.TIME_ESTIMATED), 0).astype(np.int32)
    batch["quality"] |= np.where(batch["fix"] == 0, int(Quality.NO_FIX), 0).astype(np.int32)
    batch["quality"] |= np.where(batch["accuracy_dm"] > INACCURATE_DM, int(Quality.INACCURATE), 0).astype(np.int32)
    told = positions.ints("hdg")
    batch["heading_ddeg"] = np.where(told == NO_ANGLE, batch["heading_ddeg"], (told + 5) // 10 % 3600)
    put_altitudes(batch, positions)
    put_motion(batch, positions)
    hash_fixes(batch)
    return batch
