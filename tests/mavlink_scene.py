"""A MAVLink vehicle made of our own encoder, and a registry, for tests that need a live drone."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from telemetry.model.batch import Batch, concatenate
from telemetry.model.decoding import Output
from telemetry.model.events import AnyEvent, kind_of
from telemetry.model.unit import Device
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.sources.mavlink import MavlinkDecoder
from telemetry.sources.mavlink.block import Tlog
from telemetry.sources.mavlink.frame import Value, encode
from telemetry.sources.mavlink.signing import Signer
from telemetry.sources.tlog import load

START_US = 1_790_000_000_000_000
KEY = bytes(range(32))


def registry_of(*system_ids: int, group: str = "g", keys: dict[int, bytes] | None = None) -> RegistryTable:
    """A registry in which each system id of the group is the device of the same number."""
    devices = tuple(Device(device_id=number, protocol="mavlink", address=f"{group}/{number}") for number in system_ids)
    return RegistryTable(RegistryContents(devices=devices, signing_keys=keys or {}))


@dataclass
class Drone:
    """A quadrotor that flies north at 10 m/s; `frames_at` gives what it sends in one tick of 100 ms."""

    system_id: int = 1
    version: int = 2
    boot_us: int = START_US - 100_000_000
    signer: Signer | None = None
    sequence: int = 0
    sent: int = 0
    positions_sent: int = 0

    def frame(self, message: str | int, fields: dict[str, Value], *, component_id: int = 1) -> bytes:
        """One frame with the next sequence number."""
        self.sequence = (self.sequence + 1) & 255
        self.sent += 1
        return encode(
            message,
            fields,
            system_id=self.system_id,
            component_id=component_id,
            sequence=self.sequence,
            version=self.version,
            signer=self.signer,
        )

    def heartbeat(self, *, kind: int = 2, autopilot: int = 3, mode: int = 5, base_mode: int = 209) -> bytes:
        """A HEARTBEAT: an armed ArduCopter in LOITER unless said otherwise."""
        fields: dict[str, Value] = {"type": kind, "autopilot": autopilot, "custom_mode": mode, "base_mode": base_mode}
        return self.frame("HEARTBEAT", {**fields, "system_status": 4, "mavlink_version": 3})

    def position(self, now_us: int, **changes: Value) -> bytes:
        """A GLOBAL_POSITION_INT of this moment."""
        self.positions_sent += 1
        boot_ms = (now_us - self.boot_us) // 1000
        fields: dict[str, Value] = {
            "time_boot_ms": boot_ms,
            "lat": 360_600_000 + boot_ms,
            "lon": 1_038_300_000,
            "alt": 1_600_040,
            "relative_alt": 40_040,
            "vx": 1000,
            "vy": 0,
            "vz": -50,
            "hdg": 9_010,
        }
        return self.frame("GLOBAL_POSITION_INT", {**fields, **changes})

    def frames_at(self, tick: int, now_us: int) -> Iterator[bytes]:
        """What it sends in its tick-th tenth of a second."""
        if self.signer is not None:
            self.signer.advance(now_us)
        if tick % 10 == 0:
            yield self.heartbeat()
            yield self.frame("SYS_STATUS", {"voltage_battery": 15_000, "battery_remaining": 80})
            yield self.frame("GPS_RAW_INT", {"fix_type": 3, "satellites_visible": 14, "h_acc": 640})
        if tick % 2 == 0:
            yield self.position(now_us)
        yield self.frame("ATTITUDE", {"time_boot_ms": (now_us - self.boot_us) // 1000, "yaw": 1.5})


@dataclass
class Heard:
    """What a decoder gave, put together."""

    batches: list[Batch] = field(default_factory=list)
    events: list[AnyEvent] = field(default_factory=list)
    bad: dict[str, int] = field(default_factory=dict)

    def add(self, output: Output) -> Output:
        """Take an output in."""
        self.batches.append(output.batch)
        self.events += output.events
        for name, count in output.bad.items():
            self.bad[name] = self.bad.get(name, 0) + count
        return output

    @property
    def batch(self) -> Batch:
        """All rows."""
        return concatenate(self.batches)

    def of(self, kind: str) -> list[AnyEvent]:
        """The events of one kind."""
        return [event for event in self.events if kind_of(event) == kind]


def play(decoder: MavlinkDecoder, tlog: Tlog, *, shift_us: int = 0) -> Heard:
    """Feed a recording frame by frame as datagrams at their stamps, with ticks at 4 Hz."""
    heard = Heard()
    stamps = np.maximum.accumulate(tlog.stamp_us) + shift_us
    tick_us = int(stamps[0])
    for number, now_us in enumerate(stamps.tolist()):
        while tick_us < now_us:
            heard.add(decoder.tick(tick_us))
            tick_us += 250_000
        heard.add(decoder.feed(tlog.block.frame(number).raw, now_us))
    return heard


def log(test_data: Path, name: str) -> Tlog:
    """A recorded log by its name."""
    return load(test_data / "mavlink" / f"{name}.tlog")
