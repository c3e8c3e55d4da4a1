"""What a task asks of its pattern, in the plane: its shape, the camera and height, the open air and how long ways take."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from mission.air.sky import Sky
from mission.airspace import Airspace, Wind
from mission.model import Airframe, Camera, Task, Window
from mission.patterns.flown import Pattern, Shape, length_m, looking_down
from mission.patterns.footprint import alt_of, camera_of, filmed_mps, line_spacing_m, seen_width_m
from mission.patterns.legs import fly_s
from mission.patterns.transit import Ways, ways_of
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats, LocalPlane

_MOST_OVERLAP_RATIO: Final = 0.95
_MOST_LAT_DEG: Final = 90.0
_MOST_LON_DEG: Final = 180.0


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A task as its pattern needs it. `shape` is a sound shapely geometry, metres east and north; `swath_m` the line spacing."""

    task: Task
    airframe: Airframe
    wind: Wind
    shape: Shape
    camera: Camera
    alt_agl_m: float
    seen_m: float
    swath_m: float
    ways: Ways

    @property
    def legs_s(self) -> Callable[[Floats], Floats]:
        """How long the legs between places (n, 2) take with this airframe in this wind."""
        most_mps = filmed_mps(self.task, self.airframe, self.alt_agl_m)
        return lambda places: fly_s(places, self.airframe, self.wind, most_mps=most_mps)

    def must_be(self, *kinds: str) -> None:
        """Raise InputError unless the shape is of one of these kinds of geometry."""
        if self.shape.geom_type not in kinds:
            name = self.task.name_en or self.task.name_zh
            message = f"{name!r} is a {self.shape.geom_type}: this way of flying asks for {' or '.join(kinds)}"
            raise InputError(message, f"图形是 {self.shape.geom_type}：这种飞法需要 {'、'.join(kinds)}")

    def flown(
        self,
        places: Floats,
        *,
        gaze: Floats | None = None,
        hold_s: Floats | None = None,
        footprint: Shape = None,
        gimbal_pitch_deg: float = -90.0,
        left_out_m2: float = 0.0,
        detection_ratio: float | None = None,
    ) -> Pattern:
        """Return the pattern through the places; without gaze and footprint it looks straight down along its line."""
        if not len(places):
            name = self.task.name_en or self.task.name_zh
            message = f"no place of {name!r} lies in open air that can be reached: move it or the no-fly zones"
            raise InputError(message, "没有一处位于可到达的开放空域：移动任务或禁飞区")
        down, still = looking_down(places)
        return Pattern(
            places=places,
            gaze=down if gaze is None else gaze,
            hold_s=still if hold_s is None else hold_s,
            alt_agl_m=self.alt_agl_m,
            footprint=seen_from(places, self.seen_m / 2.0) if footprint is None else footprint,
            length_m=length_m(places),
            swath_m=self.swath_m,
            seen_m=self.seen_m,
            gimbal_pitch_deg=gimbal_pitch_deg,
            left_out_m2=left_out_m2,
            detection_ratio=detection_ratio,
        )


def asked_of(
    task: Task, airframe: Airframe, *, plane: LocalPlane, sky: Sky | Airspace, wind: Wind, window: Window | None
) -> Asked:
    """Return what a task asks for in the plane. Raises InputError for a geometry, camera, height or overlap that is wrong."""
    camera = camera_of(airframe, task.camera)
    alt_agl_m = alt_of(task, camera)
    if not 0.0 <= task.side_overlap_ratio <= _MOST_OVERLAP_RATIO:
        message = f"the side overlap is {task.side_overlap_ratio}: allowed is 0 to {_MOST_OVERLAP_RATIO}"
        raise InputError(message, f"侧向重叠率为 {task.side_overlap_ratio}：允许 0 至 {_MOST_OVERLAP_RATIO}")
    return Asked(
        task=task,
        airframe=airframe,
        wind=wind,
        shape=shape_in(plane, task),
        camera=camera,
        alt_agl_m=alt_agl_m,
        seen_m=seen_width_m(camera, alt_agl_m),
        swath_m=line_spacing_m(camera, alt_agl_m, task.side_overlap_ratio),
        ways=ways_of(_closed(sky, task, window, alt_agl_m)),
    )


def _closed(sky: Sky | Airspace, task: Task, window: Window | None, alt_agl_m: float) -> Shape:
    if isinstance(sky, Airspace):
        return sky.closed
    return sky.closed_at(window, floor_agl_m=alt_agl_m, ceiling_agl_m=alt_agl_m, approval=task.approval)


def shape_in(plane: LocalPlane, task: Task) -> Shape:
    """Return the task's geometry in the plane; InputError where it is none, empty, crosses itself or lies off the globe."""
    name = task.name_en or task.name_zh
    try:
        shape = shapely.force_2d(shapely.geometry.shape(task.geometry))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, shapely.errors.ShapelyError) as error:
        message = f"the geometry of {name!r} is no GeoJSON geometry ({error}): give one with type and coordinates"
        raise InputError(message, f"“{name}”的图形不是 GeoJSON 图形（{error}）：给出 type 与 coordinates") from error
    if shape.is_empty:
        message = f"the geometry of {name!r} is empty: draw at least one place"
        raise InputError(message, f"“{name}”的图形是空的：至少画一处")
    lonlat = shapely.get_coordinates(shape)
    if not np.isfinite(lonlat).all() or (np.abs(lonlat) > (_MOST_LON_DEG, _MOST_LAT_DEG)).any():
        message = f"{name!r} has places off the globe: give [lon, lat] in degrees, -180..180 and -90..90"
        raise InputError(message, f"“{name}”的坐标不在地球上：[经度, 纬度] 以度计，-180..180 与 -90..90")
    if not shape.is_valid:
        message = f"{name!r} is no sound shape ({shapely.is_valid_reason(shape)}, lon lat): redraw the border there"
        raise InputError(
            message, f"“{name}”的边界不成立（{shapely.is_valid_reason(shape)}，经度 纬度）：在该处重画边界"
        )
    return shapely.transform(shape, lambda places: np.column_stack(plane.to_plane(places[:, 1], places[:, 0])))


def seen_from(places: Floats, half_m: float) -> Shape:
    """Return what lies within `half_m` of the line through the places (n, 2): a shapely polygon."""
    line = shapely.linestrings(places) if len(places) > 1 else shapely.points(places[0])
    return shapely.buffer(line, half_m)
