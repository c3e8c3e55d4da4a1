"""The embedded server's data: its folders, its one-time making, its roles and their passwords."""

import errno
import json
import os
import pwd
import secrets
import shutil
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict
from urllib.parse import quote

import psycopg
from psycopg import sql

from infra.errors import ServerError
from infra.postgres_programs import run_tool

DATABASE: Final = "skybeat"
BOOTSTRAP_ROLE: Final = "skybeat_server"
ROLES: Final = ("skybeat_owner", "skybeat_writer", "skybeat_app")
SOCKET_PATH_MAX_BYTES: Final = 100
READ_AT_MOST_CHARS: Final = 1 << 20


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
class Layout:
    """Where the embedded server's things lie below the data folder."""

    data_dir: Path

    @property
    def home(self) -> Path:
        """The server's own folder."""
        return self.data_dir / "postgres"

    @property
    def cluster(self) -> Path:
        """PostgreSQL's data."""
        return self.home / "data"

    @property
    def sockets(self) -> Path:
        """Where its unix socket is."""
        return self.home / "socket"

    @property
    def start_log(self) -> Path:
        """What it said before its own log began; outside its home, where its account could put a link in the place."""
        return self.data_dir / "postgres-start.log"

    @property
    def lock(self) -> Path:
        """Held by the process that runs the server."""
        return self.data_dir / "postgres.lock"

    @property
    def secrets(self) -> Path:
        """The roles' passwords and the port, for our eyes only."""
        return self.data_dir / "postgres.json"


class SavedAccess(TypedDict):
    """How the cluster is reached: passwords by role, and its port on loopback (None: its unix socket)."""

    passwords: dict[str, str]
    port: int | None


def own_folder(folder: Path, account: pwd.struct_passwd | None) -> None:
    """Make a folder that only the account (None: we) can enter. Raises ServerError for a link or file in its place.

    The account may write beside it: a link that it put there must never make root give it the folder behind the link.
    """
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno not in {errno.ELOOP, errno.ENOTDIR}:
            raise
        message = (
            f"{folder} is a link or a file, not a folder of the database: find out who put it there, then remove it"
        )
        raise ServerError(message) from error
    try:
        os.fchmod(descriptor, 0o700)
        if account is not None:
            os.fchown(descriptor, account.pw_uid, account.pw_gid)
    finally:
        os.close(descriptor)


def check_data_folder(folder: Path) -> None:
    """Refuse a data folder in which another account could put links or keys of its own. Raises ServerError."""
    found = folder.stat()
    if found.st_uid != os.geteuid():
        message = (
            f"the data folder {folder} belongs to account {found.st_uid}, skybeat runs as {os.geteuid()}: run as that "
            "account, give the folder to this one (chown), or choose another with SKYBEAT_DATA_DIR"
        )
        raise ServerError(message)
    if found.st_mode & 0o002:
        message = f"every account may write to the data folder {folder}: take that right away (chmod o-w {folder})"
        raise ServerError(message)


def read_plain(path: Path) -> str:
    """Return the text of a file of the server's account; a link or a pipe in its place is not followed (OSError)."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, errors="replace") as file:
        return file.read(READ_AT_MOST_CHARS)


def url_for(layout: Layout, role: str, database: str = DATABASE) -> str:
    """Return a role's URL of one database of the cluster; it holds the password."""
    saved = saved_access(layout)
    password = quote(saved["passwords"][role], safe="")
    if saved["port"]:
        return f"postgresql://{role}:{password}@127.0.0.1:{saved['port']}/{database}"
    return f"postgresql://{role}:{password}@/{database}?host={quote(str(layout.sockets), safe='')}"


def saved_access(layout: Layout) -> SavedAccess:
    """Return how the cluster is reached. Raises ServerError when the file is away, not ours to read, or damaged."""
    try:
        saved: SavedAccess = json.loads(layout.secrets.read_text())
        known = {BOOTSTRAP_ROLE, *ROLES} <= saved["passwords"].keys() and "port" in saved
    except FileNotFoundError as error:
        message = f"the embedded database's keys are missing ({layout.secrets}): restore that file from your backup"
        raise ServerError(message) from error
    except PermissionError as error:
        message = f"may not read {layout.secrets}: run as the account that runs skybeat"
        raise ServerError(message) from error
    except (ValueError, LookupError, TypeError, AttributeError):
        known = False
    if not known:
        message = f"the embedded database's keys in {layout.secrets} are damaged: restore that file from your backup"
        raise ServerError(message)
    return saved


def make_cluster(layout: Layout, binaries: Path, account: pwd.struct_passwd | None) -> None:
    """Make the cluster with fresh random passwords, SCRAM everywhere and checksums. Raises ServerError."""
    passwords = {role: secrets.token_urlsafe(32) for role in (BOOTSTRAP_ROLE, *ROLES)}
    fits = len(str(layout.sockets / ".s.PGSQL.5432").encode()) <= SOCKET_PATH_MAX_BYTES
    _write_private(layout.secrets, json.dumps({"passwords": passwords, "port": None if fits else _free_port()}))
    password_file = layout.home / "password"
    _write_private(password_file, passwords[BOOTSTRAP_ROLE], account)
    shutil.rmtree(layout.cluster, ignore_errors=True)
    command = [str(binaries / "initdb"), "-D", str(layout.cluster), "-U", BOOTSTRAP_ROLE, f"--pwfile={password_file}"]
    access = ["--auth-local=scram-sha-256", "--auth-host=scram-sha-256", "--data-checksums"]
    try:
        run_tool(
            [*command, *access, "--encoding=UTF8", "--locale=C.UTF-8"], "make the database cluster", account=account
        )
    except ServerError:
        shutil.rmtree(layout.cluster, ignore_errors=True)
        raise
    finally:
        password_file.unlink(missing_ok=True)


def _write_private(path: Path, text: str, account: pwd.struct_passwd | None = None) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        if account is not None:
            os.fchown(descriptor, account.pw_uid, account.pw_gid)  # not by name: the account may have swapped the file
        file.write(text)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def check_version(layout: Layout, binaries: Path) -> None:
    """Refuse data that another major version made. Raises ServerError with the way out."""
    made_by = read_plain(layout.cluster / "PG_VERSION").strip()
    words = run_tool([str(binaries / "postgres"), "--version"], "ask the server's version").split()
    runs = words[2].partition(".")[0]
    if made_by != runs:
        message = (
            f"the data under {layout.cluster} was made by PostgreSQL {made_by}, but {binaries} is PostgreSQL {runs}: "
            f"point SKYBEAT_POSTGRES_BIN to a PostgreSQL {made_by}, or move the data by pg_upgrade"
        )
        raise ServerError(message)


def make_roles(layout: Layout) -> None:
    """Make the three roles and the database where they are missing; the passwords are those saved."""
    passwords = saved_access(layout)["passwords"]
    with psycopg.connect(url_for(layout, BOOTSTRAP_ROLE, "postgres"), autocommit=True) as connection:
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
