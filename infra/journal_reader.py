"""Reading the journal back: in order, over damage, and from where the last read ended."""

import threading
from typing import Final

from infra.journal_directory import Position, Segment, read_at
from infra.journal_segment import Damage, Run, scan_frames
from infra.logs import get_logger

READ_BYTES: Final = 128 << 10
"""Read and checked at a time: small, so that the reader's thread never keeps the others waiting for long."""
_log: Final = get_logger("journal")


class _Cursor:
    """Where the last read ended, so that the next need not search."""

    __slots__ = ("offset", "position", "segment")

    def __init__(self, position: Position, segment: Segment, offset: int) -> None:
        self.position = position
        self.segment = segment
        self.offset = offset


class JournalReader:
    """Finds records in the segments of a list that its owner keeps under `lock`; used by one thread."""

    def __init__(self, lock: threading.Condition, segments: list[Segment]) -> None:
        self._lock = lock
        self._segments = segments
        self._cursor: _Cursor | None = None
        self._damage: dict[tuple[str, int], Damage] = {}

    @property
    def damage(self) -> tuple[Damage, ...]:
        """Every run of bytes met so far that should have been records and are none."""
        return tuple(self._damage.values())

    def read(self, *, after: Position, limit: int, limit_bytes: int = READ_BYTES) -> list[Run]:
        """Return runs of together at most `limit` durable records later than `after`, in order, of one epoch a call.

        Reads about `limit_bytes` at a time, so that fewer may come; an empty list means that there is nothing more. Raises
        OSError when a file cannot be read.
        """
        for segment, offset in self._places_after(after):
            runs = self._read_segment(segment, offset, after, limit, limit_bytes)
            if runs:
                return runs
        return []

    def _places_after(self, after: Position) -> list[tuple[Segment, int]]:
        with self._lock:
            segments = [segment for segment in self._segments if _may_follow(segment, after)]
        cursor = self._cursor
        if cursor is None or cursor.position != after:
            return [(segment, 0) for segment in segments]
        start = (cursor.segment.epoch, cursor.segment.first_sequence)
        return [
            (segment, cursor.offset if segment is cursor.segment else 0)
            for segment in segments
            if (segment.epoch, segment.first_sequence) >= start
        ]

    def _read_segment(self, segment: Segment, offset: int, after: Position, limit: int, limit_bytes: int) -> list[Run]:
        is_complete = not segment.writing
        end, chunk_bytes = segment.size_bytes, limit_bytes
        last_sequence = after[1] if segment.epoch == after[0] else 0
        while offset < end:
            data = read_at(segment.path, offset, min(chunk_bytes, end - offset))
            if not data:
                break
            scan = scan_frames(data, segment.epoch, limit, end - offset)
            self._note_damage(segment, offset, scan.damage)
            offset += scan.consumed_bytes
            chunk_bytes = max(limit_bytes, scan.needed_bytes)
            runs = [part for run in scan.runs if (part := run.after(last_sequence)) is not None]
            if runs:
                self._cursor = _Cursor((segment.epoch, runs[-1].last_sequence), segment, offset)
                return runs
        if is_complete and segment.last_sequence is None:
            segment.last_sequence = last_sequence
        return []

    def _note_damage(self, segment: Segment, offset: int, damage: list[tuple[int, int]]) -> None:
        for start, byte_count in damage:
            found = Damage(segment.path.name, offset + start, byte_count)
            if (found.segment, found.offset) not in self._damage:
                self._damage[found.segment, found.offset] = found
                _log.warning("journal_damaged", segment=found.segment, offset=found.offset, byte_count=byte_count)


def _may_follow(segment: Segment, after: Position) -> bool:
    if segment.epoch != after[0]:
        return segment.epoch > after[0]
    return segment.last_sequence is None or segment.last_sequence > after[1]
