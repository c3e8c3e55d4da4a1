"""Conflicts of sorties with each other and with zones: who comes too near to what, where and when."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mission.air.flight_path import FlightPath, path_of
from mission.air.sky import Sky
from mission.air.terrain import FLAT, Ground
from mission.deconflict.volumes import Margins, Meetings, Volumes, joined, meetings, volumes_of
from mission.model import US, Airframe, Dock, Window
from mission.plan import Conflict, Sortie, SortieState
from telemetry.model.geodesy import LocalPlane

ONE_CONFLICT_US: Final = 60 * US
"""Meetings of two sorties no farther apart in time are one conflict."""
_GONE: Final = frozenset({SortieState.CANCELLED, SortieState.FLOWN})


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where sorties fly: the plane, their docks, the ground, the zones (None: not asked), and what the airframes are."""

    plane: LocalPlane
    docks: Sequence[Dock] = ()
    ground: Ground = FLAT
    sky: Sky | None = None
    airframes: Sequence[Airframe] = ()
    _paths: dict[int, tuple[Sortie, FlightPath]] = field(default_factory=dict, compare=False, repr=False)

    def path(self, sortie: Sortie) -> FlightPath:
        """Return the way of a sortie; each is reckoned once."""
        known = self._paths.get(id(sortie))
        if known is None:
            known = self._paths[id(sortie)] = (sortie, self._path(sortie))
        return known[1]

    def _path(self, sortie: Sortie) -> FlightPath:
        dock = next((one for one in self.docks if one.dock_id == sortie.dock_id), None)
        frame = next((one for one in self.airframes if one.airframe_id == sortie.airframe_id), None)
        return path_of(sortie, plane=self.plane, dock=dock, ground=self.ground, airframe=frame)


def find(
    sorties: Sequence[Sortie],
    *,
    plane: LocalPlane,
    docks: Sequence[Dock] = (),
    ground: Ground = FLAT,
    sky: Sky | None = None,
    airframes: Sequence[Airframe] = (),
    margin_m: float = Margins.margin_m,
    height_m: float = Margins.height_m,
    margin_s: float = Margins.margin_s,
) -> list[Conflict]:
    """Return where two sorties come too near to each other, and where one is in a zone that is closed to it, in time's order.

    Too near is nearer than all three margins at once. Conflicts of two sorties that follow each other closely are told as one.
    Spares that stay in their docks and sorties that are over do not count, nor two sorties of one airframe.
    """
    scene = Scene(plane=plane, docks=docks, ground=ground, sky=sky, airframes=airframes)
    return conflicts(sorties, scene, Margins(margin_m, height_m, margin_s))


def conflicts(sorties: Sequence[Sortie], scene: Scene, margins: Margins) -> list[Conflict]:
    """Return the same for a scene that is made already."""
    flying = [one for one in sorties if flies(one)]
    paths = [scene.path(one) for one in flying]
    volumes = joined([volumes_of(path, number) for number, path in enumerate(paths)])
    found = [*_between_sorties(flying, volumes, meetings(volumes, margins), scene)]
    for sortie, path in zip(flying, paths, strict=True):
        found += _with_zones(sortie, path, scene)
    return sorted(found, key=lambda one: (one.window, one.sortie_id, one.other_sortie_id or 0, one.zone_id or 0))


def flies(sortie: Sortie) -> bool:
    """Tell whether a sortie is or will be in the air."""
    return not sortie.is_standby and sortie.state not in _GONE


def _between_sorties(sorties: Sequence[Sortie], volumes: Volumes, met: Meetings, scene: Scene) -> Iterator[Conflict]:
    """Yield the conflicts of pairs of sorties, meetings that follow each other in one."""
    pairs = np.sort(np.stack((volumes.owner[met.first], volumes.owner[met.second]), axis=1), axis=1)
    for pair in np.unique(pairs, axis=0):
        one, other = (sorties[int(number)] for number in pair)
        if one.airframe_id == other.airframe_id:
            continue
        rows = np.flatnonzero((pairs == pair).all(axis=1))
        begins = np.minimum(met.from_us[rows], met.until_us[rows])
        ends = np.maximum(met.from_us[rows], met.until_us[rows])
        order = np.argsort(begins, kind="stable")
        reached = np.maximum.accumulate(ends[order])
        breaks = np.flatnonzero(begins[order][1:] > reached[:-1] + ONE_CONFLICT_US) + 1
        for run in np.split(order, breaks):
            yield _conflict(one, other, volumes, met, rows[run], scene)


def _conflict(
    one: Sortie,
    other: Sortie,
    volumes: Volumes,
    met: Meetings,
    rows: NDArray[np.intp],
    scene: Scene,
) -> Conflict:
    worst = rows[np.lexsort((met.height_apart_m[rows], met.distance_m[rows]))[0]]
    first = int(met.first[worst])
    middle = (volumes.start[first] + volumes.end[first]) / 2.0
    lat, lon = scene.plane.from_plane(middle[0], middle[1])
    edges = np.concatenate((met.from_us[rows], met.until_us[rows]))
    return Conflict(
        sortie_id=one.sortie_id,
        other_sortie_id=other.sortie_id,
        window=Window(start_us=int(edges.min()), end_us=int(edges.max())),
        lat_deg=float(lat),
        lon_deg=float(lon),
        alt_home_m=float(volumes.low_m[first] + volumes.high_m[first]) / 2.0,
        distance_m=float(met.distance_m[worst]),
        height_apart_m=float(met.height_apart_m[worst]),
    )


def _with_zones(sortie: Sortie, path: FlightPath, scene: Scene) -> Iterator[Conflict]:
    if scene.sky is None or not scene.sky.zones:
        return
    for one in scene.sky.offences(path, approval=sortie.approval):
        middle = one.line.mean(axis=0)
        lat, lon = scene.plane.from_plane(middle[0], middle[1])
        yield Conflict(
            sortie_id=sortie.sortie_id,
            zone_id=one.zone.zone_id,
            window=one.window,
            lat_deg=float(lat),
            lon_deg=float(lon),
            alt_home_m=(one.lowest_agl_m + one.highest_agl_m) / 2.0,
            distance_m=0.0,
            height_apart_m=0.0,
        )
