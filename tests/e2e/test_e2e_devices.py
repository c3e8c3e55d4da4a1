"""Devices, links and messages in a real browser against the running demo, whose vehicles speak JT/T 808."""

import re

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import RunningDemo, Visit

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


async def test_a_device_is_enrolled_by_keyboard_with_its_unit_and_its_secret_is_shown_once(
    demo: RunningDemo, visit: Visit
) -> None:
    await visit.sign_in(demo.sign_in_url())
    page = visit.page
    await page.keyboard.press("Alt+3")
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
    await page.keyboard.press("Alt+3")
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
    await page.keyboard.press("Alt+4")
    await expect(page.get_by_role("complementary").get_by_test_id("behind")).to_be_visible()
    row = page.get_by_test_id("link-row").filter(has_text="JT/T 808")
    await expect(row).to_contain_text("open")
    await expect(page.get_by_test_id("protocol-row").filter(has_text="JT/T 808")).to_contain_text("live")
    await row.click()
    await expect(page.get_by_test_id("link-panel")).to_contain_text("jt808+tcpin")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("link-panel")).to_have_count(0)
    assert visit.errors == []
