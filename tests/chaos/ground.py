"""A proving ground: an enrolled force in a data folder, and `skybeat serve` over it, to be killed, frozen and misled."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import psycopg
import pytest

from console.auth.accounts import Accounts
from console.auth.sessions import Sessions
from console.wire import Role
from infra.clock import SYSTEM_CLOCK
from infra.database import app_pool
from infra.postgres import EmbeddedServer, urls_of
from infra.prepare import using_ready_urls
from infra.settings import Settings
from infra.vault import Vault
from telemetry.model.unit import DutyStatus, Service, UnitKind
from telemetry.registry.enrolment import Issued, NewDevice, NewUnit, add_device, assign_device, ensure_device, save_unit
from telemetry.sources import find_link_sources
from tests.conftest import PROJECT

READY_WITHIN_S: Final = 60.0
HERE: Final = "127.0.0.1"
GB28181_REALM: Final = "4401020049"
GB28181_SERVER: Final = "44010200492000000001"


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A device of the force, what it needs to speak, and the unit that it speaks for (same number)."""

    device_id: int
    unit_id: int
    protocol: str
    address: str
    secret: str


class Force(msgspec.Struct, frozen=True, kw_only=True):
    """All members, and the cookie of an administrator who is signed in."""

    members: tuple[Member, ...]
    cookie: str

    def of(self, protocol: str, count: int | None = None) -> list[Member]:
        """Return the first members that speak a protocol; "jt808_udp" are the last terminals, who do it over UDP."""
        if protocol == "jt808_udp":
            terminals = [msgspec.structs.replace(member, protocol=protocol) for member in self.of("jt808")]
            return terminals[::-1][:count]
        return [member for member in self.members if member.protocol == protocol][:count]

    def mixed(self, counts: Mapping[str, int]) -> list[Member]:
        """Return so many members of each protocol."""
        return [member for protocol, count in counts.items() for member in self.of(protocol, count)]


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """Where a program listens."""

    console: int
    osmand: int
    mavlink: int
    jt808: int
    jt808_udp: int
    gb28181: int


def free_port() -> int:
    """Return a TCP and UDP port of this machine that nobody uses now."""
    with socket.socket() as probe, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        probe.bind((HERE, 0))
        port: int = probe.getsockname()[1]
        datagrams.bind((HERE, port))
        return port


def free_ports() -> Ports:
    """Return ports for a program."""
    return Ports(**{name: free_port() for name in Ports.__struct_fields__})


def enrolled(folder: Path, counts: Mapping[str, int]) -> Force:
    """Make the database in `folder` and enrol so many devices of each protocol, each with a unit of its own."""
    with using_ready_urls(Settings(data_dir=folder)) as urls:
        vault = Vault.open(folder)
        with psycopg.connect(urls.owner) as connection:
            members = [
                _enrol(connection, protocol, number, vault)
                for protocol, count in counts.items()
                for number in range(1, count + 1)
            ]
        cookie = asyncio.run(_signed_in(urls.app))
    force = Force(members=tuple(members), cookie=cookie)
    (folder / "force.json").write_bytes(msgspec.json.encode(force))
    return force


def _enrol(connection: psycopg.Connection, protocol: str, number: int, vault: Vault) -> Member:
    now_us = SYSTEM_CLOCK.now_us()
    address = {"mavlink": f"main/{number}", "jt808": f"139000{number:05d}", "gb28181": f"4401020049132{number:07d}"}
    if protocol == "mavlink":
        device = ensure_device(connection, protocol, address[protocol], label="", now_us=now_us)
        issued = Issued(device=device, secret=None)
    else:
        new = NewDevice(protocol=protocol, address=address.get(protocol, ""))
        issued = add_device(connection, new, vault=vault, now_us=now_us)
    device = issued.device
    new_unit = NewUnit(
        call_sign=f"{protocol}-{number}",
        kind=UnitKind.CAR,
        service=Service.PATROL,
        duty_status=DutyStatus.FREE,
        name_en=f"{protocol} {number}",
        name_zh=f"{protocol} {number}",
    )
    unit = save_unit(connection, new_unit)
    assign_device(connection, device.device_id, unit.unit_id, now_us=0)
    return Member(
        device_id=device.device_id,
        unit_id=unit.unit_id,
        protocol=protocol,
        address=device.address,
        secret=issued.secret or "",
    )


async def _signed_in(app_url: str) -> str:
    async with app_pool(app_url) as pool:
        accounts = Accounts(pool)
        account = await accounts.add("admin", Role.ADMIN)
        settings = Settings()
        sessions = Sessions(
            accounts, SYSTEM_CLOCK, idle_s=settings.session_idle_s, absolute_s=settings.session_absolute_s
        )
        return (await sessions.sign_in(account))[0]


class Program:
    """`skybeat serve` over a data folder: one life after the other, on the same ports. `environment` may mislead it."""

    def __init__(self, folder: Path, force: Force, *, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.force = force
        self.ports = free_ports()
        self.origin = f"http://{HERE}:{self.ports.console}"
        self.memory_mib = 0
        self.log = folder / "serve.log"
        self._environment = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the present life."""
        assert self._process is not None
        return self._process.pid

    @property
    def owner_url(self) -> str:
        """The database owner's URL; the server lives only while we do."""
        return urls_of(self.folder).owner

    def start(self) -> None:
        """Begin a life; return when devices can reach it and the console is ready."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SKYBEAT_")}
        environment |= {
            "SKYBEAT_DATA_DIR": str(self.folder),
            "SKYBEAT_PORT": str(self.ports.console),
            "SKYBEAT_INGEST_PORT": str(self.ports.osmand),
            "SKYBEAT_MAVLINK_LINKS": f"udpin:{HERE}:{self.ports.mavlink}",
            "SKYBEAT_LINKS": ",".join(self._links()),
            "SKYBEAT_LOG_LEVEL": "warning",
        }
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "console.cli", "serve"],
                cwd=PROJECT,
                env=environment | self._environment,
                stdout=log,
                stderr=log,
            )
        self._wait_until_ready()

    def _links(self) -> Iterator[str]:
        known = find_link_sources()
        if "jt808" in known:
            yield f"jt808+tcpin:{HERE}:{self.ports.jt808}"
            yield f"jt808+udpin:{HERE}:{self.ports.jt808_udp}"
        if "gb28181" in known:
            yield f"gb28181+udpin:{HERE}:{self.ports.gb28181}?realm={GB28181_REALM}&id={GB28181_SERVER}"

    def _wait_until_ready(self) -> None:
        end_s = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < end_s:
            assert self._process is not None
            assert self._process.poll() is None, f"serve ended while starting: {self.last_words()}"
            if self.health().get("status") in {"ready", "degraded"}:
                return
            time.sleep(0.05)
        pytest.fail(f"serve was not ready within {READY_WITHIN_S:.0f} s: {self.last_words()}")

    def health(self) -> dict[str, Any]:
        """Return what /readyz says; nothing when it does not answer."""
        try:
            answer: dict[str, Any] = httpx.get(f"{self.origin}/readyz", trust_env=False, timeout=2).json()
        except httpx.TransportError:
            return {}
        return answer

    def ask(self, path: str, *, timeout_s: float = 20.0) -> httpx.Response:
        """Ask the console as the administrator."""
        headers = {"origin": self.origin, "x-skybeat": "1", "cookie": f"skybeat={self.force.cookie}"}
        return httpx.get(self.origin + path, headers=headers, trust_env=False, timeout=timeout_s)

    def kill(self) -> None:
        """Kill -9."""
        self.send(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the program alone, and look at its memory first."""
        self.look_at_memory()
        os.kill(self.pid, number)

    def stop(self) -> None:
        """End in order; it must end well."""
        if self._process is None or self._process.poll() is not None:
            return
        self.send(signal.SIGINT)
        assert self._process.wait(60) == 0, self.last_words()

    def end(self) -> None:
        """Leave nothing behind, whatever happened."""
        if self._process is not None and self._process.poll() is None:
            for pid in (*self.database_pids(), self.pid):
                os.kill(pid, signal.SIGCONT)
            self._process.kill()
            self._process.wait()

    def look_at_memory(self) -> None:
        """Remember the largest resident memory of the program itself."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                self.memory_mib = max(self.memory_mib, int(line.split()[1]) // 1024)

    def database_pid(self) -> int:
        """Return the postmaster's process id."""
        return int((self.folder / "postgres" / "data" / "postmaster.pid").read_text().split()[0])

    def database_pids(self) -> list[int]:
        """Return the postmaster and its children; empty when it is gone."""
        try:
            postmaster = self.database_pid()
            children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        except (FileNotFoundError, ProcessLookupError, IndexError):
            return []
        return [postmaster, *map(int, children)]

    def has_database(self) -> bool:
        """Tell whether the database answers."""
        try:
            psycopg.connect(self.owner_url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def signal_database(self, number: signal.Signals) -> None:
        """Send a signal to the database server and all its children."""
        for pid in self.database_pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:  # a backend that ended meanwhile
                continue

    def last_words(self) -> str:
        """Return the end of the program's log."""
        return self.log.read_text(errors="replace")[-3_000:] if self.log.exists() else ""


@contextmanager
def template(counts: Mapping[str, int]) -> Iterator[Path]:
    """Give a folder with an enrolled force, to be copied for each test: making a database takes seconds."""
    with temporary_folder() as folder:
        enrolled(folder, counts)
        yield folder


@contextmanager
def ground(source: Path, *, environment: Mapping[str, str] | None = None) -> Iterator[Program]:
    """Give a program that runs over a copy of a template; ends it and removes the folder afterwards."""
    with copied(source) as folder, running(folder, environment or {}) as program:
        yield program


@contextmanager
def ground_with_own_database(
    source: Path, misled: Mapping[str, str] | None = None
) -> Iterator[tuple[Program, EmbeddedServer]]:
    """Give a program and a database server that is not its own but ours, to be stopped and started.

    `misled` is the program's environment alone: the server keeps the right time.
    """
    with copied(source) as folder, EmbeddedServer(folder) as server:
        urls = server.urls
        environment = dict(misled or {}) | {
            "SKYBEAT_DATABASE_URL": urls.owner,
            "SKYBEAT_DATABASE_WRITER_URL": urls.writer,
            "SKYBEAT_DATABASE_APP_URL": urls.app,
        }
        with running(folder, environment) as program:
            yield program, server


@contextmanager
def copied(source: Path) -> Iterator[Path]:
    """Give a copy of a template."""
    with temporary_folder() as folder:
        folder.rmdir()
        subprocess.run(["cp", "-a", str(source), str(folder)], check=True)
        yield folder


@contextmanager
def running(folder: Path, environment: Mapping[str, str]) -> Iterator[Program]:
    """Give a program that runs over a folder, and end it."""
    force = msgspec.json.decode((folder / "force.json").read_bytes(), type=Force)
    program = Program(folder, force, environment=environment)
    try:
        program.start()
        yield program
    finally:
        program.end()


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give a folder that the database's own account can reach."""
    folder = Path(tempfile.mkdtemp(prefix="skybeat-chaos-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def member_places(members: Sequence[Member]) -> dict[int, int]:
    """Return each device by the unit that it speaks for."""
    return {member.unit_id: member.device_id for member in members}
