"""More of the planner's screen in a real browser: what if, the week, settings, weather, holes and crossings, a phone."""

from typing import Final

import pytest
from playwright.async_api import Page, expect

from infra.clock import SystemClock, utc_of
from tests.e2e.conftest import RunningDemo, Visit
from tests.e2e.test_e2e_planner import SOON_MS, ask, draw, open_planner, place_on

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]
BORDER: Final = ((0.30, 0.36), (0.52, 0.36), (0.52, 0.64), (0.30, 0.64))
HOLE: Final = ((0.37, 0.45), (0.45, 0.45), (0.45, 0.55), (0.37, 0.55))
BOW: Final = ((0.30, 0.36), (0.52, 0.64), (0.52, 0.36), (0.30, 0.64))
PHONE_PX: Final = (390, 844)


async def answered(page: Page, about: str) -> None:
    """Ask what if, and wait for the answer beside the plan as it is."""
    await page.get_by_test_id(f"what-if-{about}").click()
    await page.get_by_test_id("what-if-ask").click()
    await expect(page.get_by_test_id("what-if-figures")).to_contain_text("→", timeout=SOON_MS)


async def see_the_week(page: Page) -> None:
    """Look at the week as a chart, and at the same as a table, which names tasks in full."""
    await page.get_by_test_id("span-week").click()
    axis = page.get_by_test_id("gantt").locator("svg.axis")
    for day in ("周一", "周四", "周日"):
        await expect(axis).to_contain_text(day)
    await expect(page.get_by_test_id("gantt-sortie").first).to_be_attached(timeout=SOON_MS)
    await page.get_by_test_id("as-table").click()
    await expect(page.get_by_test_id("gantt-table")).to_contain_text("水车灯会")


async def change_settings(page: Page) -> None:
    """Enter a holiday, and another value of a rule that only warns."""
    await page.get_by_test_id("settings-open").click()
    await page.get_by_test_id("field-holidays").fill("2026-10-01")
    await page.get_by_test_id("rules").get_by_label("R-02 最低离地 m").fill("21")
    await page.get_by_test_id("settings-keep").click()
    await expect(page.get_by_test_id("settings-dialog")).to_be_hidden()


async def read_metars(page: Page) -> None:
    """Give a text that is no METAR, then one that is."""
    await page.keyboard.press("n")
    await page.get_by_test_id("new-weather-item").click()
    await page.get_by_test_id("field-metar").fill("sunny, little wind")
    await page.get_by_test_id("metar-read").click()
    await expect(page.get_by_test_id("item-problem")).to_contain_text("无法识读")
    await page.get_by_test_id("field-metar").fill(
        f"METAR ZLLL {utc_of(SystemClock().now_us()):%d%H%M}Z 32003MPS 9999 FEW040 08/M02 Q1024"
    )
    await page.get_by_test_id("metar-read").click()
    await expect(page.get_by_test_id("plan-tile")).to_contain_text("ZLLL")


async def work_on_a_phone(page: Page) -> None:
    """See nothing run over the narrow screen's edge, and put a point on the map and describe it."""
    await page.set_viewport_size({"width": PHONE_PX[0], "height": PHONE_PX[1]})
    tabs = page.locator(".plantabs button")
    for tab in range(await tabs.count()):
        await tabs.nth(tab).click()
        assert await page.evaluate("document.documentElement.scrollWidth") == PHONE_PX[0]
    await tabs.first.click()
    await page.get_by_test_id("plan-new").click()
    await page.get_by_test_id("new-point").click()
    await page.get_by_test_id("in-middle").click()
    await page.get_by_role("button", name="填写").click()
    await page.get_by_test_id("field-name_zh").fill("码头")
    await expect(page.get_by_test_id("preview-cost")).to_be_visible(timeout=SOON_MS)
    await expect(page.get_by_test_id("item-save")).to_be_enabled()
    assert await page.evaluate("document.documentElement.scrollWidth") == PHONE_PX[0]


async def test_in_chinese_a_plan_is_asked_what_if_its_settings_and_weather_are_kept_and_it_fits_a_phone(
    demo: RunningDemo, chinese_visit: Visit
) -> None:
    page = await open_planner(chinese_visit, demo, days_ahead=0)
    await answered(page, "wind")  # more than any of the demo's drones takes
    await expect(page.get_by_test_id("what-if-shown")).to_have_text("推演：风 12 m/s")
    for said in ("R-11", "机型上限"):
        await expect(page.get_by_test_id("what-if-tasks")).to_contain_text(said)
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("what-if-shown")).to_have_count(0)
    for about in ("without", "priority"):
        await answered(page, about)
        await page.get_by_test_id("what-if-end").click()
        await expect(page.get_by_test_id("what-if-figures")).to_have_count(0)
    await see_the_week(page)
    await change_settings(page)
    kept = (await ask(chinese_visit, demo, "GET", "/api/programme"))["programme"]
    assert (kept["holidays"], kept["rules"]["R-02"]) == (["2026-10-01"], {"least_agl_m": 21})
    await read_metars(page)
    await work_on_a_phone(page)
    assert [error for error in chinese_visit.errors if "422" not in error] == []


async def test_an_area_gets_a_hole_and_a_border_that_crosses_itself_is_refused(demo: RunningDemo, visit: Visit) -> None:
    page = await open_planner(visit, demo)
    await page.keyboard.press("n")
    await page.get_by_test_id("new-area").click()
    await draw(page, BOW)
    await expect(page.get_by_test_id("draw-hint")).to_contain_text("crosses itself")
    await expect(page.get_by_test_id("item-save")).to_be_disabled()
    await page.get_by_test_id("redraw").click()
    await draw(page, BORDER)
    await page.locator("[data-field=geometry] > summary").click()
    await page.get_by_test_id("draw-hole").click()
    await draw(page, HOLE)
    await expect(page.get_by_test_id("preview-cost")).to_contain_text("Sorties", timeout=SOON_MS)
    before = await page.get_by_test_id("places").input_value()
    assert before.count("\n") == 2 * len(BORDER)  # two rings, and what parts them

    await page.mouse.move(*await place_on(page, BORDER[1]))
    await page.mouse.down()
    await page.mouse.move(*await place_on(page, (0.2, 0.5)), steps=6)
    await expect(page.get_by_test_id("draw-hint")).to_contain_text("crosses itself")
    await page.mouse.move(*await place_on(page, (0.58, 0.30)), steps=6)
    await page.mouse.up()
    await expect(page.get_by_test_id("draw-hint")).to_contain_text("Drag its corners")
    await expect(page.get_by_test_id("places")).not_to_have_value(before)
    await page.keyboard.press("Escape")
    await page.get_by_test_id("item-discard").click()
    assert visit.errors == []
