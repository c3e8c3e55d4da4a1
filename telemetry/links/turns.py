"""One turn of the loop is one take: what all peers of a link said becomes one output, one record and one wait for the disk."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

from infra.journal import JournalError
from telemetry.links.link import Keeper
from telemetry.links.speaker import Speaker
from telemetry.model.batch import concatenate
from telemetry.model.decoding import NOTHING, Output, Promise, Reply

ROWS_A_TURN: Final = 50_000
"""A turn that has so many rows is taken at once: a journal record has its bounds."""
SHORTEST_TURN_S: Final = 0.004
"""A turn costs some tenths of a millisecond however little it holds: under load there are at most so many. The first waits for none."""
_Said = list[tuple[Speaker, Output]]
_Parked = dict[Speaker, list[Reply]]


def merge(outputs: list[Output]) -> Output:
    """Return one output of several, in order, without their replies."""
    if len(outputs) == 1 and not outputs[0].replies:
        return outputs[0]
    if not outputs:
        return NOTHING
    bad: Counter[str] = Counter()
    for output in outputs:
        if output.bad:
            bad.update(output.bad)
    batches = [output.batch for output in outputs if len(output.batch)]
    return Output(
        batch=batches[0] if len(batches) == 1 else concatenate(batches),
        events=tuple(event for output in outputs for event in output.events),
        facts=tuple(fact for output in outputs for fact in output.facts),
        bad=dict(bad),
        heard=[frame for output in outputs for frame in output.heard],
        said=[frame for output in outputs for frame in output.said],
        sightings=[sighting for output in outputs for sighting in output.sightings],
    )


class Turns:
    """Gathers what the peers of one link say until the loop has served all that were ready, then keeps it at once.

    Replies that promise nothing leave when their turn ends. Those that promise are parked until the disk has the turn's record,
    then each peer is written once with all of them that became safe; when the journal cannot keep it, each peer is told its
    refusal. Within either kind a peer's replies keep their order; a reply that promises nothing never waits for the disk.
    """

    def __init__(
        self,
        keeper: Keeper,
        *,
        protocol: str,
        acknowledged: bool,
        when_refused: Callable[[JournalError], None],
    ) -> None:
        self._keeper = keeper
        self._protocol = protocol
        self._acknowledged = acknowledged
        self._when_refused = when_refused
        self._said: _Said = []
        self._rows = 0
        self._ending: asyncio.Handle | None = None
        self._ended_s = 0.0
        self._now_us = 0
        self._parked: deque[tuple[int, _Parked]] = deque()
        self._last_sequence = 0
        self._waiter: asyncio.Task[None] | None = None
        self._written: set[Speaker] = set()
        self.waiting = self.refused = 0
        """Replies that wait for the disk, and those that were refused."""

    def add(self, speaker: Speaker, output: Output, now_us: int) -> None:
        """Take what a peer's decoder gave; the turn ends by itself once the loop has served all that are ready."""
        if not self._said:
            self._begin()
        self._said.append((speaker, output))
        self._now_us = now_us
        self._rows += len(output.batch)
        if self._rows >= ROWS_A_TURN:
            self.end()

    def _begin(self) -> None:
        """Let the turn end once the loop has served all that are ready; soon after another one, a little later."""
        loop = asyncio.get_running_loop()
        wait_s = self._ended_s + SHORTEST_TURN_S - loop.time()
        if wait_s > 0:
            self._ending = loop.call_later(wait_s, self.end)
        else:
            self._ending = loop.call_soon(self.end)

    def end(self) -> None:
        """End the turn now: show it, hand it to the journal, answer."""
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        if not self._said:
            return
        self._ended_s = asyncio.get_running_loop().time()
        said, self._said, self._rows = self._said, [], 0
        merged = merge([output for _, output in said])
        try:
            sequence = self._keeper.keep_turn(
                merged, self._now_us, protocol=self._protocol, acknowledged=self._acknowledged
            )
        except JournalError as error:
            self._answer(said, error)
            self._when_refused(error)
        else:
            # one without a record promises what an earlier turn said: it waits for that
            self._last_sequence = max(sequence or 0, self._last_sequence)
            self._answer(said, None)

    def close(self) -> None:
        """Keep what was said, and forget what is parked: whoever waits for it sends it again."""
        self.end()
        if self._waiter is not None:
            self._waiter.cancel()
            self._waiter = None
        self._parked.clear()
        self.waiting = 0

    def _answer(self, said: _Said, error: JournalError | None) -> None:
        """Send what may leave now; park or refuse what promises."""
        parked: _Parked = {}
        for speaker, output in said:
            for reply in output.replies:
                if reply.promise is Promise.NOW:
                    self._write(speaker, reply.data)
                else:
                    parked.setdefault(speaker, []).append(reply)
            if output.close is not None:
                speaker.closing = output.close
                self._write(speaker, b"")
        if error is not None:
            self._refuse(parked)
        elif parked:
            self._park(parked)

    def _park(self, parked: _Parked) -> None:
        for speaker, replies in parked.items():
            speaker.waiting += len(replies)
            self.waiting += len(replies)
        self._parked.append((self._last_sequence, parked))
        if self._waiter is None or self._waiter.done():
            self._waiter = asyncio.get_running_loop().create_task(self._wait(), name="links: replies")

    async def _wait(self) -> None:
        """Wait for one parked turn after the other; those that are safe already do not let the loop go on in between."""
        while self._parked:
            sequence, parked = self._parked[0]
            try:
                await self._keeper.durable(sequence)
            except JournalError as error:
                self._leave(parked)
                self._refuse(parked)
                self._when_refused(error)
            else:
                self._leave(parked)
                for speaker, replies in parked.items():
                    for reply in replies:
                        self._write(speaker, reply.data)

    def _leave(self, parked: _Parked) -> None:
        self._parked.popleft()
        for speaker, replies in parked.items():
            speaker.waiting -= len(replies)
            self.waiting -= len(replies)

    def _refuse(self, parked: _Parked) -> None:
        for speaker, replies in parked.items():
            self.refused += len(replies)
            for reply in replies:
                self._write(speaker, reply.refusal)

    def _write(self, speaker: Speaker, data: bytes) -> None:
        """Put bytes into the peer's outbox; it is written once when this turn of the loop has filled it."""
        if data:
            speaker.outbox.append(data)
        if not self._written:
            asyncio.get_running_loop().call_soon(self._flush)
        self._written.add(speaker)

    def _flush(self) -> None:
        written, self._written = self._written, set()
        for speaker in written:
            if speaker.outbox:
                outbox, speaker.outbox = speaker.outbox, []
                speaker.write(outbox)
            if speaker.closing is not None and not speaker.waiting:
                speaker.cut("closed_by_protocol")
