"""Sorties that start by themselves as soon as they are on board, and drones that are let go once they are home."""

import asyncio
from typing import Final

import msgspec

from console.auth.accounts import Account
from console.flight.briefs import Launch
from console.flight.control import holder_of
from console.flight.desk import FlightDesk
from console.wire import Role
from infra.clock import MICROSECONDS, Clock
from infra.logs import get_logger
from mission.flying.pilot_words import Cause
from telemetry.model.errors import SkybeatError, UnavailableError
from telemetry.model.flight_events import SortieStep

LOOK_EVERY_S: Final = 0.25
WAITED_AT_MOST_S: Final = 900.0
"""So long a sortie may wait for what stands in its way (a battery, a link) before it is called off: nobody expects it any more."""
AGAIN_AFTER_S: Final = 5.0
"""What is in the way of a start may pass: another one that flies off, weather that is entered anew."""
LATE_AFTER_S: Final = 300.0
"""A sortie that could not start so long after it was ready, or its time, is left to its pilot."""
_OVER: Final = frozenset({SortieStep.DONE, SortieStep.FAILED})
_LOG: Final = get_logger("flight")


class _Refused(msgspec.Struct, frozen=True):
    """A start that was refused: tried again from `again_s` on, given up after `until_s`, both of the monotonic clock."""

    again_s: float
    until_s: float


class Launches:
    """Starts each drone that is expected to go once its sortie is ready, for the account that gave it; also after a restart."""

    def __init__(self, flights: FlightDesk, clock: Clock) -> None:
        self._flights, self._clock = flights, clock
        self._flown: dict[int, Launch] = {}
        self._refused: dict[int, _Refused] = {}
        self._kept: list[Launch] = []

    def expect(self, unit_id: int, account: Account, *, lets_go: bool, not_before_us: int = 0) -> None:
        """Let a drone start as soon as the sortie that it was just given is on board, not before its time.

        With `lets_go` the account lets go of it when it is home again: it was nobody's before.
        """
        self._refused.pop(unit_id, None)
        self._flown[unit_id] = Launch(
            unit_id=unit_id,
            account_id=account.account_id,
            account_name=account.name,
            lets_go=lets_go,
            expected_us=self._clock.now_us(),
            not_before_us=not_before_us,
        )

    async def run(self) -> None:
        """Look for ever which drones are ready, and which are home."""
        await self.restore()
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def restore(self) -> None:
        """Go on with what was expected when the program ended, unless that was long ago."""
        self._kept = await asyncio.to_thread(self._flights.briefs.load_launches)
        for launch in self._kept:
            if launch.is_started or self._waited_s(launch) <= WAITED_AT_MOST_S:
                self._flown.setdefault(launch.unit_id, launch)
            else:
                _LOG.warning("launch_given_up", unit_id=launch.unit_id, reason="the program was down when it was due")

    async def look(self) -> None:
        """Start who is ready, let go who is home; call off who waits too long."""
        for unit_id, launch in list(self._flown.items()):
            try:
                await self._look_at(unit_id, launch)
            except SkybeatError as error:
                _LOG.warning("launch_refused", unit_id=unit_id, reason=str(error))
                await self._end(unit_id, launch)
        await self._keep()

    async def _look_at(self, unit_id: int, launch: Launch) -> None:
        sortie = self._flights.view(unit_id).sortie
        if sortie is None or sortie.step in _OVER:
            await self._end(unit_id, launch)
        elif sortie.step is SortieStep.READY and not launch.is_started:
            await self._start(unit_id, launch)
        elif sortie.step is SortieStep.READY and sortie.cause == Cause.READ_BACK:
            self._flown[unit_id] = msgspec.structs.replace(launch, is_started=False)
            self._try_again(unit_id, UnavailableError(sortie.reason_en, sortie.reason_zh))
        elif sortie.step is SortieStep.HANDED and self._waited_s(launch) > WAITED_AT_MOST_S:
            _LOG.warning("launch_given_up", unit_id=unit_id, reason=sortie.reason_en)
            await self._flights.sorties.call_off(unit_id, waited_s=WAITED_AT_MOST_S)
            await self._end(unit_id, launch)

    async def _start(self, unit_id: int, launch: Launch) -> None:
        """Start a drone whose time has come; where something is in the way, again and again for a while."""
        now_s, refused = self._clock.monotonic_s(), self._refused.get(unit_id)
        if self._clock.now_us() < launch.not_before_us or (refused is not None and now_s < refused.again_s):
            return
        try:
            await self._flights.start(unit_id, _account_of(launch))
        except SkybeatError as error:
            self._try_again(unit_id, error)
        else:
            self._flown[unit_id] = msgspec.structs.replace(launch, is_started=True)

    def _try_again(self, unit_id: int, error: SkybeatError) -> None:
        """Let a start be tried again in a while. Raises what stood in its way where that has lasted for too long."""
        now_s, refused = self._clock.monotonic_s(), self._refused.get(unit_id)
        until_s = now_s + LATE_AFTER_S if refused is None else refused.until_s
        if now_s >= until_s:
            raise error
        self._refused[unit_id] = _Refused(now_s + AGAIN_AFTER_S, until_s)

    async def _end(self, unit_id: int, launch: Launch) -> None:
        """Expect nothing of it any more, and let go of it if that was promised."""
        self._flown.pop(unit_id, None)
        self._refused.pop(unit_id, None)
        account, control = _account_of(launch), self._flights.control
        try:
            device_id = self._flights.drones.device_of(unit_id)
            if launch.lets_go and control.of(device_id).holder == holder_of(account):
                await control.release(device_id, account)
        except SkybeatError as error:
            _LOG.warning("drone_kept", unit_id=unit_id, reason=str(error))

    async def _keep(self) -> None:
        """Write down what is expected where it changed."""
        launches = list(self._flown.values())
        if launches == self._kept:
            return
        try:
            await asyncio.to_thread(self._flights.briefs.keep_launches, launches)
        except OSError as error:
            _LOG.warning("launches_not_kept", error=str(error))
        self._kept = launches

    def _waited_s(self, launch: Launch) -> float:
        """Return how long it has waited since it was expected, or since its time."""
        return (self._clock.now_us() - max(launch.expected_us, launch.not_before_us)) / MICROSECONDS


def _account_of(launch: Launch) -> Account:
    return Account(account_id=launch.account_id, name=launch.account_name, role=Role.OPERATOR)
