"""An operator's work in a real browser against the running demo."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import RunningDemo, Visit

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


async def placed(visit: Visit) -> dict[int, tuple[float, float]]:
    """Return where the page believes each unit to be."""
    units = await visit.figure("units()")
    assert isinstance(units, list)
    return {unit["unit_id"]: (unit["lat"], unit["lon"]) for unit in units if unit["lat"] is not None}


async def until_placed(visit: Visit, least: int) -> dict[int, tuple[float, float]]:
    """Wait until at least so many units have a place and return the places."""
    for _ in range(120):
        if len(now := await placed(visit)) >= least:
            return now
        await asyncio.sleep(0.25)
    pytest.fail(f"fewer than {least} units had a place within 30 s")


async def until_moved(visit: Visit, before: dict[int, tuple[float, float]], least: int) -> None:
    """Wait until at least so many units stand elsewhere."""
    for _ in range(120):
        now = await placed(visit)
        if sum(now.get(unit_id, place) != place for unit_id, place in before.items()) >= least:
            return
        await asyncio.sleep(0.25)
    pytest.fail(f"fewer than {least} units moved within 30 s")


async def test_a_one_time_link_signs_in_shows_every_unit_and_they_move(demo: RunningDemo, visit: Visit) -> None:
    url = demo.sign_in_url()
    await visit.sign_in(url)
    assert "#" not in visit.page.url
    await expect(visit.page.get_by_test_id("unit-counts")).to_contain_text(re.compile(r"online 6[0-2]"), timeout=30_000)
    await until_moved(visit, await until_placed(visit, 41), 10)
    assert visit.errors == []
    await visit.page.goto(url)
    await expect(visit.page.get_by_test_id("sign-in-error")).to_be_visible()


async def test_a_search_finds_a_drone_and_the_map_follows_it(demo: RunningDemo, visit: Visit) -> None:
    await visit.sign_in(demo.sign_in_url())
    await visit.page.keyboard.press("/")
    await visit.page.keyboard.type("Hawk 01")
    row = visit.page.get_by_test_id("unit-row")
    await expect(row).to_have_count(1)
    await row.click()
    await expect(visit.page.get_by_test_id("inspector-name")).to_have_text("Hawk 01")
    await visit.page.get_by_test_id("map-follow").click()
    await expect(visit.page.get_by_test_id("map-follow")).to_have_attribute("aria-pressed", "true")
    await expect(visit.page.get_by_test_id("reading-mode-name")).to_contain_text(re.compile(r"[A-Z_]{3,}"))
    await expect(visit.page.get_by_test_id("mission")).to_contain_text(re.compile(r"\d+ / \d+"))
    await expect(visit.page.get_by_test_id("status-text")).to_be_visible()
    await expect(visit.page.get_by_test_id("reading-speed")).to_contain_text(re.compile(r"\d|–"))
    assert visit.errors == []


async def test_the_keyboard_alone_reaches_a_units_details(demo: RunningDemo, visit: Visit) -> None:
    await visit.sign_in(demo.sign_in_url())
    await visit.page.keyboard.press("j")
    await visit.page.keyboard.press("j")
    await visit.page.keyboard.press("Enter")
    await expect(visit.page.get_by_test_id("inspector-name")).not_to_be_empty()
    await visit.page.keyboard.press("?")
    await expect(visit.page.get_by_test_id("help-dialog")).to_be_visible()
    await visit.page.keyboard.press("Escape")
    await expect(visit.page.get_by_test_id("help-dialog")).to_be_hidden()


async def test_both_languages_name_the_same_units(demo: RunningDemo, visit: Visit) -> None:
    await visit.sign_in(demo.sign_in_url())
    await expect(visit.page.get_by_test_id("operator").first).to_contain_text("Drones")
    await visit.page.get_by_test_id("language-switch").first.click()
    await expect(visit.page.get_by_test_id("operator").first).to_contain_text("无人机")
    await expect(visit.page.locator("html")).to_have_attribute("lang", re.compile("zh"))
    await expect(visit.page.get_by_test_id("unit-list")).to_contain_text(re.compile("巡鹰.?01"))


async def test_coverage_is_reckoned_live_and_planned_contours_are_drawn(demo: RunningDemo, visit: Visit) -> None:
    async with visit.page.expect_response("**/api/coverage/planned", timeout=30_000) as planned:
        await visit.sign_in(demo.sign_in_url())
    assert (await planned.value).status == 200
    await expect(visit.page.get_by_test_id("cover-3")).to_contain_text(re.compile(r"\d+\.\d"))
    await expect(visit.page.get_by_test_id("station-row")).to_have_count(14)


async def test_an_sos_is_raised_acknowledged_with_the_keyboard_and_signed(demo: RunningDemo, visit: Visit) -> None:
    await visit.sign_in(demo.sign_in_url())
    sos = visit.page.get_by_test_id("alarm-row").filter(has_text="Officer needs help")
    await sos.first.wait_for(timeout=60_000)
    await sos.first.press("Enter")
    await visit.page.get_by_test_id("alarm-ack").first.press("Enter")
    await expect(visit.page.get_by_test_id("alarm-receipt")).to_contain_text("admin")


async def test_an_officers_track_is_kept_as_a_file_only_with_a_reason(demo: RunningDemo, visit: Visit) -> None:
    await visit.sign_in(demo.sign_in_url())
    await visit.page.get_by_test_id("chip-officer").click()
    await visit.page.get_by_test_id("unit-row").first.click()
    await visit.page.get_by_test_id("track").click()
    save = visit.page.get_by_test_id("track-save")
    await expect(save).to_be_disabled()
    await visit.page.get_by_test_id("track-reason").fill("call for help, checking the route")
    async with visit.page.expect_download() as saving:
        await save.click()
    file = await (await saving.value).path()
    text = await asyncio.to_thread(Path(file).read_text)
    assert text.startswith("observed_at,received_at,lat_deg,lon_deg")


async def test_a_lost_connection_is_shown_frozen_and_comes_back_by_itself(demo: RunningDemo, visit: Visit) -> None:
    await visit.sign_in(demo.sign_in_url())
    state = visit.page.get_by_test_id("connection-state").first
    await expect(state).to_have_attribute("data-phase", "live")
    demo.kill()
    await expect(state).to_have_attribute("data-phase", "lost")
    await asyncio.to_thread(demo.start)
    await expect(state).to_have_attribute("data-phase", "live", timeout=30_000)
    await until_moved(visit, await until_placed(visit, 40), 5)


async def test_a_whole_shift_in_chinese(own_demo: RunningDemo, chinese_visit: Visit) -> None:
    page = chinese_visit.page
    await chinese_visit.sign_in(own_demo.sign_in_url())
    await until_moved(chinese_visit, await until_placed(chinese_visit, 20), 5)
    await page.get_by_test_id("unit-row").filter(has_text=re.compile("巡鹰.?01")).click()
    await expect(page.get_by_test_id("inspector-name")).to_have_text(re.compile("巡鹰.?01"))
    await page.keyboard.press("f")
    await expect(page.get_by_test_id("map-follow")).to_have_attribute("aria-pressed", "true")
    state = page.get_by_test_id("connection-state").first
    own_demo.kill()
    await expect(state).to_contain_text("链路中断")
    await asyncio.to_thread(own_demo.start)
    await expect(state).to_contain_text("实时", timeout=30_000)
    sos = page.get_by_test_id("alarm-row").filter(has_text="单警求助")
    await sos.first.wait_for(timeout=60_000)
    await sos.first.click()
    await page.get_by_test_id("alarm-ack").first.click()
    await expect(page.get_by_test_id("alarm-receipt")).to_contain_text("admin · 已确认")


async def test_a_phones_width_shows_list_alarms_and_map(demo: RunningDemo, visit: Visit) -> None:
    await visit.page.set_viewport_size({"width": 390, "height": 844})
    await visit.sign_in(demo.sign_in_url())
    for tab in ("alarms", "map", "units"):
        await visit.page.get_by_test_id(f"tab-{tab}").click()
    width = await visit.page.evaluate("() => document.documentElement.scrollWidth")
    assert width <= 390
    small = await visit.page.evaluate(
        "() => [...document.querySelectorAll('button')].filter(b => b.offsetParent && b.offsetHeight < 24).length"
    )
    assert small == 0


async def test_a_recorded_flight_moves_a_dot(demo: RunningDemo, visit: Visit, test_data: Path) -> None:
    await visit.sign_in(demo.sign_in_url())
    async with demo.replaying(test_data / "mavlink" / "dronekit_flight_replay.tlog", speed=20):
        await visit.page.keyboard.press("/")
        await visit.page.keyboard.type("replay")
        row = visit.page.get_by_test_id("unit-row")
        await expect(row).to_have_count(1, timeout=30_000)
        unit_id = int(await row.get_attribute("data-unit-id") or 0)
        await until_moved(visit, {unit_id: (91.0, 0.0)}, 1)
        await until_moved(visit, {unit_id: (await placed(visit))[unit_id]}, 1)
