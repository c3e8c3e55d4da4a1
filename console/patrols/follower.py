"""What becomes of sorties is written into their plans: handed, uploaded, flying, flown or broken off, and how far they came."""

import asyncio
from typing import Final

import msgspec
from psycopg_pool import AsyncConnectionPool

from console.patrols.asking import asking
from console.sources import FieldBridge
from console.stream.plans import PlanFeed
from infra.database import SERVICE
from infra.logs import get_logger
from mission import plan_store
from mission.plan import Plan, Sortie, SortieState
from telemetry.model.errors import NotFoundError, UnavailableError
from telemetry.model.events import AnyEvent
from telemetry.model.flight_events import SortieMoved, SortieStep

STATES: Final = {
    SortieStep.HANDED: SortieState.HANDED,
    SortieStep.UPLOADING: SortieState.HANDED,
    SortieStep.READY: SortieState.UPLOADED,
    SortieStep.STARTING: SortieState.UPLOADED,
    SortieStep.FLYING: SortieState.FLYING,
    SortieStep.PAUSED: SortieState.FLYING,
    SortieStep.RETURNING: SortieState.FLYING,
    SortieStep.DONE: SortieState.FLOWN,
    SortieStep.FAILED: SortieState.BROKEN_OFF,
}
MOMENTS: Final = ("handed_us", "started_us", "ended_us")
_OVER: Final = frozenset({SortieState.FLOWN, SortieState.BROKEN_OFF})
WAITS_S: Final = 1.0
"""Between two writings, so that the waypoints of a fast flight are written together."""
MOST_WAITING: Final = 1_000
_LOG: Final = get_logger("plans")


class PlanFollower:
    """Writes each sortie's newest step into its plan; what is not written yet while the database is away is written after."""

    def __init__(self, pool: AsyncConnectionPool, bridge: FieldBridge, feed: PlanFeed) -> None:
        self._pool, self._feed = pool, feed
        self._moved: dict[tuple[int, int], SortieMoved] = {}
        self._news = asyncio.Event()
        bridge.listeners.append(self._hear)

    async def run(self) -> None:
        """Write for ever."""
        while True:
            await self._news.wait()
            self._news.clear()
            await self.write()
            await asyncio.sleep(WAITS_S)

    async def write(self) -> None:
        """Write what waits."""
        moved, self._moved = self._moved, {}
        for plan_id in {key[0] for key in moved}:
            mine = {sortie_id: event for (of, sortie_id), event in moved.items() if of == plan_id}
            try:
                await self._write_into(plan_id, mine)
            except NotFoundError:
                continue  # a draft that was taken away
            except UnavailableError:
                _LOG.warning("sorties_unwritten", plan_id=plan_id)
                self._moved = {(plan_id, number): event for number, event in mine.items()} | self._moved
                self._news.set()

    async def _write_into(self, plan_id: int, moved: dict[int, SortieMoved]) -> None:
        async with asking(self._pool, SERVICE) as connection:
            plan = await plan_store.lock_plan(connection, plan_id)
            after = with_steps(plan, moved)
            if after == plan:
                return
            await plan_store.note_sorties(connection, after)
        self._feed.tell_changed(after)

    def _hear(self, event: AnyEvent, now_us: int) -> None:
        del now_us
        if isinstance(event, SortieMoved) and event.plan_id is not None and len(self._moved) < MOST_WAITING:
            self._moved[event.plan_id, event.sortie_id] = event
            self._news.set()


def with_steps(plan: Plan, moved: dict[int, SortieMoved]) -> Plan:
    """Return a plan whose sorties are as far as their events say."""
    sorties = (
        sortie if sortie.sortie_id not in moved else _with_step(sortie, moved[sortie.sortie_id])
        for sortie in plan.sorties
    )
    return msgspec.structs.replace(plan, sorties=tuple(sorties))


def _with_step(sortie: Sortie, event: SortieMoved) -> Sortie:
    state = STATES[event.step]
    if state is SortieState.BROKEN_OFF and not event.has_flown:
        state = SortieState.PLANNED  # it never left: it may be given again
    flown = min(event.flown_before + event.flown, len(sortie.waypoints))
    moments = dict(zip(MOMENTS, _moments(sortie, event, state), strict=True))
    said = {"reason_zh": event.reason_zh, "reason_en": event.reason_en}
    return msgspec.structs.replace(sortie, state=state, flown_waypoints=flown, **moments, **said)


def _moments(sortie: Sortie, event: SortieMoved, state: SortieState) -> tuple[int | None, int | None, int | None]:
    """Return when it was handed, begun and over; what is given again begins anew."""
    at_us = event.observed_us
    if state is SortieState.PLANNED:
        return None, None, None
    if event.step is SortieStep.HANDED and not event.has_flown:
        return at_us, None, None
    handed_us = at_us if sortie.handed_us is None else sortie.handed_us
    has_begun = event.has_flown or event.step is SortieStep.STARTING
    started_us = at_us if has_begun and sortie.started_us is None else sortie.started_us
    ended_us = at_us if sortie.ended_us is None else sortie.ended_us
    return handed_us, started_us, ended_us if state in _OVER else None
