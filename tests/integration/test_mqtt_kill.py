"""kill -9 between a message's arrival and its acknowledgement, again and again: every message is in the journal in the end."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.journal import Journal
from telemetry.recording.journal_records import decode_runs
from tests.conftest import PROJECT
from tests.mqtt_house import Broker, location, publish, running_broker

pytestmark = pytest.mark.chaos
KILLS = max(3, int(os.environ.get("SKYBEAT_TEST_KILLS", "12")) // 4)
MESSAGES_A_LIFE = 200
MESSAGES = MESSAGES_A_LIFE * KILLS
TOPIC = "owntracks/lihua/phone"
LISTENER = PROJECT / "tests" / "integration" / "mqtt_listener.py"


class Life:
    """One run of the listener; in mode "stall" it stands still between the disk and the first acknowledgement."""

    def __init__(self, folder: Path, broker: Broker, mode: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-u", str(LISTENER), str(folder), str(broker.port), mode],
            stdout=subprocess.PIPE,
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
        )
        self._said: list[bytes] = []

    def await_word(self, word: bytes) -> None:
        """Return once it has said a line that begins so."""
        assert self._process.stdout is not None
        while not any(line.startswith(word) for line in self._said):
            line = self._process.stdout.readline()
            assert line, f"the listener ended before it said {word!r}"
            self._said.append(line)

    def kill(self) -> None:
        """End it without a word."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextlib.contextmanager
def life(folder: Path, broker: Broker, mode: str = "run") -> Iterator[Life]:
    """Yield a listener that has opened its link; end it with kill -9."""
    running = Life(folder, broker, mode)
    try:
        running.await_word(b"open")
        yield running
    finally:
        running.kill()


def kept(folder: Path) -> list[int]:
    """Return the numbers of the messages in the journal, in order of arrival."""
    numbers: list[int] = []
    with contextlib.closing(Journal.open(folder / "journal")) as journal:
        after = journal.watermark
        while runs := journal.read_runs(after=after, limit=1_000_000):
            batch, _, refused = decode_runs(runs)
            assert not refused
            numbers += [int(us) // 1_000_000 - 1_790_000_000 for us in batch["observed_us"]]
            after = (runs[-1].epoch, runs[-1].last_sequence)
    return numbers


def test_nothing_that_the_broker_took_is_lost_by_kills_between_arrival_and_acknowledgement(tmp_path: Path) -> None:
    chance = random.Random(20261122)
    (tmp_path / "broker").mkdir()
    with running_broker(tmp_path / "broker") as broker:
        with life(tmp_path, broker):
            pass  # our session begins here: what is published from now on waits for us
        for kill in range(KILLS):
            told = [location(kill * MESSAGES_A_LIFE + number) for number in range(MESSAGES_A_LIFE)]
            phone = threading.Thread(target=publish, args=(broker, TOPIC, told))
            with life(tmp_path, broker, "stall" if kill % 2 == 0 else "run") as running:
                phone.start()
                running.await_word(b"durable ")
                time.sleep(chance.random() * 0.03)
            phone.join()
        publish(broker, TOPIC, [location(MESSAGES)])
        with life(tmp_path, broker) as running:
            running.await_word(f"durable {1_790_000_000 + MESSAGES}\n".encode())
    numbers = kept(tmp_path)
    lost = set(range(MESSAGES)) - set(numbers)
    assert not lost, f"{len(lost)} of {MESSAGES} are lost"
    assert len(numbers) > len(set(numbers)), "what was not acknowledged came again"
