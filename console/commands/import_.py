"""`skybeat import`: a recorded flight into the archive, and what it holds."""

from pathlib import Path

import click
import msgspec

from infra.clock import SYSTEM_CLOCK
from infra.database import owner_connection
from infra.prepare import using_ready_urls
from infra.settings import load_settings
from telemetry.history.importer import Flight, ImportReport, read_flight, report_of, store_flight


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--dry-run", is_flag=True, help="Only read and count; needs no database.")
def command(file: Path, as_json: bool, dry_run: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Bring a ground station's recording (.tlog) into the flight archive; again is free.

    \b
    Examples:
      skybeat import "2026-11-21 16-44-06.tlog"
      skybeat import flight.tlog --json --dry-run
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    flight = read_flight(file)
    report = report_of(flight, None if dry_run else _store(flight))
    if as_json:
        click.echo(msgspec.json.encode(report).decode())
    else:
        _print(file, report)


def _store(flight: Flight) -> int:
    with using_ready_urls(load_settings()) as urls, owner_connection(urls.owner) as connection:
        return store_flight(connection, flight, now_us=SYSTEM_CLOCK.now_us())


def _print(file: Path, report: ImportReport) -> None:
    new = "dry run" if report.positions_new is None else f"{report.positions_new} new"
    click.echo(f"{file.name}: {report.positions} positions ({new}), {report.positions_unknown} without a fix")
    click.echo(
        f"{report.frames_good} frames, {report.frames_bad} gaps of {report.bytes_skipped} bytes, {report.reboots} reboots"
    )
    for unit in report.units:
        click.echo(
            f"  system {unit.system_id:>3}  {unit.kind:16} {unit.positions:>7} positions  {unit.first_at} .. {unit.last_at}"
        )
