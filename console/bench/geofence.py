"""Which of 10,000 geofences hold which of 100,000 positions, against shapely on the same plane.

Times are CPU time of this process, medians over the runs. The peer is asked in both of its vectorised ways: STRtree.query with
a predicate, and the tree's boxes with prepared polygons behind them; the faster one counts. Its points are made before, its
polygons prepared. Coordinates are whole 1e-7 degrees in both; places on a border are inside.
"""

import statistics
import tracemalloc
from functools import partial
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from console.bench import Figures, Goal
from console.bench.coverage import cpu_ms
from telemetry.geofences.fence import Geofence
from telemetry.geofences.index import GeofenceIndex
from telemetry.geofences.shapes import rings_of
from telemetry.geofences.watch import GeofenceWatch
from telemetry.model.batch import Batch, new_batch
from telemetry.model.unit import Assignment, Device, Service, Unit, UnitKind
from telemetry.picture.live import Picture
from telemetry.registry.table import RegistryContents, RegistryTable

FENCES: Final = 10_000
POSITIONS: Final = 100_000
CORNERS: Final = 24
ROWS: Final = 1_000
SIDE_DEG: Final = 0.2
"""A county town: 22 km by 18 km, in which three fences lie over each place on the average."""
RADII_DEG: Final = (0.00045, 0.0036)
WEST_DEG, SOUTH_DEG = 103.7, 36.0
NOW_US: Final = 1_800_000_000_000_000
GOALS: Final[dict[str, Goal]] = {"ratio_shapely": (">=", 5.0), "mismatches": ("<=", 0.0)}


def run(*, runs: int, seed: int) -> Figures:
    """Measure lookup, building, changing one fence, and the live watch."""
    rng = np.random.default_rng(seed)
    fences = [_fence(rng, number) for number in range(1, FENCES + 1)]
    build_ms = cpu_ms(lambda: GeofenceIndex(fences))
    tracemalloc.start()
    index = GeofenceIndex(fences)
    memory_mb = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    lon_e7, lat_e7 = _places(rng)
    theirs = Shapely(index, lon_e7, lat_e7)
    index.inside(lon_e7, lat_e7)
    ours_ms = [cpu_ms(lambda: index.inside(lon_e7, lat_e7)) for _ in range(runs)]
    query_ms = [cpu_ms(theirs.query) for _ in range(runs)]
    prepared_ms = [cpu_ms(theirs.prepared) for _ in range(runs)]
    peer_ms = [min(pair) for pair in zip(query_ms, prepared_ms, strict=True)]
    place, row = index.inside(lon_e7, lat_e7)
    changed = _fence(rng, 7)
    figures: dict[str, float | int | str | None] = {
        "fences": FENCES,
        "positions": POSITIONS,
        "pairs": len(place),
        "ms": round(statistics.median(ours_ms), 2),
        "shapely_query_ms": round(statistics.median(query_ms), 2),
        "shapely_prepared_ms": round(statistics.median(prepared_ms), 2),
        "ratio_shapely": round(
            statistics.median(theirs / ours for theirs, ours in zip(peer_ms, ours_ms, strict=True)), 2
        ),
        "mismatches": theirs.mismatches(place, row),
        "build_ms": round(build_ms, 1),
        "change_one_ms": round(statistics.median(cpu_ms(lambda: index.changed([changed])) for _ in range(runs)), 2),
        "memory_mb": round(memory_mb, 1),
        **_watch_figures(index, rng, runs),
    }
    return Figures(figures=figures, goals=GOALS)


class Shapely:
    """The same question by a tree of the same polygons; both of its answers are made of arrays only."""

    def __init__(self, index: GeofenceIndex, lon_e7: NDArray[np.int64], lat_e7: NDArray[np.int64]) -> None:
        rings = [rings_of(fence)[0] for fence in index.fences]
        self._polygons = shapely.polygons([shapely.linearrings(ring) for ring in rings])
        shapely.prepare(self._polygons)
        self._tree = shapely.STRtree(self._polygons)
        self._lon, self._lat = lon_e7.astype(np.float64), lat_e7.astype(np.float64)
        self._points = shapely.points(self._lon, self._lat)
        self._tree.query(self._points[:1])

    def query(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return pairs (place, fence) by the tree's own predicate."""
        place, row = self._tree.query(self._points, "intersects")
        return place, row

    def prepared(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the same by boxes first, then prepared polygons."""
        place, row = self._tree.query(self._points)
        held = shapely.intersects_xy(self._polygons[row], self._lon[place], self._lat[place])
        return place[held], row[held]

    def mismatches(self, place: NDArray[Any], row: NDArray[Any]) -> int:
        """Return how many pairs one finds and the other does not."""
        ours = place * FENCES + row
        return max(len(np.setxor1d(ours, theirs[0] * FENCES + theirs[1])) for theirs in (self.query(), self.prepared()))


def _fence(rng: np.random.Generator, number: int) -> Geofence:
    centre = rng.uniform(0, SIDE_DEG, 2) + np.array([WEST_DEG, SOUTH_DEG])
    angles = (np.arange(CORNERS) + rng.uniform(0, 0.9, CORNERS)) * 2 * np.pi / CORNERS
    radii = rng.uniform(*RADII_DEG) * rng.uniform(0.6, 1.0, CORNERS)
    ring = np.round(centre + np.column_stack((radii * np.cos(angles) / 0.81, radii * np.sin(angles))), 7).tolist()
    geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    return Geofence(geofence_id=number, name_zh=f"区 {number}", name_en=f"Area {number}", geometry=geometry)


def _places(rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    lon_e7 = rng.integers(0, int(SIDE_DEG * 1e7), POSITIONS) + int(WEST_DEG * 1e7)
    lat_e7 = rng.integers(0, int(SIDE_DEG * 1e7), POSITIONS) + int(SOUTH_DEG * 1e7)
    return lon_e7, lat_e7


def _watch_figures(index: GeofenceIndex, rng: np.random.Generator, runs: int) -> dict[str, float]:
    """Measure the live watch: cars at 10 m/s that report once a second, a thousand at once and one by one."""
    registry = _registry()
    watch = GeofenceWatch(registry, Picture(registry, NOW_US), index)
    lon_e7, lat_e7 = (column[:ROWS] for column in _places(rng))
    many_ms: list[float] = []
    one_us: list[float] = []
    for second in range(2 * runs + 2):
        batch = _reports(lon_e7, lat_e7 + 900 * second, second)
        if second <= runs:
            many_ms.append(cpu_ms(partial(watch.apply, batch, NOW_US)))
        else:
            one_us.append(1e3 * cpu_ms(partial(_one_by_one, watch, batch)) / ROWS)
    return {
        "watch_1000_rows_ms": round(statistics.median(many_ms[1:]), 2),
        "watch_one_row_us": round(statistics.median(one_us), 1),
    }


def _one_by_one(watch: GeofenceWatch, batch: Batch) -> None:
    for row in range(len(batch)):
        watch.apply(batch[row : row + 1], NOW_US)


def _reports(lon_e7: NDArray[np.int64], lat_e7: NDArray[np.int64], second: int) -> Batch:
    batch = new_batch(ROWS)
    batch["device_id"] = np.arange(1, ROWS + 1)
    batch["observed_us"] = batch["received_us"] = NOW_US + second * 1_000_000
    batch["lon_e7"], batch["lat_e7"], batch["speed_cmps"] = lon_e7, lat_e7, 1_000
    return batch


def _registry() -> RegistryTable:
    numbers = range(1, ROWS + 1)
    return RegistryTable(
        RegistryContents(
            units=tuple(
                Unit(unit_id=n, call_sign=f"Car {n}", kind=UnitKind.CAR, service=Service.PATROL) for n in numbers
            ),
            devices=tuple(Device(device_id=n, protocol="jt808", address=str(n)) for n in numbers),
            assignments=tuple(Assignment(device_id=n, unit_id=n, started_us=0) for n in numbers),
        )
    )
