"""The demo's pilot gives sorties when they are due and starts them at their time, once each."""

from typing import Any, cast

import msgspec
import pytest

from console.demo.api_client import ApiClient
from console.demo.day_pilot import AGAIN_US, GIVEN_US, LATE_US, DayPilot, due
from console.demo.http_answer import Answer
from mission.model import Airframe, Programme, Window
from mission.plan import Plan, Sortie, SortieState, Waypoint

NOW_US = 1_790_000_000_000_000
MINUTE_US = 60_000_000
HERE = (Waypoint(lat_deg=36.0, lon_deg=103.8, alt_home_m=60.0, speed_mps=8.0),)


def sortie(sortie_id: int, airframe_id: int, takeoff_us: int, **changes: Any) -> Sortie:  # noqa: ANN401 - of a sortie
    values: dict[str, Any] = {
        "sortie_id": sortie_id, "airframe_id": airframe_id, "dock_id": 1, "takeoff_us": takeoff_us,
        "landing_us": takeoff_us + 10 * MINUTE_US, "free_us": takeoff_us + 20 * MINUTE_US, "visit_ids": (1,), "task_ids": (1,),
        "waypoints": HERE, "length_m": 100.0, "landing_battery_ratio": 0.5, "transit_alt_home_m": 60.0,
    }  # fmt: skip
    return Sortie(**(values | changes))


class Console:
    """Answers as the console does: a plan, and what each drone has."""

    def __init__(self, *sorties: Sortie) -> None:
        self.plan = Plan(window=Window(NOW_US, NOW_US + 1), visits=(), sorties=sorties, plan_id=5)
        self.programme = Programme(
            airframes=(
                Airframe(airframe_id=1, name="1", dock_id=1, unit_id=101),
                Airframe(airframe_id=2, name="2", dock_id=1),
            )
        )
        self.given: dict[int, dict[str, Any]] = {}
        self.orders: list[str] = []
        self.refuses = 0

    async def ask(self, method: str, path: str, body: object = None) -> Answer:
        if path == "/api/plans/5":
            return self._answer({"plan": self.plan, "programme": self.programme})
        unit_id = int(path.split("/")[3])
        if method == "GET":
            return self._answer({"flight": {"sortie": self.given.get(unit_id)}})
        self.orders.append(path)
        if self.refuses:
            self.refuses -= 1
            return Answer(409, {}, b'{"error":"Li is in control"}')
        if path.endswith("/control/release"):
            return self._answer({})
        assert isinstance(body, dict)
        if path.endswith("/prepare"):
            return self._answer({"token": "t"})
        if path.endswith("/actions"):
            assert body == {"action": "start", "token": "t"}
            self.given[unit_id]["step"] = "flying"
        else:
            self.given[unit_id] = body | {"step": "uploading"}
        return self._answer({"flight": {}})

    def _answer(self, body: object) -> Answer:
        return Answer(200, {}, msgspec.json.encode(body))


@pytest.fixture
def said() -> list[str]:
    return []


def pilot_at(console: Console, said: list[str]) -> DayPilot:
    return DayPilot(cast("ApiClient", console), 5, said.append)


async def test_a_sortie_is_given_a_minute_before_and_started_at_its_time(said: list[str]) -> None:
    takeoff_us = NOW_US + 2 * MINUTE_US
    console = Console(sortie(1, 1, takeoff_us))
    pilot = pilot_at(console, said)
    await pilot.look(NOW_US)
    assert console.orders == []
    await pilot.look(takeoff_us - GIVEN_US)
    await pilot.look(takeoff_us - GIVEN_US + 2_000_000)
    assert console.orders == ["/api/flights/101/sortie"]
    console.given[101]["step"] = "ready"
    await pilot.look(takeoff_us - 1)
    assert len(console.orders) == 1
    await pilot.look(takeoff_us)
    await pilot.look(takeoff_us + 2_000_000)
    assert console.orders[1:] == ["/api/flights/101/actions/prepare", "/api/flights/101/actions"]
    assert (pilot.started, said) == ({1}, [])


async def test_a_drone_is_let_go_once_its_sortie_is_over(said: list[str]) -> None:
    console = Console(sortie(1, 1, NOW_US))
    console.given[101] = {"plan_id": 5, "sortie_id": 1, "step": "ready"}
    pilot = pilot_at(console, said)
    await pilot.look(NOW_US)
    await pilot.look(NOW_US + 2_000_000)
    assert not any(path.endswith("release") for path in console.orders)
    console.given[101]["step"] = "done"
    await pilot.look(NOW_US + 4_000_000)
    await pilot.look(NOW_US + 6_000_000)
    assert [path for path in console.orders if path.endswith("release")] == ["/api/flights/101/control/release"]


async def test_what_is_refused_is_told_once_and_tried_again(said: list[str]) -> None:
    console = Console(sortie(1, 1, NOW_US + MINUTE_US))
    console.refuses = 2
    pilot = pilot_at(console, said)
    for turn in range(4):
        await pilot.look(NOW_US + turn * (AGAIN_US + 1))
    assert len(console.orders) == 3
    assert len(said) == 1
    assert "Li is in control" in said[0]


async def test_a_drone_that_still_flies_another_sortie_is_left_to_it_and_one_without_a_unit_is_passed_over(
    said: list[str],
) -> None:
    console = Console(sortie(1, 1, NOW_US), sortie(2, 2, NOW_US))
    console.given[101] = {"plan_id": 5, "sortie_id": 9, "step": "returning"}
    pilot = pilot_at(console, said)
    await pilot.look(NOW_US)
    assert console.orders == []
    console.given[101]["step"] = "done"
    await pilot.look(NOW_US + 2_000_000)
    assert console.orders == ["/api/flights/101/sortie"]


async def test_a_sortie_that_missed_its_time_on_the_ground_makes_room_for_the_next(said: list[str]) -> None:
    console = Console(sortie(1, 1, NOW_US - LATE_US - 1), sortie(2, 1, NOW_US))
    console.given[101] = {"plan_id": 5, "sortie_id": 1, "step": "handed"}
    await pilot_at(console, said).look(NOW_US)
    assert console.given[101]["sortie_id"] == 2


def test_spares_what_was_flown_and_what_is_late_are_not_due() -> None:
    plan = Console(
        sortie(1, 1, NOW_US, is_standby=True),
        sortie(2, 1, NOW_US, state=SortieState.FLOWN),
        sortie(3, 1, NOW_US - LATE_US - 1),
        sortie(4, 1, NOW_US, waypoints=()),
        sortie(5, 1, NOW_US + GIVEN_US),
        sortie(6, 1, NOW_US),
    ).plan
    assert [one.sortie_id for one in due(plan, NOW_US)] == [6, 5]
