"""A real broker for tests: Debian's mosquitto in a folder of its own, stopped and started at will; phones publish to it."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

MOSQUITTO: Final = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


def free_port() -> int:
    """Return a port that nobody holds now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Broker:
    """A mosquitto that keeps sessions on disk."""

    def __init__(self, folder: Path, *further_lines: str) -> None:
        self.port = free_port()
        self._conf = folder / "mosquitto.conf"
        lines = [f"listener {self.port} 127.0.0.1", "persistence true", f"persistence_location {folder}/"]
        lines += [
            "autosave_interval 1",
            "max_queued_messages 0",
            "user root",
            *(further_lines or ("allow_anonymous true",)),
        ]
        self._conf.write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        assert MOSQUITTO is not None
        self._process = subprocess.Popen(
            [MOSQUITTO, "-c", str(self._conf)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end_s = time.monotonic() + 10
        while time.monotonic() < end_s:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.02)
        raise AssertionError(f"mosquitto did not begin to listen on port {self.port}")

    def stop(self) -> None:
        """Stop it; what it keeps is on disk then."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


@contextlib.contextmanager
def running_broker(folder: Path, *further_lines: str) -> Iterator[Broker]:
    """Yield a broker that runs; the test is skipped where there is no mosquitto."""
    if MOSQUITTO is None:
        pytest.skip("NO MOSQUITTO: install Debian's package mosquitto to run this test")
    broker = Broker(folder, *further_lines)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


def location(number: int, **further: object) -> bytes:
    """Return a phone's place; its time of fix tells its number."""
    place = {"_type": "location", "lat": 36.06, "lon": 103.83, "tst": 1_790_000_000 + number, "acc": 8, **further}
    return msgspec.json.encode(place)


def publish(broker: Broker, topic: str, payloads: list[bytes], *, retain: bool = False) -> None:
    """Publish as an app does, each at least once; return when the broker has all."""
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"phone-{time.monotonic_ns()}")
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    try:
        for told in [client.publish(topic, payload, qos=1, retain=retain) for payload in payloads]:
            told.wait_for_publish(10)
            assert told.is_published()
    finally:
        client.disconnect()
        client.loop_stop()
