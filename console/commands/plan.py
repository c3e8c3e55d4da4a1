"""`skybeat plan`: a day of patrols from a mission file, without a server; plans of a running console submitted and published."""

import sys
from pathlib import Path

import click
import msgspec

from console.script_door import console_options, open_console
from infra.clock import SYSTEM_CLOCK
from mission.formats.plan_files import read_file
from mission.model import Programme, Task, Zone
from mission.plan import PlanState
from mission.script import PlannedDay, plan
from telemetry.model.errors import InputError


class PlanGroup(click.Group):
    """A group whose first argument may be a file instead of a command: `skybeat plan FILE` is `skybeat plan make FILE`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command; what is no command is a mission file."""
        if args and args[0] not in self.commands:
            args = ["make", *args]
        return super().resolve_command(ctx, args)


@click.group("plan", cls=PlanGroup)
def command() -> None:
    """Plan a day of patrols.

    \b
    Examples:
      skybeat plan day.yaml
      skybeat plan day.yaml --day 2026-12-01 --out day.kmz --out day.ics
      skybeat plan publish 12
    """  # noqa: D301 - \b is click's mark for "do not wrap"


@command.command("make")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--day", help="Which day, such as 2026-12-01; today by default.")
@click.option("--effort", "effort_s", type=click.FloatRange(0.1, 600), default=5.0, show_default=True, help="Seconds.")
@click.option("--iterations", type=click.IntRange(1), help="Instead of --effort: the same plan on every machine.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option(
    "--terrain",
    type=click.Path(path_type=Path),
    help="The ground's heights (.asc, .npz); without one it is taken as flat.",
)
@click.option(
    "--out",
    "outs",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Save it: .plan .waypoints .kmz (one file a sortie) .kml .geojson .gpx .ics .yaml .json; may be given again.",
)
@click.option("--json", "as_json", is_flag=True, help="Print plan and refusals as JSON.")
def make(
    *,
    files: tuple[Path, ...],
    day: str | None,
    effort_s: float,
    iterations: int | None,
    seed: int,
    terrain: Path | None,
    outs: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Plan a day from a mission file (YAML). No server is needed.

    Further files (.geojson, .kml, .kmz, .plan, .waypoints, .gpx) bring areas, routes and zones for its drones.
    A raster of heights (WGS-84 degrees, metres above the sea) keeps flights at their height above the ground; climbs take
    time and battery. Exit status 2: something that is asked for cannot be done; the plan says what, why, and what would make it possible.

    \b
    Examples:
      skybeat plan day.yaml --day 2026-12-01
      skybeat plan day.yaml --json --iterations 200
      skybeat plan day.yaml --terrain dem.asc
      skybeat plan day.yaml area.kml --out day.plan --out day.ics
    """  # noqa: D301 - as above
    programme, *others = [_programme_of(file) for file in files]
    things = [one for other in others for one in _unnumbered(other)]
    found = plan(programme, *things, day=day, effort_s=effort_s, iterations=iterations, seed=seed, terrain=terrain)
    click.echo(msgspec.json.format(msgspec.json.encode(found.plan)).decode() if as_json else str(found))
    for path in (path for out in outs for path in found.save(out)):
        click.echo(f"saved {path}", err=as_json)
    if found.refusals:
        sys.exit(2)


def _programme_of(file: Path) -> Programme:
    """Return what a file brings; what of it was left out is told."""
    brought = read_file(file.read_bytes(), file.name, now_us=SYSTEM_CLOCK.now_us())
    for note in brought.notes:
        click.echo(f"{file.name}: {note.en}", err=True)
    return brought.programme


def _unnumbered(brought: Programme) -> tuple[Task | Zone, ...]:
    """Return what is asked for and the zones, without the numbers that the first file may have given already."""
    return (
        *(msgspec.structs.replace(task, task_id=0) for task in brought.tasks),
        *(msgspec.structs.replace(zone, zone_id=0) for zone in brought.zones),
    )


@command.command("submit")
@click.argument("plan_id", type=click.IntRange(1))
@console_options
def submit(plan_id: int, url: str | None, key: str | None, account_name: str | None) -> None:
    """Submit a draft of the running console to whoever approves it.

    \b
    Example:
      skybeat plan submit 12 --as planner
    """  # noqa: D301 - as above
    with open_console(url, key, account_name) as console:
        _tell(console.submit(console.read_plan(plan_id)))


@command.command("approve")
@click.argument("plan_id", type=click.IntRange(1))
@click.option("--reason", default="", help="Why an administrator approves what it submitted itself.")
@console_options
def approve(plan_id: int, reason: str, url: str | None, key: str | None, account_name: str | None) -> None:
    """Approve a plan that another submitted.

    \b
    Example:
      skybeat plan approve 12 --as chief
    """  # noqa: D301 - as above
    with open_console(url, key, account_name) as console:
        _tell(console.approve(console.read_plan(plan_id), reason=reason))


@command.command("publish")
@click.argument("plan_id", type=click.IntRange(1))
@click.option("--reason", default="", help="Why an administrator alone takes a draft all the way.")
@console_options
def publish(plan_id: int, reason: str, url: str | None, key: str | None, account_name: str | None) -> None:
    """Publish an approved plan: its sorties are offered to pilots when they are due.

    \b
    Example:
      skybeat plan publish 12 --as planner
    """  # noqa: D301 - as above
    with open_console(url, key, account_name) as console:
        day = console.read_plan(plan_id)
        if day.plan.state in (PlanState.DRAFT, PlanState.SUBMITTED) and not reason:
            message = f"plan {plan_id} is {day.plan.state.value}: let another approve it, or say why not (--reason)"
            raise InputError(message)
        _tell(console.publish(day, reason=reason))


def _tell(day: PlannedDay) -> None:
    click.echo(f"plan {day.plan.plan_id} is {day.plan.state.value} (version {day.plan.version})")
