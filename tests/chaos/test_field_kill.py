"""kill -9 of the whole program between any two steps of a task: no push, no answered acceptance and no outgoing change is lost."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg
import pytest
import websockets.sync.client

from console import wire
from console.auth.accounts import Accounts
from console.webhooks.signature import verified_id
from console.wire import Role
from infra.clock import SYSTEM_CLOCK
from infra.database import app_pool
from infra.prepare import using_ready_urls
from infra.settings import Settings
from infra.vault import Vault
from tests.chaos.ground import free_port
from tests.conftest import PROJECT

pytestmark = [pytest.mark.chaos, pytest.mark.database]
SECRET: Final = bytes(range(32))
STEPS: Final = ("received", "accepted", "under_way", "arrived")


class Receiver(BaseHTTPRequestHandler):
    """Keeps what webhooks told, by message id."""

    heard: dict[str, dict[str, Any]] = {}  # noqa: RUF012 - one receiver a run

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.heard[verified_id(SECRET, headers, body, now_s=SYSTEM_CLOCK.now_us() / 1e6)] = json.loads(body)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
        """Say nothing."""


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="skybeat-chaos-") as made:
        path = Path(made)
        path.chmod(0o755)
        yield path


@pytest.fixture
def receiver_port() -> Iterator[int]:
    Receiver.heard.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


class Program:
    """`skybeat serve` that is killed and begins again; people stay signed in."""

    def __init__(self, folder: Path, tokens: dict[str, str]) -> None:
        self._folder = folder
        self._ingest_port, self._port = free_port(), free_port()
        self.origin = f"http://127.0.0.1:{self._port}"
        self._process = self._start()
        self._cookies = {name: self._sign_in(token) for name, token in tokens.items()}

    def _start(self) -> "subprocess.Popen[bytes]":
        process = start(self._folder, self._ingest_port, console_port=self._port)
        end_s = time.monotonic() + 30
        while time.monotonic() < end_s:
            try:
                if httpx.get(f"{self.origin}/readyz", trust_env=False).status_code == 200:
                    return process
            except httpx.TransportError:
                time.sleep(0.05)
        pytest.fail("the console did not get ready within 30 s")

    def _sign_in(self, token: str) -> str:
        headers = {"origin": self.origin, "x-skybeat": "1"}
        answer = httpx.post(f"{self.origin}/api/session/link", json={"token": token}, headers=headers, trust_env=False)
        assert answer.status_code == 200, answer.text
        return answer.cookies["skybeat"]

    def ask(self, who: str, method: str, path: str, **more: Any) -> Any:  # noqa: ANN401 - JSON
        headers = {"origin": self.origin, "x-skybeat": "1", "cookie": f"skybeat={self._cookies[who]}"}
        answer = httpx.request(method, self.origin + path, headers=headers, trust_env=False, timeout=15, **more)
        assert answer.is_success, answer.text
        return answer.json()

    def first_task(self, who: str) -> dict[str, Any]:
        """Connect the page and return the first task that is pushed to it."""
        connect = websockets.sync.client.connect(
            self.origin.replace("http", "ws") + "/ws",
            origin=websockets.Origin(self.origin),
            subprotocols=[websockets.Subprotocol(wire.SUBPROTOCOL)],
            additional_headers={"cookie": f"skybeat={self._cookies[who]}"},
            proxy=None,
        )
        with connect as page:
            page.send('{"type":"hello","v":1}')
            while True:
                data = page.recv(timeout=10)
                if isinstance(data, str) and (message := json.loads(data))["type"] == "task":
                    task: dict[str, Any] = message["task"]
                    return task

    def kill(self) -> None:
        """Kill -9 and begin again."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._process = self._start()

    def stop(self) -> None:
        """End in order."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(60)


async def _links(app_url: str) -> dict[str, str]:
    async with app_pool(app_url) as pool:
        accounts = Accounts(pool)
        centre = await accounts.add("wang", Role.OPERATOR)
        officer = await accounts.add("lin", Role.OFFICER, unit_id=1)
        now_us = SYSTEM_CLOCK.now_us()
        return {
            "wang": await accounts.make_link(centre.account_id, now_us),
            "lin": await accounts.make_link(officer.account_id, now_us),
        }


def prepare(folder: Path, receiver_port: int) -> dict[str, str]:
    """Make a unit, two accounts and a webhook; return sign-in tokens."""
    settings = Settings(data_dir=folder)
    with using_ready_urls(settings) as urls:
        with psycopg.connect(urls.owner) as connection:
            connection.execute(
                "insert into station (station_id, number, lat_e7, lon_e7) values (1, 1, 360600000, 1038300000)"
            )
            connection.execute(
                "insert into unit (unit_id, call_sign, kind, service, duty_status, station_id)"
                " values (1, 'U1', 'officer', 'patrol', 'free', 1)"
            )
            connection.execute(
                "insert into webhook (url, secret_sealed, created_at) values (%s, %s, now())",
                (f"http://127.0.0.1:{receiver_port}/", Vault.open(folder).seal(SECRET)),
            )
        return asyncio.run(_links(urls.app))


def test_between_any_two_steps_a_kill_loses_neither_push_nor_answer_nor_outgoing_change(
    folder: Path, receiver_port: int
) -> None:
    program = Program(folder, prepare(folder, receiver_port))
    try:
        _report_and_call_for_help(program)
        call = {"source_ref": "c1", "title": "help", "urgency": 1, "lat_deg": 36.06, "lon_deg": 103.83}
        incident = program.ask("wang", "POST", "/api/incidents", json=call)["incident"]
        program.kill()
        wanted = {"version": incident["version"], "unit_ids": [1]}
        sent = program.ask("wang", "POST", f"/api/incidents/{incident['incident_id']}/dispatch", json=wanted)[
            "incident"
        ]
        dispatch_id = sent["dispatches"][0]["dispatch_id"]
        program.kill()  # before any page was connected
        assert program.first_task("lin")["dispatch"]["dispatch_id"] == dispatch_id
        program.kill()  # before the page said that it received
        assert program.first_task("lin")["dispatch"]["dispatch_id"] == dispatch_id
        for step in STEPS:
            body = {"answer": step, "answered_ms": SYSTEM_CLOCK.now_us() / 1000}
            told = program.ask("lin", "POST", f"/api/me/tasks/{dispatch_id}", json=body)["task"]["dispatch"]
            program.kill()
            (task,) = program.ask("lin", "GET", "/api/me/tasks")["tasks"]
            assert task["dispatch"]["state"] == step
            assert task["dispatch"][f"{step}_ms"] == told[f"{step}_ms"]
        (unit,) = program.ask("lin", "GET", "/api/units")["units"]
        assert unit["duty_status"] == "on_scene"
        end_s = time.monotonic() + 90  # what a killed console had claimed is free again after 20 s
        while time.monotonic() < end_s and "arrived" not in _told():
            time.sleep(0.2)
        assert _told() == sorted(set(_told()), key=_told().index)
        assert [state for state in _told() if state in STEPS] == list(STEPS)
    finally:
        program.stop()


def _report_and_call_for_help(program: Program) -> None:
    """Let the page report and call for help: both outlive a kill, and the call ends when the officer says so."""
    place = {"observed_ms": SYSTEM_CLOCK.now_us() / 1000, "lat_deg": 36.05, "lon_deg": 103.82, "accuracy_m": 5}
    for path, body in (("position", place), ("sos", {"observed_ms": place["observed_ms"], "position": place})):
        assert program.ask("lin", "POST", f"/api/me/{path}", json=body)["kept"]
    program.kill()
    (alarm,) = program.ask("wang", "GET", "/api/alarms")["alarms"]
    assert (alarm["kind"], alarm["unit_id"], alarm["ended_us"]) == ("sos", 1, None)
    (unit,) = program.ask("lin", "GET", "/api/units")["units"]
    assert [device["protocol"] for device in unit["devices"]] == ["skybeat"]
    program.ask("lin", "DELETE", "/api/me/sos")
    (alarm,) = program.ask("wang", "GET", "/api/alarms")["alarms"]
    assert alarm["ended_us"] is not None


def start(folder: Path, ingest_port: int, *, console_port: int) -> "subprocess.Popen[bytes]":
    """Start `skybeat serve`."""
    environment = os.environ | {
        "SKYBEAT_DATA_DIR": str(folder),
        "SKYBEAT_PORT": str(console_port),
        "SKYBEAT_INGEST_PORT": str(ingest_port),
        "SKYBEAT_MAVLINK_LINKS": "",
        "SKYBEAT_LOG_LEVEL": "error",
    }
    return subprocess.Popen([sys.executable, "-m", "console.cli", "serve"], cwd=PROJECT, env=environment)


def _told() -> list[str]:
    """Return the states of the dispatch in the order of the changes that the receiver heard of."""
    bodies = sorted((body["data"] for body in Receiver.heard.values()), key=lambda data: data["sequence"])
    states = [data["dispatches"][0]["state"] for data in bodies if data["dispatches"]]
    return [state for place, state in enumerate(states) if place == 0 or states[place - 1] != state]
