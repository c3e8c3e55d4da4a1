"""`skybeat reprocess`: decodes the raw log again after a decoder's repair, and mends history by what differs."""

import asyncio
import json
from datetime import datetime

import click
import msgspec
import psycopg
from psycopg.types.json import Jsonb

from infra.clock import SYSTEM_CLOCK, us_of, utc_of
from infra.database import DatabaseError, explain
from infra.prepare import using_ready_urls
from infra.settings import Settings, load_settings
from infra.vault import Vault
from telemetry.model.errors import InputError
from telemetry.raw.log import read_chunks
from telemetry.raw.recorded_rows import RecordedRows
from telemetry.raw.reprocess import WARM_UP_US, ReplayRegistry, Report, Reprocessor
from telemetry.registry.store import RegistryStore
from telemetry.registry.table import RegistryContents

_AUDIT = (
    "insert into public.audit (account_name, action, subject, detail) values ('command line', 'reprocessed', %s, %s)"
)


@click.command()
@click.option("--from", "from_text", required=True, help="First moment of arrival, like 2026-11-21T08:00:00Z.")
@click.option("--to", "to_text", required=True, help="Moment of arrival before which to end.")
@click.option("--device", "device_id", type=click.IntRange(min=1), help="Only this device (its registry number).")
@click.option("--dry-run", is_flag=True, help="Say what differs and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    from_text: str,
    to_text: str,
    device_id: int | None,
    dry_run: bool,  # noqa: FBT001 - click passes flags so
    as_json: bool,  # noqa: FBT001 - as above
) -> None:
    """Decode what was received in a period again with today's decoders, and mend positions by it.

    New rows are written; rows that the decoders no longer give are moved to store.position_superseded, none is deleted.
    Roll-ups, trips and geofence visits follow within a minute. Running it twice is the same as once; the audit says it.

    \b
    Example:
      skybeat reprocess --from 2026-11-21T08:00:00Z --to 2026-11-21T12:00:00Z --dry-run
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    settings = load_settings()
    from_us, to_us = _moment("--from", from_text), _moment("--to", to_text)
    vault = Vault.open(settings.data_dir)
    with using_ready_urls(settings) as urls:
        contents = asyncio.run(RegistryStore(urls.writer, vault).load())
        try:
            report = _run(settings, vault, urls.owner, contents, from_us, to_us, device_id, is_dry_run=dry_run)
        except psycopg.Error as error:
            raise DatabaseError(explain(urls.owner, error)) from error
    if as_json:
        click.echo(json.dumps({"dry_run": dry_run, **msgspec.to_builtins(report, str_keys=True)}))
        return
    _tell(report, dry_run=dry_run)


def _run(
    settings: Settings,
    vault: Vault,
    owner_url: str,
    contents: RegistryContents,
    from_us: int,
    to_us: int,
    device_id: int | None,
    *,
    is_dry_run: bool,
) -> Report:
    with psycopg.connect(owner_url, autocommit=True, application_name="skybeat reprocess") as connection:
        connection.execute("set role skybeat_owner")
        reprocessor = Reprocessor(
            ReplayRegistry(contents),
            RecordedRows(connection, SYSTEM_CLOCK, retention_days=settings.raw_retention_days),
            from_us=from_us,
            to_us=to_us,
            device_id=device_id,
            is_dry_run=is_dry_run,
        )
        folder = settings.data_dir / "raw"
        report = reprocessor.run(read_chunks(folder, vault, from_us=from_us - WARM_UP_US, to_us=to_us))
        if not is_dry_run:
            period = f"{utc_of(from_us).isoformat()} to {utc_of(to_us).isoformat()}"
            detail = {"device_id": device_id, **msgspec.to_builtins(report, str_keys=True)}
            connection.execute(_AUDIT, (period, Jsonb(detail)))
    return report


def _tell(report: Report, *, dry_run: bool) -> None:
    verb = "would be" if dry_run else "were"
    click.echo(
        f"{report.chunks} chunks decoded again, {report.unreadable} of links that are no more, {report.gaps} gaps"
    )
    click.echo(
        f"{report.rows_decoded} rows; {report.rows_new} {verb} added, {report.rows_superseded} {verb} moved aside"
    )
    for device_id, differences in sorted(report.devices.items()):
        click.echo(f"  device {device_id}: {differences.rows_new} new, {differences.rows_superseded} moved aside")


def _moment(option: str, text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{option} {text!r} is no time: write it like 2026-11-21T08:00:00Z"
        raise InputError(message) from error
    if at.tzinfo is None:
        message = f"{option} {text} has no zone: write it like 2026-11-21T08:00:00Z"
        raise InputError(message)
    return us_of(at)
