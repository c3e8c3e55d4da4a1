"""Every example runs: those that plan by themselves, and those that fly on a console with demo drones."""

import asyncio
import runpy
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from mission.plan import Sortie, SortieState
from mission.script import connect, dock, drone
from tests.conftest import PROJECT, TestDatabase
from tests.demo_drone import PAD_LAT_DEG, PAD_LON_DEG
from tests.flying_house import FlyingHouse, flying

EXAMPLES = PROJECT / "examples"
FLYING = {
    "first_responder.py": ("36.0612", "103.8300", "10"),
    "search_now.py": ("36.0612", "103.8300", "30"),
    "publish_a_day.py": ("36.0612", "103.8305"),
}
ASKING = "ask_what_if.py"
MOST_LINES = 15
Run = Callable[..., str]


@pytest.fixture(name="run")
def running_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(name: str, *words: str) -> str:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [name, *words])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return run


def offline() -> list[str]:
    return sorted(path.name for path in EXAMPLES.glob("*.py") if path.name not in {*FLYING, ASKING})


@pytest.mark.parametrize("name", offline())
def test_an_example_plans_by_itself(name: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mission.script.day.USUAL_EFFORT_S", 0.3)
    said = run(name)
    assert "0 refusals" in said, said
    assert "\n0 sorties" not in said


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_an_example_is_short_and_says_what_it_shows(name: str) -> None:
    lines = (EXAMPLES / name).read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith('"""')
    code = [line for line in lines[1:] if line.strip() and not line.startswith(("#", "from ", "import "))]
    assert len(code) <= MOST_LINES
    assert name in (EXAMPLES / "README.md").read_text(encoding="utf-8")


@pytest.fixture(name="sky")
async def flying_house(database: TestDatabase, tmp_path: Path) -> AsyncIterator[FlyingHouse]:
    async with flying(database, tmp_path, speed_up=60) as sky:
        yield sky


async def test_the_examples_that_fly_fly_one_after_the_other(
    sky: FlyingHouse, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await sky.key()
    monkeypatch.setenv("SKYBEAT_URL", sky.house.origin)
    monkeypatch.setenv("SKYBEAT_KEY", key)
    monkeypatch.setattr("mission.script.console.LOOK_EVERY_S", 0.1)
    (unit_id,) = sky.drones

    def prepare() -> None:
        with connect() as console:
            pad = dock("Pad", (PAD_LAT_DEG, PAD_LON_DEG))
            console.add(pad, drone("Hawk", dock=pad, unit_id=unit_id))

    await asyncio.to_thread(prepare)
    for name, words in FLYING.items():
        with sky.drones[unit_id].lock:
            sky.drones[unit_id].drone.craft.body.battery.ratio = 1.0
        said = await asyncio.to_thread(run, name, *words)
        assert "done" in said, f"{name}: {said}"
    asked = await asyncio.to_thread(run, ASKING, "36.0612", "103.8305")
    assert "not done: Ferry" in asked
    assert "mended: 2" in asked
    async with asyncio.timeout(60):  # the plan follows within a second
        while (flown := await asyncio.to_thread(first_sortie_of_first_plan)).state is not SortieState.FLOWN:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert flown.flown_waypoints == len(flown.waypoints)


def first_sortie_of_first_plan() -> Sortie:
    with connect() as console:
        return console.read_plan(1).sorties[0]
