"""At the moment of flying the programme of now counts: a zone drawn since refuses a start and a way, and is said with its name."""

import asyncio
from typing import Any

import pytest

from infra.clock import SYSTEM_CLOCK
from mission.model import Window
from mission.script import Console, connect, dock, drone, no_fly, point
from telemetry.model.errors import ConflictError
from tests.demo_drone import PAD_LAT_DEG, PAD_LON_DEG
from tests.flying_house import FlyingHouse
from tests.shared_sky import emptied_sky, shared_sky  # noqa: F401 - fixtures

pytestmark = pytest.mark.asyncio(loop_scope="module")

MINUTE_US = 60_000_000
GATE = (PAD_LAT_DEG + 0.002, PAD_LON_DEG)


def ring(lat_deg: float, lon_deg: float, half_deg: float = 0.0005) -> list[tuple[float, float]]:
    return [
        (lat_deg - half_deg, lon_deg - half_deg),
        (lat_deg - half_deg, lon_deg + half_deg),
        (lat_deg + half_deg, lon_deg + half_deg),
        (lat_deg + half_deg, lon_deg - half_deg),
    ]


def ready(console: Console, unit_id: int) -> dict[str, int]:
    """Publish a flight to the gate and put it on board; return which it is, as it is given."""
    now_us = SYSTEM_CLOCK.now_us()
    soon = Window(now_us, now_us + 10 * MINUTE_US)
    pad = dock("Pad", (PAD_LAT_DEG, PAD_LON_DEG))
    console.add(pad, drone("Hawk", dock=pad, unit_id=unit_id), point("Gate", GATE, when=soon))
    day = console.publish(console.plan(window=soon, effort_s=0.5), reason="nobody else is on duty")
    number = day.sorties[0].sortie_id
    given = {"plan_id": day.plan.plan_id, "sortie_id": number}
    console._ask("POST", f"/api/flights/{unit_id}/sortie", given)
    for found in console.progress(unit_id, every_s=0.1):
        if found.step == "ready":
            break
    return given


def helicopter(console: Console) -> int:
    """Close the air on the way to the gate; return the zone's number."""
    return console.add(no_fly("Rescue helicopter", ring(PAD_LAT_DEG + 0.001, PAD_LON_DEG)))[0]


def prepared(console: Console, unit_id: int, **wanted: object) -> dict[str, Any]:
    found: dict[str, Any] = console._ask("POST", f"/api/flights/{unit_id}/actions/prepare", wanted)
    return found


def refused(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["rule_id"], one["numbers"].get("zone", "")) for one in found["refusals"] if not one["is_warning"]]


async def test_a_zone_that_was_drawn_since_keeps_a_sortie_on_the_ground_until_it_is_gone_and_is_given_to_nobody_in_the_air(
    sky: FlyingHouse,
) -> None:
    (unit_id, _), key = sky.drones, await sky.key()

    def fly() -> None:
        with connect(sky.house.origin, key) as console:
            given = ready(console, unit_id)
            zone_id = helicopter(console)
            found = prepared(console, unit_id, action="start")
            assert ("R-03", "Rescue helicopter") in refused(found)
            assert found["token"] == ""
            with pytest.raises(ConflictError, match="crosses Rescue helicopter"):
                console._start_when_ready(unit_id)
            text = console.flight(unit_id).text
            assert console.flight(unit_id).step == "ready"
            console.remove("zones", zone_id)
            console._start_when_ready(unit_id)
            for progress in console.progress(unit_id, every_s=0.1):
                assert progress.step != "failed", text
                if progress.flown:
                    break
            zone_id = helicopter(console)
            with pytest.raises(ConflictError, match="crosses Rescue helicopter"):
                console._ask("POST", f"/api/flights/{unit_id}/sortie", given)
            assert console.flight(unit_id).flown > 0
            console.remove("zones", zone_id)

    await asyncio.to_thread(fly)


async def test_a_drone_is_not_sent_through_a_zone_nor_higher_than_the_rules_allow(sky: FlyingHouse) -> None:
    (_, unit_id), key = sky.drones, await sky.key()
    lat_deg, lon_deg = PAD_LAT_DEG + 0.004, PAD_LON_DEG

    def ask() -> None:
        with connect(sky.house.origin, key) as console:
            console._ask("POST", f"/api/flights/{unit_id}/control/take")
            there: dict[str, object] = {"action": "go_to", "lat_deg": lat_deg, "lon_deg": lon_deg}
            assert refused(prepared(console, unit_id, **there, alt_home_m=60.0)) == []
            assert refused(prepared(console, unit_id, **there, alt_home_m=1000.0)) == [("R-01", "")]
            (zone_id,) = console.add(no_fly("Waterworks", ring(PAD_LAT_DEG + 0.002, PAD_LON_DEG)))
            found = prepared(console, unit_id, **there, alt_home_m=60.0)
            assert refused(found) == [("R-03", "Waterworks")]
            assert found["refusals"][0]["remedy_en"].startswith("go round it, by 36.0")
            order = {**there, "alt_home_m": 60.0, "token": found["token"]}
            with pytest.raises(ConflictError, match="not confirmed"):
                console._ask("POST", f"/api/flights/{unit_id}/actions", order)
            console.remove("zones", zone_id)

    await asyncio.to_thread(ask)
