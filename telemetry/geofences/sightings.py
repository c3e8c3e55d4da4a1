"""What reports say to geofences, for many at once: in which each lies, and which its way from the report before swept through."""

from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from telemetry.flat_earth import distances_m
from telemetry.geofences.index import GeofenceIndex
from telemetry.geofences.spread import Rows
from telemetry.geofences.ways import Floats, crossings, fences_on
from telemetry.model.batch import UNKNOWN_I2, Batch, Quality
from telemetry.tracking.quality import UNFIT, UNPLACEABLE, effective_us

PLACE: Final = np.dtype([("us", "<i8"), ("lon_e7", "<i8"), ("lat_e7", "<i8")])
"""Where a device was seen last; `us` 0: never."""
SWEEP_GAP_US: Final = 60_000_000
"""Between fixes farther apart in time nobody knows the way."""
SWEEP_FROM_M: Final = 10.0
"""A shorter way between two fixes passes through nothing that matters: it is within the border's own breadth."""
SWEEP_TO_M: Final = 6_000.0
SPEEDING_ENDS: Final = 0.95
"""Speeding begins above a limit and ends below this share of it."""
NOT_JUDGED: Final = (
    UNFIT | UNPLACEABLE | int(Quality.ODD_TIME | Quality.OUT_OF_ORDER | Quality.ARCHIVE | Quality.REPLAYED)
)
"""Bits of reports that change no live state: late ones are judged when the track is whole (`visits.visits_of`)."""
FEW_PAIRS: Final = 4_096
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_MORE: Final = np.uint64(0xBF58476D1CE4E5B9)


class Sightings(msgspec.Struct, frozen=True, kw_only=True):
    """Reports and what they lie in.

    Of report i the fences are `fence[starts[i]:starts[i + 1]]` (rows of the index), `zone` 2 where it goes faster than they allow, 0
    where clearly not; `mark[i]` is alike for reports that lie in the same with the same zones.

    `before` is where each device was a report earlier, `follows` whether the way between is known. `passes` are ways through
    fences in which neither end lies: report -> (fence, share of the way at which it came in, and out).
    """

    reports: Batch
    us: NDArray[np.int64]
    sort: Rows
    before: NDArray[Any]
    follows: NDArray[np.bool_]
    starts: Rows
    fence: Rows
    zone: NDArray[np.int8]
    mark: list[int]
    passes: dict[int, list[tuple[int, float, float]]]


def is_judged(reports: Batch) -> NDArray[np.bool_]:
    """Tell which reports may change where a device stands to geofences."""
    good: NDArray[np.bool_] = (reports["quality"] & NOT_JUDGED) == 0
    return good


def places_of(reports: Batch) -> NDArray[Any]:
    """Return times and places of reports (dtype PLACE)."""
    places = np.zeros(len(reports), PLACE)
    places["us"] = effective_us(reports)
    places["lon_e7"], places["lat_e7"] = reports["lon_e7"], reports["lat_e7"]
    return places


def sight(index: GeofenceIndex, reports: Batch, sort: Rows, before: NDArray[Any]) -> Sightings:
    """Look at reports, each of a unit of the sort `sort` (of the index's rules), its device seen before at `before` (PLACE)."""
    places = places_of(reports)
    report, fence = index.inside(places["lon_e7"], places["lat_e7"])
    report, fence = _in_force(index, report, fence, sort, reports)
    order = report.argsort(kind="stable")
    report, fence = report[order], fence[order]
    zone = _zones(index, reports, report, fence)
    starts = np.searchsorted(report, np.arange(len(reports) + 1))
    gap_us = places["us"] - before["us"]
    follows = (before["us"] > 0) & (gap_us > 0) & (gap_us <= SWEEP_GAP_US)
    return Sightings(
        reports=reports,
        us=places["us"],
        sort=sort,
        before=before,
        follows=follows,
        starts=starts,
        fence=fence,
        zone=zone,
        mark=_marks(index, fence, zone, starts),
        passes=_passes(index, reports, places, before, sort, follows.nonzero()[0], (report, fence)),
    )


def _in_force(index: GeofenceIndex, report: Rows, fence: Rows, sort: Rows, reports: Batch) -> tuple[Rows, Rows]:
    kept = index.rules.concerned[sort[report], fence]
    if index.rules.has_conditions:
        kept &= index.rules.hold(fence, reports["observed_us"][report], reports[report])
    return (report, fence) if kept.all() else (report[kept], fence[kept])


def _zones(index: GeofenceIndex, reports: Batch, report: Rows, fence: Rows) -> NDArray[np.int8]:
    if not index.rules.has_limits:
        return np.zeros(len(fence), np.int8)
    limit = index.rules.limit_cmps[fence]
    speed = reports["speed_cmps"][report]
    zone = (speed > SPEEDING_ENDS * limit).astype(np.int8) + (speed > limit)
    zone[(speed == UNKNOWN_I2) & np.isfinite(limit)] = 1
    return zone.astype(np.int8)


def _marks(index: GeofenceIndex, fence: Rows, zone: NDArray[np.int8], starts: Rows) -> list[int]:
    if not len(fence):
        return [0] * (len(starts) - 1)
    mixed = (index.rules.ids[fence].astype(np.uint64) * np.uint64(4) + zone.astype(np.uint64) + np.uint64(1)) * _MIX
    mixed = (mixed ^ (mixed >> np.uint64(29))) * _MIX_MORE
    sums = np.zeros(len(fence) + 1, np.uint64)
    np.cumsum(mixed ^ (mixed >> np.uint64(32)), out=sums[1:])
    marks: list[int] = (sums[starts[1:]] - sums[starts[:-1]]).tolist()
    return marks


def _passes(
    index: GeofenceIndex,
    reports: Batch,
    places: NDArray[Any],
    before: NDArray[Any],
    sort: Rows,
    known: NDArray[np.intp],
    inside: tuple[Rows, Rows],
) -> dict[int, list[tuple[int, float, float]]]:
    if not len(known):
        return {}
    moved_m = distances_m(
        places["lat_e7"][known], places["lon_e7"][known], before["lat_e7"][known], before["lon_e7"][known]
    )
    known = known[(moved_m >= SWEEP_FROM_M) & (moved_m <= SWEEP_TO_M)]
    if not len(known):
        return {}
    ways = way_of(before[known], places[known])
    way, fence = fences_on(index, ways)
    width = np.int64(len(index.fences) + 1)
    way, fence = _without(way, fence, known[way] * width + fence, inside[0] * width + inside[1])
    report, fence = _in_force(index, known[way], fence, sort, reports)
    if not len(fence):
        return {}
    way = np.searchsorted(known, report)
    came, went = crossings(index, fence, (ways[0][way], ways[1][way], ways[2][way], ways[3][way]))
    begun = np.flatnonzero(went > came)
    if not len(begun):
        return {}
    place, held = index.inside(ways[0], ways[1])
    met, _ = _without(begun, fence[begun], way[begun] * width + fence[begun], place * width + held)
    found: dict[int, list[tuple[int, float, float]]] = {}
    for pair in met.tolist():
        found.setdefault(int(report[pair]), []).append((int(fence[pair]), float(came[pair]), float(went[pair])))
    return found


def _without(first: Rows, second: Rows, keys: Rows, known: Rows) -> tuple[Rows, Rows]:
    """Return two columns without the rows whose key is known; of few rows by comparing each with each."""
    is_few = len(keys) * len(known) <= FEW_PAIRS
    gone = (keys[:, None] == known).any(axis=1) if is_few else np.isin(keys, known)
    return first[~gone], second[~gone]


def way_of(before: NDArray[Any], after: NDArray[Any]) -> tuple[Rows, Rows, Rows, Rows]:
    """Return the straight ways between places (PLACE) as columns x1, y1, x2, y2."""
    return before["lon_e7"], before["lat_e7"], after["lon_e7"], after["lat_e7"]


def share_of_way(index: GeofenceIndex, fence: int, before: Any, after: Any) -> tuple[Floats, Floats]:  # noqa: ANN401 - rows of PLACE
    """Return the shares of one way at which it first and last meets one border; NaN: never."""
    ways = way_of(np.atleast_1d(before), np.atleast_1d(after))
    return crossings(index, np.array([fence], np.int64), ways)
