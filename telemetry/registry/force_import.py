"""Writes a force file into the registry's tables: all of it or, with one problem, nothing."""

from collections import Counter
from typing import Any

import msgspec
import psycopg

from infra.vault import Vault
from telemetry.model.errors import ConflictError
from telemetry.registry.enrolment import Issued, NewDevice, NewUnit, add_device, assign_device, find_unit, save_unit
from telemetry.registry.force_file import CameraLine, DeviceLine, ForceFile, ForceLine, PostLine, StationLine, UnitLine
from telemetry.registry.force_rows import Problem
from telemetry.registry.store import QUERIES


class IssuedTo(msgspec.Struct, frozen=True, kw_only=True):
    """A new device of the file and the secret that it got."""

    issued: Issued
    call_sign: str | None


class ForceReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or would do: lines new and known before by record, new secrets, problems."""

    added: dict[str, int]
    known: dict[str, int]
    issued: tuple[IssuedTo, ...]
    problems: tuple[Problem, ...]


def import_force(connection: psycopg.Connection, force: ForceFile, *, vault: Vault, now_us: int) -> ForceReport:
    """Add what is new and change what is known, in the caller's transaction, which must be rolled back on any problem.

    Problems of the file itself are found before anything is written.

    A known device keeps its secret; its assignment follows the file.
    """
    problems = [*force.problems, *force.unresolved(*_registered(connection))]
    if problems:
        return ForceReport(added={}, known={}, issued=(), problems=tuple(sorted(problems)))
    writer = _Writer(connection, vault, now_us)
    for line_type in (StationLine, PostLine, CameraLine, UnitLine, DeviceLine):
        for line in force.lines:
            if isinstance(line, line_type):
                writer.write(line)
    return ForceReport(
        added=dict(writer.added),
        known=dict(writer.known),
        issued=tuple(writer.issued),
        problems=tuple(writer.problems),
    )


def _registered(connection: psycopg.Connection) -> tuple[frozenset[int], frozenset[str]]:
    numbers = connection.execute(QUERIES["station_numbers"]).fetchall()
    call_signs = connection.execute(QUERIES["call_signs"]).fetchall()
    return frozenset(row[0] for row in numbers), frozenset(row[0] for row in call_signs)


class _Writer:
    """Writes lines one by one and keeps count."""

    def __init__(self, connection: psycopg.Connection, vault: Vault, now_us: int) -> None:
        self._connection = connection
        self._vault = vault
        self._now_us = now_us
        self._station_ids = {row[1]: row[0] for row in connection.execute(QUERIES["load_stations"]).fetchall()}
        self._call_signs = _registered(connection)[1]
        self.added: Counter[str] = Counter()
        self.known: Counter[str] = Counter()
        self.issued: list[IssuedTo] = []
        self.problems: list[Problem] = []

    def write(self, line: ForceLine) -> None:
        """Write one line; stations before those who name them, units before devices."""
        match line:
            case StationLine():
                is_new = self._write_station(line)
            case PostLine() | CameraLine():
                is_new = self._write_place(line)
            case UnitLine():
                is_new = self._write_unit(line)
            case DeviceLine():
                is_new = self._write_device(line)
        record = type(line).__name__.removesuffix("Line").lower()
        (self.added if is_new else self.known)[record] += 1

    def _write_station(self, line: StationLine) -> bool:
        row = self._one(
            "save_station",
            number=line.number,
            name_zh=line.name_zh,
            name_en=line.name_en,
            lat_e7=line.place.lat_e7,
            lon_e7=line.place.lon_e7,
            ring_order=line.ring_order,
        )
        assert row is not None
        self._station_ids[line.number] = row[0]
        return bool(row[1])

    def _write_place(self, line: PostLine | CameraLine) -> bool:
        name = "post" if isinstance(line, PostLine) else "camera"
        parameters: dict[str, Any] = {
            "name_zh": line.name_zh,
            "name_en": line.name_en,
            "lat_e7": line.place.lat_e7,
            "lon_e7": line.place.lon_e7,
            "station_id": self._station_id(line.station_number),
        }
        if isinstance(line, PostLine):
            parameters["kind"] = line.kind.value
        if self._one(f"move_{name}", **parameters) is not None:
            return False
        self._connection.execute(QUERIES[f"add_{name}"], parameters)
        return True

    def _write_unit(self, line: UnitLine) -> bool:
        new = NewUnit(
            call_sign=line.call_sign,
            kind=line.kind,
            service=line.service,
            duty_status=line.duty_status,
            station_id=self._station_id(line.station_number),
            name_zh=line.name_zh,
            name_en=line.name_en,
            covert=line.covert,
            equipment=line.equipment,
        )
        save_unit(self._connection, new)
        return line.call_sign not in self._call_signs

    def _write_device(self, line: DeviceLine) -> bool:
        device_id, is_new = self._device_id(line), False
        if device_id is None:
            is_new = True
            new = NewDevice(
                protocol=line.protocol,
                address=line.address,
                label=line.label,
                report_interval_s=line.report_interval_s,
            )
            issued = add_device(self._connection, new, vault=self._vault, now_us=self._now_us)
            self.issued.append(IssuedTo(issued=issued, call_sign=line.call_sign))
            device_id = issued.device.device_id
        unit_id = None if line.call_sign is None else find_unit(self._connection, line.call_sign).unit_id
        try:
            assign_device(self._connection, device_id, unit_id, now_us=self._now_us)
        except ConflictError as error:
            self.problems.append(Problem(line.line, str(error)))
        return is_new

    def _device_id(self, line: DeviceLine) -> int | None:
        if line.address:
            row = self._one("find_device_by_name", protocol=line.protocol, address=line.address)
        else:
            row = self._one("find_device_by_label", protocol=line.protocol, label=line.label)
        return None if row is None else int(row[0])

    def _station_id(self, number: int | None) -> int | None:
        return None if number is None else self._station_ids[number]

    def _one(self, query: str, **parameters: object) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._connection.execute(QUERIES[query], parameters).fetchone()
        return row
