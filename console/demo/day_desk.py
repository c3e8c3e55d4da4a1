"""The demo's planners at their screens: one brings the day's programme in and has it planned, another approves and publishes it."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from console.demo.api_client import ApiClient
from console.demo.day_plan import HOUR_US, day_weather
from mission.formats import programme_yaml
from mission.model import Programme
from mission.plan import PlanState

PLANNER: Final = "demo planner"
CHIEF: Final = "demo chief"
PLANNED_US: Final = 12 * HOUR_US
ITERATIONS: Final = 60
EFFORT_S: Final = 8.0
FILE: Final = "jincheng-day.yaml"
Say = Callable[[str], None]


class Line(msgspec.Struct, frozen=True):
    """What is read of a plan: in a list, and as the answer to a change."""

    plan_id: int
    version: int
    state: PlanState


class Plans(msgspec.Struct, frozen=True):
    """The plans of a period, the newest first."""

    plans: list[Line]


class OnePlan(msgspec.Struct, frozen=True):
    """A plan."""

    plan: Line


class Asked(msgspec.Struct, frozen=True):
    """What is read of the programme that is there."""

    programme: Programme


class DayDesk:
    """Two signed-in accounts that may plan; what does not work is told by `say` and left: the demo goes on without it."""

    def __init__(self, planner: ApiClient, chief: ApiClient, say: Say, *, iterations: int = ITERATIONS) -> None:
        self._planner, self._chief, self._say = planner, chief, say
        self._iterations = iterations

    async def publish(self, programme: Programme, *, now_us: int) -> int | None:
        """See that a plan of the coming hours is published; return its number, None where that was refused.

        A programme that is there already is kept, for somebody may have changed it; so is a published plan that still runs.
        """
        if not await self._bring(programme, now_us):
            return None
        plans = await self._planner.ask("GET", f"/api/plans?from_us={now_us}&until_us={now_us + HOUR_US}")
        lines = msgspec.json.decode(plans.body, type=Plans).plans if plans.ok else []
        published = [one for one in lines if one.state is PlanState.PUBLISHED]
        if published:
            return published[0].plan_id
        wish = {
            "from_us": now_us,
            "until_us": now_us + PLANNED_US,
            "iterations": self._iterations,
            "effort_s": EFFORT_S,
        }
        made = await self._done(self._planner, "POST", "/api/plans", wish)
        plan = None if made is None else msgspec.json.decode(made, type=OnePlan).plan
        for client, state in (
            (self._planner, PlanState.SUBMITTED),
            (self._chief, PlanState.APPROVED),
            (self._chief, PlanState.PUBLISHED),
        ):
            if plan is None:
                return None
            change = {"state": state, "version": plan.version}
            changed = await self._done(client, "POST", f"/api/plans/{plan.plan_id}/state", change)
            plan = None if changed is None else msgspec.json.decode(changed, type=OnePlan).plan
        return None if plan is None else plan.plan_id

    async def _bring(self, programme: Programme, now_us: int) -> bool:
        """Bring the programme in where there is none; otherwise tell today's weather."""
        shown = await self._done(self._planner, "GET", "/api/programme")
        if shown is None:
            return False
        if msgspec.json.decode(shown, type=Asked).programme.tasks:
            for weather in day_weather(now_us):
                told = {"item": msgspec.to_builtins(weather)}
                if await self._done(self._planner, "POST", "/api/programme/weather", told) is None:
                    return False
            return True
        setting = {"zone": programme.zone, "rules": programme.rules}
        if await self._done(self._planner, "PUT", "/api/programme/settings", setting) is None:
            return False
        data = programme_yaml.write(programme)
        brought = await self._done(self._planner, "POST", f"/api/programme/import?name={FILE}", data)
        if brought is not None and not msgspec.json.decode(brought)["added"]:
            self._say(f"day plan: the programme was refused: {_first_reason(msgspec.json.decode(brought))}")
            return False
        return brought is not None

    async def _done(self, client: ApiClient, method: str, path: str, body: object = None) -> bytes | None:
        """Ask and return the answer's body; None, and said, when it was refused."""
        answer = await client.ask(method, path, body)
        if answer.ok:
            return answer.body
        self._say(
            f"day plan: {method} {path} was answered {answer.status}: {answer.body[:300].decode(errors='replace')}"
        )
        return None


def _first_reason(brought: dict[str, Any]) -> str:
    refusals = [refusal for refusal in brought["refusals"] if not refusal["is_warning"]]
    return str(refusals[0]["reason_en"]) if refusals else "nothing was in it"
