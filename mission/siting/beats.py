"""Beats: the streets shared out among stations, each beat in one piece, all of about the same weight, and compact."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from mission.roads.graph import Ints, SecondsMatrix
from mission.roads.travel import LEAST_SECONDS, ModeNetwork
from mission.siting.beat_exchange import exchange
from mission.siting.beat_growth import NO_BEAT, Loads, centres, grow, scattered_seeds, within_beats
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats

MOST_BEATS_OF_STATION: Final = 20
TOLERANCE_RATIO: Final = 0.05
_CENTRING_STEPS: Final = 8


@dataclass(frozen=True, eq=False)
class Beats:
    """A partition of the nodes: `beat` (nodes,) is each node's beat, NO_BEAT where no station's streets lead.

    By beat: `station` it belongs to (index of the given ones), `weight`, `centre_node` (the station for its only beat, else the
    beat's own middle), `mean_s` (by weight) and `worst_s` from the centre along streets inside the beat, both ways open.
    `imbalance_ratio` is the largest distance of a beat's weight from the even share, as a part of that share;
    `is_balanced` tells whether it is within the tolerance.
    """

    beat: Ints
    station: Ints
    weight: Floats
    centre_node: Ints
    mean_s: Floats
    worst_s: Floats
    imbalance_ratio: float
    is_balanced: bool


def balanced_beats(
    seconds: SecondsMatrix,
    station_node: Ints,
    weight: Floats,
    *,
    beats_count: Sequence[int] | None = None,
    tolerance_ratio: float = TOLERANCE_RATIO,
) -> Beats:
    """Return beats of equal weight, `beats_count` (stations,) for each station (one each by default).

    `seconds` is symmetric (see `street_seconds`); `weight` (nodes,) is not negative. Every beat is one piece of the street graph,
    always; beats grow round their stations under prices that even out their weights, then neighbours hand over branches
    until every weight is within `tolerance_ratio` of the even share or no branch helps. About 3 s for 14 stations on 50,000
    nodes. Raises InputError.
    """
    counts = np.ones(len(station_node), np.int64) if beats_count is None else np.asarray(beats_count, np.int64)
    _check(seconds, station_node, weight, counts, tolerance_ratio)
    own_tolerance_ratio = tolerance_ratio if counts.max() == 1 else tolerance_ratio / 2.0
    beyond = ~np.isfinite(dijkstra(seconds, indices=station_node, min_only=True))
    weight = np.where(beyond, 0.0, weight)
    loads = Loads(weight, counts / counts.sum(), own_tolerance_ratio)
    zone = exchange(seconds, station_node, loads, grow(seconds, station_node, loads))
    beat, station, seeds = _divided(seconds, zone, station_node, weight, counts, own_tolerance_ratio)
    return _told(seconds, beat, station, seeds, weight, tolerance_ratio=tolerance_ratio)


def street_seconds(network: ModeNetwork) -> SecondsMatrix:
    """Return the symmetric seconds between neighbouring nodes: a street counts in its quicker direction."""
    streets = network.streets
    quicker = np.maximum(np.minimum(network.forward_s, network.backward_s), LEAST_SECONDS)
    usable = np.isfinite(quicker) & (streets.tail != streets.head)
    low, high = np.minimum(streets.tail, streets.head)[usable], np.maximum(streets.tail, streets.head)[usable]
    quicker = quicker[usable]
    order = np.lexsort((quicker, high, low))
    low, high, quicker = low[order], high[order], quicker[order]
    first = np.concatenate(([True], (low[1:] != low[:-1]) | (high[1:] != high[:-1])))[: len(low)]
    low, high, quicker = low[first], high[first], quicker[first]
    shape = (network.graph.node_count, network.graph.node_count)
    rows, columns = np.concatenate((low, high)), np.concatenate((high, low))
    return csr_array((np.concatenate((quicker, quicker)), (rows, columns)), shape=shape)


def pieces(seconds: SecondsMatrix, beat: Ints) -> NDArray[np.int64]:
    """Return in how many pieces each beat lies (beats,): 1 is contiguous, 0 is empty."""
    inside = within_beats(seconds, beat)
    _, piece = connected_components(inside, directed=False)
    kept = beat >= 0
    pairs = np.unique(np.column_stack((beat[kept], piece[kept])), axis=0)
    return np.bincount(pairs[:, 0], minlength=int(beat.max(initial=-1)) + 1)


def _divided(
    seconds: SecondsMatrix,
    zone: Ints,
    station_node: Ints,
    weight: Floats,
    counts: NDArray[np.int64],
    tolerance_ratio: float,
) -> tuple[Ints, Ints, Ints]:
    """Return the beat of each node, the station of each beat and its seed, every zone divided as its station wants."""
    beat = np.full(len(zone), NO_BEAT, np.int32)
    seeds: list[Ints] = []
    for station, wanted in enumerate(counts.tolist()):
        inside = np.flatnonzero(zone == station)
        first_beat = sum(len(some) for some in seeds)
        own = station_node[station : station + 1]
        count = min(wanted, len(inside))  # a zone of few junctions holds no more beats
        if count > 1:
            part = seconds[inside][:, inside]
            loads = Loads(weight[inside], np.full(count, 1.0 / count), tolerance_ratio)
            first = int(np.searchsorted(inside, own[0]))
            found, parts = _parts_of_zone(part, scattered_seeds(part, first, weight[inside], count), loads)
            own = inside[found].astype(np.int32)
            beat[inside] = first_beat + parts
        else:
            beat[inside] = first_beat
        seeds.append(own)
    station_of = np.repeat(np.arange(len(seeds)), [len(some) for some in seeds])
    return beat, station_of.astype(np.int32), np.concatenate(seeds)


def _parts_of_zone(seconds: SecondsMatrix, seeds: Ints, loads: Loads) -> tuple[Ints, Ints]:
    """Return the seeds and the parts of a zone; a seed that stands in the way of a handover is moved to its part's middle."""
    parts = exchange(seconds, seeds, loads, grow(seconds, seeds, loads))
    for _ in range(_CENTRING_STEPS):
        centred = centres(seconds, parts, loads.weight, seeds)
        if loads.imbalance_ratio(parts) <= loads.tolerance_ratio or (centred == seeds).all():
            break
        seeds = centred
        parts = exchange(seconds, seeds, loads, parts)
    return seeds, parts


def _told(
    seconds: SecondsMatrix, beat: Ints, station: Ints, seeds: Ints, weight: Floats, *, tolerance_ratio: float
) -> Beats:
    loads = Loads(np.where(beat >= 0, weight, 0.0), np.full(len(seeds), 1.0 / len(seeds)), tolerance_ratio)
    alone = np.bincount(station)[station] == 1
    centre = np.where(alone, seeds, centres(seconds, beat, weight, seeds)).astype(np.int32)
    away_s = np.asarray(dijkstra(within_beats(seconds, beat), indices=centre, min_only=True), np.float64)
    inside = beat >= 0
    own = loads.of(beat)
    mean_s = np.bincount(beat[inside], away_s[inside] * weight[inside], minlength=len(seeds)) / np.maximum(own, 1e-12)
    worst_s = np.zeros(len(seeds))
    np.maximum.at(worst_s, beat[inside], away_s[inside])
    ratio = loads.imbalance_ratio(beat)
    return Beats(beat, station, own, centre, mean_s, worst_s, ratio, ratio <= tolerance_ratio + 1e-12)


def _check(
    seconds: SecondsMatrix, station_node: Ints, weight: Floats, counts: NDArray[np.int64], tolerance_ratio: float
) -> None:
    if not len(station_node):
        raise InputError("there is no station to share the streets among: add one first")
    if len(np.unique(station_node)) < len(station_node):
        raise InputError("two stations stand at the same junction: beats need each its own; move one or name it alone")
    if station_node.min() < 0 or station_node.max() >= seconds.shape[0]:
        raise InputError("a station stands at no street of this map: move it to a street")
    if len(counts) != len(station_node) or counts.min() < 1 or counts.max() > MOST_BEATS_OF_STATION:
        raise InputError(
            f"beats of each station are {counts.tolist()}: give one number from 1 to {MOST_BEATS_OF_STATION} for each of the "
            f"{len(station_node)} stations"
        )
    if len(weight) != seconds.shape[0] or not np.isfinite(weight).all() or weight.min() < 0.0 or weight.sum() <= 0.0:
        raise InputError("the weights must be one number of 0 or more for each junction, at least one above 0")
    if not 0.0 < tolerance_ratio <= 1.0:
        raise InputError(f"the tolerance is {tolerance_ratio}: allowed is above 0 (such as 0.05 for 5 %) up to 1")
