"""The desk: takes calls, changes incidents, sends and recalls units. Gather, decide purely, write in one transaction."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import msgspec
import psycopg
from psycopg_pool import AsyncConnectionPool

from console.auth.accounts import ANSWER_WITHIN_S, DATABASE_AWAY, Account
from console.auth.policy import COVERT_ROLES, Scope
from console.incidents.follow import IncidentFollower
from console.incidents.views import is_covert
from console.sources import BridgeSource
from console.wire import Role
from infra.clock import Clock
from infra.database import SERVICE, apply_scope, scoped
from infra.database import Scope as DatabaseScope
from mission.calls import dispatch, store
from mission.calls.dispatch import Change, Order
from mission.calls.errand import TRACK, Answer, By
from mission.calls.incident import Agency, Draft, Entry, Incident, IncidentState
from mission.calls.incident_board import IncidentBoard
from telemetry.model.errors import ConflictError, NotAllowedError, NotFoundError, UnavailableError
from telemetry.model.unit import DutyStatus, Unit

TURN_WITHIN_S: Final = 15.0
"""How long a change may wait for those before it: time for a flood of calls, and an end where the database stalls."""
NOT_SENDABLE: Final = frozenset({DutyStatus.OFF_DUTY, DutyStatus.CHARGING})
_AWAY: Final = "the database does not answer: the map goes on, incidents must wait until it is back"

Orders = Callable[[Incident | None, Sequence[int]], Awaitable[list[Order]]]
"""Tells with how many seconds and metres units are sent to an incident."""


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts and what it may see; `scope` None: the house itself (an intake key, what a position tells)."""

    by: By
    scope: Scope | None = None

    @property
    def database_scope(self) -> DatabaseScope:
        """The scope as row policies see it."""
        if self.scope is None:
            return SERVICE
        return DatabaseScope(
            account_role=self.scope.role.value,
            account_id=self.by.account_id,
            station_ids=tuple(sorted(self.scope.station_ids)),
            unit_id=self.scope.unit_id,
        )

    def sees(self, unit: Unit) -> bool:
        """Tell whether the actor may see a unit."""
        return self.scope is None or self.scope.sees(unit)


TRACK_ACTOR: Final = Actor(by=TRACK)
"""Arrivals that positions tell."""


def actor_of(account: Account) -> Actor:
    """Return who a signed-in account is at the desk."""
    return Actor(by=By(name=account.name, account_id=account.account_id), scope=account.scope)


class IncidentDesk:
    """Every change of incidents goes through here. Each call raises UnavailableError while the database is away.

    `orders` tells how long units need to an incident, and so how they are sent.
    """

    def __init__(self, pool: AsyncConnectionPool, clock: Clock, bridge: BridgeSource) -> None:
        self.follower = IncidentFollower(pool, clock)
        self.orders: Orders = _orders_without_times
        self._pool = pool
        self._clock = clock
        self._bridge = bridge
        self._turn = asyncio.Lock()

    @property
    def board(self) -> IncidentBoard:
        """The incidents as this process knows them."""
        return self.follower.board

    async def create(self, draft: Draft, actor: Actor) -> tuple[Incident, bool]:
        """Return the incident of a call and whether it is new: the same call again is the same incident.

        Raises ConflictError when the call came before with another content: it is told, nothing is merged.
        """
        async with self._writing() as connection:
            known = await store.find_drafted(connection, draft)
            if known is not None:
                return _demand_same(known, draft), False
            number = await store.next_number(connection, draft.reported_us)
            change = dispatch.opened(draft, by=actor.by, number=number, now_us=self._clock.now_us())
            incident = await store.add(connection, change, draft)
        await self._follow()
        return incident, True

    async def edit(self, incident_id: int, version: int, changes: Mapping[str, Any], actor: Actor) -> Incident:
        """Change what is written of an incident that stands at `version` (fields of Incident by name).

        Raises VersionConflictError naming who changed what, NotFoundError, InputError.
        """

        def decide(incident: Incident, now_us: int) -> Change:
            return dispatch.edited(incident, changes, by=actor.by, now_us=now_us)

        return await self._decide(incident_id, version, actor, decide)

    async def set_state(
        self,
        incident_id: int,
        version: int,
        state: IncidentState,
        actor: Actor,
        *,
        note: str = "",
        agency_id: int | None = None,
    ) -> Incident:
        """Decide a state; handed_over (and non_police, if somebody takes it) name an agency that exists."""
        if agency_id is not None and all(agency.agency_id != agency_id for agency in await self.agencies()):
            message = (
                f"there is no agency {agency_id}: GET /api/agencies lists them, `skybeat incident agency add` adds one"
            )
            raise NotFoundError(message)

        def decide(incident: Incident, now_us: int) -> Change:
            return dispatch.stated(incident, state, by=actor.by, now_us=now_us, note=note, agency_id=agency_id)

        return await self._decide(incident_id, version, actor, decide)

    async def dispatch(self, incident_id: int, version: int, unit_ids: Sequence[int], actor: Actor) -> Incident:
        """Send units. Raises NotFoundError for units out of scope, ConflictError for those off duty or wanted elsewhere."""
        for unit_id in unit_ids:
            _demand_sendable(self._bridge.registry.units.get(unit_id), unit_id, actor)
        orders = await self.orders(self.board.get(incident_id), unit_ids)

        def decide(incident: Incident, now_us: int) -> Change:
            return dispatch.sent_units(incident, orders, by=actor.by, now_us=now_us)

        async with self._writing() as connection:
            before = await self._visible(connection, incident_id, actor)
            await self._demand_version(connection, before, version)
            elsewhere = await store.wanted_elsewhere(connection, unit_ids)
            self._demand_not_wanted(before, elsewhere)
            after = await store.save(connection, before, decide(before, self._clock.now_us()))
        await self._follow()
        return after

    async def recall(self, incident_id: int, dispatch_id: int, actor: Actor, *, reason: str = "") -> Incident:
        """Take a unit back from an incident. Raises NotFoundError (a covert one is told to few), ConflictError when it is over."""

        def decide(incident: Incident, now_us: int) -> Change:
            self._demand_shown(incident, dispatch_id, actor)
            return dispatch.recalled(incident, dispatch_id, by=actor.by, now_us=now_us, reason=reason)

        return await self._decide(incident_id, None, actor, decide)

    async def answer(
        self,
        dispatch_id: int,
        answer: Answer | str,
        actor: Actor,
        *,
        at_us: int | None = None,
        reason: str = "",
        channel: str = "",
    ) -> Incident:
        """Note what a unit, its channel or its track says of a dispatch; the same twice changes nothing.

        An officer answers for its own unit alone. Raises NotFoundError, ConflictError for what cannot follow.
        """
        said = Answer(answer)
        async with self._writing() as connection:
            incident_id = await store.incident_id_of(connection, dispatch_id)
            before = await self._visible(connection, incident_id, actor)
            self._demand_own(before, dispatch_id, actor)
            now_us = self._clock.now_us()
            change = dispatch.answered(
                before,
                dispatch_id,
                said,
                by=actor.by,
                at_us=now_us if at_us is None else at_us,
                now_us=now_us,
                reason=reason,
                channel=channel,
            )
            after = before if change.is_nothing else await store.save(connection, before, change)
        if not change.is_nothing:
            await self._follow()
        return after

    # --- reading -----------------------------------------------------------------------------------------------------

    async def read(self, incident_id: int, actor: Actor) -> Incident:
        """Return one incident, closed long ago too. Raises NotFoundError."""
        async with self._reading(actor) as connection:
            return await store.find_incident(connection, incident_id)

    async def entries(self, incident_id: int, actor: Actor) -> list[Entry]:
        """Return an incident's history, oldest first. Raises NotFoundError."""
        async with self._reading(actor) as connection:
            if not await store.sees_incident(connection, incident_id):
                raise NotFoundError(_unseen(incident_id))
            return await store.entries_of(connection, incident_id)

    async def listing(
        self,
        actor: Actor,
        *,
        limit: int,
        before_id: int | None = None,
        from_us: int | None = None,
        to_us: int | None = None,
    ) -> list[Incident]:
        """Return incidents of the actor's scope from the database, the newest first."""
        async with self._reading(actor) as connection:
            return await store.list_incidents(
                connection, limit=limit, before_id=before_id, from_us=from_us, to_us=to_us
            )

    async def agencies(self) -> list[Agency]:
        """Return to whom an incident may be handed over."""
        async with self._reading(Actor(by=TRACK)) as connection:
            return await store.agencies(connection)

    # --- the transaction ---------------------------------------------------------------------------------------------

    async def _decide(
        self, incident_id: int, version: int | None, actor: Actor, decide: Callable[[Incident, int], Change]
    ) -> Incident:
        """Gather, decide, write: the whole of a change. A version of None conflicts with nothing."""
        async with self._writing() as connection:
            before = await self._visible(connection, incident_id, actor)
            if version is not None:
                await self._demand_version(connection, before, version)
            change = decide(before, self._clock.now_us())
            after = before if change.is_nothing else await store.save(connection, before, change)
        if not change.is_nothing:
            await self._follow()
        return after

    async def _visible(self, connection: psycopg.AsyncConnection, incident_id: int, actor: Actor) -> Incident:
        """Return the whole incident once the row policies let the actor see it. Raises NotFoundError."""
        if actor.scope is not None:
            await apply_scope(connection, actor.database_scope)
            seen = await store.sees_incident(connection, incident_id)
            await apply_scope(connection, SERVICE)
            if not seen:
                raise NotFoundError(_unseen(incident_id))
        return await store.find_incident(connection, incident_id)

    async def _demand_version(self, connection: psycopg.AsyncConnection, incident: Incident, version: int) -> None:
        if incident.version == version:
            return
        since = await store.entries_of(connection, incident.incident_id, after_version=version)
        dispatch.demand_version(incident, version, since)

    def _demand_own(self, incident: Incident, dispatch_id: int, actor: Actor) -> None:
        if actor.scope is None or actor.scope.role is not Role.OFFICER:
            return
        if dispatch.dispatch_of(incident, dispatch_id).unit_id != actor.scope.unit_id:
            message = f"there is no dispatch {dispatch_id} of your unit: read your tasks again"
            raise NotFoundError(message)

    def _demand_shown(self, incident: Incident, dispatch_id: int, actor: Actor) -> None:
        if actor.scope is None or actor.scope.role in COVERT_ROLES:
            return
        if is_covert(self._bridge.registry.units, dispatch.dispatch_of(incident, dispatch_id).unit_id):
            message = f"incident {incident.number} has no dispatch {dispatch_id}: read the incident again"
            raise NotFoundError(message)

    def _demand_not_wanted(self, incident: Incident, elsewhere: Sequence[tuple[int, str]]) -> None:
        others = [(unit_id, number) for unit_id, number in elsewhere if number != incident.number]
        if not others:
            return
        words = ", ".join(f"{self._call_sign(unit_id)} to {number}" for unit_id, number in others)
        message = f"sent already: {words}. Recall it there first, or send others"
        raise ConflictError(message)

    def _call_sign(self, unit_id: int) -> str:
        unit = self._bridge.registry.units.get(unit_id)
        return f"unit {unit_id}" if unit is None else unit.call_sign

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[psycopg.AsyncConnection]:
        """Give a transaction that alone changes incidents, in the scope of the console itself.

        Writers of this process queue here, so that they do not take all connections while they wait; nobody queues
        for longer than `TURN_WITHIN_S`.
        """
        try:
            async with asyncio.timeout(TURN_WITHIN_S):
                await self._turn.acquire()
        except TimeoutError as error:
            raise UnavailableError(_AWAY) from error
        try:
            async with self._answering(SERVICE) as connection:
                await store.lock_changes(connection)
                yield connection
        finally:
            self._turn.release()

    async def _follow(self) -> None:
        """Let the board follow what was just written; when the database is away by now, it follows once that is back.

        What is written stays written: whoever asked for it is not told that it was not.
        """
        with suppress(UnavailableError):
            await self.follower.refresh()

    @asynccontextmanager
    async def _reading(self, actor: Actor) -> AsyncIterator[psycopg.AsyncConnection]:
        async with self._answering(actor.database_scope) as connection:
            yield connection

    @asynccontextmanager
    async def _answering(self, scope: DatabaseScope) -> AsyncIterator[psycopg.AsyncConnection]:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S), scoped(self._pool, scope) as connection:
                yield connection
        except DATABASE_AWAY as error:
            raise UnavailableError(_AWAY) from error


async def _orders_without_times(_incident: Incident | None, unit_ids: Sequence[int]) -> list[Order]:
    return [Order(unit_id=unit_id) for unit_id in unit_ids]


def _demand_same(known: tuple[Incident, bytes], draft: Draft) -> Incident:
    incident, digest = known
    if digest == draft.sha256:
        return incident
    message = (
        f"the call {draft.webhook_id or draft.source_ref!r} is incident {incident.number} already, with another content: "
        "nothing was changed. Edit that incident, or send the new call under a reference of its own"
    )
    raise ConflictError(message)


def _demand_sendable(unit: Unit | None, unit_id: int, actor: Actor) -> None:
    if unit is None or not actor.sees(unit):
        message = f"there is no unit {unit_id} in your scope: GET /api/units lists yours; ask the centre to send others"
        raise NotFoundError(message)
    if actor.scope is not None and actor.scope.role is Role.OFFICER:
        message = f"unit {unit.call_sign} cannot be sent by an officer: ask the centre"
        raise NotAllowedError(message)
    if unit.duty_status in NOT_SENDABLE:
        message = f"unit {unit.call_sign} is {unit.duty_status}: only units on duty can be sent"
        raise ConflictError(message)


def _unseen(incident_id: int) -> str:
    return f"there is no incident {incident_id} in your scope: GET /api/incidents lists yours"
