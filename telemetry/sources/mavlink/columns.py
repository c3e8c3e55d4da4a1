"""The bulk form of vehicle and fusion: a recording's positions as one batch, the same rows that frame by frame gives."""

import math
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from telemetry.model.batch import (
    FIX_NONE,
    FIX_RTK_FIXED,
    UNKNOWN_I1,
    UNKNOWN_I2,
    UNKNOWN_I4,
    Batch,
    Quality,
    hash_fixes,
    new_batch,
)
from telemetry.model.events import Rebooted
from telemetry.sources.mavlink.block import Columns, Tlog
from telemetry.sources.mavlink.boot_clock import UTC_KNOWN_US, BootClock
from telemetry.sources.mavlink.fusion import (
    FULL_PCT,
    HIGHEST_I1,
    INACCURATE_DM,
    JOIN_US,
    NO_SATELLITES,
)
from telemetry.sources.mavlink.members import NO_AUTOPILOT, NOT_AUTOPILOTS, NOT_VEHICLES
from telemetry.sources.mavlink.secondary import COURSE_FROM_CMPS, HIGHEST_I2, NO_ALTITUDE, NO_ANGLE
from telemetry.sources.mavlink.vehicle import HIGHEST_YAW

Ints = NDArray[np.int64]
TENTHS_PER_RADIAN: Final = 1800.0 / math.pi
POSITION: Final = "GLOBAL_POSITION_INT"


class Ints64(Protocol):
    """Rows of one message, asked by field."""

    def ints(self, field: str) -> Ints:
        """Return one field as 64-bit integers."""


class Recorded(NamedTuple):
    """The positions of one system in a recording, in the order they were recorded.

    `unknown_count` are those at 0/0; `reboots` are the boots after the first.
    """

    batch: Batch
    unknown_count: int
    reboots: tuple[Rebooted, ...]


def autopilots(tlog: Tlog) -> dict[int, int]:
    """Return system id -> MAV_TYPE of every system whose real autopilot announces itself, by its first HEARTBEAT."""
    found: dict[int, tuple[int, int]] = {}
    for name in ("HEARTBEAT", "HIGH_LATENCY2"):
        columns = tlog.block.of(name)
        kinds = columns.rows["type"]
        real = (columns.rows["autopilot"] != NO_AUTOPILOT) & ~np.isin(kinds, list(NOT_VEHICLES))
        real &= ~np.isin(columns.component_id, list(NOT_AUTOPILOTS))
        systems, first = np.unique(columns.system_id[real], return_index=True)
        for system_id, number in zip(systems.tolist(), np.flatnonzero(real)[first].tolist(), strict=True):
            seen = (int(columns.index[number]), int(kinds[number]))
            found[system_id] = min(found.get(system_id, seen), seen)
    return {system_id: kind for system_id, (_, kind) in sorted(found.items())}


def recorded_positions(tlog: Tlog, system_id: int, device_id: int, *, quality: int = 0) -> Recorded:
    """Return the positions of one system; `quality` is set in every row.

    Cost: the columns are joined at once; only the boot clock goes through its samples one by one.
    """
    positions = _Samples(tlog, POSITION, system_id)
    observed_us, estimated, reboots = _observed(tlog, positions, system_id, device_id)
    lat_e7, lon_e7 = positions.ints("lat"), positions.ints("lon")
    known = ((lat_e7 != 0) | (lon_e7 != 0)) & (np.abs(lat_e7) <= 900_000_000) & (np.abs(lon_e7) <= 1_800_000_000)
    batch = new_batch(len(positions.index))
    batch["device_id"] = device_id
    batch["observed_us"] = observed_us
    batch["received_us"] = positions.received_us
    batch["lat_e7"], batch["lon_e7"] = lat_e7, lon_e7
    batch["quality"] = quality | np.where(estimated, int(Quality.TIME_ESTIMATED), 0)
    put_altitudes(batch, positions)
    put_motion(batch, positions)
    _put_heading(batch, positions, _Samples(tlog, "ATTITUDE", system_id))
    _put_sky(batch, positions, _Samples(tlog, "GPS_RAW_INT", system_id))
    _put_battery(batch, positions, tlog, system_id)
    hash_fixes(batch)
    return Recorded(batch[known], int(np.count_nonzero(~known)), reboots)


class _Samples:
    """The frames of one message of one system, with their arrival."""

    def __init__(self, tlog: Tlog, name: str, system_id: int) -> None:
        columns: Columns = tlog.block.of(name)
        mine = columns.system_id == system_id
        self.index = columns.index[mine]
        self.rows = columns.rows[mine]
        self.received_us: Ints = tlog.stamp_us[self.index]

    def ints(self, field: str) -> Ints:
        """Return one field as 64-bit integers."""
        values: Ints = self.rows[field].astype(np.int64)
        return values

    def keep(self, chosen: NDArray[np.bool_]) -> None:
        """Keep only some of the frames."""
        self.index, self.rows, self.received_us = self.index[chosen], self.rows[chosen], self.received_us[chosen]

    def newest_at(self, others: "_Samples") -> tuple[Ints, NDArray[np.bool_]]:
        """Return for each of `others` which of ours came last before it, and whether that is recent enough to join."""
        place = np.searchsorted(self.index, others.index) - 1
        if not len(self.index):
            return place, np.zeros(len(place), np.bool_)
        recent = (place >= 0) & (others.received_us - self.received_us[place] <= JOIN_US)
        return place, recent


def _observed(
    tlog: Tlog, positions: _Samples, system_id: int, device_id: int
) -> tuple[Ints, NDArray[np.bool_], tuple[Rebooted, ...]]:
    """Run the boot clock over every message that bears it; return times and whether they are estimates."""
    attitudes = _Samples(tlog, "ATTITUDE", system_id)
    times = _Samples(tlog, "SYSTEM_TIME", system_id)
    kinds = (attitudes, times, positions)
    boot_ms = np.concatenate([samples.ints("time_boot_ms") for samples in kinds])
    received_us = np.concatenate([samples.received_us for samples in kinds])
    nothing = np.full(len(attitudes.index), -1, np.int64)
    told_us = np.where(times.rows["time_unix_usec"] < 1 << 62, times.rows["time_unix_usec"], 0).astype(np.int64)
    unix_us = np.concatenate([nothing, told_us, np.full(len(positions.index), -1, np.int64)])
    order = np.argsort(np.concatenate([samples.index for samples in kinds]), kind="stable")
    clock = BootClock()
    stamps: list[tuple[int, bool]] = []
    reboots: list[Rebooted] = []
    for boot, received, unix in zip(
        boot_ms[order].tolist(), received_us[order].tolist(), unix_us[order].tolist(), strict=True
    ):
        if unix < 0:
            stamp = clock.stamp(boot, received)
        else:
            stamp = clock.system_time(unix if unix > UTC_KNOWN_US else 0, boot, received)
        stamps.append((stamp.observed_us, stamp.estimated))
        if stamp.fell_back_ms:
            reboots.append(
                Rebooted(
                    device_id=device_id,
                    observed_us=received,
                    received_us=received,
                    epoch=stamp.epoch,
                    fell_back_s=stamp.fell_back_ms / 1000.0,
                )
            )
    result = np.empty((len(order), 2), np.int64)
    result[order] = np.array(stamps, np.int64).reshape(-1, 2)
    mine = result[len(order) - len(positions.index) :]
    return mine[:, 0], mine[:, 1].astype(np.bool_), tuple(reboots)


def put_altitudes(batch: Batch, positions: Ints64) -> None:
    """Fill in the altitudes of GLOBAL_POSITION_INTs."""
    batch["alt_msl_dm"] = _decimetres(positions.ints("alt"))
    batch["alt_home_dm"] = _decimetres(positions.ints("relative_alt"))


def _decimetres(millimetres: Ints) -> Ints:
    return np.where(millimetres == NO_ALTITUDE, UNKNOWN_I4, (millimetres + 50) // 100)


def put_motion(batch: Batch, positions: Ints64) -> None:
    """Fill in speed, climb and course of GLOBAL_POSITION_INTs; quality keeps what it has."""
    vx, vy, climb = positions.ints("vx"), positions.ints("vy"), -positions.ints("vz")
    speed = np.rint(np.sqrt((vx * vx + vy * vy).astype(np.float64))).astype(np.int64)
    course = np.rint(np.degrees(np.arctan2(vy, vx)) * 10.0).astype(np.int64) % 3600
    batch["speed_cmps"] = np.minimum(speed, HIGHEST_I2)
    batch["climb_cmps"] = np.minimum(climb, HIGHEST_I2)
    batch["course_ddeg"] = np.where(speed >= COURSE_FROM_CMPS, course, UNKNOWN_I2)
    batch["quality"] |= np.where((speed > HIGHEST_I2) | (climb > HIGHEST_I2), int(Quality.SATURATED), 0)


def _put_heading(batch: Batch, positions: _Samples, attitudes: _Samples) -> None:
    with np.errstate(invalid="ignore"):
        attitudes.keep(np.abs(attitudes.rows["yaw"]) <= HIGHEST_YAW)
    yaw = np.rint(attitudes.rows["yaw"].astype(np.float64) * TENTHS_PER_RADIAN).astype(np.int64) % 3600
    told = positions.ints("hdg")
    joined = _joined(yaw, attitudes, positions, UNKNOWN_I2)
    batch["heading_ddeg"] = np.where(told == NO_ANGLE, joined, (told + 5) // 10 % 3600)


def _put_sky(batch: Batch, positions: _Samples, skies: _Samples) -> None:
    satellites, accuracy_mm = skies.ints("satellites_visible"), skies.ints("h_acc")
    fix_type, hae_mm = skies.ints("fix_type"), skies.ints("alt_ellipsoid")
    fix = np.where(fix_type <= 1, FIX_NONE, np.minimum(fix_type, FIX_RTK_FIXED))
    accuracy = np.where(accuracy_mm != 0, np.minimum((accuracy_mm + 50) // 100, HIGHEST_I2), UNKNOWN_I2)
    seen = np.where(satellites == NO_SATELLITES, UNKNOWN_I1, np.minimum(satellites, HIGHEST_I1))
    hae = np.where(hae_mm != 0, _decimetres(hae_mm), UNKNOWN_I4)
    batch["fix"] = _joined(fix, skies, positions, UNKNOWN_I1)
    batch["accuracy_dm"] = _joined(accuracy, skies, positions, UNKNOWN_I2)
    batch["satellites"] = _joined(seen, skies, positions, UNKNOWN_I1)
    batch["alt_hae_dm"] = _joined(hae, skies, positions, UNKNOWN_I4)
    batch["quality"] |= np.where(batch["fix"] == FIX_NONE, int(Quality.NO_FIX), 0)
    batch["quality"] |= np.where(batch["accuracy_dm"] > INACCURATE_DM, int(Quality.INACCURATE), 0)


def _put_battery(batch: Batch, positions: _Samples, tlog: Tlog, system_id: int) -> None:
    batteries = _Samples(tlog, "BATTERY_STATUS", system_id)
    batteries.keep(batteries.rows["id"] == 0)
    charges = _Samples(tlog, "SYS_STATUS", system_id)
    dead = np.all(_no_voltage(batteries.rows["voltages"]), axis=1)
    first = _joined(_percent(batteries.ints("battery_remaining"), dead), batteries, positions, UNKNOWN_I1)
    dead = _no_voltage(charges.rows["voltage_battery"])
    second = _joined(_percent(charges.ints("battery_remaining"), dead), charges, positions, UNKNOWN_I1)
    batch["battery_pct"] = np.where(first == UNKNOWN_I1, second, first)


def _no_voltage(millivolts: NDArray[Any]) -> NDArray[np.bool_]:
    missing: NDArray[np.bool_] = (millivolts == 0) | (millivolts == NO_ANGLE)
    return missing


def _percent(told: Ints, dead: NDArray[np.bool_]) -> Ints:
    return np.where((told < 0) | (told > FULL_PCT) | ((told == 0) & dead), UNKNOWN_I1, told)


def _joined(values: Ints, samples: _Samples, positions: _Samples, unknown: int) -> Ints:
    """Return for each position the newest value that came before it, `unknown` where that is too old."""
    place, recent = samples.newest_at(positions)
    if not len(values):
        return np.full(len(place), unknown, np.int64)
    return np.where(recent, values[place], unknown)
