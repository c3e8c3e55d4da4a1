"""What the journal promises: order, durability before acknowledgement, bounds, fail-stop and recovery."""

import asyncio
import contextlib
import errno
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from infra.journal import GROUP_BYTES, Journal, JournalFailedError, JournalFullError, JournalInUseError
from infra.journal_segment import SegmentFile, sync_directory
from tests.conftest import FakeClock


class FaultyDisk:
    """Makes segment files whose writes and syncs fail, or wait, when the test says so."""

    def __init__(self) -> None:
        self.write_error: int | None = None
        self.sync_error: int | None = None
        self.may_sync = threading.Event()
        self.may_sync.set()
        self.has_written = threading.Event()
        self.sync_count = 0
        self.good_writes = self.good_syncs = 1_000_000

    def create(self, path: Path) -> SegmentFile:
        disk = self

        class FaultyFile(SegmentFile):
            def write(self, parts: Sequence[bytes]) -> None:
                disk.good_writes -= 1
                if disk.good_writes < 0:
                    disk.write_error = errno.ENOSPC
                if disk.write_error is not None:
                    data = b"".join(parts)
                    super().write([data[: len(data) // 2]])
                    raise OSError(disk.write_error, "as the test asked")
                super().write(parts)
                disk.has_written.set()

            def sync(self) -> None:
                disk.may_sync.wait(10)
                disk.sync_count += 1
                disk.good_syncs -= 1
                if disk.good_syncs < 0:
                    disk.sync_error = errno.EIO
                if disk.sync_error is not None:
                    raise OSError(disk.sync_error, "as the test asked")
                super().sync()

        return FaultyFile.create(path)


@pytest.fixture
def disk() -> FaultyDisk:
    return FaultyDisk()


@pytest.fixture
def open_journal(tmp_path: Path, fake_clock: FakeClock) -> Iterator[Callable[..., Journal]]:
    opened: list[Journal] = []

    def open_one(**options: object) -> Journal:
        journal = Journal.open(tmp_path / "journal", clock=fake_clock, **options)  # type: ignore[arg-type]
        opened.append(journal)
        return journal

    yield open_one
    for journal in opened:
        journal.close()


def append_durably(journal: Journal, *payloads: bytes) -> None:
    for payload in payloads:
        sequence = journal.append(1, payload, acknowledged=True)
    journal.wait_durable(sequence)


def payloads_after(journal: Journal, after: tuple[int, int] = (0, 0), limit: int = 100) -> list[bytes]:
    found: list[bytes] = []
    while records := journal.read(after=after, limit=limit):
        found += [record.payload for record in records]
        after = records[-1].epoch, records[-1].sequence
    return found


def test_records_come_back_in_order_with_kind_and_epoch(open_journal: Callable[..., Journal]) -> None:
    journal = open_journal()
    append_durably(journal, b"one", b"two")
    records = journal.read(after=(0, 0), limit=10)
    assert [(record.epoch, record.sequence, record.kind, record.payload) for record in records] == [
        (journal.epoch, 1, 1, b"one"),
        (journal.epoch, 2, 1, b"two"),
    ]
    assert journal.read(after=(journal.epoch, 2), limit=10) == []
    assert [record.sequence for record in journal.read(after=(journal.epoch, 1), limit=10)] == [2]


def test_each_boot_has_a_later_epoch_even_when_the_clock_runs_backwards(
    open_journal: Callable[..., Journal], fake_clock: FakeClock
) -> None:
    first = open_journal()
    append_durably(first, b"before")
    first.close()
    fake_clock.step(-86_400)
    second = open_journal()
    assert second.epoch > first.epoch
    append_durably(second, b"after")
    assert payloads_after(second) == [b"before", b"after"]


def test_a_second_opener_is_told_who_holds_the_journal(open_journal: Callable[..., Journal]) -> None:
    open_journal()
    with pytest.raises(JournalInUseError, match=r"in use by process \d+: stop it"):
        open_journal()


async def test_a_stalled_disk_holds_neither_append_nor_the_loop(
    open_journal: Callable[..., Journal], disk: FaultyDisk
) -> None:
    journal = open_journal(create_segment=disk.create)
    disk.may_sync.clear()
    waiting = asyncio.create_task(journal.durable(journal.append(1, b"a", acknowledged=True)))
    others = [journal.append(1, b"b") for _ in range(100)]
    await asyncio.sleep(0)
    assert not waiting.done()
    assert journal.durable_through == 0
    disk.may_sync.set()
    await waiting
    await journal.durable(others[-1])
    assert disk.sync_count <= 3, "what waited while the disk stalled is synced as one group"


def test_only_durable_records_are_read(open_journal: Callable[..., Journal], disk: FaultyDisk) -> None:
    journal = open_journal(create_segment=disk.create)
    append_durably(journal, b"safe")
    disk.may_sync.clear()
    journal.append(1, b"on its way")
    assert payloads_after(journal) == [b"safe"]
    disk.may_sync.set()


def test_the_watermark_survives_and_finished_segments_go_away(open_journal: Callable[..., Journal]) -> None:
    journal = open_journal(segment_bytes=100)
    for number in range(20):
        append_durably(journal, b"%020d" % number)
    before = len(list(journal.directory.glob("*.segment")))
    journal.advance(journal.epoch, 15)
    assert len(list(journal.directory.glob("*.segment"))) < before
    journal.close()
    again = open_journal()
    assert again.watermark == (journal.epoch, 15)
    assert payloads_after(again, again.watermark) == [b"%020d" % number for number in range(15, 20)]


def test_everything_consumed_leaves_no_file_of_earlier_boots(open_journal: Callable[..., Journal]) -> None:
    first = open_journal()
    append_durably(first, b"old")
    first.close()
    second = open_journal()
    assert payloads_after(second, (0, 0)) == [b"old"]
    second.advance(first.epoch, 1)
    assert list(second.directory.glob("*.segment")) == []
    assert second.used_bytes == 0


def test_a_full_journal_keeps_room_for_acknowledged_sources(open_journal: Callable[..., Journal]) -> None:
    journal = open_journal(max_bytes=1000, reserved_bytes=500)
    last = append_while_there_is_room(journal, acknowledged=False)
    assert journal.used_bytes <= 500
    with pytest.raises(JournalFullError, match="SKYBEAT_JOURNAL_MAX_BYTES"):
        journal.append(1, bytes(60))
    assert append_while_there_is_room(journal, acknowledged=True) - last == 5
    assert journal.used_bytes <= 1000
    sequence = 10
    journal.wait_durable(sequence)
    journal.advance(journal.epoch, sequence)
    journal.append(1, bytes(60))


def append_while_there_is_room(journal: Journal, *, acknowledged: bool) -> int:
    sequence = 0
    with contextlib.suppress(JournalFullError):
        while True:
            sequence = journal.append(1, bytes(60), acknowledged=acknowledged)
    return sequence


@pytest.mark.parametrize("fault", ["write_error", "sync_error"])
async def test_a_failed_write_or_sync_acknowledges_nothing_ever_after(
    open_journal: Callable[..., Journal], disk: FaultyDisk, fault: str
) -> None:
    journal = open_journal(create_segment=disk.create)
    append_durably(journal, b"safe")
    setattr(disk, fault, errno.EIO)
    sequence = journal.append(1, b"lost", acknowledged=True)
    with pytest.raises(JournalFailedError, match="start the program again"):
        await journal.durable(sequence)
    setattr(disk, fault, None)
    with pytest.raises(JournalFailedError):
        journal.append(1, b"later")
    assert journal.durable_through == 1
    assert payloads_after(journal) == [b"safe"]


async def test_a_full_disk_refuses_then_goes_on_in_a_fresh_segment(
    open_journal: Callable[..., Journal], disk: FaultyDisk
) -> None:
    journal = open_journal(create_segment=disk.create)
    append_durably(journal, b"before")
    disk.write_error = errno.ENOSPC
    sequence = journal.append(1, b"while full", acknowledged=True)
    with pytest.raises(JournalFullError, match="make room"):
        await journal.durable(sequence)
    with pytest.raises(JournalFullError, match="make room"):
        journal.append(1, b"refused")
    disk.write_error = None
    await asyncio.to_thread(wait_for_room, journal)
    append_durably(journal, b"after")
    assert payloads_after(journal) == [b"before", b"while full", b"after"]
    assert len(list(journal.directory.glob("*.segment"))) == 2
    assert journal.damage == ()


def wait_for_room(journal: Journal) -> None:
    with journal._changed:
        assert journal._changed.wait_for(lambda: journal.full_reason is None, 10)


def test_a_real_full_disk_refuses_cleanly_and_recovers(small_disk: Path) -> None:
    with closing(Journal.open(small_disk / "journal", max_bytes=64 << 20, segment_bytes=256 << 10)) as journal:
        sent = append_until_full(journal)
        assert (journal.directory / "watermark").exists() is False
        safe = payloads_after(journal)
        assert safe == sent[: len(safe)]
        (small_disk / "ballast").unlink()
        wait_for_room(journal)
        append_durably(journal, b"after")
        found = payloads_after(journal)
        assert found == [*sent, b"after"]
        journal.advance(journal.epoch, journal.durable_through)


def append_until_full(journal: Journal) -> list[bytes]:
    sent: list[bytes] = []
    for number in range(10_000):
        payload = number.to_bytes(4, "big") * 1024
        try:
            sequence = journal.append(1, payload)
            sent.append(payload)
            journal.wait_durable(sequence)
        except JournalFullError:
            return sent
    pytest.fail("the disk never became full")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB with 1 MB of ballast; only root can make one."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("NO SMALL DISK: mounting a tmpfs needs root; the fake disk's test stands in")
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if made.returncode:
        pytest.skip(f"NO SMALL DISK: mount says {made.stderr.decode().strip()}")
    (folder / "ballast").write_bytes(bytes(1 << 20))
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_closed_journal_has_written_all_that_waited(open_journal: Callable[..., Journal]) -> None:
    journal = open_journal()
    for number in range(1000):
        journal.append(2, b"%d" % number)
    journal.close()
    with pytest.raises(JournalFailedError, match="closed"):
        journal.append(2, b"late")
    assert len(payloads_after(open_journal())) == 1000


def test_a_draft_left_by_a_crash_and_a_damaged_watermark_do_no_harm(open_journal: Callable[..., Journal]) -> None:
    journal = open_journal()
    append_durably(journal, b"safe")
    journal.close()
    (journal.directory / "watermark").write_bytes(b"\xff\x00half")
    (journal.directory / "epoch.new").write_bytes(b"12")
    sync_directory(journal.directory)
    assert payloads_after(open_journal()) == [b"safe"]


def test_a_directory_that_takes_nothing_is_said_and_let_go(small_disk: Path) -> None:
    (small_disk / "more ballast").write_bytes(bytes(1000 << 10))
    with contextlib.suppress(OSError):
        (small_disk / "last ballast").write_bytes(bytes(1 << 20))
    with pytest.raises(JournalFailedError, match="make room there"):
        Journal.open(small_disk)
    (small_disk / "ballast").unlink()
    Journal.open(small_disk).close()


async def test_a_waiter_whose_loop_is_gone_stops_nobody(open_journal: Callable[..., Journal], disk: FaultyDisk) -> None:
    journal = open_journal(create_segment=disk.create)
    disk.may_sync.clear()
    sequence = journal.append(1, b"a", acknowledged=True)

    def wait_in_a_loop_that_ends() -> None:
        async def give_up() -> None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(journal.durable(sequence), 0.01)

        asyncio.run(give_up())

    await asyncio.to_thread(wait_in_a_loop_that_ends)
    waiting = asyncio.create_task(journal.durable(sequence))
    await asyncio.sleep(0)
    disk.may_sync.set()
    async with asyncio.timeout(5):
        await waiting


def append_groups(journal: Journal, disk: FaultyDisk, count: int) -> list[int]:
    """Have `count` groups wait at once behind a first record, and let the disk go on."""
    disk.may_sync.clear()
    first = journal.append(1, b"before", acknowledged=True)
    assert disk.has_written.wait(10)
    groups = [journal.append(1, bytes(GROUP_BYTES), acknowledged=True) for _ in range(count)]
    disk.may_sync.set()
    return [first, *groups]


def test_groups_that_wait_together_are_written_while_others_are_synced_and_all_become_durable(
    open_journal: Callable[..., Journal], disk: FaultyDisk
) -> None:
    journal = open_journal(create_segment=disk.create)
    sequences = append_groups(journal, disk, 5)
    journal.wait_durable(sequences[-1])
    found = payloads_after(journal)
    assert [len(payload) for payload in found] == [6] + [GROUP_BYTES] * 5


def test_a_sync_that_fails_while_the_next_group_is_written_makes_neither_durable(
    open_journal: Callable[..., Journal], disk: FaultyDisk
) -> None:
    journal = open_journal(create_segment=disk.create)
    disk.good_syncs = 2
    sequences = append_groups(journal, disk, 4)
    with pytest.raises(JournalFailedError):
        journal.wait_durable(sequences[-1])
    assert journal.durable_through < sequences[-1]
    assert len(payloads_after(journal)) == journal.durable_through


def test_a_disk_that_fills_while_a_group_is_synced_loses_nothing_of_it(
    open_journal: Callable[..., Journal], disk: FaultyDisk
) -> None:
    journal = open_journal(create_segment=disk.create)
    disk.good_writes = 3
    sequences = append_groups(journal, disk, 4)
    with pytest.raises(JournalFullError):
        journal.wait_durable(sequences[-1])
    assert len(payloads_after(journal)) == journal.durable_through == 3
    disk.good_writes, disk.write_error = 1_000_000, None
    while journal.durable_through < sequences[-1]:
        with contextlib.suppress(JournalFullError):
            journal.wait_durable(sequences[-1])
    assert len(payloads_after(journal)) == 5
