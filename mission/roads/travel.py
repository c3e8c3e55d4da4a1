"""Ways to move: who may use which street, how fast, at which hour, and the network of seconds that follows."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from mission.roads.graph import (
    ACCESS_BICYCLE,
    ACCESS_CAR,
    ACCESS_EMERGENCY,
    ACCESS_FOOT,
    ACCESS_MOTORCYCLE,
    CLASS_MOTORWAY,
    CLASS_SPEED_MPS,
    CLASS_TRUNK,
    Ints,
    RoadGraph,
    SecondsMatrix,
    Streets,
)
from telemetry.model.errors import FileFormatError, InputError
from telemetry.model.geodesy import Floats
from telemetry.model.unit import UnitKind

HOURS: Final = 24
LEAST_SECONDS: Final = 1e-6
"""No street takes less: an entry of 0 s would vanish from a sparse matrix."""


class TravelMode(StrEnum):
    """How a unit moves."""

    CAR = "car"
    BLUE_LIGHT = "blue_light"
    MOTORCYCLE = "motorcycle"
    EBIKE = "ebike"
    FOOT = "foot"
    DRONE = "drone"


GROUND_MODES: Final = (
    TravelMode.CAR,
    TravelMode.BLUE_LIGHT,
    TravelMode.MOTORCYCLE,
    TravelMode.EBIKE,
    TravelMode.FOOT,
)
"""The modes that move along streets, in the order in which arrays name them by index."""

MODE_ACCESS: Final[Mapping[TravelMode, int]] = MappingProxyType(
    {
        TravelMode.CAR: ACCESS_CAR,
        TravelMode.BLUE_LIGHT: ACCESS_CAR | ACCESS_EMERGENCY,
        TravelMode.MOTORCYCLE: ACCESS_MOTORCYCLE,
        TravelMode.EBIKE: ACCESS_BICYCLE,
        TravelMode.FOOT: ACCESS_FOOT,
    }
)
"""The access bits of which one suffices for a mode; also what `EdgeIndex.snap` wants to hear."""

MOTOR_MODES: Final = frozenset({TravelMode.CAR, TravelMode.BLUE_LIGHT, TravelMode.MOTORCYCLE})
"""The modes that a posted limit concerns."""
_NO_CONTRAFLOW: Final = (CLASS_MOTORWAY, CLASS_TRUNK)
_MODE_OF_KIND: Final[Mapping[UnitKind, TravelMode]] = MappingProxyType(
    {
        UnitKind.OFFICER: TravelMode.FOOT,
        UnitKind.MOTORCYCLE: TravelMode.MOTORCYCLE,
        UnitKind.CAR: TravelMode.CAR,
        UnitKind.MOBILE_ROOM: TravelMode.CAR,
        UnitKind.DRONE: TravelMode.DRONE,
    }
)


def mode_of(kind: UnitKind) -> TravelMode:
    """Return how a unit of this kind moves; a car moves without blue lights unless its call asks for them."""
    return _MODE_OF_KIND[kind]


SPEEDS_FILE: Final = "speeds.json"
"""Where a city's folder keeps its speeds, beside roads.npz."""


class Speeds(msgspec.Struct, frozen=True, kw_only=True):
    """How fast units move, by ground mode; JSON-able, kept as `speeds.json` beside the roads.

    `class_speed_mps` holds one speed for each road class (CLASS_* of mission/roads/graph.py); the motor modes take a road's posted
    limit into account through `edge_seconds`. `hour_factor` multiplies times, one factor for each hour of the local day.
    `turnout_s` are seconds from the word to moving off, drones included, apart from travel. `contraflow_factor` multiplies
    the time against a one-way street with blue lights. `measured` counts the fixes behind each fitted speed, by mode and
    class. Raises InputError for anything that is no speed.
    """

    class_speed_mps: dict[TravelMode, tuple[float, ...]]
    hour_factor: dict[TravelMode, tuple[float, ...]]
    turnout_s: dict[TravelMode, float]
    contraflow_factor: float = 2.0
    drone_air_speed_mps: float = 15.0
    measured: dict[TravelMode, tuple[int, ...]] = {}

    def __post_init__(self) -> None:
        for mode in GROUND_MODES:
            _demand(f"class speeds of {mode}", self.class_speed_mps.get(mode, ()), len(CLASS_SPEED_MPS), (0.1, 100.0))
            _demand(f"hour factors of {mode}", self.hour_factor.get(mode, ()), HOURS, (0.1, 10.0))
        for mode in TravelMode:
            _demand(f"turnout seconds of {mode}", [self.turnout_s.get(mode, math.nan)], 1, (0.0, 3600.0))
        _demand("the contraflow factor", [self.contraflow_factor], 1, (1.0, 100.0))
        _demand("the air speed of drones", [self.drone_air_speed_mps], 1, (1.0, 100.0))


def _demand(name: str, values: Iterable[float], count: int, limits: tuple[float, float]) -> None:
    found = list(values)
    if len(found) != count or not all(limits[0] <= value <= limits[1] for value in found):
        message = f"{name} are {found}: allowed are {count} number(s) from {limits[0]} to {limits[1]}; mend speeds.json"
        raise InputError(message)


def _day(*rush: tuple[int, float]) -> tuple[float, ...]:
    factors = [1.0] * HOURS
    for hour, factor in rush:
        factors[hour] = factor
    return tuple(factors)


DEFAULT_SPEEDS: Final = Speeds(
    class_speed_mps={
        TravelMode.CAR: CLASS_SPEED_MPS,
        TravelMode.BLUE_LIGHT: (23.0, 18.0, 15.0, 10.5, 13.0, 6.0, 3.0, 1.0, 33.0),
        TravelMode.MOTORCYCLE: (18.0, 15.0, 13.0, 9.5, 11.5, 6.0, 4.0, 1.0, 25.0),
        TravelMode.EBIKE: (6.9, 6.9, 6.9, 6.5, 6.9, 5.5, 4.5, 1.0, 6.9),
        TravelMode.FOOT: (2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 1.2, 2.5),
    },
    hour_factor={
        TravelMode.CAR: _day((7, 1.15), (8, 1.2), (9, 1.1), (17, 1.15), (18, 1.2), (19, 1.1)),
        TravelMode.BLUE_LIGHT: _day((7, 1.05), (8, 1.1), (17, 1.05), (18, 1.1)),
        TravelMode.MOTORCYCLE: _day((8, 1.05), (18, 1.05)),
        TravelMode.EBIKE: _day(),
        TravelMode.FOOT: _day(),
    },
    turnout_s={
        TravelMode.CAR: 20.0,
        TravelMode.BLUE_LIGHT: 20.0,
        TravelMode.MOTORCYCLE: 20.0,
        TravelMode.EBIKE: 15.0,
        TravelMode.FOOT: 10.0,
        TravelMode.DRONE: 40.0,
    },
)
"""What holds until tracks say better. Rush hours weigh little on police trips, and nights are not assumed to be faster:
both as measured on ambulance trips; `skybeat roads fit` replaces class speeds by those of our own units."""


def load_speeds(folder: Path) -> Speeds:
    """Return the speeds of a city's folder, the default ones where it has none. Raises FileFormatError for a file that is wrong."""
    path = folder / SPEEDS_FILE
    if not path.is_file():
        return DEFAULT_SPEEDS
    try:
        return msgspec.json.decode(path.read_bytes(), type=Speeds)
    except (msgspec.DecodeError, InputError) as error:
        message = (
            f"{path} holds no speeds ({error}): delete it, and the default ones count until `skybeat roads fit` is run"
        )
        raise FileFormatError(message) from error


@dataclass(frozen=True, eq=False)
class ModeNetwork:
    """The seconds of one mode: of each street forward and backward (streets,), inf where it may not or cannot go."""

    graph: RoadGraph
    mode: TravelMode
    forward_s: Floats
    backward_s: Floats

    @property
    def streets(self) -> Streets:
        """The streets that `forward_s` and `backward_s` are about."""
        return self.graph.streets

    @cached_property
    def _pair_seconds(self) -> Floats:
        """The seconds of the fastest street from one node to the next, for each pair of `streets.pairs`."""
        pairs = self.streets.pairs
        if not len(pairs.first):
            return np.zeros(0)
        seconds = np.concatenate((self.forward_s, self.backward_s))[pairs.order]
        return np.maximum(np.minimum.reduceat(seconds, pairs.first), LEAST_SECONDS)

    @cached_property
    def matrix(self) -> SecondsMatrix:
        """Seconds from node (row) to node (column); of parallel streets the fastest counts. About 5 ms at 50,000 nodes."""
        pairs = self.streets.pairs
        return _matrix(pairs.row, pairs.column, self._pair_seconds, self.graph.node_count)

    @cached_property
    def reverse_matrix(self) -> SecondsMatrix:
        """The matrix transposed: a search from a place in it finds who reaches that place."""
        pairs = self.streets.pairs
        turned = pairs.transposed
        return _matrix(pairs.column[turned], pairs.row[turned], self._pair_seconds[turned], self.graph.node_count)


def network_of(
    graph: RoadGraph,
    mode: TravelMode,
    *,
    speeds: Speeds = DEFAULT_SPEEDS,
    hour: int | None = None,
    closed_streets: Ints | None = None,
) -> ModeNetwork:
    """Return the network of a ground mode, at an hour of the local day (None: a free hour), without the closed streets.

    `closed_streets` are indexes into `graph.streets`. Costs about 3 ms for 50,000 nodes, and 5 ms a matrix when first asked
    for one. Raises InputError for drones (see mission/airspace.py), an hour outside 0..23 and streets that do not exist.
    """
    if mode not in MODE_ACCESS:
        message = f"{mode} does not move along streets: ground modes are {', '.join(GROUND_MODES)}"
        raise InputError(message)
    forward_s, backward_s = _free_seconds(graph, mode, speeds)
    factor = _hour_factor(speeds, mode, hour)
    forward_s, backward_s = forward_s * factor, backward_s * factor
    closed = _checked_streets(closed_streets, graph.streets.count)
    forward_s[closed] = backward_s[closed] = np.inf
    return ModeNetwork(graph, mode, forward_s, backward_s)


def _hour_factor(speeds: Speeds, mode: TravelMode, hour: int | None) -> float:
    if hour is None:
        return 1.0
    if not 0 <= hour < HOURS:
        message = f"hour is {hour}: allowed are 0 to 23 of the local day, or none for a free hour"
        raise InputError(message)
    return speeds.hour_factor[mode][hour]


def _checked_streets(closed: Ints | None, count: int) -> NDArray[np.int64]:
    chosen = np.zeros(0, np.int64) if closed is None else np.asarray(closed, np.int64)
    if len(chosen) and not (chosen.min() >= 0 and chosen.max() < count):
        message = (
            f"closed streets {chosen.min()} to {chosen.max()} do not all exist: this map has streets 0 to {count - 1}"
        )
        raise InputError(message)
    return chosen


def _free_seconds(graph: RoadGraph, mode: TravelMode, speeds: Speeds) -> tuple[Floats, Floats]:
    """Return the seconds forward and backward on a free road; inf where the mode may not go."""
    streets = graph.streets
    class_speed = np.asarray(speeds.class_speed_mps[mode])[streets.road_class]
    if mode is TravelMode.FOOT:
        seconds = np.where((streets.access | streets.back_access) & ACCESS_FOOT, streets.length_m / class_speed, np.inf)
        return seconds, seconds.copy()
    forward_s = _one_way(graph, streets.forward_edge, streets.access, mode, class_speed)
    backward_s = _one_way(graph, streets.backward_edge, streets.back_access, mode, class_speed)
    if mode is TravelMode.BLUE_LIGHT:
        return _with_contraflow(streets, forward_s, backward_s, speeds.contraflow_factor)
    return forward_s, backward_s


def _one_way(graph: RoadGraph, edge: Ints, access: NDArray[np.uint8], mode: TravelMode, class_speed: Floats) -> Floats:
    """Return the seconds along these edges; the motor modes keep the share of the class speed that a posted limit leaves."""
    streets = graph.streets
    if mode in MOTOR_MODES:
        seconds = graph.edge_seconds[edge] * np.asarray(CLASS_SPEED_MPS)[streets.road_class] / class_speed
    else:
        seconds = streets.length_m / class_speed
    return np.where((edge >= 0) & ((access & MODE_ACCESS[mode]) != 0), seconds, np.inf)


def _with_contraflow(streets: Streets, forward_s: Floats, backward_s: Floats, factor: float) -> tuple[Floats, Floats]:
    """Open one-way streets against their direction, slower; never motorways and trunk roads, whose halves are apart."""
    allowed = np.where(np.isin(streets.road_class, _NO_CONTRAFLOW), np.inf, factor)
    return (
        np.where(np.isinf(forward_s), backward_s * allowed, forward_s),
        np.where(np.isinf(backward_s), forward_s * allowed, backward_s),
    )


def _matrix(row: Ints, column: Ints, seconds: Floats, node_count: int) -> SecondsMatrix:
    """Return the sparse matrix of pairs that come sorted by row; pairs that nobody may use are left out."""
    open_pairs = np.isfinite(seconds)
    row, column, seconds = row[open_pairs], column[open_pairs], seconds[open_pairs]
    starts = np.zeros(node_count + 1, np.int32)
    np.cumsum(np.bincount(row, minlength=node_count), out=starts[1:])
    return csr_array((seconds, column, starts), shape=(node_count, node_count))
