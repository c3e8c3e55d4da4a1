"""`skybeat geofence`: brings geofences, and who shall stay in which, from files."""

import sys
from pathlib import Path
from typing import Final

import click

from console.geofence_file import GeofenceReport, import_geofences, parse_geofence_file
from infra.clock import SYSTEM_CLOCK
from infra.database import owner_connection
from infra.prepare import using_ready_urls
from infra.settings import load_settings
from telemetry.model.datum import Crs

SHOWN_PROBLEMS: Final = 50


@click.group("geofence")
def command() -> None:
    """Bring geofences and assigned areas from files.

    \b
    Example:
      skybeat geofence import areas.geojson --dry-run
    """  # noqa: D301 - \b is click's mark for "do not wrap"


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would be done and what is wrong with which entry.")
@click.option(
    "--crs",
    type=click.Choice([crs.value for crs in Crs]),
    default=Crs.WGS84.value,
    show_default=True,
    help="What the coordinates are in; a geofence's own `crs` says otherwise.",
)
def import_command(file: Path, dry_run: bool, crs: str) -> None:  # noqa: FBT001 - click passes flags so
    """Add what is new and redraw what is known by its `ref`; with one wrong entry nothing is written.

    A .geojson or .json file holds geofences (Polygon, MultiPolygon, Point with radius_m, LineString with width_m) and assignments;
    a .csv file holds assignments by the geofence's ref and a call sign or a station's number.

    \b
    Examples:
      skybeat geofence import areas.geojson --crs gcj02
      skybeat geofence import week-47.csv --dry-run

    \b
    A GeoJSON feature's properties:
      {"ref": "river-1", "name_zh": "河边", "name_en": "Riverside", "station": 3, "limit_mps": 8.3, "raises_alarm": true}

    \b
    A CSV file of assignments:
      geofence,unit,station,from_at,to_at
      river-1,Car 12,,2026-11-23T08:00:00+08:00,2026-11-23T20:00:00+08:00
      river-1,,3,,
    """  # noqa: D301 - as above
    said = parse_geofence_file(file.read_bytes(), file.name, crs=Crs(crs))
    with using_ready_urls(load_settings()) as urls, owner_connection(urls.owner) as connection:
        report = import_geofences(connection, said, now_us=SYSTEM_CLOCK.now_us())
        if dry_run or report.problems:
            connection.rollback()
    _tell(report, dry_run=dry_run)
    if report.problems:
        sys.exit(1)


def _tell(report: GeofenceReport, *, dry_run: bool) -> None:
    for problem in report.problems[:SHOWN_PROBLEMS]:
        click.echo(f"entry {problem.line}: {problem.message}", err=True)
    if report.problems:
        click.echo(f"{len(report.problems)} problems; nothing was written", err=True)
        return
    click.echo(f"geofences   {report.fences:>6}")
    click.echo(f"assignments {report.assignments:>6}")
    if dry_run:
        click.echo("dry run: nothing was written")
