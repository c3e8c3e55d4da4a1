"""A supervisor's main tasks in a real browser, in both languages: the gap and the open ring, a call, the advised unit, what if, the shift."""

import asyncio
import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.conftest import RunningDemo, Visit, run_demo

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

ARRIVES_WITHIN_MS: Final = 420_000
READY_MS: Final = 60_000
SOON_MS: Final = 30_000
"""A machine that draws in software and runs a whole city beside it takes its time."""
AVAILABLE: Final = ("free", "standby")
WORDS: Final = {
    "en": {"title": "Fight at the night market", "open": "open", "advised": "advised", "report": "Shift report"},
    "zh": {"title": "夜市有人打架", "open": "断开", "advised": "推荐", "report": "班次报告"},
}


@pytest.fixture(scope="module")
def staffed_demo() -> Iterator[RunningDemo]:
    """A demo by day with whole crews at all stations."""
    yield from run_demo(unit_count=116)


class Supervisor:
    """Somebody at the supervisor's screen."""

    def __init__(self, visit: Visit, demo: RunningDemo, language: str) -> None:
        self.visit, self.demo, self.page, self.language = visit, demo, visit.page, language
        self.words = WORDS[language]

    def __call__(self, name: str) -> Locator:
        return self.page.get_by_test_id(name)

    async def begin(self) -> None:
        await self.visit.sign_in(self.demo.sign_in_url())
        await self.page.keyboard.press("2")
        await expect(self("stations")).to_be_visible(timeout=SOON_MS)
        await expect(self("cover-3-value")).to_contain_text(re.compile(r"\d"), timeout=READY_MS)

    async def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - any document
        """Ask as the same account beside the page; None when there is a conflict."""
        headers = {"X-Skybeat": "1", "Origin": self.demo.origin}
        reply = await self.page.request.fetch(self.demo.origin + path, method=method, data=body, headers=headers)
        if reply.status == 409:
            return None
        assert reply.ok, f"{method} {path}: {reply.status} {await reply.text()}"
        return await reply.json()

    async def units_of(self, number: int) -> list[dict[str, Any]]:
        stations = (await self.ask("GET", "/api/stations"))["stations"]
        station_id = next(each["station_id"] for each in stations if each["number"] == number)
        units = (await self.ask("GET", "/api/units"))["units"]
        return [unit for unit in units if unit["station_id"] == station_id and unit["kind"] != "drone"]

    async def set_duty(self, units: list[dict[str, Any]], duty: str) -> None:
        """Set everybody's duty status; who has a task finishes it first."""
        for unit in units:
            if unit["duty_status"] == "engaged":
                continue
            for _ in range(300):
                if await self.ask("PUT", f"/api/units/{unit['unit_id']}/duty", {"duty_status": duty}):
                    break
                await asyncio.sleep(1.0)

    async def relieved_station(self) -> tuple[int, list[dict[str, Any]]]:
        """Return a station of the ring whose whole crew is at hand, so that it can go off duty at once."""
        for _ in range(60):
            for number in (9, 12, 3, 5, 8):
                crew = [unit for unit in await self.units_of(number) if unit["duty_status"] != "off_duty"]
                if crew and all(unit["duty_status"] in (*AVAILABLE, "engaged") for unit in crew):
                    return number, crew
            await asyncio.sleep(1.0)
        pytest.fail("no station had its whole crew at hand within a minute")


async def supervise(visit: Visit, demo: RunningDemo, language: str) -> Supervisor:
    supervisor = Supervisor(visit, demo, language)
    await supervisor.begin()
    return supervisor


async def sees_the_gap_and_the_broken_link(desk: Supervisor) -> None:
    number, crew = await desk.relieved_station()
    await desk.set_duty(crew, "off_duty")
    links = desk("ring-row").filter(has_text=re.compile(rf"0?{number}(?!\d)"))
    await expect(links).to_have_count(2, timeout=SOON_MS)
    await expect(links.first).to_contain_text(desk.words["open"], timeout=SOON_MS)
    await expect(links.first).to_contain_text(re.compile(r"\d+:\d\d|–"), timeout=SOON_MS)
    await expect(desk("kpi-ring")).to_contain_text("/ 14", timeout=SOON_MS)
    await expect(desk("gap-row").first).to_contain_text("km²", timeout=SOON_MS)
    await desk("gap-row").first.get_by_role("button").first.click()
    await expect(desk("gap-row").first.locator(".closer")).not_to_have_count(0, timeout=SOON_MS)
    await desk.set_duty(crew, "free")
    await expect(links).to_have_count(0, timeout=60_000)


async def takes_a_call_without_a_place_and_asks_for_it(desk: Supervisor) -> None:
    await desk("station-row").nth(10).get_by_role("button").click()
    await desk.page.wait_for_timeout(1_500)
    await drag_from_the_middle(desk.page)
    await desk.page.keyboard.press("n")
    await desk("call-title").fill(desk.words["title"])
    await desk("call-urgency-1").click()
    await desk("call-save").click()
    await expect(desk("incident-title")).to_have_text(desk.words["title"], timeout=SOON_MS)
    await expect(desk("place-picker")).to_be_visible(timeout=SOON_MS)
    await desk("place-middle").click()
    await desk("place-save").click()
    await expect(desk("place-picker")).to_be_hidden(timeout=SOON_MS)


async def sends_the_advised_unit_by_one_key(desk: Supervisor) -> None:
    advised = desk("candidate").and_(desk.page.locator("[data-advised=true]"))
    await expect(advised).to_have_count(1, timeout=SOON_MS)
    await expect(advised).to_contain_text(desk.words["advised"], timeout=SOON_MS)
    await expect(advised).to_have_attribute("aria-pressed", "true", timeout=SOON_MS)
    unit_id = await advised.get_attribute("data-unit-id")
    await desk.page.locator("#incident").focus()
    await desk.page.keyboard.press("Enter")
    await expect(desk("dispatch").first).to_have_attribute("data-unit-id", unit_id or "", timeout=SOON_MS)


async def sees_receipts_until_somebody_is_there(desk: Supervisor) -> None:
    """Under way is passed over by a unit that stands at the place already."""
    line = desk("dispatch").first
    for step in ("sent", "received", "accepted", "arrived"):
        done = line.locator(f"li[data-step={step}]")
        await expect(done).to_have_attribute("data-done", "true", timeout=ARRIVES_WITHIN_MS)
    await expect(desk("incident-standing")).to_have_attribute("data-state", "on_scene", timeout=SOON_MS)


async def asks_what_if_a_station_stood_elsewhere(desk: Supervisor) -> None:
    await desk.page.keyboard.press("Escape")
    await desk("station-row").nth(8).get_by_role("button").click()
    await desk.page.wait_for_timeout(1_500)
    await desk("whatif-toggle").first.click()
    await expect(desk("whatif-panel")).to_be_visible(timeout=SOON_MS)
    await drag_from_the_middle(desk.page)
    await expect(desk("whatif-changes").locator("li")).to_have_count(1, timeout=SOON_MS)
    await expect(desk("whatif-figures")).to_be_visible(timeout=SOON_MS)
    await desk("whatif-arrows").focus()
    await desk.page.keyboard.press("ArrowRight")
    await expect(desk("whatif-figures").locator("tbody tr")).to_have_count(5, timeout=SOON_MS)
    await desk.page.keyboard.press("Escape")
    await expect(desk("whatif-panel")).to_be_hidden(timeout=SOON_MS)


async def drag_from_the_middle(page: Page) -> None:
    box = await page.get_by_test_id("map").bounding_box()
    assert box is not None
    east, south = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await page.mouse.move(east, south)
    await page.mouse.down()
    await page.mouse.move(east + 60, south + 40, steps=6)
    await page.mouse.move(east + 120, south + 80, steps=6)
    await page.mouse.up()


async def keeps_the_shifts_report(desk: Supervisor) -> None:
    await desk.page.keyboard.press("p")
    await expect(desk("report")).to_be_visible(timeout=SOON_MS)
    await expect(desk("report")).to_contain_text(desk.words["report"], timeout=SOON_MS)
    await expect(desk("report-incidents")).to_contain_text(desk.words["title"], timeout=SOON_MS)
    await expect(desk("report-units").locator("tbody tr")).not_to_have_count(0, timeout=SOON_MS)
    async with desk.page.expect_download() as saving:
        await desk("report-csv").click()
    file = await (await saving.value).path()
    text = await asyncio.to_thread(Path(file).read_text, "utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) > 1
    assert any(desk.words["title"] in cell for row in rows for cell in row)
    await desk("report-close").click()
    await expect(desk("report")).to_be_hidden(timeout=SOON_MS)


async def works_a_shift(desk: Supervisor) -> None:
    await sees_the_gap_and_the_broken_link(desk)
    await takes_a_call_without_a_place_and_asks_for_it(desk)
    await sends_the_advised_unit_by_one_key(desk)
    await sees_receipts_until_somebody_is_there(desk)
    await asks_what_if_a_station_stood_elsewhere(desk)
    await keeps_the_shifts_report(desk)
    assert desk.visit.errors == []


async def test_a_supervisors_shift_in_english(staffed_demo: RunningDemo, visit: Visit) -> None:
    await works_a_shift(await supervise(visit, staffed_demo, "en"))


async def test_a_supervisors_shift_in_chinese(staffed_demo: RunningDemo, chinese_visit: Visit) -> None:
    await works_a_shift(await supervise(chinese_visit, staffed_demo, "zh"))
