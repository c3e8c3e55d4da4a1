"""Devices, links and messages in a real browser against the running demo, whose vehicles speak JT/T 808."""

import re
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from infra.clock import SystemClock
from telemetry.sources.jt808.messages import CONFIRM_ALARM, name_of
from telemetry.sources.jt808.terminal import SOS_BIT
from tests.e2e.conftest import RunningDemo, Visit
from tests.e2e.road_terminal import RoadTerminal

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]
STRANGER: Final = "13900139001"
PLACE: Final = (36.0601, 103.8342)
SOON_MS: Final = 60_000
CONFIRMED: Final = name_of(CONFIRM_ALARM)


async def road_door(visit: Visit, demo: RunningDemo) -> tuple[str, int]:
    """Return where terminals connect to the demo, as its links tell."""
    reply = await visit.page.request.get(f"{demo.origin}/api/links")
    url = next(link["url"] for link in (await reply.json())["links"] if link["url"].startswith("jt808+tcpin:"))
    place = urlsplit("//" + url.split(":", 1)[1])
    assert place.hostname is not None
    assert place.port is not None
    return place.hostname, place.port


async def test_a_device_is_enrolled_by_keyboard_with_its_unit_and_its_secret_is_shown_once(
    demo: RunningDemo, visit: Visit
) -> None:
    await visit.sign_in(demo.sign_in_url())
    page = visit.page
    await page.keyboard.press("Alt+4")
    await expect(page.get_by_test_id("device-row").first).to_be_visible()
    await page.keyboard.press("n")
    await page.get_by_test_id("enrol-protocol").select_option("jt808")
    await page.get_by_test_id("enrol-address").fill("not a number")
    await expect(page.get_by_test_id("address-help")).to_contain_text("such as")
    await expect(page.get_by_test_id("enrol-submit")).to_be_disabled()
    await page.get_by_test_id("enrol-address").fill("13800138000")
    await page.get_by_test_id("enrol-for-new").click()
    await page.get_by_test_id("new-unit-call-sign").fill("Car 99-01")
    await page.get_by_test_id("enrol-submit").click()
    secret = await page.get_by_test_id("secret").inner_text()
    assert re.fullmatch("[0-9a-f]{32}", secret)
    await expect(page.get_by_test_id("secret-pairs")).to_be_visible()
    await page.get_by_test_id("secret-done").click()
    await expect(page.get_by_test_id("secret")).to_have_count(0)
    await page.keyboard.press("/")
    await page.keyboard.type("13800138000")
    row = page.get_by_test_id("device-row")
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text("to be paired")
    assert secret not in await page.content()
    await page.get_by_test_id("device-revoke").click()
    await page.get_by_test_id("confirm-revoke-yes").click()
    await expect(row).to_have_count(0)
    await page.get_by_test_id("device-filter-revoked").click()
    await expect(row).to_have_count(1)
    assert visit.errors == []


async def test_a_text_to_a_vehicle_is_delivered_and_the_desk_sees_it(demo: RunningDemo, visit: Visit) -> None:
    await visit.sign_in(demo.sign_in_url())
    page = visit.page
    await page.keyboard.press("Alt+4")
    await page.get_by_test_id("device-protocol").select_option("jt808")
    await page.get_by_test_id("device-filter-live").click()
    await page.get_by_test_id("device-row").first.click()
    await page.get_by_test_id("device-unit").click()
    await expect(page.get_by_test_id("unit-device").first).to_be_visible()
    await page.get_by_test_id("message-text").fill("Return by the river road.")
    await page.get_by_test_id("message-send").click()
    command = page.get_by_test_id("command").first
    await expect(command).to_have_attribute("data-state", "delivered")
    await expect(command).to_contain_text("Return by the river road.")
    await expect(page.get_by_test_id("message-text")).to_have_value("")
    assert visit.errors == []


async def test_links_tell_what_comes_in_and_the_journal_and_recorder_behind(demo: RunningDemo, visit: Visit) -> None:
    await visit.sign_in(demo.sign_in_url())
    page = visit.page
    await page.keyboard.press("Alt+5")
    await expect(page.get_by_role("complementary").get_by_test_id("behind")).to_be_visible()
    row = page.get_by_test_id("link-row").filter(has_text="JT/T 808")
    await expect(row).to_contain_text("open")
    await expect(page.get_by_test_id("protocol-row").filter(has_text="JT/T 808")).to_contain_text("live")
    await row.click()
    await expect(page.get_by_test_id("link-panel")).to_contain_text("jt808+tcpin")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("link-panel")).to_have_count(0)
    assert visit.errors == []


async def test_a_strange_terminal_is_adopted_reports_and_hears_that_somebody_took_its_call_for_help(
    demo: RunningDemo, visit: Visit
) -> None:
    await visit.sign_in(demo.sign_in_url())
    page = visit.page
    host, port = await road_door(visit, demo)
    async with RoadTerminal(STRANGER, host, port, place=PLACE, clock=SystemClock()) as terminal:
        await page.keyboard.press("Alt+4")
        stranger = page.get_by_test_id("stranger").filter(has_text=STRANGER)
        await stranger.get_by_test_id("adopt").click()
        await expect(page.get_by_test_id("enrol-address")).to_have_value(STRANGER)
        await page.get_by_test_id("enrol-for-new").click()
        await page.get_by_test_id("new-unit-call-sign").fill("Car 98-01")
        await page.get_by_test_id("enrol-submit").click()
        await page.get_by_test_id("secret-done").click()
        await expect(stranger).to_have_count(0)
        await page.get_by_test_id("device-search").fill(STRANGER)
        await expect(page.get_by_test_id("device-row")).to_contain_text("live", timeout=SOON_MS)
        await page.keyboard.press("Escape")
        await page.keyboard.press("Alt+1")
        await page.get_by_test_id("unit-search").fill("Car 98-01")
        await page.get_by_test_id("unit-row").click()
        await expect(page.get_by_test_id("inspector-name")).to_have_text("Car 98-01")
        assert terminal.acknowledged_count > 0

        terminal.alarm_bits = SOS_BIT
        sos = page.get_by_test_id("alarm-row").filter(has_text="Car 98-01")
        await sos.click(timeout=SOON_MS)
        await page.get_by_test_id("alarm-ack").click()
        await expect(page.get_by_test_id("alarm-receipt")).to_contain_text("admin")
        await visit.until(lambda: any(order.name == CONFIRMED for order in terminal.orders))

        await page.get_by_test_id("alarm-close").click()  # a call for help is ended by a person
        await page.get_by_test_id("alarm-note").fill("pressed by mistake")
        await page.get_by_test_id("alarm-decide").click()
        await expect(sos).to_have_count(0, timeout=SOON_MS)
    assert visit.errors == []


async def test_an_operator_says_which_of_an_officers_devices_is_believed(demo: RunningDemo, visit: Visit) -> None:
    await visit.sign_in(demo.sign_in_url())
    page = visit.page
    await page.keyboard.press("Alt+4")
    await page.get_by_test_id("device-protocol").select_option("gb28181")
    await page.get_by_test_id("device-filter-live").click()
    await page.get_by_test_id("device-row").first.click()
    await page.get_by_test_id("device-unit").click()
    await expect(page.get_by_test_id("unit-device")).to_have_count(2)
    await page.locator("[data-testid^=trust-]").last.click()
    await expect(page.get_by_test_id("unit-device").filter(has_text="chosen")).to_have_count(1)
    await page.get_by_test_id("trust-none").click()
    await expect(page.get_by_test_id("trust-none")).to_have_count(0)
    assert visit.errors == []
