"""What the journal refused: rows come again by themselves, events are owed and go with what is taken next."""

import pytest

from infra.journal import JournalFullError
from telemetry.model.batch import new_batch
from telemetry.model.events import SosRaised, decode_event
from telemetry.recording.journal_records import KIND_BATCH, KIND_EVENT
from telemetry.recording.keeping import OWED_AT_MOST, Keeping


class Shelf:
    """A journal with room for so many records."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.records: list[tuple[int, bytes]] = []

    def append(self, kind: int, payload: bytes, *, acknowledged: bool = False) -> int:
        del acknowledged
        if len(self.records) >= self.room:
            raise JournalFullError("full")
        self.records.append((kind, payload))
        return len(self.records)

    async def durable(self, sequence: int) -> None:
        del sequence

    def has_room(self, byte_count: int = 0) -> bool:  # noqa: ARG002 - the real one
        return len(self.records) < self.room

    @property
    def told_by(self) -> list[int]:
        return [decode_event(payload).device_id for kind, payload in self.records if kind == KIND_EVENT]


def sos(device_id: int) -> SosRaised:
    return SosRaised(device_id=device_id, observed_us=1, received_us=2)


def test_events_that_were_refused_are_kept_once_and_in_order_with_what_comes_next() -> None:
    shelf = Shelf(room=2)
    keeping = Keeping(shelf)
    with pytest.raises(JournalFullError):
        keeping.keep(new_batch(1), (sos(1), sos(2), sos(3)), acknowledged=False)
    with pytest.raises(JournalFullError):
        keeping.keep(new_batch(1), (sos(4),), acknowledged=True)
    assert shelf.told_by == [1]
    shelf.room = 100
    assert keeping.keep(new_batch(1), (), acknowledged=True) == len(shelf.records)
    assert shelf.told_by == [1, 2, 3, 4]
    assert [kind for kind, _ in shelf.records].count(KIND_BATCH) == 2
    keeping.keep(None, (sos(5),), acknowledged=False)
    assert shelf.told_by == [1, 2, 3, 4, 5]


def test_nothing_that_is_owed_becomes_a_promise_about_nothing() -> None:
    shelf = Shelf(room=0)
    keeping = Keeping(shelf)
    with pytest.raises(JournalFullError):
        keeping.keep(None, (sos(1),), acknowledged=True)
    shelf.room = 9
    assert keeping.keep(None, (), acknowledged=True) is None
    assert shelf.told_by == []


def test_what_is_owed_is_bounded() -> None:
    shelf = Shelf(room=0)
    keeping = Keeping(shelf)
    for number in range(12):
        with pytest.raises(JournalFullError):
            keeping.keep(None, (sos(number),) * 1_000, acknowledged=False)
    shelf.room = 1 << 20
    keeping.keep(None, (sos(99),), acknowledged=False)
    assert len(shelf.records) == OWED_AT_MOST
    assert shelf.told_by[-2:] == [11, 99]
