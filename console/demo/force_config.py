"""What the demo force's process is told, and how it is started."""

import asyncio
import sys
from pathlib import Path

import msgspec

from console.demo.crews import CITY_UTC_OFFSET_S, Watch
from console.demo.force_plan import ForcePlan
from telemetry.model.unit import UnitKind


class ForceUnit(msgspec.Struct, frozen=True, kw_only=True):
    """One unit as the force's process knows it; `secret` is a phone's token or a MAVLink key in hexadecimal."""

    call_sign: str
    kind: UnitKind
    dialect: str
    secret: str
    interval_s: float
    lat_deg: float
    lon_deg: float
    system_id: int = 0
    watches: tuple[Watch, ...] = (Watch.DAY, Watch.NIGHT)
    answers: bool = False

    def __repr__(self) -> str:
        """Hide the secret."""
        return f"ForceUnit(call_sign={self.call_sign!r})"


class ForceConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the process is told: the seed, the city's roads and clock (s ahead of UTC), where to report, and its units."""

    seed: int
    roads: str
    mavlink_host: str
    mavlink_port: int
    ingest_host: str
    ingest_port: int
    units: tuple[ForceUnit, ...]
    city_offset_s: float = float(CITY_UTC_OFFSET_S)


def config_of(
    plan: ForcePlan,
    secrets: dict[str, str],
    *,
    seed: int,
    roads: Path,
    mavlink: tuple[str, int],
    ingest: tuple[str, int],
    city_offset_s: float = float(CITY_UTC_OFFSET_S),
) -> ForceConfig:
    """Return the configuration of a planned force whose secrets `install` gave; addresses are (host, port)."""
    units = tuple(
        ForceUnit(
            call_sign=unit.call_sign,
            kind=unit.kind,
            dialect=unit.dialect,
            secret=secrets[unit.call_sign],
            interval_s=unit.report_interval_s,
            lat_deg=unit.base_lat_deg,
            lon_deg=unit.base_lon_deg,
            system_id=unit.system_id,
            watches=unit.watches,
            answers=unit.answers,
        )
        for unit in plan.units
    )
    return ForceConfig(
        seed=seed,
        roads=str(roads),
        mavlink_host=mavlink[0],
        mavlink_port=mavlink[1],
        ingest_host=ingest[0],
        ingest_port=ingest[1],
        city_offset_s=city_offset_s,
        units=units,
    )


async def start_force(config: ForceConfig) -> asyncio.subprocess.Process:
    """Start the force's process; read its counts from `stdout`, close its `stdin` (or send SIGTERM) to end it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "console.demo.force"), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(config) + b"\n")
    await process.stdin.drain()
    return process
