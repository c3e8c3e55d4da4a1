"""Class speeds from our own tracks: fixes are snapped to streets, the pace between them is sorted by class, medians decide."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from mission.roads.graph import CLASS_SPEED_MPS, EdgeIndex, Ints, RoadGraph
from mission.roads.travel import DEFAULT_SPEEDS, GROUND_MODES, MODE_ACCESS, MOTOR_MODES, Speeds, TravelMode
from telemetry.model.batch import Batch, Quality, unknown_of
from telemetry.model.geodesy import Floats

CLASS_NAMES: Final = (
    "trunk",
    "primary",
    "secondary",
    "local",
    "tertiary",
    "service",
    "path",
    "steps",
    "motorway",
)
"""The names of the road classes, in the order of CLASS_*."""

LEAST_PAIRS: Final = 100
"""A class's speed is believed from so many pairs of fixes on, by LEAST_UNITS units at least."""
LEAST_UNITS: Final = 2
BIN_S: Final = 10.0
"""One fix is taken in each bin: what lies between two fixes is longer than their errors then."""
MOST_APART_S: Final = 30.0
STANDING_MPS: Final = 1.0
"""Who is slower stands or looks around; travel does not count that."""
FASTEST_MPS: Final = 70.0
ON_ROAD_M: Final = 25.0
_BAD: Final = int(
    Quality.REPLAYED
    | Quality.JUMPED
    | Quality.TOO_FAST
    | Quality.NO_FIX
    | Quality.MOCK
    | Quality.INACCURATE
    | Quality.ODD_TIME
    | Quality.TIME_OF_ARRIVAL
)


@dataclass(frozen=True)
class UnitTrack:
    """A part of a unit's track: a batch of positions, in any order, and how the unit moves."""

    unit_id: int
    mode: TravelMode
    batch: Batch


@dataclass(frozen=True)
class Samples:
    """Paces between fixes on one class of road, arrays (pairs,): `speed_mps`, `length_m` as their weights, who drove."""

    mode: TravelMode
    unit_id: NDArray[np.int32]
    road_class: NDArray[np.int8]
    speed_mps: Floats
    length_m: Floats


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What the tracks say of one class in one mode; `fitted_mps` is None where too little was seen and `speed_mps` stays."""

    mode: TravelMode
    road_class: str
    pair_count: int
    unit_count: int
    speed_mps: float
    fitted_mps: float | None


class SpeedFit:
    """Gathers paces from tracks, part by part, and fits class speeds to them. Holds 21 bytes a pair of fixes."""

    def __init__(self, graph: RoadGraph) -> None:
        self._graph, self._index = graph, EdgeIndex(graph)
        self._samples: list[Samples] = []

    def add(self, tracks: Iterable[UnitTrack]) -> int:
        """Take in parts of tracks; returns how many pairs of fixes they gave. Drones give none. About 8 us a fix."""
        found = [self._pairs(track) for track in tracks if track.mode in GROUND_MODES]
        self._samples += [samples for samples in found if len(samples.speed_mps)]
        return sum(len(samples.speed_mps) for samples in found)

    def fit(self, *, base: Speeds = DEFAULT_SPEEDS) -> tuple[Speeds, tuple[Finding, ...]]:
        """Return the speeds and what was found, class by class; a class with too few pairs or units keeps its base speed."""
        findings = tuple(
            self._finding(mode, road_class, base) for mode in GROUND_MODES for road_class in range(len(CLASS_SPEED_MPS))
        )
        by_mode = {mode: [finding for finding in findings if finding.mode is mode] for mode in GROUND_MODES}
        fitted = {
            mode: tuple(found.speed_mps if found.fitted_mps is None else found.fitted_mps for found in rows)
            for mode, rows in by_mode.items()
        }
        measured = {mode: tuple(found.pair_count for found in rows) for mode, rows in by_mode.items()}
        return msgspec.structs.replace(base, class_speed_mps=fitted, measured=measured), findings

    def _pairs(self, track: UnitTrack) -> Samples:
        rows = _thinned(track.batch)
        lat, lon = rows["lat_e7"] / 1e7, rows["lon_e7"] / 1e7
        snapped = self._index.snap(lat, lon, within_m=ON_ROAD_M, access=MODE_ACCESS[track.mode])
        road_class = np.where(snapped.edge >= 0, self._graph.edge_class[snapped.edge], -1).astype(np.int8)
        east, north = self._graph.plane.to_plane(lat, lon)
        elapsed_s = np.diff(rows["observed_us"]) / 1e6
        length_m = np.hypot(np.diff(east), np.diff(north))
        speed = length_m / np.maximum(elapsed_s, 1e-6)
        good = (road_class[1:] == road_class[:-1]) & (road_class[1:] >= 0)
        good &= (rows["device_id"][1:] == rows["device_id"][:-1]) & (elapsed_s <= MOST_APART_S)
        good &= (elapsed_s >= BIN_S / 2) & (speed >= STANDING_MPS) & (speed <= FASTEST_MPS)
        unit = np.full(int(good.sum()), track.unit_id, np.int32)
        speed = speed / self._limit_ratio(snapped.edge[1:], track.mode)
        return Samples(track.mode, unit, road_class[1:][good], speed[good], length_m[good])

    def _limit_ratio(self, edge: Ints, mode: TravelMode) -> Floats:
        """Return how a posted limit moves the class speed on these edges, 1 where there is none (see `network_of`)."""
        if mode not in MOTOR_MODES:
            return np.ones(len(edge))
        free_s = self._graph.edge_length_m[edge] / np.array(CLASS_SPEED_MPS)[self._graph.edge_class[edge]]
        ratio: Floats = free_s / np.maximum(self._graph.edge_seconds[edge], 1e-6)
        return ratio

    def _finding(self, mode: TravelMode, road_class: int, base: Speeds) -> Finding:
        speed, length, units = self._of_class(mode, road_class)
        enough = len(speed) >= LEAST_PAIRS and units >= LEAST_UNITS
        return Finding(
            mode=mode,
            road_class=CLASS_NAMES[road_class],
            pair_count=len(speed),
            unit_count=units,
            speed_mps=base.class_speed_mps[mode][road_class],
            fitted_mps=round(weighted_median(speed, length), 2) if enough else None,
        )

    def _of_class(self, mode: TravelMode, road_class: int) -> tuple[Floats, Floats, int]:
        mine = [(samples, samples.road_class == road_class) for samples in self._samples if samples.mode is mode]
        if not mine:
            return np.zeros(0), np.zeros(0), 0
        speed = np.concatenate([samples.speed_mps[kept] for samples, kept in mine])
        length = np.concatenate([samples.length_m[kept] for samples, kept in mine])
        units = np.unique(np.concatenate([samples.unit_id[kept] for samples, kept in mine]))
        return speed, length, len(units)


def _thinned(batch: Batch) -> Batch:
    """Return the trustworthy rows by device and time, the first of each bin of BIN_S seconds."""
    known = (batch["lat_e7"] != unknown_of("lat_e7")) & (batch["lon_e7"] != unknown_of("lon_e7"))
    rows = batch[known & ((batch["quality"] & _BAD) == 0)]
    rows = rows[np.lexsort((rows["observed_us"], rows["device_id"]))]
    bins = rows["observed_us"] // int(BIN_S * 1e6)
    first = np.ones(len(rows), np.bool_)
    first[1:] = (bins[1:] != bins[:-1]) | (rows["device_id"][1:] != rows["device_id"][:-1])
    thinned: Batch = rows[first]
    return thinned


def weighted_median(values: Floats, weights: Floats) -> float:
    """Return the value at which half of the weight is reached; values (n,) and weights (n,) with n >= 1."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2.0)])


def said(findings: Sequence[Finding]) -> list[str]:
    """Return a line for each class that was seen at all: what was fitted, or why the default stays."""
    lines = []
    for found in findings:
        if not found.pair_count:
            continue
        name = f"{found.mode} on {found.road_class} roads"
        seen = f"{found.pair_count} pairs of fixes by {found.unit_count} units"
        if found.fitted_mps is None:
            lines.append(
                f"{name}: stays {found.speed_mps:.1f} m/s ({seen}; {LEAST_PAIRS} by {LEAST_UNITS} units are needed)"
            )
        else:
            lines.append(f"{name}: {found.fitted_mps:.1f} m/s instead of {found.speed_mps:.1f} m/s ({seen})")
    return lines
