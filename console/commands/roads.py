"""`skybeat roads`: imports a map extract, shows the roads, and fits speeds to our own tracks."""

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
import msgspec
import numpy as np
import psycopg

from console.city.basemap_build import Progress, build_city
from console.city.fit_roads import FIT_DAYS, fit_from_history
from infra.clock import SYSTEM_CLOCK
from infra.database import DatabaseError, explain
from infra.disk import explained
from infra.prepare import using_ready_urls
from infra.settings import Settings, load_settings
from infra.vault import Vault
from mission.roads.graph import EdgeIndex, RoadGraph, load_roads
from mission.roads.osm import OsmExtract, read_osm
from mission.roads.osm_graph import ImportReport
from mission.roads.speed_fit import CLASS_NAMES, said
from mission.roads.travel import DEFAULT_SPEEDS, SPEEDS_FILE, Speeds, load_speeds
from telemetry.model.errors import ConflictError, NotFoundError
from telemetry.model.unit import Station
from telemetry.registry.store import RegistryStore

NEAR_ROAD_M: Final = 1000.0
"""A station farther than this from every road of a map does not stand on it."""
_RESTART: Final = "a running `skybeat serve` uses it after a restart"


@click.group("roads")
def command() -> None:
    """Bring the roads and the base map of your city, and show them.

    \b
    Examples:
      skybeat roads import city.osm.pbf --name-zh 兰州 --name-en Lanzhou
      skybeat roads show
      skybeat roads fit --days 7
    """  # noqa: D301 - \b is click's mark for "do not wrap"


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name-zh", help="The city's Chinese name; without: the file's.")
@click.option("--name-en", help="The city's English name; without: the file's.")
@click.option("--another-city", is_flag=True, help="Take a map on which none of the registry's stations stands.")
@click.option("--dry-run", is_flag=True, help="Only read and count; needs no database and writes nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one JSON object.")
def import_command(
    file: Path,
    name_zh: str | None,
    name_en: str | None,
    another_city: bool,  # noqa: FBT001 - click passes flags so
    dry_run: bool,  # noqa: FBT001 - as above
    as_json: bool,  # noqa: FBT001 - as above
) -> None:
    """Make the roads and the base map of an OpenStreetMap extract (.osm.pbf), in place of the present ones.

    What the extract leaves open is left out and counted. The map shows "© OpenStreetMap contributors", as its licence asks.

    \b
    Examples:
      skybeat roads import city.osm.pbf --name-zh 兰州 --name-en Lanzhou
      skybeat roads import city.osm.pbf --dry-run
    """  # noqa: D301 - as above
    settings = load_settings()
    tell = _silent if as_json else click.echo
    extract = read_osm(file, tell)
    if not dry_run:
        if not another_city:
            for line in demand_own_city(extract.roads, _stations(settings), file.name):
                tell(line)
        _write(settings, extract, file, names=(name_zh, name_en), is_another=another_city, tell=tell)
    if as_json:
        click.echo(msgspec.json.encode(extract.report).decode())
        return
    for line in counted(extract.report):
        click.echo(line)


def _silent(_line: str) -> None:
    return


def _write(
    settings: Settings,
    extract: OsmExtract,
    file: Path,
    *,
    names: tuple[str | None, str | None],
    is_another: bool,
    tell: Progress,
) -> None:
    folder = settings.data_dir / "city"
    plain = file.name.split(".")[0].replace("-latest", "").replace("_", " ").strip().title() or "City"
    with explained("the city's folder", folder):
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        city = build_city(
            extract,
            folder,
            name_zh=names[0] or names[1] or plain,
            name_en=names[1] or names[0] or plain,
            source=file.name,
            is_another=is_another,
            progress=tell,
        )
    tell(f"the map of {city.name_en} is in {folder}: {_RESTART}")


def demand_own_city(roads: RoadGraph, stations: Sequence[Station], source: str) -> list[str]:
    """Return a line on the stations that stand off the map, if any; raise ConflictError when all registered ones do."""
    if not stations:
        return []
    lat, lon = (np.array([getattr(station, name) for station in stations]) for name in ("lat_deg", "lon_deg"))
    off = np.flatnonzero(EdgeIndex(roads).snap(lat, lon, within_m=NEAR_ROAD_M).edge < 0)
    if len(off) == len(stations):
        message = (
            f"none of the {len(stations)} registered stations stands within {NEAR_ROAD_M:.0f} m of a road of {source}: "
            "it is the map of another city (or the stations' coordinates are in another system); "
            "give --another-city to take it all the same"
        )
        raise ConflictError(message)
    numbers = ", ".join(str(stations[place].number) for place in off.tolist())
    far = f"more than {NEAR_ROAD_M:.0f} m from every road of the map: check their coordinates and crs"
    return [f"stations {numbers} stand {far}"] if len(off) else []


def counted(report: ImportReport) -> list[str]:
    """Return what an import kept and left out, in lines for people."""
    size = f"{report.road_km:.1f} km, {report.node_count} nodes, {report.edge_count} directed edges"
    kinds = f"{report.oneway_ways} one-way, {report.bridge_ways} bridges, {report.tunnel_ways} tunnels"
    closed = f"{report.no_road} that are no road, {report.no_access} open to nobody"
    broken = f"{report.dangling_refs} nodes that the file lacks, {report.repeated_refs} repeated nodes"
    apart = f"{report.islands} islands with {report.island_nodes} nodes, {report.areas_left_out} broken outlines"
    return [
        f"kept: {report.ways_kept} ways of {report.ways_read}, {size}",
        f"  {kinds}, {report.barriers} barriers, {report.areas_kept} areas",
        f"left out: {closed}, {broken}, {apart}",
        f"kept, but a car cannot both reach and leave it: {report.one_sided_nodes} nodes",
    ]


def _stations(settings: Settings) -> tuple[Station, ...]:
    with using_ready_urls(settings) as urls:
        store = RegistryStore(urls.writer, Vault.open(settings.data_dir))
        try:
            return asyncio.run(store.load()).stations
        except psycopg.Error as error:
            raise DatabaseError(explain(urls.writer, error)) from error


class RoadsShown(msgspec.Struct, frozen=True, kw_only=True):
    """What `roads show --json` prints; `class_speed_mps` and `measured_pairs` are by mode, in the order of `classes`."""

    name_zh: str
    name_en: str
    attribution: str
    node_count: int
    edge_count: int
    street_count: int
    road_km: float
    class_km: dict[str, float]
    classes: tuple[str, ...]
    class_speed_mps: dict[str, tuple[float, ...]]
    measured_pairs: dict[str, tuple[int, ...]]
    turnout_s: dict[str, float]


@command.command("show")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show_command(as_json: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Show the present map: its size, its road classes, and the speeds that count.

    \b
    Example:
      skybeat roads show --json
    """  # noqa: D301 - as above
    folder = load_settings().data_dir / "city"
    shown = shown_of(_present(folder), load_speeds(folder), folder)
    if as_json:
        click.echo(msgspec.json.encode(shown).decode())
        return
    click.echo(f"{shown.name_en} ({shown.name_zh}) {shown.attribution}".strip())
    click.echo(
        f"{shown.road_km:.1f} km, {shown.street_count} streets, {shown.node_count} nodes, {shown.edge_count} edges"
    )
    click.echo("class".ljust(12) + "km".rjust(9) + "".join(mode.rjust(12) for mode in shown.class_speed_mps))
    for place, name in enumerate(shown.classes):
        speeds = "".join(
            f"{by_class[place]:10.1f} {_mark(shown, mode, place)}" for mode, by_class in shown.class_speed_mps.items()
        )
        click.echo(name.ljust(12) + f"{shown.class_km[name]:9.1f}" + speeds)
    click.echo("speeds in m/s; * fitted to our own tracks (skybeat roads fit)")


def _mark(shown: RoadsShown, mode: str, place: int) -> str:
    measured = shown.measured_pairs.get(mode, ())
    default = DEFAULT_SPEEDS.class_speed_mps
    changed = any(key.value == mode and shown.class_speed_mps[mode][place] != default[key][place] for key in default)
    return "*" if changed and place < len(measured) and measured[place] else " "


def shown_of(roads: RoadGraph, speeds: Speeds, folder: Path) -> RoadsShown:
    """Return the figures of a map and its speeds; names are those of `city.json`."""
    streets = roads.streets
    km = np.bincount(streets.road_class, streets.length_m, minlength=len(CLASS_NAMES)) / 1000.0
    about: dict[str, object] = {}
    with contextlib.suppress(OSError, msgspec.DecodeError):
        about = msgspec.json.decode((folder / "city.json").read_bytes(), type=dict[str, object])
    return RoadsShown(
        name_zh=str(about.get("name_zh", "")),
        name_en=str(about.get("name_en", "")),
        attribution=roads.attribution,
        node_count=roads.node_count,
        edge_count=len(roads.edge_from),
        street_count=streets.count,
        road_km=round(float(km.sum()), 3),
        class_km={name: round(float(value), 3) for name, value in zip(CLASS_NAMES, km, strict=True)},
        classes=CLASS_NAMES,
        class_speed_mps={mode.value: by_class for mode, by_class in speeds.class_speed_mps.items()},
        measured_pairs={mode.value: counts for mode, counts in speeds.measured.items()},
        turnout_s={mode.value: seconds for mode, seconds in speeds.turnout_s.items()},
    )


def _present(folder: Path) -> RoadGraph:
    if not (folder / "roads.npz").is_file():
        message = f"there is no map in {folder}: `skybeat roads import city.osm.pbf` makes one"
        raise NotFoundError(message)
    return load_roads(folder / "roads.npz")


@command.command("fit")
@click.option(
    "--days", type=click.IntRange(1, 90), default=FIT_DAYS, show_default=True, help="How far back to look for tracks."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be fitted.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a class and mode.")
def fit_command(days: int, dry_run: bool, as_json: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Fit the speeds on each class of road to our own tracks; a class with too few fixes keeps its default.

    Ten minutes in every two hours are read, of each unit; standing does not count, medians decide. Hours of the day and
    turnout seconds stay as they are.

    \b
    Examples:
      skybeat roads fit --days 7 --dry-run
    """  # noqa: D301 - as above
    settings = load_settings()
    folder = settings.data_dir / "city"
    roads, base = _present(folder), load_speeds(folder)
    with using_ready_urls(settings) as urls:
        vault = Vault.open(settings.data_dir)
        tell = _silent if as_json else click.echo
        work = fit_from_history(roads, urls, vault, now_us=SYSTEM_CLOCK.now_us(), days=days, base=base, progress=tell)
        speeds, findings = asyncio.run(work)
    is_written = not dry_run and any(finding.fitted_mps is not None for finding in findings)
    if is_written:
        with explained("the speeds", folder / SPEEDS_FILE):
            (folder / SPEEDS_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(speeds)))
    if as_json:
        click.echo(msgspec.json.encode(findings).decode())
        return
    for line in said(findings) or ["no unit's track lies on these roads in that time: all speeds stay"]:
        click.echo(line)
    click.echo(f"written to {folder / SPEEDS_FILE}: {_RESTART}" if is_written else "nothing was written")
