"""Others in the air as vehicles' receivers tell of them: ADS-B and open drone id; who they are is not read further."""

from collections.abc import Callable
from typing import Any, Final

from telemetry.model.sighting import Sighting, SightingSource
from telemetry.sources.mavlink.frame import Frame
from telemetry.sources.mavlink.tables import MESSAGES

ADSB: Final = 246
DRONE_ID: Final = 12901
HAS_PLACE, HAS_HEIGHT, HAS_HEADING, HAS_SPEED, IS_SIMULATED, HAS_CLIMB = 1, 2, 4, 8, 64, 128
NOT_KNOWN_M: Final = -1000.0
NO_DIRECTION_CDEG: Final = 36_100
NO_SPEED_CMPS: Final = 25_500
NO_CLIMB_CMPS: Final = 6_300
NOBODY: Final = bytes(20)
ID_AT: Final = 11
"""Where the sender of a drone id stands among the values, byte by byte."""
Fields = tuple[Any, ...]


def sighting_of(frame: Frame, now_us: int) -> Sighting | None:
    """Return whom a frame tells of, None for one that tells of nobody: of its own vehicle, without a place, or simulated."""
    read = _READERS.get(frame.msg_id)
    return None if read is None else read(MESSAGES[frame.msg_id].codec.unpack(frame.payload), now_us)


def is_foreign(fields: Fields) -> bool:
    """Tell whether an OPEN_DRONE_ID_LOCATION (wire order) was received from another drone; a vehicle's own names no sender."""
    return bytes(fields[ID_AT : ID_AT + 20]) != NOBODY


def _adsb(fields: Fields, now_us: int) -> Sighting | None:
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


def _drone_id(fields: Fields, now_us: int) -> Sighting | None:
    lat_e7, lon_e7, barometric_m, geodetic_m, _, _, direction_cdeg, speed_cmps, climb_cmps = fields[:9]
    if not is_foreign(fields) or not _is_place(lat_e7, lon_e7):
        return None
    heights_m = [height_m for height_m in (barometric_m, geodetic_m) if height_m > NOT_KNOWN_M]
    return Sighting(
        key=b"odid" + bytes(fields[ID_AT : ID_AT + 20]),
        source=SightingSource.REMOTE_ID,
        seen_us=now_us,
        lat_deg=lat_e7 / 1e7,
        lon_deg=lon_e7 / 1e7,
        alt_msl_m=heights_m[0]
        if heights_m
        else None,  # the ellipsoid's, where it tells no other: within some tens of metres
        speed_mps=speed_cmps / 100 if speed_cmps < NO_SPEED_CMPS else None,
        climb_mps=climb_cmps / 100 if climb_cmps != NO_CLIMB_CMPS else None,
        course_deg=direction_cdeg / 100 % 360 if direction_cdeg < NO_DIRECTION_CDEG else None,
    )


def _is_place(lat_e7: int, lon_e7: int) -> bool:
    return bool(lat_e7 or lon_e7) and abs(lat_e7) <= 900_000_000 and abs(lon_e7) <= 1_800_000_000


_READERS: Final[dict[int, Callable[[Fields, int], Sighting | None]]] = {ADSB: _adsb, DRONE_ID: _drone_id}
TELLS_OF_OTHERS: Final = frozenset(_READERS)
