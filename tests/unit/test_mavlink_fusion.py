"""One row out of many messages: sources by rank, joins with an age limit, sentinels that stay unknown."""

import math

import numpy as np
import pytest

from telemetry.model.batch import UNKNOWN_I1, UNKNOWN_I2, UNKNOWN_I4, Batch, Quality, hash_fixes, new_batch
from telemetry.sources.mavlink import MavlinkDecoder
from telemetry.sources.mavlink.fusion import fix_of, hash_of_fix, is_place
from telemetry.sources.mavlink.modes import mode_name
from telemetry.sources.mavlink.secondary import tenths_of_degree
from tests.mavlink_scene import START_US, Drone, registry_of

SECOND = 1_000_000
SKY = {"lat": 360_600_100, "lon": 1_038_300_100, "alt": 1_601_000, "vel": 990, "cog": 4_512, "eph": 90}


class Scene:
    """A discovered drone; `say` feeds one message at seconds after the start and gives the rows."""

    def __init__(self) -> None:
        self.decoder = MavlinkDecoder(registry_of(1), "g", allow_unsigned=True)
        self.drone = Drone()
        self.decoder.feed(self.drone.heartbeat(), START_US)

    def say(self, at_s: float, message: str, **fields: float) -> Batch:
        now_us = START_US + round(at_s * SECOND)
        return self.decoder.feed(self.drone.frame(message, dict(fields)), now_us).batch

    def position(self, at_s: float, **changes: int) -> Batch:
        now_us = START_US + round(at_s * SECOND)
        return self.decoder.feed(self.drone.position(now_us, **changes), now_us).batch

    def beat(self, at_s: float) -> None:
        self.decoder.feed(self.drone.heartbeat(), START_US + round(at_s * SECOND))


def test_a_position_bears_what_was_last_known_of_everything() -> None:
    scene = Scene()
    scene.say(0.1, "GPS_RAW_INT", fix_type=4, satellites_visible=17, h_acc=1_260, alt_ellipsoid=1_555_000)
    scene.say(0.2, "BATTERY_STATUS", battery_remaining=64)
    (row,) = scene.position(0.3)
    assert (row["alt_msl_dm"], row["alt_home_dm"], row["alt_hae_dm"]) == (16_000, 400, 15_550)
    assert (row["speed_cmps"], row["climb_cmps"], row["heading_ddeg"], row["course_ddeg"]) == (1000, 50, 901, 0)
    assert (row["accuracy_dm"], row["satellites"], row["fix"], row["battery_pct"]) == (13, 17, 4, 64)
    assert row["quality"] == Quality.TIME_ESTIMATED | Quality.UNSIGNED
    assert (row["device_id"], row["received_us"]) == (1, START_US + 300_000)


def test_what_is_older_than_five_seconds_is_unknown_again() -> None:
    scene = Scene()
    scene.say(0.1, "GPS_RAW_INT", fix_type=3, satellites_visible=9)
    scene.say(0.1, "SYS_STATUS", voltage_battery=15_000, battery_remaining=50)
    scene.beat(3.0)
    assert scene.position(5.0)["satellites"] == 9
    (row,) = scene.position(5.2)
    assert (row["satellites"], row["fix"], row["battery_pct"]) == (UNKNOWN_I1, UNKNOWN_I1, UNKNOWN_I1)


def test_sentinels_become_unknown_and_never_zero() -> None:
    scene = Scene()
    scene.say(0.1, "GPS_RAW_INT", fix_type=3, satellites_visible=255)
    scene.say(0.1, "BATTERY_STATUS", battery_remaining=-1)
    (row,) = scene.position(0.2, hdg=65_535, alt=2_147_483_647, vx=0, vy=0)
    assert row["heading_ddeg"] == UNKNOWN_I2
    assert row["course_ddeg"] == UNKNOWN_I2
    assert row["alt_msl_dm"] == UNKNOWN_I4
    assert (row["satellites"], row["battery_pct"], row["accuracy_dm"]) == (UNKNOWN_I1, UNKNOWN_I1, UNKNOWN_I2)


def test_the_nose_comes_from_attitude_where_the_position_does_not_tell_it() -> None:
    scene = Scene()
    scene.say(0.1, "ATTITUDE", time_boot_ms=100_100, yaw=-math.pi / 2)
    (row,) = scene.position(0.2, hdg=65_535, vx=0, vy=500)
    assert (row["heading_ddeg"], row["course_ddeg"]) == (2700, 900)


def test_zero_zero_is_no_position_and_is_counted() -> None:
    scene = Scene()
    frame = scene.drone.position(START_US, lat=0, lon=0)
    output = scene.decoder.feed(frame, START_US)
    assert len(output.batch) == 0
    assert output.bad == {"position_unknown": 1}


def test_the_receivers_own_fix_counts_only_after_three_seconds_without_a_better_source() -> None:
    scene = Scene()
    scene.position(0.1)
    assert len(scene.say(1.0, "GPS_RAW_INT", fix_type=3, **SKY)) == 0
    scene.beat(2.0)
    (row,) = scene.say(3.5, "GPS_RAW_INT", fix_type=3, **SKY)
    assert row["quality"] & Quality.SECONDARY
    assert (row["lat_e7"], row["alt_msl_dm"], row["speed_cmps"], row["course_ddeg"]) == (360_600_100, 16_010, 990, 451)
    assert len(scene.say(3.6, "GPS_RAW_INT", fix_type=2, **SKY)) == 0
    scene.position(4.0)
    assert len(scene.say(4.2, "GPS_RAW_INT", fix_type=3, **SKY)) == 0


def test_lesser_sources_stand_in_by_their_rank() -> None:
    scene = Scene()
    scene.position(0.0)
    utm = {"lat": 360_600_200, "lon": 1_038_300_200, "relative_alt": 30_000, "alt": 1_550_000, "flags": 4 | 8 | 16}
    drone_id = {"latitude": 360_600_300, "longitude": 1_038_300_300, "height": 25.0, "direction": 9_000}
    scene.beat(2.0)
    (row,) = scene.say(3.5, "OPEN_DRONE_ID_LOCATION", **drone_id, speed_horizontal=500, horizontal_accuracy=11)
    assert (row["lat_e7"], row["alt_home_dm"], row["course_ddeg"], row["accuracy_dm"]) == (360_600_300, 250, 900, 30)
    assert row["quality"] & Quality.TIME_OF_ARRIVAL
    (row,) = scene.say(3.6, "UTM_GLOBAL_POSITION", **utm)
    assert (row["lat_e7"], row["alt_home_dm"], row["alt_hae_dm"]) == (360_600_200, 300, 15_500)
    assert row["speed_cmps"] == UNKNOWN_I2
    assert len(scene.say(4.0, "OPEN_DRONE_ID_LOCATION", **drone_id)) == 0
    assert len(scene.say(4.0, "GPS_RAW_INT", fix_type=3, **SKY)) == 1
    assert len(scene.say(4.1, "UTM_GLOBAL_POSITION", **utm)) == 0


def test_a_receiver_without_a_fix_marks_the_position() -> None:
    scene = Scene()
    scene.say(0.1, "GPS_RAW_INT", fix_type=1, satellites_visible=3, h_acc=900_000)
    (row,) = scene.position(0.2)
    assert row["quality"] & Quality.NO_FIX
    assert row["quality"] & Quality.INACCURATE
    assert row["fix"] == 0


def test_a_velocity_beyond_the_column_is_cut_and_marked() -> None:
    (row,) = Scene().position(0.1, vx=32_767, vy=32_767, vz=-32_768)
    assert (row["speed_cmps"], row["climb_cmps"]) == (32_767, 32_767)
    assert row["quality"] & Quality.SATURATED


def test_a_battery_at_zero_without_voltage_is_a_battery_that_is_not_measured() -> None:
    scene = Scene()
    scene.say(0.1, "SYS_STATUS", voltage_battery=0, battery_remaining=0)
    assert scene.position(0.2)["battery_pct"] == UNKNOWN_I1
    scene.say(0.3, "SYS_STATUS", voltage_battery=10_500, battery_remaining=0)
    assert scene.position(0.4)["battery_pct"] == 0


def test_one_fix_has_one_hash_in_both_ways_of_decoding() -> None:
    rng = np.random.default_rng(5)
    batch = new_batch(500)
    batch["lat_e7"] = rng.integers(-900_000_000, 900_000_000, 500)
    batch["lon_e7"] = rng.integers(-1_800_000_000, 1_800_000_000, 500)
    hash_fixes(batch)
    assert [hash_of_fix(int(row["lat_e7"]), int(row["lon_e7"])) for row in batch] == batch["fix_hash"].tolist()


@pytest.mark.parametrize(("cdeg", "ddeg"), [(0, 0), (35_996, 0), (35_994, 3599), (4_505, 451), (65_535, UNKNOWN_I2)])
def test_angles_round_and_wrap(cdeg: int, ddeg: int) -> None:
    assert tenths_of_degree(cdeg) == ddeg


def test_fixes_and_places_have_their_limits() -> None:
    assert [fix_of(kind) for kind in range(9)] == [0, 0, 2, 3, 4, 5, 6, 6, 6]
    assert is_place(0, 1)
    assert not is_place(0, 0)
    assert not is_place(900_000_001, 0)


@pytest.mark.parametrize(
    ("autopilot", "kind", "base", "custom", "name"),
    [
        (3, 2, 209, 4, "GUIDED"),
        (3, 13, 209, 21, "SMART_RTL"),
        (3, 1, 209, 10, "AUTO"),
        (3, 20, 209, 19, "QLOITER"),
        (3, 10, 209, 4, "HOLD"),
        (3, 12, 209, 19, "MANUAL"),
        (3, 2, 209, 99, "MODE(99)"),
        (12, 2, 209, 3 << 16, "POSCTL"),
        (12, 2, 209, 3 << 16 | 1 << 24, "POSCTL.ORBIT"),
        (12, 2, 209, 4 << 16 | 4 << 24, "AUTO.MISSION"),
        (12, 2, 209, 4 << 16 | 77 << 24, "MODE(1292107776)"),
        (12, 2, 209, 0, "MODE(0)"),
        (4, 2, 65, 0, "MANUAL"),
        (4, 2, 9, 0, "GUIDED"),
        (4, 2, 0, 0, "MODE(0)"),
        (0, 2, 1, 7, "MODE(7)"),
    ],
)
def test_modes_have_the_firmwares_own_names(autopilot: int, kind: int, base: int, custom: int, name: str) -> None:
    assert mode_name(autopilot, kind, base, custom) == name
