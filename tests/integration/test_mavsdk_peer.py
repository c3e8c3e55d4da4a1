"""An autopilot that nobody here wrote: MAVSDK's own server components fly into our bridge over a real socket."""

import asyncio
import sys
from pathlib import Path
from typing import Final

import pytest

from infra.clock import SYSTEM_CLOCK
from infra.journal import Journal
from infra.settings import Settings
from telemetry.bridge import Bridge
from telemetry.links.udp import UdpLink
from telemetry.model.batch import unknown_of
from telemetry.model.unit import Assignment, Device, DutyStatus, Service, Unit, UnitKind
from telemetry.model.unit_state import UnitBit
from telemetry.registry.table import RegistryContents, RegistryTable

HAWK: Final = Unit(unit_id=7, call_sign="Hawk 7", kind=UnitKind.DRONE, service=Service.AIR, duty_status=DutyStatus.FREE)
AUTOPILOT: Final = """
import sys, time
from mavsdk import ComponentType, Configuration, Mavsdk
from mavsdk.plugins.telemetry_server import GpsInfo, Heading, LandedState, Position, RawGps, TelemetryServer, VelocityNed, VtolState

sdk = Mavsdk(Configuration.create_with_component_type(ComponentType.AUTOPILOT))
sdk.add_any_connection(f"udpout://127.0.0.1:{sys.argv[1]}")
telemetry = TelemetryServer(sdk.server_component_by_type(ComponentType.AUTOPILOT))
for turn in range(300):
    telemetry.publish_position(
        Position(36.06 + turn * 1e-5, 103.83, 1560.0, 42.5), VelocityNed(3.0, 4.0, -1.5), Heading(123.4)
    )
    telemetry.publish_extended_sys_state(VtolState.UNDEFINED, LandedState.IN_AIR)
    time.sleep(0.1)
"""


def registry() -> RegistryTable:
    return RegistryTable(
        RegistryContents(
            units=(HAWK,),
            devices=(Device(device_id=1, protocol="mavlink", address="main/1"),),
            assignments=(Assignment(device_id=1, unit_id=HAWK.unit_id, started_us=0),),
        )
    )


async def test_mavsdks_autopilot_is_discovered_and_its_values_arrive_in_our_units(tmp_path: Path) -> None:
    pytest.importorskip("mavsdk", reason="MAVSDK IS NOT INSTALLED: its autopilot cannot fly into our bridge")
    settings = Settings(data_dir=tmp_path, ingest_port=0, mavlink_links="udpin:127.0.0.1:0")
    journal = Journal.open(tmp_path / "journal")
    bridge = Bridge(registry(), journal, SYSTEM_CLOCK, settings)
    await bridge.start()
    running = asyncio.create_task(bridge.run())
    port = next(link.port for link in bridge.links if isinstance(link, UdpLink))
    autopilot = await asyncio.create_subprocess_exec(sys.executable, "-c", AUTOPILOT, str(port))
    try:
        for _ in range(500):
            if _is_flying(bridge):
                break
            await asyncio.sleep(0.05)
        row = bridge.picture.units[bridge.picture.row_of(HAWK.unit_id)]
        assert 360_600_000 <= row["lat_e7"] < 360_900_000
        assert row["lon_e7"] == pytest.approx(1_038_300_000, abs=1)
        assert (row["alt_msl_dm"], row["alt_home_dm"]) == (15_600, 425)
        assert (row["speed_cmps"], row["climb_cmps"]) == (500, 150)
        assert row["heading_ddeg"] == pytest.approx(1234, abs=1)
        assert row["course_ddeg"] == pytest.approx(531, abs=1)
        assert row["battery_pct"] == unknown_of("battery_pct")
    finally:
        autopilot.kill()
        await autopilot.wait()
        running.cancel()
        await asyncio.wait((running,))
        await asyncio.to_thread(journal.close)


def _is_flying(bridge: Bridge) -> bool:
    row = bridge.picture.units[bridge.picture.row_of(HAWK.unit_id)]
    return bool(row["observed_us"]) and bool(row["state"] & UnitBit.AIRBORNE)
