"""Messages that come in parts: put together, asked for again where a part is missing, given up in the end."""

from typing import Final

from telemetry.sources.jt808.frame import Frame

GROUPS_AT_MOST: Final = 32
BYTES_AT_MOST: Final = 1 << 20
PARTS_AT_MOST: Final = BYTES_AT_MOST // 1_023
WAIT_US: Final = 5_000_000
"""So long after its last part a message with gaps is asked for again, and then as often as ASKS."""
ASKS: Final = 3
STALLED_US: Final = 1_000_000

_Key = tuple[bytes, int, int, int]


class Group:
    """The parts of one message that are here; `unanswered` are serials of parts that were not acknowledged yet."""

    __slots__ = ("asks", "first_serial", "frame", "heard_us", "length_fits", "parts", "size_bytes", "unanswered")

    def __init__(self, frame: Frame, first_serial: int) -> None:
        self.frame = frame
        self.first_serial = first_serial
        self.parts: dict[int, bytes] = {}
        self.size_bytes = 0
        self.heard_us = 0
        self.asks = 0
        self.length_fits = True
        self.unanswered: list[int] = []

    @property
    def missing(self) -> list[int]:
        """Return the numbers of the parts that are not here."""
        return [number for number in range(1, self.frame.parts + 1) if number not in self.parts]


class Assembly:
    """Puts messages of one connection together; at most GROUPS_AT_MOST begun at once and BYTES_AT_MOST of them.

    The one begun first makes room, and is counted in `dropped_count` like one that never became whole.
    """

    def __init__(self) -> None:
        self._groups: dict[_Key, Group] = {}
        self._size_bytes = 0
        self.dropped_count = 0
        self.done: Group | None = None

    def take(self, frame: Frame, now_us: int = 0, *, is_answered: bool = False) -> bytes | None:
        """Take a frame; return the whole message's body, None while parts are missing.

        `is_answered`: a part is answered by itself unless it completes the message. After a message in parts became whole, `done` is its group until the next call.
        """
        self.done = None
        if frame.parts <= 1:
            return frame.body
        if not 1 <= frame.part <= frame.parts <= PARTS_AT_MOST:
            self.dropped_count += 1
            return None
        group = self._group_of(frame)
        if frame.part not in group.parts:
            group.parts[frame.part] = frame.body
            group.size_bytes += len(frame.body)
            self._size_bytes += len(frame.body)
        group.heard_us = now_us
        group.asks = 0
        group.length_fits &= frame.length_fits
        is_whole = len(group.parts) == frame.parts
        if frame.serial not in group.unanswered and (is_whole or not is_answered):
            group.unanswered.append(frame.serial)
        if is_whole:
            self._forget(_key(group.frame))
            self.done = group
            return b"".join(group.parts[number] for number in sorted(group.parts))
        self._make_room(_key(frame))
        return None

    def gaps(self, now_us: int) -> list[Group]:
        """Return the messages to ask for again now; those asked for often enough are given up."""
        due = [(key, group) for key, group in self._groups.items() if now_us - group.heard_us >= WAIT_US]
        for key, group in due:
            if group.asks >= ASKS:
                self._forget(key)
                self.dropped_count += 1
            else:
                group.asks += 1
                group.heard_us = now_us
        return [group for key, group in due if key in self._groups]

    def stalled(self, now_us: int) -> list[Group]:
        """Return the messages whose sender seems to wait for an answer before it goes on."""
        return [g for g in self._groups.values() if g.unanswered and now_us - g.heard_us >= STALLED_US]

    def _group_of(self, frame: Frame) -> Group:
        key = _key(frame)
        if key not in self._groups:
            self._groups[key] = Group(frame, key[2])
        return self._groups[key]

    def _make_room(self, current: _Key) -> None:
        while len(self._groups) > GROUPS_AT_MOST or self._size_bytes > BYTES_AT_MOST:
            oldest = next(iter(self._groups))
            self._forget(oldest)
            self.dropped_count += 1
            if oldest == current:
                return

    def _forget(self, key: _Key) -> None:
        self._size_bytes -= self._groups.pop(key).size_bytes


def _key(frame: Frame) -> _Key:
    """Return what the parts of one message have in common: the sender, the message, the first part's serial, their number."""
    return frame.form.terminal, frame.msg_id, (frame.serial - frame.part + 1) & 0xFFFF, frame.parts
