"""A unit's way to its task, seen from its track alone: that it is under way, and that it is there."""

import math
from typing import Final

import msgspec

from telemetry.model.batch import UNKNOWN_I2, UNKNOWN_I4, Quality

NEAR_M: Final = 40.0
"""Within this of the place, or 1.5 times what the fix says of its own accuracy, a unit is there..."""
ACCURACY_FACTOR: Final = 1.5
NEAR_FOR_US: Final = 5_000_000
"""...when it stays so long and does not merely drive past."""
PASSING_MPS: Final = 5.0
STANDING_M: Final = 80.0
"""A unit that stands within this is there too: the place of a call is seldom better known."""
STANDING_FOR_US: Final = 20_000_000
STANDING_MPS: Final = 0.7
STANDING_DRIFT_M: Final = 15.0
SLACK_M: Final = 15.0
"""How much farther off a unit that was near must be seen before it counts as gone again."""
LEFT_M: Final = 60.0
"""A unit that is this far from where it accepted is under way..."""
MOVING_MPS: Final = 2.0
MOVING_FOR_US: Final = 5_000_000
"""...or one that moves so fast for so long."""
LONGEST_GAP_US: Final = 15_000_000
"""What happened between fixes farther apart in time is not known: counting begins again."""
ROUGHEST_ACCURACY_M: Final = 100.0
OLDEST_US: Final = 20_000_000
"""A fix that reaches us later than this after it was measured tells of the past, not of now."""
AHEAD_US: Final = 2_000_000
UNTRUSTED: Final = int(
    Quality.TIME_ESTIMATED
    | Quality.TIME_OF_ARRIVAL
    | Quality.ODD_TIME
    | Quality.REPLAYED
    | Quality.JUMPED
    | Quality.TOO_FAST
    | Quality.NO_FIX
    | Quality.MOCK
    | Quality.SECONDARY
    | Quality.NULL_ISLAND
    | Quality.ENCRYPTED
    | Quality.ZONE_WRONG
    | Quality.ARCHIVE
    | Quality.LENGTH
    | Quality.CHECKSUM
    | Quality.INACCURATE
    | Quality.OUT_OF_ORDER
)
"""Bits of fixes that prove neither where a unit is nor when."""
_METRES_PER_E7: Final = 0.011131949


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """A unit's newest position as the picture has it; units and unknowns as in REPORT. `is_live`: heard within its interval."""

    observed_us: int
    received_us: int
    lat_e7: int
    lon_e7: int
    accuracy_dm: int = UNKNOWN_I2
    speed_cmps: int = UNKNOWN_I2
    quality: int = 0
    is_live: bool = True


class Approach(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of one dispatch between two looks at the track; times are UTC microseconds of the fixes.

    `began_us` is when the unit accepted: nothing before it counts. `left_us` and `arrived_us` are set once and stay.
    """

    lat_e7: int
    lon_e7: int
    began_us: int
    last: Fix | None = None
    origin: Fix | None = None
    near_since_us: int | None = None
    standing: Fix | None = None
    moving_since_us: int | None = None
    left_us: int | None = None
    arrived_us: int | None = None


def step(approach: Approach, fix: Fix, now_us: int) -> Approach:
    """Return the approach after one more look; a fix that says nothing new or proves nothing changes nothing."""
    approach = _with_clock(approach, now_us)
    if not _proves(approach, fix, now_us):
        return approach
    last = approach.last
    if last is not None and fix.observed_us - last.observed_us > LONGEST_GAP_US:
        approach = msgspec.structs.replace(approach, near_since_us=None, standing=None, moving_since_us=None)
        last = None
    origin = approach.origin or fix
    near_since_us = _near_since(approach, fix)
    standing = _standing_since(approach, fix)
    moving_since_us = None if _speed_mps(fix, last) <= MOVING_MPS else approach.moving_since_us or fix.observed_us
    return msgspec.structs.replace(
        approach,
        last=fix,
        origin=origin,
        near_since_us=near_since_us,
        standing=standing,
        moving_since_us=moving_since_us,
        left_us=approach.left_us or _left_us(fix, origin, moving_since_us),
        arrived_us=approach.arrived_us or _arrived_us(fix, last, near_since_us, standing),
    )


def distance_m(lat_e7: int, lon_e7: int, other_lat_e7: int, other_lon_e7: int) -> float:
    """Return the distance of two near places on a flat earth between them."""
    half_turn_e7 = 1_800_000_000
    east_e7 = (lon_e7 - other_lon_e7 + half_turn_e7) % (2 * half_turn_e7) - half_turn_e7
    shrink = math.cos(math.radians((lat_e7 + other_lat_e7) / 2e7))
    return math.hypot(lat_e7 - other_lat_e7, east_e7 * shrink) * _METRES_PER_E7


def _with_clock(approach: Approach, now_us: int) -> Approach:
    """Forget what lies in the future when our own clock was set back, or nothing would count until it comes again."""
    seen_us = approach.began_us if approach.last is None else approach.last.observed_us
    if seen_us <= now_us + AHEAD_US:
        return approach
    return msgspec.structs.replace(
        approach,
        began_us=min(approach.began_us, now_us),
        last=None,
        near_since_us=None,
        standing=None,
        moving_since_us=None,
    )


def _proves(approach: Approach, fix: Fix, now_us: int) -> bool:
    """Tell whether a fix is new, of now, measured, and good enough to judge a place by."""
    if not fix.is_live or fix.quality & UNTRUSTED or UNKNOWN_I4 in (fix.lat_e7, fix.lon_e7):
        return False
    if not approach.began_us <= fix.observed_us <= now_us + AHEAD_US:
        return False
    if fix.received_us - fix.observed_us > OLDEST_US or now_us - fix.observed_us > OLDEST_US:
        return False
    if approach.last is not None and fix.observed_us <= approach.last.observed_us:
        return False
    return _accuracy_m(fix) <= ROUGHEST_ACCURACY_M


def _near_since(approach: Approach, fix: Fix) -> int | None:
    reach_m = max(NEAR_M, ACCURACY_FACTOR * _accuracy_m(fix))
    away_m = distance_m(fix.lat_e7, fix.lon_e7, approach.lat_e7, approach.lon_e7)
    if away_m <= reach_m:
        return approach.near_since_us or fix.observed_us
    return approach.near_since_us if away_m <= reach_m + SLACK_M else None


def _standing_since(approach: Approach, fix: Fix) -> Fix | None:
    """Return the fix at which the unit came to stand near the place; None while it moves or is farther off."""
    if distance_m(fix.lat_e7, fix.lon_e7, approach.lat_e7, approach.lon_e7) > STANDING_M:
        return None
    if fix.speed_cmps != UNKNOWN_I2 and fix.speed_cmps / 100 > STANDING_MPS:
        return None
    began = approach.standing
    if began is None or distance_m(fix.lat_e7, fix.lon_e7, began.lat_e7, began.lon_e7) > STANDING_DRIFT_M:
        return fix
    return began


def _arrived_us(fix: Fix, last: Fix | None, near_since_us: int | None, standing: Fix | None) -> int | None:
    """Return when the unit was there first: the begin of the time that proves it."""
    is_passing = _speed_mps(fix, last) > PASSING_MPS
    if near_since_us is not None and fix.observed_us - near_since_us >= NEAR_FOR_US and not is_passing:
        return near_since_us
    if standing is not None and fix.observed_us - standing.observed_us >= STANDING_FOR_US:
        return standing.observed_us
    return None


def _left_us(fix: Fix, origin: Fix, moving_since_us: int | None) -> int | None:
    if moving_since_us is not None and fix.observed_us - moving_since_us >= MOVING_FOR_US:
        return moving_since_us
    doubt_m = _accuracy_m(fix) + _accuracy_m(origin)
    away_m = distance_m(fix.lat_e7, fix.lon_e7, origin.lat_e7, origin.lon_e7)
    return fix.observed_us if away_m > LEFT_M + doubt_m else None


def _accuracy_m(fix: Fix) -> float:
    return 0.0 if fix.accuracy_dm == UNKNOWN_I2 else fix.accuracy_dm / 10


def _speed_mps(fix: Fix, last: Fix | None) -> float:
    """Return the speed that the fix tells, else that since the last one less what their accuracies leave in doubt."""
    if fix.speed_cmps != UNKNOWN_I2:
        return fix.speed_cmps / 100
    if last is None:
        return 0.0
    moved_m = distance_m(fix.lat_e7, fix.lon_e7, last.lat_e7, last.lon_e7) - _accuracy_m(fix) - _accuracy_m(last)
    return max(moved_m, 0.0) / ((fix.observed_us - last.observed_us) / 1e6)
