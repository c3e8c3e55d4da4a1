"""Who waits in an event loop for a record to be durable, and how a thread tells them."""

import asyncio
import threading
from collections.abc import Callable

from infra.journal_directory import JournalError


class Waiters:
    """Futures of event loops, each waiting for one sequence.

    `verdict(sequence)` says True (durable), False (not yet) or the error to raise; it is asked under `lock`.
    """

    def __init__(self, lock: threading.Condition, verdict: Callable[[int], bool | JournalError]) -> None:
        self._lock = lock
        self._verdict = verdict
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def add(self, sequence: int) -> asyncio.Future[None]:
        """Return a future of the running loop; call it with the lock held."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((sequence, future))
        return future

    def wake(self) -> None:
        """Have every loop look at its futures again; from any thread."""
        with self._lock:
            loops = {future.get_loop() for _, future in self._waiting}
        for loop in loops:
            try:
                loop.call_soon_threadsafe(self._release, loop)
            except RuntimeError:  # that loop is closed: nobody waits there any more
                with self._lock:
                    self._waiting = [waiter for waiter in self._waiting if waiter[1].get_loop() is not loop]

    def _release(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
            for sequence, future in waiting:
                verdict = self._verdict(sequence) if future.get_loop() is loop else False
                if verdict is False:
                    self._waiting.append((sequence, future))
                elif future.done():
                    continue
                elif verdict is True:
                    future.set_result(None)
                else:
                    future.set_exception(verdict)
