"""The journal: what was received, on disk before anything is promised, until the database has it."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from infra.clock import SYSTEM_CLOCK, Clock
from infra.journal_directory import (
    JournalError,
    JournalFailedError,
    JournalFullError,
    JournalInUseError,
    Position,
    Segment,
    begin_epoch,
    find_segments,
    lock_directory,
    read_watermark,
)
from infra.journal_reader import JournalReader
from infra.journal_segment import (
    HEADER_BYTES,
    MAX_PAYLOAD_BYTES,
    Damage,
    Record,
    Run,
    SegmentFile,
    encode_header,
    write_durably,
)
from infra.journal_waiters import Waiters
from infra.journal_writer import DISK_FULL, DiskFullError, SegmentWriter
from infra.locks import FileLock
from infra.logs import get_logger
from infra.metrics import JOURNAL_SYNC_S

__all__ = [
    "Damage",
    "Journal",
    "JournalError",
    "JournalFailedError",
    "JournalFullError",
    "JournalInUseError",
    "Position",
    "Record",
    "Run",
]

DEFAULT_SEGMENT_BYTES: Final = 32 << 20
RETRY_FULL_DISK_S: Final = 0.5
GROUP_BYTES: Final = 1 << 20
PARTS_A_FRAME: Final = 2
"""Header and payload wait apart, so that a payload is copied once: into its group."""
_log: Final = get_logger("journal")


class Journal:
    """Append-only records in segment files; make one with `open`.

    `append` is for the event loop and never touches the disk; one thread writes and syncs all that waits. `read` and
    `advance` touch the disk: call them from one other thread.
    """

    def __init__(
        self,
        directory: Path,
        *,
        max_bytes: int,
        reserved_bytes: int,
        segment_bytes: int,
        clock: Clock,
        create_segment: Callable[[Path], SegmentFile],
        lock: FileLock,
    ) -> None:
        self.directory = directory
        self.max_bytes = max_bytes
        self.reserved_bytes = reserved_bytes
        self._clock = clock
        self._changed = threading.Condition()
        self._pending: list[bytes] = []
        self._pending_from = 1
        self._next_sequence = 1
        self._durable_through = 0
        self._waiters = Waiters(self._changed, self._verdict)
        self._failure: str | None = None
        self._full_reason: str | None = None
        self._closing = False
        self._segments = find_segments(directory)
        self._reader = JournalReader(self._changed, self._segments)
        self._used_bytes = sum(segment.size_bytes for segment in self._segments)
        self.watermark = read_watermark(directory)
        self.epoch = begin_epoch(directory, [self.watermark[0], *(segment.epoch for segment in self._segments)], clock)
        self._writer = SegmentWriter(
            directory,
            self.epoch,
            self._segments,
            self._changed,
            segment_bytes=segment_bytes,
            create_segment=create_segment,
            tell_durable=self._mark_durable,
        )
        self._lock = lock
        self._thread = threading.Thread(target=self._write_forever, name="journal", daemon=True)
        self._thread.start()

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        max_bytes: int = 2 << 30,
        reserved_bytes: int | None = None,
        clock: Clock = SYSTEM_CLOCK,
        segment_bytes: int | None = None,
        create_segment: Callable[[Path], SegmentFile] = SegmentFile.create,
    ) -> "Journal":
        """Open a directory's journal and begin a new epoch.

        `reserved_bytes` (default a quarter) of `max_bytes` are kept for acknowledged sources. Raises JournalInUseError when
        another program has it open and JournalFailedError when the directory cannot be written.
        """
        lock: FileLock | None = None
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = lock_directory(directory)
            return cls(
                directory,
                max_bytes=max_bytes,
                reserved_bytes=max_bytes // 4 if reserved_bytes is None else reserved_bytes,
                segment_bytes=segment_bytes or min(DEFAULT_SEGMENT_BYTES, max(1, max_bytes // 8)),
                clock=clock,
                create_segment=create_segment,
                lock=lock,
            )
        except OSError as error:
            if lock is not None:
                lock.release()
            message = (
                f"the journal in {directory} cannot be written ({error}): make room there or let this account write"
            )
            raise JournalFailedError(message) from error

    @property
    def durable_through(self) -> int:
        """The sequence of this epoch through which everything is on the disk; 0 at first."""
        return self._durable_through

    @property
    def used_bytes(self) -> int:
        """Bytes on the disk and on their way there."""
        return self._used_bytes

    @property
    def failure(self) -> str | None:
        """Why nothing is acknowledged any more; None while all is well."""
        return self._failure

    @property
    def full_reason(self) -> str | None:
        """Why the disk takes nothing at the moment; None while it does."""
        return self._full_reason

    @property
    def damage(self) -> tuple[Damage, ...]:
        """Every run of bytes met so far that should have been records and are none."""
        return self._reader.damage

    def append(self, kind: int, payload: bytes, *, acknowledged: bool = False) -> int:
        """Take a record and return its sequence at once; it is safe only when `durable` has returned.

        `acknowledged`: the sender waits for our word, so it may use the reserved room. Raises JournalFullError when there is
        no room, JournalFailedError after a failed write or when closed, ValueError for a payload above MAX_PAYLOAD_BYTES.
        """
        if len(payload) > MAX_PAYLOAD_BYTES:
            message = f"a journal record of {len(payload)} bytes is too long: at most {MAX_PAYLOAD_BYTES}; split it"
            raise ValueError(message)
        with self._changed:
            self._refuse_if_unusable()
            sequence = self._next_sequence
            frame_bytes = HEADER_BYTES + len(payload)
            self._refuse_if_full(frame_bytes, self.max_bytes if acknowledged else self.max_bytes - self.reserved_bytes)
            self._next_sequence = sequence + 1
            self._pending += (encode_header(self.epoch, sequence, kind, payload), payload)
            self._used_bytes += frame_bytes
            if len(self._pending) == PARTS_A_FRAME:  # else the writer knows already that something waits
                self._changed.notify_all()
        return sequence

    def has_room(self, byte_count: int = 0) -> bool:
        """Tell whether an acknowledged record of so many bytes would be taken.

        A sixteenth stays free at least, so that it does not end at once again, and half of it all is room for anything.
        """
        wanted_bytes = min(max(byte_count, self.max_bytes // 16), self.max_bytes // 2)
        with self._changed:
            is_usable = self._failure is None and self._full_reason is None and not self._closing
            return is_usable and self._used_bytes + wanted_bytes < self.max_bytes

    def _refuse_if_unusable(self) -> None:
        if self._failure is not None:
            raise JournalFailedError(self._failure)
        if self._closing:
            message = "the journal is closed: nothing is accepted any more"
            raise JournalFailedError(message)
        if self._full_reason is not None:
            raise JournalFullError(self._full_reason)

    def _refuse_if_full(self, frame_bytes: int, room_bytes: int) -> None:
        if self._used_bytes + frame_bytes > room_bytes:
            message = (
                f"the journal is full: {self._used_bytes} bytes of {room_bytes} wait for the database; "
                "bring the database back or raise SKYBEAT_JOURNAL_MAX_BYTES"
            )
            raise JournalFullError(message)

    async def durable(self, sequence: int) -> None:
        """Return when the record is on the disk. Raises JournalFullError or JournalFailedError when it is not."""
        with self._changed:
            verdict = self._verdict(sequence)
            future = self._waiters.add(sequence) if verdict is False else None
        if future is not None:
            await future
        elif isinstance(verdict, JournalError):
            raise verdict

    def wait_durable(self, sequence: int, *, timeout_s: float = 30.0) -> None:
        """Do as `durable` in a thread that may wait. Raises TimeoutError too."""
        with self._changed:
            self._changed.wait_for(lambda: self._verdict(sequence), timeout_s)
            verdict = self._verdict(sequence)
        if isinstance(verdict, JournalError):
            raise verdict
        if not verdict:
            message = f"record {sequence} is not on the disk after {timeout_s} s: the disk stalls"
            raise TimeoutError(message)

    def read(self, *, after: Position, limit: int) -> list[Record]:
        """Return at most `limit` durable records later than `after` in order, of earlier epochs too; of one epoch a call.

        Reads a little at a time, so that fewer may come; an empty list means that there is nothing more. Raises OSError
        when a file cannot be read.
        """
        return [record for run in self.read_runs(after=after, limit=limit) for record in run.records()]

    def read_runs(self, *, after: Position, limit: int) -> list[Run]:
        """Do as `read`, with neighbours of one kind and length as one: much cheaper where records are small and alike."""
        return self._reader.read(after=after, limit=limit)

    def advance(self, epoch: int, sequence: int) -> None:
        """Remember that everything through this record is safe elsewhere, and delete the files that are done with.

        Raises OSError when the disk refuses to remember it (a full disk is no reason: the next call tries again).
        """
        if (epoch, sequence) < self.watermark:
            return
        self.watermark = (epoch, sequence)
        try:
            write_durably(self.directory / "watermark", f"{epoch} {sequence}\n".encode())
        except OSError as error:
            if error.errno not in DISK_FULL:
                raise
        self._delete_finished()

    def _delete_finished(self) -> None:
        with self._changed:
            finished = [segment for segment in self._segments if self._is_finished(segment)]
        for segment in finished:
            segment.path.unlink(missing_ok=True)
        with self._changed:
            self._segments[:] = [segment for segment in self._segments if segment not in finished]
            self._used_bytes -= sum(segment.size_bytes for segment in finished)
            self._changed.notify_all()

    def _is_finished(self, segment: Segment) -> bool:
        if segment.writing or segment.epoch > self.watermark[0]:
            return False
        if segment.epoch < self.watermark[0]:
            return True
        return segment.last_sequence is not None and segment.last_sequence <= self.watermark[1]

    def close(self, *, timeout_s: float = 10.0) -> None:
        """Write what waits, then let go of the files and of the directory."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        self._lock.release()

    # The writer's thread

    def _write_forever(self) -> None:
        try:
            while self._write_what_waits():
                pass
        finally:
            self._writer.close()
            if not self._closing and self._failure is None:
                self._fail("the journal's writer stopped unexpectedly: see the log, then start the program again")

    def _write_what_waits(self) -> bool:
        with self._changed:
            while not self._pending and not self._closing:
                self._changed.wait()
            if self._full_reason is not None and not self._closing:
                self._changed.wait(RETRY_FULL_DISK_S)
            if not self._pending:
                return False
            parts, first = self._pending, self._pending_from
            self._pending, self._pending_from = [], first + len(parts) // PARTS_A_FRAME
        return self._write_groups(parts, first)

    def _write_groups(self, parts: list[bytes], first: int) -> bool:
        """Put group after group on the disk; return whether the thread goes on."""
        start = 0
        try:
            for end in _ends_of_groups(parts):
                last = first + end // PARTS_A_FRAME - 1
                started_s = self._clock.monotonic_s()
                self._writer.write(parts[start:end], first + start // PARTS_A_FRAME, last, is_last=end == len(parts))
                JOURNAL_SYNC_S.observe(self._clock.monotonic_s() - started_s)
                start = end
        except DiskFullError as error:
            return self._give_back(parts[start:], first + start // PARTS_A_FRAME, error)
        except OSError as error:
            return self._fail(
                f"the disk failed to keep what was written ({error}): check it, then start the program again"
            )
        return True

    def _mark_durable(self, byte_count: int, last_sequence: int) -> None:
        with self._changed:
            self._writer.keep(byte_count, last_sequence)
            self._durable_through = last_sequence
            if self._full_reason is not None:
                self._full_reason = None
                _log.info("journal_disk_has_room")
            self._changed.notify_all()
        self._waiters.wake()

    def _give_back(self, parts: list[bytes], first: int, error: DiskFullError) -> bool:
        """Keep what the full disk refused for a fresh segment, and tell all who wait that it is not safe."""
        with self._changed:
            self._pending[:0] = parts
            self._pending_from = first
            if self._full_reason is None:
                _log.error("journal_disk_full", error=str(error))
            self._full_reason = f"the journal's disk is full ({error}): make room in {self.directory}"
            self._changed.notify_all()
            closing = self._closing
        self._waiters.wake()
        return not closing

    def _fail(self, reason: str) -> bool:
        with self._changed:
            self._failure = reason
            self._changed.notify_all()
        _log.error("journal_failed", reason=reason)
        self._waiters.wake()
        return False

    def _verdict(self, sequence: int) -> bool | JournalError:
        if sequence <= self._durable_through:
            return True
        if self._failure is not None:
            return JournalFailedError(self._failure)
        return JournalFullError(self._full_reason) if self._full_reason is not None else False


def _ends_of_groups(parts: list[bytes]) -> Iterator[int]:
    """Give where to cut, so that each group has at most about GROUP_BYTES: copied and written while the cache has it."""
    size_bytes = 0
    for index in range(0, len(parts), PARTS_A_FRAME):
        size_bytes += HEADER_BYTES + len(parts[index + 1])
        if size_bytes >= GROUP_BYTES:
            yield index + PARTS_A_FRAME
            size_bytes = 0
    if size_bytes:
        yield len(parts)
