"""A small force and a real server around the console, for its tests."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psycopg
import websockets
from blockbuster import blockbuster_ctx
from psycopg_pool import AsyncConnectionPool

from console import wire
from console.auth.accounts import Account, Accounts
from console.coverage.protocol import Answer, Leaving, Question, ScopeCover
from console.parts import Parts, Services, allowed_origins
from console.web_app import create_app, listen, make_server
from console.wire import Role
from console.wire_coverage import Contour, CoverageChanged, StationShares
from infra.clock import SYSTEM_CLOCK, Clock
from infra.database import app_pool
from infra.journal import JournalFailedError
from infra.settings import Settings
from telemetry.alarms.board import AlarmBoard
from telemetry.alarms.decisions import AlarmDecision, check_decision
from telemetry.flight.control import ControlBoard
from telemetry.flight.sorties import SortieBoard
from telemetry.flight.traffic import TrafficBoard
from telemetry.flight_log.log import FlightLog
from telemetry.geofences.watch import GeofenceWatch
from telemetry.links.link import LinkStatus, PeerStatus
from telemetry.model.alarm import Alarm
from telemetry.model.batch import Batch, new_batch
from telemetry.model.commands import Command
from telemetry.model.decoding import Output
from telemetry.model.errors import NotFoundError, UnavailableError
from telemetry.model.events import AlarmAcknowledged, AnyEvent, SosRaised
from telemetry.model.link_ways import LinkWay
from telemetry.model.unit import Assignment, Device, DutyStatus, Service, Station, Unit, UnitKind
from telemetry.model.vehicle_frames import VehicleFrame
from telemetry.orders import OrderBoard
from telemetry.picture.device_book import DeviceBook
from telemetry.picture.live import Picture
from telemetry.picture.status import StatusBoard
from telemetry.registry.table import RegistryContents, RegistryTable
from tests.conftest import TestDatabase

DRONE, OFFICER, CAR, COVERT, FAR = 1, 2, 3, 4, 5
"""Units: a drone, an officer and a car of station 1, a covert car of station 1, an officer of station 2."""

NUMBER_OF_FIRST_STATION = 11
"""Not its id: what people call a station and what tables call it are two things."""


def unit(unit_id: int, kind: UnitKind, station_id: int, *, covert: bool = False) -> Unit:
    return Unit(
        unit_id=unit_id,
        call_sign=f"U{unit_id}",
        kind=kind,
        service=Service.PATROL,
        duty_status=DutyStatus.FREE,
        station_id=station_id,
        covert=covert,
    )


def contents() -> RegistryContents:
    units = (
        unit(DRONE, UnitKind.DRONE, 1),
        unit(OFFICER, UnitKind.OFFICER, 1),
        unit(CAR, UnitKind.CAR, 1),
        unit(COVERT, UnitKind.CAR, 1, covert=True),
        unit(FAR, UnitKind.OFFICER, 2),
    )
    devices = [Device(device_id=10 + u.unit_id, protocol="osmand", address=f"{u.unit_id:064x}") for u in units]
    devices[0] = Device(device_id=11, protocol="mavlink", address="main/1")
    return RegistryContents(
        units=units,
        devices=tuple(devices),
        assignments=tuple(Assignment(device_id=10 + u.unit_id, unit_id=u.unit_id, started_us=0) for u in units),
        stations=tuple(
            Station(
                station_id=n,
                number=NUMBER_OF_FIRST_STATION + n - 1,
                name_zh="所",
                name_en="Station",
                lat_deg=36.0,
                lon_deg=103.8,
            )
            for n in (1, 2)
        ),
    )


class FixedStations:
    """Ground stations beside us; none unless named."""

    def __init__(self) -> None:
        self.heard: dict[str, int | None] = {}

    def names(self) -> list[str]:
        return list(self.heard)

    def heard_us(self, name: str) -> int | None:
        return self.heard.get(name)


class SmallBridge:
    """The real registry, picture and alarm board, without links and journal."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self.clock = clock
        self.registry = RegistryTable(contents())
        self.picture = Picture(self.registry, clock.now_us())
        self.geofences = GeofenceWatch(self.registry, self.picture)
        self.alarms = AlarmBoard(self._unit_at)
        self.journal_failed = False
        self.taken: list[Output] = []
        self.sent: list[Command] = []
        self.hears: set[int] = set()
        self.statuses = StatusBoard(self.registry)
        self.orders = OrderBoard()
        self.said = DeviceBook()
        self.control = ControlBoard()
        self.sorties = SortieBoard()
        self.traffic = TrafficBoard(b"test")
        self.stations = FixedStations()
        self.listeners: list[Callable[[AnyEvent, int], None]] = []

    def _unit_at(self, device_id: int, at_us: int) -> Unit | None:
        unit_id = self.registry.unit_of(device_id, at_us)
        return None if unit_id is None else self.registry.units[unit_id]

    async def acknowledge_alarm(self, alarm_id: str, account_id: int, account_name: str, now_us: int) -> Alarm:
        alarm = self.alarms.get(alarm_id)
        if alarm is None:
            raise NotFoundError(alarm_id)
        if self.journal_failed:
            message = "the acknowledgement cannot be kept: the disk failed"
            raise UnavailableError(message)
        self.happen(
            AlarmAcknowledged(
                device_id=alarm.device_id,
                observed_us=now_us,
                received_us=now_us,
                alarm_id=alarm_id,
                account_id=account_id,
                account_name=account_name,
            )
        )
        found = self.alarms.get(alarm_id)
        assert found is not None
        return found

    async def decide_alarm(self, decision: AlarmDecision) -> Alarm:
        check_decision(self.alarms, decision)
        if self.journal_failed:
            message = "the decision cannot be kept: the disk failed"
            raise UnavailableError(message)
        self.happen(decision)
        found = self.alarms.get(decision.alarm_id)
        assert found is not None
        return found

    def take(self, output: Output, now_us: int, *, protocol: str = "mavlink", acknowledged: bool = False) -> int | None:
        del protocol
        self.picture.apply(output.batch, now_us)
        for event in output.events:
            self.happen(event)
        if acknowledged and self.journal_failed:
            message = "the disk failed"
            raise JournalFailedError(message)
        self.taken.append(output)
        return len(self.taken)

    async def durable(self, sequence: int) -> None:
        assert sequence <= len(self.taken)

    def send(self, command: Command, now_us: int) -> None:
        del now_us
        if command.device_id not in self.hears:
            message = f"device {command.device_id} is not heard"
            raise NotFoundError(message)
        self.sent.append(command)

    def link_statuses(self) -> list[LinkStatus]:
        return [LinkStatus(url="udpin:127.0.0.1:14550", link_group="main", state="open", datagrams=3)]

    def link_peers(self, url: str) -> list[PeerStatus]:
        if url != self.link_statuses()[0].url:
            raise NotFoundError(url)
        return [
            PeerStatus(
                host="127.0.0.1",
                port=4242,
                device_ids=(11,),
                since_us=1,
                last_heard_us=2,
                is_proven=True,
                pieces=3,
                bytes_received=90,
                positions=3,
                bad=0,
                waiting_replies=0,
                paused=False,
            )
        ]

    def ways_of(self, device_id: int) -> list[LinkWay]:
        del device_id
        return []

    def tap_frames(self, tap: Callable[[Sequence[VehicleFrame], int], None]) -> None:
        self.frame_tap = tap

    def happen(self, event: AnyEvent) -> None:
        self.alarms.apply(event)
        self.statuses.apply(event)
        self.orders.apply(event)
        self.said.apply(event)
        self.control.apply(event)
        self.sorties.apply(event)
        self.picture.apply_event(event)
        for tell in self.listeners:
            tell(event, event.received_us)

    def move(self, *unit_ids: int, lat_e7: int = 360_500_000, lon_e7: int = 1_038_000_000) -> None:
        self.picture.apply(self.reports(*unit_ids, lat_e7=lat_e7, lon_e7=lon_e7), self.clock.now_us())

    def reports(self, *unit_ids: int, lat_e7: int, lon_e7: int) -> Batch:
        batch = new_batch(len(unit_ids))
        batch["device_id"] = [10 + unit_id for unit_id in unit_ids]
        batch["observed_us"] = batch["received_us"] = self.clock.now_us()
        batch["lat_e7"], batch["lon_e7"] = lat_e7, lon_e7
        return batch

    def sos(self, unit_id: int = OFFICER) -> Alarm:
        now_us = self.clock.now_us()
        self.happen(SosRaised(device_id=10 + unit_id, observed_us=now_us, received_us=now_us, text="help"))
        return self.alarms.open()[0]


FIXED_COVERAGE = CoverageChanged(
    at_ms=1.0,
    shares=[0.1, 0.2, 0.3],
    stations=[StationShares(station_id=1, shares=[0.1, 0.2, 0.3])],
    available_count=3,
    computed_ms=2.0,
    plan=[0.2, 0.4, 0.6],
)
FIXED_LOSSES = [
    Leaving(CAR, 0.02, 0.61, [1, 2]),
    Leaving(COVERT, 0.5, None, None),
    Leaving(FAR, 0.04, None, None),
]


class FixedCoverage:
    """One result, told anew whenever it is asked for; `changed`, `contours_of` and `scopes` may be set."""

    def __init__(self) -> None:
        self.changed = FIXED_COVERAGE
        self.contours_version = 1
        self.contours_of: dict[frozenset[int], list[Contour]] = {frozenset(): []}
        self.scopes: dict[frozenset[int], ScopeCover] = {}
        self.watched: frozenset[frozenset[int]] = frozenset()

    def latest(self) -> CoverageChanged | None:
        return msgspec.structs.replace(self.changed)

    def scope(self, station_ids: frozenset[int]) -> ScopeCover | None:
        return self.scopes.get(station_ids)

    def contours(self, station_ids: frozenset[int]) -> list[Contour] | None:
        return self.contours_of.get(station_ids)

    def watch(self, scopes: Iterable[frozenset[int]]) -> None:
        self.watched = frozenset(scopes)

    def losses(self) -> list[Leaving]:
        return FIXED_LOSSES

    def trend(self) -> list[tuple[float, list[float]]]:
        return [(1_000.0, [0.1, 0.2, 0.3]), (601_000.0, [0.2, 0.3, 0.4])]

    async def leaving(self, unit_ids: Sequence[int]) -> list[Leaving]:
        return [loss for loss in FIXED_LOSSES if loss.unit_id in unit_ids]

    async def planned(self) -> bytes:
        features = [{"properties": {"station_id": station_id, "minutes": 1}} for station_id in (1, 2, None)]
        return msgspec.json.encode({"type": "FeatureCollection", "features": features})

    async def ring_ways(self) -> bytes:
        return b'{"type":"FeatureCollection","features":[]}'

    async def ask(self, question: Question) -> Answer:
        raise UnavailableError(type(question).__name__)


@dataclass
class House:
    """A running console."""

    bridge: SmallBridge
    parts: Parts
    pool: AsyncConnectionPool
    origin: str
    port: int

    @property
    def accounts(self) -> Accounts:
        return self.parts.accounts

    def client(self, cookie: str | None = None) -> httpx.AsyncClient:
        headers = {"origin": self.origin, "x-skybeat": "1"}
        cookies = {} if cookie is None else {"skybeat": cookie}
        return httpx.AsyncClient(base_url=self.origin, headers=headers, cookies=cookies, trust_env=False)

    async def account(self, role: Role, *, stations: tuple[int, ...] = (), unit_id: int | None = None) -> Account:
        name = f"{role.value}-{len(await self.accounts.all())}"
        return await self.accounts.add(name, role, station_ids=stations, unit_id=unit_id)

    async def cookie(self, role: Role, *, stations: tuple[int, ...] = (), unit_id: int | None = None) -> str:
        token, _ = await self.parts.sessions.sign_in(await self.account(role, stations=stations, unit_id=unit_id))
        return token

    def socket(self, cookie: str | None, **more: Any) -> websockets.connect:  # noqa: ANN401 - the client's own options
        headers = {} if cookie is None else {"cookie": f"skybeat={cookie}"}
        options: dict[str, Any] = {
            "origin": self.origin,
            "subprotocols": [wire.SUBPROTOCOL],
            "additional_headers": headers,
            "compression": None,
            "proxy": None,
        }
        return websockets.connect(f"ws://127.0.0.1:{self.port}/ws", **(options | more))


def seed(database: TestDatabase) -> None:
    """Write the small force into the database, unless another console of the same test did so."""
    with psycopg.connect(database.owner_url) as connection:
        if connection.execute("select from station").fetchone() is not None:
            return
        connection.execute("insert into station (station_id, number, lat_e7, lon_e7) values (1, 1, 0, 0), (2, 2, 0, 0)")
        for one in contents().units:
            row = (one.unit_id, one.call_sign, one.kind, one.service, one.duty_status, one.station_id, one.covert)
            connection.execute(
                "insert into unit (unit_id, call_sign, kind, service, duty_status, station_id, covert)"
                " values (%s, %s, %s, %s, %s, %s, %s)",
                row,
            )
        connection.execute(
            "insert into device (device_id, protocol, address) select 10 + unit_id, 'mavlink', unit_id from unit"
        )
        connection.execute(
            "insert into assignment (device_id, unit_id, started_at) select 10 + unit_id, unit_id, '2020-01-01' from unit"
        )


@contextlib.asynccontextmanager
async def running(
    database: TestDatabase,
    tmp_path: Path,
    *,
    clock: Clock = SYSTEM_CLOCK,
    is_watched: bool = True,
    flight_log: FlightLog | None = None,
    **settings: Any,  # noqa: ANN401 - Settings checks them
) -> AsyncIterator[House]:
    """Start a console with a small force on a free port, under a detector of calls that block its loop.

    Of two consoles in one test the outer one is not watched: the second's start would be what blocks it.
    """
    seed(database)
    wanted = Settings(data_dir=tmp_path, port=0, **settings)
    bound = listen(wanted)
    port = bound.getsockname()[1]
    bridge = SmallBridge(clock)
    city = tmp_path / "city"
    make_city(city)
    async with app_pool(database.app_url) as pool:
        services = Services(
            bridge=bridge,
            pool=pool,
            clock=clock,
            settings=wanted,
            city_dir=city,
            coverage=FixedCoverage(),
            flight_log=flight_log,
            origins=allowed_origins(wanted, port),
            static_dir=tmp_path / "static",
        )
        app = create_app(services)
        server = make_server(app, wanted)
        task = asyncio.create_task(server.serve(sockets=[bound]))
        while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
            await asyncio.sleep(0.01)
        with blockbuster_ctx(["console", "infra"]) if is_watched else contextlib.nullcontext():
            try:
                yield House(bridge, app.state.parts, pool, f"http://127.0.0.1:{port}", port)
            finally:
                server.should_exit = True
                await task


def make_city(folder: Path) -> None:
    (folder / "basemap").mkdir(parents=True)
    about = {"bounds": [103.0, 35.0, 104.0, 37.0], "center": [103.8, 36.0], "name_zh": "金城", "name_en": "Jincheng"}
    (folder / "city.json").write_bytes(msgspec.json.encode(about))
    (folder / "basemap" / "roads.geojson").write_text('{"type":"FeatureCollection","features":[]}')
    contours = [
        {"properties": {"station_number": number, "minutes": 1}} for number in (NUMBER_OF_FIRST_STATION, 999, None)
    ]
    (folder / "planned.geojson").write_bytes(msgspec.json.encode({"type": "FeatureCollection", "features": contours}))


async def hello(socket: websockets.ClientConnection, resume: dict[str, int] | None = None) -> list[dict[str, Any]]:
    """Say hello; return the texts up to and including `units`."""
    await socket.send(msgspec.json.encode({"type": "hello", "v": 1, "resume": resume}).decode())
    texts: list[dict[str, Any]] = []
    while not texts or texts[-1]["type"] != "units":
        texts.append(await next_text(socket))
    return texts


async def next_text(socket: websockets.ClientConnection, kind: str | None = None) -> dict[str, Any]:
    """Return the next text message (of a kind), passing over frames."""
    async with asyncio.timeout(60):
        while True:
            data = await socket.recv()
            if isinstance(data, str):
                message: dict[str, Any] = msgspec.json.decode(data)
                if kind in {None, message["type"]}:
                    return message


async def next_frame(socket: websockets.ClientConnection, *kinds: wire.FrameKind) -> wire.Frame:
    """Return the next binary frame (of some kinds), passing over texts."""
    async with asyncio.timeout(60):
        while True:
            data = await socket.recv()
            if isinstance(data, bytes):
                frame = wire.decode_frame(data)
                if not kinds or frame.kind in kinds:
                    return frame
