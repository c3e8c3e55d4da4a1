"""Whether what a vehicle has on board is what it was given: firmwares round, shorten and drop, but must not change."""

import hashlib
import struct
from collections.abc import Sequence
from typing import Final

from telemetry.model.mission_items import MissionItem
from telemetry.sources.mavlink.mission_messages import LAST_NAV, has_place

SAME_PLACE_E7: Final = 20
"""0.2 m; what is told as a single-precision number of degrees is only good to `ROUGH_PLACE_E7`."""
ROUGH_PLACE_E7: Final = 160
SAME_HEIGHT_M: Final = 0.05
SAME_PARAM_RATIO: Final = 1e-4
SHORTENED_BELOW: Final = 1.0
FRAMES: Final = {5: 0, 6: 3, 11: 10}
"""The frames of integer places mean the same as those of places in degrees."""
DIGEST_BYTES: Final = 8


def difference(asked: Sequence[MissionItem], found: Sequence[MissionItem], *, first: int = 1) -> str:
    """Return how the first item that differs does so, "" where none does. `first` is the number of the first one in words."""
    if len(asked) != len(found):
        return f"{len(asked)} items were sent, {len(found)} are on board"
    for number, (item, other) in enumerate(zip(asked, found, strict=True), first):
        said = _difference(item, other)
        if said:
            return f"item {number}: {said}"
    return ""


def digest(items: Sequence[MissionItem]) -> str:
    """Return 16 hexadecimal digits that stand for these items: the same however often they are read."""
    hashed = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for item in items:
        params = (item.param1, item.param2, item.param3, item.param4)
        floats = [float("nan") if param is None else param for param in params]
        numbers = (item.command, FRAMES.get(item.frame, item.frame), item.lat_e7, item.lon_e7, *floats, item.alt_m)
        hashed.update(struct.pack("<HBii5f", *numbers))
    return hashed.hexdigest()


def _difference(asked: MissionItem, found: MissionItem) -> str:
    if asked.command != found.command:
        return f"command {asked.command} was sent, {found.command} is on board"
    if has_place(asked.frame, asked.command):
        said = _difference_of_place(asked, found)
        if said:
            return said
    for number in range(1, 5):
        wanted, got = getattr(asked, f"param{number}"), getattr(found, f"param{number}")
        if not _is_same_param(wanted, got, may_be_zero=_may_be_zero(asked.command, number, wanted)):
            return f"parameter {number} was sent as {wanted:g}, {'nothing' if got is None else format(got, 'g')} is on board"
    return ""


def _difference_of_place(asked: MissionItem, found: MissionItem) -> str:
    wanted_frame, frame = FRAMES.get(asked.frame, asked.frame), FRAMES.get(found.frame, found.frame)
    if wanted_frame != frame:
        return f"coordinate frame {asked.frame} was sent, {found.frame} is on board"
    apart_e7 = max(abs(asked.lat_e7 - found.lat_e7), abs(asked.lon_e7 - found.lon_e7))
    if apart_e7 > (ROUGH_PLACE_E7 if _is_rough(found) else SAME_PLACE_E7):
        return f"its place on board is {apart_e7 / 1e7:.6f} degrees away"
    if abs(asked.alt_m - found.alt_m) > SAME_HEIGHT_M:
        return f"height {asked.alt_m:g} m was sent, {found.alt_m:g} m is on board"
    return ""


def _is_rough(item: MissionItem) -> bool:
    """Tell whether a place has been a single-precision number of degrees, whose steps are up to 153e-7."""
    return all(_single(value_e7) == value_e7 for value_e7 in (item.lat_e7, item.lon_e7))


def _single(value_e7: int) -> int:
    return round(float(struct.unpack("<f", struct.pack("<f", value_e7 / 1e7))[0]) * 1e7)


def _may_be_zero(command: int, number: int, value: float | None) -> bool:
    """Tell whether a firmware may keep 0: items that go somewhere lose parameters, and fractions of a second of waiting."""
    return command <= LAST_NAV and (number > 1 or (value is not None and abs(value) < SHORTENED_BELOW))


def _is_same_param(value: float | None, result: float | None, *, may_be_zero: bool) -> bool:
    """Tell whether a parameter was kept: what was not given may be anything, fractions are lost where there is no room."""
    if value is None:
        return True
    if not result:
        return value == 0 or may_be_zero
    apart = abs(value - result)
    is_shortened = result == int(result) and apart < SHORTENED_BELOW
    return is_shortened or apart <= SAME_PARAM_RATIO * max(1.0, abs(value))
