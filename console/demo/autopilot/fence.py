"""The drone's fence: a height, a circle about its home, polygons and circles to stay within or without."""

from collections.abc import Sequence
from typing import Final

import shapely

from console.demo.autopilot.body import Place
from console.demo.autopilot.numbers import Breach, FenceItem
from console.demo.autopilot.parameters import Parameters
from console.demo.autopilot.store import polygons_of
from telemetry.model.geodesy import LocalPlane
from telemetry.model.mission_items import MissionItem

UNION: Final = 2
"""Of FENCE_OPTIONS: inside any of the areas to stay within is enough."""
BREACH_NAMES: Final = {Breach.MAX_ALT: "Max Alt", Breach.CIRCLE: "Circle", Breach.POLYGON: "Polygon"}


class Fence:
    """What of the fence a place breaks; load the areas with `load`, which the drone has in its plane."""

    def __init__(self, plane: LocalPlane, parameters: Parameters) -> None:
        self._plane, self._parameters = plane, parameters
        self._inside: list[shapely.Geometry] = []
        self._outside: list[shapely.Geometry] = []
        self.broken = Breach.NONE
        self.breach_count = 0
        self.first_us = 0

    @property
    def is_enabled(self) -> bool:
        """Whether the fence counts."""
        return bool(self._parameters["FENCE_ENABLE"])

    def load(self, items: Sequence[MissionItem]) -> None:
        """Take a checked fence."""
        self._inside, self._outside = [], []
        for corners in polygons_of(items):
            shape = shapely.Polygon([self._place(corner) for corner in corners])
            self._keep(shape, is_inside=corners[0].command == FenceItem.POLYGON_INSIDE)
        for item in items:
            if item.command in {FenceItem.CIRCLE_INSIDE, FenceItem.CIRCLE_OUTSIDE}:
                shape = shapely.Point(self._place(item)).buffer(item.param1 or 0.0, quad_segs=32)
                self._keep(shape, is_inside=item.command == FenceItem.CIRCLE_INSIDE)

    def look(self, place: Place, height_m: float, home: Place) -> Breach:
        """Return what of the fence a place at a height above home breaks."""
        kinds, found = Breach(int(self._parameters["FENCE_TYPE"])), Breach.NONE
        if Breach.MAX_ALT in kinds and height_m > self._parameters["FENCE_ALT_MAX"]:
            found |= Breach.MAX_ALT
        if Breach.CIRCLE in kinds and home.away_m(place) > self._parameters["FENCE_RADIUS"]:
            found |= Breach.CIRCLE
        if Breach.POLYGON in kinds and self._breaks_area(place):
            found |= Breach.POLYGON
        return found

    def note(self, found: Breach, now_us: int) -> Breach:
        """Remember what is broken now and return what of it is new."""
        new = found & ~self.broken
        self.broken = found
        if new:
            self.breach_count += 1
            self.first_us = now_us
        return new

    def _breaks_area(self, place: Place) -> bool:
        if any(shapely.intersects_xy(area, *place) for area in self._outside):
            return True
        within = [bool(shapely.intersects_xy(area, *place)) for area in self._inside]
        if int(self._parameters["FENCE_OPTIONS"]) & UNION:
            return bool(within) and not any(within)
        return not all(within)

    def _keep(self, shape: shapely.Geometry, *, is_inside: bool) -> None:
        shapely.prepare(shape)
        (self._inside if is_inside else self._outside).append(shape)

    def _place(self, item: MissionItem) -> Place:
        east_m, north_m = self._plane.to_plane(item.lat_e7 / 1e7, item.lon_e7 / 1e7)
        return Place(float(east_m), float(north_m))
