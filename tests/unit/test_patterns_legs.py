"""Times of legs: the wind's triangle, corners, short legs, and what a battery gives."""

import numpy as np
import pytest

from mission.airspace import CALM, Wind
from mission.model import Airframe
from mission.patterns.legs import battery_ratio, fly_s, ground_mps, told_mps
from telemetry.model.errors import InputError

DRONE = Airframe(
    airframe_id=1, name="D1", dock_id=1, cruise_mps=10.0, acceleration_mps2=2.0, yaw_rate_degps=60.0, endurance_s=1500.0
)
NORTH, EAST = np.array([[0.0, 100.0]]), np.array([[100.0, 0.0]])


def test_the_wind_helps_along_its_way_and_a_crosswind_costs_by_its_triangle() -> None:
    wind = Wind(from_deg=180.0, speed_mps=6.0)
    assert ground_mps(NORTH, 10.0, wind)[0] == pytest.approx(16.0)
    assert ground_mps(-NORTH, 10.0, wind)[0] == pytest.approx(4.0)
    assert ground_mps(EAST, 10.0, wind)[0] == pytest.approx(8.0)


def test_a_crosswind_as_strong_as_the_air_speed_leaves_no_way() -> None:
    assert ground_mps(EAST, 10.0, Wind(from_deg=0.0, speed_mps=10.0))[0] == 0.0


def test_a_tailwind_saves_no_time_for_the_speed_over_ground_is_what_is_told() -> None:
    wind = Wind(from_deg=180.0, speed_mps=6.0)
    assert told_mps(NORTH, DRONE, wind).tolist() == [10.0]
    assert told_mps(-NORTH, DRONE, wind)[0] == pytest.approx(4.0)
    assert told_mps(NORTH, DRONE, wind, most_mps=3.0).tolist() == [3.0]
    assert fly_s(np.array([[0.0, 0.0], [0.0, 100.0]]), DRONE, wind).tolist() == pytest.approx([100 / 10 + 10 / 2])


def test_of_winds_that_may_blow_the_worst_counts_for_each_leg() -> None:
    either = Wind(from_deg=180.0, speed_mps=6.0, or_else=(Wind(from_deg=0.0, speed_mps=3.0), CALM))
    assert told_mps(NORTH, DRONE, either)[0] == pytest.approx(7.0)
    assert told_mps(-NORTH, DRONE, either)[0] == pytest.approx(4.0)


def test_a_leg_that_makes_no_way_is_refused_by_its_number() -> None:
    places = np.array([[0.0, 0.0], [0.0, 100.0], [100.0, 100.0]])
    with pytest.raises(InputError, match=r"leg 2 makes no way: D1 flies at 10 m/s .* 11 m/s from 180"):
        fly_s(places, DRONE, Wind(from_deg=180.0, speed_mps=11.0))


def test_a_leg_from_standing_to_standing_takes_its_length_and_one_speeding_up() -> None:
    assert fly_s(np.array([[0.0, 0.0], [0.0, 100.0]]), DRONE, CALM).tolist() == pytest.approx([100 / 10 + 10 / 2])


def test_a_short_leg_never_reaches_its_speed() -> None:
    assert fly_s(np.array([[0.0, 0.0], [0.0, 8.0]]), DRONE).tolist() == pytest.approx([2 * (8 / 2) ** 0.5])


def test_a_place_on_a_straight_way_costs_nothing() -> None:
    straight = fly_s(np.array([[0.0, 0.0], [0.0, 400.0]]), DRONE).sum()
    assert fly_s(np.array([[0.0, 0.0], [0.0, 150.0], [0.0, 400.0]]), DRONE).sum() == pytest.approx(straight)


def test_a_right_turn_costs_a_stop_and_the_turn_of_the_nose() -> None:
    corner = fly_s(np.array([[0.0, 0.0], [0.0, 200.0], [200.0, 200.0]]), DRONE).sum()
    assert corner == pytest.approx(2 * (200 / 10 + 10 / 2) + 90 / 60)


def test_a_place_that_comes_twice_costs_no_time() -> None:
    assert fly_s(np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 100.0]]), DRONE).tolist() == pytest.approx([0.0, 15.0])
    assert fly_s(np.zeros((3, 2)), DRONE).tolist() == [0.0, 0.0]


def test_an_old_battery_is_sooner_empty() -> None:
    assert battery_ratio(750.0, DRONE) == pytest.approx(0.5)
    assert battery_ratio(750.0, DRONE, 0.8) == pytest.approx(0.625)
