"""Background tasks under one supervisor: the only place that may catch every exception, and it never hides one."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from infra.logs import get_logger
from infra.metrics import TASK_FAILURES

_LOG: Final = get_logger("tasks")
FIRST_DELAY_S: Final = 0.2
LONGEST_DELAY_S: Final = 15.0
_Result = TypeVar("_Result")


def contained(name: str, work: Callable[[], _Result]) -> _Result | None:
    """Return what `work` returns; when it fails, that is logged and counted, and None is returned.

    For one piece of many, of which none may stop the others: what one device of thousands said.
    """
    try:
        return work()
    except Exception:  # noqa: BLE001 - it hides nothing and lets the others go on
        TASK_FAILURES.labels(task=name).inc()
        _LOG.exception("piece_failed", task=name)
        return None


class Supervisor:
    """Keeps long-running tasks alive: one that fails is logged, counted and started again after a growing, jittered pause.

    A task that returns is finished.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Run `work` under `name` until it returns or `stop` is called."""
        task = asyncio.create_task(self._keep(name, work), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def stop(self) -> None:
        """Cancel every task and wait for their ends."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        delay_s = FIRST_DELAY_S
        loop = asyncio.get_running_loop()
        while True:
            started_s = loop.time()
            try:
                await work()
            except Exception:  # noqa: BLE001 - the supervisor: logs it, counts it, starts again
                TASK_FAILURES.labels(task=name).inc()
                _LOG.exception("task_failed", task=name, again_in_s=round(delay_s, 1))
            else:
                return
            if loop.time() - started_s > LONGEST_DELAY_S:
                delay_s = FIRST_DELAY_S
            await asyncio.sleep(delay_s * random.uniform(0.7, 1.3))  # noqa: S311 - jitter, not a secret
            delay_s = min(delay_s * 2, LONGEST_DELAY_S)
