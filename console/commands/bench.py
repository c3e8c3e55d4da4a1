"""`skybeat bench`: measures the product against its peers and its goals."""

import json
import sys
from pathlib import Path

import click

from console.bench import names, run_benchmark


@click.command()
@click.argument("name", type=click.Choice(names()))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines for people.")
@click.option("--gate", is_flag=True, help="Exit with status 1 when a goal is unmet.")
@click.option(
    "--runs", type=click.IntRange(1, 101), default=5, show_default=True, help="How often to measure; medians are shown."
)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option(
    "--osm",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A map extract (.osm.pbf) in place of the demo city, for benchmarks that work on a map.",
)
@click.option(
    "--seconds", "duration_s", type=click.FloatRange(min=1.0), help="How long, for those that last (pipeline, toptw)."
)
@click.option("--iterations", type=click.IntRange(min=1), help="How many iterations in place of seconds (toptw).")
@click.option(
    "--dir",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of instances (toptw, idleness).",
)
@click.option(
    "--geojson",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Polygons of one's own (coverage_path).",
)
def command(
    name: str,
    as_json: bool,  # noqa: FBT001 - click passes flags so
    gate: bool,  # noqa: FBT001 - as above
    runs: int,
    seed: int,
    **options: Path | float | None,
) -> None:
    """Measure one part of skybeat. Ratios against a peer in the same run are the gate; absolute figures stand beside them.

    \b
    Examples:
      skybeat bench decode --json
      skybeat bench roads --osm city.osm.pbf
      skybeat bench pipeline --seconds 60 --json
      skybeat bench toptw --dir instances --seconds 5 --gate
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    result = run_benchmark(name, runs=runs, seed=seed, **options)
    if as_json:
        click.echo(json.dumps(result))
    else:
        for figure, value in result.items():
            click.echo(f"{figure:28} {value}")
    unmet = result["unmet"]
    if gate and unmet:
        click.echo(f"skybeat: goals unmet: {unmet}", err=True)
        sys.exit(1)
