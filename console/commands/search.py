"""`skybeat search`: a drone searches round the place where somebody was last seen: planned, flown and told."""

import click

from console.commands.fly import Teller, parse_place, tell_flight
from console.script_door import console_options, open_console
from telemetry.model.datum import Crs


@click.command("search")
@click.option("--at", "place", required=True, help="Where somebody was last seen: LAT,LON in degrees.")
@click.option(
    "--radius", "radius_m", type=click.FloatRange(10, 5000), default=300.0, show_default=True, help="How far round it."
)
@click.option("--crs", type=click.Choice([crs.value for crs in Crs]), default=Crs.WGS84.value, show_default=True)
@click.option("--dry-run", is_flag=True, help="Only say which drone would search and when it would begin.")
@click.option("--no-wait", is_flag=True, help="Return once it is sent, without telling how far it is.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@console_options
def command(
    *,
    place: str,
    radius_m: float,
    crs: str,
    dry_run: bool,
    no_wait: bool,
    as_json: bool,
    url: str | None,
    key: str | None,
    account_name: str | None,
) -> None:
    """Search for a missing person: an expanding square about a place, by the drone that is there soonest.

    \b
    Examples:
      skybeat search --at 36.0655,103.8340 --radius 400 --as wang
      skybeat search --at 36.0655,103.8340 --crs gcj02 --dry-run --as wang
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    with open_console(url, key, account_name) as console:
        found = console.search(parse_place(place), radius_m=radius_m, crs=crs, dry_run=dry_run)
        tell_flight(found, as_json=as_json)
        if not dry_run and not no_wait:
            Teller(as_json=as_json).follow(console, found.unit_id)
