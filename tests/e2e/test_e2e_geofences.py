"""A geofence drawn with the mouse round moving units in a real browser, in Chinese: who is inside, a change, a conflict, its end."""

import re
from typing import Any, Final

import pytest
from playwright.async_api import FloatRect, Page, expect

from tests.e2e.conftest import RunningDemo, Visit

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]
CORNERS: Final = ((0.08, 0.15), (0.92, 0.15), (0.92, 0.9), (0.08, 0.9))
SOON_MS: Final = 60_000
NAME: Final = "城区巡逻范围"


async def map_box(page: Page) -> FloatRect:
    box = await page.get_by_test_id("fence-map").bounding_box()
    assert box is not None
    return box


async def draw_round_the_city(page: Page) -> None:
    """Click the corners one after the other, and the first again; until the map has come, a click draws nothing."""
    box = await map_box(page)
    for x, y in (*CORNERS, CORNERS[0]):
        place = box["x"] + x * box["width"], box["y"] + y * box["height"]
        await page.mouse.move(place[0] - 12, place[1] - 8)
        await page.mouse.move(*place, steps=3)
        await page.mouse.click(*place, delay=40)


async def ask(visit: Visit, demo: RunningDemo, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - any document
    headers = {"X-Skybeat": "1", "Origin": demo.origin}
    reply = await visit.page.request.fetch(demo.origin + path, method=method, data=body, headers=headers)
    assert reply.ok, f"{method} {path}: {reply.status} {await reply.text()}"
    return await reply.json()


async def test_a_fence_drawn_round_moving_units_tells_who_is_inside_and_is_changed_by_one_hand_at_a_time(
    demo: RunningDemo, chinese_visit: Visit
) -> None:
    visit, page = chinese_visit, chinese_visit.page
    await page.emulate_media(reduced_motion="reduce")
    await visit.sign_in(demo.sign_in_url())
    await page.keyboard.press("Alt+6")
    await expect(page.get_by_test_id("fence-map")).to_have_attribute("data-ready", "yes", timeout=SOON_MS)
    await page.keyboard.press("p")
    await expect(page.get_by_test_id("fence-middle")).to_be_visible()
    await draw_round_the_city(page)
    await expect(page.get_by_test_id("fence-map")).to_have_attribute("data-drawn", "yes")
    await page.get_by_test_id("fence-save").click()
    await expect(page.get_by_test_id("fence-problem")).to_be_visible()  # it has no name yet
    await page.get_by_test_id("fence-name-zh").fill(NAME)
    await page.get_by_test_id("fence-save").click()

    inside = page.get_by_test_id("fence-inside").locator("[data-unit-id]")
    await expect(inside.filter(has_text="警车").first).to_be_visible(timeout=SOON_MS)
    await expect(page.get_by_test_id("fence-visits").locator("tbody tr").first).to_contain_text("在内")
    geofence_id = await page.get_by_test_id("fence-detail").get_attribute("data-geofence-id")

    await page.get_by_test_id("fence-change").click()
    await ask(visit, demo, "PATCH", f"/api/geofences/{geofence_id}", {"name_en": "Town patrol"})
    await page.get_by_test_id("fence-limit").fill("80")
    await page.get_by_test_id("fence-save").click()
    await expect(page.get_by_test_id("fence-problem")).to_contain_text("别人", timeout=SOON_MS)
    assert [error for error in visit.errors if not re.search(r"409", error)] == []
    await page.get_by_test_id("fence-cancel").click()
    await page.get_by_test_id("fence-discard").click()

    await page.keyboard.press("Alt+1")
    fences = page.get_by_test_id("map-fences")
    await expect(fences).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("g")
    await expect(fences).to_have_attribute("aria-pressed", "false")
    await page.keyboard.press("Alt+6")
    await page.get_by_test_id("fence-remove").click()
    await page.get_by_test_id("fence-remove-yes").click()
    await expect(page.get_by_test_id("fence-row").filter(has_text=NAME)).to_have_count(0)
