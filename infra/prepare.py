"""A database made ready: its server checked, its clock compared, its schema brought up to date or asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

from infra.clock import SYSTEM_CLOCK, Clock
from infra.database import DatabaseError, DatabaseUrls, check_server, explain, using_urls
from infra.logs import get_logger
from infra.migrate import Status, migrate, require_timescale, status
from infra.settings import Settings

_log: Final = get_logger("database")


@contextmanager
def using_ready_urls(settings: Settings) -> Iterator[DatabaseUrls]:
    """Give the URLs of the server to use, prepared; an embedded one that does not run is started for the time of the block.

    Raises ServerError, DatabaseError or MigrationError with what to do.
    """
    with using_urls(settings) as urls:
        prepare_database(urls, SYSTEM_CLOCK, is_embedded=settings.database_url is None)
        yield urls


def prepare_database(urls: DatabaseUrls, clock: Clock, *, is_embedded: bool) -> None:
    """Check the server and its schema; the embedded one is migrated here, another is left to its administrator.

    Raises DatabaseError or MigrationError with what to do. A server whose clock differs is told of and used all the same.
    """
    facts = check_server(urls.owner, clock)
    if facts.clock_complaint is not None:
        _log.warning("clocks_differ", complaint=facts.clock_complaint)
    try:
        if is_embedded:
            for step in migrate(urls.owner):
                _log.info("migrated", step=step.name)
            return
        found = status(urls.owner)
    except psycopg.Error as error:
        raise DatabaseError(explain(urls.owner, error)) from error
    refuse_unready(found)


def refuse_unready(found: Status) -> None:
    """Raise MigrationError for a TimescaleDB whose known faults reach us, DatabaseError for a schema that lacks steps."""
    if found.timescaledb is not None:
        require_timescale(found.timescaledb)
    if found.pending:
        names = ", ".join(step.name for step in found.pending)
        raise DatabaseError(
            f"the database lacks {len(found.pending)} migrations ({names}): run `skybeat db migrate` first"
        )
