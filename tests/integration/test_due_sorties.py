"""Published sorties whose time has come: shown to pilots; at a dock that flies by itself given, started and flown without anybody."""

import asyncio

import pytest

from infra.clock import SYSTEM_CLOCK
from mission.model import Window
from mission.plan import SortieState
from mission.script import Console, PlannedDay, connect, dock, drone, point
from telemetry.model.errors import ConflictError
from tests.demo_drone import PAD_LAT_DEG, PAD_LON_DEG
from tests.flying_house import FlyingHouse
from tests.shared_sky import emptied_sky, shared_sky  # noqa: F401 - fixtures

pytestmark = pytest.mark.asyncio(loop_scope="module")

MINUTE_US = 60_000_000


def publish(sky: FlyingHouse, key: str, unit_id: int, *, is_automatic: bool) -> PlannedDay:
    now_us = SYSTEM_CLOCK.now_us()
    soon = Window(now_us, now_us + 10 * MINUTE_US)
    with connect(sky.house.origin, key) as console:
        pad = dock("Pad", (PAD_LAT_DEG, PAD_LON_DEG), is_automatic=is_automatic)
        console.add(
            pad, drone("Hawk", dock=pad, unit_id=unit_id), point("Gate", (PAD_LAT_DEG + 0.001, PAD_LON_DEG), when=soon)
        )
        return console.publish(console.plan(window=soon, effort_s=0.5), reason="nobody else is on duty")


async def test_a_dock_that_flies_by_itself_flies_what_is_published(sky: FlyingHouse) -> None:
    (unit_id, _), key = sky.drones, await sky.key()
    day = await asyncio.to_thread(publish, sky, key, unit_id, is_automatic=True)
    assert len(day.sorties) == 1
    with connect(sky.house.origin, key) as console:

        def state() -> SortieState:
            return console.read_plan(day.plan.plan_id).sorties[0].state

        async with asyncio.timeout(120):
            while await asyncio.to_thread(state) is not SortieState.FLOWN:  # noqa: ASYNC110 - a drone offers no event
                await asyncio.sleep(0.2)


async def test_a_pilot_is_shown_what_is_due_nothing_leaves_unasked_and_what_was_taken_is_given_back_and_taken_again(
    sky: FlyingHouse,
) -> None:
    (_, unit_id), key = sky.drones, await sky.key()
    day = await asyncio.to_thread(publish, sky, key, unit_id, is_automatic=False)
    with connect(sky.house.origin, key) as console:
        due = await asyncio.to_thread(console.due)
        assert [(one["plan_id"], one["sortie_id"], one["unit_id"], one["is_automatic"]) for one in due] == [
            (day.plan.plan_id, day.sorties[0].sortie_id, unit_id, False)
        ]
        assert due[0]["name_en"] == "Gate"
        assert (await asyncio.to_thread(console.flight, unit_id)).step == "none"
        await asyncio.to_thread(give_back_and_again, console, unit_id, day)


def give_back_and_again(console: Console, unit_id: int, day: PlannedDay) -> None:
    path, given = f"/api/flights/{unit_id}/sortie", {"plan_id": day.plan.plan_id, "sortie_id": day.sorties[0].sortie_id}
    console._ask("POST", path, given)
    console._ask("DELETE", path)
    back = console.flight(unit_id)
    assert (back.step, back.text) == ("failed", "broken off by order")
    with pytest.raises(ConflictError, match="no sortie that waits on the ground"):
        console._ask("DELETE", path)
    console._ask("POST", path, given)
    assert console.flight(unit_id).step in {"handed", "uploading", "ready"}
    console._ask("DELETE", path)
