"""The raw log: what was received comes back as it was, unreadable without the key, bounded, and never in anybody's way."""

from pathlib import Path

import pytest

import telemetry.raw.log
from infra.errors import SecretError
from infra.vault import Vault
from telemetry.links.tap import RawChunk
from telemetry.raw.log import GAP, START, RawLog, read_chunks
from tests.conftest import FakeClock

VAULT = Vault(bytes(32))
DAY_S = 86_400


def chunk(clock: FakeClock, data: bytes = b"a password") -> RawChunk:
    return RawChunk(
        link="jt808+tcpin:0.0.0.0:8808",
        protocol="jt808",
        link_group="main",
        transport="tcp",
        host="10.0.0.1",
        port=1,
        received_us=clock.now_us(),
        device_ids=(7,),
        data=data,
    )


def keep(folder: Path, clock: FakeClock, *data: bytes, keep_days: int = 7, max_bytes: int = 1 << 30) -> RawLog:
    log = RawLog(folder, VAULT, clock, keep_days=keep_days, max_bytes=max_bytes)
    for piece in data:
        log.take(chunk(clock, piece))
    log.close()
    return log


def read(folder: Path, vault: Vault = VAULT) -> list[RawChunk]:
    return list(read_chunks(folder, vault, from_us=0, to_us=2**60))


def test_chunks_come_back_as_they_were_behind_the_mark_of_each_start(tmp_path: Path, fake_clock: FakeClock) -> None:
    keep(tmp_path / "raw", fake_clock, b"one", b"two")
    keep(tmp_path / "raw", fake_clock, b"three")
    found = read(tmp_path / "raw")
    assert [(one.transport, one.data) for one in found] == [
        (START, b""),
        ("tcp", b"one"),
        ("tcp", b"two"),
        (START, b""),
        ("tcp", b"three"),
    ]
    assert found[1] == chunk(fake_clock, b"one")


def test_nothing_is_readable_without_the_key_and_for_no_other_account(tmp_path: Path, fake_clock: FakeClock) -> None:
    keep(tmp_path / "raw", fake_clock, b"Authorization: Digest secret")
    (file,) = (tmp_path / "raw").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "raw").stat().st_mode & 0o777 == 0o700
    assert b"secret" not in file.read_bytes()
    with pytest.raises(SecretError, match=r"vault\.key"):
        read(tmp_path / "raw", Vault(bytes([1] * 32)))


def test_a_torn_block_costs_only_itself_and_leaves_a_mark(tmp_path: Path, fake_clock: FakeClock) -> None:
    keep(tmp_path / "raw", fake_clock, b"one")
    (file,) = (tmp_path / "raw").iterdir()
    whole = file.read_bytes()
    keep(tmp_path / "raw", fake_clock, b"two")
    torn = file.read_bytes()[:-5]
    file.write_bytes(torn + whole)
    assert [one.transport for one in read(tmp_path / "raw")] == [START, "tcp", GAP, START, "tcp"]


def test_files_past_their_days_and_beyond_the_room_go(tmp_path: Path, fake_clock: FakeClock) -> None:
    for _ in range(9):
        keep(tmp_path / "raw", fake_clock, b"a day")
        fake_clock.advance(DAY_S)
    log = keep(tmp_path / "raw", fake_clock, b"today")
    assert len(list((tmp_path / "raw").iterdir())) == 8
    assert log.status.last_error is None
    keep(tmp_path / "raw", fake_clock, b"today", max_bytes=1)
    assert len(list((tmp_path / "raw").iterdir())) == 1


def test_a_log_that_cannot_keep_up_drops_counts_and_marks_the_place(
    tmp_path: Path, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry.raw.log, "WAITING_BYTES", -1)
    log = RawLog(tmp_path / "raw", VAULT, fake_clock, keep_days=7, max_bytes=1 << 30)
    log.take(chunk(fake_clock))
    monkeypatch.setattr(telemetry.raw.log, "WAITING_BYTES", 1 << 20)
    log.take(chunk(fake_clock, b"after"))
    log.close()
    assert (log.status.chunks, log.status.chunks_dropped) == (1, 1)
    assert [one.transport for one in read(tmp_path / "raw")] == [START, GAP, "tcp"]


def test_a_folder_that_takes_nothing_stops_nobody_and_is_said(tmp_path: Path, fake_clock: FakeClock) -> None:
    (tmp_path / "raw").write_text("a file where the folder should be")
    log = keep(tmp_path / "raw", fake_clock, b"one")
    assert log.status.last_error is not None
    assert log.status.chunks_dropped > 0
