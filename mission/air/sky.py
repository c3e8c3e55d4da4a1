"""The sky of a plan: zones by kind, height and time in one plane, what of it is closed, and where a way offends."""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import shapely

from mission.air.flight_path import FlightPath
from mission.airspace import Airspace
from mission.model import Window, Zone, ZoneKind
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats, LocalPlane

ALL_KINDS: Final = frozenset(ZoneKind)
WORLD_M: Final = 150_000.0
"""Half the side of the square that stands for everything outside of keep-in zones."""
_GRAZE_M: Final = 0.01
_EVER: Final = Window(start_us=-(2**62), end_us=2**62)
_MITRE_FACTOR: Final = 2.0


@dataclass(frozen=True)
class Offence:
    """A stretch of a way inside a zone that is closed to it, or outside every keep-in zone (then `zone` is one of them).

    `line` (2, 2) is where the stretch begins and ends in the plane, `leg` the path's leg that it lies on.
    """

    zone: Zone
    window: Window
    line: Floats
    leg: int
    lowest_agl_m: float
    highest_agl_m: float


def approvals_of(text: str) -> frozenset[str]:
    """Return the approval numbers in a text that may list several, parted by commas, semicolons or spaces."""
    for sign in ",;，；、":
        text = text.replace(sign, " ")
    return frozenset(text.split())


class Sky:
    """All zones of a plan in one plane; made once, asked often. `zones` are kept in their order.

    `margin_m` widens what is closed and narrows what must be kept in. Raises InputError for a zone that is no sound polygon.
    What is closed at a time and height is kept, so that asking again costs about 10 us.
    """

    def __init__(self, zones: Sequence[Zone] = (), *, plane: LocalPlane, margin_m: float = 0.0) -> None:
        self.plane, self.margin_m, self.zones = plane, margin_m, tuple(zones)
        self._areas = [_area_of(zone, plane, margin_m) for zone in self.zones]
        self._keep_ins = [index for index, zone in enumerate(self.zones) if zone.kind is ZoneKind.KEEP_IN]
        self._closed: dict[object, Any] = {}
        self._spaces: dict[object, Airspace] = {}

    def area(self, zone: Zone) -> Any:  # noqa: ANN401 - shapely has no types
        """Return a zone's area in the plane, its margin included."""
        return self._areas[self.zones.index(zone)]

    def closed_at(
        self,
        window: Window | None = None,
        *,
        floor_agl_m: float = 0.0,
        ceiling_agl_m: float = math.inf,
        approval: str = "",
        kinds: Collection[ZoneKind] = ALL_KINDS,
    ) -> Any:  # noqa: ANN401 - shapely has no types
        """Return the area (shapely, in the plane) closed at some time of the window and some height of the band.

        `window` None is always: every zone counts. Restricted zones are open to the approval numbers given. Outside of the
        keep-in zones that are in force all is closed, as far as `WORLD_M` from the plane's origin.
        """
        key = self._key(window, floor_agl_m, ceiling_agl_m, approval=approval, kinds=kinds)
        if key not in self._closed:
            shut, kept = key
            outside = [_WORLD.difference(shapely.union_all([self._areas[index] for index in group])) for group in kept]
            self._closed[key] = shapely.union_all([*(self._areas[index] for index in shut), *outside])
        return self._closed[key]

    def space(
        self,
        window: Window | None = None,
        *,
        floor_agl_m: float = 0.0,
        ceiling_agl_m: float = math.inf,
        approval: str = "",
    ) -> Airspace:
        """Return the same as an Airspace, which knows its corners and which of them see each other; it is kept."""
        key = self._key(window, floor_agl_m, ceiling_agl_m, approval=approval, kinds=ALL_KINDS)
        if key not in self._spaces:
            closed = self.closed_at(window, floor_agl_m=floor_agl_m, ceiling_agl_m=ceiling_agl_m, approval=approval)
            self._spaces[key] = Airspace(plane=self.plane, closed=closed)
        return self._spaces[key]

    def is_free(
        self,
        places: Floats,
        window: Window | None = None,
        *,
        floor_agl_m: float = 0.0,
        ceiling_agl_m: float = math.inf,
        approval: str = "",
    ) -> bool:
        """Tell whether a polyline (n, 2) in the plane keeps out of what is closed; touching a border is allowed."""
        space = self.space(window, floor_agl_m=floor_agl_m, ceiling_agl_m=ceiling_agl_m, approval=approval)
        if len(places) == 1:
            places = np.repeat(places, 2, axis=0)
        return bool(space.sees(places[:-1], places[1:]).all())

    def offences(
        self, path: FlightPath, *, approval: str = "", kinds: Collection[ZoneKind] = ALL_KINDS
    ) -> list[Offence]:
        """Return every stretch of a path that is in a zone while it is closed to it, in the path's order; exact along legs."""
        found = [
            offence
            for index, zone in enumerate(self.zones)
            if zone.kind in kinds and zone.kind is not ZoneKind.KEEP_IN and is_closed_to(zone, approval)
            for offence in _inside(path, zone, self._areas[index])
        ]
        if ZoneKind.KEEP_IN in kinds and self._keep_ins:
            found += self._strays(path)
        return sorted(found, key=lambda offence: (offence.leg, offence.window.start_us))

    def _strays(self, path: FlightPath) -> Iterator[Offence]:
        """Yield the stretches outside every keep-in zone that is in force."""
        whole = Window(start_us=path.window.start_us, end_us=path.window.end_us + 1)  # the last moment and
        top_m = path.highest_agl_m + 1.0  # the highest place lie within their spans, not on their open ends
        for window, floor, ceiling, group in self._cells(whole, path.lowest_agl_m, top_m):
            zone = self.zones[(group or self._in_force(window))[0]]
            inside = shapely.union_all([self._areas[index] for index in group])
            cell = Zone(
                name=zone.name,
                kind=ZoneKind.KEEP_IN,
                geometry=zone.geometry,
                zone_id=zone.zone_id,
                floor_agl_m=floor,
                ceiling_agl_m=ceiling,
                windows=(window,),
            )
            for offence in _inside(path, cell, _WORLD.difference(inside)):
                yield Offence(
                    zone, offence.window, offence.line, offence.leg, offence.lowest_agl_m, offence.highest_agl_m
                )

    def _in_force(self, window: Window) -> list[int]:
        return [index for index in self._keep_ins if is_in_force(self.zones[index], window)]

    def _cells(
        self, window: Window, floor_agl_m: float, ceiling_agl_m: float
    ) -> Iterator[tuple[Window, float, float, tuple[int, ...]]]:
        """Yield spans of time and height in which the same keep-in zones count, where any is in force, with those that count."""
        zones = [self.zones[index] for index in self._keep_ins]
        edges_us = {edge for zone in zones for one in zone.windows for edge in (one.start_us, one.end_us)}
        edges_m = {edge for zone in zones for edge in (zone.floor_agl_m, ceiling_of(zone))}
        for start_us, end_us in pairwise(_cuts(window.start_us, window.end_us, edges_us)):
            span = Window(start_us=start_us, end_us=end_us)
            in_force = self._in_force(span)
            if not in_force:
                continue
            for floor_m, top_m in pairwise(_cuts(floor_agl_m, ceiling_agl_m, edges_m)):
                group = tuple(index for index in in_force if _is_in_band(self.zones[index], floor_m, top_m))
                yield span, floor_m, top_m, group

    def _key(
        self,
        window: Window | None,
        floor_agl_m: float,
        ceiling_agl_m: float,
        *,
        approval: str,
        kinds: Collection[ZoneKind],
    ) -> tuple[frozenset[int], frozenset[tuple[int, ...]]]:
        span = window or _EVER
        shut = frozenset(
            index
            for index, zone in enumerate(self.zones)
            if zone.kind in kinds
            and zone.kind is not ZoneKind.KEEP_IN
            and is_closed_to(zone, approval)
            and is_in_force(zone, span)
            and _is_in_band(zone, floor_agl_m, ceiling_agl_m)
        )
        if ZoneKind.KEEP_IN not in kinds or not self._keep_ins:
            return shut, frozenset()
        return shut, frozenset(group for *_, group in self._cells(span, floor_agl_m, ceiling_agl_m))


def is_closed_to(zone: Zone, approval: str) -> bool:
    """Tell whether a zone is closed to who has these approval numbers.

    A restricted zone that names a number wants that number; one that names none wants any.
    """
    if zone.kind is not ZoneKind.RESTRICTED:
        return True
    shown, wanted = approvals_of(approval), approvals_of(zone.approval)
    return not shown or bool(wanted and not wanted & shown)


def is_in_force(zone: Zone, window: Window) -> bool:
    """Tell whether a zone is in force at some time of a window."""
    return not zone.windows or any(
        one.start_us < window.end_us and window.start_us < one.end_us for one in zone.windows
    )


def ceiling_of(zone: Zone) -> float:
    """Return a zone's upper limit in metres above ground, inf where it has none."""
    return math.inf if zone.ceiling_agl_m is None else zone.ceiling_agl_m


def _is_in_band(zone: Zone, floor_agl_m: float, ceiling_agl_m: float) -> bool:
    """Tell whether a zone and a band of heights share more than a border; a band without thickness is a height."""
    if floor_agl_m == ceiling_agl_m:
        return zone.floor_agl_m <= floor_agl_m < ceiling_of(zone)
    return zone.floor_agl_m < ceiling_agl_m and floor_agl_m < ceiling_of(zone)


def _cuts(low: Any, high: Any, edges: Collection[Any]) -> list[Any]:  # noqa: ANN401 - whole microseconds or metres
    inner = sorted(edge for edge in edges if low < edge < high)
    return [low, *inner, high]


_WORLD: Final = shapely.box(-WORLD_M, -WORLD_M, WORLD_M, WORLD_M)


def _area_of(zone: Zone, plane: LocalPlane, margin_m: float) -> Any:  # noqa: ANN401 - shapely has no types
    def to_plane(lonlat: Floats) -> Floats:
        return np.column_stack(plane.to_plane(lonlat[:, 1], lonlat[:, 0]))

    try:
        area = shapely.transform(shapely.geometry.shape(zone.geometry), to_plane)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, shapely.errors.ShapelyError) as error:
        raise _unsound(zone, str(error)) from error
    if area.geom_type not in {"Polygon", "MultiPolygon"}:
        raise _unsound(zone, f"a {area.geom_type}")
    if area.is_empty or not area.is_valid:
        raise _unsound(zone, shapely.is_valid_reason(area) if not area.is_empty else "it is empty")
    grown_m = -margin_m if zone.kind is ZoneKind.KEEP_IN else margin_m
    return area.buffer(grown_m, join_style="mitre", mitre_limit=_MITRE_FACTOR) if grown_m else area


def _unsound(zone: Zone, reason: str) -> InputError:
    return InputError(
        f"the zone {zone.name!r} is no area of the air ({reason}): give a Polygon or MultiPolygon that does not cross itself",
        f"区域“{zone.name}”不成立（{reason}）：须为不自交的 Polygon 或 MultiPolygon",
    )


def _inside(path: FlightPath, zone: Zone, area: Any) -> Iterator[Offence]:  # noqa: ANN401 - shapely has no types
    """Yield the stretches of a path within an area, a zone's heights and its windows."""
    if not is_in_force(zone, path.window):
        return
    if not _is_in_band(zone, path.lowest_agl_m, path.highest_agl_m):
        return
    inner = area.buffer(-_GRAZE_M, join_style="mitre")
    shapely.prepare(inner)
    for leg in np.flatnonzero(shapely.intersects(inner, path.lines)).tolist():
        for since, until in _shares_in_area(path.lines[leg], inner):
            yield from _offences_of_stretch(path, zone, leg, since_share=since, until_share=until)


def _shares_in_area(line: Any, area: Any) -> list[tuple[float, float]]:  # noqa: ANN401 - shapely has no types
    """Return which shares (0..1) of a straight line lie in an area; (0, 1) for a place within it."""
    start, end = shapely.get_coordinates(line)
    length_m = float(np.hypot(*(end - start)))
    if length_m < _GRAZE_M:
        return [(0.0, 1.0)]
    shares = []
    for part in shapely.get_parts(shapely.intersection(line, area)):
        along = (shapely.get_coordinates(part) - start) @ (end - start) / length_m**2
        shares.append((float(along.min()), float(along.max())))
    return sorted(share for share in shares if share[1] > share[0])


def _offences_of_stretch(
    path: FlightPath, zone: Zone, leg: int, *, since_share: float, until_share: float
) -> Iterator[Offence]:
    """Yield what of a stretch of a leg (shares 0..1) lies in the zone's heights and windows."""
    from_us, until_us = int(path.at_us[leg]), int(path.at_us[leg + 1])
    from_m, until_m = float(path.alt_agl_m[leg]), float(path.alt_agl_m[leg + 1])
    in_band = _share_between(from_m, until_m, zone.floor_agl_m, ceiling_of(zone))
    for window in zone.windows or (_EVER,):
        in_time = _share_between(from_us, until_us, window.start_us, window.end_us)
        first = max(since_share, in_band[0], in_time[0])
        last = min(until_share, in_band[1], in_time[1])
        if first > last or (first == last and from_us != until_us):
            continue
        heights = [from_m + (until_m - from_m) * share for share in (first, last)]
        ends = path.places[leg] + np.outer((first, last), path.places[leg + 1] - path.places[leg])
        spent_us = until_us - from_us
        yield Offence(
            zone,
            Window(start_us=from_us + round(spent_us * first), end_us=from_us + round(spent_us * last)),
            ends,
            leg,
            min(heights),
            max(heights),
        )


def _share_between(a: float, b: float, lowest: float, highest: float) -> tuple[float, float]:
    """Return from which to which share of the way from `a` to `b` it is between two bounds; (1, 0): never."""
    if a == b:
        return (0.0, 1.0) if lowest <= a < highest else (1.0, 0.0)
    one, other = (lowest - a) / (b - a), (highest - a) / (b - a)
    first, last = max(0.0, min(one, other)), min(1.0, max(one, other))
    return (first, last) if first < last else (1.0, 0.0)
