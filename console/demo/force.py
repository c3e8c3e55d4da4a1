"""The demo force as a process of its own: `python -m console.demo.force` with its configuration as one JSON line on stdin.

One-time links of its officers' pages follow there, a line each. It speaks only through the real sockets: signed MAVLink 2
by UDP, vehicles' JT/T 808 by TCP, bodycams' GB/T 28181 by UDP, phone reports by HTTP, pages by HTTP and websocket. Counts go to stdout as JSON lines, one a second and a last one
with "final": true. It ends on SIGTERM, Ctrl-C or when its standard input closes.
"""

import asyncio
import heapq
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

import msgspec
import numpy as np

from console.demo import bodycams
from console.demo import city_table as table
from console.demo.autopilot.body import STEP_S
from console.demo.bodycams import Bodycam
from console.demo.crews import CityClock
from console.demo.dock_pilot import DockPilot
from console.demo.drone_link import DroneLink
from console.demo.drones import force_drones, practice_drone
from console.demo.force_config import ForceConfig, ForceUnit
from console.demo.officer import Body
from console.demo.officer_pages import OfficerPages, PageSignIn
from console.demo.phone_client import PhoneCounts, PhoneLine, PhoneReport, Sighting, Walks
from console.demo.vehicles import Vehicle, VehicleCounts
from infra.clock import SYSTEM_CLOCK
from telemetry.model.geodesy import local_plane
from telemetry.model.phone import SOS, SOS_CLEARED
from telemetry.model.unit import UnitKind
from telemetry.sources.gb28181.camera import CameraPlan

LINES_MOST: Final = 16
UNITS_A_LINE: Final = 40
QUEUE_MOST: Final = 20_000
LONGEST_LINE_BYTES: Final = 64 << 20
DRAIN_S: Final = 2.0
DRAIN_LOOK_S: Final = 0.05
ORDERLY_END_S: Final = 8.0
OFF_DUTY_LOOK_S: Final = 15.0
CATCH_UP_S: Final = 1.0
"""A machine that slept goes on from now: nobody floods the bridge with what was missed."""
FIRST_SOS_S: Final = 20.0
SOS_LASTS_S: Final = 90.0
SOS_EVERY_S: Final = (200.0, 420.0)
FIRST_SOS_BY: Final = "Officer 11-"
"""Of the station in the old town, whoever is on duty."""
ORIGIN: Final = (table.ORIGIN_LAT_DEG, table.ORIGIN_LON_DEG)


class Serves(Walks, Body, Protocol):
    """What carries a phone about and goes where its officer is sent."""


class Force:
    """All units of one configuration."""

    def __init__(self, config: ForceConfig) -> None:
        self._config = config
        self._random = np.random.default_rng([config.seed, 53])
        self._clock = CityClock(SYSTEM_CLOCK, offset_s=config.city_offset_s)
        self._phones = [unit for unit in config.units if unit.system_id == 0]
        self._links = [DroneLink(drone) for drone in force_drones(config)]
        self._practice = [DroneLink(practice_drone(config))] if config.practice else []
        self._queue: asyncio.Queue[PhoneReport] = asyncio.Queue(QUEUE_MOST)
        self._counts = PhoneCounts()
        self._vehicle_counts = VehicleCounts()
        self._vehicles = {
            number: Vehicle(unit.terminal_phone, unit.call_sign, self._vehicle_counts, SYSTEM_CLOCK)
            for number, unit in enumerate(self._phones)
            if unit.terminal_phone
        }
        self._bodycams = {
            number: Bodycam(_camera_plan(unit, config), SYSTEM_CLOCK)
            for number, unit in enumerate(self._phones)
            if unit.bodycam_id
        }
        self._in_need: dict[int, Walks] = {}
        self._alarms_sent = 0
        self._pages = OfficerPages(SYSTEM_CLOCK, config.seed)
        self._bodies: dict[str, Body] = {}
        self._waiting: list[PageSignIn] = []
        self._started_s = SYSTEM_CLOCK.monotonic_s()

    def counts(self) -> dict[str, object]:
        """Return the figures so far; `positions_sent` counts distinct positions, however often they were tried."""
        drones = sum(link.drone.air.positions_sent for link in self._links)
        vehicles, worn = self._vehicle_counts, self._bodycams.values()
        bodycam_positions = sum(bodycam.sent_count for bodycam in worn)
        return {
            "elapsed_s": round(self._elapsed_s(), 2),
            "units": len(self._config.units),
            "positions_sent": drones + self._counts.sent + vehicles.sent + bodycam_positions,
            "drone_positions": drones,
            "drone_frames": sum(link.drone.air.frames_sent for link in self._links),
            "phone_reports": self._counts.sent,
            "phone_accepted": self._counts.accepted,
            "vehicle_positions": vehicles.sent,
            "vehicle_acknowledged": vehicles.acknowledged,
            "vehicle_orders": vehicles.orders,
            "bodycam_positions": bodycam_positions,
            "bodycam_accepted": sum(bodycam.accepted_count for bodycam in worn),
            "retries": self._counts.retries,
            "errors": self._counts.errors + vehicles.refused + sum(link.refused for link in self._links),
            "statuses": dict(self._counts.statuses),
            "commands_refused": sum(link.drone.air.commands_refused for link in self._links),
            "phone_p99_ms": self._counts.p99_ms(),
            "alarms_sent": self._alarms_sent,
            "aloft": [link.drone.system_id for link in self._links if not link.drone.on_ground],
            **self._pages.counts(),
        }

    def sign_in(self, page: PageSignIn) -> None:
        """Let a unit's officer open its page, as soon as the unit is out."""
        body = self._bodies.get(page.call_sign)
        if body is None:
            self._waiting.append(page)
        else:
            self._pages.open(page, body)

    async def run(self, stop: asyncio.Event) -> None:
        """Fly, walk and report until `stop`; then let what is on its way arrive."""
        lines = self._open_lines()
        doors = self._config.doors
        async with asyncio.TaskGroup() as group:
            senders = [group.create_task(line.run()) for line in lines]
            senders += [group.create_task(vehicle.run(*doors.jt808)) for vehicle in self._vehicles.values()]
            worn = list(self._bodycams.values())
            senders.append(group.create_task(bodycams.keep(worn, *doors.sip)))
            work = [group.create_task(self._fly()), group.create_task(self._walk())]
            work += [group.create_task(self._tell()), group.create_task(self._pages.run())]
            await stop.wait()
            for task in work:
                task.cancel()
            await self._pages.close()
            self._clear_alarms()
            await self._drain()
            for vehicle in self._vehicles.values():
                vehicle.close()
            for bodycam in worn:
                bodycam.close()
            for task in senders:
                task.cancel()
        for line in lines:
            await line.close()
        for link in (*self._links, *self._practice):
            link.close()

    def _elapsed_s(self) -> float:
        return SYSTEM_CLOCK.monotonic_s() - self._started_s

    def _open_lines(self) -> list[PhoneLine]:
        count = min(LINES_MOST, 2 + (len(self._phones) - len(self._vehicles)) // UNITS_A_LINE)
        host, port = self._config.doors.ingest
        return [PhoneLine(host, port, self._queue, self._counts, SYSTEM_CLOCK.monotonic_s) for _ in range(count)]

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(DRAIN_S):
                await self._queue.join()
                await self._answered()
        except TimeoutError:
            self._counts.errors += self._queue.qsize()

    async def _answered(self) -> None:
        """Return when vehicles and bodycams have been answered for all that they said."""
        for _ in range(round(DRAIN_S / DRAIN_LOOK_S)):
            if not self._bodycams_wait() and not any(vehicle.waiting_count for vehicle in self._vehicles.values()):
                return
            await asyncio.sleep(DRAIN_LOOK_S)

    def _bodycams_wait(self) -> bool:
        return any(bodycam.accepted_count < bodycam.sent_count for bodycam in self._bodycams.values() if bodycam.is_on)

    async def _fly(self) -> None:
        loop = asyncio.get_running_loop()
        places = [(link, self._config.doors.mavlink) for link in self._links]
        places += [(link, self._config.practice) for link in self._practice if self._config.practice]
        for link, place in places:
            await loop.create_datagram_endpoint(lambda link=link: link, remote_addr=place)  # type: ignore[misc]
        due_s = SYSTEM_CLOCK.monotonic_s()
        while True:
            now_us = SYSTEM_CLOCK.now_us()
            for link, _ in places:
                link.send(link.drone.tick(now_us))
            due_s = max(due_s + STEP_S, SYSTEM_CLOCK.monotonic_s() - CATCH_UP_S)
            await asyncio.sleep(max(0.0, due_s - SYSTEM_CLOCK.monotonic_s()))

    async def _walk(self) -> None:
        """Report for each phone at its own interval, first all within one interval; raise and clear an SOS now and then."""
        walkers = await asyncio.to_thread(walkers_of, self._config.roads, self._phones, self._config.seed)
        docks = {link.drone.system_id: link.drone.pilot for link in self._links}
        drones = [unit for unit in self._config.units if unit.system_id]
        pilots = await asyncio.to_thread(
            piloted, Path(self._config.roads).parent, [docks[unit.system_id] for unit in drones]
        )
        self._bodies = {unit.call_sign: body for unit, body in zip(self._phones, walkers, strict=True)}
        self._bodies |= {unit.call_sign: body for unit, body in zip(drones, pilots, strict=True)}
        waiting, self._waiting = self._waiting, []
        for page in waiting:
            self.sign_in(page)
        due = [
            (self._elapsed_s() + float(self._random.uniform(0.0, unit.interval_s)), n)
            for n, unit in enumerate(self._phones)
        ]
        heapq.heapify(due)
        alarms = self._alarm_times()
        alarm = next(alarms, None)
        while due:
            at_s, number = due[0]
            if alarm is not None and alarm[0] <= at_s:
                at_s, number, word = alarm
                await self._wait_until(at_s)
                self._alarms_sent += 1
                self._alarm(number, walkers[number], word)
                alarm = next(alarms, None)
                continue
            await self._wait_until(at_s)
            interval_s = self._interval_s(number)
            if not self._is_on_duty(number):
                heapq.heapreplace(due, (at_s + OFF_DUTY_LOOK_S, number))
                continue
            heapq.heapreplace(due, (max(at_s + interval_s, self._elapsed_s() - CATCH_UP_S), number))
            self._report(number, walkers[number], interval_s, "")

    def _is_on_duty(self, number: int) -> bool:
        """Tell whether the unit's watch is on; who is off duty is silent."""
        return self._clock.watch() in self._phones[number].watches

    async def _wait_until(self, at_s: float) -> None:
        wait_s = at_s - self._elapsed_s()
        if wait_s > 0.0:
            await asyncio.sleep(wait_s)

    def _interval_s(self, number: int) -> float:
        usual_s, vehicle = self._phones[number].interval_s, self._vehicles.get(number)
        return usual_s if vehicle is None else vehicle.interval_s(usual_s)

    def _report(self, number: int, walker: Walks, elapsed_s: float, alarm: str) -> None:
        """Report where a unit is by each of its devices."""
        sighting = walker.step(elapsed_s)
        if number in self._vehicles:
            self._vehicles[number].report(sighting)
            return
        if number in self._bodycams and not alarm:
            self._bodycams[number].report(sighting)
        self._report_by_phone(number, sighting, alarm)

    def _report_by_phone(self, number: int, sighting: Sighting, alarm: str) -> None:
        unit = self._phones[number]
        report = PhoneReport(unit.secret, unit.dialect, SYSTEM_CLOCK.now_us(), sighting, alarm)
        if self._queue.full():
            self._counts.errors += 1
            return
        self._queue.put_nowait(report)

    def _alarm(self, number: int, walker: Walks, word: str) -> None:
        """Ask for help, standing still, or say that it is over."""
        if word == SOS_CLEARED:
            self._in_need.pop(number, None)
        else:
            self._in_need[number] = walker
            walker.halt(SOS_LASTS_S)
        self._report(number, walker, 0.0, word)

    def _clear_alarms(self) -> None:
        """Leave nobody in need behind when the demo ends."""
        for number, walker in list(self._in_need.items()):
            self._alarm(number, walker, SOS_CLEARED)

    def _alarm_times(self) -> Iterator[tuple[float, int, str]]:
        """Yield (seconds since the start, phone, word): one officer after another asks for help, and is helped."""
        everyone = [number for number, unit in enumerate(self._phones) if unit.kind is UnitKind.OFFICER]
        officers = [number for number in everyone if self._is_on_duty(number)]
        if not officers:
            return
        named = [number for number in officers if self._phones[number].call_sign.startswith(FIRST_SOS_BY)]
        at_s, number = FIRST_SOS_S, (named or officers)[0]
        while officers:
            yield at_s, number, SOS
            yield at_s + SOS_LASTS_S, number, SOS_CLEARED
            at_s += float(self._random.uniform(*SOS_EVERY_S))
            officers = [number for number in everyone if self._is_on_duty(number)] or officers
            number = officers[int(self._random.integers(0, len(officers)))]

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            _print(self.counts())


def walkers_of(roads: str, phones: list[ForceUnit], seed: int) -> list[Serves]:
    """Return a walker for each phone. Its rooms are imported here, so that the drones fly before the roads are loaded."""
    from console.demo.ground import Streets, Walker
    from mission.roads.graph import load_roads

    streets = Streets(load_roads(Path(roads)))
    return [Walker(streets, unit.kind, unit.lat_deg, unit.lon_deg, (seed, rank)) for rank, unit in enumerate(phones)]


def piloted(city: Path, docks: list[DockPilot]) -> list[Body]:
    """Return each drone in its pilot's hands; the rooms are imported here for the same reason."""
    from console.demo.pilot import PilotedDrone
    from mission.airspace import load_airspace

    plane = local_plane(*ORIGIN)
    airspace = load_airspace(city, plane=plane)
    return [PilotedDrone(dock, plane, airspace) for dock in docks]


def _camera_plan(unit: ForceUnit, config: ForceConfig) -> CameraPlan:
    return CameraPlan(
        address=unit.bodycam_id,
        password=unit.bodycam_secret,
        server_id=config.sip_id,
        realm=config.sip_realm,
        seed=SYSTEM_CLOCK.now_us(),
    )


def _print(figures: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()


async def _read_input(reader: asyncio.StreamReader, force: Force, stop: asyncio.Event) -> None:
    """Let officers sign in as their links come; stop when the input closes."""
    while line := await reader.readline():
        force.sign_in(msgspec.json.decode(line, type=PageSignIn))
    stop.set()


async def _leave_in_any_case(stop: asyncio.Event) -> None:
    """End the process when an orderly end takes too long: a force without its demo is an orphan."""
    await stop.wait()
    await asyncio.sleep(ORDERLY_END_S)
    os._exit(1)


async def _main() -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    reader = asyncio.StreamReader(limit=LONGEST_LINE_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    force = Force(msgspec.json.decode(await reader.readline(), type=ForceConfig))
    watches = [asyncio.create_task(_read_input(reader, force, stop)), asyncio.create_task(_leave_in_any_case(stop))]
    await force.run(stop)
    for watch in watches:
        watch.cancel()
    _print(force.counts() | {"final": True})


def main() -> None:
    """Read the configuration from standard input and run."""
    asyncio.run(_main())


if __name__ == "__main__":
    main()
