"""What cameras see: pixels on the ground, strips, slants, and heights that are asked for."""

import math

import pytest

from mission.model import Airframe, Camera, Task, TaskKind
from mission.patterns.footprint import (
    alt_for_pixel_m,
    alt_of,
    camera_of,
    fastest_mps,
    ground_pixel_m,
    line_spacing_m,
    seen_length_m,
    seen_width_m,
    slant,
    tilt_to_deg,
    trigger_m,
)
from telemetry.model.errors import InputError

SQUARE = Camera(name="square", horizontal_fov_deg=90.0, vertical_fov_deg=60.0, width_px=4000, height_px=3000)
DRONE = Airframe(
    airframe_id=1, name="D1", dock_id=1, cameras=(SQUARE, Camera(name="hot", kind="thermal", width_px=640))
)


def task(**values: float) -> Task:
    return Task(name_zh="湖", name_en="lake", kind=TaskKind.AREA, geometry={}, **values)  # type: ignore[arg-type]


def test_a_right_angled_camera_sees_twice_its_height() -> None:
    assert seen_width_m(SQUARE, 50.0) == pytest.approx(100.0)
    assert seen_length_m(SQUARE, 50.0) == pytest.approx(100.0 / math.sqrt(3.0))
    assert ground_pixel_m(SQUARE, 50.0) == pytest.approx(0.025)
    assert alt_for_pixel_m(SQUARE, 0.025) == pytest.approx(50.0)


def test_overlap_narrows_lines_and_triggers_and_bounds_the_speed() -> None:
    assert line_spacing_m(SQUARE, 50.0, 0.2) == pytest.approx(80.0)
    apart_m = trigger_m(SQUARE, 50.0, 0.75)
    assert apart_m == pytest.approx(25.0 / math.sqrt(3.0))
    assert fastest_mps(SQUARE, apart_m) == pytest.approx(apart_m)


def test_a_slant_sees_farther_and_coarser_at_its_far_edge() -> None:
    sight = slant(SQUARE, 100.0, 45.0)
    assert sight.near_m == pytest.approx(100.0 * math.tan(math.radians(15.0)))
    assert sight.middle_m == pytest.approx(100.0)
    assert sight.far_m == pytest.approx(100.0 * math.tan(math.radians(75.0)))
    assert sight.near_width_m == pytest.approx(2.0 * math.cos(math.radians(30.0)) * math.hypot(100.0, sight.near_m))
    assert sight.far_pixel_m > 3.0 * sight.near_pixel_m


def test_a_slant_straight_down_is_the_picture_from_above() -> None:
    sight = slant(SQUARE, 50.0, 0.0)
    assert sight.far_m - sight.near_m == pytest.approx(seen_length_m(SQUARE, 50.0))
    assert sight.near_width_m == pytest.approx(seen_width_m(SQUARE, 50.0))


def test_a_slant_above_the_horizon_reaches_endlessly_far() -> None:
    assert slant(SQUARE, 50.0, 70.0).far_m == math.inf


def test_the_gimbal_looks_down_by_height_over_distance() -> None:
    assert tilt_to_deg(80.0, 80.0) == pytest.approx(-45.0)
    assert tilt_to_deg(80.0, 0.0) == pytest.approx(-90.0)


def test_a_camera_is_found_by_name_or_kind_and_a_missing_one_is_refused_with_what_there_is() -> None:
    assert camera_of(DRONE, "").name == "square"
    assert camera_of(DRONE, "thermal").name == "hot"
    with pytest.raises(InputError, match=r"D1 has no camera 'zoom' \(it has: square \(wide\), hot \(thermal\)\)"):
        camera_of(DRONE, "zoom")


def test_the_height_follows_from_the_pixel_that_is_asked_for() -> None:
    assert alt_of(task(ground_pixel_m=0.03), SQUARE) == pytest.approx(60.0)
    assert alt_of(task(ground_pixel_m=0.03, alt_agl_m=40.0), SQUARE) == 40.0
    assert alt_of(task(), SQUARE) == 80.0


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"ground_pixel_m": 0.03, "alt_agl_m": 100.0}, "fly at 60 m or lower"),
        ({"ground_pixel_m": 0.0}, "above 0"),
        ({"ground_pixel_m": 0.001}, "2.0 m above ground: allowed is 5 to 1000"),
        ({"alt_agl_m": math.nan}, "allowed is 5"),
    ],
)
def test_heights_that_cannot_be_are_refused_with_what_can(values: dict[str, float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        alt_of(task(**values), SQUARE)
