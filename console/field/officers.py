"""Officers in the field: pushes to their pages until received, their ways, and what their tracks tell of their tasks."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
from psycopg_pool import AsyncConnectionPool

from console.auth.accounts import ANSWER_WITHIN_S, DATABASE_AWAY
from console.field.device_texts import DeviceTexts
from console.field.watch import Seen, TrackWatch
from console.incidents.desk import TRACK_ACTOR, Actor, IncidentDesk
from console.orders import CommandDesk
from console.sources import FieldBridge
from infra.clock import Clock
from infra.database import SERVICE, scoped
from infra.logs import get_logger
from mission.calls import store
from mission.calls.dispatch import dispatch_of
from mission.calls.errand import Answer, By
from mission.calls.incident import Dispatch, DispatchState, Incident, Urgency
from mission.calls.unreached import DOWNLINK, Trouble, troubled
from telemetry.downlink import Channel, Downlink, NoChannel, Offer, Push, PushState, Step, Unanswered
from telemetry.model.errors import ConflictError, NotFoundError, UnavailableError

PAGE: Final = "page"
ANSWER_WITHIN_US: Final = {Urgency.ONE: 30_000_000, Urgency.TWO: 60_000_000, Urgency.THREE: 60_000_000}
"""How long a unit may take to accept before people are told, by urgency."""
LOOK_EVERY_S: Final = 1.0
AGAIN_S: Final = 1.0
_DOWNLINK_ACTOR: Final = Actor(by=DOWNLINK)
_PUSH_STATES: Final = {
    DispatchState.QUEUED: PushState.QUEUED,
    DispatchState.SENT: PushState.SENT,
    DispatchState.RECEIVED: PushState.RECEIVED,
}
_OFFERED: Final = frozenset({DispatchState.QUEUED, DispatchState.SENT})
_log: Final = get_logger("field")

Way = tuple[tuple[float, float], ...]
"""[lon, lat] points."""
Place = tuple[int | None, int | None]
FindWay = Callable[[Incident, Dispatch], Awaitable[Way]]
"""Tells the fastest way of a unit to its incident; empty where none is known."""


class PageChannel:
    """One connected page of an officer: the dispatches that it is to be sent, and those that it has."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.waiting: dict[int, None] = {}
        self.shown: set[int] = set()


class _Told(msgspec.Struct, frozen=True):
    """Something to write down: an answer of a channel or a track, or a trouble; `step` is due again when it cannot be."""

    dispatch_id: int
    what: Answer | Trouble
    at_us: int
    by: By = DOWNLINK
    channel: str = ""
    step: Step | None = None


class Field:
    """The shell around downlink and arrival. `turn` is called by the stream; `run` writes down what came of it and looks at tracks.

    The truth is the database: whatever happens to this process, the next one finds the pushes there and goes on.
    """

    def __init__(
        self,
        desk: IncidentDesk,
        bridge: FieldBridge,
        pool: AsyncConnectionPool,
        clock: Clock,
        *,
        find_way: FindWay | None = None,
        orders: CommandDesk | None = None,
    ) -> None:
        self._desk = desk
        self._bridge = bridge
        self._pool = pool
        self._clock = clock
        self._find_way = find_way
        self._downlink = Downlink()
        self._watch = TrackWatch()
        self._pages: dict[int, PageChannel] = {}
        self._channel_ids = itertools.count(1)
        self._texts = DeviceTexts(bridge, orders or CommandDesk(bridge, clock), clock)
        self._text_channels: set[int] = set()
        self._ways: dict[int, tuple[Place, Way]] = {}
        self._to_write: asyncio.Queue[_Told] = asyncio.Queue()
        desk.follower.on_change(self._take_changes)

    # --- pages -------------------------------------------------------------------------------------------------------

    def open_page(self, unit_id: int) -> PageChannel:
        """Take a page of a unit's officer that connected: its tasks wait for it."""
        page = PageChannel(Channel(channel_id=next(self._channel_ids), unit_id=unit_id, name=PAGE))
        self._pages[page.channel.channel_id] = page
        self._downlink.open(page.channel)
        for _, sent in self.tasks(unit_id):
            if sent.state not in _OFFERED:  # what nobody has yet, the next turn offers
                page.waiting[sent.dispatch_id] = None
        return page

    def close_page(self, page: PageChannel) -> None:
        """Let a page go."""
        self._pages.pop(page.channel.channel_id, None)
        self._downlink.close(page.channel.channel_id)

    def take_waiting(self, page: PageChannel) -> list[tuple[Incident, Dispatch]]:
        """Return the tasks that wait for a page, as they stand; from here on they count as handed to it."""
        tasks = []
        while page.waiting:
            dispatch_id = page.waiting.popitem()[0]
            incident = self._desk.board.of_dispatch(dispatch_id)
            if incident is None:
                continue
            sent = dispatch_of(incident, dispatch_id)
            if sent.is_live:
                page.shown.add(dispatch_id)
            else:
                page.shown.discard(dispatch_id)
            tasks.append((incident, sent))
        return tasks

    def tasks(self, unit_id: int) -> list[tuple[Incident, Dispatch]]:
        """Return what a unit is wanted for now, the newest first."""
        found = self._desk.board.live_dispatch_of(unit_id)
        return [] if found is None else [found]

    def way_of(self, dispatch_id: int) -> Way:
        """Return the way as far as it is known by now."""
        return self._ways[dispatch_id][1] if dispatch_id in self._ways else ()

    # --- the turn ----------------------------------------------------------------------------------------------------

    def turn(self) -> None:
        """Offer what is due to every channel; never waits."""
        now_us = self._clock.now_us()
        for step in self._downlink.due(now_us):
            match step:
                case Offer(push_id=push_id, channel=channel):
                    self._offer(step, push_id, channel, now_us)
                case NoChannel(push_id=push_id):
                    self._to_write.put_nowait(_Told(push_id, Trouble.NO_CHANNEL, now_us, step=step))
                case Unanswered(push_id=push_id):
                    self._to_write.put_nowait(_Told(push_id, Trouble.UNANSWERED, now_us, step=step))

    def _offer(self, step: Step, push_id: int, channel: Channel, now_us: int) -> None:
        page = self._pages.get(channel.channel_id)
        if page is not None:
            page.waiting[push_id] = None
        elif not self._send_text(push_id, channel):
            return
        incident = self._desk.board.of_dispatch(push_id)
        if incident is None or dispatch_of(incident, push_id).state is not DispatchState.QUEUED:
            return  # sent before: only offered again
        self._to_write.put_nowait(_Told(push_id, Answer.SENT, now_us, channel=channel.name, step=step))

    def _send_text(self, push_id: int, channel: Channel) -> bool:
        incident = self._desk.board.of_dispatch(push_id)
        if incident is not None and self._texts.send(incident, push_id, channel):
            return True
        self._downlink.close(channel.channel_id)
        return False

    def _take_changes(self, incidents: Sequence[Incident]) -> None:
        """Take what the database says now: it is the truth, whoever changed it."""
        live = self._desk.board.live_dispatches()
        self._downlink.replace(_push_of(incident, sent) for incident, sent in live)
        for incident in incidents:
            for sent in incident.dispatches:
                for page in self._pages.values():
                    if sent.unit_id == page.channel.unit_id and (sent.is_live or sent.dispatch_id in page.shown):
                        page.waiting[sent.dispatch_id] = None
        live_ids = {sent.dispatch_id for _, sent in live}
        self._ways = {dispatch_id: way for dispatch_id, way in self._ways.items() if dispatch_id in live_ids}

    # --- what runs beside --------------------------------------------------------------------------------------------

    async def write_forever(self) -> None:
        """Write down what channels and tracks told, in order; run it as a task."""
        is_lost = False
        while True:
            told = await self._to_write.get()
            try:
                await self._write(told)
            except (NotFoundError, ConflictError) as error:
                _log.info(
                    "told_too_late", dispatch_id=told.dispatch_id, what=told.what.value, reason=type(error).__name__
                )
            except UnavailableError:
                self._give_back(told)
                if not is_lost:
                    _log.warning("field_waits", waiting=self._to_write.qsize())
                is_lost = True
                await asyncio.sleep(AGAIN_S)
            except BaseException:
                self._give_back(told)
                raise
            else:
                is_lost = False

    def _give_back(self, told: _Told) -> None:
        if told.step is not None:
            self._downlink.untold(told.step)
        else:
            self._watch.untold(told.dispatch_id)
            self._texts.untold(told.dispatch_id)

    async def _write(self, told: _Told) -> None:
        if isinstance(told.what, Trouble):
            await self._write_trouble(told.dispatch_id, told.what)
            return
        actor = TRACK_ACTOR if told.by.name == TRACK_ACTOR.by.name else _DOWNLINK_ACTOR
        await self._desk.answer(told.dispatch_id, told.what, actor, at_us=told.at_us, channel=told.channel)

    async def _write_trouble(self, dispatch_id: int, trouble: Trouble) -> None:
        """Write a trouble down unless it stands there already. Raises NotFoundError, UnavailableError."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S), scoped(self._pool, SERVICE) as connection:
                await store.lock_changes(connection)
                incident = await store.find_incident(connection, await store.incident_id_of(connection, dispatch_id))
                entries = await store.entries_of(connection, incident.incident_id)
                change = troubled(incident, dispatch_id, trouble, entries=entries, now_us=self._clock.now_us())
                if not change.is_nothing:
                    await store.save(connection, incident, change)
        except DATABASE_AWAY as error:
            message = "the database does not answer: what became of a push is written down when it is back"
            raise UnavailableError(message) from error
        if not change.is_nothing:
            await self._desk.follower.refresh()

    async def look_forever(self) -> None:
        """Look at tracks, ways and devices that show texts, once a second; run it as a task."""
        while True:
            self.look()
            await self._find_ways()
            await asyncio.sleep(LOOK_EVERY_S)

    def look(self) -> None:
        """Look once at the tracks of all units that are wanted somewhere."""
        now_us = self._clock.now_us()
        live = self._desk.board.live_dispatches()
        for seen in self._watch.look(live, self._bridge.picture.units, now_us):
            self._to_write.put_nowait(_told_by_track(seen))
        for receipt in self._texts.receipts():
            told = _Told(receipt.dispatch_id, Answer.RECEIVED, receipt.at_us, channel=receipt.channel)
            self._to_write.put_nowait(told)
        self._open_text_channels(live)

    def _open_text_channels(self, live: Sequence[tuple[Incident, Dispatch]]) -> None:
        with_page = {page.channel.unit_id for page in self._pages.values()}
        channels = {channel.channel_id: channel for channel in self._texts.channels(live, with_page)}
        for channel_id in self._text_channels - channels.keys():
            self._downlink.close(channel_id)
        for channel in channels.values():
            self._downlink.open(channel)
        self._text_channels = set(channels)

    async def _find_ways(self) -> None:
        """Ask for the way of each unit that was just sent, or whose place was corrected."""
        for incident, sent in self._desk.board.live_dispatches():
            place = (incident.lat_e7, incident.lon_e7)
            if self._find_way is None or self._ways.get(sent.dispatch_id, (None, ()))[0] == place:
                continue
            way = await self._find_way(incident, sent)
            self._ways[sent.dispatch_id] = (place, way)
            for page in self._pages.values():
                if way and page.channel.unit_id == sent.unit_id:
                    page.waiting[sent.dispatch_id] = None


def _push_of(incident: Incident, sent: Dispatch) -> Push:
    return Push(
        push_id=sent.dispatch_id,
        unit_id=sent.unit_id,
        queued_us=sent.queued_us,
        answer_by_us=sent.queued_us + ANSWER_WITHIN_US[incident.urgency],
        state=_PUSH_STATES.get(sent.state, PushState.ANSWERED),
    )


def _told_by_track(seen: Seen) -> _Told:
    return _Told(seen.dispatch_id, seen.answer, seen.at_us, by=TRACK_ACTOR.by)
