"""kill -9 of the whole program and of its database at random moments: nothing acknowledged is lost, nothing is there twice."""

import os
import signal
from pathlib import Path
from typing import Final

import pytest

from tests.chaos.trial import trial

pytestmark = [pytest.mark.chaos, pytest.mark.database]
RECOVERED_WITHIN_S: Final = 30.0
"""A second and a half on an idle machine; a busy one starts the program slowly."""
MIXED: Final = {"osmand": 8, "jt808": 12, "jt808_udp": 6, "gb28181": 4, "mavlink": 4}
BACK_WITHIN_S: Final = 30.0
KILLS: Final = int(os.environ.get("SKYBEAT_TEST_KILLS", "2"))


def test_kill_of_serve_at_random_moments(force_folder: Path) -> None:
    with trial("kill -9 of serve", force_folder, lambda program: program.force.mixed(MIXED)) as one:
        for _ in range(KILLS):
            one.pause(0.2, 1.2)
            one.program.kill()
            one.note_end()
            one.program.start()
            one.wait_for_words(20)
        result = one.verdict()
    assert result.acknowledged > 20 * KILLS
    assert result.recovery_s is not None
    assert result.recovery_s < RECOVERED_WITHIN_S


def test_kill_of_the_database_at_random_moments(force_folder: Path) -> None:
    with trial("kill -9 of PostgreSQL", force_folder, lambda program: program.force.mixed(MIXED)) as one:
        for number in range(KILLS):
            one.pause(0.2, 1.2)
            pids = one.program.database_pids()
            victim = pids[0] if number % 2 == 0 else int(one.random.choice(pids[1:]))
            os.kill(victim, signal.SIGKILL)
            one.note_end()
            one.wait_for_words(20)
            one.wait(one.program.has_database, BACK_WITHIN_S, "the database is back")
        result = one.verdict()
    assert result.recovery_s is not None
    assert result.recovery_s < 5
