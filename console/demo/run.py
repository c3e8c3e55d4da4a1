"""The demo from start to end: city, force in the registry, house, force process, watcher, report."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg

from console.app import House, database, run_house
from console.auth.accounts import DATABASE_AWAY, Accounts
from console.demo.city import City, prepare_city
from console.demo.crews import CityClock, Watch
from console.demo.day_desk import CHIEF, PLANNER, DayDesk
from console.demo.day_pilot import LOOK_EVERY_S as DAY_LOOK_EVERY_S
from console.demo.day_pilot import PILOT, DayPilot
from console.demo.day_plan import Registered, day_programme
from console.demo.duty_keeper import LOOK_EVERY_S, DutyKeeper
from console.demo.force_config import Doors, ForceConfig, config_of, start_force
from console.demo.force_plan import ForcePlan
from console.demo.measures import Figures, Measures
from console.demo.past_calls import bring_past_calls
from console.demo.seed_force import install, plan_force
from console.demo.staff import Staff, calling
from console.demo.watcher import Watcher
from console.parts import sign_in_url
from console.wire import Role
from infra.clock import SYSTEM_CLOCK, utc_of
from infra.database import DatabaseError, DatabaseUrls
from infra.settings import Settings
from infra.vault import Vault
from telemetry.links.listening import ListeningLink
from telemetry.links.udp import UdpLink
from telemetry.model.batch import Quality
from telemetry.model.errors import UnavailableError
from telemetry.model.unit import UnitKind

DRAIN_S: Final = 2.0
FESTIVAL_SOON_US: Final = 180_000_000
"""A demo is seldom watched in the evening: its festival begins some minutes after it."""
LOOPBACK: Final = "127.0.0.1"
WATCH_ACCOUNT: Final = "demo-watcher"
_POSITIONS: Final = (
    "select count(*) from store.position where received_at >= %s and quality & %s = 0 and device_id = any(%s)"
)
Say = Callable[[str], None]


class DemoOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the command was given; `duration_s` None runs until Ctrl-C, `process_started_s` is CLOCK_BOOTTIME.

    `hour` (0..23) is the hour of the city's day at the start; None goes by the machine's clock. `practice` is the (host, port)
    of a ground station that a drone without a key calls.
    """

    unit_count: int
    seed: int
    duration_s: float | None
    report: Path | None
    process_started_s: float
    hour: int | None = None
    calls_per_minute: int = 1
    practice: tuple[str, int] | None = None


class DemoReport(Figures, frozen=True, kw_only=True):
    """What `--report` writes, beside the figures of calls and coverage.

    `positions_lost` = sent - stored - dropped by the kernel before we could read them; `officers`: pages that signed in.
    """

    first_dot_s: float | None
    units: int
    positions_sent: int
    positions_stored: int
    positions_lost: int
    udp_dropped: int
    fix_to_frame_p99_ms: float | None
    errors: int
    frames: int
    seed: int
    duration_s: float
    watch: Watch
    officers: int


def run_demo(settings: Settings, options: DemoOptions, say: Say) -> None:
    """Run the whole demo in the foreground. Raises what `console.app.serve` raises."""
    city = prepare_city(settings.data_dir, options.seed, say)
    clock = CityClock(SYSTEM_CLOCK) if options.hour is None else CityClock.showing(SYSTEM_CLOCK, options.hour)
    plan = plan_force(city, unit_count=options.unit_count, seed=options.seed, watch=clock.watch())
    say("database: starting")
    with database(settings) as urls:
        vault = Vault.open(settings.data_dir)
        say(f"force: {len(plan.units)} units into the registry")
        secrets = asyncio.run(install(urls.owner, vault, plan, now_us=SYSTEM_CLOCK.now_us()))
        past = bring_past_calls(city.directory, urls.owner, seed=options.seed, now_us=SYSTEM_CLOCK.now_us())
        asyncio.run(past)
        say("console: starting")
        run_house(settings, urls, lambda house: Demo(house, urls, options, say, clock).run(city, plan, secrets))


class Demo:
    """The part that runs while the house stands."""

    def __init__(self, house: House, urls: DatabaseUrls, options: DemoOptions, say: Say, city_clock: CityClock) -> None:
        self._city_clock = city_clock
        self._house = house
        self._urls = urls
        self._options = options
        self._say = say
        self._counts: dict[str, Any] = {}
        self._first_dot_s: float | None = None
        bridge = house.service.bridge
        self._measures = Measures(SYSTEM_CLOCK.now_us() / 1000.0)
        self._watcher = Watcher(house.origin, SYSTEM_CLOCK, lambda: bridge.picture.units, self._measures.take)

    async def run(self, city: City, plan: ForcePlan, secrets: dict[str, str]) -> None:
        """Start the force and the watcher, tell where to look, wait, stop, report."""
        accounts = Accounts(self._house.pool)
        started_us = SYSTEM_CLOCK.now_us()
        watching = asyncio.create_task(self._watcher.run(await _link_for(accounts, WATCH_ACCOUNT, Role.VIEWER)))
        force = await start_force(self._config(city, plan, secrets))
        reading = asyncio.create_task(self._read_counts(force))
        living = asyncio.create_task(self._live(accounts, city, plan, force))
        planning = asyncio.create_task(self._plan_day(accounts, city, plan))
        try:
            token = await _link_for(accounts, "admin", Role.ADMIN)
            self._announce(sign_in_url(self._house.origin, token))
            await self._wait(watching, reading, living)
        finally:
            for task in (living, planning):
                task.cancel()
            await asyncio.wait((living, planning))
            await _end(force, reading)
            watching.cancel()
            await asyncio.wait((watching,))
        if self._options.report is not None:
            await asyncio.sleep(DRAIN_S)
            report = await self._report(plan, started_us)
            self._options.report.write_text(msgspec.json.format(msgspec.json.encode(report)).decode() + "\n")

    def _config(self, city: City, plan: ForcePlan, secrets: dict[str, str]) -> ForceConfig:
        bridge = self._house.service.bridge
        ports = {link.url.protocol: link.port for link in bridge.links if isinstance(link, UdpLink | ListeningLink)}
        doors = Doors(
            mavlink=(LOOPBACK, ports["mavlink"]),
            ingest=(LOOPBACK, bridge.ingest_port),
            jt808=(LOOPBACK, ports["jt808"]),
            sip=(LOOPBACK, ports["gb28181"]),
        )
        return config_of(
            plan,
            secrets,
            seed=self._options.seed,
            roads=city.directory / "roads.npz",
            doors=doors,
            city_offset_s=self._city_clock.offset_s,
            practice=self._options.practice,
        )

    async def _live(self, accounts: Accounts, city: City, plan: ForcePlan, force: asyncio.subprocess.Process) -> None:
        """Let officers open their pages and the call centre call in, once units are on the map; keep duty statuses true."""
        await self._watcher.first_delta.wait()
        registry = self._house.service.bridge.registry
        staff = Staff(accounts, self._house.origin)
        unit_ids = {unit.call_sign: unit.unit_id for unit in registry.units.values()}
        assert force.stdin is not None
        with contextlib.suppress(ConnectionError):  # a force that ended is told of elsewhere
            await staff.open_pages(plan, unit_ids, force.stdin)
        tiers, per_minute = city.directory / "tiers.geojson", self._options.calls_per_minute
        orders = await staff.orders(self._urls.owner, tiers, seed=self._options.seed, per_minute=per_minute)
        keeper = DutyKeeper(plan, self._city_clock, registry, self._house.pool)
        async with calling(orders, self._say):
            while True:
                with contextlib.suppress(
                    *DATABASE_AWAY, DatabaseError
                ):  # the map goes on, and so do we when it is back
                    await keeper.look(self._counts.get("aloft", ()))
                await asyncio.sleep(LOOK_EVERY_S)

    async def _plan_day(self, accounts: Accounts, city: City, plan: ForcePlan) -> None:
        """Have the day from the air planned and published, once units are on the map."""
        await self._watcher.first_delta.wait()
        registry, now_us = self._house.service.bridge.registry, SYSTEM_CLOCK.now_us()
        devices = {
            unit_id: device_id for device_id in registry.devices if (unit_id := registry.unit_of(device_id, now_us))
        }
        registered = {
            unit.call_sign: Registered(unit.unit_id, devices[unit.unit_id])
            for unit in registry.units.values()
            if unit.kind is UnitKind.DRONE and unit.unit_id in devices
        }
        programme = await asyncio.to_thread(
            day_programme, city, plan, registered, now_us=now_us, festival_from_us=now_us + FESTIVAL_SOON_US
        )
        staff = Staff(accounts, self._house.origin)
        with contextlib.suppress(*DATABASE_AWAY, UnavailableError):  # the demo goes on without its day's plan
            planner, chief = [await staff.signed_in(name, Role.SUPERVISOR) for name in (PLANNER, CHIEF)]
            plan_id = await DayDesk(planner, chief, self._say).publish(programme, now_us=now_us)
            if plan_id is not None:
                self._say(f"the day from the air is planned: plan {plan_id}")
                await self._fly_day(DayPilot(await staff.signed_in(PILOT, Role.OPERATOR), plan_id, self._say))

    async def _fly_day(self, pilot: DayPilot) -> None:
        """Let the pilot give the drones what is due, for as long as the demo runs."""
        while True:
            await pilot.look(SYSTEM_CLOCK.now_us())
            await asyncio.sleep(DAY_LOOK_EVERY_S)

    async def _read_counts(self, force: asyncio.subprocess.Process) -> None:
        assert force.stdout is not None
        async for line in force.stdout:
            self._counts = json.loads(line)

    def _announce(self, address: str) -> None:
        self._say(f"the demo runs: {self._house.origin}")
        self._say(f"sign in (once, within 15 minutes): {address}")
        self._say(f"another link: SKYBEAT_DATA_DIR={self._house.settings.data_dir} skybeat user link admin")
        self._say("Ctrl-C ends everything")

    async def _wait(
        self, watching: "asyncio.Task[None]", reading: "asyncio.Task[None]", living: "asyncio.Task[None]"
    ) -> None:
        """Wait for the time given, or for Ctrl-C, and tell the first dot; a part that ends by itself ends the wait."""
        dot = asyncio.create_task(self._tell_first_dot())
        stop = asyncio.create_task(self._house.stopping.wait())
        waited = (watching, reading, living, stop)
        ended, _ = await asyncio.wait(waited, timeout=self._options.duration_s, return_when=asyncio.FIRST_COMPLETED)
        for task in (dot, stop):
            task.cancel()
        if reading in ended:
            self._say("the force's process ended by itself: see the lines above")
        for part in ended & {watching, living}:
            part.result()

    async def _tell_first_dot(self) -> None:
        await self._watcher.first_delta.wait()
        self._first_dot_s = time.clock_gettime(time.CLOCK_BOOTTIME) - self._options.process_started_s
        self._say(f"first dot after {self._first_dot_s:.1f} s")

    async def _report(self, plan: ForcePlan, started_us: int) -> DemoReport:
        bridge = self._house.service.bridge
        dropped = sum(link.datagrams_dropped for link in bridge.link_statuses())
        stored = await self._stored(started_us)
        sent = int(self._counts.get("positions_sent", 0))
        return DemoReport(
            first_dot_s=None if self._first_dot_s is None else round(self._first_dot_s, 2),
            units=len(plan.units),
            positions_sent=sent,
            positions_stored=stored,
            positions_lost=sent - stored - dropped,
            udp_dropped=dropped,
            fix_to_frame_p99_ms=self._watcher.p99_ms(),
            errors=int(self._counts.get("errors", 0)),
            frames=self._watcher.frames,
            seed=self._options.seed,
            watch=self._city_clock.watch(),
            officers=int(self._counts.get("pages", 0)),
            **msgspec.structs.asdict(self._measures.figures()),
            duration_s=round(float(self._counts.get("elapsed_s", 0.0)), 1),
        )

    async def _stored(self, started_us: int) -> int:
        """Count what the database holds of the force since the start; fixes of second rank were not counted as sent."""
        devices = list(self._house.service.bridge.registry.devices)
        unwanted = int(Quality.SECONDARY | Quality.REPLAYED)
        async with await psycopg.AsyncConnection.connect(self._urls.owner) as connection:
            cursor = await connection.execute(_POSITIONS, (utc_of(started_us), unwanted, devices))
            row = await cursor.fetchone()
        return int(row[0]) if row else 0


async def _link_for(accounts: Accounts, name: str, role: Role) -> str:
    account = await accounts.by_name(name) or await accounts.add(name, role)
    return await accounts.make_link(account.account_id, SYSTEM_CLOCK.now_us())


async def _end(force: asyncio.subprocess.Process, reading: "asyncio.Task[None]") -> None:
    assert force.stdin is not None
    force.stdin.close()
    try:
        await asyncio.wait_for(force.wait(), 10)
    except TimeoutError:
        force.kill()
        await force.wait()
    await asyncio.wait((reading,), timeout=5)
