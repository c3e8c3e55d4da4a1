"""Sorties that start by themselves as soon as they are on board, and drones that are let go once they are home."""

import asyncio
from typing import Final, NamedTuple

from console.auth.accounts import Account
from console.flight.control import holder_of
from console.flight.desk import FlightDesk
from infra.clock import Clock
from infra.logs import get_logger
from telemetry.model.errors import SkybeatError
from telemetry.model.flight_events import SortieStep

LOOK_EVERY_S: Final = 0.25
GIVEN_UP_AFTER_S: Final = 120.0
AGAIN_AFTER_S: Final = 5.0
"""What is in the way of a start may pass: another one that flies off, weather that is entered anew."""
LATE_AFTER_S: Final = 300.0
"""A sortie that could not start so long after it was ready, or its time, is left to its pilot."""
_WAITING: Final = frozenset({SortieStep.HANDED, SortieStep.UPLOADING})
_OVER: Final = frozenset({SortieStep.DONE, SortieStep.FAILED})
_LOG: Final = get_logger("flight")


class _Launch(NamedTuple):
    account: Account
    until_s: float
    lets_go: bool
    not_before_us: int = 0
    is_started: bool = False
    again_s: float = 0.0
    """When on the monotonic clock its start is tried again."""
    refused_until_s: float | None = None


class Launches:
    """Starts each drone that is expected to go once its sortie is ready, for the account that gave it."""

    def __init__(self, flights: FlightDesk, clock: Clock) -> None:
        self._flights, self._clock = flights, clock
        self._flown: dict[int, _Launch] = {}

    def expect(self, unit_id: int, account: Account, *, lets_go: bool, not_before_us: int = 0) -> None:
        """Let a drone start as soon as the sortie that it was just given is on board, not before its time.

        With `lets_go` the account lets go of it when it is home again: it was nobody's before.
        """
        until_s = self._clock.monotonic_s() + GIVEN_UP_AFTER_S
        self._flown[unit_id] = _Launch(account, until_s, lets_go, not_before_us)

    async def run(self) -> None:
        """Look for ever which drones are ready, and which are home."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Start who is ready, let go who is home; give up who takes too long or was given something else."""
        for unit_id, launch in list(self._flown.items()):
            try:
                await self._look_at(unit_id, launch)
            except SkybeatError as error:
                self._flown.pop(unit_id, None)
                _LOG.warning("launch_refused", unit_id=unit_id, reason=str(error))

    async def _look_at(self, unit_id: int, launch: _Launch) -> None:
        sortie = self._flights.view(unit_id).sortie
        if sortie is None or sortie.step in _OVER:
            del self._flown[unit_id]
            await self._let_go(unit_id, launch)
        elif sortie.step is SortieStep.READY and not launch.is_started:
            await self._start(unit_id, launch)
        elif sortie.step in _WAITING and self._clock.monotonic_s() > launch.until_s:
            del self._flown[unit_id]
            await self._let_go(unit_id, launch)

    async def _start(self, unit_id: int, launch: _Launch) -> None:
        """Start a drone whose time has come; where something is in the way, again and again for a while."""
        now_s = self._clock.monotonic_s()
        if self._clock.now_us() < launch.not_before_us or now_s < launch.again_s:
            return
        try:
            await self._flights.start(unit_id, launch.account)
        except SkybeatError:
            until_s = now_s + LATE_AFTER_S if launch.refused_until_s is None else launch.refused_until_s
            if now_s >= until_s:
                raise
            self._flown[unit_id] = launch._replace(again_s=now_s + AGAIN_AFTER_S, refused_until_s=until_s)
        else:
            self._flown[unit_id] = launch._replace(is_started=True)

    async def _let_go(self, unit_id: int, launch: _Launch) -> None:
        device_id = self._flights.drones.device_of(unit_id)
        if launch.lets_go and self._flights.control.of(device_id).holder == holder_of(launch.account):
            await self._flights.control.release(device_id, launch.account)
