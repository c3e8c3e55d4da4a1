"""What each recorded log says, frame by frame and in bulk, against figures found with pymavlink and by reading."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from telemetry.history.importer import read_flight, report_of
from telemetry.model.batch import REPORT, Quality, as_columns
from telemetry.model.events import ModeChanged
from telemetry.sources.mavlink import MavlinkDecoder
from telemetry.sources.mavlink.columns import autopilots, recorded_positions
from tests.mavlink_scene import Heard, log, play, registry_of

pytestmark = pytest.mark.shared_data


class Figures(NamedTuple):
    """What an import prints of one log."""

    good: int
    bad: int
    skipped: int
    positions: int
    unknown: int
    reboots: int
    kind: str


LOGS = {
    "ahmadkhanfar_test": Figures(10_277, 0, 0, 256, 12, 0, "quadrotor"),
    "dronekit_flight_replay": Figures(75_477, 1_315, 17_093, 2_684, 149, 1, "quadrotor"),
    "dvd_attack_mavlink_flood": Figures(25_755, 0, 0, 161, 0, 0, "quadrotor"),
    "dvd_attack_mission_request_flood": Figures(13_144, 0, 0, 167, 0, 0, "quadrotor"),
    "dvd_baseline": Figures(5_393, 0, 0, 57, 0, 0, "quadrotor"),
    "phoenix_mission1_2018-09-17": Figures(29_475, 0, 0, 772, 10, 1, "quadrotor"),
    "uavlogviewer_vtol": Figures(23_894, 0, 0, 807, 0, 0, "fixed_wing"),
}


def decoded(test_data: Path, name: str) -> Heard:
    decoder = MavlinkDecoder(registry_of(1, 51, 255), "g", allow_unsigned=True, replayed=True)
    return play(decoder, log(test_data, name))


@pytest.mark.parametrize("name", LOGS)
def test_an_import_prints_what_the_log_holds(name: str, test_data: Path) -> None:
    report = report_of(read_flight(test_data / "mavlink" / f"{name}.tlog"))
    (unit,) = report.units
    assert LOGS[name] == (
        report.frames_good,
        report.frames_bad,
        report.bytes_skipped,
        report.positions,
        report.positions_unknown,
        report.reboots,
        unit.kind,
    )
    assert (unit.system_id, unit.positions, report.positions_new) == (1, report.positions, None)


def test_first_and_last_frame_of_a_unit_are_its_own_in_utc(test_data: Path) -> None:
    (unit,) = report_of(read_flight(test_data / "mavlink" / "dronekit_flight_replay.tlog")).units
    assert (unit.first_at, unit.last_at) == ("2015-07-05T00:26:43.484796Z", "2015-07-05T00:44:15.329844Z")


@pytest.mark.parametrize("name", LOGS)
def test_frame_by_frame_and_in_bulk_give_the_same_rows(name: str, test_data: Path) -> None:
    tlog = log(test_data, name)
    bulk = recorded_positions(tlog, 1, 1, quality=int(Quality.REPLAYED | Quality.UNSIGNED)).batch
    scalar = decoded(test_data, name).batch
    best = scalar[(scalar["quality"] & int(Quality.SECONDARY)) == 0]
    # beside a few that the identity guard held off
    heartbeats = tlog.block.of("HEARTBEAT")
    discovered_us = int(tlog.stamp_us[heartbeats.index[heartbeats.rows["autopilot"] == 3][0]])
    shared, of_bulk, of_scalar = np.intersect1d(bulk["received_us"], best["received_us"], return_indices=True)
    assert len(shared) >= 0.95 * np.count_nonzero(bulk["received_us"] > discovered_us)
    if len(best) == len(bulk):
        assert bulk.tobytes() == best.tobytes()
        return
    for column in ("lat_e7", "lon_e7", "alt_msl_dm", "alt_home_dm", "speed_cmps", "course_ddeg", "fix_hash"):
        assert np.array_equal(bulk[column][of_bulk], best[column][of_scalar]), column


@pytest.mark.parametrize(("name", "reboots"), [(name, figures.reboots) for name, figures in LOGS.items()])
def test_a_reboot_begins_one_epoch_and_is_told(name: str, reboots: int, test_data: Path) -> None:
    assert len(decoded(test_data, name).of("rebooted")) == reboots


@pytest.mark.parametrize(
    "name", ["ahmadkhanfar_test", "dronekit_flight_replay", "phoenix_mission1_2018-09-17", "uavlogviewer_vtol"]
)
def test_no_honest_vehicle_is_taken_for_two(name: str, test_data: Path) -> None:
    heard = decoded(test_data, name)
    assert heard.of("identity_conflict") == []
    assert "second_speaker" not in heard.bad


def test_only_the_autopilot_is_a_vehicle_not_radio_nor_ground_station(test_data: Path) -> None:
    tlog = log(test_data, "dronekit_flight_replay")
    registry = registry_of(1, 51, 255)
    decoder = MavlinkDecoder(registry, "g", allow_unsigned=True)
    play(decoder, tlog)
    assert [vehicle.system_id for vehicle in decoder.network.vehicles()] == [1]
    assert list(autopilots(tlog)) == [1]


def test_the_stamp_on_a_radio_with_seconds_of_lag_is_right_within_three_tenths(test_data: Path) -> None:
    tlog = log(test_data, "dronekit_flight_replay")
    positions = tlog.block.of("GLOBAL_POSITION_INT")
    boot_us = positions.rows["time_boot_ms"].astype(np.int64) * 1000
    arrival_us = tlog.stamp_us[positions.index]
    offset_us = arrival_us - boot_us
    is_second = np.arange(len(boot_us)) >= int(np.argmax(np.diff(boot_us) < -10_000_000)) + 1
    truth_us = boot_us + np.where(
        is_second, np.percentile(offset_us[is_second], 1), np.percentile(offset_us[~is_second], 1)
    )
    batch = recorded_positions(tlog, 1, 1).batch
    mine = np.isin(arrival_us, batch["received_us"])
    error_s = np.abs(batch["observed_us"] - truth_us[mine]) / 1e6
    by_arrival_s = np.abs(arrival_us - truth_us)[mine] / 1e6
    assert np.percentile(error_s, 99) <= 0.3
    assert np.percentile(by_arrival_s, 99) > 0.7


def test_modes_and_missions_of_a_real_flight_are_told_in_order(test_data: Path) -> None:
    heard = decoded(test_data, "phoenix_mission1_2018-09-17")
    modes = [event.mode for event in heard.events if isinstance(event, ModeChanged)]
    assert modes[:4] == ["STABILIZE", "LOITER", "AUTO", "STABILIZE"]
    reached = [event for event in heard.of("mission_progress") if getattr(event, "reached", False)]
    assert len(reached) == 16
    landed = [event.landed.value for event in heard.events if hasattr(event, "landed")]
    assert landed == ["on_ground", *["in_air", "on_ground"] * 5]


@pytest.mark.parametrize("name", LOGS)
def test_rows_bear_what_the_message_said(name: str, test_data: Path) -> None:
    tlog = log(test_data, name)
    batch = recorded_positions(tlog, 1, 9).batch
    told = tlog.block.of("GLOBAL_POSITION_INT").rows
    told = told[(told["lat"] != 0) | (told["lon"] != 0)]
    assert batch.dtype == REPORT
    assert np.array_equal(batch["lat_e7"], told["lat"])
    assert np.array_equal(batch["lon_e7"], told["lon"])
    assert np.max(np.abs(batch["alt_msl_dm"] * 100 - told["alt"])) <= 50
    assert np.array_equal(batch["climb_cmps"], -told["vz"])
    assert (batch["device_id"] == 9).all()
    assert None not in as_columns(batch)["alt_home_dm"]
    assert (batch["observed_us"] <= batch["received_us"] + 1000).all()
