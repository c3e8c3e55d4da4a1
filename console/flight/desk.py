"""The desk of flights: control, orders and sorties of every drone in one place, and what browsers are told of them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from console.api.models_flights import ActionPrepared, WantAction
from console.auth.accounts import Account
from console.auth.policy import Scope
from console.flight.actions import ActionDesk, command_of
from console.flight.briefs import RESERVE_RATIO, Briefs, Given
from console.flight.control import ControlDesk, SignedIn
from console.flight.drones import Drones, Place
from console.flight.engine import MavsdkEngine
from console.flight.rules import RulesNow
from console.flight.sorties import SortieDesk
from console.flight.views import rounded, view_of_action, view_of_control, view_of_sortie, view_of_way
from console.orders import CommandDesk
from console.sources import FieldBridge
from console.wire_flight import FlightView, SortieView
from infra.clock import Clock
from mission.model import Airframe, Dock, Zone
from mission.plan import Sortie
from telemetry.model.commands import FlightAction, FlightCommand, RelayFrames
from telemetry.model.errors import InputError, NotFoundError, SkybeatError
from telemetry.model.events import AnyEvent, ArmedChanged
from telemetry.model.flight_events import HomeTold, SortieStep
from telemetry.orders import Order

UNDER_WAY: Final = frozenset({SortieStep.STARTING, SortieStep.FLYING, SortieStep.PAUSED})
ACTIONS_SHOWN: Final = 10
LINKS_EVERY_S: Final = 5.0


class FlightDesk:
    """Everything that people do with drones in the air. `version` grows whenever a flight's view may be another one."""

    def __init__(
        self,
        bridge: FieldBridge,
        clock: Clock,
        accounts: SignedIn,
        *,
        orders: CommandDesk,
        idle_s: int,
        briefs_dir: Path,
    ) -> None:
        self.version = 0
        self.drones = Drones(bridge, clock)
        self.control = ControlDesk(bridge, clock, accounts, idle_s=idle_s)
        self.engine = MavsdkEngine(clock, self._relay)
        self.actions = ActionDesk(
            bridge,
            clock,
            orders=orders,
            control=self.control,
            drones=self.drones,
            engine=self.engine,
            on_change=self._mark,
        )
        self.briefs = Briefs(briefs_dir)
        self.sorties = SortieDesk(
            bridge,
            clock,
            orders=orders,
            control=self.control,
            drones=self.drones,
            actions=self.actions,
            briefs=self.briefs,
            on_change=self._mark,
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
        home = self.actions.homes.get(device_id)
        given = self.sorties.given(device_id)
        dock = None if given is None else given.dock
        return FlightView(
            unit_id=unit_id,
            device_id=device_id,
            is_armed=None if place is None else place.is_armed,
            home_lat_deg=home.lat_deg if home else dock.lat_deg if dock else None,
            home_lon_deg=home.lon_deg if home else dock.lon_deg if dock else None,
            endurance_s=None if given is None else given.airframe.endurance_s,
            reserve_ratio=None if given is None else RESERVE_RATIO,
            control=view_of_control(self.control.of(device_id)),
            sortie=self._sortie(device_id, place),
            actions=[
                view_of_action(order, command, self.actions.carrier.ways.get(order.command_id))
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

    def ask_rules(self, rules: RulesNow) -> None:
        """Ask these rules before anything flies; before, nobody is asked."""
        self.sorties.rules = self.actions.rules = rules

    async def prepare(self, unit_id: int, wanted: WantAction, account: Account) -> ActionPrepared:
        """Return what an action costs, what speaks against it, and the token that confirms it: `ActionDesk.prepare`."""
        device_id = self.drones.device_of(unit_id)
        is_start = wanted.action is FlightAction.START
        said = await self.sorties.said_of_start(device_id) if is_start else ()
        has_sortie = self.sorties.flown(device_id) is not None
        return await self.actions.prepare(unit_id, wanted, account, has_sortie=has_sortie, said=said)

    async def order(self, unit_id: int, wanted: WantAction, account: Account) -> None:
        """Order a confirmed action; where the drone has a sortie that it is about, its pilot does it.

        Raises ConflictError for one who is not in control, for a token that is none of this action, or an action that cannot be now.
        """
        device_id = self.drones.device_of(unit_id)
        self.actions.confirm(unit_id, wanted, account)
        if self.sorties.takes(device_id, wanted.action):
            await self.sorties.order(unit_id, wanted.action, account)
        else:
            await self.actions.give(unit_id, command_of(wanted, device_id), account)

    async def hand(
        self,
        unit_id: int,
        sortie: Sortie,
        airframe: Airframe,
        dock: Dock,
        account: Account,
        *,
        zones: Sequence[Zone] = (),
        plan_id: int | None = None,
        goal: int | None = None,
    ) -> FlightView:
        """Give a drone a sortie and begin to put it on board; a drone that flies another one goes over to it in the air.

        Control is taken where nobody has it. `goal` is the waypoint (from 0) whose arrival is told, None: the last. What stands
        in the way is in the view's reasons. Raises ConflictError for one who is not in control, NotFoundError, InputError.
        """
        if not sortie.waypoints:
            message = f"sortie {sortie.sortie_id} has no waypoint: plan it again"
            raise InputError(message, f"架次 {sortie.sortie_id} 没有航点：重新规划")
        given = Given(
            sortie=sortie,
            airframe=airframe,
            dock=dock,
            zones=tuple(zones),
            plan_id=plan_id,
            goal=len(sortie.waypoints) - 1 if goal is None else goal,
            account_id=account.account_id,
            account_name=account.name,
        )
        self.engine.expect(self.drones.device_of(unit_id))
        await self.sorties.hand(unit_id, given, account)
        return self.view(unit_id)

    async def start(self, unit_id: int, account: Account) -> FlightView:
        """Arm and start the sortie that is on board. Raises ConflictError for one who is not in control, or no sortie ready."""
        await self.sorties.order(unit_id, FlightAction.START, account)
        return self.view(unit_id)

    async def give_back(self, unit_id: int, account: Account) -> FlightView:
        """End the sortie that a drone was given and has not left for. Raises ConflictError for one that flies, or is not there."""
        await self.sorties.give_back(unit_id, account)
        return self.view(unit_id)

    async def stop(self) -> None:
        """End the engine and what is being carried out; drones go on with what they have on board."""
        await self.sorties.stop()
        await self.actions.stop()
        await self.engine.stop()

    # -------------------------------------------------------------------------------------------------------------

    def _sortie(self, device_id: int, place: Place | None) -> SortieView | None:
        moved = self._bridge.sorties.of(device_id)
        if moved is None:
            return None
        flown, given = self.sorties.flown(device_id), self.sorties.given(device_id)
        left = None
        is_ahead = moved.step in UNDER_WAY and moved.arrived_us is None
        if given is not None and place is not None and is_ahead and moved.flown <= given.goal:
            left = given.left(place.lat_deg, place.lon_deg, moved.flown)
        return view_of_sortie(moved, flown.pilot if flown else None, left, self._clock.now_us())

    def _hear(self, event: AnyEvent, now_us: int) -> None:
        self.sorties.hear(event, now_us)
        self.actions.carrier.hear(event)
        if not event.replayed and isinstance(event, ArmedChanged | HomeTold):
            unit_id = self.drones.unit_of(event.device_id)
            self.actions.homes.hear(event, None if unit_id is None else self.drones.place_of(unit_id))
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
        self.engine.forget_idle()
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
