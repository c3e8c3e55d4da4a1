"""The house under test: an enrolled force, `skybeat serve` as it is run, its embedded database, and what both cost."""

import asyncio
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
import psycopg
from psycopg import sql

from console.auth.accounts import Accounts
from console.auth.sessions import Sessions
from console.wire import Role
from infra.clock import SYSTEM_CLOCK
from infra.database import app_pool
from infra.migrate import migrate
from infra.postgres import EmbeddedServer, urls_of
from infra.vault import Vault
from telemetry.model.errors import UnavailableError
from telemetry.model.unit import DutyStatus, Service, UnitKind
from telemetry.registry.enrolment import NewDevice, NewUnit, add_device, assign_device, ensure_device, save_unit

HERE: Final = "127.0.0.1"
READY_WITHIN_S: Final = 60.0
TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_RECORDED: Final = b"skybeat_positions_recorded_total "


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """Device numbers, the terminals' phone numbers and codes, and the cookie of somebody who is signed in."""

    terminal_ids: tuple[int, ...]
    phones: tuple[tuple[str, str], ...]
    vehicle_ids: tuple[int, ...]
    cookie: str


def enrol(data_dir: Path, *, terminals: int, vehicles: int) -> Enrolled:
    """Make database and force in an empty folder; the server there notes from now on when each transaction was committed."""
    with EmbeddedServer(data_dir) as server:
        with psycopg.connect(server.maintenance_url, autocommit=True) as connection:
            connection.execute(sql.SQL("alter system set track_commit_timestamp = on"))
        migrate(server.urls.owner)
        vault, now_us = Vault.open(data_dir), SYSTEM_CLOCK.now_us()
        with psycopg.connect(server.urls.owner) as connection:
            flown = [
                ensure_device(connection, "mavlink", f"main/{number}", label="", now_us=now_us).device_id
                for number in range(1, vehicles + 1)
            ]
            issued = [
                add_device(
                    connection, NewDevice(protocol="jt808", address=f"139{number:08d}"), vault=vault, now_us=now_us
                )
                for number in range(1, terminals + 1)
            ]
            driven = [one.device.device_id for one in issued]
            for device_id in (*flown, *driven):
                _give_unit(connection, device_id, is_flown=device_id in flown)
        cookie = asyncio.run(_sign_in(server.urls.app))
    return Enrolled(
        terminal_ids=tuple(driven),
        phones=tuple((one.device.address, str(one.secret)) for one in issued),
        vehicle_ids=tuple(flown),
        cookie=cookie,
    )


def _give_unit(connection: psycopg.Connection, device_id: int, *, is_flown: bool) -> None:
    new = NewUnit(
        call_sign=f"B{device_id}",
        kind=UnitKind.DRONE if is_flown else UnitKind.CAR,
        service=Service.AIR if is_flown else Service.PATROL,
        duty_status=DutyStatus.FREE,
        name_zh=f"{device_id}",
        name_en=f"{device_id}",
    )
    assign_device(connection, device_id, save_unit(connection, new).unit_id, now_us=0)


async def _sign_in(app_url: str) -> str:
    async with app_pool(app_url) as pool:
        accounts = Accounts(pool)
        sessions = Sessions(accounts, SYSTEM_CLOCK, idle_s=3_600, absolute_s=7_200)
        token, _ = await sessions.sign_in(await accounts.add("bench", Role.ADMIN))
        return token


class House:
    """A running `skybeat serve`."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.console_port, self.jt808_port, self.mavlink_port, self.ingest_port = _free_ports(4)
        self._process: subprocess.Popen[bytes] | None = None
        self._asking: http.client.HTTPConnection | None = None

    @property
    def owner_url(self) -> str:
        """The database owner's URL."""
        return urls_of(self.data_dir).owner

    def start(self) -> None:
        """Start and return when it is ready. Raises UnavailableError when it does not get ready."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SKYBEAT_")} | {
            "SKYBEAT_DATA_DIR": str(self.data_dir),
            "SKYBEAT_PORT": str(self.console_port),
            "SKYBEAT_INGEST_PORT": str(self.ingest_port),
            "SKYBEAT_MAVLINK_LINKS": f"udpin:{HERE}:{self.mavlink_port}",
            "SKYBEAT_LINKS": f"jt808+tcpin:{HERE}:{self.jt808_port}",
            "SKYBEAT_LOG_LEVEL": "error",
        }
        command = [sys.executable, "-m", "console.cli", "serve"]
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - ourselves
        end_s = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < end_s and self._process.poll() is None:
            try:
                if self._get("/readyz")[0] == 200:
                    return
            except OSError:
                time.sleep(0.1)
        raise UnavailableError("the benchmark's `skybeat serve` did not get ready: see its words above")

    def rows_recorded(self) -> int:
        """Return how many rows it has committed."""
        _, text = self._get("/metrics")
        at = text.index(b"\n" + _RECORDED) + 1 + len(_RECORDED)
        return int(float(text[at : text.index(b"\n", at)]))

    def _get(self, path: str) -> tuple[int, bytes]:
        try:
            if self._asking is None:
                self._asking = http.client.HTTPConnection(HERE, self.console_port, timeout=10)
            self._asking.request("GET", path)
            answer = self._asking.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._asking = None
            raise ConnectionError(f"the console does not answer ({error})") from error

    def cpu_s(self) -> tuple[float, float]:
        """Return the CPU seconds of serve itself and of its database server."""
        assert self._process is not None
        postmaster = int((self.data_dir / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        database_s = _cpu_s(postmaster, with_ended_children=True) + sum(_cpu_s(int(child)) for child in children)
        return _cpu_s(self._process.pid), database_s

    def memory_mib(self) -> int:
        """Return the largest resident memory of serve itself."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) // 1024

    def stop(self) -> None:
        """End it in order, or else at once."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def running(data_dir: Path) -> Iterator[House]:
    """Give a running house, and stop it."""
    house = House(data_dir)
    try:
        house.start()
        yield house
    finally:
        house.stop()


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((HERE, 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _cpu_s(pid: int, *, with_ended_children: bool = False) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has ended meanwhile
        return 0.0
    last = 15 if with_ended_children else 13
    return sum(map(int, fields[11:last])) / TICKS_PER_S
