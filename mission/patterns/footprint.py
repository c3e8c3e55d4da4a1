"""What a camera sees from a height: the ground that a pixel stands for, its footprint straight down and aslant, line spacing."""

from dataclasses import dataclass
from math import atan2, cos, degrees, hypot, inf, radians, tan
from typing import Final

from mission.model import Airframe, Camera, Task
from telemetry.model.errors import InputError

USUAL_ALT_AGL_M: Final = 80.0
"""The height where a task names neither a height nor how well it must be seen."""
FRONT_OVERLAP_RATIO: Final = 0.75
"""Of photos that are put together to one picture of the ground."""
LEAST_ALT_AGL_M: Final = 5.0
MOST_ALT_AGL_M: Final = 1_000.0
_HALF_RIGHT_DEG: Final = 90.0


@dataclass(frozen=True)
class Slant:
    """What a camera that looks forward and down sees of flat ground, metres from the place below it.

    `far_m` is inf where the picture reaches the horizon. `near_pixel_m` and `far_pixel_m` are the ground that a pixel stands
    for across the line of sight at both edges: the finest and the coarsest of the picture.
    """

    near_m: float
    middle_m: float
    far_m: float
    near_width_m: float
    far_width_m: float
    near_pixel_m: float
    far_pixel_m: float


def camera_of(airframe: Airframe, wanted: str) -> Camera:
    """Return the airframe's camera of that name or kind, its first where none is asked for; InputError where it has none."""
    for camera in airframe.cameras:
        if wanted in {"", camera.name, camera.kind}:
            return camera
    has = ", ".join(f"{camera.name} ({camera.kind})" for camera in airframe.cameras) or "none"
    message = f"{airframe.name} has no camera {wanted!r} (it has: {has}): ask for one of these or plan another drone"
    raise InputError(message, f"{airframe.name} 没有相机 {wanted!r}（现有：{has}）：换成其中之一，或换一架无人机")


def ground_pixel_m(camera: Camera, alt_agl_m: float) -> float:
    """Return the metres of ground that a pixel stands for straight below: 2 h tan(fov / 2) / pixels across."""
    return seen_width_m(camera, alt_agl_m) / camera.width_px


def seen_width_m(camera: Camera, alt_agl_m: float) -> float:
    """Return how wide a strip of flat ground the camera sees across its track, looking straight down."""
    return 2.0 * alt_agl_m * tan(radians(camera.horizontal_fov_deg) / 2.0)


def seen_length_m(camera: Camera, alt_agl_m: float) -> float:
    """Return how much flat ground the camera sees along its track, looking straight down."""
    return 2.0 * alt_agl_m * tan(radians(camera.vertical_fov_deg) / 2.0)


def alt_for_pixel_m(camera: Camera, pixel_m: float) -> float:
    """Return the height above ground from which a pixel stands for `pixel_m` of it."""
    return pixel_m * camera.width_px / (2.0 * tan(radians(camera.horizontal_fov_deg) / 2.0))


def line_spacing_m(camera: Camera, alt_agl_m: float, side_overlap_ratio: float) -> float:
    """Return how far lines lie apart so that neighbouring strips overlap by that ratio (0..0.95) of their width."""
    return seen_width_m(camera, alt_agl_m) * (1.0 - side_overlap_ratio)


def trigger_m(camera: Camera, alt_agl_m: float, front_overlap_ratio: float) -> float:
    """Return the metres between photos that overlap by that ratio (0..0.95) along the track."""
    return seen_length_m(camera, alt_agl_m) * (1.0 - front_overlap_ratio)


def fastest_mps(camera: Camera, trigger_distance_m: float) -> float:
    """Return how fast a drone may fly and still take a photo each `trigger_distance_m`."""
    return trigger_distance_m / camera.least_interval_s


def filmed_mps(
    task: Task, airframe: Airframe, alt_agl_m: float, front_overlap_ratio: float = FRONT_OVERLAP_RATIO
) -> float:
    """Return how fast a task may be flown so that its camera keeps up: a multispectral one takes photos, others any speed."""
    camera = camera_of(airframe, task.camera)
    if camera.kind != "multispectral":
        return inf
    return fastest_mps(camera, trigger_m(camera, alt_agl_m, front_overlap_ratio))


def slant(camera: Camera, alt_agl_m: float, tilt_deg: float) -> Slant:
    """Return what is seen with the camera tilted forward by `tilt_deg` from straight down (0..90), on flat ground.

    Its edges lie at h tan(tilt -+ fov / 2); pixels there stand for fov / pixels times the length of the sight.
    """
    half_deg = camera.vertical_fov_deg / 2.0
    near_m, far_m = _reach_m(alt_agl_m, tilt_deg - half_deg), _reach_m(alt_agl_m, tilt_deg + half_deg)
    across_ratio = 2.0 * tan(radians(camera.horizontal_fov_deg) / 2.0)
    on_axis_ratio = cos(radians(half_deg))
    near_width_m, far_width_m = (across_ratio * on_axis_ratio * hypot(alt_agl_m, reach) for reach in (near_m, far_m))
    return Slant(
        near_m=near_m,
        middle_m=_reach_m(alt_agl_m, tilt_deg),
        far_m=far_m,
        near_width_m=near_width_m,
        far_width_m=far_width_m,
        near_pixel_m=near_width_m / camera.width_px,
        far_pixel_m=far_width_m / camera.width_px,
    )


def alt_of(task: Task, camera: Camera) -> float:
    """Return the height above ground at which the task is flown: what it says, else what its pixel size asks for.

    Raises InputError where both are given and the height shows less than is asked for, and for heights out of range.
    """
    alt_agl_m = task.alt_agl_m
    if task.ground_pixel_m is not None:
        if not task.ground_pixel_m > 0.0:
            message = f"a pixel of {task.ground_pixel_m} m is asked for: allowed is any size above 0"
            raise InputError(message, f"要求像元 {task.ground_pixel_m} m：须大于 0")
        most_m = alt_for_pixel_m(camera, task.ground_pixel_m)
        if alt_agl_m is not None and alt_agl_m > most_m * (1.0 + 1e-9):
            raise _too_coarse(task.ground_pixel_m, alt_agl_m, most_m, camera)
        alt_agl_m = alt_agl_m or most_m
    alt_agl_m = USUAL_ALT_AGL_M if alt_agl_m is None else alt_agl_m
    if not LEAST_ALT_AGL_M <= alt_agl_m <= MOST_ALT_AGL_M:
        message = (
            f"the height is {alt_agl_m:.1f} m above ground: allowed is {LEAST_ALT_AGL_M:g} to {MOST_ALT_AGL_M:g} m; "
            f"change the height, or the pixel size that it follows from"
        )
        zh = f"离地高度 {alt_agl_m:.1f} m：允许 {LEAST_ALT_AGL_M:g} 至 {MOST_ALT_AGL_M:g} m；改高度，或改决定高度的像元大小"
        raise InputError(message, zh)
    return alt_agl_m


def tilt_to_deg(alt_agl_m: float, away_m: float) -> float:
    """Return the gimbal's pitch (0 level, -90 straight down) at which a place `away_m` off is seen from that height."""
    return -degrees(atan2(alt_agl_m, away_m))


def _reach_m(alt_agl_m: float, from_down_deg: float) -> float:
    return alt_agl_m * tan(radians(from_down_deg)) if from_down_deg < _HALF_RIGHT_DEG else float("inf")


def _too_coarse(wanted_m: float, alt_agl_m: float, most_m: float, camera: Camera) -> InputError:
    shown_m = ground_pixel_m(camera, alt_agl_m)
    return InputError(
        f"from {alt_agl_m:g} m the camera {camera.name} shows {shown_m:.3f} m a pixel and "
        f"{wanted_m:g} m is asked for: fly at {most_m:.0f} m or lower, or ask for a coarser picture",
        f"在 {alt_agl_m:g} m 高度相机 {camera.name} 每像元 {shown_m:.3f} m，要求 {wanted_m:g} m：降到 {most_m:.0f} m 以下，或放宽要求",
    )
