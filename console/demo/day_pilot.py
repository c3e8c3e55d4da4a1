"""The demo's pilot: gives each drone its sorties of the published plan when they are due, and starts them at their time."""

from collections.abc import Callable
from typing import Final

import msgspec

from console.demo.api_client import ApiClient
from mission.model import Programme
from mission.plan import Plan, Sortie, SortieState
from telemetry.model.commands import FlightAction

PILOT: Final = "demo pilot"
LOOK_EVERY_S: Final = 2.0
GIVEN_US: Final = 60_000_000
"""So long before its take-off a sortie is given to its drone, to be checked and sent up."""
LATE_US: Final = 240_000_000
"""A sortie that has not left so long after its time is let go: the next one is due."""
READ_AGAIN_US: Final = 20_000_000
AGAIN_US: Final = 10_000_000
READY: Final = "ready"
OVER: Final = frozenset({"done", "failed"})
WAITING: Final = frozenset({"handed", "ready"})
"""A sortie that missed its time on the ground, for want of battery, makes room for the next one."""
FLOWN: Final = frozenset({SortieState.FLOWN, SortieState.BROKEN_OFF, SortieState.CANCELLED})
Say = Callable[[str], None]


class Given(msgspec.Struct, frozen=True):
    """What is read of the sortie that a drone has."""

    plan_id: int | None
    sortie_id: int
    step: str


class Flight(msgspec.Struct, frozen=True):
    """What is read of a flight."""

    sortie: Given | None = None


class FlightAnswer(msgspec.Struct, frozen=True):
    """What the console answers about a drone."""

    flight: Flight


class Prepared(msgspec.Struct, frozen=True):
    """What confirms a prepared order."""

    token: str


class PlanAnswer(msgspec.Struct, frozen=True):
    """A plan and the programme that it was made of."""

    plan: Plan
    programme: Programme


class DayPilot:
    """One signed-in account that may fly. Call `look` every few seconds; what is refused is told once and tried again while due."""

    def __init__(self, client: ApiClient, plan_id: int, say: Say) -> None:
        self._client, self._plan_id, self._say = client, plan_id, say
        self._read: PlanAnswer | None = None
        self._read_us = 0
        self._not_before_us: dict[int, int] = {}
        self._told: set[int] = set()
        self._flies: dict[int, int] = {}
        """Which sortie it started on each unit that it still controls."""
        self.started: set[int] = set()
        """The sorties that were started."""

    async def look(self, now_us: int) -> None:
        """Give and start what is due, and let go of drones whose sortie is over."""
        if self._read is None or now_us - self._read_us > READ_AGAIN_US:
            await self._read_plan(now_us)
        if self._read is None:
            return
        unit_of = {one.airframe_id: one.unit_id for one in self._read.programme.airframes}
        for sortie in due(self._read.plan, now_us):
            unit_id = unit_of.get(sortie.airframe_id)
            if unit_id is None or sortie.sortie_id in self.started:
                continue
            if self._not_before_us.get(sortie.sortie_id, 0) <= now_us:
                await self._see_to(sortie, unit_id, now_us)
        for unit_id, sortie_id in tuple(self._flies.items()):
            await self._let_go(unit_id, sortie_id)

    async def _read_plan(self, now_us: int) -> None:
        answer = await self._client.ask("GET", f"/api/plans/{self._plan_id}")
        if answer.ok:
            self._read, self._read_us = msgspec.json.decode(answer.body, type=PlanAnswer), now_us

    async def _see_to(self, sortie: Sortie, unit_id: int, now_us: int) -> None:
        """Give a sortie to its drone, or start it there once it is on board and its time has come."""
        given = await self._given(unit_id)
        is_ours = given is not None and (given.plan_id, given.sortie_id) == (self._plan_id, sortie.sortie_id)
        if given is None or (not is_ours and given.step in OVER | WAITING):
            body = {"plan_id": self._plan_id, "sortie_id": sortie.sortie_id}
            await self._order(sortie, now_us, f"/api/flights/{unit_id}/sortie", body)
        elif is_ours and given.step == READY and now_us >= sortie.takeoff_us:
            if await self._start(sortie, unit_id, now_us):
                self.started.add(sortie.sortie_id)
                self._flies[unit_id] = sortie.sortie_id
        elif is_ours and given.step in OVER:
            self.started.add(sortie.sortie_id)

    async def _let_go(self, unit_id: int, sortie_id: int) -> None:
        """Release the control of a drone once its sortie is over, so that others may fly it."""
        given = await self._given(unit_id)
        if given is not None and given.sortie_id == sortie_id and given.step not in OVER:
            return
        del self._flies[unit_id]
        if given is not None and given.sortie_id == sortie_id:
            await self._client.ask("POST", f"/api/flights/{unit_id}/control/release")

    async def _start(self, sortie: Sortie, unit_id: int, now_us: int) -> bool:
        """Order the start as any pilot does: prepared, then confirmed."""
        path, wanted = f"/api/flights/{unit_id}/actions", {"action": FlightAction.START}
        prepared = await self._order(sortie, now_us, f"{path}/prepare", wanted)
        if prepared is None:
            return False
        token = msgspec.json.decode(prepared, type=Prepared).token
        return await self._order(sortie, now_us, path, wanted | {"token": token}) is not None

    async def _given(self, unit_id: int) -> Given | None:
        answer = await self._client.ask("GET", f"/api/flights/{unit_id}")
        return msgspec.json.decode(answer.body, type=FlightAnswer).flight.sortie if answer.ok else None

    async def _order(self, sortie: Sortie, now_us: int, path: str, body: object) -> bytes | None:
        answer = await self._client.ask("POST", path, body)
        if answer.ok:
            return answer.body
        self._not_before_us[sortie.sortie_id] = now_us + AGAIN_US
        if sortie.sortie_id not in self._told:
            self._told.add(sortie.sortie_id)
            said = answer.body[:300].decode(errors="replace")
            self._say(f"day plan: sortie {sortie.sortie_id} waits: {answer.status} {said}")
        return None


def due(plan: Plan, now_us: int) -> list[Sortie]:
    """Return the sorties to be given or started now, the earliest first; spares that stand by are not flown."""
    found = [
        sortie
        for sortie in plan.sorties
        if sortie.waypoints
        and not sortie.is_standby
        and sortie.state not in FLOWN
        and sortie.takeoff_us - GIVEN_US <= now_us <= sortie.takeoff_us + LATE_US
    ]
    return sorted(found, key=lambda sortie: sortie.takeoff_us)
