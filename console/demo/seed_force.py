"""The demo force's way into the registry: its lines, its secrets, and who is on duty in which watch."""

import asyncio
from collections.abc import Iterator
from typing import Final

import numpy as np
import psycopg

from console.demo.city import City
from console.demo.crew_plan import CALL_SIGNS, JT808, CrewPlanner
from console.demo.crews import Watch
from console.demo.force_places import place_lines
from console.demo.force_plan import ForcePlan, PlannedUnit
from infra.database import owner_connection
from infra.vault import Vault
from telemetry.model.errors import InputError
from telemetry.model.phone import PHONE_PROTOCOL
from telemetry.registry.enrolment import MAVLINK, rotate_device
from telemetry.registry.force_file import DeviceLine, ForceFile, ForceLine, UnitLine
from telemetry.registry.force_import import import_force
from telemetry.registry.store import QUERIES

STANDARD_UNITS: Final = 212
GB28181: Final = "gb28181"

_RETIRED: Final = """
    select unit_id, exists (select from public.account a where a.unit_id = u.unit_id)
        or exists (select from public.dispatch d where d.unit_id = u.unit_id) as remains
    from public.unit u where call_sign ~ %(ours)s::text and call_sign <> all(%(kept)s::text[])"""


def plan_force(city: City, *, unit_count: int = STANDARD_UNITS, seed: int = 1, watch: Watch = Watch.DAY) -> ForcePlan:
    """Return a force of `unit_count` units, drones included; the same for the same city, count and seed.

    Its lines put those of `watch` on duty.

    Raises InputError for fewer than 2 units or more than 20,000.
    """
    if not 2 <= unit_count <= 20_000:
        raise InputError(f"the demo force has 2 to 20000 units, not {unit_count}: give another --units")
    random = np.random.default_rng([seed, 11])
    units = CrewPlanner(city, random).units(unit_count)
    lines: list[ForceLine] = [*place_lines(city, random), *(_unit_line(unit, watch) for unit in units)]
    lines += [line for unit in units for line in _device_lines(unit)]
    return ForcePlan(lines=tuple(lines), units=tuple(units))


async def install(owner_url: str, vault: Vault, plan: ForcePlan, *, now_us: int) -> dict[str, str]:
    """Write the force into the registry and return each device's fresh secret by its label: a token, password, code or key.

    What is there already stays and gets a new secret, so that a demo can be started again. Raises DatabaseError,
    InputError when a line does not fit the registry, and ConflictError for a device that was revoked.
    """
    return await asyncio.to_thread(_install, owner_url, vault, plan, now_us)


def _install(owner_url: str, vault: Vault, plan: ForcePlan, now_us: int) -> dict[str, str]:
    with owner_connection(owner_url) as connection:
        force = ForceFile(plan.lines, ())
        report = import_force(connection, force, vault=vault, now_us=now_us)
        if report.problems:
            raise InputError(f"the demo force does not fit the registry: {report.problems[0].message}")
        _retire(connection, plan)
        secrets = {entry.issued.device.label: entry.issued.secret for entry in report.issued}
        for line in (line for line in plan.lines if isinstance(line, DeviceLine) and line.label not in secrets):
            query = "find_device_by_name" if line.address else "find_device_by_label"
            row = connection.execute(
                QUERIES[query], {"protocol": line.protocol, "address": line.address, "label": line.label}
            ).fetchone()
            assert row is not None
            secrets[line.label] = rotate_device(connection, row[0], vault=vault, now_us=now_us).secret
    return {label: secret for label, secret in secrets.items() if secret}


def _retire(connection: psycopg.Connection, plan: ForcePlan) -> None:
    """Take units of an earlier, larger demo off its registry; who has an account or was sent to a call goes off duty."""
    ours = "^(" + "|".join(english for _, english in CALL_SIGNS.values()) + ") [0-9-]+$"
    rows = connection.execute(_RETIRED, {"ours": ours, "kept": [unit.call_sign for unit in plan.units]}).fetchall()
    gone, remaining = ([row[0] for row in rows if row[1] is remains] for remains in (False, True))
    connection.execute("delete from public.assignment where unit_id = any(%s)", [gone])
    connection.execute("delete from public.unit where unit_id = any(%s)", [gone])
    connection.execute("update public.unit set duty_status = 'off_duty' where unit_id = any(%s)", [remaining])


def _unit_line(unit: PlannedUnit, watch: Watch) -> UnitLine:
    return UnitLine(
        line=0,
        call_sign=unit.call_sign,
        kind=unit.kind,
        service=unit.service,
        duty_status=unit.duty_in(watch),
        station_number=unit.station_number,
        name_zh=unit.name_zh,
        name_en=unit.call_sign,
        covert=unit.covert,
        equipment=unit.equipment,
    )


def _device_lines(unit: PlannedUnit) -> Iterator[DeviceLine]:
    """Yield a unit's devices: what it reports by, and an officer's bodycam. A phone has no address but its secret token."""
    match unit.dialect:
        case "mavlink":
            protocol, address = MAVLINK, f"main/{unit.system_id}"
        case "jt808":
            protocol, address = JT808, unit.terminal_phone
        case _:
            protocol, address = PHONE_PROTOCOL, ""
    yield _device_line(unit, protocol, address, unit.call_sign)
    if unit.bodycam_id:
        yield _device_line(unit, GB28181, unit.bodycam_id, unit.bodycam_label)


def _device_line(unit: PlannedUnit, protocol: str, address: str, label: str) -> DeviceLine:
    return DeviceLine(
        line=0,
        protocol=protocol,
        address=address,
        label=label,
        call_sign=unit.call_sign,
        report_interval_s=unit.report_interval_s,
    )
