"""Sorties in the hands of pilots (mission/pilot.py): each told what its drone says, and what it wants carried out in order."""

import asyncio
from collections.abc import Callable
from typing import Final

from console.api.models_flights import WantAction
from console.auth.accounts import Account
from console.flight.actions import ActionDesk
from console.flight.briefs import Briefs, Given
from console.flight.control import ControlDesk, holder_of
from console.flight.drones import Drones, Place
from console.flight.rules import Aloft, NoRules, RulesNow
from console.orders import CommandDesk, numbered
from console.sources import FieldBridge
from console.wire import Role
from infra.clock import Clock
from infra.tasks import Supervisor
from mission.flying.pilot_words import Cause, Reason, reason
from mission.flying.preflight import Readiness, by_rule, in_the_way, joined
from mission.flying.sortie_watch import IN_AIR, NOTHING
from mission.flying.takeoff import ON_TIME_US
from mission.model import Dock
from mission.pilot import OVER, Pilot, Says
from mission.plan import Refusal
from telemetry.flight.control import NOBODY
from telemetry.model.commands import Command, CommandState, FlightAction, FlightCommand, UploadMission
from telemetry.model.decoding import Output
from telemetry.model.errors import ConflictError, NotFoundError, SkybeatError
from telemetry.model.events import AnyEvent
from telemetry.model.flight_events import SortieMoved, SortieStep
from telemetry.model.geodesy import distance_m
from telemetry.orders import Order

TICK_S: Final = 1.0
SENT_WITHIN_S: Final = 10.0
PROTOCOL: Final = "console"
BY_PILOT: Final = frozenset({FlightAction.START, FlightAction.PAUSE, FlightAction.CONTINUE, FlightAction.RETURN_HOME})
"""What a person asks of the sortie, and not of the drone alone, while it has one."""

BEFORE_START: Final = frozenset({SortieStep.HANDED, SortieStep.UPLOADING, SortieStep.READY})


class Flown:
    """One sortie that is flown: its pilot, and the events that wait for it, taken one after the other."""

    def __init__(self, unit_id: int, given: Given, pilot: Pilot, account: Account) -> None:
        self.unit_id = unit_id
        self.given = given
        self.pilot = pilot
        self.account = account
        self.events: asyncio.Queue[AnyEvent] = asyncio.Queue()
        self.turn = asyncio.Lock()
        self.left_us: int | None = None
        """When it was seen to set out, in this run."""

    @property
    def is_over(self) -> bool:
        """Whether it is done or failed."""
        return self.pilot.step in OVER

    @property
    def aloft(self) -> Aloft | None:
        """What of it others must keep clear of, None while it stands; one that left before a restart is where its plan says."""
        if self.pilot.step is not SortieStep.STARTING and self.pilot.step not in IN_AIR:
            return None
        late_us = 0 if self.left_us is None else self.left_us - self.given.sortie.takeoff_us
        return Aloft(self.given, 0 if abs(late_us) <= ON_TIME_US else late_us)


class SortieDesk:
    """Drives the pilots: hands them events and the time, sends what they want, keeps what they moved through."""

    def __init__(
        self,
        bridge: FieldBridge,
        clock: Clock,
        *,
        orders: CommandDesk,
        control: ControlDesk,
        drones: Drones,
        actions: ActionDesk,
        briefs: Briefs,
        on_change: Callable[[int], None],
    ) -> None:
        self._bridge = bridge
        self._clock = clock
        self._orders = orders
        self._control = control
        self._drones = drones
        self._actions = actions
        self._briefs = briefs
        self._tell = on_change
        self.rules: RulesNow = NoRules()
        """What is asked again before a sortie flies."""
        self._flown: dict[int, Flown] = {}
        self._driving: dict[int, asyncio.Task[None]] = {}
        self._given: dict[int, Given] = {}
        self._supervisor = Supervisor()

    # --- what is known -------------------------------------------------------------------------------------------

    def given(self, device_id: int) -> Given | None:
        """Return what a drone was given last, None where nobody knows."""
        return self._given.get(device_id)

    def flown(self, device_id: int) -> Flown | None:
        """Return the sortie that a drone flies or waits for, None when it has none or it is over."""
        flown = self._flown.get(device_id)
        return None if flown is None or flown.is_over else flown

    def away(self, device_id: int) -> Aloft | None:
        """Return the sortie that a drone is in the air for, None while it stands."""
        flown = self.flown(device_id)
        return None if flown is None else flown.aloft

    def takes(self, device_id: int, action: FlightAction) -> bool:
        """Tell whether an action is the pilot's to do."""
        flown = self.flown(device_id)
        if flown is None or action not in BY_PILOT:
            return False
        if action is FlightAction.START:
            return flown.pilot.step is SortieStep.READY
        return flown.pilot.step not in (SortieStep.HANDED, SortieStep.READY)

    # --- what people want ----------------------------------------------------------------------------------------

    async def hand(self, unit_id: int, given: Given, account: Account) -> Flown:
        """Give a drone a sortie and begin to put it on board; one that flies another goes over to it in the air.

        Raises ConflictError for one who is not in control, or a drone that is just starting; NotFoundError for no drone.
        """
        device_id = self._drones.device_of(unit_id)
        if self._control.of(device_id).holder == NOBODY:
            await self._control.take(device_id, account)
        self._control.demand(device_id, account)
        now_us = self._clock.now_us()
        flown = self.flown(device_id)
        if flown is None:
            pilot = Pilot(device_id, given.brief, now_us, seen=self._drones.seen_of(unit_id))
            flown = self._take_up(device_id, Flown(unit_id, given, pilot, account))
            self._keep(pilot.state)
        else:
            async with flown.turn:
                if flown.pilot.state.has_flown:
                    await self._demand_allowed(flown, given)
                says = flown.pilot.give_another(given.brief, now_us)
                flown.given, flown.account = given, account
                self._given[device_id] = given
                await self._do(flown, says)
        await asyncio.to_thread(self._briefs.keep, device_id, given)
        if not flown.pilot.state.has_flown:
            async with flown.turn:
                await self._do(flown, flown.pilot.begin(await self._readiness(flown), now_us))
        return flown

    async def order(self, unit_id: int, action: FlightAction, account: Account) -> None:
        """Let the pilot do what a person asks of the sortie.

        Raises ConflictError for one that cannot, who may not, and a start that something is in the way of: what, and what to do.
        """
        device_id = self._drones.device_of(unit_id)
        self._control.demand(device_id, account)
        flown = self.flown(device_id)
        if flown is None:
            message = f"unit {unit_id} has no sortie: give it one"
            raise NotFoundError(message, f"单元 {unit_id} 没有架次：先给它一个架次")
        now_us = self._clock.now_us()
        async with flown.turn:
            flown.account = account
            match action:
                case FlightAction.START:
                    says = flown.pilot.start(await self._readiness(flown, is_start=True), now_us)
                case FlightAction.PAUSE:
                    says = flown.pilot.pause(now_us)
                case FlightAction.CONTINUE:
                    says = flown.pilot.go_on(now_us)
                case _:
                    says = flown.pilot.come_home(now_us)
            await self._do(flown, says)
        if action is FlightAction.START and says.command is None:
            raise ConflictError(flown.pilot.state.reason_en, flown.pilot.state.reason_zh)

    async def give_back(self, unit_id: int, account: Account) -> None:
        """End a sortie that has not left, so that it may be given again. Raises ConflictError where there is none, or it has left."""
        device_id = self._drones.device_of(unit_id)
        self._control.demand(device_id, account)
        flown = self.flown(device_id)
        if flown is not None:
            async with flown.turn:
                if flown.pilot.step in BEFORE_START and not flown.pilot.state.has_flown:
                    await self._do(flown, flown.pilot.come_home(self._clock.now_us()))
                    return
        message = f"unit {unit_id} has no sortie that waits on the ground: one that flies is brought home"
        raise ConflictError(message, f"单元 {unit_id} 没有在地面等待的架次：飞行中的架次请令其返航")

    async def said_of_start(self, device_id: int) -> tuple[Refusal, ...]:
        """Return what the rules say to the start of a drone's sortie now; nothing where it has none that is ready."""
        flown = self.flown(device_id)
        if flown is None or flown.pilot.step is not SortieStep.READY:
            return ()
        return (await self._readiness(flown, is_start=True)).refusals

    async def call_off(self, unit_id: int, *, waited_s: float) -> None:
        """End a sortie that was to start by itself and has waited so long on the ground, with what stood in its way."""
        flown = self.flown(self._drones.device_of(unit_id))
        if flown is None:
            return
        async with flown.turn:
            state, waited_min = flown.pilot.state, waited_s / 60
            said = [
                reason(Cause.NOT_LAUNCHED, one, waited_min=waited_min) for one in (state.reason_zh, state.reason_en)
            ]
            found = Reason(Cause.NOT_LAUNCHED, said[0].zh, said[1].en)
            await self._do(flown, flown.pilot.call_off(found, self._clock.now_us()))

    # --- what happens --------------------------------------------------------------------------------------------

    def hear(self, event: AnyEvent, now_us: int) -> None:
        """Let the pilot of the drone that an event is of have it in its turn."""
        del now_us
        flown = self._flown.get(event.device_id)
        if flown is not None and not flown.is_over:
            flown.events.put_nowait(event)

    async def restore(self) -> None:
        """Go on with the sorties that were flown when the program ended."""
        for moved in self._bridge.sorties.all():
            given = await asyncio.to_thread(self._briefs.load, moved.device_id)
            if given is None or given.sortie.sortie_id != moved.sortie_id or moved.device_id in self._flown:
                continue
            self._given[moved.device_id] = given
            unit_id = self._drones.unit_of(moved.device_id)
            if moved.step in OVER or unit_id is None:
                continue
            account = Account(account_id=given.account_id, name=given.account_name, role=Role.OPERATOR)
            seen = self._drones.seen_of(unit_id)
            pilot = Pilot.restored(moved, given.brief, self._clock.now_us(), seen=seen)
            self._take_up(moved.device_id, Flown(unit_id, given, pilot, account))
            self._keep(pilot.state)

    async def stop(self) -> None:
        """Leave the drones to what they have on board."""
        await self._supervisor.stop()

    # -------------------------------------------------------------------------------------------------------------

    def _take_up(self, device_id: int, flown: Flown) -> Flown:
        before = self._driving.pop(device_id, None)
        if before is not None:
            before.cancel()
        self._flown[device_id], self._given[device_id] = flown, flown.given
        self._driving[device_id] = self._supervisor.start(f"pilot {flown.unit_id}", lambda: self._drive(flown))
        return flown

    async def _drive(self, flown: Flown) -> None:
        """Hand the pilot events as they come, and the time each second, until the sortie is over."""
        while not flown.is_over:
            try:
                async with asyncio.timeout(TICK_S):  # wait_for would lose a cancellation that comes with an event
                    event = await flown.events.get()
            except TimeoutError:
                async with flown.turn:
                    await self._do(flown, await self._look_again(flown))
                self._tell(flown.unit_id)
                continue
            async with flown.turn:
                await self._do(flown, flown.pilot.take(event, self._clock.now_us()))
                await self._do(flown, self._arrived(flown, self._clock.now_us()))

    async def _look_again(self, flown: Flown) -> Says:
        """Let the pilot look at the time, and begin once nothing is in the way any more: a battery tells itself, a link comes back.

        On board already it looks at the rules again: what would refuse its start is told before anybody orders it.
        """
        pilot, now_us = flown.pilot, self._clock.now_us()
        seen = self._drones.seen_of(flown.unit_id)
        if pilot.step in (SortieStep.STARTING, SortieStep.UPLOADING) and (holder := self._other_holder(flown)):
            says = pilot.lose_control(holder, now_us)
            return pilot.tick(now_us, seen) if says.moved is None else says
        if pilot.step is SortieStep.READY:
            return pilot.look(await self._readiness(flown), now_us)
        if pilot.step is not SortieStep.HANDED or not pilot.brief.plan.mission:
            says = self._arrived(flown, now_us)
            return pilot.tick(now_us, seen) if says.moved is None else says
        readiness = await self._readiness(flown)
        found = in_the_way(readiness, least_battery_ratio=pilot.brief.least_battery_ratio)
        is_news = not found or joined(found).cause.value != pilot.state.cause
        return pilot.begin(readiness, now_us) if is_news else pilot.tick(now_us, seen)

    def _arrived(self, flown: Flown, now_us: int) -> Says:
        """Note that a drone is at its goal by its own place; nothing where it is not, or that is noted."""
        place, state = self._drones.place_of(flown.unit_id), flown.pilot.state
        if place is None or not flown.given.is_there(place.lat_deg, place.lon_deg, state.flown):
            return NOTHING
        return flown.pilot.arrive(now_us)

    async def _do(self, flown: Flown, says: Says) -> None:
        """Keep how far the pilot came and carry out what it wants, until it wants nothing more."""
        while True:
            if says.moved is not None:
                if says.moved.step is SortieStep.FLYING and flown.left_us is None:
                    flown.left_us = says.moved.observed_us
                self._keep(says.moved)
            command = says.command
            if command is None:
                return
            if (holder := self._other_holder(flown)) and not isinstance(command, UploadMission):
                says = flown.pilot.lose_control(holder, self._clock.now_us())
                continue
            try:
                order = await self._send(flown, command)
            except SkybeatError as error:
                says = flown.pilot.unsent(str(error), self._clock.now_us())
                continue
            flown.pilot.sent(order.command_id)
            return

    def _other_holder(self, flown: Flown) -> str:
        """Return who else is in control of its drone, empty where nobody else is: a pilot orders nothing for one who lost it."""
        holder = self._control.of(flown.pilot.state.device_id).holder
        return "" if holder in (NOBODY, holder_of(flown.account)) else str(holder)

    async def _send(self, flown: Flown, command: Command) -> Order:
        """Carry out what the pilot wants; return it once it is on its way. Raises SkybeatError."""
        if holder := self._other_holder(flown):
            found = reason(Cause.CONTROL, holder)
            raise ConflictError(found.en, found.zh)
        if isinstance(command, FlightCommand):
            return await self._actions.give(flown.unit_id, command, flown.account, by_pilot=True)
        order = await self._orders.begin(command, flown.account, flown.unit_id, within_s=SENT_WITHIN_S, by_pilot=True)
        try:
            self._bridge.send(numbered(command, order.command_id), self._clock.now_us())
        except SkybeatError as error:
            self._orders.move(order, CommandState.REFUSED, str(error))
            raise
        self._orders.move(order, CommandState.SENT)
        return order

    async def _demand_allowed(self, flown: Flown, given: Given) -> None:
        """Raise ConflictError for another sortie of a plan that the rules do not allow now, or the straight way to its first place.

        A first responder's was held against them when it was chosen.
        """
        place, first = self._drones.place_of(flown.unit_id), given.sortie.waypoints[0]
        if given.plan_id is None or place is None:
            return
        there = WantAction(
            action=FlightAction.GO_TO, lat_deg=first.lat_deg, lon_deg=first.lon_deg, alt_home_m=first.alt_home_m
        )
        home = self._actions.homes.get(flown.pilot.state.device_id)
        now_us, device_id = self._clock.now_us(), flown.pilot.state.device_id
        said = [
            *await self.rules.of_takeoff(
                given, takeoff_us=now_us, aloft=self._aloft(device_id), battery_ratio=place.battery_ratio
            ),
            *await self.rules.of_order(flown.unit_id, there, place=place, home=home),
        ]
        found = tuple(by_rule(one) for one in said if not one.is_warning)
        if found:
            raise ConflictError(joined(found).en, joined(found).zh)

    def _aloft(self, but_device_id: int) -> list[Aloft]:
        """Return the sorties of other drones that are in the air or just starting."""
        others = (flown.aloft for device_id, flown in self._flown.items() if device_id != but_device_id)
        return [one for one in others if one is not None]

    def _keep(self, moved: SortieMoved) -> None:
        self._bridge.take(Output(events=(moved,)), self._clock.now_us(), protocol=PROTOCOL)
        unit_id = self._drones.unit_of(moved.device_id)
        if unit_id is not None:
            self._tell(unit_id)

    async def _readiness(self, flown: Flown, *, is_start: bool = False) -> Readiness:
        """Return what is known of a drone now; the rules are asked for now where it starts, else for its time."""
        place, device_id = self._drones.place_of(flown.unit_id), flown.pilot.state.device_id
        battery_ratio = None if place is None else place.battery_ratio
        now_us = self._clock.now_us()
        refusals = await self.rules.of_takeoff(
            flown.given,
            takeoff_us=now_us if is_start else max(now_us, flown.given.sortie.takeoff_us),
            aloft=self._aloft(device_id),
            battery_ratio=battery_ratio,
        )
        return Readiness(
            is_heard=place is not None and place.is_heard,
            has_position=place is not None and place.is_located,
            battery_ratio=battery_ratio,
            controller=self._other_holder(flown),
            away_m=_away_m(place, flown.given.dock),
            refusals=refusals,
        )


def _away_m(place: Place | None, dock: Dock) -> float:
    """Return how far from a dock a drone stands, metres; 0 where it does not stand, or nobody knows."""
    if place is None or not place.is_located or place.is_airborne is not False:
        return 0.0
    return float(distance_m(place.lat_deg, place.lon_deg, dock.lat_deg, dock.lon_deg))
