"""The supervisor starts again what fails, lets finish what returns and hides nothing."""

import asyncio

import pytest

import infra.tasks
from infra.tasks import Supervisor


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(infra.tasks, "FIRST_DELAY_S", 0.0)


async def test_a_task_that_fails_is_started_again_until_it_returns() -> None:
    runs: list[int] = []

    async def work() -> None:
        runs.append(len(runs))
        if len(runs) < 3:
            message = "not yet"
            raise ValueError(message)

    await Supervisor().start("work", work)
    assert runs == [0, 1, 2]


async def test_stopping_cancels_what_still_runs() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    supervisor = Supervisor()
    task = supervisor.start("work", work)
    await asyncio.sleep(0)
    await supervisor.stop()
    assert ended.is_set()
    assert task.done()
