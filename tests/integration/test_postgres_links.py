"""What the database's own account leaves in its home never makes root write, give away or tell another's file."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.errors import ServerError
from infra.postgres import EmbeddedServer
from infra.postgres_cluster import check_data_folder, own_folder, read_plain

pytestmark = pytest.mark.database
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has another account run the server")


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="skybeat-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def test_a_link_in_place_of_the_start_log_is_not_written_through(folder: Path) -> None:
    precious = folder / "precious"
    precious.write_text("kept")
    data = folder / "data"
    with EmbeddedServer(data):
        pass
    for place in (data / "postgres" / "start.log", data / "postgres" / "password"):
        place.unlink(missing_ok=True)
        place.symlink_to(precious)
    with EmbeddedServer(data):
        pass
    assert precious.read_text() == "kept"


@as_root
def test_a_link_in_place_of_the_socket_folder_gives_nothing_away(folder: Path) -> None:
    precious = folder / "precious"
    precious.mkdir(mode=0o755)
    data = folder / "data"
    with EmbeddedServer(data):
        pass
    shutil.rmtree(data / "postgres" / "socket")
    (data / "postgres" / "socket").symlink_to(precious)
    with pytest.raises(ServerError, match="is a link or a file"):
        EmbeddedServer(data).start()
    assert (precious.stat().st_uid, precious.stat().st_mode & 0o777) == (0, 0o755)


def test_a_file_in_place_of_a_folder_is_refused(folder: Path) -> None:
    (folder / "socket").write_text("")
    with pytest.raises(ServerError, match="is a link or a file"):
        own_folder(folder / "socket", None)


def test_a_link_is_not_read_and_a_pipe_does_not_stop_the_start(folder: Path) -> None:
    (folder / "secret").write_text("root:x:0")
    (folder / "PG_VERSION").symlink_to(folder / "secret")
    with pytest.raises(OSError, match="symbolic"):
        read_plain(folder / "PG_VERSION")
    os.mkfifo(folder / "postmaster.pid")
    assert read_plain(folder / "postmaster.pid") == ""


def test_a_process_file_of_nonsense_is_told_of_clearly(folder: Path) -> None:
    with EmbeddedServer(folder):
        pass
    (folder / "postgres" / "data" / "postmaster.pid").write_text("")
    with pytest.raises(ServerError, match=r"does not begin with a process number.*remove"):
        EmbeddedServer(folder).start()


def test_a_data_folder_that_everybody_may_write_to_is_refused(folder: Path) -> None:
    folder.chmod(0o777)
    with pytest.raises(ServerError, match="chmod o-w"):
        EmbeddedServer(folder).start()


@as_root
def test_root_does_not_work_in_a_data_folder_of_another_account(folder: Path) -> None:
    shutil.chown(folder, "nobody")
    with pytest.raises(ServerError, match=r"belongs to account .*SKYBEAT_DATA_DIR"):
        check_data_folder(folder)
    (folder / "postgres.lock").symlink_to("/tmp/skybeat-test-never-made")
    with pytest.raises(ServerError, match="belongs to account"):
        EmbeddedServer(folder).start()
    assert not Path("/tmp/skybeat-test-never-made").exists()
