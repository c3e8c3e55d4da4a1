"""A .tlog file: what a ground station recorded, MAVLink frames each behind the time of its arrival."""

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from telemetry.model.batch import Batch, Quality
from telemetry.model.errors import FileFormatError
from telemetry.sources.mavlink.block import Tlog, parse_tlog
from telemetry.sources.mavlink.columns import Recorded, autopilots, recorded_positions
from telemetry.sources.mavlink.tables import enum_name

LARGEST_BYTES: Final = 4 << 30


class RecordedUnit(NamedTuple):
    """One vehicle of a recording: `kind` is its MAV_TYPE in lower case, the times are of its first and last frame."""

    system_id: int
    kind: str
    first_us: int
    last_us: int
    positions: Recorded


class Recording(NamedTuple):
    """A whole .tlog: frames, their stamps and the vehicles in it, by system id."""

    tlog: Tlog
    units: tuple[RecordedUnit, ...]

    @property
    def first_us(self) -> int:
        """Return the stamp of the first frame (UTC microseconds)."""
        return int(self.tlog.stamp_us.min())

    @property
    def last_us(self) -> int:
        """Return the stamp of the last frame (UTC microseconds)."""
        return int(self.tlog.stamp_us.max())


def read_bytes(path: Path) -> bytes:
    """Return a recording's bytes. Raises FileFormatError, with what to do, for what cannot be read or is no .tlog."""
    if path.is_dir():
        raise FileFormatError(f"{path} is a folder: name one .tlog file in it")
    try:
        size_bytes = path.stat().st_size
        if not path.is_file():
            raise FileFormatError(f"{path} is no ordinary file: name a .tlog file")
        if size_bytes > LARGEST_BYTES:
            raise FileFormatError(
                f"{path} has {size_bytes} bytes, at most {LARGEST_BYTES} are read at once: split it at a record"
            )
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise FileFormatError(f"{path} does not exist: check its name") from error
    except PermissionError as error:
        raise FileFormatError(f"{path} may not be read: give this account the right to read it") from error
    except OSError as error:
        raise FileFormatError(f"{path} cannot be read: {error.strerror}") from error
    if not data:
        raise FileFormatError(f"{path} is empty: a .tlog begins with 8 bytes of time and a MAVLink frame")
    return data


def parse(data: bytes, name: str) -> Tlog:
    """Return the frames of a recording's bytes. Raises FileFormatError where there are none."""
    try:
        tlog = parse_tlog(data)
    except FileFormatError as error:
        raise FileFormatError(f"{name}: {error}") from error
    if not len(tlog.block):
        raise FileFormatError(
            f"{name} holds no MAVLink frame in {len(data)} bytes: give a .tlog of a ground station "
            "(DataFlash .bin and .log files are another format)"
        )
    return tlog


def load(path: Path) -> Tlog:
    """Return the frames of a .tlog file with their stamps. Raises FileFormatError, with what to do."""
    return parse(read_bytes(path), str(path))


def survey(tlog: Tlog) -> Recording:
    """Return the recording with its vehicles; their rows bear device_id 0 until `batch_of` says whose they are."""
    return Recording(tlog, tuple(_unit(tlog, system_id, kind) for system_id, kind in autopilots(tlog).items()))


def _unit(tlog: Tlog, system_id: int, kind: int) -> RecordedUnit:
    stamps = tlog.stamp_us[tlog.block.system_id == system_id]
    recorded = recorded_positions(tlog, system_id, 0, quality=int(Quality.REPLAYED))
    name = enum_name("MAV_TYPE", kind) or f"type_{kind}"
    return RecordedUnit(system_id, name.lower(), int(np.min(stamps)), int(np.max(stamps)), recorded)


def batch_of(unit: RecordedUnit, device_id: int) -> Batch:
    """Return a vehicle's positions as those of a device."""
    batch = unit.positions.batch.copy()
    batch["device_id"] = device_id
    return batch
