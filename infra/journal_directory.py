"""The journal's directory: its lock, its segments and the small files that say how far the work is."""

from pathlib import Path

from infra.clock import Clock
from infra.errors import GroundError
from infra.journal_segment import parse_segment_name, write_durably
from infra.locks import FileLock, LockHeldError

Position = tuple[int, int]
"""(epoch, sequence): the last record that is meant."""


class JournalError(GroundError):
    """The journal cannot do what was asked."""


class JournalFullError(JournalError):
    """No room: back off and send again; everything accepted before stays safe."""


class JournalFailedError(JournalError):
    """The disk failed a write: nothing is acknowledged any more until the program is started again."""


class JournalInUseError(JournalError):
    """Another program has this journal open."""


class Segment:
    """What is known of one file: `size_bytes` of it may be read; `last_sequence` once it is known to be complete."""

    __slots__ = ("epoch", "first_sequence", "last_sequence", "path", "size_bytes", "writing")

    def __init__(self, path: Path, epoch: int, first_sequence: int, size_bytes: int) -> None:
        self.path = path
        self.epoch = epoch
        self.first_sequence = first_sequence
        self.size_bytes = size_bytes
        self.last_sequence: int | None = None
        self.writing = False


def lock_directory(directory: Path) -> FileLock:
    """Own the directory until the returned lock is released. Raises JournalInUseError."""
    lock = FileLock(directory / "lock")
    try:
        lock.acquire()
    except LockHeldError as error:
        message = (
            f"the journal in {directory} is in use by process {error.holder}: stop it, or set another SKYBEAT_DATA_DIR"
        )
        raise JournalInUseError(message) from error
    return lock


def find_segments(directory: Path) -> list[Segment]:
    """Return the files that earlier boots left, in the order of writing."""
    segments = []
    for path in sorted(directory.iterdir()):
        named = parse_segment_name(path.name)
        if named is not None:
            segments.append(Segment(path, *named, path.stat().st_size))
    return segments


def read_watermark(directory: Path) -> Position:
    """Return the last record known to be safe elsewhere; (0, 0) when nobody knows."""
    try:
        epoch, sequence = (directory / "watermark").read_text().split()
        return int(epoch), int(sequence)
    except (OSError, ValueError):  # none yet, or damaged: the ledger in the database knows what it has
        return 0, 0


def begin_epoch(directory: Path, past: list[int], clock: Clock) -> int:
    """Return an epoch later than every one before, durably noted; microseconds of now where the clock allows.

    So an emptied directory does not repeat an epoch that a database's ledger knows. Raises OSError.
    """
    file = directory / "epoch"
    epoch = max(_read_number(file) + 1, *(one + 1 for one in past), clock.now_us())
    write_durably(file, f"{epoch}\n".encode())
    return epoch


def _read_number(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # none yet, or damaged
        return 0


def read_at(path: Path, offset: int, byte_count: int) -> bytes:
    """Return at most `byte_count` bytes of a file. Raises OSError."""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(byte_count)
