"""A sortie handed over in a real browser: from the planner to its pilot, seen on the operator's screen, given back, and handed over again."""

import re
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Page, expect

from infra.clock import MICROSECONDS, SystemClock, utc_of
from tests.e2e.conftest import RunningDemo, Visit
from tests.e2e.test_e2e_planner import SOON_MS, ask, open_planner

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]
AHEAD_S: Final = 300
"""A sortie so far ahead is not just being given by the demo's own pilot."""


async def a_sortie_to_hand_over(visit: Visit, demo: RunningDemo) -> tuple[dict[str, Any], int, int]:
    """Return a sortie ahead of the demo's published plan, its drone, which is nobody's and best on the ground, and the plan."""
    now_us = SystemClock().now_us()
    asked = f"/api/plans?from_us={now_us}&until_us={now_us + AHEAD_S * MICROSECONDS}"
    lines = [one for one in (await ask(visit, demo, "GET", asked))["plans"] if one["state"] == "published"]
    found = await ask(visit, demo, "GET", f"/api/plans/{min(one['plan_id'] for one in lines)}")
    flights = (await ask(visit, demo, "GET", "/api/flights"))["flights"]
    free = {one["unit_id"]: one for one in flights if one["control"]["holder"]["kind"] == "nobody"}
    units = {one["airframe_id"]: one["unit_id"] for one in found["programme"]["airframes"]}
    ahead = [
        (sortie, units[sortie["airframe_id"]])
        for sortie in found["plan"]["sorties"]
        if sortie["state"] == "planned"
        and sortie["takeoff_us"] > now_us + AHEAD_S * MICROSECONDS
        and units[sortie["airframe_id"]] in free
    ]
    assert ahead, "every drone of the published plan is in somebody's control"
    sortie, unit_id = max(ahead, key=lambda one: (free[one[1]]["is_armed"] is False, one[0]["takeoff_us"]))
    return sortie, unit_id, found["plan"]["plan_id"]


async def choose_sortie(page: Page, plan_id: int, sortie: dict[str, Any]) -> None:
    """Look at the day of a sortie and at its plan, and choose it in the table."""
    local = utc_of(sortie["takeoff_us"]).astimezone(ZoneInfo("Asia/Shanghai"))
    await page.get_by_test_id("plan-date").fill(f"{local:%Y-%m-%d}")
    of, pick = page.get_by_test_id("plan-of"), page.get_by_test_id("plan-pick")
    await expect(of).to_be_visible(timeout=SOON_MS)
    if await of.get_attribute("data-plan-id") != str(plan_id):
        await pick.select_option(str(plan_id))
    await expect(of).to_have_attribute("data-plan-id", str(plan_id), timeout=SOON_MS)
    await page.get_by_test_id("as-table").click()
    await page.locator(f'[data-testid="table-sortie"][data-sortie-id="{sortie["sortie_id"]}"]').click()
    await expect(page.get_by_test_id("sortie-detail")).to_be_visible()


async def test_a_sortie_is_handed_to_its_pilot_given_back_and_handed_over_again_in_chinese(
    demo: RunningDemo, chinese_visit: Visit
) -> None:
    page = await open_planner(chinese_visit, demo, days_ahead=0)
    sortie, unit_id, plan_id = await a_sortie_to_hand_over(chinese_visit, demo)
    await choose_sortie(page, plan_id, sortie)
    await page.get_by_test_id("hand-over").click()
    await expect(page.get_by_test_id("sortie-locked")).to_have_text("已在机组手中。", timeout=SOON_MS)
    await expect(page.get_by_test_id("hand-over")).to_be_disabled()

    await page.get_by_test_id("to-operator").click()
    mission = page.get_by_test_id("mission")
    await expect(mission).to_contain_text(f"架次 {sortie['sortie_id']}")
    on_board = page.locator('[data-testid="mission"][data-step="ready"]')
    waits = mission.get_by_test_id("sortie-reason").filter(has_text=re.compile(r"\S"))  # what it waits for is said
    await expect(on_board.or_(waits).first).to_be_visible(timeout=SOON_MS)
    await page.get_by_test_id("sortie-give-back").click()
    await expect(mission).to_have_attribute("data-step", "failed")

    await page.keyboard.press("Alt+3")
    await expect(page.get_by_test_id("sortie-why")).to_have_text("按命令中止")
    await expect(page.get_by_test_id("hand-over")).to_have_text("再次交机组")
    await page.get_by_test_id("hand-over").click()
    await expect(page.get_by_test_id("sortie-locked")).to_have_text("已在机组手中。", timeout=SOON_MS)
    await ask(chinese_visit, demo, "DELETE", f"/api/flights/{unit_id}/sortie")
    await ask(chinese_visit, demo, "POST", f"/api/flights/{unit_id}/control/release")
    assert chinese_visit.errors == []
