"""One browser on the stream: a one-slot, latest-wins place for frames, a reliable queue for the rest, a rate that adapts."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

from console.auth.policy import Scope
from console.stream.group import Group
from console.wire import RATES_HZ

Send = Callable[[dict[str, Any]], Awaitable[None]]

DROPS_UNTIL_SLOWER: Final = 3
DROP_MEMORY_S: Final = 10.0
CALM_UNTIL_FASTER_S: Final = 30.0


class Client:
    """What is waiting for one browser. Bounded: one set of frames, one trail a unit, one text a kind, a cursor for alarms and statuses."""

    def __init__(self, scope: Scope, session_sha256: bytes, *, account_id: int = 0) -> None:
        self.scope = scope
        self.session_sha256 = session_sha256
        self.account_id = account_id
        self.group: Group | None = None
        self.unit_ids: frozenset[int] = frozenset()
        self.box_deg: tuple[float, float, float, float] | None = None
        self.wanted_hz = RATES_HZ[0]
        self.hz = RATES_HZ[0]
        self.behind = True
        self.busy = False
        self.alarm_seq = 0
        self.status_version = 0
        self.first_texts: deque[str] = deque()
        self.latest_texts: dict[str, str] = {}
        self.trails: dict[int, bytes] = {}
        self.close_code: int | None = None
        self.dropped_count = 0
        self._frames: tuple[bytes, ...] = ()
        self._drop_times_s: deque[float] = deque(maxlen=DROPS_UNTIL_SLOWER)
        self._calm_since_s = 0.0
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Let the sender look at what waits."""
        self._wake.set()

    def close(self, code: int) -> None:
        """Let the sender close the connection with this code before it sends anything else."""
        self.close_code = code
        self._wake.set()

    def offer(self, frames: tuple[bytes, ...], now_s: float) -> None:
        """Put frames into the slot; where the last are still there both are dropped and a snapshot is owed."""
        if self.busy or self._frames:
            self._frames = ()
            self._note_drop(now_s)
            return
        self._frames = frames
        self._wake.set()

    def owes_snapshot(self) -> bool:
        """Tell whether a snapshot is due and could be taken now."""
        return self.behind and not self.busy and not self._frames

    def give_snapshot(self, frame: bytes) -> None:
        """Put the snapshot that was owed into the slot."""
        self.behind = False
        self._frames = (frame,)
        self._wake.set()

    def better_rate(self, now_s: float) -> float:
        """Return the rate that the connection bears: slower after repeated drops, faster again after calm."""
        at = RATES_HZ.index(self.hz)
        recent = len(self._drop_times_s) == DROPS_UNTIL_SLOWER and now_s - self._drop_times_s[0] <= DROP_MEMORY_S
        if recent and at + 1 < len(RATES_HZ):
            self._drop_times_s.clear()
            return RATES_HZ[at + 1]
        if at > 0 and RATES_HZ[at - 1] <= self.wanted_hz and now_s - self._calm_since_s > CALM_UNTIL_FASTER_S:
            self._calm_since_s = now_s
            return RATES_HZ[at - 1]
        return self.hz

    def _note_drop(self, now_s: float) -> None:
        self.behind = True
        self.dropped_count += 1
        self._drop_times_s.append(now_s)
        self._calm_since_s = now_s

    async def send_all(self, send: Send, more_texts: Callable[["Client"], list[str]]) -> int:
        """Send what waits, whenever something does, until told to close; return the close code."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self.close_code is not None:
                return self.close_code
            self.busy = True
            await self._send_texts(send, more_texts)
            frames = (*self._take_trails(), *self._frames)
            self._frames = ()
            for frame in frames:
                await send({"type": "websocket.send", "bytes": frame})
            self.busy = False

    async def _send_texts(self, send: Send, more_texts: Callable[["Client"], list[str]]) -> None:
        while self.first_texts:
            await send({"type": "websocket.send", "text": self.first_texts.popleft()})
        while self.latest_texts:
            kind = next(iter(self.latest_texts))
            await send({"type": "websocket.send", "text": self.latest_texts.pop(kind)})
        for text in more_texts(self):
            await send({"type": "websocket.send", "text": text})

    def _take_trails(self) -> list[bytes]:
        trails = list(self.trails.values())
        self.trails.clear()
        return trails
