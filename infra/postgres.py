"""The embedded PostgreSQL: finds its binaries, makes its data once, runs it privately and never leaves an orphan."""

import os
import pwd
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final, Self

import psycopg

from infra.disk import explained
from infra.errors import ServerError
from infra.locks import FileLock, LockHeldError
from infra.postgres_cluster import (
    BOOTSTRAP_ROLE,
    ROLES,
    Layout,
    ServerUrls,
    check_data_folder,
    check_version,
    make_cluster,
    make_roles,
    own_folder,
    read_plain,
    saved_access,
    url_for,
)
from infra.postgres_programs import as_account, find_binaries, service_account, tool_environment, usable_binaries

START_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 20.0

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


class EmbeddedServer:
    """One private PostgreSQL under `data_dir`; a context manager.

    Start it from the main thread: the server dies with the thread that started it, so that it never outlives us.
    Raises ServerError with what to do when it cannot run.
    """

    def __init__(self, data_dir: Path, *, binaries: Path | None = None) -> None:
        self._layout = Layout(data_dir.resolve())
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
    def is_running(self) -> bool:
        """Whether the server started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_status(self) -> int | None:
        """How the server ended (minus the signal that killed it); None while it runs or was stopped."""
        return self._process.poll() if self._process else None

    @property
    def maintenance_url(self) -> str:
        """The superuser's URL, for backups and for making databases; holds a password."""
        return url_for(self._layout, BOOTSTRAP_ROLE, "postgres")

    @property
    def urls(self) -> ServerUrls:
        """The three roles' URLs."""
        return urls_of(self._layout.data_dir)

    def start(self) -> ServerUrls:
        """Make the cluster if there is none, start the server and return its URLs."""
        if threading.current_thread() is not threading.main_thread():
            message = "the embedded server must be started from the main thread: it dies with the thread that starts it"
            raise ServerError(message)
        with explained("the data folder", self._layout.data_dir):
            return self._start()

    def _start(self) -> ServerUrls:
        layout = self._layout
        layout.data_dir.mkdir(mode=0o755 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        check_data_folder(layout.data_dir)
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

    def start_again(self) -> None:
        """Start a server that ended by itself, on the data and at the place that it had; returns when it answers.

        It is tied to the calling thread's life. What a killed one left running is waited for: it notices and goes.
        """
        binaries = self._usable_binaries()
        _check_no_stranger(self._layout)
        self._process = _spawn(self._layout, binaries, _account())
        _wait_until_ready(self._layout, self._process)

    def stop(self) -> None:
        """Shut the server down fast and wait for it."""
        self._end_process()
        self._lock.release()

    def _start_locked(self) -> None:
        layout, account = self._layout, _account()
        binaries = self._usable_binaries()
        own_folder(layout.home, account)
        own_folder(layout.sockets, account)
        if not (layout.cluster / "PG_VERSION").exists():
            make_cluster(layout, binaries, account)
        check_version(layout, binaries)
        _check_no_stranger(layout)
        self._process = _spawn(layout, binaries, account)
        _wait_until_ready(layout, self._process)
        make_roles(layout)

    def _usable_binaries(self) -> Path:
        return usable_binaries(find_binaries(self._binaries), self._layout.data_dir, _account())

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


def _account() -> pwd.struct_passwd | None:
    """Return the account that runs the server: ours, but never root's."""
    return service_account() if os.geteuid() == 0 else None


def running_urls(data_dir: Path) -> ServerUrls:
    """Return the URLs of the embedded server that some skybeat process runs now. Raises ServerError when none does."""
    layout = Layout(data_dir.resolve())
    if not FileLock(layout.lock).held():
        message = (
            f"no skybeat database runs under {layout.data_dir}: start `skybeat serve` or `skybeat demo` there, "
            "or set SKYBEAT_DATABASE_URL"
        )
        raise ServerError(message)
    return urls_of(layout.data_dir)


def urls_of(data_dir: Path) -> ServerUrls:
    """Return the URLs of the cluster under `data_dir`, running or not."""
    layout = Layout(data_dir.resolve())
    owner, writer, app = (url_for(layout, role) for role in ROLES)
    return ServerUrls(owner=owner, writer=writer, app=app)


def _check_no_stranger(layout: Layout) -> None:
    """Refuse when a server that is not ours runs on this data; PostgreSQL itself clears a stale file."""
    pid_file = layout.cluster / "postmaster.pid"
    if not pid_file.exists():
        return
    first_line = read_plain(pid_file).partition("\n")[0].strip()
    if not first_line.isdigit():
        message = f"{pid_file} does not begin with a process number: if no database server runs there, remove that file"
        raise ServerError(message)
    pid = int(first_line)
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


def _spawn(layout: Layout, binaries: Path, account: pwd.struct_passwd | None) -> subprocess.Popen[bytes]:
    port = saved_access(layout)["port"]
    place = {"unix_socket_directories": "" if port else str(layout.sockets), "unix_socket_permissions": "0700"}
    place |= {"listen_addresses": "127.0.0.1", "port": str(port)} if port else {"listen_addresses": ""}
    options = [word for name, value in (SERVER_OPTIONS | place).items() for word in ("-c", f"{name}={value}")]
    command = [str(binaries / "postgres"), "-D", str(layout.cluster), *options]
    with os.fdopen(
        os.open(layout.start_log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb"
    ) as log:
        return subprocess.Popen(
            as_account(command, account, tied=sys.platform == "linux"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=tool_environment(),
            start_new_session=True,  # Ctrl-C reaches us alone; we stop the server when everybody else is done
        )


def _wait_until_ready(layout: Layout, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        if process.poll() is not None:
            message = (
                f"the database server ended while starting (exit status {process.returncode}):\n{_last_words(layout)}"
            )
            raise ServerError(message)
        try:
            psycopg.connect(url_for(layout, BOOTSTRAP_ROLE, "postgres"), connect_timeout=5).close()
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                message = f"the database server did not answer within {START_TIMEOUT_S:.0f} s: {error}"
                raise ServerError(message) from error
            time.sleep(0.03)
        else:
            return


def _last_words(layout: Layout) -> str:
    logs = sorted((layout.cluster / "log").glob("server-*.log"), key=lambda path: path.stat().st_mtime)
    lines = [line for path in (layout.start_log, *logs[-1:]) for line in read_plain(path).splitlines()]
    return "\n".join(lines[-6:])
