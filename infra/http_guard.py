"""HTTP connections that must get to the point: whoever does not finish a request's head in time is let go; a server as a guest; files to spare."""

import asyncio
import contextlib
import resource
from collections.abc import Iterator
from typing import Final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_WITHIN_S: Final = 10.0
OPEN_FILES_WANTED: Final = 65_536
FILES_KEPT_FREE: Final = 256
"""For the journal, the database, links and files, whatever comes by HTTP."""
FEWEST_CONNECTIONS: Final = 16
_FILES: Final = resource.RLIMIT_NOFILE


class GuardedHttp(H11Protocol):
    """Uvicorn's protocol on h11, which bounds a head's length; this bounds the time from the first silence to the whole head."""

    _head_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """Begin to wait for the first request; one connection too many is let go at once."""
        super().connection_made(transport)
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency:
            transport.abort()
            return
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Take bytes; go on waiting while they make no whole head."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._await_head()
        else:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        if self._head_due is None:
            self._head_due = self.loop.call_later(HEAD_WITHIN_S, self._let_go)

    def _stop_waiting(self) -> None:
        due, self._head_due = self._head_due, None
        if due is not None:
            due.cancel()

    def _let_go(self) -> None:
        self._head_due = None
        self.transport.close()


class GuestServer(uvicorn.Server):
    """Uvicorn's server as a part of a program: signals are the program's, which ends everything in order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def spare_open_files(wanted: int = OPEN_FILES_WANTED) -> int:
    """Let this process open as many files as the system allows it, up to `wanted`; return how many that are."""
    soft, hard = (wanted if limit == resource.RLIM_INFINITY else limit for limit in resource.getrlimit(_FILES))
    if soft < min(wanted, hard):
        soft = min(wanted, hard)
        resource.setrlimit(_FILES, (soft, resource.getrlimit(_FILES)[1]))
    return soft


def connections_at_most(asked: int) -> int:
    """Return how many HTTP connections one of two listeners may hold so that files stay free for everything else."""
    return max(FEWEST_CONNECTIONS, min(asked, (spare_open_files() - FILES_KEPT_FREE) // 2))
