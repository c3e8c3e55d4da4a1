"""How the recorder waits: pauses grow with jitter up to a bound, and a database that is away is only that."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest

from infra.journal import Journal
from infra.settings import Settings
from telemetry.model.batch import hash_fixes, new_batch
from telemetry.recording.journal_records import KIND_BATCH
from telemetry.recording.recorder import FIRST_DELAY_S, LONGEST_DELAY_S, Recorder
from tests.conftest import FakeClock

NOWHERE = "host=127.0.0.1 port=1 dbname=none connect_timeout=2"


def test_pauses_grow_with_jitter_and_have_an_end(tmp_path: Path, fake_clock: FakeClock) -> None:
    with closing(Journal.open(tmp_path, clock=fake_clock)) as journal:
        recorder = Recorder(journal, NOWHERE, Settings(), fake_clock)
        bound_s = FIRST_DELAY_S
        for _ in range(12):
            assert bound_s / 2 <= recorder._next_delay_s() <= bound_s
            bound_s = min(bound_s * 2, LONGEST_DELAY_S)


async def test_lag_grows_while_the_database_is_away_and_the_loop_goes_on(tmp_path: Path, fake_clock: FakeClock) -> None:
    with closing(Journal.open(tmp_path, clock=fake_clock)) as journal:
        recorder = Recorder(journal, NOWHERE, Settings(), fake_clock)
        batch = new_batch(1)
        hash_fixes(batch)
        await journal.durable(journal.append(KIND_BATCH, batch.tobytes(), acknowledged=True))
        running = asyncio.create_task(recorder.run())
        async with asyncio.timeout(10):
            while recorder.last_error is None:  # noqa: ASYNC110 - a thread of the recorder makes it true
                await asyncio.sleep(0.01)
        fake_clock.advance(42)
        assert recorder.lag_s == 42
        assert journal.watermark == (0, 0)
        await journal.durable(journal.append(KIND_BATCH, batch.tobytes(), acknowledged=True))
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
