"""A console that is set to plan over a raster of heights: its plans, what-ifs, sketches and files keep their height above it."""

import json
from pathlib import Path
from typing import Any

import pytest

from console.wire import Role
from infra.clock import SYSTEM_CLOCK
from tests.conftest import TestDatabase
from tests.console_house import running

HOUR_US = 3_600_000_000
FROM_US = (SYSTEM_CLOCK.now_us() // HOUR_US + 24) * HOUR_US
UNTIL_US = FROM_US + 8 * HOUR_US
TASK: dict[str, Any] = {
    "name_zh": "山上", "name_en": "Up the hill", "kind": "point", "alt_agl_m": 60.0, "dwell_s": 30.0, "width_m": 30.0,
    "geometry": {"type": "Point", "coordinates": [103.815, 36.05]},
    "windows": [{"start_us": FROM_US + HOUR_US, "end_us": UNTIL_US - HOUR_US}],
}  # fmt: skip


@pytest.fixture(name="hill")
def hill_file(tmp_path: Path) -> Path:
    """A slope of one in four to the east of the dock, 225 m up to a plateau."""
    path = tmp_path / "hill.asc"
    heights = [1500 + round(min(max(step - 22, 0), 10) * 22.5) for step in range(61)]
    head = "ncols 61\nnrows 41\nxllcenter 103.78\nyllcenter 36.03\ncellsize 0.001\n"
    path.write_text(head + (" ".join(map(str, heights)) + "\n") * 41)
    return path


async def test_all_that_the_console_plans_is_laid_over_its_terrain(
    database: TestDatabase, tmp_path: Path, hill: Path
) -> None:
    async with (
        running(database, tmp_path, terrain=hill) as house,
        house.client(await house.cookie(Role.SUPERVISOR)) as client,
    ):
        dock = {"name": "D", "lat_deg": 36.05, "lon_deg": 103.8}
        dock_id = (await client.post("/api/programme/docks", json={"item": dock})).json()["item_id"]
        await client.post("/api/programme/airframes", json={"item": {"name": "A", "dock_id": dock_id}})
        await client.post("/api/programme/tasks", json={"item": TASK})
        far = TASK | {"geometry": {"type": "Point", "coordinates": [103.775, 36.05]}}
        seen = await client.post("/api/programme/check", json={"kind": "tasks", "item": far}, timeout=60)
        wish = {"from_us": FROM_US, "until_us": UNTIL_US, "effort_s": 0.5, "iterations": 20}
        made = await client.post("/api/plans", json=wish, timeout=60)
        plan = made.json()["plan"]
        mended = await client.post(
            f"/api/plans/{plan['plan_id']}/what_if", json={"version": plan["version"]}, timeout=60
        )
        file = await client.get(
            f"/api/plans/{plan['plan_id']}/export",
            params={"format": "plan", "sortie_id": plan["sorties"][0]["sortie_id"]},
        )
    assert "outside of the terrain hill.asc" in seen.text, seen.text
    for each in (plan, mended.json()["plan"]):
        assert each["terrain"] == "hill.asc"
        assert not [one for one in each["refusals"] if one["rule_id"] == "R-33"]
        (sortie,) = each["sorties"]
        over = [way for way in sortie["waypoints"] if way["task_id"] is not None]
        assert {round(way["alt_home_m"] - 60.0) for way in over} == {225}
        assert {round(way["ground_above_home_m"]) for way in over} == {225}
    flown = [one["params"][6] for one in json.loads(file.content)["mission"]["items"] if one["command"] == 16]
    assert max(flown) == pytest.approx(285.0, abs=1.0)
