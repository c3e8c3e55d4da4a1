"""`skybeat incident`: brings calls from a file, keeps the keys of call centres' programs and the agencies."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
import psycopg

from console.incidents.file_import import ImportReport, import_incidents, told_time
from console.incidents.intake_keys import add_key, revoke_key
from infra.clock import SYSTEM_CLOCK, us_of
from infra.database import owner_connection
from infra.prepare import using_ready_urls
from infra.settings import Settings, load_settings
from infra.vault import Vault
from mission.calls.incident import Category
from mission.calls.incident_file import parse_incident_file
from telemetry.model.datum import Crs
from telemetry.model.errors import ConflictError, InputError

SHOWN_PROBLEMS: Final = 50


@click.group("incident")
def command() -> None:
    """Bring calls, let call centres' programs send them, and keep the agencies that take what is not police work.

    \b
    Examples:
      skybeat incident import calls.csv --dry-run
      skybeat incident key add "110 centre"
      skybeat incident agency add --zh 城管 --en "Urban management" --phone 12319
    """  # noqa: D301 - \b is click's mark for "do not wrap"


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would be done and what is wrong in which line.")
@click.option(
    "--crs",
    type=click.Choice([crs.value for crs in Crs]),
    default=Crs.WGS84.value,
    show_default=True,
    help="What the coordinates are in; a column `crs` says otherwise for a line.",
)
def import_command(file: Path, dry_run: bool, crs: str) -> None:  # noqa: FBT001 - click passes flags so
    """Add the calls of a CSV file; the same line again is the same call, and with one wrong line nothing is written.

    \b
    Examples:
      skybeat incident import calls.csv --dry-run
      skybeat incident import calls.csv --crs gcj02

    \b
    A CSV file (source_ref and title are needed; a call without a place is kept, and the place is asked for):
      source_ref,title,urgency,category,lat_deg,lon_deg,caller_phone,reported_at,closed_at
      110-0042,Fight at the market,1,violence,36.0611,103.8343,13800000000,2026-11-21T08:00:00+08:00,
    """  # noqa: D301 - as above
    now_us = SYSTEM_CLOCK.now_us()
    parsed = parse_incident_file(file.read_bytes(), now_us=now_us, crs=Crs(crs))
    with using_ready_urls(load_settings()) as urls:
        report = asyncio.run(import_incidents(urls.owner, parsed, now_us=now_us, is_dry=dry_run))
    _tell(report, dry_run=dry_run)
    if report.problems:
        sys.exit(1)


@command.group("key")
def key_group() -> None:
    """Keys by which call centres' programs send calls.

    \b
    Examples:
      skybeat incident key add "110 centre"
      skybeat incident key list
    """  # noqa: D301 - as above


@key_group.command("add")
@click.argument("label")
@click.option("--webhook", is_flag=True, help="A webhook, whose messages are signed, instead of a bearer key.")
def key_add_command(label: str, webhook: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Add a key and print it, once.

    \b
    Examples:
      skybeat incident key add "110 centre"
      skybeat incident key add "city app" --webhook
    """  # noqa: D301 - as above
    settings = load_settings()
    with _database(settings) as connection:
        vault = Vault.open(settings.data_dir) if webhook else None
        key, secret = add_key(connection, label, vault=vault, now_us=SYSTEM_CLOCK.now_us())
    if webhook:
        click.echo(f"webhook {key.intake_key_id} ({label}): POST /intake/hooks/{key.intake_key_id}, Standard Webhooks")
        click.echo(f"secret (shown this once): {secret}")
        return
    click.echo(f"key {key.intake_key_id} ({label}): POST /intake/incidents")
    click.echo(f"token (shown this once): {secret}")


@key_group.command("list")
def key_list_command() -> None:
    """List the keys: number, kind, label, since when, revoked or not.

    \b
    Example:
      skybeat incident key list
    """  # noqa: D301 - as above
    with _database(load_settings()) as connection:
        rows = connection.execute(
            "select intake_key_id, secret_sealed is not null, label, created_at, revoked_at from public.intake_key "
            "order by intake_key_id"
        ).fetchall()
    for number, is_hook, label, created_at, revoked_at in rows:
        kind = "webhook" if is_hook else "bearer"
        state = "" if revoked_at is None else f"revoked {told_time(us_of(revoked_at))}"
        click.echo(f"{number:>6}  {kind:8} {label:24} {told_time(us_of(created_at))} {state}".rstrip())
    click.echo(f"{len(rows)} keys")


@key_group.command("revoke")
@click.argument("label")
def key_revoke_command(label: str) -> None:
    """Refuse a key from now on.

    \b
    Example:
      skybeat incident key revoke "110 centre"
    """  # noqa: D301 - as above
    with _database(load_settings()) as connection:
        revoke_key(connection, label, now_us=SYSTEM_CLOCK.now_us())
    click.echo(f"{label} is revoked")


@command.group("agency")
def agency_group() -> None:
    """Agencies that take over what is not police work.

    \b
    Example:
      skybeat incident agency list
    """  # noqa: D301 - as above


@agency_group.command("add")
@click.option("--zh", "name_zh", required=True, help="Its Chinese name.")
@click.option("--en", "name_en", required=True, help="Its English name.")
@click.option("--phone", default="", help="Where it is called.")
@click.option(
    "--category",
    "categories",
    multiple=True,
    type=click.Choice([category.value for category in Category]),
    help="What it is asked for first; may be given several times.",
)
def agency_add_command(name_zh: str, name_en: str, phone: str, categories: tuple[str, ...]) -> None:
    """Add an agency.

    \b
    Example:
      skybeat incident agency add --zh 消防 --en "Fire brigade" --phone 119 --category fire
    """  # noqa: D301 - as above
    for name in (name_zh, name_en, phone):
        if not name.isprintable() or len(name) > 100:
            message = f"{name[:40]!r}: at most 100 printable characters"
            raise InputError(message)
    with _database(load_settings()) as connection:
        row = connection.execute(
            "insert into public.agency (name_zh, name_en, phone, categories) values (%s, %s, %s, %s) "
            "on conflict (name_zh, name_en) do nothing returning agency_id",
            (name_zh, name_en, phone, list(categories)),
        ).fetchone()
    if row is None:
        message = f"there is an agency {name_zh} / {name_en} already: `skybeat incident agency list` shows it"
        raise ConflictError(message)
    click.echo(f"agency {row[0]} added: {name_zh} / {name_en}")


@agency_group.command("list")
def agency_list_command() -> None:
    """List the agencies.

    \b
    Example:
      skybeat incident agency list
    """  # noqa: D301 - as above
    with _database(load_settings()) as connection:
        rows = connection.execute(
            "select agency_id, name_zh, name_en, phone, categories from public.agency order by agency_id"
        ).fetchall()
    for number, name_zh, name_en, phone, categories in rows:
        click.echo(f"{number:>6}  {name_zh} / {name_en}  {phone}  {','.join(categories)}".rstrip())
    click.echo(f"{len(rows)} agencies")


@contextmanager
def _database(settings: Settings) -> Iterator[psycopg.Connection]:
    with using_ready_urls(settings) as urls, owner_connection(urls.owner) as connection:
        yield connection


def _tell(report: ImportReport, *, dry_run: bool) -> None:
    for problem in report.problems[:SHOWN_PROBLEMS]:
        click.echo(f"line {problem.line}: {problem.message}", err=True)
    if report.problems:
        more = len(report.problems) - SHOWN_PROBLEMS
        tail = f" ({more} more than shown)" if more > 0 else ""
        click.echo(f"{len(report.problems)} problems{tail}; nothing was written", err=True)
        return
    click.echo(f"{report.added_count} new, {report.known_count} known, {report.asked_count} of the new without a place")
    if dry_run:
        click.echo("dry run: nothing was written")
