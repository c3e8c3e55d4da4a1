"""`skybeat fly`: the drone that is there soonest is sent to a place, or a sortie of a published plan is flown; told until it is over."""

import json
import math
from datetime import UTC, datetime
from typing import Final

import click
import msgspec

from console.script_door import console_options, open_console
from infra.clock import MICROSECONDS
from mission.script import Console, Flight, Progress
from telemetry.model.datum import Crs
from telemetry.model.errors import InputError

TOLD_EVERY_S: Final = 10.0


@click.command("fly")
@click.argument("sortie", required=False)
@click.option("--to", "place", help="Where somebody is wanted: LAT,LON in degrees.")
@click.option("--crs", type=click.Choice([crs.value for crs in Crs]), default=Crs.WGS84.value, show_default=True)
@click.option("--alt", "alt_agl_m", type=click.FloatRange(5, 500), help="Metres above ground.")
@click.option("--stay", "stay_s", type=click.FloatRange(0, 7200), help="Seconds over the place.")
@click.option("--dry-run", is_flag=True, help="Only say which drone would go and when it would be there.")
@click.option("--no-wait", is_flag=True, help="Return once it is sent, without telling how far it is.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@console_options
def command(
    *,
    sortie: str | None,
    place: str | None,
    crs: str,
    alt_agl_m: float | None,
    stay_s: float | None,
    dry_run: bool,
    no_wait: bool,
    as_json: bool,
    url: str | None,
    key: str | None,
    account_name: str | None,
) -> None:
    """Send the drone that is at a place soonest, with wind, battery to come home, zones and rules; or fly PLAN/SORTIE.

    \b
    Examples:
      skybeat fly --to 36.0655,103.8340 --as wang
      skybeat fly --to 36.0655,103.8340 --crs gcj02 --dry-run --as wang
      skybeat fly 12/3 --as wang
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    if (sortie is None) == (place is None):
        message = "give either --to LAT,LON or a sortie of a published plan as PLAN/SORTIE, such as 12/3"
        raise InputError(message)
    with open_console(url, key, account_name) as console:
        teller = Teller(as_json=as_json)
        if sortie is not None:
            plan_id, sortie_id = parse_sortie(sortie)
            unit_id = console.fly(console.read_plan(plan_id), sortie_id, tell=teller.tell)
        else:
            lat_deg, lon_deg = parse_place(place or "")
            found = console.fly_to(lat_deg, lon_deg, crs=crs, alt_agl_m=alt_agl_m, stay_s=stay_s, dry_run=dry_run)
            tell_flight(found, as_json=as_json)
            unit_id = found.unit_id
        if not dry_run and not no_wait:
            teller.follow(console, unit_id)


def parse_place(text: str) -> tuple[float, float]:
    """Return (lat, lon) in degrees from "LAT,LON". Raises InputError for anything else."""
    parts = text.split(",")
    try:
        lat_deg, lon_deg = (float(part) for part in parts)
    except ValueError as error:
        message = f"{text!r} is no place: write LAT,LON in degrees, such as 36.0655,103.8340"
        raise InputError(message) from error
    if not (math.isfinite(lat_deg) and math.isfinite(lon_deg) and abs(lat_deg) <= 85 and abs(lon_deg) <= 180):
        message = f"{text!r} is no place: the latitude comes first, within 85 degrees, then the longitude, within 180"
        raise InputError(message)
    return lat_deg, lon_deg


def parse_sortie(text: str) -> tuple[int, int]:
    """Return (plan_id, sortie_id) from "PLAN/SORTIE". Raises InputError for anything else."""
    plan, _, sortie = text.partition("/")
    if not (plan.isdigit() and sortie.isdigit()):
        message = (
            f"{text!r} is no sortie: write PLAN/SORTIE, such as 12/3; the planner and `skybeat plan` show the numbers"
        )
        raise InputError(message)
    return int(plan), int(sortie)


def tell_flight(flight: Flight, *, as_json: bool) -> None:
    """Print who goes and when it is there."""
    if as_json:
        click.echo(msgspec.json.encode(flight))
        return
    ratio = flight.detection_ratio
    found = "" if ratio is None else f"; its search finds who is there with {ratio:.0%}"
    click.echo(
        f"{flight.name} (unit {flight.unit_id}) is there in {flight.arrive_s:.0f} s with {flight.battery_at_scene_ratio:.0%} "
        f"of its battery, home again with {flight.return_ratio:.0%}{found}"
    )
    for warning in flight.warnings:
        click.echo(f"  {warning}")


class Teller:
    """Prints how far a flight is: each step and reason, and for people the time that is left every 10 s."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._told: Progress | None = None

    def follow(self, console: Console, unit_id: int) -> None:
        """Tell a flight until it is over."""
        for found in console.progress(unit_id):
            self.tell(found)

    def tell(self, found: Progress) -> None:
        """Print what is news."""
        if found == self._told or not (self._as_json or self._told is None or _is_news(found, self._told)):
            return
        self._told = found
        if self._as_json:
            click.echo(json.dumps(msgspec.to_builtins(found)))
        else:
            click.echo(f"{found.step:<10} {found.flown}/{found.waypoint_count}{_there(found)}  {found.text}".rstrip())


def _there(found: Progress) -> str:
    if found.arrived_us is not None:
        since = datetime.fromtimestamp(found.arrived_us / MICROSECONDS, UTC).astimezone()
        return f"  there since {since:%H:%M:%S}"
    return "" if found.arrive_s is None else f"  there in {found.arrive_s:.0f} s"


def _is_news(found: Progress, told: Progress) -> bool:
    if (found.step, found.flown, found.arrived_us, found.text) != (told.step, told.flown, told.arrived_us, told.text):
        return True
    return found.arrive_s is not None and (told.arrive_s is None or abs(found.arrive_s - told.arrive_s) >= TOLD_EVERY_S)
