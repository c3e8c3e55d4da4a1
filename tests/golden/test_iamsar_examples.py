"""Searches of the IAMSAR Manual against examples reckoned by hand: legs, courses, and the two curves of detection."""

import numpy as np
import pytest

from mission.patterns.search import (
    coverage_of,
    detection_ideal,
    detection_normal,
    detection_of_all,
    sector_legs,
    square_legs,
    sweep_width_m,
)


def test_an_expanding_square_grows_by_one_spacing_each_second_leg() -> None:
    legs = square_legs(100.0, 250.0)
    by_hand = [
        (0, 0), (0, 100), (100, 100), (100, -100), (-100, -100), (-100, 200), (200, 200), (200, -200), (-200, -200), (-200, 200),
    ]  # fmt: skip
    assert np.allclose(legs, by_hand)
    assert np.hypot(*np.diff(legs, axis=0).T).sum() == pytest.approx(2400.0)


def test_a_sector_search_passes_its_datum_three_times_in_nine_equal_legs() -> None:
    legs = sector_legs(1000.0, 1)
    half, side = 500.0, 866.0254
    by_hand = [
        (0, 0), (0, 1000), (side, half), (0, 0), (-side, -half), (-side, half), (0, 0), (side, -half), (0, -1000), (0, 0),
    ]  # fmt: skip
    assert np.allclose(legs, by_hand, atol=0.01)
    assert np.hypot(*np.diff(legs, axis=0).T).sum() == pytest.approx(9000.0)


def test_the_second_pass_of_a_sector_search_lies_between_the_tracks_of_the_first() -> None:
    second = sector_legs(1000.0, 2)[10:]
    assert np.allclose(second[0], (500.0, 866.0254), atol=0.01)
    assert np.allclose(second[-1], (0.0, 0.0), atol=1e-6)


@pytest.mark.parametrize(
    ("coverage", "ideal", "normal"),
    [(0.0, 0.0, 0.0), (0.5, 0.4692, 0.3935), (1.0, 0.7899, 0.6321), (1.5, 0.9400, 0.7769), (2.0, 0.9878, 0.8647)],
)
def test_the_curves_of_detection_are_those_of_koopman(coverage: float, ideal: float, normal: float) -> None:
    assert detection_ideal(coverage) == pytest.approx(ideal, abs=2e-4)
    assert detection_normal(coverage) == pytest.approx(normal, abs=2e-4)


def test_two_searches_of_coverage_one_find_as_much_as_one_of_coverage_two() -> None:
    assert detection_of_all([detection_normal(1.0)] * 2) == pytest.approx(detection_normal(2.0))


def test_coverage_is_swept_area_over_area() -> None:
    assert coverage_of(40.0, 10_000.0, 500_000.0) == pytest.approx(0.8)


def test_the_sweep_width_is_corrected_by_weather_fatigue_and_speed() -> None:
    assert sweep_width_m(100.0) == 100.0
    assert sweep_width_m(100.0, weather_factor=0.5, fatigue_factor=0.9, speed_factor=1.1) == pytest.approx(49.5)
