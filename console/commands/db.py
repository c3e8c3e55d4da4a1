"""`skybeat db`: brings the database to this program's schema, and tells where it stands."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import click
import psycopg

from infra.clock import SYSTEM_CLOCK
from infra.database import DatabaseError, ServerFacts, check_server, explain, using_urls
from infra.migrate import Status, migrate, status
from infra.settings import load_settings


@click.group("db")
def command() -> None:
    """Migrate the database or show its state: the embedded one, or that of SKYBEAT_DATABASE_URL.

    \b
    Example:
      skybeat db migrate
    """  # noqa: D301 - \b is click's mark for "do not wrap"


@command.command("migrate")
def migrate_command() -> None:
    """Apply every migration that the database lacks; safe to run again, and by two at once.

    \b
    Example:
      skybeat db migrate
    """  # noqa: D301 - as above
    with using_urls(load_settings()) as urls:
        facts = check_server(urls.owner, SYSTEM_CLOCK)
        with _explained(urls.owner):
            applied = migrate(urls.owner)
    for step in applied:
        click.echo(f"applied {step.name} in {step.duration_ms} ms")
    click.echo(f"the schema is up to date ({len(applied)} applied now)")
    _warn(facts)


@command.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status_command(as_json: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Show the server's version, its clock against ours, and which migrations it has and lacks.

    \b
    Example:
      skybeat db status --json
    """  # noqa: D301 - as above
    with using_urls(load_settings()) as urls:
        facts = check_server(urls.owner, SYSTEM_CLOCK)
        with _explained(urls.owner):
            found = status(urls.owner)
    if as_json:
        click.echo(json.dumps(_as_object(facts, found)))
        return
    click.echo(f"PostgreSQL {found.server_version}, TimescaleDB {found.timescaledb or 'none'}")
    click.echo(f"clock      {facts.clock_offset_s:+.3f} s against ours")
    for step in found.applied:
        click.echo(f"applied    {step.name}  {step.applied_at:%Y-%m-%d %H:%M:%S %Z}  {step.duration_ms} ms")
    for missing in found.pending:
        click.echo(f"PENDING    {missing.name}  (run: skybeat db migrate)")
    _warn(facts)


@contextmanager
def _explained(url: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise DatabaseError(explain(url, error)) from error


def _warn(facts: ServerFacts) -> None:
    if facts.clock_complaint:
        click.echo(f"warning: {facts.clock_complaint}", err=True)


def _as_object(facts: ServerFacts, found: Status) -> dict[str, object]:
    return {
        "server_version": found.server_version,
        "timescaledb": found.timescaledb,
        "clock_offset_s": round(facts.clock_offset_s, 3),
        "applied": [
            {"name": step.name, "applied_at": step.applied_at.isoformat(), "duration_ms": step.duration_ms}
            for step in found.applied
        ],
        "pending": [step.name for step in found.pending],
    }
