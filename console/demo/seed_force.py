"""The demo force on paper: who serves where, with which device; and its way into the registry."""

import asyncio
from collections.abc import Callable
from typing import Final

import numpy as np
import psycopg

from console.demo.city import City
from console.demo.force_places import nearest_station, place_lines
from console.demo.force_plan import ForcePlan, PlannedUnit
from infra.database import owner_connection
from infra.vault import Vault
from telemetry.enrolment import MAVLINK, rotate_device
from telemetry.force_file import DeviceLine, ForceFile, ForceLine, UnitLine
from telemetry.force_import import import_force
from telemetry.model.errors import InputError
from telemetry.model.geodesy import destination
from telemetry.model.phone import PHONE_PROTOCOL
from telemetry.model.unit import DutyStatus, Service, UnitKind
from telemetry.registry_store import QUERIES

STANDARD_UNITS: Final = 212
DRONE_SHARE: Final = 12 / 212
MOST_DRONES: Final = 240
GROUND_SHARES: Final = (
    (UnitKind.OFFICER, 0.55),
    (UnitKind.MOTORCYCLE, 0.18),
    (UnitKind.CAR, 0.23),
    (UnitKind.MOBILE_ROOM, 0.04),
)
CALL_SIGNS: Final = {
    UnitKind.DRONE: ("巡鹰", "Hawk"),
    UnitKind.OFFICER: ("巡警", "Officer"),
    UnitKind.MOTORCYCLE: ("铁骑", "Moto"),
    UnitKind.CAR: ("警车", "Car"),
    UnitKind.MOBILE_ROOM: ("移动警务室", "Room"),
}
SERVICES: Final = {
    UnitKind.DRONE: (Service.AIR,),
    UnitKind.OFFICER: (Service.STATION, Service.PATROL, Service.PATROL, Service.TRAFFIC, Service.VOLUNTEER),
    UnitKind.MOTORCYCLE: (Service.TRAFFIC, Service.PATROL),
    UnitKind.CAR: (Service.PATROL, Service.PATROL, Service.SPECIAL, Service.TRAFFIC),
    UnitKind.MOBILE_ROOM: (Service.STATION,),
}
INTERVALS_S: Final = {
    UnitKind.DRONE: (0.2,),
    UnitKind.OFFICER: (5.0, 7.0, 10.0),
    UnitKind.MOTORCYCLE: (2.0, 3.0, 4.0),
    UnitKind.CAR: (2.0, 3.0, 5.0),
    UnitKind.MOBILE_ROOM: (5.0,),
}
BUSY_SHARES: Final = (
    (DutyStatus.FREE, 0.8),
    (DutyStatus.ENGAGED, 0.1),
    (DutyStatus.EN_ROUTE, 0.05),
    (DutyStatus.ON_SCENE, 0.05),
)
COVERT_CARS: Final = 1
DIALECTS: Final = ("osmand", "traccar")


_RETIRED: Final = """
    select unit_id from public.unit where call_sign ~ %(ours)s::text and call_sign <> all(%(kept)s::text[])
        and unit_id not in (select unit_id from public.account where unit_id is not null)"""


def plan_force(city: City, *, unit_count: int = STANDARD_UNITS, seed: int = 1) -> ForcePlan:
    """Return a force of `unit_count` units, drones included; the same for the same city, count and seed.

    Raises InputError for fewer than 2 units or more than 20,000.
    """
    if not 2 <= unit_count <= 20_000:
        raise InputError(f"the demo force has 2 to 20000 units, not {unit_count}: give another --units")
    random = np.random.default_rng([seed, 11])
    drone_count = min(max(1, round(unit_count * DRONE_SHARE)), MOST_DRONES)
    units = [*_drones(city, drone_count), *_ground(city, unit_count - drone_count, random)]
    lines: list[ForceLine] = [*place_lines(city, random), *map(_unit_line, units), *map(_device_line, units)]
    return ForcePlan(lines=tuple(lines), units=tuple(units))


async def install(owner_url: str, vault: Vault, plan: ForcePlan, *, now_us: int) -> dict[str, str]:
    """Write the force into the registry and return each call sign's fresh secret: a token, or a key in hexadecimal.

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
        secrets = {entry.call_sign: entry.issued.secret for entry in report.issued}
        for unit in plan.units:
            if unit.call_sign not in secrets:
                protocol, address = _device_name(unit)
                query = "find_device_by_name" if address else "find_device_by_label"
                row = connection.execute(
                    QUERIES[query], {"protocol": protocol, "address": address, "label": unit.call_sign}
                ).fetchone()
                assert row is not None
                secrets[unit.call_sign] = rotate_device(connection, row[0], vault=vault).secret
    return {call_sign: secret for call_sign, secret in secrets.items() if call_sign and secret}


def _retire(connection: psycopg.Connection, plan: ForcePlan) -> None:
    """Take units of an earlier, larger demo off its registry, those that an account is bound to excepted."""
    ours = "^(" + "|".join(english for _, english in CALL_SIGNS.values()) + ") [0-9-]+$"
    rows = connection.execute(_RETIRED, {"ours": ours, "kept": [unit.call_sign for unit in plan.units]}).fetchall()
    unit_ids = [row[0] for row in rows]
    connection.execute("delete from public.assignment where unit_id = any(%s)", [unit_ids])
    connection.execute("delete from public.unit where unit_id = any(%s)", [unit_ids])


def _drones(city: City, count: int) -> list[PlannedUnit]:
    """Return drones spread over the docks; neighbours stand 8 m apart on their pads."""
    units = []
    for index in range(count):
        dock = city.facts.docks[index % len(city.facts.docks)]
        ring, place = divmod(index // len(city.facts.docks), 8)
        lat, lon = destination(dock.lat_deg, dock.lon_deg, 45.0 * place, 8.0 * (ring + 1))
        units.append(
            _unit(
                UnitKind.DRONE,
                f"{index + 1:02d}",
                (float(lat), float(lon)),
                station=nearest_station(city, dock),
                dialect=MAVLINK,
                system_id=index + 1,
            )
        )
    return units


def _ground(city: City, count: int, random: np.random.Generator) -> list[PlannedUnit]:
    """Return the ground units, dealt to the stations in turn; the kinds in their shares."""
    kinds = [kind for kind, share in GROUND_SHARES for _ in range(round(share * count))]
    kinds = (kinds + [UnitKind.OFFICER] * count)[:count]
    stations = city.facts.stations
    given: dict[tuple[UnitKind, int], int] = {}
    units = []
    for index, kind in enumerate(kinds):
        station = int(stations[(index * 5 + 10) % len(stations)].key)
        given[kind, station] = rank = given.get((kind, station), 0) + 1
        label = f"{index - kinds.index(kind) + 1:02d}" if kind is UnitKind.MOBILE_ROOM else f"{station:02d}-{rank:02d}"
        covert = kind is UnitKind.CAR and rank == 3 and station <= COVERT_CARS
        base = _base(city, kind, station, random)
        dialect = DIALECTS[int(random.integers(0, len(DIALECTS)))]
        units.append(_unit(kind, label, base, station=station, dialect=dialect, random=random, covert=covert))
    return units


def _unit(
    kind: UnitKind,
    label: str,
    base: tuple[float, float],
    *,
    station: int,
    dialect: str,
    system_id: int = 0,
    random: np.random.Generator | None = None,
    covert: bool = False,
) -> PlannedUnit:
    name_zh, name_en = CALL_SIGNS[kind]
    pick: Callable[[int], int] = (lambda _: 0) if random is None else lambda count: int(random.integers(0, count))
    duty = DutyStatus.STANDBY
    if random is not None:
        duty = DutyStatus(
            random.choice([status.value for status, _ in BUSY_SHARES], p=[share for _, share in BUSY_SHARES])
        )
    mark = "-" if kind is UnitKind.DRONE else " "
    return PlannedUnit(
        call_sign=f"{name_en} {label}",
        name_zh=f"{name_zh}{mark}{label}",
        kind=kind,
        service=SERVICES[kind][pick(len(SERVICES[kind]))],
        duty_status=duty,
        station_number=station,
        dialect=dialect,
        report_interval_s=INTERVALS_S[kind][pick(len(INTERVALS_S[kind]))],
        base_lat_deg=base[0],
        base_lon_deg=base[1],
        system_id=system_id,
        covert=covert,
    )


def _base(city: City, kind: UnitKind, station: int, random: np.random.Generator) -> tuple[float, float]:
    """Return a start: vehicles and officers around their station, some officers and rooms at the city's places."""
    spot = city.facts.stations[station - 1]
    gathers = kind in (UnitKind.OFFICER, UnitKind.MOBILE_ROOM) and random.random() < 0.35
    if gathers:
        places = city.facts.places
        spot = places[int(random.integers(0, len(places)))]
    reach_m = 220.0 if gathers else 1300.0
    lat, lon = destination(spot.lat_deg, spot.lon_deg, random.uniform(0.0, 360.0), reach_m * np.sqrt(random.random()))
    return float(lat), float(lon)


def _unit_line(unit: PlannedUnit) -> UnitLine:
    return UnitLine(
        line=0,
        call_sign=unit.call_sign,
        kind=unit.kind,
        service=unit.service,
        duty_status=unit.duty_status,
        station_number=unit.station_number,
        name_zh=unit.name_zh,
        name_en=unit.call_sign,
        covert=unit.covert,
    )


def _device_name(unit: PlannedUnit) -> tuple[str, str]:
    """Return (protocol, address); a phone's address comes from its secret token, and so is empty here."""
    return (MAVLINK, f"main/{unit.system_id}") if unit.dialect == MAVLINK else (PHONE_PROTOCOL, "")


def _device_line(unit: PlannedUnit) -> DeviceLine:
    protocol, address = _device_name(unit)
    return DeviceLine(
        line=0,
        protocol=protocol,
        address=address,
        label=unit.call_sign,
        call_sign=unit.call_sign,
        report_interval_s=unit.report_interval_s,
    )
