"""Sorties of published plans that are due: shown to pilots, who confirm them; given and started where a dock flies by itself."""

import asyncio
from collections.abc import Iterator
from typing import Final

import msgspec

from console.auth.accounts import Account, Accounts
from console.auth.policy import Policy, allows
from console.flight.desk import FlightDesk
from console.patrols.launches import Launches
from console.patrols.plan_desk import PlanDesk
from console.stream.plans import PlanFeed
from console.wire_flight import DueView
from infra.clock import MICROSECONDS, Clock
from infra.database import SERVICE
from infra.logs import get_logger
from mission.model import Airframe, Dock, Window
from mission.plan import Sortie, SortieState
from mission.plan_store import KeptPlan
from telemetry.flight.control import NOBODY
from telemetry.model.errors import SkybeatError, UnavailableError

LOOK_EVERY_S: Final = 2.0
READ_EVERY_S: Final = 10.0
SHOWN_BEFORE_S: Final = 900
"""So long before its take-off a sortie is shown to pilots as due."""
GIVEN_BEFORE_S: Final = 90
"""So long before its take-off a dock that flies by itself gives it to the drone: checks and upload take their time."""
LATE_AFTER_S: Final = 300
"""A sortie that has not left so long after its time is due no longer."""
_LOG: Final = get_logger("plans")


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A sortie whose time has come, with what it flies with."""

    plan_id: int
    sortie: Sortie
    airframe: Airframe
    dock: Dock
    kept: KeptPlan
    busy_until_us: int | None = None
    """Until about when its drone flies something else, UTC microseconds; None: it is free."""
    is_called_away: bool = False

    @property
    def unit_id(self) -> int:
        """The unit that flies it."""
        assert self.airframe.unit_id is not None
        return self.airframe.unit_id


class DueSorties:
    """Knows what is due, and flies it where docks are automatic, on behalf of whoever approved the plan."""

    def __init__(
        self,
        plans: PlanDesk,
        feed: PlanFeed,
        flights: FlightDesk,
        launches: Launches,
        accounts: Accounts,
        clock: Clock,
    ) -> None:
        self._plans, self._flights, self._launches, self._accounts = plans, flights, launches, accounts
        self._clock, self._feed = clock, feed
        self._version = -1
        self._published: list[KeptPlan] = []
        self._read_s = -READ_EVERY_S
        self._tried: dict[tuple[int, int], int] = {}
        self.shown: tuple[DueView, ...] = ()
        """What was due when it was looked last."""
        self.version = 0
        """Grows whenever that changes."""

    async def run(self) -> None:
        """Look for ever."""
        while True:
            try:
                await self.look()
            except UnavailableError:
                _LOG.warning("due_unread")
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Say what is due by now; give what is due at automatic docks to its drones, each once. Who is still away comes home first."""
        found = await self.due()
        shown = tuple(view_of_due(one) for one in found)
        if shown != self.shown:
            self.shown, self.version = shown, self.version + 1
        soon_us = self._clock.now_us() + GIVEN_BEFORE_S * MICROSECONDS
        for due in found:
            key = (due.plan_id, due.sortie.sortie_id)
            is_free = due.busy_until_us is None and due.sortie.takeoff_us < soon_us
            if due.dock.is_automatic and is_free and key not in self._tried:
                self._tried[key] = due.sortie.takeoff_us
                await self._give(due)
        past_us = self._clock.now_us() - 86_400 * MICROSECONDS
        self._tried = {key: at_us for key, at_us in self._tried.items() if at_us > past_us}

    async def due(self) -> list[Due]:
        """Return the sorties that are due, by their take-off, with until when their drones are away. Raises UnavailableError while the database is away."""
        now_us = self._clock.now_us()
        window = Window(now_us - LATE_AFTER_S * MICROSECONDS, now_us + SHOWN_BEFORE_S * MICROSECONDS)
        await self._read(now_us)
        found = [due for kept in self._published for due in self._of_plan(kept, window)]
        return sorted(found, key=lambda one: (one.sortie.takeoff_us, one.plan_id, one.sortie.sortie_id))

    async def _read(self, now_us: int) -> None:
        now_s, version = self._clock.monotonic_s(), self._feed.version
        if now_s - self._read_s >= READ_EVERY_S or version != self._version:
            around = Window(now_us - LATE_AFTER_S * MICROSECONDS, now_us + SHOWN_BEFORE_S * MICROSECONDS)
            self._published = await self._plans.published(SERVICE, around)
            self._read_s, self._version = now_s, version

    def _of_plan(self, kept: KeptPlan, window: Window) -> Iterator[Due]:
        airframes = {one.airframe_id: one for one in kept.programme.airframes}
        docks = {one.dock_id: one for one in kept.programme.docks}
        drones = self._flights.drones.by_unit()
        for sortie in kept.plan.sorties:
            airframe, dock = airframes.get(sortie.airframe_id), docks.get(sortie.dock_id)
            is_waiting = sortie.state is SortieState.PLANNED and sortie.waypoints and not sortie.is_standby
            if not is_waiting or not window.start_us <= sortie.takeoff_us < window.end_us:
                continue
            if airframe is None or dock is None or airframe.unit_id not in drones:
                continue
            away = self._flights.sorties.away(drones[airframe.unit_id])
            yield Due(
                plan_id=kept.plan.plan_id,
                sortie=sortie,
                airframe=airframe,
                dock=dock,
                kept=kept,
                busy_until_us=None if away is None else away.given.sortie.landing_us + away.later_us,
                is_called_away=away is not None and away.given.plan_id is None,
            )

    async def _give(self, due: Due) -> None:
        try:
            account = await self._approver(due.kept)
            if account is None:
                _LOG.warning("due_without_approver", plan_id=due.plan_id, sortie_id=due.sortie.sortie_id)
                return
            was_nobodys = self._flights.control.of(self._flights.drones.device_of(due.unit_id)).holder == NOBODY
            await self._flights.hand(
                due.unit_id, due.sortie, due.airframe, due.dock, account,
                zones=due.kept.programme.zones, plan_id=due.plan_id,
            )  # fmt: skip
            self._launches.expect(due.unit_id, account, lets_go=was_nobodys, not_before_us=due.sortie.takeoff_us)
        except SkybeatError as error:
            _LOG.warning("due_not_given", plan_id=due.plan_id, sortie_id=due.sortie.sortie_id, reason=str(error))

    async def _approver(self, kept: KeptPlan) -> Account | None:
        """Return who approved the plan, if they may still fly."""
        for account in await self._accounts.all():
            if account.account_id == kept.approver_account_id and not account.disabled:
                return account if allows(Policy.FLY, account.role) else None
        return None


def view_of_due(one: Due) -> DueView:
    """Return a due sortie as it is shown."""
    tasks = [task for task in one.kept.programme.tasks if task.task_id in one.sortie.task_ids]
    return DueView(
        plan_id=one.plan_id,
        sortie_id=one.sortie.sortie_id,
        unit_id=one.unit_id,
        takeoff_us=one.sortie.takeoff_us,
        landing_us=one.sortie.landing_us,
        task_ids=list(one.sortie.task_ids),
        name_zh=" · ".join(task.name_zh or task.name_en for task in tasks),
        name_en=" · ".join(task.name_en or task.name_zh for task in tasks),
        is_automatic=one.dock.is_automatic,
        busy_until_us=one.busy_until_us,
        is_called_away=one.is_called_away,
    )
