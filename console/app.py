"""The composition root: everything that `skybeat serve` runs on one machine, wired in one place."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
import uvloop
from psycopg_pool import AsyncConnectionPool

from console.auth.accounts import Accounts, first_link
from console.city.files import ROADS
from console.control import Answer, OpenReplay, ReplayState, Request, control_socket
from console.coverage.follow import follow_coverage
from console.coverage.posts import MannedPosts
from console.coverage.worker import CoverageWorker
from console.incidents.past import PastIncidents
from console.parts import Services, allowed_origins, check_exposure, sign_in_url
from console.patrols.terrain import check_terrain
from console.web_app import create_app, listen, make_server
from infra.clock import SYSTEM_CLOCK, Clock
from infra.database import DatabaseUrls, app_pool, resolve_urls
from infra.heap import settle_heap
from infra.postgres import EmbeddedServer
from infra.postgres_keeper import kept_running
from infra.prepare import prepare_database
from infra.settings import Settings, check_certificate
from infra.tasks import Supervisor
from telemetry.links.url import parse_link_urls
from telemetry.model.errors import ConflictError, NotFoundError, UnavailableError
from telemetry.service import BridgeService, open_service


@dataclass(frozen=True)
class House:
    """What runs, for whoever starts it: the demo, a replay, a test."""

    settings: Settings
    service: BridgeService
    origin: str
    sign_in_url: str | None
    """A one-time link for the first administrator; None when there is one already."""
    pool: AsyncConnectionPool
    stopping: asyncio.Event
    """Set when it is time to go."""
    lasting: tuple["asyncio.Task[None]", ...]
    """What must not end by itself while the house stands."""


@contextmanager
def database(settings: Settings) -> Iterator[DatabaseUrls]:
    """Give the database's URLs: an own server's, or the embedded one, kept running for the time of the block."""
    if settings.database_url is not None:
        urls = resolve_urls(settings)
        prepare_database(urls, SYSTEM_CLOCK, is_embedded=False)
        yield urls
        return
    with EmbeddedServer(settings.data_dir, binaries=settings.postgres_bin) as server:
        prepare_database(server.urls, SYSTEM_CLOCK, is_embedded=True)
        with kept_running(server):
            yield server.urls


def serve(settings: Settings, use: Callable[[House], Awaitable[None]]) -> None:
    """Run bridge and console until `use` returns; then close everything in order.

    `use` returns soon after `house.stopping` is set:
    by SIGINT, by SIGTERM, or because a part ended.

    Raises what cannot be started: InputError, ConflictError, ServerError, DatabaseError, MigrationError; each says what to do.
    """
    check_exposure(settings)
    check_certificate(settings)
    check_terrain(settings)
    parse_link_urls(f"{settings.mavlink_links},{settings.links}")
    with database(settings) as urls:
        run_house(settings, urls, use)


def run_house(settings: Settings, urls: DatabaseUrls, use: Callable[[House], Awaitable[None]]) -> None:
    """Do what `serve` does with a database that is there already."""
    uvloop.run(_serve(settings, urls, use))


async def _serve(settings: Settings, urls: DatabaseUrls, use: Callable[[House], Awaitable[None]]) -> None:
    async with running_house(settings, urls) as house:
        settle_heap()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, house.stopping.set)
        used = asyncio.ensure_future(use(house))
        ended, _ = await asyncio.wait((used, *house.lasting), return_when=asyncio.FIRST_COMPLETED)
        house.stopping.set()
        await asyncio.wait((used,))
        for task in (*ended, used):
            task.result()


@asynccontextmanager
async def running_house(settings: Settings, urls: DatabaseUrls, *, clock: Clock = SYSTEM_CLOCK) -> AsyncIterator[House]:
    """Run telemetry, console and coverage for the time of the block."""
    bound = _listen(settings)
    settings = settings.model_copy(update={"port": bound.getsockname()[1]})
    city_dir = settings.data_dir / "city"
    supervisor = Supervisor()
    async with open_service(settings, urls, clock) as service, app_pool(urls.app) as pool:
        bridge = service.bridge
        coverage = _coverage(city_dir, service, clock)
        services = Services(
            bridge=bridge,
            pool=pool,
            clock=clock,
            settings=settings,
            city_dir=city_dir,
            coverage=coverage,
            flight_log=service.flight_log,
            history_lag_s=lambda: service.recorder.lag_s,
            journal_state=lambda: journal_state(service),
        )
        server = make_server(create_app(services), settings)
        running = asyncio.create_task(service.run(), name="bridge")
        serving = asyncio.create_task(server.serve(sockets=[bound]), name="console")
        try:
            await _until(lambda: bridge.ingest_port > 0, running)
            await _until(lambda: server.started, serving)
            if coverage is not None:
                past, posts = PastIncidents(pool, clock), MannedPosts(pool)
                follow = partial(follow_coverage, coverage, bridge, past_incidents=past.told, posts=posts.told)
                supervisor.start("coverage", follow)
            origin = min(allowed_origins(settings))
            token = await first_link(Accounts(pool), clock.now_us())
            async with control_socket(settings.data_dir, lambda request: handle_control(service, request)):
                yield House(
                    settings=settings,
                    service=service,
                    origin=origin,
                    sign_in_url=sign_in_url(origin, token) if token else None,
                    pool=pool,
                    stopping=asyncio.Event(),
                    lasting=(running, serving),
                )
        finally:
            server.should_exit = True
            await asyncio.wait((serving,))
            running.cancel()
            await asyncio.wait((running,))
            await supervisor.stop()
            if coverage is not None:
                await coverage.stop()


def _listen(settings: Settings) -> socket.socket:
    try:
        return listen(settings)
    except OSError as error:
        raise ConflictError(
            f"the console cannot listen on {settings.host}:{settings.port} ({error.strerror}): "
            "end the program that uses that port, or choose another with SKYBEAT_PORT"
        ) from error


async def _until(is_ready: Callable[[], bool], task: "asyncio.Task[None]") -> None:
    while not is_ready():
        if task.done():
            task.result()
            raise UnavailableError(f"the {task.get_name()} ended while starting: see the lines above")
        await asyncio.sleep(0.01)


def _coverage(city_dir: Path, service: BridgeService, clock: Clock) -> CoverageWorker | None:
    stations = sorted(service.bridge.registry.stations.values(), key=lambda station: station.number)
    return CoverageWorker(city_dir, stations, clock) if (city_dir / ROADS).exists() else None


def journal_state(service: BridgeService) -> dict[str, object]:
    """Return the journal's figures, `failed` as text when it no longer takes anything."""
    journal, recorder = service.journal, service.recorder
    return {
        "used_bytes": journal.used_bytes,
        "max_bytes": journal.max_bytes,
        "failed": journal.failure or journal.full_reason or "",
        "rows_recorded": recorder.rows_recorded,
        "rows_set_aside": recorder.rows_set_aside,
        "recorder_error": recorder.last_error or "",
        "damaged_segments": len(journal.damage),
        "raw_log": msgspec.to_builtins(service.raw_log.status) if service.raw_log else None,
    }


async def handle_control(service: BridgeService, request: Request) -> Answer:
    """Do what a command on this machine asks."""
    match request:
        case OpenReplay(path=path, speed=speed, keep_time=keep_time):
            status = await service.bridge.open_link(f"file:{path}", speed=speed, keep_time=keep_time)
            return Answer(link=status.url, state=status.state, positions=status.positions)
        case ReplayState(link=link):
            for status in reversed(service.bridge.link_statuses()):
                if status.url == link:
                    return Answer(
                        link=status.url, state=status.state, positions=status.positions, error=status.last_error or ""
                    )
            raise NotFoundError(f"there is no link {link}: it was closed")
