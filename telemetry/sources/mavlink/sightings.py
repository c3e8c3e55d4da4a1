"""Others in the air as vehicles' receivers tell of them: ADS-B and open drone id; who they are is not read further."""

import struct
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from telemetry.model.sighting import Sighting, SightingSource
from telemetry.sources.mavlink.frame import Frame
from telemetry.sources.mavlink.tables import MESSAGES

ADSB: Final = 246
DRONE_ID: Final = 12901
DRONE_ID_PACK: Final = 12915
HAS_PLACE, HAS_HEIGHT, HAS_HEADING, HAS_SPEED, IS_SIMULATED, HAS_CLIMB = 1, 2, 4, 8, 64, 128
NOT_KNOWN_M: Final = -1000.0
NO_DIRECTION_CDEG: Final = 36_100
NO_SPEED_CMPS: Final = 25_500
NO_CLIMB_CMPS: Final = 6_300
NOBODY: Final = bytes(20)
ID_AT: Final = 11
"""Where the sender of a drone id stands among the values, byte by byte."""
PACK_ID_AT, PACK_SIZE_AT, PACK_COUNT_AT, PACK_AT = 2, 22, 23, 24
"""Where a pack bears its sender, the length of each message, their number and the first of them."""
PACKED_BYTES: Final = 25
PACKED_AT_MOST: Final = 9
PACKED_LOCATION: Final = 1
_PACKED: Final = struct.Struct("<BBBBbiiHHH6x")
"""A location as it is broadcast (ASTM F3411): kind, flags, direction, speed, climb, latitude, longitude, two heights, height above home."""
IS_FAST, IS_WEST = 1, 2
Fields = tuple[Any, ...]


class _Flown(NamedTuple):
    """Where a drone id says that its drone is; the values by which it says that it does not know stand as they are."""

    lat_e7: int
    lon_e7: int
    geodetic_m: float
    direction_cdeg: int
    speed_cmps: int
    climb_cmps: int


def sighting_of(frame: Frame, now_us: int) -> Sighting | None:
    """Return whom a frame tells of, None for one that tells of nobody: of its own vehicle, without a place, or simulated."""
    read = _READERS.get(frame.msg_id)
    return None if read is None else read(frame.payload, now_us)


def is_foreign(fields: Fields) -> bool:
    """Tell whether an OPEN_DRONE_ID_LOCATION (wire order) was received from another drone; a vehicle's own names no sender."""
    return bytes(fields[ID_AT : ID_AT + 20]) != NOBODY


def _adsb(payload: bytes, now_us: int) -> Sighting | None:
    fields = MESSAGES[ADSB].codec.unpack(payload)
    icao, lat_e7, lon_e7, height_mm, heading_cdeg, speed_cmps, climb_cmps, flags = fields[:8]
    if not flags & HAS_PLACE or flags & IS_SIMULATED or not _is_place(lat_e7, lon_e7):
        return None
    return Sighting(
        key=b"adsb" + int(icao).to_bytes(4, "little"),
        source=SightingSource.ADSB,
        seen_us=now_us - int(fields[-1]) * 1_000_000,
        lat_deg=lat_e7 / 1e7,
        lon_deg=lon_e7 / 1e7,
        alt_msl_m=height_mm / 1000 if flags & HAS_HEIGHT else None,
        speed_mps=speed_cmps / 100 if flags & HAS_SPEED else None,
        climb_mps=climb_cmps / 100 if flags & HAS_CLIMB else None,
        course_deg=heading_cdeg / 100 % 360 if flags & HAS_HEADING else None,
    )


def _drone_id(payload: bytes, now_us: int) -> Sighting | None:
    fields = MESSAGES[DRONE_ID].codec.unpack(payload)
    lat_e7, lon_e7, _, geodetic_m, _, _, direction_cdeg, speed_cmps, climb_cmps = fields[:9]
    flown = _Flown(lat_e7, lon_e7, geodetic_m, direction_cdeg, speed_cmps, climb_cmps)
    return _remote(bytes(fields[ID_AT : ID_AT + 20]), flown, now_us)


def _drone_id_pack(payload: bytes, now_us: int) -> Sighting | None:
    """Read the location of a pack; who flies, from where and by which number stands in its other messages, which are left there."""
    if payload[PACK_SIZE_AT] != PACKED_BYTES:
        return None
    count = min(payload[PACK_COUNT_AT], PACKED_AT_MOST)
    packed = [payload[at : at + PACKED_BYTES] for at in range(PACK_AT, PACK_AT + count * PACKED_BYTES, PACKED_BYTES)]
    location = next((message for message in packed if message[0] >> 4 == PACKED_LOCATION), None)
    sender = bytes(payload[PACK_ID_AT : PACK_ID_AT + 20])
    return None if location is None else _remote(sender, _unpacked(location), now_us)


def _unpacked(location: bytes) -> _Flown:
    """Return a broadcast location in the units of OPEN_DRONE_ID_LOCATION, by whose unknown values its own become unknown too."""
    _, flags, direction_deg, speed, climb, lat_e7, lon_e7, _, geodetic, _ = _PACKED.unpack(location)
    course_deg = direction_deg + (180 if flags & IS_WEST else 0)
    return _Flown(
        lat_e7,
        lon_e7,
        geodetic_m=geodetic / 2 - 1000,
        direction_cdeg=course_deg * 100 if course_deg < 360 else NO_DIRECTION_CDEG,
        speed_cmps=speed * 75 + 6_375 if flags & IS_FAST else speed * 25,
        climb_cmps=climb * 50,
    )


def _remote(sender: bytes, flown: _Flown, now_us: int) -> Sighting | None:
    """Return whom a drone id tells of; its height is the ellipsoid's, some tens of metres from the sea's.

    The barometric one is that of the standard atmosphere, 100 to 250 m off: it is taken for none.
    """
    if sender == NOBODY or not _is_place(flown.lat_e7, flown.lon_e7):
        return None
    return Sighting(
        key=b"odid" + sender,
        source=SightingSource.REMOTE_ID,
        seen_us=now_us,
        lat_deg=flown.lat_e7 / 1e7,
        lon_deg=flown.lon_e7 / 1e7,
        alt_msl_m=flown.geodetic_m if flown.geodetic_m > NOT_KNOWN_M else None,
        speed_mps=flown.speed_cmps / 100 if flown.speed_cmps < NO_SPEED_CMPS else None,
        climb_mps=flown.climb_cmps / 100 if flown.climb_cmps != NO_CLIMB_CMPS else None,
        course_deg=flown.direction_cdeg / 100 % 360 if flown.direction_cdeg < NO_DIRECTION_CDEG else None,
    )


def _is_place(lat_e7: int, lon_e7: int) -> bool:
    return bool(lat_e7 or lon_e7) and abs(lat_e7) <= 900_000_000 and abs(lon_e7) <= 1_800_000_000


_READERS: Final[dict[int, Callable[[bytes, int], Sighting | None]]] = {
    ADSB: _adsb,
    DRONE_ID: _drone_id,
    DRONE_ID_PACK: _drone_id_pack,
}
TELLS_OF_OTHERS: Final = frozenset(_READERS)
