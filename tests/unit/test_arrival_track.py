"""Under way and arrived as the track alone tells them: by metres, seconds, speed, and never from a fix that proves nothing."""

from typing import Any, Final

import msgspec
import pytest

from mission.calls.arrival import Approach, Fix, distance_m, step
from telemetry.model.batch import UNKNOWN_I2, Quality

LAT_E7, LON_E7 = 360_600_000, 1_038_300_000
METRE_E7: Final = 1 / 0.011131949
BEGAN_US: Final = 1_790_000_000_000_000
SECOND_US: Final = 1_000_000


class Track:
    """A unit on the meridian through the place; each look is one fix."""

    def __init__(self) -> None:
        self.at_us = BEGAN_US
        self.approach = Approach(lat_e7=LAT_E7, lon_e7=LON_E7, began_us=BEGAN_US)

    def look(self, away_m: float, *, after_s: float = 1.0, late_s: float = 0.3, **fix: Any) -> Approach:  # noqa: ANN401 - Fix's own
        self.at_us += round(after_s * SECOND_US)
        seen = Fix(
            **(
                {
                    "observed_us": self.at_us,
                    "received_us": self.at_us + round(late_s * SECOND_US),
                    "lat_e7": LAT_E7 + round(away_m * METRE_E7),
                    "lon_e7": LON_E7,
                    "accuracy_dm": 50,
                    "speed_cmps": UNKNOWN_I2,
                }
                | fix
            )
        )
        self.approach = step(self.approach, seen, seen.received_us + SECOND_US // 5)
        return self.approach

    def arrived_s(self) -> float | None:
        arrived_us = self.approach.arrived_us
        return None if arrived_us is None else (arrived_us - BEGAN_US) / SECOND_US

    def left_s(self) -> float | None:
        return None if self.approach.left_us is None else (self.approach.left_us - BEGAN_US) / SECOND_US


@pytest.fixture
def track() -> Track:
    return Track()


def test_a_unit_that_walks_up_and_stays_arrived_when_it_came_near(track: Track) -> None:
    for away_m in range(300, 0, -15):
        track.look(float(away_m), after_s=10)
    assert track.approach.near_since_us is not None
    came_near_s = (track.approach.near_since_us - BEGAN_US) / SECOND_US
    assert came_near_s == 190  # 30 m away; 45 m is not near
    assert track.arrived_s() == came_near_s


def test_five_seconds_are_needed(track: Track) -> None:
    for _ in range(5):
        track.look(10)
    assert track.arrived_s() is None
    track.look(10)
    assert track.arrived_s() == 1


def test_a_car_that_drives_past_has_not_arrived(track: Track) -> None:
    for away_m in range(300, -300, -13):
        track.look(float(away_m), speed_cmps=1300)
    assert track.arrived_s() is None
    assert track.left_s() is not None


def test_a_car_whose_device_tells_no_speed_has_not_arrived_by_driving_past_either(track: Track) -> None:
    for away_m in range(300, -300, -20):
        track.look(float(away_m), accuracy_dm=30)
    assert track.arrived_s() is None


def test_standing_at_sixty_metres_for_twenty_seconds_is_there(track: Track) -> None:
    for second in range(19):
        track.look(60 + second % 3, speed_cmps=20)
    assert track.arrived_s() is None
    for _ in range(3):
        track.look(61, speed_cmps=0)
    assert track.arrived_s() == 1


def test_walking_about_at_sixty_metres_is_not_standing(track: Track) -> None:
    for second in range(60):
        track.look(55 + 10 * (second // 2 % 3), speed_cmps=140)
    assert track.arrived_s() is None


def test_a_poor_fix_reaches_farther_but_only_so_far(track: Track) -> None:
    for _ in range(8):
        track.look(100, accuracy_dm=800)
    assert track.arrived_s() == 1
    other = Track()
    for _ in range(8):
        other.look(100, accuracy_dm=1_500)  # 150 m of doubt say nothing about a place
    assert other.arrived_s() is None
    assert other.approach.last is None


def test_at_the_edge_one_fix_outside_does_not_begin_anew_but_two_streets_off_does(track: Track) -> None:
    for away_m in (38, 39, 50, 38, 52, 39, 38):
        track.look(away_m)
    assert track.arrived_s() == 1
    other = Track()
    for away_m in (38, 39, 90, 38, 39, 38):
        other.look(away_m)
    assert other.arrived_s() is None


def test_once_there_it_stays_there(track: Track) -> None:
    for _ in range(8):
        track.look(5)
    for away_m in range(0, 2_000, 50):
        track.look(float(away_m), after_s=5)
    assert track.arrived_s() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"is_live": False},
        *(
            {"quality": int(bit)}
            for bit in Quality
            if bit not in {Quality.SATURATED, Quality.SPARSE, Quality.UNSIGNED, Quality.PARKED}
        ),
        {"late_s": 25.0},
        {"lat_e7": -(2**31)},
        {"observed_us": BEGAN_US - 1},
    ],
)
def test_a_fix_that_proves_nothing_changes_nothing(track: Track, wrong: dict[str, Any]) -> None:
    before = track.look(300)
    for _ in range(40):
        assert track.look(0, **wrong) == before


def test_the_same_fix_looked_at_again_and_again_is_one_fix(track: Track) -> None:
    track.look(5)
    fix = track.approach.last
    assert fix is not None
    for second in range(1, 19):
        assert step(track.approach, fix, fix.observed_us + second * SECOND_US) == track.approach
    assert track.arrived_s() is None


def test_what_happened_in_a_long_silence_is_not_known(track: Track) -> None:
    track.look(5)
    track.look(5, after_s=600)
    assert track.arrived_s() is None
    for _ in range(6):
        track.look(5)
    assert track.arrived_s() == 601


def test_under_way_is_sixty_metres_or_five_seconds_of_moving(track: Track) -> None:
    for away_m in (500, 490, 470, 450):
        track.look(away_m, after_s=14)  # 50 m in 42 s: not moving fast
    assert track.left_s() is None
    track.look(400, after_s=14)
    assert track.left_s() is not None
    runner = Track()
    for second in range(8):
        runner.look(500 - 3 * second, speed_cmps=300)
    assert runner.left_s() == 1


def test_noise_of_a_phone_that_lies_on_a_table_is_not_under_way(track: Track) -> None:
    for second in range(120):
        track.look(500 + (25 if second % 2 else -25), accuracy_dm=300)
    assert track.left_s() is None
    assert track.arrived_s() is None


def test_our_own_clock_set_back_an_hour_costs_no_arrival(track: Track) -> None:
    for _ in range(3):
        track.look(300)
    track.at_us -= 3600 * SECOND_US
    for _ in range(10):
        track.look(5)
    assert track.approach.arrived_us is not None


def test_a_phone_whose_clock_runs_ahead_cannot_arrive_in_the_future() -> None:
    approach = Approach(lat_e7=LAT_E7, lon_e7=LON_E7, began_us=BEGAN_US)
    for second in range(30):
        ahead = Fix(
            observed_us=BEGAN_US + (3_600 + second) * SECOND_US,
            received_us=BEGAN_US + second * SECOND_US,
            lat_e7=LAT_E7,
            lon_e7=LON_E7,
        )
        approach = step(approach, ahead, BEGAN_US + second * SECOND_US)
    assert approach.arrived_us is None


def test_distances_over_the_date_line_are_short() -> None:
    assert distance_m(0, 1_799_999_000, 0, -1_799_999_000) == pytest.approx(22.3, abs=0.1)
    fix = Fix(observed_us=1, received_us=1, lat_e7=0, lon_e7=0)
    assert msgspec.structs.asdict(fix)["is_live"]
