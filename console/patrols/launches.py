"""Sorties that are to start by themselves as soon as they are on board: first responders, and docks that fly by themselves."""

import asyncio
from typing import Final, NamedTuple

from console.auth.accounts import Account
from console.flight.desk import FlightDesk
from infra.clock import Clock
from infra.logs import get_logger
from telemetry.model.errors import SkybeatError
from telemetry.model.flight_events import SortieStep

LOOK_EVERY_S: Final = 0.25
GIVEN_UP_AFTER_S: Final = 120.0
_WAITING: Final = frozenset({SortieStep.HANDED, SortieStep.UPLOADING})
_LOG: Final = get_logger("flight")


class _Launch(NamedTuple):
    account: Account
    until_s: float


class Launches:
    """Starts each drone that is expected to go once its sortie is ready, for the account that gave it."""

    def __init__(self, flights: FlightDesk, clock: Clock) -> None:
        self._flights, self._clock = flights, clock
        self._waiting: dict[int, _Launch] = {}

    def expect(self, unit_id: int, account: Account) -> None:
        """Let a drone start as soon as the sortie that it was just given is on board."""
        self._waiting[unit_id] = _Launch(account, self._clock.monotonic_s() + GIVEN_UP_AFTER_S)

    async def run(self) -> None:
        """Look for ever which drones are ready."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Start who is ready; give up who failed, flies already, or takes too long."""
        for unit_id, launch in list(self._waiting.items()):
            try:
                await self._look_at(unit_id, launch)
            except SkybeatError as error:
                self._waiting.pop(unit_id, None)
                _LOG.warning("launch_refused", unit_id=unit_id, reason=str(error))

    async def _look_at(self, unit_id: int, launch: _Launch) -> None:
        sortie = self._flights.view(unit_id).sortie
        if sortie is not None and sortie.step is SortieStep.READY:
            self._waiting.pop(unit_id, None)
            await self._flights.start(unit_id, launch.account)
        elif sortie is None or sortie.step not in _WAITING or self._clock.monotonic_s() > launch.until_s:
            self._waiting.pop(unit_id, None)
