"""`skybeat bench`: measures the product against its peers and its goals."""

import json
import sys

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
def command(name: str, as_json: bool, gate: bool, runs: int, seed: int) -> None:  # noqa: FBT001 - click passes flags so
    """Measure one part of skybeat. Ratios against a peer in the same run are the gate; absolute figures stand beside them.

    \b
    Example:
      skybeat bench decode --json
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    result = run_benchmark(name, runs=runs, seed=seed)
    if as_json:
        click.echo(json.dumps(result))
    else:
        for figure, value in result.items():
            click.echo(f"{figure:28} {value}")
    unmet = result["unmet"]
    if gate and unmet:
        click.echo(f"skybeat: goals unmet: {unmet}", err=True)
        sys.exit(1)
