"""An officer, a call and a real page's connection around the console of console_house, for tests of what reaches whom."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import websockets

from console.incidents.desk import Actor
from console.wire import Role
from infra.clock import SYSTEM_CLOCK
from mission.calls.errand import By
from mission.calls.incident import Caller, Category, Dispatch, Draft, Incident, Urgency
from tests.console_house import OFFICER, House, hello, next_text

CENTRE = Actor(by=By(name="wang"))
LAT_DEG, LON_DEG = 36.06, 103.83
_REFERENCES = itertools.count(1)


@dataclass
class Officer:
    """A signed-in officer, as its page asks."""

    house: House
    cookie: str
    account_id: int

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - the client's own options
        async with self.house.client(self.cookie) as client:
            return await client.request(method, path, **more)

    async def answer(
        self, dispatch_id: int, answer: str, *, at_ms: float | None = None, reason: str = ""
    ) -> httpx.Response:
        body = {"answer": answer, "answered_ms": now_ms() if at_ms is None else at_ms, "reason": reason}
        return await self.ask("POST", f"/api/me/tasks/{dispatch_id}", json=body)

    async def report(self, lat_deg: float = LAT_DEG, lon_deg: float = LON_DEG, **more: Any) -> httpx.Response:  # noqa: ANN401 - JSON
        body = {"observed_ms": now_ms(), "lat_deg": lat_deg, "lon_deg": lon_deg} | more
        return await self.ask("POST", "/api/me/position", json=body)

    async def tasks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.ask("GET", "/api/me/tasks")).json()["tasks"]
        return found

    @asynccontextmanager
    async def page(self) -> AsyncIterator[websockets.ClientConnection]:
        async with self.house.socket(self.cookie) as socket:
            await hello(socket)
            yield socket


def now_ms() -> float:
    return SYSTEM_CLOCK.now_us() / 1000


async def officer(house: House, unit_id: int = OFFICER) -> Officer:
    account = await house.account(Role.OFFICER, unit_id=unit_id)
    cookie, _ = await house.parts.sessions.sign_in(account)
    return Officer(house, cookie, account.account_id)


async def call(house: House, *, urgency: Urgency = Urgency.ONE, placed: bool = True) -> Incident:
    """Take a call."""
    reference = f"call-{next(_REFERENCES)}"
    draft = Draft(
        source="console",
        source_ref=reference,
        sha256=reference.encode().ljust(32, b"."),
        title="a person in the water",
        text="by the bridge",
        urgency=urgency,
        category=Category.HELP,
        caller=Caller(name="Zhao", phone="13800138000"),
        lat_e7=round(LAT_DEG * 1e7) if placed else None,
        lon_e7=round(LON_DEG * 1e7) if placed else None,
        reported_us=house.bridge.clock.now_us(),
    )
    incident, _ = await house.parts.desk.create(draft, CENTRE)
    return incident


async def send(house: House, incident: Incident, *unit_ids: int) -> list[Dispatch]:
    """Send units; return their dispatches."""
    incident = await house.parts.desk.read(incident.incident_id, CENTRE)
    after = await house.parts.desk.dispatch(incident.incident_id, incident.version, unit_ids, CENTRE)
    return [sent for sent in after.dispatches if sent.unit_id in unit_ids]


async def state_of(house: House, dispatch_id: int) -> Dispatch:
    incident = house.parts.desk.board.of_dispatch(dispatch_id)
    assert incident is not None
    return next(sent for sent in incident.dispatches if sent.dispatch_id == dispatch_id)


async def next_task(socket: websockets.ClientConnection, state: str | None = None) -> dict[str, Any]:
    """Return the next task, in that state if one is given."""
    while True:
        task: dict[str, Any] = (await next_text(socket, "task"))["task"]
        if state in {None, task["dispatch"]["state"]}:
            return task


async def eventually(condition: Callable[[], bool], *, within_s: float = 8.0) -> None:
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, "it did not come true in time"
        await asyncio.sleep(0.02)
