"""JT/T 808 and MAVLink bytes made beforehand or by the hundred, so that who makes the load costs the machine little."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from infra.clock import SYSTEM_CLOCK
from telemetry.model.unit import CHINA_OFFSET_S
from telemetry.sources.jt808.messages import BATCH, POSITION
from telemetry.sources.mavlink.frame import encode

ROWS_A_BATCH: Final = 34
"""So many positions of 28 bytes fit into one frame (0x0704) whole."""
FRAMES_AT_ONCE: Final = 16
FIRST_LAT_E6: Final = 36_000_000
STEPS_E6: Final = {1: 9, ROWS_A_BATCH: 90}
"""A row is so much north of the one before it: 1 m where a terminal speaks ten times a second, 10 m where once. So a row's place is its number."""
IS_FIXED: Final = 3
HEADER_BYTES: Final = 12
_HEAD: Final = [("msg_id", ">u2"), ("body_bytes", ">u2"), ("phone", "6u1"), ("serial", ">u2")]
_POSITION: Final = np.dtype(
    [
        ("alarm", ">u4"),
        ("status", ">u4"),
        ("lat_e6", ">u4"),
        ("lon_e6", ">u4"),
        ("alt_m", ">u2"),
        ("speed_dkmh", ">u2"),
        ("course_deg", ">u2"),
        ("time", "6u1"),
    ]
)
_ITEM: Final = np.dtype([("length", ">u2"), ("position", _POSITION)])
_ONE: Final = np.dtype([*_HEAD, ("position", _POSITION), ("xor", "u1")])
_MANY: Final = np.dtype([*_HEAD, ("count", ">u2"), ("kind", "u1"), ("items", _ITEM, (ROWS_A_BATCH,)), ("xor", "u1")])


class Journey:
    """One terminal's way and the frames (2013 edition) that tell it.

    `rows_a_frame` is ROWS_A_BATCH (a second a row, from `first_s` on) or 1 (all of now; terminals know whole seconds only).
    """

    def __init__(self, phone: str, number: int, *, first_s: int, rows_a_frame: int) -> None:
        self.rows_a_frame = rows_a_frame
        self._kind = number % 2
        """Every other terminal marks its batches as stored where there was no network (1), the others as plain ones (0)."""
        self._phone = [int(digits, 16) for digits in (phone.zfill(12)[at : at + 2] for at in range(0, 12, 2))]
        self._lon_e6 = 103_000_000 + number * 1_000
        self._next_s = first_s
        self._row = 0
        self._serial = 1  # 0 was the authentication
        self._ready: Iterator[bytes] = iter(())

    def next_frame(self) -> bytes:
        """Return the next frame, delimiters and all; FRAMES_AT_ONCE are made in one go (some 4 us each)."""
        frame = next(self._ready, None)
        if frame is None:
            self._ready = iter(self._frames())
            frame = next(self._ready)
        return frame

    def _frames(self) -> list[bytes]:
        frames = np.zeros(FRAMES_AT_ONCE, _ONE if self.rows_a_frame == 1 else _MANY)
        frames["phone"] = self._phone
        frames["serial"] = (self._serial + np.arange(FRAMES_AT_ONCE)) & 0xFFFF
        frames["body_bytes"] = frames.dtype.itemsize - HEADER_BYTES - 1
        if self.rows_a_frame == 1:
            frames["msg_id"] = POSITION
            self._fill(frames["position"])
        else:
            frames["msg_id"] = BATCH
            frames["count"] = ROWS_A_BATCH
            frames["kind"] = self._kind
            frames["items"]["length"] = _POSITION.itemsize
            positions = frames["items"]["position"].reshape(-1).copy()
            self._fill(positions)
            frames["items"]["position"] = positions.reshape(FRAMES_AT_ONCE, -1)
        data = frames.view(np.uint8).reshape(FRAMES_AT_ONCE, -1)
        data[:, -1] = np.bitwise_xor.reduce(data[:, :-1], axis=1)
        self._serial += FRAMES_AT_ONCE
        return [
            b"\x7e" + row.tobytes().replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02") + b"\x7e"
            for row in data
        ]

    def _fill(self, positions: NDArray[np.void]) -> None:
        count = len(positions)
        positions["status"] = IS_FIXED
        positions["lat_e6"] = FIRST_LAT_E6 + (self._row + np.arange(count)) * STEPS_E6[self.rows_a_frame]
        positions["lon_e6"] = self._lon_e6
        positions["alt_m"] = 1_500
        positions["speed_dkmh"] = 360
        if self.rows_a_frame == 1:
            positions["time"] = packed_times(np.array([SYSTEM_CLOCK.now_us() // 1_000_000]))
        else:
            positions["time"] = packed_times(self._next_s + np.arange(count))
        self._row += count
        self._next_s += count


def packed_times(utc_s: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return (n, 6) BCD bytes YYMMDDhhmmss of China's time."""
    local = (utc_s + CHINA_OFFSET_S).astype("datetime64[s]")
    days, months = local.astype("datetime64[D]"), local.astype("datetime64[M]")
    second_of_day = (local - days).astype(np.int64)
    parts = (
        months.astype(np.int64) // 12 + 1970 - 2000,
        months.astype(np.int64) % 12 + 1,
        (days - months).astype(np.int64) + 1,
        second_of_day // 3600,
        second_of_day // 60 % 60,
        second_of_day % 60,
    )
    return np.stack([part // 10 * 16 + part % 10 for part in parts], axis=1).astype(np.uint8)


def flights(vehicles: int, duration_s: float, rate_hz: float, *, first_ms: int) -> list[list[bytes]]:
    """Return rounds of MAVLink datagrams: each vehicle's position, every tenth second its heartbeat before it.

    `first_ms` is how long the vehicles have been switched on.
    """
    rounds = []
    for number in range(round(duration_s * rate_hz)):
        datagrams = []
        for system_id in range(1, vehicles + 1):
            sequence = number & 255
            if number % round(rate_hz * 10) == 0:
                beat = {"type": 2, "autopilot": 3, "mavlink_version": 3}
                datagrams.append(encode("HEARTBEAT", beat, system_id=system_id, component_id=1, sequence=sequence))
            place = {
                "time_boot_ms": first_ms + round(number * 1000 / rate_hz),
                "lat": 361_000_000 + number * 20,
                "lon": 1_045_000_000 + system_id * 10_000,
            }
            datagrams.append(
                encode("GLOBAL_POSITION_INT", place, system_id=system_id, component_id=1, sequence=sequence)
            )
        rounds.append(datagrams)
    return rounds
