"""Keeps the embedded PostgreSQL running: one that was killed or ended by itself is started again."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from infra.errors import ServerError
from infra.locks import FileLock
from infra.logs import get_logger
from infra.postgres import EmbeddedServer, running_urls
from infra.postgres_cluster import Layout, ServerUrls

LOOK_EVERY_S: Final = 0.25
FIRST_DELAY_S: Final = 0.5
LONGEST_DELAY_S: Final = 15.0
LEAVE_WITHIN_S: Final = 5.0
_log: Final = get_logger("database")


@contextmanager
def kept_running(server: EmbeddedServer) -> Iterator[None]:
    """Start a server that is running now again whenever it ends, for the time of the block.

    A thread does it, which then is what the server is tied to: it dies when we die, and is stopped by `server.stop` as ever.
    """
    stopping = threading.Event()
    keeper = threading.Thread(target=_keep, args=(server, stopping), name="database keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stopping.set()
        keeper.join(LEAVE_WITHIN_S)


@contextmanager
def running_or_started(data_dir: Path, *, binaries: Path | None = None) -> Iterator[ServerUrls]:
    """Give the running embedded server's URLs; start one, and keep it running, for the time of the block when none runs."""
    if FileLock(Layout(data_dir.resolve()).lock).held():
        yield running_urls(data_dir)
        return
    with EmbeddedServer(data_dir, binaries=binaries) as server, kept_running(server):
        yield server.urls


def _keep(server: EmbeddedServer, stopping: threading.Event) -> None:
    delay_s = FIRST_DELAY_S
    while not stopping.wait(LOOK_EVERY_S):
        if server.is_running:
            continue
        _log.error("database_ended", exit_status=server.exit_status)
        try:
            server.start_again()
        except (ServerError, OSError) as error:
            _log.error("database_not_started", reason=str(error), again_in_s=delay_s)
            stopping.wait(delay_s)
            delay_s = min(2 * delay_s, LONGEST_DELAY_S)
        else:
            _log.warning("database_started_again")
            delay_s = FIRST_DELAY_S
