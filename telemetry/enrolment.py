"""Enrolling devices and units in the registry's tables: add, rotate, revoke, assign. Secrets leave here once."""

import secrets
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import psycopg

from infra.clock import utc_of
from infra.vault import Vault
from telemetry.model.errors import ConflictError, InputError, NotFoundError
from telemetry.model.phone import PHONE_PROTOCOL, address_of_token
from telemetry.model.unit import Device, DutyStatus, Equipment, Service, Unit, UnitKind, is_mavlink_address
from telemetry.registry_store import QUERIES, device_of, unit_of

MAVLINK: Final = "mavlink"
KEY_BYTES: Final = 32
TOKEN_BYTES: Final = 24


class NewDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A device to enrol. `address` is "link_group/system_id" for mavlink; phones get theirs from their token.

    `signs`: whether a MAVLink device gets a signing key (one that cannot sign is heard only on links that allow it).
    """

    protocol: str
    address: str = ""
    label: str = ""
    report_interval_s: float = 1.0
    signs: bool = True


class NewUnit(msgspec.Struct, frozen=True, kw_only=True):
    """A unit to add or to change; `duty_status` None leaves it as it is (off duty for a new unit), as does `equipment` None."""

    call_sign: str
    kind: UnitKind
    service: Service
    duty_status: DutyStatus | None = None
    station_id: int | None = None
    name_zh: str = ""
    name_en: str = ""
    covert: bool = False
    equipment: tuple[Equipment, ...] | None = None


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """A device and its secret: a phone's token, or a MAVLink key as 64 hexadecimal digits. It cannot be read again."""

    device: Device
    secret: str | None

    def __repr__(self) -> str:
        """Hide the secret."""
        return f"Issued(device_id={self.device.device_id})"


class ListedDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A line of `skybeat device list`; the address of a phone is the first 8 digits of its token's digest."""

    device_id: int
    protocol: str
    address: str
    label: str
    report_interval_s: float
    call_sign: str | None
    created_us: int
    revoked_us: int | None
    signs: bool


def add_device(connection: psycopg.Connection, new: NewDevice, *, vault: Vault, now_us: int) -> Issued:
    """Enrol a device and return its secret, which is told this once.

    Raises InputError for an address that the protocol does not have, ConflictError for one that is taken.
    """
    address, secret, sealed = _credentials(new, vault)
    row = _one(
        connection,
        "add_device",
        protocol=new.protocol,
        address=address,
        label=new.label,
        report_interval_s=new.report_interval_s,
        signing_key_sealed=sealed,
        created_at=utc_of(now_us),
    )
    if row is None:
        raise ConflictError(
            f"the {new.protocol} device {address!r} is enrolled already: see `skybeat device list`, rotate or revoke it"
        )
    return Issued(device=find_device(connection, row[0]), secret=secret)


def _credentials(new: NewDevice, vault: Vault) -> tuple[str, str | None, bytes | None]:
    """Return (address, secret, sealed key) for a new device."""
    if new.protocol == PHONE_PROTOCOL:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        return address_of_token(token), token, None
    if new.protocol != MAVLINK:
        raise InputError(f"protocol {new.protocol!r} is unknown: give mavlink or osmand (phones, Traccar's client too)")
    if not is_mavlink_address(new.address):
        raise InputError(f"MAVLink address {new.address!r}: give LINK_GROUP/SYSTEM_ID, as main/1 (system ids 1 to 255)")
    if not new.signs:
        return new.address, None, None
    key = secrets.token_bytes(KEY_BYTES)
    return new.address, key.hex(), vault.seal(key)


def find_device(connection: psycopg.Connection, device_id: int) -> Device:
    """Return a device by its number. Raises NotFoundError."""
    row = _one(connection, "find_device", device_id=device_id)
    if row is None:
        raise NotFoundError(f"there is no device {device_id}: see `skybeat device list`")
    return device_of(row)


def find_unit(connection: psycopg.Connection, call_sign: str) -> Unit:
    """Return a unit by its call sign. Raises NotFoundError."""
    row = _one(connection, "find_unit", call_sign=call_sign)
    if row is None:
        raise NotFoundError(
            f"there is no unit {call_sign!r}: bring it with `skybeat force import`, or give --kind and --service to add it"
        )
    return unit_of(row)


def station_numbers(connection: psycopg.Connection) -> dict[int, int]:
    """Return the number that people know each station by, by its station id."""
    return {row[0]: row[1] for row in connection.execute(QUERIES["load_stations"]).fetchall()}


def find_stations(connection: psycopg.Connection, numbers: Sequence[int]) -> list[int]:
    """Return the station ids of these numbers. Raises NotFoundError naming the unknown ones."""
    ids = {number: station_id for station_id, number in station_numbers(connection).items()}
    unknown = [number for number in numbers if number not in ids]
    if unknown:
        known = ", ".join(map(str, sorted(ids))) or "none yet: bring them with `skybeat force import`"
        raise NotFoundError(f"there is no station {', '.join(map(str, unknown))}: known are {known}")
    return [ids[number] for number in numbers]


def unit_ids(connection: psycopg.Connection) -> dict[str, int]:
    """Return every unit's id by its call sign."""
    units = [unit_of(row) for row in connection.execute(QUERIES["load_units"]).fetchall()]
    return {unit.call_sign: unit.unit_id for unit in units}


def save_unit(connection: psycopg.Connection, new: NewUnit) -> Unit:
    """Add a unit, or change the one of that call sign, and return it."""
    parameters = {name: getattr(new, name) for name in new.__struct_fields__}
    parameters["equipment"] = None if new.equipment is None else [item.value for item in new.equipment]
    _one(connection, "save_unit", **parameters)
    return find_unit(connection, new.call_sign)


def list_devices(connection: psycopg.Connection) -> list[ListedDevice]:
    """Return every device with the unit that it speaks for now, by number."""
    rows = connection.execute(QUERIES["list_devices"]).fetchall()
    return [ListedDevice(**dict(zip(ListedDevice.__struct_fields__, row, strict=True))) for row in rows]


def revoke_device(connection: psycopg.Connection, device_id: int, *, now_us: int) -> Device:
    """Refuse a device from now on, end what it does now, and return it. Raises NotFoundError."""
    find_device(connection, device_id)
    connection.execute(QUERIES["revoke_device"], {"device_id": device_id, "now_at": utc_of(now_us)})
    _one(connection, "end_assignment", device_id=device_id, now_at=utc_of(now_us))
    return find_device(connection, device_id)


def rotate_device(connection: psycopg.Connection, device_id: int, *, vault: Vault) -> Issued:
    """Give a device a new secret; the old one is refused at once.

    A MAVLink device that had no key has one then. Raises NotFoundError, and ConflictError for a revoked device.
    """
    device = find_device(connection, device_id)
    if device.revoked:
        raise ConflictError(f"device {device_id} is revoked: enrol it anew with `skybeat device add`")
    address, secret, sealed = _credentials(NewDevice(protocol=device.protocol, address=device.address), vault)
    parameters = {"device_id": device_id, "address": address, "signing_key_sealed": sealed}
    connection.execute(QUERIES["rotate_device"], parameters)
    return Issued(device=find_device(connection, device_id), secret=secret)


def assign_device(connection: psycopg.Connection, device_id: int, unit_id: int | None, *, now_us: int) -> None:
    """Let a device speak for a unit from now on (None: for nobody); what it did before ends now.

    Raises NotFoundError, and ConflictError for a revoked device.
    """
    if find_device(connection, device_id).revoked:
        raise ConflictError(f"device {device_id} is revoked: enrol it anew with `skybeat device add`")
    current = _one(connection, "find_assignment", device_id=device_id)
    if unit_id is not None and current == (unit_id,):
        return
    ended = _one(connection, "end_assignment", device_id=device_id, now_at=utc_of(now_us))
    if unit_id is None:
        return
    started_us = now_us if ended is None else ended[0]
    parameters = {"device_id": device_id, "unit_id": unit_id, "now_at": utc_of(started_us)}
    connection.execute(QUERIES["start_assignment"], parameters)


def ensure_device(connection: psycopg.Connection, protocol: str, address: str, *, label: str, now_us: int) -> Device:
    """Return the device of that name; enrols it without any secret when there is none (recordings, tests)."""
    parameters: dict[str, Any] = {"protocol": protocol, "address": address}
    extra = {"label": label, "report_interval_s": 1.0, "signing_key_sealed": None, "created_at": utc_of(now_us)}
    _one(connection, "add_device", **parameters, **extra)
    row = _one(connection, "find_device_by_name", **parameters)
    assert row is not None
    return device_of(row)


def _one(connection: psycopg.Connection, query: str, **parameters: Any) -> tuple[Any, ...] | None:  # noqa: ANN401 - SQL values
    row: tuple[Any, ...] | None = connection.execute(QUERIES[query], parameters).fetchone()
    return row
