"""kill -9 of the whole program under fire: every fix that a phone was told is safe is in the database, once."""

import http.client
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg
import pytest

from infra.clock import SYSTEM_CLOCK
from infra.postgres import EmbeddedServer
from infra.prepare import using_ready_urls
from infra.settings import Settings
from infra.vault import Vault
from telemetry.enrolment import NewDevice, add_device
from tests.conftest import PROJECT

pytestmark = [pytest.mark.chaos, pytest.mark.database]
KILLS: Final = int(os.environ.get("SKYBEAT_TEST_KILLS", "3"))
PHONES: Final = 4


class Phone:
    """A phone that reports one fix after another, each until it is told 200, and remembers what it was told."""

    def __init__(self, token: str, port: int, number: int) -> None:
        self._token = token
        self._port = port
        self._lat = 36.0 + number * 0.01
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._report_forever)
        self.acknowledged: list[int] = []
        self.refused: list[int] = []
        self._thread.start()

    def stop(self) -> None:
        """Report no more."""
        self._stop.set()
        self._thread.join()

    def _report_forever(self) -> None:
        first_ms = SYSTEM_CLOCK.now_us() // 1000
        for step in range(1_000_000):
            observed_ms = first_ms + step
            while not self._stop.is_set() and not self._is_accepted(observed_ms, step):
                time.sleep(0.02)
            if self._stop.is_set():
                return
            self.acknowledged.append(observed_ms)

    def _is_accepted(self, observed_ms: int, step: int) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        place = f"lat={self._lat + step * 1e-6:.6f}&lon=103.830000"
        try:
            connection.request("POST", f"/?id={self._token}&timestamp={observed_ms}&{place}")
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        if status not in {200, 429, 503}:
            self.refused.append(status)
        return status == http.client.OK


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="skybeat-chaos-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(folder: Path, ingest_port: int, *, console_port: int = 0) -> subprocess.Popen[bytes]:
    """Start `skybeat serve` and return when phones can reach it."""
    environment = os.environ | {
        "SKYBEAT_DATA_DIR": str(folder),
        "SKYBEAT_PORT": str(console_port),
        "SKYBEAT_INGEST_PORT": str(ingest_port),
        "SKYBEAT_MAVLINK_LINKS": "",
        "SKYBEAT_LOG_LEVEL": "error",
    }
    process = subprocess.Popen([sys.executable, "-m", "console.cli", "serve"], cwd=PROJECT, env=environment)
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", ingest_port)) == 0:
                return process
        assert process.poll() is None, "serve ended while starting"
        time.sleep(0.05)
    pytest.fail("serve did not listen within 30 s")


def test_what_a_phone_was_told_is_safe_is_there_once_after_any_number_of_kills(folder: Path) -> None:
    settings = Settings(data_dir=folder)
    with using_ready_urls(settings) as urls, psycopg.connect(urls.owner) as connection:
        new = NewDevice(protocol="osmand", label="phone")
        vault = Vault.open(folder)
        issued = [add_device(connection, new, vault=vault, now_us=SYSTEM_CLOCK.now_us()) for _ in range(PHONES)]
    port = free_port()
    process = start(folder, port)
    phones = [Phone(str(one.secret), port, number) for number, one in enumerate(issued)]
    moments = random.Random(7)
    for _ in range(KILLS):
        time.sleep(moments.uniform(0.3, 1.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process = start(folder, port)
    time.sleep(0.5)
    for phone in phones:
        phone.stop()
    process.send_signal(signal.SIGINT)
    process.wait(60)
    start_and_stop(folder, port)
    with EmbeddedServer(folder) as server, psycopg.connect(server.urls.owner) as connection:
        for phone, one in zip(phones, issued, strict=True):
            rows = connection.execute(
                "select (extract(epoch from observed_at) * 1000)::bigint, count(*) from store.position"
                " where device_id = %s group by 1",
                (one.device.device_id,),
            ).fetchall()
            counts: dict[int, int] = dict(rows)
            lost = [at_ms for at_ms in phone.acknowledged if at_ms not in counts]
            assert phone.refused == []
            assert len(phone.acknowledged) > 10 * KILLS
            assert lost == []
            assert set(counts.values()) == {1}


def start_and_stop(folder: Path, port: int) -> None:
    """Let a last life record what the journal still holds."""
    process = start(folder, port)
    time.sleep(2.0)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
