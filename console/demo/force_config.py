"""What the demo force's process is told, and how it is started."""

import asyncio
import sys
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from console.demo.crews import CITY_UTC_OFFSET_S, Watch
from console.demo.force_plan import ForcePlan
from telemetry.model.unit import UnitKind

SIP_REALM: Final = "6201020000"
SIP_ID: Final = "62010200002000000001"
DEMO_LINKS: Final = f"jt808+tcpin:127.0.0.1:0,gb28181+udpin:127.0.0.1:0?realm={SIP_REALM}&id={SIP_ID}"
"""What the demo opens for its vehicles and bodycams, on free ports of this machine alone."""


class ForceUnit(msgspec.Struct, frozen=True, kw_only=True):
    """One unit as the force's process knows it; `secret` is a phone's token or a MAVLink key in hexadecimal.

    A vehicle's terminal needs none: it registers and is told its code. `bodycam_secret` is the password of the bodycam.
    """

    call_sign: str
    kind: UnitKind
    dialect: str
    secret: str
    interval_s: float
    lat_deg: float
    lon_deg: float
    system_id: int = 0
    terminal_phone: str = ""
    bodycam_id: str = ""
    bodycam_secret: str = ""
    watches: tuple[Watch, ...] = (Watch.DAY, Watch.NIGHT)
    answers: bool = False

    def __repr__(self) -> str:
        """Hide the secret."""
        return f"ForceUnit(call_sign={self.call_sign!r})"


class Doors(NamedTuple):
    """Where the force reports to, each as (host, port)."""

    mavlink: tuple[str, int]
    ingest: tuple[str, int]
    jt808: tuple[str, int]
    sip: tuple[str, int]


class ForceConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the process is told: the seed, the city's roads and clock (s ahead of UTC), where to report, and its units.

    `sip_realm` and `sip_id` are those of the GB/T 28181 server; `practice` is where a ground station listens, (host, port),
    that one more drone calls, which has no key and is none of the force.
    """

    seed: int
    roads: str
    doors: Doors
    units: tuple[ForceUnit, ...]
    sip_realm: str = SIP_REALM
    sip_id: str = SIP_ID
    city_offset_s: float = float(CITY_UTC_OFFSET_S)
    practice: tuple[str, int] | None = None


def config_of(
    plan: ForcePlan,
    secrets: dict[str, str],
    *,
    seed: int,
    roads: Path,
    doors: Doors,
    city_offset_s: float = float(CITY_UTC_OFFSET_S),
    practice: tuple[str, int] | None = None,
) -> ForceConfig:
    """Return the configuration of a planned force whose secrets, by device label, `install` gave."""
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
            terminal_phone=unit.terminal_phone,
            bodycam_id=unit.bodycam_id,
            bodycam_secret=secrets[unit.bodycam_label] if unit.bodycam_id else "",
            watches=unit.watches,
            answers=unit.answers,
        )
        for unit in plan.units
    )
    return ForceConfig(
        seed=seed,
        roads=str(roads),
        doors=doors,
        city_offset_s=city_offset_s,
        units=units,
        practice=practice,
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
