"""The rules at the moment of flying: asked with the programme and the published plans of now, which are read again when they change."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from console.api.models_flights import WantAction
from console.flight.briefs import Given
from console.flight.drones import Place
from console.flight.rules import Aloft
from console.patrols.plan_desk import PlanDesk
from console.patrols.programme_desk import ProgrammeDesk
from console.patrols.terrain import KeptGround
from console.stream.plans import PlanFeed
from infra.clock import MICROSECONDS, Clock
from infra.database import SERVICE
from infra.logs import get_logger
from mission.deconflict.moves import delayed
from mission.flying.straight_way import StraightWay, said_of_way
from mission.flying.takeoff import Other, Takeoff, said_at_takeoff
from mission.model import Airframe, Programme, Window
from mission.plan import Refusal, Sortie, SortieState
from mission.plan_store import KeptPlan
from mission.schedule.scene import TRANSIT_ALT_M
from telemetry.model.commands import FlightAction
from telemetry.model.errors import InputError, NotFoundError, UnavailableError, chinese_of

READ_EVERY_S: Final = 10.0
ASKED_WITHIN_S: Final = 2.0
"""A pilot waits no longer for the database: then what was read last is asked, and that is said."""
AHEAD_S: Final = 3 * 3600
LATE_AFTER_S: Final = 300
"""A sortie that has not left so long after its time is in nobody's way."""
SAME_FOR_US: Final = 10 * MICROSECONDS
"""So long the same question has the same answer, unless the programme, a plan or who is in the air changes."""
USUAL_SPEED_MPS: Final = 10.0
CHECKED: Final = frozenset({FlightAction.GO_TO, FlightAction.TAKE_OFF, FlightAction.RETURN_HOME})
_AHEAD: Final = frozenset({SortieState.PLANNED, SortieState.HANDED, SortieState.UPLOADED, SortieState.FLYING})
_LOG: Final = get_logger("flight")
_Asked = TypeVar("_Asked", Takeoff, StraightWay)


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    """What was read last: by which version of the feed, when on the monotonic clock, and whether it could not be read again."""

    version: int = -1
    read_s: float = 0.0
    programme: Programme | None = None
    published: tuple[KeptPlan, ...] = ()
    is_old: bool = False


class RulesDesk:
    """Answers what `console.flight.rules` asks; sums go to a thread, so that the loop goes on."""

    def __init__(
        self, clock: Clock, *, programme: ProgrammeDesk, plans: PlanDesk, feed: PlanFeed, terrain: Path | None = None
    ) -> None:
        self._clock, self._programme, self._plans, self._feed = clock, programme, plans, feed
        self._ground = KeptGround(terrain)
        self._known = _Known()
        self._reading = asyncio.Lock()
        self._said: dict[int, tuple[object, tuple[Refusal, ...]]] = {}

    async def of_takeoff(
        self, given: Given, *, takeoff_us: int, aloft: Sequence[Aloft], battery_ratio: float | None
    ) -> tuple[Refusal, ...]:
        """Return what speaks against a sortie that would take off then; the same as before where nothing has changed."""
        known = await self._read()
        key = (
            *(takeoff_us // SAME_FOR_US, self._clock.now_us() // SAME_FOR_US, battery_ratio),
            *(known.version, known.is_old, known.programme, given.plan_id, given.sortie),
            *((one.given.plan_id, one.given.sortie.sortie_id, one.later_us // SAME_FOR_US) for one in aloft),
        )
        device = given.airframe.airframe_id
        if device in self._said and self._said[device][0] == key:
            return self._said[device][1]
        if known.programme is None:
            return (_unasked("规则尚未读取：数据库没有回答", "the database does not answer"),)
        kept = await self._plan_of(known, given)
        asked = Takeoff(
            sortie=given.sortie,
            airframe=given.airframe,
            dock=given.dock,
            programme=known.programme,
            now_us=self._clock.now_us(),
            takeoff_us=takeoff_us,
            others=tuple(_others(known, given, aloft, kept=kept, takeoff_us=takeoff_us)),
            battery_ratio=battery_ratio,
            accepted=_let_be(kept, given.sortie),
        )
        found = await _beside(said_at_takeoff, asked)
        found += (_older(),) if known.is_old else ()
        self._said[device] = (key, found)
        return found

    async def of_order(
        self, unit_id: int, wanted: WantAction, *, place: Place, home: Place | None
    ) -> tuple[Refusal, ...]:
        """Return what speaks against flying there, taking off here, or the straight way home, which is never refused."""
        is_homeward = wanted.action is FlightAction.RETURN_HOME
        if wanted.action not in CHECKED or (is_homeward and (home is None or self._known.programme is None)):
            return ()
        known = self._known if is_homeward else await self._read()  # the way home waits for nothing
        if known.programme is None:
            return (_unasked("规则尚未读取：数据库没有回答", "the database does not answer"),)
        found = await _beside(self._of_way, self._way(unit_id, wanted, known.programme, place=place, home=home))
        return (*found, _older()) if known.is_old else found

    # -------------------------------------------------------------------------------------------------------------

    def _of_way(self, asked: StraightWay) -> tuple[Refusal, ...]:
        """Return what speaks against a straight way over the terrain; over level ground, and said, where that cannot be read."""
        try:
            return said_of_way(asked, self._ground.read())
        except UnavailableError as error:
            return (*said_of_way(asked), _unasked(chinese_of(error), str(error)))

    def _way(
        self, unit_id: int, wanted: WantAction, programme: Programme, *, place: Place, home: Place | None
    ) -> StraightWay:
        airframe = next((one for one in programme.airframes if one.unit_id == unit_id), None)
        alt_m = TRANSIT_ALT_M if place.alt_home_m is None else max(place.alt_home_m, 0.0)
        to = (wanted.lat_deg, wanted.lon_deg) if wanted.action is FlightAction.GO_TO else None
        if wanted.action is FlightAction.RETURN_HOME and home is not None:
            to = (home.lat_deg, home.lon_deg)
        lat_deg, lon_deg = (place.lat_deg, place.lon_deg) if to is None or to[0] is None or to[1] is None else to
        assert lat_deg is not None
        assert lon_deg is not None
        return StraightWay(
            airframe=airframe or Airframe(airframe_id=0, name=f"unit {unit_id}", dock_id=0),
            programme=programme,
            now_us=self._clock.now_us(),
            from_lat_deg=place.lat_deg,
            from_lon_deg=place.lon_deg,
            from_alt_home_m=alt_m,
            lat_deg=lat_deg,
            lon_deg=lon_deg,
            alt_home_m=alt_m if wanted.alt_home_m is None else wanted.alt_home_m,
            speed_mps=wanted.speed_mps or USUAL_SPEED_MPS,
            home=None if home is None else (home.lat_deg, home.lon_deg),
            is_homeward=wanted.action is FlightAction.RETURN_HOME,
        )

    async def _read(self) -> _Known:
        """Return what is known, read again where it changed or is ten seconds old; what was read last while the database is away."""
        async with self._reading:
            now_s, version, known = self._clock.monotonic_s(), self._feed.version, self._known
            if known.version == version and now_s - known.read_s < READ_EVERY_S:
                return known
            now_us = self._clock.now_us()
            around = Window(now_us - AHEAD_S * MICROSECONDS, now_us + AHEAD_S * MICROSECONDS)
            try:
                async with asyncio.timeout(ASKED_WITHIN_S):
                    programme = (await self._programme.read(SERVICE)).programme
                    published = tuple(await self._plans.published(SERVICE, around))
            except (TimeoutError, UnavailableError):
                _LOG.warning("rules_unread")
                self._known = msgspec.structs.replace(known, version=version, read_s=now_s, is_old=True)
            else:
                self._known = _Known(version=version, read_s=now_s, programme=programme, published=published)
            return self._known

    async def _plan_of(self, known: _Known, given: Given) -> KeptPlan | None:
        if given.plan_id is None:
            return None
        kept = next((one for one in known.published if one.plan.plan_id == given.plan_id), None)
        if kept is not None or known.is_old:
            return kept
        try:
            async with asyncio.timeout(ASKED_WITHIN_S):
                return await self._plans.find(SERVICE, given.plan_id)
        except (TimeoutError, UnavailableError, NotFoundError):
            return None


async def _beside(question: Callable[[_Asked], tuple[Refusal, ...]], asked: _Asked) -> tuple[Refusal, ...]:
    """Return the answer of a question that a thread thinks about; what cannot be asked is said as a warning."""
    try:
        return await asyncio.to_thread(question, asked)
    except InputError as error:
        return (_unasked(chinese_of(error), str(error)),)


def _let_be(kept: KeptPlan | None, sortie: Sortie) -> frozenset[str]:
    """Return the rules that an approved plan tells of a watch over an event, which stays in it whatever they say."""
    if kept is None or sortie.on_watch is None:
        return frozenset()
    said = (one for one in kept.plan.refusals if not one.is_warning and one.visit_id in sortie.visit_ids)
    return frozenset(one.rule_id for one in said)


def _others(
    known: _Known, given: Given, aloft: Sequence[Aloft], *, kept: KeptPlan | None, takeoff_us: int
) -> Iterator[Other]:
    """Yield who is in the air, at the times that hold by now, and who is due while the sortie flies."""
    mine, flown = given.sortie, set()
    told = () if kept is None else kept.plan.conflicts
    pairs = [{one.sortie_id, one.other_sortie_id} for one in told if not one.mended_by]
    met = {number for pair in pairs if mine.sortie_id in pair for number in pair}
    for one in aloft:
        sortie = one.given.sortie
        flown.add((one.given.plan_id, sortie.sortie_id))
        is_accepted = one.given.plan_id == given.plan_id and sortie.sortie_id in met
        yield Other(
            sortie=delayed(sortie, one.later_us), name=_name(sortie, one.given.airframe), is_accepted=is_accepted
        )
    since_us = takeoff_us - LATE_AFTER_S * MICROSECONDS
    until_us = takeoff_us + mine.landing_us - mine.takeoff_us
    for plan in known.published:
        airframes = {one.airframe_id: one for one in plan.programme.airframes}
        for sortie in plan.plan.sorties:
            number = plan.plan.plan_id
            is_ahead = sortie.state in _AHEAD and bool(sortie.waypoints) and since_us <= sortie.takeoff_us < until_us
            is_mine = (number, sortie.sortie_id) == (given.plan_id, mine.sortie_id)
            if is_ahead and not is_mine and (number, sortie.sortie_id) not in flown:
                name = _name(sortie, airframes.get(sortie.airframe_id))
                is_accepted = number == given.plan_id and sortie.sortie_id in met
                yield Other(sortie=sortie, name=name, is_accepted=is_accepted)


def _name(sortie: Sortie, airframe: Airframe | None) -> str:
    return f"{sortie.sortie_id}" if airframe is None else f"{sortie.sortie_id} ({airframe.name})"


def _unasked(why_zh: str, why_en: str) -> Refusal:
    return Refusal(
        rule_id="R-00", reason_zh=f"起飞前未能核对规则：{why_zh}", reason_en=f"the rules could not be asked: {why_en}",
        remedy_zh="人工核对空域和气象后再飞", remedy_en="look at zones and weather yourself before it flies", is_warning=True,
    )  # fmt: skip


def _older() -> Refusal:
    return Refusal(
        rule_id="R-00", reason_zh="数据库没有回答：按上次读取的空域和气象核对",
        reason_en="the database does not answer: the zones and weather that were read last were asked",
        remedy_zh="人工核对空域和气象后再飞", remedy_en="look at zones and weather yourself before it flies", is_warning=True,
    )  # fmt: skip
