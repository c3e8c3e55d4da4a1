"""The desk of flights: control, orders and sorties of every drone in one place, and what browsers are told of them."""

from collections.abc import Iterable
from typing import Final

from console.api.models_flights import ActionPrepared, WantAction
from console.auth.accounts import Account
from console.auth.policy import Scope
from console.flight.actions import ActionDesk
from console.flight.control import ControlDesk, SignedIn
from console.flight.drones import Drones
from console.flight.engine import MavsdkEngine
from console.flight.views import rounded, view_of_action, view_of_control, view_of_way
from console.orders import CommandDesk
from console.sources import FieldBridge
from console.wire_flight import FlightView
from infra.clock import Clock
from telemetry.model.commands import FlightAction, FlightCommand, RelayFrames
from telemetry.model.errors import NotFoundError, SkybeatError
from telemetry.model.events import AnyEvent, ArmedChanged
from telemetry.orders import Order

ACTIONS_SHOWN: Final = 10
LINKS_EVERY_S: Final = 5.0


class FlightDesk:
    """Everything that people do with drones in the air. `version` grows whenever a flight's view may be another one."""

    def __init__(
        self, bridge: FieldBridge, clock: Clock, accounts: SignedIn, *, orders: CommandDesk, idle_s: int
    ) -> None:
        self.version = 0
        self.drones = Drones(bridge, clock)
        self.control = ControlDesk(bridge, clock, accounts, idle_s=idle_s)
        self.engine = MavsdkEngine(clock, self._relay)
        self.actions = ActionDesk(
            bridge, clock, orders=orders, control=self.control, drones=self.drones, engine=self.engine
        )
        self._bridge = bridge
        self._clock = clock
        self._changed: dict[int, int] = {}
        self._links: dict[int, list[tuple[object, ...]]] = {}
        self._looked_s = 0.0
        self._read = (bridge.control.version, bridge.orders.version)
        bridge.listeners.append(self._hear)
        bridge.tap_frames(lambda heard, _now_us: self.engine.hear(heard))

    # --- what is shown -------------------------------------------------------------------------------------------

    def seen(self, scope: Scope) -> list[int]:
        """Return the units of a scope that are drones, by their numbers."""
        units = self._bridge.registry.units
        return [unit_id for unit_id in sorted(self.drones.by_unit()) if scope.sees(units[unit_id])]

    def view(self, unit_id: int) -> FlightView:
        """Return a drone's flight as it stands. Raises NotFoundError for a unit that is no drone."""
        device_id = self.drones.device_of(unit_id)
        place = self.drones.place_of(unit_id)
        return FlightView(
            unit_id=unit_id,
            device_id=device_id,
            is_armed=None if place is None else place.is_armed,
            control=view_of_control(self.control.of(device_id)),
            sortie=None,
            actions=[
                view_of_action(order, command, self.actions.ways.get(order.command_id))
                for order, command in self._actions(unit_id)
            ],
            links=[view_of_way(way) for way in self._bridge.ways_of(device_id)],
        )

    def refresh(self) -> None:
        """Note which flights changed by what the bridge's boards say, and every few seconds by how their links do."""
        self._look_at_links()
        read = (self._bridge.control.version, self._bridge.orders.version)
        if read == self._read:
            return
        before, self._read = self._read, read
        for control in self._bridge.control.changed_since(before[0]):
            self._mark(self.drones.unit_of(control.device_id))
        for order in self._bridge.orders.changed_since(before[1]):
            if isinstance(order.command, FlightCommand):
                self._mark(order.unit_id)

    def changed_since(self, version: int) -> list[tuple[int, int]]:
        """Return unit_id and version of the flights that changed after `version`."""
        return [(unit_id, changed) for unit_id, changed in self._changed.items() if changed > version]

    def version_of(self, unit_id: int) -> int:
        """Return when a flight changed last, by the desk's own count."""
        return self._changed.get(unit_id, 0)

    # --- what people order ---------------------------------------------------------------------------------------

    def prepare(self, unit_id: int, wanted: WantAction, account: Account) -> ActionPrepared:
        """Return what an action costs and the token that confirms it: `ActionDesk.prepare`."""
        return self.actions.prepare(unit_id, wanted, account, has_sortie=False)

    async def order(self, unit_id: int, wanted: WantAction, account: Account) -> Order:
        """Order a confirmed action: `ActionDesk.order`."""
        return await self.actions.order(unit_id, wanted, account)

    async def start(self, unit_id: int, account: Account) -> Order:
        """Start the mission that is on board. Raises ConflictError for one who is not in control."""
        command = FlightCommand(device_id=self.drones.device_of(unit_id), action=FlightAction.START)
        return await self.actions.give(unit_id, command, account)

    async def stop(self) -> None:
        """End the engine and what is being carried out."""
        await self.actions.stop()
        await self.engine.stop()

    # -------------------------------------------------------------------------------------------------------------

    def _hear(self, event: AnyEvent, now_us: int) -> None:
        del now_us
        if isinstance(event, ArmedChanged) and not event.replayed:
            unit_id = self.drones.unit_of(event.device_id)
            place = None if unit_id is None else self.drones.place_of(unit_id)
            if event.armed and place is not None:
                self.actions.homes[event.device_id] = place
            self._mark(unit_id)

    def _actions(self, unit_id: int) -> Iterable[tuple[Order, FlightCommand]]:
        flown = [
            (order, order.command)
            for order in self._bridge.orders.of_unit(unit_id)
            if isinstance(order.command, FlightCommand)
        ]
        return flown[:ACTIONS_SHOWN]

    def _look_at_links(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._looked_s < LINKS_EVERY_S:
            return
        self._looked_s = now_s
        for unit_id, device_id in self.drones.by_unit().items():
            told = [rounded(way) for way in self._bridge.ways_of(device_id)]
            if self._links.get(device_id) != told:
                self._links[device_id] = told
                self._mark(unit_id)

    def _mark(self, unit_id: int | None) -> None:
        if unit_id is not None:
            self.version += 1
            self._changed[unit_id] = self.version

    def _relay(self, device_id: int, data: bytes) -> None:
        """Send MAVSDK's frames; one that cannot go is lost, as on the air."""
        try:
            self._bridge.send(RelayFrames(device_id=device_id, data=data), self._clock.now_us())
        except (NotFoundError, SkybeatError):
            self.engine.left_out += 1
