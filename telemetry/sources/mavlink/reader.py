"""MAVLink for `skybeat decode`: a byte stream's frames one by one, bad ones too, each as what it says of itself."""

import math
import struct
from typing import Final

from telemetry.model.batch import UNKNOWN_I2, UNKNOWN_I4, Quality
from telemetry.model.reading import Read, ReadError, ReadMessage, ReadPosition
from telemetry.sources.mavlink.boot_clock import UTC_KNOWN_US
from telemetry.sources.mavlink.frame import (
    CRC_BYTES,
    HEADER_V1_BYTES,
    HEADER_V2_BYTES,
    MAGIC_V1,
    MAGIC_V2,
    SIGNATURE_BYTES,
    SIGNED_FLAG,
    Frame,
    FrameReader,
)
from telemetry.sources.mavlink.secondary import (
    LEAST_FIX,
    Fields,
    Fix,
    fix_of_drone_id,
    fix_of_gps_raw,
    fix_of_high_latency,
    fix_of_utm,
)
from telemetry.sources.mavlink.tables import MESSAGES

GLOBAL_POSITION: Final = 33
GPS_RAW: Final = 24
UTM_POSITION: Final = 340
DRONE_ID: Final = 12901
HIGH_LATENCY: Final = 235
SYSTEM_TIME: Final = 2
COURSE_FROM_MPS: Final = 0.5
_LESSER: Final = {
    GPS_RAW: fix_of_gps_raw,
    UTM_POSITION: fix_of_utm,
    DRONE_ID: fix_of_drone_id,
    HIGH_LATENCY: fix_of_high_latency,
}


class MavlinkReader:
    """Reads frames in the order of their stream: a SYSTEM_TIME dates what the same vehicle says by its boot clock after it.

    Signatures are not verified: there is no key here.
    """

    def __init__(self) -> None:
        self._booted_us: dict[int, int] = {}

    def whole_bytes(self, data: bytes) -> int:
        """Return how many bytes hold no frame that goes on behind them."""
        frames = FrameReader()
        frames.feed(data)
        return len(data) - frames.pending_bytes

    def split(self, data: bytes) -> list[bytes]:
        """Return the good frames, and what lies between them: frames that are damaged one by one, noise in one piece."""
        frames = FrameReader()
        messages: list[bytes] = []
        at = 0
        for frame in [*frames.feed(data), *frames.flush()]:
            begin = data.index(frame.raw, at)
            messages += _damaged(data[at:begin])
            messages.append(frame.raw)
            at = begin + len(frame.raw)
        return [*messages, *_damaged(data[at:])]

    def read(self, message: bytes) -> list[Read]:
        """Return what one frame says."""
        frames = FrameReader()
        found = [*frames.feed(message), *frames.flush()]
        if len(found) != 1 or found[0].raw != message:
            return [_complaint(message)]
        return [self._read(found[0])]

    def _read(self, frame: Frame) -> Read:
        fields = MESSAGES[frame.msg_id].codec.unpack(frame.payload)
        device = str(frame.system_id)
        if frame.msg_id == SYSTEM_TIME and fields[0] > UTC_KNOWN_US:
            self._booted_us[frame.system_id] = fields[0] - fields[1] * 1000
        if frame.msg_id == GLOBAL_POSITION:
            return self._global_position(fields, device, frame.system_id)
        if frame.msg_id == GPS_RAW and fields[8] < LEAST_FIX:
            return ReadPosition(
                device=device,
                lat_deg=fields[1] / 1e7,
                lon_deg=fields[2] / 1e7,
                observed_us=self._time_us(fields[0], frame.system_id),
                quality=Quality.SECONDARY | Quality.NO_FIX | _null_island(fields[1], fields[2]),
            )
        make_fix = _LESSER.get(frame.msg_id)
        fix = None if make_fix is None else make_fix(fields)
        if fix is None:
            name = MESSAGES[frame.msg_id].name
            return ReadMessage(message=name, device=device, fields={"component_id": frame.component_id})
        return _lesser(fix, device, self._time_us(fix.time_us, frame.system_id))

    def _global_position(self, fields: Fields, device: str, system_id: int) -> ReadPosition:
        speed_mps = math.hypot(fields[5], fields[6]) / 100
        course_deg = math.degrees(math.atan2(fields[6], fields[5])) % 360
        quality = _null_island(fields[1], fields[2])
        observed_us = self._time_us(fields[0] * 1000, system_id)
        return ReadPosition(
            device=device,
            lat_deg=fields[1] / 1e7,
            lon_deg=fields[2] / 1e7,
            alt_msl_m=fields[3] / 1e3,
            speed_mps=speed_mps,
            course_deg=course_deg if speed_mps >= COURSE_FROM_MPS else None,
            observed_us=observed_us,
            quality=quality if observed_us is None else quality | Quality.TIME_ESTIMATED,
        )

    def _time_us(self, told_us: int, system_id: int) -> int | None:
        """Return UTC of a field that holds UTC or microseconds since boot; None while nothing tells when that was."""
        if told_us > UTC_KNOWN_US:
            return told_us
        booted_us = self._booted_us.get(system_id)
        return None if booted_us is None or not told_us else booted_us + told_us


def message_reader(*, utc_offset_s: int) -> MavlinkReader:
    """Return a reader; MAVLink's times are UTC, whatever the zone."""
    del utc_offset_s
    return MavlinkReader()


def _lesser(fix: Fix, device: str, observed_us: int | None) -> ReadPosition:
    return ReadPosition(
        device=device,
        lat_deg=fix.lat_e7 / 1e7,
        lon_deg=fix.lon_e7 / 1e7,
        alt_msl_m=None if fix.alt_msl_dm == UNKNOWN_I4 else fix.alt_msl_dm / 10,
        speed_mps=None if fix.speed_cmps == UNKNOWN_I2 else fix.speed_cmps / 100,
        course_deg=None if fix.course_ddeg == UNKNOWN_I2 else fix.course_ddeg / 10,
        observed_us=observed_us,
        quality=Quality(fix.quality) | _null_island(fix.lat_e7, fix.lon_e7),
    )


def _null_island(lat_e7: int, lon_e7: int) -> Quality:
    return Quality.NULL_ISLAND if lat_e7 == 0 and lon_e7 == 0 else Quality(0)


def _damaged(gap: bytes) -> list[bytes]:
    """Return what no good frame is: damaged frames as long as they say they are, and the rest between them."""
    pieces: list[bytes] = []
    at = noise = 0
    while at < len(gap):
        size = _told_size(gap[at : at + HEADER_V2_BYTES])
        if size is None or at + size > len(gap):
            at += 1
            continue
        pieces += [gap[noise:at]] if noise < at else []
        pieces.append(gap[at : at + size])
        at = noise = at + size
    return [*pieces, gap[noise:]] if noise < len(gap) else pieces


def _told_size(head: bytes) -> int | None:
    """Return how long a frame says to be whose message we know; None for what begins none."""
    if len(head) >= HEADER_V2_BYTES and head[0] == MAGIC_V2 and head[2] <= SIGNED_FLAG:
        known = int.from_bytes(head[7:10], "little") in MESSAGES
        size = HEADER_V2_BYTES + head[1] + CRC_BYTES + (SIGNATURE_BYTES if head[2] else 0)
        return size if known else None
    if len(head) >= HEADER_V1_BYTES and head[0] == MAGIC_V1:
        message = MESSAGES.get(head[5])
        return HEADER_V1_BYTES + head[1] + CRC_BYTES if message is not None and message.min_len == head[1] else None
    return None


def _complaint(message: bytes) -> ReadError:
    """Say what is wrong with bytes that are no good frame."""
    if not message or message[0] not in (MAGIC_V1, MAGIC_V2):
        return ReadError(
            error=f"{len(message)} bytes that are no MAVLink frame: one begins with fd or fe", code="framing"
        )
    size = _told_size(message[:HEADER_V2_BYTES])
    if size == len(message):
        (told,) = struct.unpack_from("<H", message, size - CRC_BYTES - _signature_bytes(message))
        return ReadError(error=f"the checksum is {told:04x}: that is not the sum of what came", code="checksum")
    if size is not None:
        return ReadError(error=f"the frame has {len(message)} bytes and says {size}", code="length")
    return ReadError(error="a frame of a message, a length or flags that this dialect does not know", code="message")


def _signature_bytes(message: bytes) -> int:
    return SIGNATURE_BYTES if message[0] == MAGIC_V2 and message[2] & SIGNED_FLAG else 0
