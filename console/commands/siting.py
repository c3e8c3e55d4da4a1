"""`skybeat siting`: where new stations, posts and mobile rooms should stand, and balanced beats, from the command line."""

import csv
import json
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from console.api.models_siting import BeatsReply, BeatsRequest, SiteKindWanted, SitePlace, SitingReply, SitingRequest
from console.coverage.protocol import StationPlace
from console.planning.protocol import BeatsAsked, Ground, PostPlace, SitesAsked
from infra.database import owner_connection
from infra.prepare import using_ready_urls
from infra.settings import load_settings
from mission.siting.planning_map import DemandKind
from telemetry.model.datum import Crs, to_wgs84
from telemetry.model.errors import InputError

_STATIONS = "select station_id, lat_e7, lon_e7, ring_order from station order by number"
_POSTS = "select post_id, kind, name_zh, name_en, lat_e7, lon_e7 from post order by post_id"
_DEMANDS = click.Choice([DemandKind.ROADS.value, DemandKind.PEOPLE.value])


@click.group("siting")
def command() -> None:
    """Plan where the force stands: new sites, and beats.

    \b
    Example:
      skybeat siting sites --kind station --new 2
    """  # noqa: D301 - \b is click's mark for "do not wrap"


@command.command("sites")
@click.option("--kind", type=click.Choice(["station", "post", "mobile_room"]), default="station", show_default=True)
@click.option(
    "--new", "new_count", type=click.IntRange(0, 200), default=1, show_default=True, help="How many new ones."
)
@click.option("--fewest", is_flag=True, help="As few as cover all that can be covered, instead of --new.")
@click.option("--limit-s", type=click.FloatRange(1, 1800), default=180.0, show_default=True, help="Seconds of travel.")
@click.option(
    "--demand", type=_DEMANDS, default=DemandKind.ROADS.value, show_default=True, help="What is to be covered."
)
@click.option(
    "--backup", "backup_share", type=click.FloatRange(0, 1), default=0.0, help="Worth of a second cover, 0 to 1."
)
@click.option("--anew", is_flag=True, help="As if nothing stood yet.")
@click.option(
    "--candidates",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A CSV file with the columns lat_deg and lon_deg: only there.",
)
@click.option("--crs", type=click.Choice([crs.value for crs in Crs]), default=Crs.WGS84.value, show_default=True)
@click.option("--within-s", type=click.FloatRange(0.1, 60), default=10.0, show_default=True, help="How long to search.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines for people.")
def sites_command(
    *,
    kind: str,
    new_count: int,
    fewest: bool,
    limit_s: float,
    demand: str,
    backup_share: float,
    anew: bool,
    candidates: Path | None,
    crs: str,
    within_s: float,
    as_json: bool,
) -> None:
    """Say where new sites cover the most, with the proof that no other choice covers more (or a bound).

    \b
    Examples:
      skybeat siting sites --kind station --new 2 --limit-s 180
      skybeat siting sites --kind post --fewest --anew --demand people
      skybeat siting sites --kind mobile_room --new 3 --candidates squares.csv --crs gcj02 --json
    """  # noqa: D301 - as above
    wanted = SiteKindWanted(
        kind=kind,
        new_count=None if fewest else new_count,
        limit_s=limit_s,
        keep_existing=not anew,
        candidates=None if candidates is None else read_candidates(candidates, Crs(crs)),
    )
    request = SitingRequest(kinds=[wanted], demand=DemandKind(demand), backup_share=backup_share, within_s=within_s)
    reply = _engine_answer(SitesAsked(_ground(), request))
    assert isinstance(reply, SitingReply)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(reply)))
        return
    for site in reply.sites:
        street = site.street_en or site.street_zh or "-"
        click.echo(
            f"{site.kind:12} {site.lat_deg:10.6f} {site.lon_deg:11.6f}  {street:28} alone {site.alone_share:6.1%}"
        )
    click.echo(
        f"covered: {reply.before_share:.1%} before, {reply.covered_share:.1%} after, {reply.backup_share:.1%} twice"
    )
    proof = (
        "proven: no other choice is better"
        if reply.gap_ratio == 0.0
        else f"at most {reply.gap_ratio:.1%} from the best"
    )
    click.echo(f"{reply.demand_count} demands, {reply.site_count} sites, {reply.solver_s:.2f} s; {proof}")


@command.command("beats")
@click.option("--per-station", type=click.IntRange(1, 20), default=1, show_default=True)
@click.option("--demand", type=_DEMANDS, default=DemandKind.ROADS.value, show_default=True, help="What is shared out.")
@click.option("--tolerance", "tolerance_ratio", type=click.FloatRange(0.001, 1), default=0.05, show_default=True)
@click.option(
    "--geojson", type=click.Path(dir_okay=False, path_type=Path), help="Write the beats' ground to this file."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines for people.")
def beats_command(
    *, per_station: int, demand: str, tolerance_ratio: float, geojson: Path | None, as_json: bool
) -> None:
    """Share the streets out among the stations: beats of equal weight, each in one piece.

    \b
    Examples:
      skybeat siting beats
      skybeat siting beats --per-station 3 --demand people --geojson beats.geojson
    """  # noqa: D301 - as above
    request = BeatsRequest(beats_per_station=per_station, demand=DemandKind(demand), tolerance_ratio=tolerance_ratio)
    reply = _engine_answer(BeatsAsked(_ground(), request))
    assert isinstance(reply, BeatsReply)
    if geojson is not None:
        geojson.write_text(json.dumps(beats_geojson(reply), ensure_ascii=False), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(reply)))
    else:
        for beat in reply.beats:
            where = f"station {beat.station_id:4} beat {beat.number:2}"
            click.echo(
                f"{where}  {beat.weight_share:6.1%}  {beat.road_km:7.1f} km  mean {beat.mean_s:4.0f} s  worst {beat.worst_s:5.0f} s"
            )
        click.echo(f"imbalance {reply.imbalance_ratio:.1%}")
    if not reply.is_balanced:
        click.echo(f"skybeat: the beats are not within {tolerance_ratio:.1%} of each other", err=True)
        sys.exit(1)


def read_candidates(path: Path, crs: Crs) -> list[SitePlace]:
    """Return the places of a CSV file in WGS-84. Raises InputError that names the line."""
    places: list[SitePlace] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            line = 2 + len(places)
            try:
                lat, lon = float(row["lat_deg"]), float(row["lon_deg"])
            except (KeyError, TypeError, ValueError) as error:
                message = f"{path} line {line}: needs numbers in the columns lat_deg and lon_deg; mend the line"
                raise InputError(message) from error
            if not (abs(lat) <= 90.0 and abs(lon) <= 180.0):
                message = f"{path} line {line}: {lat}, {lon} is no place: latitude -90 to 90, longitude -180 to 180"
                raise InputError(message)
            place = to_wgs84(lat, lon, crs=crs)
            places.append(SitePlace(lat_deg=float(place[0]), lon_deg=float(place[1])))
    if not places:
        raise InputError(f"{path} names no place: one line each, with the columns lat_deg and lon_deg")
    return places


def beats_geojson(reply: BeatsReply) -> dict[str, Any]:
    """Return the beats as a GeoJSON FeatureCollection of MultiPolygons."""
    features = []
    for beat in reply.beats:
        properties = msgspec.to_builtins(beat)
        geometry = {"type": "MultiPolygon", "coordinates": properties.pop("polygons")}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    return {"type": "FeatureCollection", "features": features}


def _engine_answer(question: SitesAsked | BeatsAsked) -> object:
    from console.planning.engine import PlanningEngine  # loads the map's libraries: not for --help

    return PlanningEngine().answer(question)


def _ground() -> Ground:
    """Return the city's folder with the force's stations and posts."""
    settings = load_settings()
    with using_ready_urls(settings) as urls, owner_connection(urls.owner) as connection:
        stations = connection.execute(_STATIONS).fetchall()
        posts = connection.execute(_POSTS).fetchall()
    return Ground(
        city_dir=str(settings.data_dir / "city"),
        stations=[StationPlace(number, lat / 1e7, lon / 1e7, ring) for number, lat, lon, ring in stations],
        posts=[PostPlace(number, kind, zh, en, lat / 1e7, lon / 1e7) for number, kind, zh, en, lat, lon in posts],
    )
