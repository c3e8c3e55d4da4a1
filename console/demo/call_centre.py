"""The demo's county call centre as a process of its own: `python -m console.demo.call_centre`, its orders on standard input.

It calls in by the intake interface, as any call centre's program does, and has one dispatcher at the console, signed in by a
one-time link. It ends on SIGTERM, Ctrl-C or when its standard input closes.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from websockets.exceptions import WebSocketException

from console.demo.api_client import ApiClient, say_hello
from console.demo.calls import Call, CallMaker, CallPlace, located, places_of
from console.demo.desk import (
    DISPATCHER,
    Candidates,
    CloseOld,
    DeskBook,
    HandOver,
    IncidentMessage,
    Recall,
    SendAdvised,
    TellPlace,
    Work,
)
from infra.clock import SYSTEM_CLOCK
from mission.calls.incident import Category
from telemetry.model.datum import Crs

INTAKE: Final = "/intake/incidents"
FIRST_CALL_S: Final = 6.0
CALL_EVERY_S: Final = (45.0, 75.0)
NOWHERE: Final = [0.0, -80.0, 0.1, -79.9]
"""A view without units: the desk needs no positions."""
INCIDENT: Final = '{"type":"incident"'
TOLD_AGAIN_S: Final = 3.0
WIND_EVERY_S: Final = 1800.0
ORDERLY_END_S: Final = 5.0


class CallOrders(msgspec.Struct, frozen=True, kw_only=True):
    """What the process is told. `per_minute` is how many calls come in a minute, `token` is the dispatcher's one-time link."""

    origin: str
    intake_key: str
    token: str
    tiers: str
    seed: int
    per_minute: int = 1

    def __repr__(self) -> str:
        """Hide the secrets."""
        return f"CallOrders(origin={self.origin!r})"


class _Taken(msgspec.Struct, frozen=True):
    incident_id: int


class _Wind(msgspec.Struct, frozen=True):
    told_by: str | None


class _Agency(msgspec.Struct, frozen=True):
    agency_id: int
    categories: list[Category]


class _Agencies(msgspec.Struct, frozen=True):
    agencies: list[_Agency]


class CallCentre:
    """Calls in, and dispatches what nobody else does. Counters: `calls`, `sent`, `refused`."""

    def __init__(self, orders: CallOrders) -> None:
        began_ms = SYSTEM_CLOCK.now_us() / 1000.0
        self._orders = orders
        self._random = np.random.default_rng([orders.seed, 103])
        self._maker = CallMaker(places_of(Path(orders.tiers)), orders.seed, run=f"{began_ms:.0f}")
        self._intake = ApiClient(orders.origin, bearer=orders.intake_key)
        self._desk = ApiClient(orders.origin)
        self._book = DeskBook(began_ms)
        self._places: dict[int, CallPlace] = {}
        self.calls = self.sent = self.refused = 0

    def counts(self) -> dict[str, int]:
        """Return the figures so far."""
        return {"calls": self.calls, "sent": self.sent, "refused": self.refused}

    async def run(self) -> None:
        """Sign in and work for ever. Raises UnavailableError when the one-time link is refused."""
        await self._desk.sign_in(self._orders.token)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._call_in())
            group.create_task(self._tell_wind())
            group.create_task(self._watch())
            group.create_task(self._work())

    async def _call_in(self) -> None:
        if self._orders.per_minute == 0:
            return
        await asyncio.sleep(FIRST_CALL_S)
        while True:
            await self._tell_intake(self._maker.next())
            await asyncio.sleep(float(self._random.uniform(*CALL_EVERY_S)) / self._orders.per_minute)

    async def _tell_intake(self, call: Call) -> None:
        """Send a call until it is taken: the same call twice is one call."""
        while True:
            answer = await self._intake.ask("POST", INTAKE, call.body)
            if answer.ok:
                self.calls += 1
                self._places[answer.decoded(_Taken).incident_id] = call.place
                return
            if answer.status and answer.status < 500:
                self._refuse(f"the intake refused a call with {answer.status}: {answer.body[:300]!r}")
                return
            await asyncio.sleep(TOLD_AGAIN_S)

    async def _tell_wind(self) -> None:
        """Tell what the wind does over the valley every half hour, unless somebody else told another."""
        from_deg, speed_mps = 285.0, 3.2
        while True:
            wind = {"wind_from_deg": round(from_deg % 360.0, 1), "wind_mps": round(speed_mps, 1)}
            known = await self._desk.ask("GET", "/api/conditions")
            if known.ok and known.decoded(_Wind).told_by in (None, DISPATCHER):
                await self._write("PUT", "/api/conditions", wind)
            await asyncio.sleep(WIND_EVERY_S)
            from_deg += float(self._random.uniform(-15.0, 15.0))
            speed_mps = float(np.clip(speed_mps + self._random.uniform(-0.8, 0.8), 0.5, 8.0))

    async def _watch(self) -> None:
        while True:
            with contextlib.suppress(OSError, WebSocketException):
                async with self._desk.socket() as socket:
                    await say_hello(socket, rate_hz=0.5, bbox_deg=NOWHERE)
                    async for message in socket:
                        if isinstance(message, str) and message.startswith(INCIDENT):
                            self._book.take(msgspec.json.decode(message, type=IncidentMessage).incident)
            await asyncio.sleep(TOLD_AGAIN_S)

    async def _work(self) -> None:
        while True:
            for work in self._book.due(SYSTEM_CLOCK.now_us() / 1000.0):
                await self._do(work)
            await asyncio.sleep(0.5)

    async def _do(self, work: Work) -> None:
        incident = work.incident
        path = f"/api/incidents/{incident.incident_id}"
        match work:
            case SendAdvised():
                await self._send(path, incident.incident_id, incident.version)
            case TellPlace():
                place = self._places.get(incident.incident_id)
                if place is not None:
                    body = {"version": incident.version, "place_text": place.name_zh} | located(place, Crs.GCJ02)
                    await self._write("PATCH", path, body)
            case HandOver():
                agency_id = await self._agency(incident.category)
                state = {"version": incident.version, "state": "non_police", "agency_id": agency_id}
                await self._write("POST", f"{path}/state", state)
            case Recall(dispatch=sent):
                await self._write("POST", f"{path}/dispatches/{sent.dispatch_id}/recall", {"reason": "no answer"})
            case CloseOld():
                note = "left open by an earlier demo"
                state = {"version": incident.version, "state": "cleared", "note": note}
                await self._write("POST", f"{path}/state", state)

    async def _send(self, path: str, incident_id: int, version: int) -> None:
        answer = await self._desk.ask("GET", f"{path}/candidates")
        if not answer.ok:
            return
        candidates = answer.decoded(Candidates)
        unit_id = self._book.choose(incident_id, candidates.ground)
        if unit_id is None:
            return
        drone_id = self._book.choose_drone(incident_id, candidates.air)
        unit_ids = [unit_id] if drone_id is None else [unit_id, drone_id]
        self.sent += await self._write("POST", f"{path}/dispatch", {"version": version, "unit_ids": unit_ids})

    async def _agency(self, category: Category) -> int | None:
        answer = await self._desk.ask("GET", "/api/agencies")
        if not answer.ok:
            return None
        agencies: list[_Agency] = answer.decoded(_Agencies).agencies
        fitting = [one.agency_id for one in agencies if category in one.categories]
        return fitting[0] if fitting else (agencies[0].agency_id if agencies else None)

    async def _write(self, method: str, path: str, body: object) -> bool:
        """Write something; a conflict is no fault: somebody was quicker."""
        answer = await self._desk.ask(method, path, body)
        if not answer.ok and answer.status not in (0, 409, 503):
            self._refuse(f"{method} {path} was refused with {answer.status}: {answer.body[:300]!r}")
        return answer.ok

    def _refuse(self, message: str) -> None:
        self.refused += 1
        sys.stderr.write(f"demo call centre: {message}\n")


async def _tell(centre: CallCentre) -> None:
    while True:
        sys.stdout.write(json.dumps(centre.counts()) + "\n")
        sys.stdout.flush()
        await asyncio.sleep(1.0)


async def _main() -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    centre = CallCentre(msgspec.json.decode(await reader.readline(), type=CallOrders))
    work = [asyncio.create_task(centre.run()), asyncio.create_task(_tell(centre))]
    ends = [asyncio.create_task(reader.read()), asyncio.create_task(stop.wait())]
    ended, _ = await asyncio.wait((work[0], *ends), return_when=asyncio.FIRST_COMPLETED)
    loop.call_later(ORDERLY_END_S, os._exit, 1)
    for task in (*work, *ends):
        task.cancel()
    await asyncio.wait((*work, *ends))
    for task in ended & {work[0]}:
        task.result()


def main() -> None:
    """Read the orders from standard input and work."""
    asyncio.run(_main())


if __name__ == "__main__":
    main()
