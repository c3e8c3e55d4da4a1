"""Geodesics and local planes agree with each other."""

import threading

import numpy as np
import pytest

from telemetry.model.geodesy import bearing_deg, destination, distance_m, local_plane


def test_a_quarter_meridian_is_ten_thousand_and_two_kilometres() -> None:
    assert float(distance_m(0.0, 0.0, 90.0, 0.0)) == pytest.approx(10_001_965.73, abs=0.01)


def test_bearings_run_clockwise_from_true_north_and_stay_below_360() -> None:
    bearings = bearing_deg(36.0, 103.0, [37.0, 36.0, 35.0, 36.0], [103.0, 104.0, 103.0, 102.0])
    assert bearings == pytest.approx([0.0, 89.7, 180.0, 270.3], abs=0.05)
    assert (bearings < 360.0).all()


def test_a_destination_lies_at_its_bearing_and_distance() -> None:
    lat, lon = destination(36.06, 103.83, 217.0, 5_000.0)
    assert float(distance_m(36.06, 103.83, lat, lon)) == pytest.approx(5_000.0, abs=1e-6)
    assert float(bearing_deg(36.06, 103.83, lat, lon)) == pytest.approx(217.0, abs=1e-6)


def test_a_local_plane_measures_like_the_ellipsoid_within_a_city() -> None:
    plane = local_plane(36.06, 103.83)
    lat, lon = np.array([36.06, 36.2]), np.array([103.83, 103.9])
    east, north = plane.to_plane(lat, lon)
    in_plane = np.hypot(np.diff(east), np.diff(north))[0]
    assert in_plane == pytest.approx(float(distance_m(lat[0], lon[0], lat[1], lon[1])), rel=2e-6)
    back = plane.from_plane(east, north)
    assert np.abs(back[0] - lat).max() < 1e-10
    assert np.abs(back[1] - lon).max() < 1e-10


def test_each_thread_has_a_plane_of_its_own_and_keeps_it() -> None:
    seen = []
    thread = threading.Thread(target=lambda: seen.append(local_plane(36.0, 103.0)))
    thread.start()
    thread.join()
    assert local_plane(36.0, 103.0) is local_plane(36.0, 103.0)
    assert seen[0] is not local_plane(36.0, 103.0)
