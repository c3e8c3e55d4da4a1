"""Writing the journal's segments: one open at a time, rolled when it is long enough, left behind when the disk is full."""

import errno
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from infra.journal_directory import Segment
from infra.journal_segment import SegmentFile, segment_name

DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class DiskFullError(Exception):
    """The disk took nothing of the group; what was durable before still is, and the next group opens a fresh segment."""


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
    ) -> None:
        self._directory = directory
        self._epoch = epoch
        self._segments = segments
        self._lock = lock
        self._segment_bytes = segment_bytes
        self._create_segment = create_segment
        self._file: SegmentFile | None = None

    def write(self, data: bytes, first_sequence: int) -> None:
        """Put a group of frames on the disk and sync it. Raises DiskFullError or OSError."""
        try:
            file = self._file or self._open(first_sequence)
            file.write(data)
        except OSError as error:
            if error.errno not in DISK_FULL:
                raise
            self._abandon(first_sequence - 1)
            raise DiskFullError(str(error)) from error
        file.sync()

    def keep(self, byte_count: int, last_sequence: int) -> None:
        """Let readers see the group just written; call it with the lock held."""
        segment = self._segments[-1]
        segment.size_bytes += byte_count
        if segment.size_bytes >= self._segment_bytes:
            self._finish(last_sequence)

    def close(self) -> None:
        """Let go of the open file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self, first_sequence: int) -> SegmentFile:
        path = self._directory / segment_name(self._epoch, first_sequence)
        self._file = self._create_segment(path)
        segment = Segment(path, self._epoch, first_sequence, 0)
        segment.writing = True
        with self._lock:
            self._segments.append(segment)
        return self._file

    def _finish(self, last_sequence: int) -> None:
        self.close()
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
