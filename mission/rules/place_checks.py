"""What of a task's place is closed to it, when, and what else than another time would open it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import shapely

from mission.air.daylight import Daylight
from mission.air.sky import Sky, approvals_of, ceiling_of, is_closed_to, is_in_force
from mission.model import Airframe, Task, Window, Zone, ZoneKind
from mission.patterns.footprint import alt_of, camera_of
from mission.rules.conditions import Breach, Conditions
from mission.rules.refusals import Remedy, Told
from mission.rules.rule_set import RuleSet
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats

_ALL_RATIO: Final = 0.999
_SOME_RATIO: Final = 1e-6
_ASIDE_M: Final = 1.0


def height_of(task: Task, airframe: Airframe) -> float | None:
    """Return the height above ground at which a task is flown; None where the airframe has no such camera."""
    if task.alt_agl_m is not None:
        return task.alt_agl_m
    try:
        return alt_of(task, camera_of(airframe, task.camera))
    except InputError:
        return None


def highest_m(rules: RuleSet, airframe: Airframe, approval: str) -> float:
    """Return how high above ground an airframe may fly, with the approval that it has."""
    if approvals_of(approval):
        return rules.number("R-01", "approved_most_agl_m")
    is_micro = airframe.empty_kg < rules.number("R-06", "micro_empty_kg")
    return rules.number("R-01", "micro_most_agl_m" if is_micro else "most_agl_m")


@dataclass(frozen=True)
class PlaceChecks:
    """A task's place in a sky, at the height at which the airframe flies it."""

    task: Task
    airframe: Airframe
    sky: Sky
    conditions: Conditions

    @cached_property
    def alt_agl_m(self) -> float | None:
        """The height of the flight; None where the airframe lacks the camera."""
        return height_of(self.task, self.airframe)

    @cached_property
    def shape(self) -> Any:  # noqa: ANN401 - shapely has no types
        """The place in the plane; None where its geometry is unsound, which is said elsewhere."""
        return _shape_of(self.task, self.sky)

    def breaches(self, cell: Window) -> Iterator[Breach]:
        """Yield what of the task's place is closed in a piece of time: all of it is refused, a part of it is said."""
        if self.alt_agl_m is None or self.shape is None or not self.sky.zones:
            return
        closed = self._closed(cell, self.alt_agl_m)
        ratio = closed_ratio(self.shape, closed)
        if ratio < _SOME_RATIO:
            return
        zone = self._guilty(cell, self.alt_agl_m)
        is_all = ratio > _ALL_RATIO
        rule_id = "R-04" if zone.kind is ZoneKind.RESTRICTED else "R-03"
        key = {ZoneKind.RESTRICTED: "restricted", ZoneKind.KEEP_IN: "outside"}.get(zone.kind, "closed")
        numbers = {"zone": zone.name, "share_pct": ratio * 100.0, **hours_of(zone, cell, self.conditions.daylight)}
        remedies = tuple(self._ways_out(zone, closed, cell)) if is_all else (Remedy("left_out"),)
        is_warning = not is_all or self.conditions.rules.is_warning(rule_id)
        yield Breach(key, rule_id, numbers, ratio, is_warning, remedies)

    def _closed(self, cell: Window, alt_agl_m: float) -> Any:  # noqa: ANN401 - shapely has no types
        return self.sky.closed_at(cell, floor_agl_m=alt_agl_m, ceiling_agl_m=alt_agl_m, approval=self.task.approval)

    def _guilty(self, cell: Window, alt_agl_m: float) -> Zone:
        """Return the zone that closes the most of a place."""

        def share(zone: Zone) -> float:
            if not is_in_force(zone, cell):
                return -1.0
            if zone.kind is ZoneKind.KEEP_IN:
                return 1.0 - closed_ratio(self.shape, self.sky.area(zone)) - 1e-3
            is_met = zone.floor_agl_m <= alt_agl_m < ceiling_of(zone) and is_closed_to(zone, self.task.approval)
            return closed_ratio(self.shape, self.sky.area(zone)) if is_met else -1.0

        return max(self.sky.zones, key=share)

    def _ways_out(self, zone: Zone, closed: Any, cell: Window) -> Iterator[Remedy]:  # noqa: ANN401 - as above
        """Yield what else than another time opens a place: an approval, another height, another place."""
        if zone.kind is ZoneKind.RESTRICTED:
            number = min(approvals_of(zone.approval), default="?")
            yield self.conditions.approve(cell.start_us, number)
        yield from self._other_heights(cell)
        if self.shape.geom_type != "Point":
            yield Remedy("draw_elsewhere")
            return
        near = shapely.get_coordinates(shapely.shortest_line(closed.boundary, self.shape))[0]
        here = shapely.get_coordinates(self.shape)[0]
        aside = near + (near - here) / max(float(np.hypot(*(near - here))), 1e-9) * _ASIDE_M
        if not shapely.intersects_xy(closed, *aside):
            lat, lon = self.sky.plane.from_plane(*aside)
            change = {"lat_deg": round(float(lat), 7), "lon_deg": round(float(lon), 7)}
            yield Remedy("move", {"away_m": float(np.hypot(*(aside - here)))}, change)

    def _other_heights(self, cell: Window) -> Iterator[Remedy]:
        """Yield the nearest heights just under and just over what closes a place, where the rules allow them."""
        rules, here_m = self.conditions.rules, self.alt_agl_m or 0.0
        most_m, least_m = highest_m(rules, self.airframe, self.task.approval), rules.number("R-02", "least_agl_m")
        edges = {zone.floor_agl_m - 1.0 for zone in self.sky.zones} | {ceiling_of(zone) for zone in self.sky.zones}
        tried = sorted((edge for edge in edges if least_m <= edge <= most_m), key=lambda edge: abs(edge - here_m))
        for edge in tried:
            if closed_ratio(self.shape, self._closed(cell, edge)) < _SOME_RATIO:
                key = "lower_task" if edge < here_m else "raise_task"
                yield Remedy(key, {"alt_agl_m": edge}, {"alt_agl_m": edge})
                return


def hours_of(zone: Zone, during: Window, daylight: Daylight) -> Told:
    """Return the window of a zone that meets a time, as words and numbers; empty words for one that is always in force."""
    for one in zone.windows:
        if one.start_us < during.end_us and during.start_us < one.end_us:
            text = f" {daylight.clock(one.start_us)}–{daylight.clock(one.end_us, beside_us=one.start_us)}"
            return {"hours_zh": text, "hours_en": text, "since_us": one.start_us, "until_us": one.end_us}
    return {"hours_zh": "", "hours_en": ""}


def _shape_of(task: Task, sky: Sky) -> Any:  # noqa: ANN401 - shapely has no types
    """Return a task's geometry in the sky's plane; None where it is unsound, which is said elsewhere."""

    def to_plane(lonlat: Floats) -> Floats:
        return np.column_stack(sky.plane.to_plane(lonlat[:, 1], lonlat[:, 0]))

    try:
        shape = shapely.transform(shapely.force_2d(shapely.geometry.shape(task.geometry)), to_plane)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, shapely.errors.ShapelyError):
        return None
    return None if shape.is_empty or not shape.is_valid else shape


def closed_ratio(shape: Any, closed: Any) -> float:  # noqa: ANN401 - as above
    """Return which part of a shape is closed, by its area, its length or its points."""
    if closed.is_empty or not closed.intersects(shape):
        return 0.0
    for measure in (shapely.area, shapely.length, shapely.get_num_geometries):
        whole = float(measure(shape))
        if whole > 0.0:
            return float(measure(shape.intersection(closed))) / whole
    return 0.0
