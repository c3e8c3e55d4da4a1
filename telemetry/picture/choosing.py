"""Which of a unit's devices speaks for it: the operator's choice, freshness, fitness, agreement, trust, the one shown; who disagrees."""

from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from telemetry.flat_earth import distances_m
from telemetry.model.batch import UNKNOWN_I2
from telemetry.model.unit import Device

AGREE_M: Final = 50.0
"""Two devices nearer than this, and their accuracies, say the same."""
HEARD_RANK: Final = 2
"""A device of this link rank is heard: live, or stale but not lost."""

TRUST: Final = {"mavlink": 5, "jt808": 4, "nmea": 4, "gpsd": 4, "gb28181": 3, "skybeat": 2, "traccar": 2}
"""Which of two devices that agree speaks for the unit: what is built in before bodycams, those before phones, which have 1.

A device's own options may say another number.
"""
HIGHEST_TRUST: Final = 100


class Candidates(msgspec.Struct, frozen=True, kw_only=True):
    """Devices that may speak for units, as columns of one length, ordered by `unit_row`.

    `link_rank` is higher for fresher, HEARD_RANK at least for one that is heard; `trust` is higher for better; `is_shown` tells the
    device that speaks now, `is_chosen` the one that an operator wants to speak.
    """

    unit_row: NDArray[Any]
    link_rank: NDArray[Any]
    is_fit: NDArray[Any]
    trust: NDArray[Any]
    is_shown: NDArray[Any]
    is_chosen: NDArray[Any]
    newest_us: NDArray[Any]
    lat_e7: NDArray[Any]
    lon_e7: NDArray[Any]
    accuracy_dm: NDArray[Any]
    speed_cmps: NDArray[Any]


def trust_of(device: Device) -> int:
    """Return how well a device is trusted: as its options say, else as its protocol's devices are."""
    trust = TRUST.get(device.protocol, 1) if device.options.trust is None else device.options.trust
    return max(-HIGHEST_TRUST, min(trust, HIGHEST_TRUST))


def choose(candidates: Candidates) -> NDArray[np.intp]:
    """Return the index of the best candidate of each unit, in order of unit rows.

    The one that an operator chose speaks as long as it is heard. Else a device that is fresher stands first, then one without doubtful bits, then one that more fresh devices of the unit
    agree with; among those that agree the more trusted; then the one shown already, so that a marker does not flicker
    between two; then the newest.
    """
    rows = candidates.unit_row
    last = np.append(rows[1:] != rows[:-1], [True])
    if last.all():
        return np.arange(len(rows))
    agreement = _agreement(candidates)
    trust = np.where(agreement > 0, candidates.trust, 0)
    chosen = candidates.is_chosen & (candidates.link_rank >= HEARD_RANK)
    best_last = (candidates.newest_us, candidates.is_shown, trust, agreement, candidates.is_fit, candidates.link_rank)
    order = np.lexsort((*best_last, chosen, rows))
    best: NDArray[np.intp] = order[last]
    return best


def disagreements_m(candidates: Candidates, best: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return how far each candidate is from the one of its unit that speaks, where both are heard and fit and say another place.

    NaN where it agrees or is not heard; what both could move between their two reports is allowed for. `best` is `choose`'s.
    """
    starts = np.append([True], candidates.unit_row[1:] != candidates.unit_row[:-1])
    speaker = best[np.cumsum(starts) - 1]
    apart_m = distances_m(candidates.lat_e7, candidates.lon_e7, candidates.lat_e7[speaker], candidates.lon_e7[speaker])
    accuracy_m = _known(candidates.accuracy_dm) / 10
    speed_mps = _known(candidates.speed_cmps) / 100
    passed_s = np.abs(candidates.newest_us - candidates.newest_us[speaker]) / 1e6
    allowed_m = AGREE_M + accuracy_m + accuracy_m[speaker] + np.maximum(speed_mps, speed_mps[speaker]) * passed_s
    witness = candidates.is_fit & (candidates.link_rank >= HEARD_RANK)
    return np.where(witness & witness[speaker] & (apart_m > allowed_m), apart_m, np.nan)


def _known(values: NDArray[Any]) -> NDArray[np.float64]:
    return np.where(values == UNKNOWN_I2, 0.0, values)


def _agreement(candidates: Candidates) -> NDArray[np.int64]:
    """Count for each candidate how many as fresh ones of its unit are at its place."""
    count = len(candidates.unit_row)
    agreement = np.zeros(count, np.int64)
    accuracy_m = _known(candidates.accuracy_dm) / 10
    for shift in range(1, count):
        first, second = slice(0, count - shift), slice(shift, count)
        paired = candidates.unit_row[first] == candidates.unit_row[second]
        if not paired.any():
            break
        paired &= (candidates.link_rank[first] > 0) & (candidates.link_rank[first] == candidates.link_rank[second])
        apart_m = distances_m(
            candidates.lat_e7[first], candidates.lon_e7[first], candidates.lat_e7[second], candidates.lon_e7[second]
        )
        near = apart_m <= AGREE_M + accuracy_m[first] + accuracy_m[second]
        agreement[first] += paired & near
        agreement[second] += paired & near
    return agreement
