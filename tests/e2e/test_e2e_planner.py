"""The planner's screen in a real browser: an area drawn, planned, refused and mended, published by four eyes, files out and in."""

import json
import re
from collections.abc import Sequence
from typing import Any, Final

import httpx
import pytest
from playwright.async_api import FilePayload, Page, expect

from tests.e2e.conftest import RunningDemo, Visit

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]
CORNERS: Final = ((0.30, 0.40), (0.42, 0.38), (0.43, 0.52), (0.31, 0.54))
USUAL_PX: Final = (900, 400)
SOON_MS: Final = 60_000
ZONE_FILE: Final = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": "North lake", "kind": "area"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [[103.84, 36.09], [103.846, 36.09], [103.846, 36.094], [103.84, 36.094], [103.84, 36.09]]
                ],
            },
        }
    ],
}


async def ask(visit: Visit, demo: RunningDemo, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - any document
    headers = {"X-Skybeat": "1", "Origin": demo.origin}
    reply = await visit.page.request.fetch(demo.origin + path, method=method, data=body, headers=headers)
    assert reply.ok, f"{method} {path}: {reply.status} {await reply.text()}"
    return await reply.json()


async def open_planner(visit: Visit, demo: RunningDemo, *, days_ahead: int = 1) -> Page:
    """Sign in, go to the planner's screen, and on to tomorrow: a whole day that nobody has planned."""
    page = visit.page
    await page.emulate_media(reduced_motion="reduce")
    await visit.sign_in(demo.sign_in_url())
    await page.keyboard.press("Alt+3")
    await expect(page.get_by_test_id("plan-page")).to_have_attribute("data-loaded", "true", timeout=SOON_MS)
    for _ in range(days_ahead):
        await page.keyboard.press("]")
    await expect(page.get_by_test_id("plan-map")).to_have_attribute("data-ready", "yes", timeout=SOON_MS)
    return page


async def place_on(page: Page, share: tuple[float, float]) -> tuple[float, float]:
    """Return where a share of a map of usual size is on the screen now: the map keeps its middle when a banner takes its room."""
    box = await page.get_by_test_id("plan-map").bounding_box()
    assert box is not None
    across, down = (share[0] - 0.5) * USUAL_PX[0], (share[1] - 0.5) * USUAL_PX[1]
    return box["x"] + box["width"] / 2 + across, box["y"] + box["height"] / 2 + down


async def draw(page: Page, corners: Sequence[tuple[float, float]]) -> None:
    """Click the corners one after the other, and the first again."""
    for corner in (*corners, corners[0]):
        place = await place_on(page, corner)
        await page.mouse.move(place[0] - 12, place[1] - 8)
        await page.mouse.move(*place, steps=3)
        await page.mouse.click(*place, delay=40)


async def test_an_area_is_drawn_planned_refused_and_mended_as_its_remedy_says(
    demo: RunningDemo, chinese_visit: Visit
) -> None:
    page = await open_planner(chinese_visit, demo)
    await page.keyboard.press("n")
    await page.get_by_test_id("new-area").click()
    await draw(page, CORNERS)
    await expect(page.get_by_test_id("plan-map")).to_have_attribute("data-drawn", "yes")
    await page.get_by_test_id("field-name_zh").fill("北岸花海")
    await page.get_by_test_id("field-alt_agl_m").fill("150")
    await expect(page.get_by_test_id("plan-map")).to_have_attribute("data-preview", "yes", timeout=SOON_MS)
    await expect(page.get_by_test_id("preview-cost")).to_contain_text("架次")
    await expect(page.get_by_test_id("draft-refusals")).to_contain_text("R-01")
    await page.get_by_test_id("item-save").click()
    await expect(page.get_by_test_id("plan-item").filter(has_text="北岸花海")).to_be_visible(timeout=SOON_MS)

    await page.get_by_test_id("plan-day-now").click()
    refusal = page.get_by_test_id("refusal").filter(has_text="北岸花海").filter(has_text="R-01")
    await expect(refusal).to_be_visible(timeout=SOON_MS)
    await refusal.get_by_test_id("adopt").click()
    await expect(refusal).to_have_count(0, timeout=SOON_MS)
    line = page.get_by_test_id("plan-item").filter(has_text="北岸花海")
    await expect(line).to_contain_text("可行", timeout=SOON_MS)
    programme = await ask(chinese_visit, demo, "GET", "/api/programme")
    mended = next(task for task in programme["programme"]["tasks"] if task["name_zh"] == "北岸花海")
    assert mended["alt_agl_m"] == 120.0
    assert chinese_visit.errors == []


async def test_a_plan_goes_through_four_eyes_and_out_and_in_as_files(demo: RunningDemo, visit: Visit) -> None:
    page = await open_planner(visit, demo)
    await call_them_dji(visit, demo)
    await page.keyboard.press("r")
    await expect(page.get_by_test_id("plan-progress")).to_be_visible()
    await expect(page.get_by_test_id("plan-progress")).to_have_count(0, timeout=SOON_MS)
    await expect(page.get_by_test_id("state-submitted")).to_be_enabled(timeout=SOON_MS)
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_test_id("state-approved")).to_be_enabled(timeout=SOON_MS)
    await page.keyboard.press("Control+Enter")  # its own plan: only alone, with a reason
    await expect(page.get_by_test_id("state-dialog")).to_be_visible()
    await page.keyboard.press("Escape")

    plan_id = await page.get_by_test_id("plan-of").get_attribute("data-plan-id")
    await approve_as_another(demo, f"second-{plan_id}", str(plan_id))
    await page.get_by_test_id("plan-take").click()
    await page.get_by_test_id("state-published").click()
    await expect(page.get_by_test_id("state-now")).to_have_text("Published", timeout=SOON_MS)

    await page.get_by_test_id("export-open").click()
    for file_format in ("plan", "kmz"):  # of a whole plan: a zip of its sorties' files
        async with page.expect_download() as saving:
            await page.get_by_test_id(f"export-{file_format}").click()
        saved = await (await saving.value).path()
        assert saved.read_bytes().startswith(b"PK")

    await page.get_by_test_id("import-open").click()
    file = FilePayload(name="lake.geojson", mimeType="application/geo+json", buffer=json.dumps(ZONE_FILE).encode())
    await page.get_by_test_id("import-file").set_input_files(file)
    preview = page.get_by_test_id("import-preview")
    await expect(preview).to_contain_text("North lake", timeout=SOON_MS)
    await expect(page.get_by_test_id("plan-item").filter(has_text="North lake")).to_have_count(0)
    await page.get_by_test_id("import-take").click()
    await expect(page.get_by_test_id("plan-item").filter(has_text="North lake")).to_be_visible(timeout=SOON_MS)
    assert [error for error in visit.errors if not re.search(r"409", error)] == []


async def call_them_dji(visit: Visit, demo: RunningDemo) -> None:
    """Give the airframes a model that DJI files are written for."""
    programme = (await ask(visit, demo, "GET", "/api/programme"))["programme"]
    for airframe in programme["airframes"]:
        path = f"/api/programme/airframes/{airframe['airframe_id']}"
        await ask(visit, demo, "PUT", path, {"item": airframe | {"model": "M3E"}})


async def approve_as_another(demo: RunningDemo, name: str, plan_id: str) -> None:
    """Approve a plan as a second supervisor, who works with a script's key."""
    demo.command("user", "add", name, "--role", "supervisor")
    key = next(word for word in demo.command("user", "key", name, "--label", "four eyes").split() if len(word) > 25)
    async with httpx.AsyncClient(base_url=demo.origin, headers={"Authorization": f"Bearer {key}"}) as client:
        version = (await client.get(f"/api/plans/{plan_id}")).json()["plan"]["version"]
        reply = await client.post(f"/api/plans/{plan_id}/state", json={"state": "approved", "version": version})
    assert reply.is_success, reply.text
