"""Writing the journal's segments: one open at a time, rolled when it is long enough, left behind when the disk is full."""

import errno
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from infra.journal_directory import Segment
from infra.journal_segment import SegmentFile, segment_name

DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class DiskFullError(Exception):
    """The disk took nothing of the group; what was durable before still is, and the next group opens a fresh segment."""


class _Syncing(NamedTuple):
    """A group that is written and being synced by the helping thread."""

    done: Future[None]
    byte_count: int
    last_sequence: int


class SegmentWriter:
    """The end of the list of segments, which its owner keeps under `lock`; used by one thread.

    Any OSError that it raises means that nothing may be believed of the file any more.
    """

    def __init__(
        self,
        directory: Path,
        epoch: int,
        segments: list[Segment],
        lock: threading.Condition,
        *,
        segment_bytes: int,
        create_segment: Callable[[Path], SegmentFile],
        tell_durable: Callable[[int, int], None],
    ) -> None:
        self._directory = directory
        self._epoch = epoch
        self._segments = segments
        self._lock = lock
        self._segment_bytes = segment_bytes
        self._create_segment = create_segment
        self._tell_durable = tell_durable
        self._file: SegmentFile | None = None
        self._file_bytes = 0
        self._helper: ThreadPoolExecutor | None = None
        self._syncing: _Syncing | None = None

    def write(self, parts: Sequence[bytes], first_sequence: int, last_sequence: int, *, is_last: bool) -> None:
        """Put a group of frames (their parts in order) on the disk; `tell_durable` gets its bytes and last sequence.

        While more groups wait (not `is_last`) the disk syncs one as the next is written; what is in doubt then is told by the
        next call. Raises DiskFullError or OSError.
        """
        byte_count = sum(map(len, parts))
        try:
            file = self._file or self._open(first_sequence)
            file.write(parts)
        except OSError as error:
            self._settle()
            if error.errno not in DISK_FULL:
                raise
            self._abandon(first_sequence - 1)
            raise DiskFullError(str(error)) from error
        self._settle()
        self._file_bytes += byte_count
        if is_last or self._file_bytes >= self._segment_bytes:
            file.sync()
            self._tell_durable(byte_count, last_sequence)
            return
        self._helper = self._helper or ThreadPoolExecutor(1, "journal sync")
        self._syncing = _Syncing(self._helper.submit(file.sync), byte_count, last_sequence)

    def _settle(self) -> None:
        """Wait for the sync that is under way, if any. Raises its OSError."""
        syncing, self._syncing = self._syncing, None
        if syncing is not None:
            syncing.done.result()
            self._tell_durable(syncing.byte_count, syncing.last_sequence)

    def keep(self, byte_count: int, last_sequence: int) -> None:
        """Let readers see the group just written; call it with the lock held."""
        segment = self._segments[-1]
        segment.size_bytes += byte_count
        if segment.size_bytes >= self._segment_bytes:
            self._finish(last_sequence)

    def close(self) -> None:
        """Let go of the open file and of the helping thread."""
        if self._helper is not None:
            self._helper.shutdown()
            self._helper = None
        self._close_file()

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self, first_sequence: int) -> SegmentFile:
        path = self._directory / segment_name(self._epoch, first_sequence)
        self._file = self._create_segment(path)
        self._file_bytes = 0
        segment = Segment(path, self._epoch, first_sequence, 0)
        segment.writing = True
        with self._lock:
            self._segments.append(segment)
        return self._file

    def _finish(self, last_sequence: int) -> None:
        self._close_file()
        segment = self._segments[-1]
        segment.last_sequence = last_sequence
        segment.writing = False

    def _abandon(self, last_sequence: int) -> None:
        """Cut the open segment to what is durable and write no more to it; one that holds nothing goes away."""
        if self._file is None:
            return
        segment = self._segments[-1]
        self._file.cut(segment.size_bytes)
        self._finish(last_sequence)
        if segment.size_bytes == 0:
            segment.path.unlink()
            with self._lock:
                self._segments.remove(segment)
