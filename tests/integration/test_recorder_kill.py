"""kill -9 at any moment, of the program and of the server: nothing acknowledged is lost, nothing is there twice."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import psycopg
import pytest

from infra.clock import SYSTEM_CLOCK
from infra.journal import Journal
from infra.migrate import migrate
from infra.postgres import EmbeddedServer
from infra.settings import Settings
from telemetry.recording.recorder import Recorder
from tests.conftest import PROJECT
from tests.integration.kill_writer import EVENT_EVERY

pytestmark = [pytest.mark.chaos, pytest.mark.database]
KILLS = int(os.environ.get("SKYBEAT_TEST_KILLS", "12"))
WRITER = PROJECT / "tests" / "integration" / "kill_writer.py"


class Life:
    """One run of the writer, from its start to its violent end."""

    def __init__(self, folder: Path, writer_url: str, first_number: int, first_us: int, seed: int) -> None:
        arguments = [str(folder), writer_url, str(first_number), str(first_us), str(seed)]
        self._process = subprocess.Popen(
            [sys.executable, "-u", str(WRITER), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
        )
        self._lines: list[str] = []
        self.first_word = threading.Event()
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("durable ") and line.endswith("\n"):
                self._lines.append(line)
                self.first_word.set()

    def kill(self) -> list[tuple[int, int]]:
        """End it without a word and return what it had acknowledged: (first number, count)."""
        assert self._process.poll() is None, f"the writer ended by itself: {self._process.communicate()[1][-2000:]}"
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)
        self._listener.join(10)
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()
        return [(int(number), int(row_count)) for _, number, row_count in map(str.split, self._lines)]


@pytest.fixture
def own_server(server_folder: Path) -> Iterator[EmbeddedServer]:
    """A server that this test may kill."""
    with EmbeddedServer(server_folder / "to-be-killed") as server:
        migrate(server.urls.owner)
        yield server


def test_nothing_acknowledged_is_lost_and_nothing_doubled(own_server: EmbeddedServer, tmp_path: Path) -> None:
    random = np.random.default_rng(int(os.environ.get("SKYBEAT_TEST_SEED", "11")))
    folder, first_us = tmp_path / "journal", SYSTEM_CLOCK.now_us() - 3_600_000_000
    acknowledged: list[tuple[int, int]] = []
    for life_number in range(KILLS):
        life = Life(folder, own_server.urls.writer, life_number * 1_000_000 + EVENT_EVERY, first_us, life_number)
        assert life.first_word.wait(30)
        time.sleep(float(random.random()) * 0.9)
        if life_number in (KILLS // 3, 2 * KILLS // 3):
            kill_server(own_server)
            time.sleep(float(random.random()) * 0.5)
            own_server.start()
            time.sleep(float(random.random()) * 1.5)
        acknowledged += life.kill()
    record_the_rest(folder, own_server.urls.writer)
    expected = {number + offset for number, row_count in acknowledged for offset in range(row_count)}
    events = {number for number, _ in acknowledged if number % EVENT_EVERY == 0}
    assert len(expected) > KILLS * 10
    check_rows(own_server.urls.owner, expected)
    check_events(own_server.urls.owner, events)


def kill_server(server: EmbeddedServer) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    server.stop()


def record_the_rest(folder: Path, writer_url: str) -> None:
    with closing(Journal.open(folder)) as journal:
        recorder = Recorder(journal, writer_url, Settings(), SYSTEM_CLOCK)
        assert recorder.record_what_waits()
        recorder.close()
        assert recorder.is_caught_up
        assert recorder.rows_set_aside == 0
        assert list(folder.glob("*.segment")) == []


def check_rows(owner_url: str, expected: set[int]) -> None:
    with psycopg.connect(owner_url) as connection:
        found = [row[0] for row in connection.execute("select lat_e7 from store.position")]
        odd = connection.execute("select count(*) from store.position_odd_time").fetchall()
    assert odd == [(0,)]
    assert len(found) == len(set(found)), "doubled rows"
    assert expected - set(found) == set(), "lost rows"


def check_events(owner_url: str, expected: set[int]) -> None:
    with psycopg.connect(owner_url) as connection:
        found = [int(row[0]) for row in connection.execute("select body->>'text' from store.event")]
    assert len(found) == len(set(found)), "doubled events"
    assert expected - set(found) == set(), "lost events"
