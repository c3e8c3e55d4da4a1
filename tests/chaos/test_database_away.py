"""PostgreSQL stopped, frozen and slow to come back: devices are acknowledged all the while, the map goes on, nothing is lost."""

import signal
import time
from pathlib import Path
from typing import Final

import pytest

from tests.chaos.ground import ground_with_own_database
from tests.chaos.trial import IS_LONG, observed, trial

pytestmark = [pytest.mark.chaos, pytest.mark.database]
AWAY_S: Final = 180.0 if IS_LONG else 5.0
FROZEN_S: Final = 60.0 if IS_LONG else 6.0
RECOVERED_WITHIN_S: Final = 5.0
ASKED_AT_MOST_S: Final = 8.0
"""A page that needs the database is told within so long that it is away."""


def test_the_database_is_stopped_at_full_load(force_folder: Path) -> None:
    with ground_with_own_database(force_folder) as (program, server):
        members = program.force.of("osmand")
        with observed("PostgreSQL stopped at full load", program, members, interval_s=0.02) as one:
            one.wait_for_words(100)
            server.stop()
            before = one.crowd.acknowledged()
            end_s = time.monotonic() + AWAY_S
            while time.monotonic() < end_s:
                one.wait_for_words(50, within_s=5)
                assert program.ask("/api/units").status_code == 200
                time.sleep(0.5)
            assert one.crowd.acknowledged() - before > 50 * AWAY_S
            assert program.health()["checks"]["database"] == "failed"
            server.start()
            one.note_end()
            one.wait_for_words(100)
            result = one.verdict()
    assert result.recovery_s is not None
    assert result.recovery_s < RECOVERED_WITHIN_S
    assert result.drained_s is not None
    assert result.drained_s < 30
    assert result.memory_mib < 400


def test_the_database_is_frozen(force_folder: Path) -> None:
    with trial("SIGSTOP of PostgreSQL", force_folder, lambda program: program.force.of("osmand", 16)) as one:
        one.wait_for_words(50)
        one.program.signal_database(signal.SIGSTOP)
        end_s = time.monotonic() + FROZEN_S
        slowest_s = 0.0
        while time.monotonic() < end_s:
            one.wait_for_words(20, within_s=2)
            for path in ("/api/units", "/api/incidents"):
                started_s = time.monotonic()
                one.program.ask(path, timeout_s=30)
                slowest_s = max(slowest_s, time.monotonic() - started_s)
        one.program.signal_database(signal.SIGCONT)
        one.note_end()
        one.wait_for_words(50)
        result = one.verdict()
    assert slowest_s < ASKED_AT_MOST_S
    assert result.recovery_s is not None
    assert result.recovery_s < RECOVERED_WITHIN_S


def test_the_program_is_frozen(force_folder: Path) -> None:
    with trial("SIGSTOP of serve", force_folder, lambda program: program.force.of("osmand", 16)) as one:
        for _ in range(3 if IS_LONG else 1):
            one.wait_for_words(50)
            one.freeze(20 if IS_LONG else 3)
            one.wait_for_words(50)
        result = one.verdict()
    assert result.recovery_s is not None
    assert result.recovery_s < RECOVERED_WITHIN_S
