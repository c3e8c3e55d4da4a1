"""Mission scripts against a whole console: a drone of the programme is sent, told of, and comes home; clear words for what fails."""

import asyncio

import pytest

from console.wire import Role
from infra.clock import MICROSECONDS, SYSTEM_CLOCK
from mission.model import Window
from mission.script import Change, Console, Progress, connect, dock, drone, point
from telemetry.model.errors import ConflictError, InputError, NotAllowedError, NotFoundError, UnavailableError
from tests.demo_drone import PAD_LAT_DEG, PAD_LON_DEG
from tests.flying_house import FlyingHouse
from tests.shared_sky import emptied_sky, shared_sky  # noqa: F401 - fixtures

pytestmark = pytest.mark.asyncio(loop_scope="module")


def fly_there_and_home(console: Console, unit_id: int) -> list[Progress]:
    pad = dock("Pad", (PAD_LAT_DEG, PAD_LON_DEG))
    console.add(pad, drone("Hawk", dock=pad, unit_id=unit_id))
    flight = console.fly_to(PAD_LAT_DEG + 0.002, PAD_LON_DEG, stay_s=10)
    assert flight.unit_id == unit_id
    return list(console.progress(unit_id, every_s=0.1))


async def test_a_drone_is_sent_told_of_and_comes_home(sky: FlyingHouse) -> None:
    unit_id = next(iter(sky.drones))
    with connect(sky.house.origin, await sky.key()) as console:
        steps = await asyncio.to_thread(fly_there_and_home, console, unit_id)
    assert steps[-1].step == "done", steps
    assert any(step.step == "flying" and step.arrive_s is not None for step in steps)
    there = [step for step in steps if step.arrived_us is not None]
    assert there[-1] == steps[-1]
    assert {(step.arrived_us, step.arrive_s) for step in there} == {(there[0].arrived_us, None)}


async def test_what_fails_is_said_in_the_console_s_own_words(sky: FlyingHouse) -> None:
    def tries(key: str, viewer: str) -> None:
        with connect(sky.house.origin, key) as console:
            with pytest.raises(NotFoundError, match="no drone of the programme in your scope"):
                console.fly_to(PAD_LAT_DEG, PAD_LON_DEG)
            with pytest.raises(InputError, match=r"lat_deg of .Nowhere. is 95"):
                console.add(dock("Nowhere", (95.0, 10.0)))
            with pytest.raises(NotFoundError, match="there is no plan 7"):
                console.read_plan(7)
        with connect(sky.house.origin, viewer) as console, pytest.raises(NotAllowedError, match="the role viewer"):
            console.plan()
        with (
            connect(sky.house.origin, "skbk_wrong") as console,
            pytest.raises(NotAllowedError, match="works for nobody"),
        ):
            console.programme()

    await asyncio.to_thread(tries, await sky.key(), await sky.key(Role.VIEWER))


async def test_a_script_without_a_key_or_a_console_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SKYBEAT_KEY", raising=False)
    with pytest.raises(InputError, match="skybeat user key"):
        connect()
    with connect("http://127.0.0.1:9", "skbk_x") as console, pytest.raises(UnavailableError, match="skybeat serve"):
        console.programme()


async def test_a_script_asks_what_if_and_mends_a_plan_alike(sky: FlyingHouse) -> None:
    now_us = SYSTEM_CLOCK.now_us()

    def mends(key: str) -> None:
        with connect(sky.house.origin, key) as console:
            pad = dock("Pad", (PAD_LAT_DEG, PAD_LON_DEG), pad_count=2)
            console.add(pad, *(drone(name, dock=pad) for name in ("Hawk", "Kite")), point("Bridge", (36.06, 103.81)))
            day = console.plan(window=Window(now_us, now_us + 6 * 3600 * MICROSECONDS), effort_s=0.5)
            (flown,) = {sortie.airframe_id for sortie in day.plan.sorties}
            lost = Change(without_airframe_ids=(flown,))
            asked = console.what_if(day, lost)
            assert console.read_plan(day.plan.plan_id).plan.version == day.plan.version
            mended = console.repair(day, lost)
            for found in (asked, mended):
                assert {sortie.airframe_id for sortie in found.plan.sorties}.isdisjoint({flown})
            assert mended.plan.version == day.plan.version + 1
            with pytest.raises(ConflictError, match="read it again"):
                console.repair(day, lost)
            with pytest.raises(NotFoundError, match="the plan has no sortie 99"):
                console.fly(mended, 99)

    await asyncio.to_thread(mends, await sky.key())
