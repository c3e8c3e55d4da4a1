"""An operator flies a demo drone from the console in a real browser: control, confirmed orders, a place on the map, the way home."""

import re
from typing import Final

import pytest
from playwright.async_api import Page, Route, expect

from tests.e2e.conftest import RunningDemo, Visit

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]
SOON_MS: Final = 30_000
REACHED_MS: Final = 60_000
"""A demo drone's radio is lost for up to 15 s of its own time now and then, which a busy machine stretches."""
TWICE: Final = 2
PATIENCE_S: Final = 120
"""A drone that has just landed charges for a while before its next patrol."""


async def a_drone_aloft(demo: RunningDemo, page: Page) -> int:
    """Open the inspector of a drone in the air that nobody controls, one on its patrol; return its number."""
    aloft = re.compile("空中|airborne")
    for _ in range(PATIENCE_S):
        reply = await page.request.get(f"{demo.origin}/api/flights")
        free = [
            one["unit_id"] for one in (await reply.json())["flights"] if one["control"]["holder"]["kind"] == "nobody"
        ]
        for unit_id in free:
            row = page.locator(f'[data-testid="unit-row"][data-unit-id="{unit_id}"]').filter(has_text=aloft)
            if await row.count():
                await row.click()
                await expect(page.get_by_test_id("control-take")).to_be_visible()
                return int(unit_id)
        await page.wait_for_timeout(1000)
    pytest.fail(f"no drone that nobody controls was in the air for {PATIENCE_S} s")


async def take_control(page: Page) -> None:
    await page.get_by_test_id("control-take").click()
    await expect(page.get_by_test_id("control")).to_have_attribute("data-mine", "true")


async def press_twice(page: Page, key: str) -> None:
    """Press a key, see what the order costs, and press it again in time."""
    await page.keyboard.press(key)
    await page.wait_for_timeout(300)
    await page.keyboard.press(key)


async def ordered(page: Page, text: str) -> None:
    """Wait until the newest order is this one, and done."""
    newest = page.get_by_test_id("flight-order").first
    await expect(newest).to_contain_text(text, timeout=SOON_MS)
    await expect(newest).to_have_attribute("data-state", "delivered", timeout=REACHED_MS)


async def test_a_drone_is_held_sent_to_a_place_and_brought_home(demo: RunningDemo, visit: Visit) -> None:
    await visit.sign_in(demo.sign_in_url())
    page = visit.page
    await a_drone_aloft(demo, page)
    await expect(page.get_by_test_id("battery-home")).to_be_visible()
    await expect(page.get_by_test_id("action-hold")).to_have_count(0)  # not before control is taken
    await take_control(page)
    await press_twice(page, "h")
    await ordered(page, "Hold")
    await page.keyboard.press("d")
    await expect(page.get_by_test_id("action-go_to")).to_have_attribute("aria-pressed", "true")
    box = await page.get_by_test_id("map").bounding_box()
    assert box is not None
    await page.mouse.click(box["x"] + box["width"] / TWICE + 60, box["y"] + box["height"] / TWICE - 60)
    go = page.get_by_test_id("go-here")
    await expect(go).to_be_visible()
    await expect(page.get_by_test_id("action-cost")).to_be_visible(timeout=SOON_MS)
    await go.hover()
    await page.mouse.down()
    await page.wait_for_timeout(1000)
    await page.mouse.up()
    await ordered(page, "Send to")
    await press_twice(page, "r")
    await ordered(page, "Return home")
    await page.get_by_test_id("control-release").click()
    await expect(page.get_by_test_id("control")).to_have_attribute("data-mine", "false")
    assert visit.errors == []


async def what_the_rules_refuse_is_shown_and_cannot_be_ordered(page: Page) -> None:
    """Choose a place of which the console says that the way there is closed."""

    async def refuse(route: Route) -> None:
        answer = await route.fetch()
        prepared = await answer.json()
        refusal: dict[str, object] = {
            "rule_id": "R-03", "reason_zh": "航线穿过水厂，320 m", "reason_en": "the way crosses the waterworks for 320 m",
            "remedy_zh": "先飞到 36.06000, 103.83000 绕行，多飞 90 m", "remedy_en": "go round it", "numbers": {}, "remedy": {},
            "task_id": None, "visit_id": None, "airframe_id": None, "window": None, "is_warning": False,
        }  # fmt: skip
        await route.fulfill(response=answer, json=prepared | {"token": "", "refusals": [refusal]})

    await page.route("**/actions/prepare", refuse)
    await page.keyboard.press("d")
    box = await page.get_by_test_id("map").bounding_box()
    assert box is not None
    await page.mouse.click(box["x"] + box["width"] / TWICE + 60, box["y"] + box["height"] / TWICE - 60)
    said = page.get_by_test_id("action-refusal")
    await expect(said).to_contain_text("航线穿过水厂，320 m", timeout=SOON_MS)
    await expect(said).to_contain_text("绕行")
    await expect(page.get_by_test_id("go-here")).to_be_disabled()
    await page.keyboard.press("Escape")
    await page.unroute("**/actions/prepare")


async def test_one_press_orders_nothing_and_escape_forgets_it_in_chinese(
    demo: RunningDemo, chinese_visit: Visit
) -> None:
    visit = chinese_visit
    await visit.sign_in(demo.sign_in_url())
    page = visit.page
    await a_drone_aloft(demo, page)
    await take_control(page)
    await expect(page.get_by_test_id("control-holder")).to_have_text("由我控制")
    before = await page.get_by_test_id("flight-order").count()
    await page.keyboard.press("r")
    await expect(page.get_by_test_id("action-cost")).to_contain_text("电量", timeout=SOON_MS)
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("action-cost")).to_have_count(0)
    assert await page.get_by_test_id("flight-order").count() == before
    await what_the_rules_refuse_is_shown_and_cannot_be_ordered(page)
    await page.get_by_test_id("control-release").click()
    assert visit.errors == []


async def test_control_is_passed_on_and_taken_back_by_force_in_chinese(
    demo: RunningDemo, chinese_visit: Visit, visit: Visit
) -> None:
    name = "relief"
    demo.command("user", "add", name, "--role", "operator")
    await chinese_visit.sign_in(demo.sign_in_url())
    await visit.sign_in(demo.sign_in_url(name))
    page, other = chinese_visit.page, visit.page
    unit_id = await a_drone_aloft(demo, page)
    await take_control(page)
    await page.get_by_test_id("control-hand-over").click()
    await page.get_by_test_id("hand-over-to").select_option(label=name)
    await page.get_by_test_id("hand-over-send").click()
    await expect(page.get_by_test_id("control-offer")).to_contain_text(f"已请 {name} 接管")
    await other.locator(f'[data-testid="unit-row"][data-unit-id="{unit_id}"]').click()
    await other.get_by_test_id("control-accept").click()
    await expect(other.get_by_test_id("control")).to_have_attribute("data-mine", "true")
    await expect(page.get_by_test_id("control-holder")).to_have_text(f"{name} 控制中")
    await page.get_by_test_id("control-force").click()
    await page.get_by_test_id("force-reason").fill("演练结束")
    await page.get_by_test_id("force-send").click()
    await expect(page.get_by_test_id("control")).to_have_attribute("data-mine", "true")
    await expect(other.get_by_test_id("control")).to_contain_text("演练结束")
    await press_twice(page, "h")
    await ordered(page, "悬停")
    await page.get_by_test_id("control-release").click()
    assert [*chinese_visit.errors, *visit.errors] == []
