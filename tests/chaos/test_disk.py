"""The journal's disk is full, or refuses to sync: devices are refused and not deceived, and all goes on once it is well."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.chaos.ground import copied, running
from tests.chaos.trial import IS_LONG, observed, trial

pytestmark = [pytest.mark.chaos, pytest.mark.database]
DISK_BYTES: Final = 24 << 20
FAULT_S: Final = 20.0 if IS_LONG else 2.0


@contextmanager
def small_disk(place: Path) -> Iterator[None]:
    """Mount a small disk in memory at `place`."""
    place.mkdir(mode=0o700, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=700", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("NO SMALL DISK: mounting a tmpfs needs root; test_journal_full.py injects a full disk instead")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path) -> None:
    """Take all the room that a disk still has."""
    with (place / "ballast").open("ab", buffering=0) as ballast:
        try:
            while ballast.write(bytes(1 << 16)):
                pass
        except OSError:
            return


def test_the_journals_disk_is_full(force_folder: Path) -> None:
    with (
        copied(force_folder) as folder,
        small_disk(folder / "journal"),
        running(folder, {}) as program,
        observed("disk full", program, program.force.of("osmand", 16)) as one,
    ):
        for _ in range(3 if IS_LONG else 2):
            one.wait_for_words(50)
            fill(folder / "journal")
            one.wait(lambda: program.health()["checks"]["journal"] != "ok", 10, "the full disk is told of")
            end_s = time.monotonic() + FAULT_S
            while time.monotonic() < end_s:
                time.sleep(0.1)
                fill(folder / "journal")  # what the recorder is done with makes room
            assert program.ask("/api/units").status_code == 200
            (folder / "journal" / "ballast").unlink()
            one.note_end()
            one.wait_for_words(50)
            one.wait(lambda: program.health()["checks"]["journal"] == "ok", 10, "the journal is well again")
        result = one.verdict()
    assert result.recovery_s is not None
    assert result.recovery_s < 10


@contextmanager
def traced(pid: int) -> Iterator[None]:
    """Let every fdatasync and fsync of a process fail for the time of the block; skips where processes may not be traced."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("NO STRACE: install Debian's package strace to see syncs fail")
    calls = "fdatasync,fsync"
    inject = ["-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO", "-o", "/dev/null", "-p", str(pid)]
    with subprocess.Popen([strace, "-f", "-qq", *inject], stderr=subprocess.PIPE) as tracer:
        assert tracer.stderr is not None
        time.sleep(1.0)
        if tracer.poll() is not None:
            pytest.skip(f"NO TRACING HERE: {tracer.stderr.read().decode(errors='replace').strip()[:200]}")
        try:
            yield
        finally:
            tracer.send_signal(signal.SIGINT)


def test_a_disk_that_fails_to_sync_ends_all_acknowledgements_until_the_next_start(force_folder: Path) -> None:
    with trial("fsync fails (EIO)", force_folder, lambda program: program.force.of("osmand", 16)) as one:
        one.wait_for_words(50)
        with traced(one.program.pid):
            one.wait(lambda: one.program.health()["checks"]["journal"] != "ok", 10, "the failed disk is told of")
            time.sleep(0.5)
            before = one.crowd.acknowledged()
            time.sleep(FAULT_S)
            assert one.crowd.acknowledged() == before, "acknowledged what the disk refused to sync"
            assert one.program.ask("/api/units").status_code == 200
        time.sleep(1.0)
        assert one.crowd.acknowledged() == before, "believed a disk again that had failed"
        assert one.program.health()["status"] == "down"
        one.program.stop()
        one.note_end()
        one.program.start()
        one.wait_for_words(50)
        result = one.verdict()
    assert result.recovery_s is not None
    assert result.recovery_s < 30
