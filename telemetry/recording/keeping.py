"""What was taken goes to the journal: in records of bounded length, refused and counted when it takes nothing."""

from collections import deque
from typing import Final, Protocol

from infra.journal import JournalError, JournalFailedError, JournalFullError
from infra.logs import get_logger
from infra.metrics import POSITIONS_REFUSED
from telemetry.model.batch import Batch
from telemetry.model.events import AnyEvent, encode_event
from telemetry.recording.journal_records import KIND_BATCH, KIND_EVENT

ROWS_A_RECORD: Final = 100_000
OWED_AT_MOST: Final = 10_000
"""Events that wait for room at once; the oldest makes room."""
_log: Final = get_logger("bridge")


class JournalDoor(Protocol):
    """What the bridge asks of the journal (infra/journal.py)."""

    def append(self, kind: int, payload: bytes, *, acknowledged: bool = False) -> int:
        """Take a record; raises JournalFullError or JournalFailedError."""

    async def durable(self, sequence: int) -> None:
        """Return when the record is on the disk."""

    def has_room(self, byte_count: int = 0) -> bool:
        """Tell whether an acknowledged record of so many bytes would be taken."""


class Keeping:
    """Batches and events on their way to the journal. After a failed sync nothing is promised any more, whatever was before.

    Refused rows come again, since nobody was told that we have them; refused events would not: what told them (an edge of an alarm,
    a border that was crossed) was seen already. They are owed, and go with whatever is taken next.
    """

    def __init__(self, journal: JournalDoor) -> None:
        self._journal = journal
        self._refused: dict[bool, str] = {}
        self._refused_rows = 0
        self._owed: deque[AnyEvent] = deque(maxlen=OWED_AT_MOST)
        self._refused_bytes = 0
        self._failure: JournalFailedError | None = None

    @property
    def refusal(self) -> str | None:
        """Why not everything is kept at the moment: journal_full (for datagrams first) or journal_failed; None while it is."""
        return next(iter(self._refused.values()), None)

    def has_room(self) -> bool:
        """Tell whether the journal takes what can be refused, a turn as large as the one that it refused last too."""
        return self._failure is None and self._journal.has_room(self._refused_bytes)

    def keep(self, batch: Batch | None, events: tuple[AnyEvent, ...], *, acknowledged: bool) -> int | None:
        """Hand rows and events over; return the sequence of the last record, None when there was nothing.

        Raises JournalError when not all of it is kept, which is counted and logged once.
        """
        sequence = None
        rows = 0 if batch is None else len(batch)
        if not rows and not events:
            return None
        self._owed += events
        try:
            if batch is not None:
                for start in range(0, rows, ROWS_A_RECORD):
                    payload = batch[start : start + ROWS_A_RECORD].tobytes()
                    sequence = self._journal.append(KIND_BATCH, payload, acknowledged=acknowledged)
            while self._owed:
                sequence = self._keep_owed(self._owed.popleft(), acknowledged=acknowledged)
        except JournalError as error:
            self._refused_bytes = 0 if batch is None else batch.nbytes
            self._note_refusal(error, rows, acknowledged=acknowledged)
            raise
        if sequence is not None and self._refused:
            self._note_recovery(acknowledged=acknowledged)
        return sequence

    def _keep_owed(self, event: AnyEvent, *, acknowledged: bool) -> int:
        try:
            return self._journal.append(KIND_EVENT, encode_event(event), acknowledged=acknowledged)
        except JournalError:
            self._owed.appendleft(event)
            raise

    async def keep_event(self, event: AnyEvent) -> None:
        """Return when an event that somebody waits for is on the disk. Raises JournalError."""
        sequence = self._journal.append(KIND_EVENT, encode_event(event), acknowledged=True)
        self._failure = None
        await self.durable(sequence)

    async def durable(self, sequence: int) -> None:
        """Return when a record is on the disk. Raises JournalError when it is not, and always after a failed sync."""
        if self._failure is not None:
            raise self._failure
        try:
            await self._journal.durable(sequence)
        except JournalFailedError as error:
            self._note_refusal(error, 0, acknowledged=True)
            raise

    def _note_recovery(self, *, acknowledged: bool) -> None:
        """Note that it takes again: who cannot be refused is refused first, and taken last."""
        self._failure = None
        self._refused.pop(True, None)
        if not acknowledged:
            self._refused.clear()
        if not self._refused:
            _log.info("journal_takes_again", refused_rows=self._refused_rows)
            self._refused_rows = 0

    def _note_refusal(self, error: JournalError, row_count: int, *, acknowledged: bool) -> None:
        reason = "journal_full" if isinstance(error, JournalFullError) else "journal_failed"
        POSITIONS_REFUSED.labels(reason=reason).inc(row_count)
        if acknowledged not in self._refused:
            _log.error(reason, error=str(error), of="those who wait for an answer" if acknowledged else "datagrams")
        if isinstance(error, JournalFailedError):
            self._failure = error
        self._refused[acknowledged] = reason
        self._refused_rows += row_count
