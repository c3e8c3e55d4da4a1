"""How soon drones are at a place: straight or the shortest way round no-fly zones, with the wind that blows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from mission.model import Zone, ZoneKind
from telemetry.model.errors import FileFormatError, InputError
from telemetry.model.geodesy import Floats, LocalPlane, local_plane

NO_FLY_FILE: Final = "no_fly.geojson"
"""Where a city's folder keeps its no-fly zones: polygons, [lon, lat] in WGS-84."""
LEAST_PROGRESS_MPS: Final = 0.5
"""Who comes nearer more slowly than this, all in all, does not arrive: the wind is too strong."""
_GRAZE_M: Final = 0.01
"""A way may touch a zone's border; it may not go farther in than this."""
_LEAST_S: Final = 1e-9
_LEAST_GROUND_MPS: Final = 0.001


@dataclass(frozen=True)
class Wind:
    """From where the wind blows (degrees from true north) and how strongly; the same everywhere.

    `or_else` are winds that may blow instead: what a plan promises holds in each of them (`mission.patterns.legs`).
    """

    from_deg: float = 0.0
    speed_mps: float = 0.0
    or_else: tuple["Wind", ...] = ()


CALM: Final = Wind()


class Airspace:
    """No-fly zones in one plane, and which of their corners see each other; holes in a zone may be flown in.

    `zones` are shapely polygons or multipolygons in [lon, lat], WGS-84; `closed` is their union in the plane where it is known
    already. What corners see is reckoned once, when a straight way is first blocked: about 1 us a pair of corners.
    """

    def __init__(self, zones: Sequence[Any] = (), *, plane: LocalPlane | None = None, closed: Any = None) -> None:  # noqa: ANN401
        self.plane = plane or _plane_of(zones)
        if closed is None:
            closed = shapely.union_all([shapely.transform(zone, self._to_plane) for zone in zones])
        self.closed = closed
        self._inner = closed.buffer(-_GRAZE_M, join_style="mitre")
        shapely.prepare(self._inner)

    def _to_plane(self, lonlat: Floats) -> Floats:
        return np.column_stack(self.plane.to_plane(lonlat[:, 1], lonlat[:, 0]))

    @cached_property
    def corners(self) -> Floats:
        """The corners round which a shortest way may bend, (corners, 2): metres east and north."""
        found = [np.zeros((0, 2))]
        for part in shapely.get_parts(self.closed):
            found.append(_bends(part.exterior, 1.0))
            found += [_bends(hole, -1.0) for hole in part.interiors]
        return np.concatenate(found)

    @cached_property
    def _sights(self) -> NDArray[np.intp]:
        """Pairs of corners (pairs, 2) that see each other, both ways."""
        first, second = np.triu_indices(len(self.corners), 1)
        seen = self.sees(self.corners[first], self.corners[second])
        pairs = np.column_stack((first[seen], second[seen]))
        return np.concatenate((pairs, pairs[:, ::-1]))

    def sees(self, start: Floats, end: Floats) -> NDArray[np.bool_]:
        """Tell which straight ways from `start` to `end`, both (n, 2) in the plane, keep out of every zone."""
        ways = shapely.linestrings(np.stack(np.broadcast_arrays(start, end), axis=-2))
        blocked: NDArray[np.bool_] = shapely.intersects(self._inner, ways)
        return ~blocked

    def onward_s(self, target: Floats, air_speed_mps: float, wind: Wind) -> Floats:
        """Return the seconds from each corner to the target (2,), the shortest way round; inf where there is none."""
        count = len(self.corners)
        last = np.flatnonzero(self.sees(self.corners, target))
        ends = np.concatenate((self._sights, np.column_stack((last, np.full(len(last), count)))))
        places = np.concatenate((self.corners, target[None, :]))
        seconds = straight_s(places[ends[:, 1]] - places[ends[:, 0]], air_speed_mps, wind)
        usable = np.isfinite(seconds)
        backward = csr_array(
            (np.maximum(seconds[usable], _LEAST_S), (ends[usable, 1], ends[usable, 0])), shape=(count + 1, count + 1)
        )
        found: Floats = dijkstra(backward, indices=[count])[0][:count]
        return found


def straight_s(way: Floats, air_speed_mps: float, wind: Wind) -> Floats:
    """Return the seconds of straight flights over `way` (n, 2), metres east and north; inf against too strong a wind.

    The nose is held into the wind so that the track is straight; what is left along the track is the ground speed.
    """
    length_m = np.hypot(way[:, 0], way[:, 1])
    towards = np.radians(wind.from_deg + 180.0)
    blown = wind.speed_mps * np.array([np.sin(towards), np.cos(towards)])
    direction = way / np.maximum(length_m, 1e-9)[:, None]
    along_mps = direction @ blown
    across_mps = direction[:, 0] * blown[1] - direction[:, 1] * blown[0]
    headway = np.sqrt(np.maximum(air_speed_mps**2 - across_mps**2, 0.0))
    ground_mps = np.where(np.abs(across_mps) < air_speed_mps, headway + along_mps, 0.0)
    seconds = length_m / np.maximum(ground_mps, _LEAST_GROUND_MPS)
    return np.where((ground_mps >= _LEAST_GROUND_MPS) | (length_m == 0.0), seconds, np.inf)


def flight_times(
    lat_deg: Floats,
    lon_deg: Floats,
    target_lat_deg: float,
    target_lon_deg: float,
    *,
    air_speed_mps: float,
    wind: Wind = CALM,
    airspace: Airspace | None = None,
    launch_s: float = 0.0,
) -> Floats:
    """Return in how many seconds each drone (n,) is at the target, WGS-84; inf where it may not or cannot get there.

    The way is straight, or the quickest round the airspace's zones: with a steady wind it bends at their corners only, so
    that the corners' graph of sight is exact. A start or a target inside a zone cannot be left or reached. Raises InputError
    for an air speed that is not above zero. About 0.1 ms for 100 drones with free ways.
    """
    if not air_speed_mps > 0.0:
        message = f"the air speed is {air_speed_mps} m/s: allowed is any above 0"
        raise InputError(message, f"空速为 {air_speed_mps} m/s：须大于 0")
    sky = airspace or Airspace(plane=_plane_near(target_lat_deg, target_lon_deg))
    starts = np.column_stack(sky.plane.to_plane(lat_deg, lon_deg)).reshape(-1, 2)
    target = np.array(sky.plane.to_plane(target_lat_deg, target_lon_deg), np.float64)
    seconds = straight_s(target - starts, air_speed_mps, wind)
    if not sky.closed.is_empty:
        blocked = np.flatnonzero(~sky.sees(starts, target))
        seconds[blocked] = _round_s(sky, starts[blocked], target, air_speed_mps, wind)
    away_m = np.hypot(*(target - starts).T)
    seconds[seconds * LEAST_PROGRESS_MPS > away_m] = np.inf
    return seconds + launch_s


def _round_s(sky: Airspace, starts: Floats, target: Floats, air_speed_mps: float, wind: Wind) -> Floats:
    """Return the seconds of the quickest ways that bend at least once."""
    onward = sky.onward_s(target, air_speed_mps, wind) if len(starts) else np.zeros(0)
    useful = np.flatnonzero(np.isfinite(onward))
    if not len(useful):
        return np.full(len(starts), np.inf)
    start = np.repeat(starts, len(useful), axis=0)
    corner = np.tile(sky.corners[useful], (len(starts), 1))
    seconds = np.where(sky.sees(start, corner), straight_s(corner - start, air_speed_mps, wind), np.inf)
    best: Floats = (seconds.reshape(len(starts), -1) + onward[useful]).min(axis=1)
    return best


def _bends(ring: Any, side_factor: float) -> Floats:  # noqa: ANN401 - shapely has no types
    """Return the corners that stick out of a closed area: `side_factor` is 1 for its outline, -1 for a hole's."""
    points = shapely.get_coordinates(ring)[:-1]
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    turn = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    is_left = 1.0 if shapely.is_ccw(ring) else -1.0
    return np.asarray(points[turn * is_left * side_factor > 0.0], np.float64)


def _plane_of(zones: Sequence[Any]) -> LocalPlane:
    if not zones:
        return _plane_near(0.0, 0.0)
    west, south, east, north = shapely.total_bounds(np.array(zones, object))
    return _plane_near((south + north) / 2.0, (west + east) / 2.0)


def _plane_near(lat_deg: float, lon_deg: float) -> LocalPlane:
    return local_plane(round(lat_deg, 1), round(lon_deg, 1))


def load_airspace(folder: Path, *, plane: LocalPlane | None = None) -> Airspace:
    """Return the airspace of a city's folder, an open one where it names no zones; what is closed at times only is open here.

    Raises FileFormatError for a file that is no GeoJSON of sound polygons.
    """
    shut = [zone for zone in load_zones(folder) if zone.kind is ZoneKind.NO_FLY and not zone.windows]
    return Airspace([shapely.geometry.shape(zone.geometry) for zone in shut], plane=plane)


def load_zones(folder: Path) -> tuple[Zone, ...]:
    """Return the zones of a city's folder, none where it names none; their ids are their places in the file, from 1.

    A feature's properties are those of a Zone (kind, name, floor_agl_m, windows ...); one without a kind is a no-fly zone.
    Raises FileFormatError for a file that is no GeoJSON of sound polygons.
    """
    path = folder / NO_FLY_FILE
    if not path.is_file():
        return ()
    try:
        features = msgspec.json.decode(path.read_bytes())["features"]
        zones = tuple(_zone_of(feature, number) for number, feature in enumerate(features, 1))
        areas = [shapely.geometry.shape(zone.geometry) for zone in zones]
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError, shapely.errors.ShapelyError) as error:
        raise _no_zones(path, str(error)) from error
    for area in areas:
        if area.geom_type not in {"Polygon", "MultiPolygon"} or not area.is_valid or area.is_empty:
            raise _no_zones(path, f"a {area.geom_type} that is no sound polygon")
    return zones


def _zone_of(feature: Mapping[str, Any], number: int) -> Zone:
    properties = feature.get("properties") or {}
    said = {name: properties[name] for name in Zone.__struct_fields__ if name in properties}
    name = properties.get("name") or properties.get("name_zh") or NO_FLY_FILE
    fixed = {"name": name, "geometry": feature["geometry"], "zone_id": number}
    return msgspec.convert({"kind": ZoneKind.NO_FLY.value} | said | fixed, Zone)


def _no_zones(path: Path, reason: str) -> FileFormatError:
    return FileFormatError(
        f"{path} holds no no-fly zones ({reason}): give a FeatureCollection of sound polygons, WGS-84"
    )
