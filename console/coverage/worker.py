"""Live coverage, reckoned in a process of its own so that the loop never waits for it.

This is the parent's side. It asks (where units are, what their leaving uncovers, who is nearest), the child
(process.py) answers in the same order. The child ends when its parent is gone (its standard input closes) and is
started anew when it is killed.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from console import process_pipe
from console.coverage.protocol import (
    PIPE,
    Answer,
    CrewsTold,
    Failed,
    GeoJsonAnswer,
    IncidentsTold,
    Leaving,
    LeavingAnswer,
    LeavingAsked,
    Order,
    PlannedAsked,
    PostAway,
    PostsTold,
    Question,
    Ready,
    RingAsked,
    ScopeCover,
    StationPlace,
    TickAnswer,
    TickAsked,
    UnitColumns,
)
from console.wire_coverage import Contour, CoverageChanged
from infra.clock import Clock, utc_of
from infra.logs import get_logger
from telemetry.model.errors import FileFormatError, UnavailableError
from telemetry.model.unit import Station

ANSWER_WITHIN_S: Final = 10.0
BUILT_WITHIN_S: Final = 60.0
SHAPES_EVERY_S: Final = 3.0
TREND_EVERY_S: Final = 10.0
TREND_KEPT: Final = 360
_LOG: Final = get_logger("coverage")
_One = TypeVar("_One", bound=Answer)


class CoverageWorker:
    """The parent's side: starts the process, asks it, keeps its newest answers, starts it again after it died.

    `contours_version` grows whenever contours changed.
    """

    def __init__(
        self, city_dir: Path, stations: Sequence[Station], clock: Clock, *, ring_limit_s: float = 300.0
    ) -> None:
        self._city_dir, self._clock, self._ring_limit_s = city_dir, clock, ring_limit_s
        self._stations = tuple(stations)
        self._crews: CrewsTold | None = None
        self._posts: PostsTold | None = None
        self._incidents: IncidentsTold | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._is_astray = False
        self._turn = asyncio.Lock()
        self._shapes_due_s = -1.0
        self._scopes: frozenset[frozenset[int]] = frozenset()
        self._answer: TickAnswer | None = None
        self._contours: list[Contour] = []
        self._scoped: dict[frozenset[int], ScopeCover] = {}
        self._scoped_contours: dict[frozenset[int], list[Contour]] = {}
        self._geojson: dict[str, bytes] = {}
        self._trend: deque[tuple[float, list[float]]] = deque(maxlen=TREND_KEPT)
        self.contours_version = 0
        self.posts: tuple[PostAway, ...] = ()

    # --- what is known -----------------------------------------------------------------------------------------------

    @property
    def pid(self) -> int | None:
        """The number of the process, None while there is none."""
        return None if self._process is None else self._process.pid

    def latest(self) -> CoverageChanged | None:
        """Return the newest result, None before the first."""
        return None if self._answer is None else self._answer.changed

    def scope(self, station_ids: frozenset[int]) -> ScopeCover | None:
        """Return what is cut to the zones of these stations; None until a tick was asked for them (see `watch`)."""
        return self._scoped.get(station_ids)

    def contours(self, station_ids: frozenset[int]) -> Sequence[Contour] | None:
        """Return the newest contours (of all where no station is named); None where a scope is not reckoned yet."""
        return self._scoped_contours.get(station_ids) if station_ids else self._contours

    def losses(self) -> Sequence[Leaving]:
        """Return what each available unit's leaving uncovers, by the last tick."""
        return [] if self._answer is None else self._answer.losses

    def trend(self) -> Sequence[tuple[float, list[float]]]:
        """Return times (ms) and shares of the last hour, oldest first, one each 10 s."""
        return tuple(self._trend)

    def watch(self, scopes: Iterable[frozenset[int]]) -> None:
        """Say which sets of stations look on: from the next tick on, contours and gaps are cut to each."""
        wanted = frozenset(scope for scope in scopes if scope)
        if wanted - self._scopes:
            self._shapes_due_s = -1.0
        self._scopes = wanted

    # --- what is told ------------------------------------------------------------------------------------------------

    async def tell_stations(self, stations: Sequence[Station]) -> None:
        """Reckon with other stations from now on: another process is started with them."""
        if tuple(stations) != self._stations:
            async with self._turn:
                self._stations = tuple(stations)
                self._geojson.clear()
                await self._end()

    async def tell_crews(self, crews: UnitColumns) -> None:
        """Tell who is on duty at which stations. Raises UnavailableError."""
        told = CrewsTold(crews)
        if told != self._crews:
            self._crews = told
            self._geojson.pop("planned", None)
            await self._tell(told)

    async def tell_posts(self, told: PostsTold) -> None:
        """Tell the posts that crews man. Raises UnavailableError."""
        if told != self._posts:
            self._posts = told
            self._geojson.pop("planned", None)
            await self._tell(told)

    async def tell_incidents(self, told: IncidentsTold) -> None:
        """Tell the past incidents that weigh the coverage. Raises UnavailableError."""
        if told != self._incidents:
            self._incidents = told
            await self._tell(told)

    async def _tell(self, told: CrewsTold | PostsTold | IncidentsTold) -> None:
        """Tell a running process; one that is started later is told by its start."""
        if self._process is not None:
            await self.ask(told)

    # --- what is asked -----------------------------------------------------------------------------------------------

    async def ask(self, question: Question) -> Answer:
        """Return the process's answer; starts the process when there is none.

        Raises UnavailableError when it could not answer, died, or was too late; the next question starts another.
        """
        async with self._turn:
            if self._is_astray:
                await self._end()
            if self._process is None:
                await self._start()
            return await self._exchange(question, ANSWER_WITHIN_S)

    async def start(self) -> None:
        """Start the process and wait until its roads are loaded. Raises UnavailableError."""
        async with self._turn:
            if self._process is None:
                await self._start()

    async def tick(self, units: UnitColumns, *, silent: Sequence[int] = ()) -> CoverageChanged:
        """Reckon the coverage by these units; contours, gaps and the ring every three seconds. Raises UnavailableError."""
        started_s = self._clock.monotonic_s()
        wants_shapes = started_s >= self._shapes_due_s
        scopes = self._scopes
        asked = TickAsked(
            at_ms=self._clock.now_us() / 1000.0,
            steady_ms=started_s * 1000.0,
            hour_of_week=hour_of_week(self._clock.now_us()),
            units=units,
            silent=list(silent),
            wants_shapes=wants_shapes,
            scopes=[sorted(scope) for scope in scopes],
        )
        answer = _expect(TickAnswer, await self.ask(asked))
        if wants_shapes:
            self._shapes_due_s = started_s + SHAPES_EVERY_S
        return self._take(answer)

    async def leaving(self, unit_ids: Sequence[int]) -> list[Leaving]:
        """Return what these units' leaving uncovers. Raises UnavailableError."""
        return _expect(LeavingAnswer, await self.ask(LeavingAsked(list(unit_ids)))).losses

    async def planned(self) -> bytes:
        """Return the planned contours as GeoJSON, reckoned once for the stations and crews. Raises UnavailableError."""
        return await self._kept("planned", PlannedAsked())

    async def ring_ways(self) -> bytes:
        """Return the ways of the ring's links as GeoJSON, reckoned once. Raises UnavailableError."""
        return await self._kept("ring", RingAsked())

    async def _kept(self, name: str, question: PlannedAsked | RingAsked) -> bytes:
        if name not in self._geojson:
            self._geojson[name] = _expect(GeoJsonAnswer, await self.ask(question)).data
        return self._geojson[name]

    # --- the process -------------------------------------------------------------------------------------------------

    async def run(
        self,
        units: Callable[[], tuple[UnitColumns, Sequence[int]]],
        *,
        before: Callable[[], Awaitable[None]],
        every_s: float = 1.0,
    ) -> None:
        """Reckon once every `every_s` for ever: `before` tells what is new, `units` gives them and who is silent.

        A process that dies is started again after a pause.
        """
        pause_s = every_s
        while True:
            started_s = self._clock.monotonic_s()
            try:
                await before()
                columns, silent = units()
                await self.tick(columns, silent=silent)
                pause_s = every_s
            except UnavailableError as error:
                pause_s = min(pause_s * 2.0, 30.0)
                _LOG.warning("coverage_worker_lost", reason=str(error), again_in_s=pause_s)
            await asyncio.sleep(max(0.05, pause_s - (self._clock.monotonic_s() - started_s)))

    async def stop(self) -> None:
        """End the process; a second call does nothing."""
        await self._end()

    async def _start(self) -> None:
        self._process = await process_pipe.start("console.coverage.process")
        places = [
            StationPlace(station.station_id, station.lat_deg, station.lon_deg, station.ring_order)
            for station in self._stations
        ]
        order = Order(str(self._city_dir), places, self._ring_limit_s)
        try:
            self.posts = tuple(_expect(Ready, await self._exchange(order, BUILT_WITHIN_S)).stations)
        except UnavailableError:
            await self._end()
            raise
        for post in self.posts:
            if not post.has_zone:
                _LOG.warning("station_far_from_roads", station_id=post.station_id, away_m=round(post.away_m))
        self._shapes_due_s = -1.0
        for told in (self._posts, self._crews, self._incidents):
            if told is not None:
                await self._exchange(told, ANSWER_WITHIN_S)

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if self._is_astray:
            self._is_astray = False
            await process_pipe.kill(process)
            return
        await process_pipe.end(process)

    async def _exchange(self, question: Question, within_s: float) -> Answer:
        """Ask the process once. A question that is abandoned half-way costs the process: its answer would be another's."""
        process = self._process
        assert process is not None
        try:
            async with asyncio.timeout(within_s):
                answer = PIPE.decode_answer(await process_pipe.ask(process, PIPE.framed(question)))
        except (OSError, EOFError, TimeoutError, FileFormatError) as error:
            self._process = None
            await process_pipe.kill(process)
            raise UnavailableError(
                f"the coverage worker gave no answer ({type(error).__name__}); it is started again"
            ) from error
        except asyncio.CancelledError:
            self._is_astray = True
            raise
        if isinstance(answer, Failed):
            raise UnavailableError(answer.message)
        return answer

    def _take(self, answer: TickAnswer) -> CoverageChanged:
        self._answer = answer
        if answer.contours is not None:
            self._contours = answer.contours
            self.contours_version += 1
        self._scoped = {frozenset(part.station_ids): part for part in answer.scopes}
        for station_ids, part in self._scoped.items():
            if part.contours is not None:
                self._scoped_contours[station_ids] = part.contours
        for station_ids in self._scoped_contours.keys() - self._scoped.keys():
            del self._scoped_contours[station_ids]
        self._note_trend(answer.changed)
        return answer.changed

    def _note_trend(self, changed: CoverageChanged) -> None:
        """Keep a point each ten seconds; after the clock went back, what lies ahead of it is forgotten."""
        while self._trend and self._trend[-1][0] > changed.at_ms:
            self._trend.pop()
        if not self._trend or changed.at_ms - self._trend[-1][0] >= TREND_EVERY_S * 1000.0:
            self._trend.append((changed.at_ms, changed.shares))


def hour_of_week(now_us: int) -> int:
    """Return the hour of the week by the machine's own zone; 0 = Monday 0:00 to 1:00."""
    at = utc_of(now_us).astimezone()
    return at.weekday() * 24 + at.hour


def _expect(kind: type[_One], answer: Answer) -> _One:
    if not isinstance(answer, kind):
        message = f"the coverage worker answered {type(answer).__name__} instead of {kind.__name__}; ask again"
        raise UnavailableError(message)
    return answer
