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
from typing import IO

import pytest

from infra.journal import Journal
from telemetry.journal_records import decode_runs
from tests.conftest import PROJECT
from tests.mqtt_house import Broker, location, publish, running_broker

pytestmark = pytest.mark.chaos
KILLS = max(3, int(os.environ.get("SKYBEAT_TEST_KILLS", "12")) // 4)
MESSAGES = 100 * KILLS
LISTENER = PROJECT / "tests" / "integration" / "mqtt_listener.py"


@contextlib.contextmanager
def life(folder: Path, broker: Broker) -> Iterator[IO[bytes]]:
    """Yield what the listener says once it has opened its link; end it with kill -9."""
    process = subprocess.Popen(
        [sys.executable, "-u", str(LISTENER), str(folder), str(broker.port)],
        stdout=subprocess.PIPE,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"open\n"
        yield process.stdout
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        process.stdout.close()


def kept(folder: Path) -> list[int]:
    """Return the numbers of the messages in the journal, in order of arrival."""
    with contextlib.closing(Journal.open(folder / "journal")) as journal:
        batch, _, refused = decode_runs(journal.read_runs(after=journal.watermark, limit=1_000_000))
        assert not refused
    return [int(us) // 1_000_000 - 1_790_000_000 for us in batch["observed_us"]]


def test_nothing_that_the_broker_took_is_lost_by_kills_between_arrival_and_acknowledgement(tmp_path: Path) -> None:
    chance = random.Random(20261122)
    (tmp_path / "broker").mkdir()
    with running_broker(tmp_path / "broker") as broker:
        with life(tmp_path, broker):
            pass  # our session begins here: what is published from now on waits for us
        told = [location(number) for number in range(MESSAGES)]
        phone = threading.Thread(target=publish, args=(broker, "owntracks/lihua/phone", told))
        phone.start()
        for _ in range(KILLS):
            with life(tmp_path, broker):
                time.sleep(chance.random() * 0.05)
        phone.join()
        publish(broker, "owntracks/lihua/phone", [location(MESSAGES)])
        with life(tmp_path, broker) as lines:
            for line in lines:
                if line == f"durable {1_790_000_000 + MESSAGES}\n".encode():
                    break
    numbers = kept(tmp_path)
    assert set(range(MESSAGES)) <= set(numbers), f"{len(set(range(MESSAGES)) - set(numbers))} are lost"
