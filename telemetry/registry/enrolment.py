"""Enrolling devices and units in the registry's tables: add, rotate, revoke, assign. Secrets leave here once."""

import secrets
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import psycopg

from infra.clock import utc_of
from infra.vault import Vault
from telemetry.model.enrolment import EnrolmentRule, SecretKind
from telemetry.model.errors import ConflictError, InputError, NotFoundError
from telemetry.model.phone import address_of_token
from telemetry.model.unit import Device, DeviceOptions, DutyStatus, Equipment, Service, Unit, UnitKind
from telemetry.registry.store import QUERIES, device_of, unit_of
from telemetry.sources import find_enrolment_rules

MAVLINK: Final = "mavlink"
KEY_BYTES: Final = 32
TOKEN_BYTES: Final = 24
CODE_BYTES: Final = 16
PASSWORD_BYTES: Final = 12
PAIRING_US: Final = 24 * 3_600_000_000
"""So long after it was enrolled or rotated a device may be told its secret over the air."""


class NewDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A device to enrol. `address` is how its protocol names it (see the rooms' ENROLMENT); a token is its own name.

    `signs`: whether a MAVLink device gets a signing key (one that cannot sign is heard only on links that allow it).
    """

    protocol: str
    address: str = ""
    label: str = ""
    report_interval_s: float = 1.0
    signs: bool = True
    options: DeviceOptions = DeviceOptions()


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
    """A device and its secret: token, authentication code, password, or a MAVLink key as 64 hexadecimal digits; told once."""

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
    pairs_until_us: int | None = None


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What a new or rotated device gets: its address, the secret to tell once, and what of it is kept (sealed)."""

    address: str
    secret: str | None = None
    signing_key_sealed: bytes | None = None
    secret_sealed: bytes | None = None
    pairs_until_us: int | None = None

    def __repr__(self) -> str:
        """Hide the secret."""
        return "Credentials()"

    def parameters(self) -> dict[str, Any]:
        """Return what the queries `add_device` and `rotate_device` take."""
        return {
            "address": self.address,
            "signing_key_sealed": self.signing_key_sealed,
            "secret_sealed": self.secret_sealed,
            "pairs_until": None if self.pairs_until_us is None else utc_of(self.pairs_until_us),
        }


def add_device(connection: psycopg.Connection, new: NewDevice, *, vault: Vault, now_us: int) -> Issued:
    """Enrol a device and return its secret, which is told this once.

    Raises InputError for an address that the protocol does not have, ConflictError for one that is taken.
    """
    issued = make_credentials(new, vault, now_us=now_us)
    row = _one(
        connection,
        "add_device",
        protocol=new.protocol,
        label=new.label,
        report_interval_s=new.report_interval_s,
        options=msgspec.json.encode(new.options).decode(),
        created_at=utc_of(now_us),
        **issued.parameters(),
    )
    if row is None:
        raise ConflictError(
            f"the {new.protocol} device {issued.address!r} is enrolled already: see `skybeat device list`, rotate or revoke it"
        )
    return Issued(device=find_device(connection, row[0]), secret=issued.secret)


def rule_of(protocol: str) -> EnrolmentRule:
    """Return how a protocol's devices are enrolled. Raises InputError for a protocol whose devices are not."""
    rules = find_enrolment_rules()
    if protocol not in rules:
        raise InputError(f"protocol {protocol!r} is unknown: give one of {', '.join(sorted(rules))}")
    return rules[protocol]


def make_credentials(new: NewDevice, vault: Vault, *, now_us: int) -> Credentials:
    """Return address and secret of a device to add or rotate. Raises InputError for an address that the protocol has not."""
    rule = rule_of(new.protocol)
    address = rule.checked(new.address)
    pairs_until_us = now_us + PAIRING_US if rule.pairs else None
    match rule.secret:
        case SecretKind.TOKEN:
            token = secrets.token_urlsafe(TOKEN_BYTES)
            return Credentials(address=address_of_token(token), secret=token)
        case SecretKind.SIGNING_KEY if new.signs:
            key = secrets.token_bytes(KEY_BYTES)
            return Credentials(address=address, secret=key.hex(), signing_key_sealed=vault.seal(key))
        case SecretKind.CODE:
            secret = secrets.token_hex(CODE_BYTES)
        case SecretKind.PASSWORD:
            secret = secrets.token_urlsafe(PASSWORD_BYTES)
        case _:
            return Credentials(address=address)
    sealed = vault.seal(secret.encode())
    return Credentials(address=address, secret=secret, secret_sealed=sealed, pairs_until_us=pairs_until_us)


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


def rotate_device(connection: psycopg.Connection, device_id: int, *, vault: Vault, now_us: int) -> Issued:
    """Give a device a new secret; the old one is refused at once.

    One whose secret is told over the air may pair again. A MAVLink device that had no key has one then. Raises NotFoundError, and ConflictError for a revoked device.
    """
    device = find_device(connection, device_id)
    if device.revoked:
        raise ConflictError(f"device {device_id} is revoked: enrol it anew with `skybeat device add`")
    issued = make_credentials(NewDevice(protocol=device.protocol, address=device.address), vault, now_us=now_us)
    connection.execute(QUERIES["rotate_device"], {"device_id": device_id, **issued.parameters()})
    return Issued(device=find_device(connection, device_id), secret=issued.secret)


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
    extra = {"label": label, "report_interval_s": 1.0, "options": "{}", "created_at": utc_of(now_us)}
    _one(connection, "add_device", protocol=protocol, **Credentials(address=address).parameters(), **extra)
    row = _one(connection, "find_device_by_name", **parameters)
    assert row is not None
    return device_of(row)


def _one(connection: psycopg.Connection, query: str, **parameters: Any) -> tuple[Any, ...] | None:  # noqa: ANN401 - SQL values
    row: tuple[Any, ...] | None = connection.execute(QUERIES[query], parameters).fetchone()
    return row
