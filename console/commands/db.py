"""`skybeat db`: brings the database to this program's schema, and tells where it stands."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click
import msgspec
import psycopg

from infra.clock import SYSTEM_CLOCK, utc_of
from infra.database import DatabaseError, ServerFacts, check_server, explain, using_urls
from infra.migrate import Status, migrate, status
from infra.settings import Settings, load_settings
from telemetry.recording.disk_forecast import QUERIES, WEEK_US, DiskForecast, DiskSample, forecast_disk, free_bytes_of

GIGABYTE: Final = 1e9
DAY_S: Final = 86_400


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
    """Show the server's version, its clock against ours, its migrations, and how its disk fills.

    \b
    Example:
      skybeat db status --json
    """  # noqa: D301 - as above
    settings = load_settings()
    with using_urls(settings) as urls:
        facts = check_server(urls.owner, SYSTEM_CLOCK)
        with _explained(urls.owner):
            found = status(urls.owner)
            storage = None if found.pending else _storage(urls.owner, settings)
    if as_json:
        click.echo(json.dumps(_as_object(facts, found) | {"storage": msgspec.to_builtins(storage)}))
        return
    click.echo(f"PostgreSQL {found.server_version}, TimescaleDB {found.timescaledb or 'none'}")
    click.echo(f"clock      {facts.clock_offset_s:+.3f} s against ours")
    for step in found.applied:
        click.echo(f"applied    {step.name}  {step.applied_at:%Y-%m-%d %H:%M:%S %Z}  {step.duration_ms} ms")
    for missing in found.pending:
        click.echo(f"PENDING    {missing.name}  (run: skybeat db migrate)")
    click.echo(f"storage    {_in_words(storage)}")
    _warn(facts)


@contextmanager
def _explained(url: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise DatabaseError(explain(url, error)) from error


def _storage(owner_url: str, settings: Settings) -> DiskForecast | None:
    """Return how the disk fills by the samples that the recorder took, None when it never ran."""
    since_at = utc_of(SYSTEM_CLOCK.now_us() - WEEK_US)
    with psycopg.connect(owner_url) as connection:
        rows = connection.execute(QUERIES["disk_samples"].encode(), {"since_at": since_at}).fetchall()
    free_bytes = free_bytes_of(settings.data_dir) if settings.database_url is None else None
    return forecast_disk([DiskSample(*row) for row in rows], free_bytes)


def _in_words(storage: DiskForecast | None) -> str:
    if storage is None:
        return "not measured yet: the recorder does once an hour"
    said = f"{storage.database_bytes / GIGABYTE:.2f} GB (rows {storage.raw_bytes / GIGABYTE:.2f}, roll-ups {storage.rollup_bytes / GIGABYTE:.2f})"
    if storage.bytes_a_day is not None and storage.seen_s is not None:
        said += f", {storage.bytes_a_day / GIGABYTE:+.2f} GB a day over {storage.seen_s / DAY_S:.1f} days"
    else:
        said += ", its growth is known after an hour"
    if storage.free_bytes is not None:
        said += f", {storage.free_bytes / GIGABYTE:.1f} GB free"
    if storage.days_until_full is not None:
        said += f", full in {storage.days_until_full} days"
    return said


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
