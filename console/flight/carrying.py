"""How an order reaches its drone: by MAVSDK as long as that answers in time, else by our own command; a newer one ends an older."""

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

from console.flight.drones import Drones
from console.flight.engine import MavsdkEngine
from console.orders import CommandDesk, numbered
from console.sources import FieldBridge
from console.wire_flight import ActionWay
from infra.clock import Clock
from infra.logs import get_logger
from telemetry.model.commands import OVERTAKES, CommandState, FlightAction, FlightCommand
from telemetry.model.errors import NotFoundError, SkybeatError, UnavailableError
from telemetry.model.events import AnyEvent, ModeChanged
from telemetry.orders import Order

BY_MAVSDK: Final = frozenset(
    {
        FlightAction.START,
        FlightAction.PAUSE,
        FlightAction.CONTINUE,
        FlightAction.RETURN_HOME,
        FlightAction.GO_TO,
        FlightAction.LAND,
    }
)
"""The rest goes by our own commands: under MAVSDK's arm() an ArduCopter in AUTO first brakes, a mode in which it cannot be armed,
and its takeoff() does not arm."""
URGENT: Final = frozenset({FlightAction.PAUSE, FlightAction.RETURN_HOME, FlightAction.LAND})
"""What must not wait for MAVSDK: after `URGENT_WITHIN_S` without its answer our own command does the same."""
URGENT_WITHIN_S: Final = 3.0
SEEN_BY_MODE: Final = {
    FlightAction.RETURN_HOME: frozenset({"RTL", "SMART_RTL", "AUTO_RTL", "QRTL", "AUTO.RTL"}),
    FlightAction.LAND: frozenset({"LAND", "QLAND", "AUTO.LAND"}),
}
"""The modes by which a drone is seen to do what it was told, whatever became of its answer."""
_LOG: Final = get_logger("flight")


class _Waiting(NamedTuple):
    """An order that is with MAVSDK; `settled` is how it ended otherwise: its state and words."""

    device_id: int
    action: FlightAction
    settled: asyncio.Future[tuple[CommandState, str]]


class Carrier:
    """Carries out orders that the journal has, and says by the desk of orders what became of each."""

    def __init__(
        self,
        bridge: FieldBridge,
        clock: Clock,
        *,
        orders: CommandDesk,
        drones: Drones,
        engine: MavsdkEngine,
        on_change: Callable[[int], None],
    ) -> None:
        self.ways: dict[int, tuple[ActionWay, str]] = {}
        """How orders of this run are carried out, by their numbers; for our own commands, why MAVSDK did not do it."""
        self._bridge = bridge
        self._clock = clock
        self._orders = orders
        self._drones = drones
        self._engine = engine
        self._tell = on_change
        self._waiting: dict[int, _Waiting] = {}
        self._running: set[asyncio.Task[object]] = set()

    def carry(self, order: Order, command: FlightCommand) -> None:
        """Begin to carry out an order; returns at once."""
        if command.action in OVERTAKES:
            self._give_up_older(command)
        if command.action in BY_MAVSDK:
            settled = asyncio.get_running_loop().create_future()
            self._waiting[order.command_id] = _Waiting(command.device_id, command.action, settled)
        self._run(asyncio.create_task(self._carry_out(order, command), name=f"flight {command.action}"))

    def hear(self, event: AnyEvent) -> None:
        """Note by its mode that a drone does what it was told."""
        if not isinstance(event, ModeChanged) or event.replayed:
            return
        for one in self._waiting.values():
            is_seen = event.mode in SEEN_BY_MODE.get(one.action, ())
            if one.device_id == event.device_id and is_seen and not one.settled.done():
                one.settled.set_result((CommandState.DELIVERED, f"MAVSDK: done, seen by its mode {event.mode}"))

    async def stop(self) -> None:
        """Give up what is being carried out."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    # -------------------------------------------------------------------------------------------------------------

    def _run(self, task: asyncio.Task[object]) -> None:
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _give_up_older(self, newer: FlightCommand) -> None:
        for one in self._waiting.values():
            if one.device_id == newer.device_id and not one.settled.done():
                one.settled.set_result((CommandState.REFUSED, f"given up for a newer order: {newer.action}"))
        self._engine.give_up(newer.device_id)  # so that what it says again does not come after the newer one

    async def _carry_out(self, order: Order, command: FlightCommand) -> None:
        why = ""
        waiting = self._waiting.get(order.command_id)
        if waiting is not None:
            self._take_way(order, ActionWay.MAVSDK, "")
            self._orders.move(order, CommandState.SENT)
            try:
                state, why = await self._by_mavsdk(order, command, waiting)
            finally:
                del self._waiting[order.command_id]
            if state is not None:
                self._orders.answer(order, state, why)
                return
        self._take_way(order, ActionWay.OWN, why)
        self._by_own(order, command, why)

    async def _by_mavsdk(
        self, order: Order, command: FlightCommand, waiting: _Waiting
    ) -> tuple[CommandState | None, str]:
        """Return how an order ended with its words; None for its state: MAVSDK did not do it, and why."""
        acting = asyncio.create_task(self._acted(order, command), name=f"mavsdk {command.action}")
        self._run(acting)
        await asyncio.wait((acting, waiting.settled), return_when=asyncio.FIRST_COMPLETED)
        if not waiting.settled.done():
            return acting.result()
        state, words = waiting.settled.result()
        if state is CommandState.REFUSED:
            acting.cancel()  # it may still wait for MAVSDK to start, and must not be asked of it then
        return state, words

    async def _acted(self, order: Order, command: FlightCommand) -> tuple[CommandState | None, str]:
        try:
            acted = await self._engine.act(
                command.device_id,
                command.action,
                within_s=URGENT_WITHIN_S if command.action in URGENT else None,
                lat_deg=_degrees(command.lat_e7),
                lon_deg=_degrees(command.lon_e7),
                alt_msl_m=self._alt_msl_m(order.unit_id or 0, command),
                alt_home_m=command.alt_home_m,
                speed_mps=command.speed_mps,
                item=command.item,
            )
        except UnavailableError as error:
            return None, str(error)
        if acted.is_done:
            return CommandState.DELIVERED, "MAVSDK: done"
        return None, f"MAVSDK: {acted.result.lower().replace('_', ' ')}"

    def _by_own(self, order: Order, command: FlightCommand, why: str) -> None:
        """Send it by our own commands, which the drone's own answer then ends; `why` MAVSDK did not do it."""
        try:
            self._bridge.send(numbered(command, order.command_id), self._clock.now_us())
        except SkybeatError as error:
            text = "the drone is not heard" if isinstance(error, NotFoundError) else str(error)
            state = CommandState.REFUSED
            if why:
                self._orders.answer(order, state, text)
            else:
                self._orders.move(order, state, text)
            return
        if why:
            _LOG.info("mavsdk_failed", action=command.action.value, reason=why)
        else:
            self._orders.move(order, CommandState.SENT)

    def _take_way(self, order: Order, way: ActionWay, why: str) -> None:
        """Note by which way an order goes, and tell whoever watches: its state alone does not change with it."""
        self.ways[order.command_id] = (way, why)
        if order.unit_id is not None:
            self._tell(order.unit_id)

    def _alt_msl_m(self, unit_id: int, command: FlightCommand) -> float | None:
        """Return the height above mean sea level that a go_to asks for; None while the drone's own heights are unknown."""
        place = self._drones.place_of(unit_id)
        if place is None or place.alt_msl_m is None:
            return None
        if command.alt_home_m is None:
            return place.alt_msl_m
        return None if place.alt_home_m is None else place.alt_msl_m - place.alt_home_m + command.alt_home_m


def _degrees(value_e7: int | None) -> float | None:
    return None if value_e7 is None else value_e7 / 1e7
