"""Drones that are sent to a call fly there by themselves, come home when they are recalled, and are taken back when they cannot go."""

import asyncio
from typing import Any

import httpx
import pytest

from mission.script import connect, dock, drone
from tests.demo_drone import PAD_LAT_DEG, PAD_LON_DEG
from tests.flying_house import FlyingHouse
from tests.shared_sky import emptied_sky, shared_sky  # noqa: F401 - fixtures

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALL = {"title": "Smoke on the roof", "lat_deg": PAD_LAT_DEG + 0.004, "lon_deg": PAD_LON_DEG}


async def draw(sky: FlyingHouse, key: str, unit_id: int, **more: Any) -> None:  # noqa: ANN401 - an airframe's fields
    def add() -> None:
        with connect(sky.house.origin, key) as console:
            pad = dock("Pad", (PAD_LAT_DEG, PAD_LON_DEG))
            console.add(pad, drone("Hawk", dock=pad, unit_id=unit_id, **more))

    await asyncio.to_thread(add)


async def send(client: httpx.AsyncClient, unit_id: int) -> Any:  # noqa: ANN401 - JSON
    call = (await client.post("/api/incidents", json=CALL | {"source_ref": f"c{unit_id}"})).json()["incident"]
    wish = {"version": call["version"], "unit_ids": [unit_id]}
    answer = await client.post(f"/api/incidents/{call['incident_id']}/dispatch", json=wish)
    assert answer.status_code == 200, answer.text
    return answer.json()["incident"]


async def step_of(client: httpx.AsyncClient, unit_id: int) -> str:
    sortie = (await client.get(f"/api/flights/{unit_id}")).json()["flight"]["sortie"]
    return "none" if sortie is None else str(sortie["step"])


async def until_step(client: httpx.AsyncClient, unit_id: int, *steps: str) -> None:
    async with asyncio.timeout(60):
        while await step_of(client, unit_id) not in steps:  # noqa: ASYNC110 - a drone offers no event
            await asyncio.sleep(0.1)


async def test_a_drone_sent_to_a_call_flies_there_and_comes_home_when_it_is_recalled(sky: FlyingHouse) -> None:
    (unit_id, _), key = sky.drones, await sky.key()
    await draw(sky, key, unit_id)
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=sky.house.origin, headers=headers, trust_env=False) as client:
        call = await send(client, unit_id)
        await until_step(client, unit_id, "flying")
        url = f"/api/incidents/{call['incident_id']}/dispatches/{call['dispatches'][0]['dispatch_id']}/recall"
        assert (await client.post(url, json={"reason": "false alarm"})).status_code == 200
        await until_step(client, unit_id, "failed", "done")  # broken off by order; home already, on a slow machine
        async with asyncio.timeout(60):  # it was nobody's before, and is again
            while await holder_of(client, unit_id) != "nobody":  # noqa: ASYNC110
                await asyncio.sleep(0.1)


async def holder_of(client: httpx.AsyncClient, unit_id: int) -> str:
    flight = (await client.get(f"/api/flights/{unit_id}")).json()["flight"]
    return str(flight["control"]["holder"]["kind"])


async def test_a_drone_that_cannot_go_is_taken_back_from_the_call_with_the_reason(sky: FlyingHouse) -> None:
    (_, unit_id), key = sky.drones, await sky.key()
    await draw(sky, key, unit_id, endurance_s=120.0)
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=sky.house.origin, headers=headers, trust_env=False) as client:
        call = await send(client, unit_id)
        async with asyncio.timeout(60):
            while True:
                shown = (await client.get(f"/api/incidents/{call['incident_id']}")).json()["incident"]
                if shown["dispatches"][0]["recalled_ms"] is not None:
                    break
                await asyncio.sleep(0.1)
        assert "of a battery" in shown["dispatches"][0]["reason"]
        assert await step_of(client, unit_id) == "none"
