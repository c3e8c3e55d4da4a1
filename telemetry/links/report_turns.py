"""Phones' reports of one turn of the loop: one batch, one journal record and one wait for the disk, however many they are."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from infra.clock import Clock
from telemetry.model.decoding import Output
from telemetry.model.phone import PhoneFix, output_of

DURABLE_WITHIN_S: Final = 10.0
FIXES_A_TURN: Final = 10_000
"""A turn that has so many is full: a journal record has its bounds."""

TakeReports = Callable[[Output, int], int | None]
"""Takes phones' output at a time; returns the journal's sequence to wait for. Raises JournalError when it cannot."""
_Reports = list[tuple[int, PhoneFix]]
_Heard = list[Callable[[int], None]]


class ReportTurns:
    """Gathers what requests report until each of them that is ready has had its turn, then takes it all at once.

    What 300 phones said while the disk was busy costs hardly more than what one said.
    """

    def __init__(self, take: TakeReports, durable: Callable[[int], Awaitable[None]], clock: Clock) -> None:
        self._take = take
        self._durable = durable
        self._clock = clock
        self._reports: _Reports = []
        self._heard: _Heard = []
        self._turn: asyncio.Task[None] | None = None

    async def keep(
        self, device_id: int, fixes: Sequence[PhoneFix], *, heard: Callable[[int], None] | None = None
    ) -> None:
        """Return when the journal has these on disk; `heard` is told their time of arrival.

        Raises JournalError when it cannot, TimeoutError when the disk stalls.
        """
        if self._turn is None or len(self._reports) >= FIXES_A_TURN:
            self._reports, self._heard = [], []
            self._turn = asyncio.create_task(self._keep_turn(self._reports, self._heard))
        self._reports.extend((device_id, fix) for fix in fixes)
        if heard is not None:
            self._heard.append(heard)
        await asyncio.shield(self._turn)

    async def _keep_turn(self, reports: _Reports, heard: _Heard) -> None:
        """Begin after all requests that were ready before the first of this turn: the loop runs its tasks in order."""
        if self._reports is reports:
            self._turn = None
        now_us = self._clock.now_us()
        for tell in heard:
            tell(now_us)
        sequence = self._take(output_of(reports, now_us), now_us)
        if sequence is not None:
            async with asyncio.timeout(DURABLE_WITHIN_S):
                await self._durable(sequence)
