"""`skybeat device`: enrols, lists, revokes, rotates and assigns devices. A secret is printed once and never again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click
import psycopg

from infra.clock import SYSTEM_CLOCK, utc_of
from infra.database import owner_connection
from infra.prepare import using_ready_urls
from infra.settings import Settings, load_settings
from infra.vault import Vault
from telemetry.model.datum import Crs
from telemetry.model.enrolment import SecretKind, checked_hosts, parse_utc_offset
from telemetry.model.errors import NotFoundError
from telemetry.model.phone import PHONE_PROTOCOL
from telemetry.model.unit import DeviceOptions, Service, Unit, UnitKind
from telemetry.registry.enrolment import (
    MAVLINK,
    Issued,
    ListedDevice,
    NewDevice,
    NewUnit,
    add_device,
    assign_device,
    find_unit,
    list_devices,
    revoke_device,
    rotate_device,
    rule_of,
    save_unit,
)

PHONE_NAMES: Final = frozenset({"phone", "traccar-client"})
"""What people call a phone by; the registry keeps it under one protocol, whichever client it runs."""


@click.group("device")
def command() -> None:
    """Enrol what may report: autopilots by signed MAVLink, phones by a token.

    \b
    Examples:
      skybeat device add --protocol phone --unit "Car 12" --kind car --service patrol
      skybeat device list
    """  # noqa: D301 - \b is click's mark for "do not wrap"


@command.command("add")
@click.option(
    "--protocol", required=True, help="phone (OsmAnd, Traccar's client, OwnTracks), mavlink, jt808, gb28181 ..."
)
@click.option("--address", default="", help="How the protocol names it: main/1 (mavlink), 013812345678 (jt808) ...")
@click.option("--unit", "call_sign", help="Call sign of the unit that it speaks for from now on.")
@click.option(
    "--kind", type=click.Choice([kind.value for kind in UnitKind]), help="Add the unit if it is new; needs --service."
)
@click.option("--service", type=click.Choice([service.value for service in Service]), help="Service of a new unit.")
@click.option("--label", default="", help="Your own name of the device, as its inventory number.")
@click.option(
    "--interval",
    "interval_s",
    type=click.FloatRange(0.1, 3600),
    default=1.0,
    show_default=True,
    help="Seconds a report.",
)
@click.option("--utc-offset", "utc_offset_text", default="+08:00", show_default=True, help="Zone of its clock.")
@click.option(
    "--crs", type=click.Choice([crs.value for crs in Crs]), help="Datum of its coordinates; wgs84 if not told."
)
@click.option(
    "--trust", type=click.IntRange(0, 9), help="How much it is believed among a unit's devices; higher is more."
)
@click.option(
    "--allow-from", "allowed_hosts", multiple=True, help="Address or network that it may speak from; again for more."
)
@click.option("--ignore-checksum", is_flag=True, help="Believe its messages although their checksum is wrong.")
@click.option("--without-key", is_flag=True, help="A MAVLink device that cannot sign; heard only where links allow it.")
def add_command(
    protocol: str,
    address: str,
    call_sign: str | None,
    kind: str | None,
    service: str | None,
    label: str,
    interval_s: float,
    utc_offset_text: str,
    crs: str | None,
    trust: int | None,
    allowed_hosts: tuple[str, ...],
    ignore_checksum: bool,  # noqa: FBT001 - click passes flags so
    without_key: bool,  # noqa: FBT001 - click passes flags so
) -> None:
    """Enrol a device and print its secret, once.

    \b
    Examples:
      skybeat device add --protocol mavlink --address main/1 --unit "Hawk 1" --kind drone --service air
      skybeat device add --protocol phone --unit "Car 12" --label "handset 0042" --interval 5
    """  # noqa: D301 - as above
    settings = load_settings()
    new = NewDevice(
        protocol=PHONE_PROTOCOL if protocol in PHONE_NAMES else protocol,
        address=address,
        label=label,
        report_interval_s=interval_s,
        signs=not without_key,
        options=DeviceOptions(
            utc_offset_s=parse_utc_offset(utc_offset_text),
            crs=crs or Crs.WGS84.value,
            ignores_checksum=ignore_checksum,
            trust=trust,
            allowed_hosts=checked_hosts(allowed_hosts),
        ),
    )
    now_us = SYSTEM_CLOCK.now_us()
    with _registry(settings) as connection:
        unit = None if call_sign is None else _unit(connection, call_sign, kind, service)
        issued = add_device(connection, new, vault=Vault.open(settings.data_dir), now_us=now_us)
        if unit is not None:
            assign_device(connection, issued.device.device_id, unit.unit_id, now_us=now_us)
    click.echo(f"device {issued.device.device_id} enrolled" + (f", speaks for {call_sign}" if call_sign else ""))
    _tell_secret(issued, settings)


@command.command("list")
def list_command() -> None:
    """List every device: number, protocol, address, unit, state, label.

    \b
    Example:
      skybeat device list
    """  # noqa: D301 - as above
    with _registry(load_settings()) as connection:
        devices = list_devices(connection)
    for device in devices:
        click.echo(
            f"{device.device_id:>6}  {device.protocol:8} {device.address:20} {device.call_sign or '-':16} "
            f"{_state(device):28} {device.label}".rstrip()
        )
    click.echo(f"{len(devices)} devices")


@command.command("revoke")
@click.argument("device_id", type=int)
def revoke_command(device_id: int) -> None:
    """Refuse a device from now on; a running skybeat hears of it at once.

    \b
    Example:
      skybeat device revoke 12
    """  # noqa: D301 - as above
    with _registry(load_settings()) as connection:
        revoke_device(connection, device_id, now_us=SYSTEM_CLOCK.now_us())
    click.echo(f"device {device_id} is revoked")


@command.command("rotate")
@click.argument("device_id", type=int)
def rotate_command(device_id: int) -> None:
    """Give a device a new secret and print it, once; the old one is refused at once.

    \b
    Example:
      skybeat device rotate 12
    """  # noqa: D301 - as above
    settings = load_settings()
    with _registry(settings) as connection:
        issued = rotate_device(connection, device_id, vault=Vault.open(settings.data_dir), now_us=SYSTEM_CLOCK.now_us())
    click.echo(f"device {device_id} has a new secret")
    _tell_secret(issued, settings)


@command.command("assign")
@click.argument("device_id", type=int)
@click.option("--unit", "call_sign", help="Call sign of the unit that it speaks for from now on.")
@click.option("--nobody", is_flag=True, help="End what it does now.")
def assign_command(device_id: int, call_sign: str | None, nobody: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Let a device speak for another unit from now on, or for nobody.

    \b
    Example:
      skybeat device assign 12 --unit "Car 13"
    """  # noqa: D301 - as above
    if (call_sign is None) != nobody:
        raise click.UsageError("give either --unit CALL_SIGN or --nobody")
    with _registry(load_settings()) as connection:
        unit_id = None if call_sign is None else find_unit(connection, call_sign).unit_id
        assign_device(connection, device_id, unit_id, now_us=SYSTEM_CLOCK.now_us())
    click.echo(f"device {device_id} speaks for {call_sign or 'nobody'}")


@contextmanager
def _registry(settings: Settings) -> Iterator[psycopg.Connection]:
    with using_ready_urls(settings) as urls, owner_connection(urls.owner) as connection:
        yield connection


def _unit(connection: psycopg.Connection, call_sign: str, kind: str | None, service: str | None) -> Unit:
    """Return the unit of that call sign; adds it when kind and service are given and it is new."""
    try:
        return find_unit(connection, call_sign)
    except NotFoundError:
        if kind is None or service is None:
            raise
    return save_unit(connection, NewUnit(call_sign=call_sign, kind=UnitKind(kind), service=Service(service)))


def _state(device: ListedDevice) -> str:
    if device.revoked_us is not None:
        return f"revoked {utc_of(device.revoked_us):%Y-%m-%d %H:%M}Z"
    if device.protocol == MAVLINK:
        return "signs" if device.signs else "unsigned"
    if device.pairs_until_us is not None:
        return f"may pair until {utc_of(device.pairs_until_us):%Y-%m-%d %H:%M}Z"
    secret = rule_of(device.protocol).secret
    return "-" if secret is SecretKind.NONE else secret.value.replace("_", " ")


def _tell_secret(issued: Issued, settings: Settings) -> None:
    if issued.secret is None:
        return
    match rule_of(issued.device.protocol).secret:
        case SecretKind.SIGNING_KEY:
            click.echo(f"signing key (64 hexadecimal digits, shown this once): {issued.secret}")
            return
        case SecretKind.CODE:
            click.echo(f"authentication code (shown this once; told to the device when it registers): {issued.secret}")
            return
        case SecretKind.PASSWORD:
            click.echo(f"user {issued.device.address}, password (shown this once): {issued.secret}")
            return
        case _:
            pass
    click.echo(f"token (shown this once): {issued.secret}")
    scheme = "http" if settings.tls_cert is None and not settings.behind_proxy else "https"
    place = f"{scheme}://{settings.ingest_host}:{settings.ingest_port}/"
    if issued.device.protocol != PHONE_PROTOCOL:
        click.echo(f"Traccar server: forward.type=json, forward.url={place}")
        click.echo(f"                forward.header=Authorization: Bearer {issued.secret}")
        return
    fields = "lat={0}&lon={1}&timestamp={2}&hdop={3}&altitude={4}&speed={5}&bearing={6}"
    click.echo(f"OsmAnd:  {place}?id={issued.secret}&{fields}")
    click.echo(f"Traccar: server {place}, device identifier = the token")
    click.echo(f"OwnTracks: mode HTTP, URL {place}, password = the token")
