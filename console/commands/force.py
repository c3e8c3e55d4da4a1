"""`skybeat force`: brings stations, posts, cameras, units and devices in bulk."""

import csv
import io
import os
import sys
from pathlib import Path
from typing import Final

import click

from infra.clock import SYSTEM_CLOCK
from infra.database import owner_connection
from infra.prepare import using_ready_urls
from infra.settings import load_settings
from infra.vault import Vault
from telemetry.model.datum import Crs
from telemetry.model.errors import InputError
from telemetry.registry.force_file import parse_force_file
from telemetry.registry.force_import import ForceReport, IssuedTo, import_force

SHOWN_PROBLEMS: Final = 50


@click.group("force")
def command() -> None:
    """Bring a whole force from a file.

    \b
    Example:
      skybeat force import force.csv --dry-run
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
@click.option(
    "--secrets",
    "secrets_file",
    type=click.Path(exists=False, path_type=Path),
    help="Write new devices' secrets to this new file (for your eyes only) instead of printing them.",
)
def import_command(file: Path, dry_run: bool, crs: str, secrets_file: Path | None) -> None:  # noqa: FBT001 - click passes flags so
    """Add what is new and change what is known; with one wrong line nothing is written.

    A line (CSV) or Point feature (GeoJSON) is one of: station, post, camera, unit, device, told by its column `record`.

    \b
    Examples:
      skybeat force import force.csv --dry-run
      skybeat force import stations.geojson --crs gcj02

    \b
    A CSV file:
      record,number,call_sign,kind,service,station,name_zh,name_en,lat_deg,lon_deg,protocol,address,label,unit
      station,1,,,,,西津,Xijin,36.071,103.791,,,,
      unit,,Car 12,car,patrol,1,,,,,,,,
      device,,,,,,,,,,phone,,handset 0042,Car 12

    A column `equipment` names what a unit carries, as "aed first_aid": aed, first_aid, life_ring, extinguisher, shield,
    breath_tester, speaker, searchlight, thermal_camera.
    """  # noqa: D301 - as above
    force = parse_force_file(file.read_bytes(), file.name, crs=Crs(crs))
    settings = load_settings()
    with using_ready_urls(settings) as urls, owner_connection(urls.owner) as connection:
        vault = Vault.open(settings.data_dir)
        report = import_force(connection, force, vault=vault, now_us=SYSTEM_CLOCK.now_us())
        if dry_run or report.problems:
            connection.rollback()
        elif secrets_file is not None:
            _write_secrets(secrets_file, report)
    _tell(report, dry_run=dry_run)
    if report.problems:
        sys.exit(1)
    if not dry_run and secrets_file is None and report.issued:
        click.echo(_secrets_as_csv(report.issued), nl=False)


def _tell(report: ForceReport, *, dry_run: bool) -> None:
    for problem in report.problems[:SHOWN_PROBLEMS]:
        click.echo(f"line {problem.line}: {problem.message}", err=True)
    if report.problems:
        more = len(report.problems) - SHOWN_PROBLEMS
        tail = f" ({more} more than shown)" if more > 0 else ""
        click.echo(f"{len(report.problems)} problems{tail}; nothing was written", err=True)
        return
    for record in sorted(report.added | report.known):
        click.echo(f"{record:8} {report.added.get(record, 0):>6} new {report.known.get(record, 0):>6} known")
    if dry_run:
        click.echo("dry run: nothing was written")


def _secrets_as_csv(issued: tuple[IssuedTo, ...]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["device_id", "protocol", "label", "unit", "secret"])
    for entry in issued:
        device = entry.issued.device
        writer.writerow([device.device_id, device.protocol, device.label, entry.call_sign or "", entry.issued.secret])
    return text.getvalue()


def _write_secrets(path: Path, report: ForceReport) -> None:
    """Write the secrets before the import is committed: what cannot be told must not be enrolled."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InputError(
            f"cannot write {path} ({error.strerror}): name a new file in a folder that you may write to"
        ) from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(_secrets_as_csv(report.issued))
