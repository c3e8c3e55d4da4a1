"""An officer's shift on a phone in a real browser against the running demo: place, tasks, bad networks, calls for help."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import APIRequestContext, Browser, BrowserContext, Page, expect

from tests.e2e.conftest import RunningDemo, is_foreign

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

PHONE: Final[dict[str, Any]] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
STATION: Final = (36.0605, 103.8343)
NEAR: Final = (36.0618, 103.8343)
"""Where the officer stands, and a place 145 m from there, degrees WGS-84."""

HOLD_S: Final = 1.1
NOISE: Final = re.compile("ERR_INTERNET_DISCONNECTED|status of 401 .*/api/session$")
"""What Chromium writes by itself while it is offline, and when a page asks who is signed in and nobody is."""


class Desk:
    """The other end: a dispatcher who uses the interface, not the screen."""

    def __init__(self, api: APIRequestContext) -> None:
        self._api = api

    async def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - any document of the interface
        """Return the answer's JSON; fails the test on a refusal."""
        reply = await self._api.fetch(path, method=method, data=body)
        text = await reply.text()
        assert reply.ok, f"{method} {path}: {reply.status} {text}"
        return await reply.json() if text else None

    async def unit_id(self, call_sign: str) -> int:
        units = (await self.ask("GET", "/api/units"))["units"]
        return next(int(unit["unit_id"]) for unit in units if unit["call_sign"] == call_sign)

    async def call(self, ref: str, title: str, unit_id: int, place: tuple[float, float] = NEAR) -> tuple[int, int]:
        """Take a call, send the unit there; return the incident's and the dispatch's numbers."""
        new = {
            "source_ref": ref,
            "title": title,
            "text": "Somebody slid off the boardwalk.",
            "urgency": 1,
            "category": "help",
            "place_text": "Liutan bridge, south end",
            "lat_deg": place[0],
            "lon_deg": place[1],
            "caller_phone": "13812342071",
            "audio_url": "https://calls.invalid/21.mp3",
        }
        made = (await self.ask("POST", "/api/incidents", new))["incident"]
        wanted = {"version": made["version"], "unit_ids": [unit_id]}
        sent = (await self.ask("POST", f"/api/incidents/{made['incident_id']}/dispatch", wanted))["incident"]
        return made["incident_id"], sent["dispatches"][-1]["dispatch_id"]

    async def dispatch(self, incident_id: int) -> dict[str, Any]:
        """Return the newest dispatch of an incident."""
        incident = (await self.ask("GET", f"/api/incidents/{incident_id}"))["incident"]
        newest: dict[str, Any] = incident["dispatches"][-1]
        return newest

    async def until(self, what: str, met: Callable[[], Awaitable[bool]]) -> None:
        """Wait until the desk sees it."""
        for _ in range(80):
            if await met():
                return
            await asyncio.sleep(0.25)
        pytest.fail(f"the desk did not see within 20 s: {what}")

    async def until_state(self, incident_id: int, state: str) -> dict[str, Any]:
        async def met() -> bool:
            return bool((await self.dispatch(incident_id))["state"] == state)

        await self.until(f"the dispatch is {state}", met)
        return await self.dispatch(incident_id)

    async def sos(self, unit_id: int) -> dict[str, Any] | None:
        alarms = (await self.ask("GET", "/api/alarms"))["alarms"]
        lasting = [a for a in alarms if a["kind"] == "sos" and a["unit_id"] == unit_id and a["ended_us"] is None]
        return lasting[0] if lasting else None


class Phone:
    """The officer's phone."""

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.context, self.page = context, page
        self.errors: list[str] = []
        self.foreign: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on(
            "console", lambda message: self._hear(message.type, f"{message.text} {message.location.get('url', '')}")
        )
        page.on("request", lambda request: self.foreign.append(request.url) if is_foreign(request.url) else None)

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error" and not NOISE.search(text):
            self.errors.append(text)

    async def sign_in(self, url: str) -> None:
        await self.page.goto(url)
        await self.page.get_by_test_id("password-later").click()
        await expect(self.page.get_by_test_id("officer")).to_be_visible()
        await expect(self.page.get_by_test_id("connection-state")).to_have_attribute("data-phase", "live")

    async def begin_shift(self, url: str, *, sharing: bool = True) -> None:
        """Sign in, go on duty and share the place."""
        await self.sign_in(url)
        await self.sees("duty", "data-duty", "off_duty")
        await self.tap("duty-switch")
        await self.sees("duty", "data-duty", "free")
        if sharing:
            await self.tap("share-switch")
            await self.sees("sharing", "data-state", "sharing")

    async def stand(self, place: tuple[float, float], accuracy_m: float = 8) -> None:
        where = {"latitude": place[0], "longitude": place[1], "accuracy": accuracy_m}
        await self.context.set_geolocation(where)  # type: ignore[arg-type] # a TypedDict of the library's own

    async def tap(self, name: str) -> None:
        await self.page.get_by_test_id(name).click()

    async def hold(self, name: str) -> None:
        button = self.page.get_by_test_id(name)
        await button.hover()
        await self.page.mouse.down()
        await asyncio.sleep(HOLD_S)
        await self.page.mouse.up()

    async def sees(self, name: str, attribute: str, value: str) -> None:
        await expect(self.page.get_by_test_id(name)).to_have_attribute(attribute, value, timeout=15_000)

    async def clean_up(self) -> None:
        """Nothing went wrong on the page, nothing left the machine."""
        await self.context.close()
        assert self.errors == []
        assert self.foreign == []


class Officers:
    """Accounts of officers with units that nobody else speaks for."""

    def __init__(self, demo: RunningDemo, folder: Path) -> None:
        self._demo, self._folder, self._count = demo, folder, 0

    def new(self) -> tuple[str, str]:
        """Return a fresh unit's call sign and its officer's one-time link."""
        self._count += 1
        sign, name = f"Phone {self._count:02d}", f"officer{self._count}"
        file = self._folder / f"force{self._count}.csv"
        file.write_text(f"record,call_sign,kind,service,name_zh,name_en\nunit,{sign},car,patrol,手机 {name},{sign}\n")
        self._demo.command("force", "import", str(file))
        said = self._demo.command("user", "add", name, "--role", "officer", "--unit", sign)
        found = re.search(r"http://\S+", said)
        assert found is not None, said
        return sign, found[0]


@pytest.fixture(scope="module")
def officers(demo: RunningDemo, tmp_path_factory: pytest.TempPathFactory) -> Officers:
    return Officers(demo, tmp_path_factory.mktemp("officers"))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def desk(demo: RunningDemo, browser: Browser) -> AsyncIterator[Desk]:
    """A dispatcher who is signed in."""
    token = demo.sign_in_url().rpartition("#")[2]
    headers = {"Origin": demo.origin, "X-Skybeat": "1"}
    context = await browser.new_context(base_url=demo.origin, extra_http_headers=headers)
    desk = Desk(context.request)
    await desk.ask("POST", "/api/session/link", {"token": token})
    yield desk
    await context.close()


@asynccontextmanager
async def a_phone(browser: Browser, locale: str, *, allowed: bool = True) -> AsyncIterator[Phone]:
    rights = ["geolocation"] if allowed else []
    context = await browser.new_context(**PHONE, locale=locale, permissions=rights)
    context.set_default_timeout(30_000)
    phone = Phone(context, await context.new_page())
    if allowed:
        await phone.stand(STATION)
    yield phone
    await phone.clean_up()


async def test_an_officer_shares_takes_a_task_goes_arrives_and_clears_it(
    browser: Browser, officers: Officers, desk: Desk
) -> None:
    sign, link = officers.new()
    unit_id = await desk.unit_id(sign)
    async with a_phone(browser, "en-GB") as phone:
        await phone.begin_shift(link)
        incident_id, _ = await desk.call("e2e-1", "Person in the river", unit_id)
        await expect(phone.page.get_by_test_id("task-title")).to_have_text("Person in the river")
        await expect(phone.page.get_by_test_id("voice-urgent")).to_contain_text("New task: Person in the river")
        await expect(phone.page.get_by_test_id("caller")).to_have_attribute("href", "tel:13812342071")
        await expect(phone.page.get_by_test_id("navigate")).to_have_attribute("href", re.compile("^geo:36.06180"))
        await phone.sees("task-map", "data-ready", "true")
        await desk.until_state(incident_id, "received")
        await phone.tap("task-accepted")
        await desk.until_state(incident_id, "accepted")
        await phone.tap("task-under_way")
        await phone.sees("task", "data-state", "under_way")
        await desk.until_state(incident_id, "under_way")
        await phone.stand(NEAR)
        await phone.tap("task-arrived")
        await phone.sees("task", "data-state", "arrived")
        await phone.tap("task-cleared")
        await phone.page.get_by_role("button", name="Settled on the spot").click()
        await phone.page.get_by_test_id("cleared-dialog-words").fill("warmed up, at home")
        await phone.tap("cleared-dialog-send")
        cleared = await desk.until_state(incident_id, "cleared")
        assert cleared["received_ms"] <= cleared["accepted_ms"] <= cleared["under_way_ms"] <= cleared["arrived_ms"]
        await expect(phone.page.get_by_test_id("no-task")).to_be_visible()
        await expect(phone.page.get_by_test_id("past-tasks").first).to_contain_text("Person in the river")


async def test_arrival_is_seen_by_itself_from_the_phones_own_track(
    browser: Browser, officers: Officers, desk: Desk
) -> None:
    sign, link = officers.new()
    unit_id = await desk.unit_id(sign)
    async with a_phone(browser, "zh-CN") as phone:
        await phone.begin_shift(link)
        incident_id, _ = await desk.call("e2e-2", "落水求助", unit_id)
        await phone.tap("task-accepted")
        await desk.until_state(incident_id, "accepted")
        for step in range(1, 30):  # a walk of 145 m and then a stand, a fix each second
            share = min(1.0, step / 12)
            jitter = step % 2 * 1e-6
            await phone.stand((STATION[0] + (NEAR[0] - STATION[0]) * share + jitter, STATION[1]))
            if (await desk.dispatch(incident_id))["state"] == "arrived":
                break
            await asyncio.sleep(1.0)
        arrived = await desk.until_state(incident_id, "arrived")
        assert arrived["arrived_by"] == "track"
        await phone.sees("task", "data-state", "arrived")
        await expect(phone.page.get_by_test_id("step-arrived")).to_contain_text("轨迹")


async def test_answers_positions_and_a_call_for_help_given_offline_count_with_their_own_times(
    browser: Browser, officers: Officers, desk: Desk
) -> None:
    sign, link = officers.new()
    unit_id = await desk.unit_id(sign)
    async with a_phone(browser, "en-GB") as phone:
        await phone.begin_shift(link)
        incident_id, _ = await desk.call("e2e-3", "Person in the river", unit_id)
        await desk.until_state(incident_id, "received")
        await phone.sees("task-map", "data-ready", "true")
        await phone.context.set_offline(True)
        await phone.tap("task-accepted")
        await expect(phone.page.get_by_test_id("task-hint")).to_contain_text("is kept and will be sent")
        for step in range(3):
            await phone.stand((STATION[0] + step * 1e-4, STATION[1]))
            await asyncio.sleep(1.2)
        await expect(phone.page.get_by_test_id("share-chip")).to_contain_text(re.compile(r"Offline, [1-9] kept"))
        await phone.hold("sos")
        await phone.sees("help", "data-phase", "unsent")
        await asyncio.sleep(2)
        assert await desk.sos(unit_id) is None
        await phone.context.set_offline(False)
        await phone.sees("help", "data-phase", "raised")
        assert await desk.sos(unit_id) is not None
        accepted = await desk.until_state(incident_id, "accepted")
        called_ms = (await desk.sos(unit_id) or {})["raised_us"] / 1000
        assert 2_000 < called_ms - accepted["accepted_ms"] < 20_000
        await expect(phone.page.get_by_test_id("share-chip")).to_contain_text("Sharing")


async def test_a_call_for_help_is_acknowledged_by_name_and_ended_by_holding(
    browser: Browser, officers: Officers, desk: Desk
) -> None:
    sign, link = officers.new()
    unit_id = await desk.unit_id(sign)
    async with a_phone(browser, "zh-CN") as phone:
        await phone.sign_in(link)
        button = phone.page.get_by_test_id("sos")
        await button.click()
        await expect(phone.page.get_by_test_id("help")).to_have_count(0)
        await asyncio.sleep(2)  # the first press is forgotten
        await button.press("Enter")
        await button.press("Enter")
        await phone.sees("help", "data-phase", "raised")
        alarm = await desk.sos(unit_id)
        assert alarm is not None
        await desk.ask("POST", f"/api/alarms/{alarm['alarm_id']}/acknowledge")
        await phone.sees("help", "data-phase", "acknowledged")
        await expect(phone.page.get_by_test_id("help")).to_contain_text("admin")
        await phone.page.reload()
        await phone.sees("help", "data-phase", "acknowledged")
        await phone.hold("help-end")
        await expect(phone.page.get_by_test_id("help")).to_have_count(0)
        assert await desk.sos(unit_id) is None


async def test_a_task_is_declined_with_a_reason_and_a_recalled_one_is_told_plainly(
    browser: Browser, officers: Officers, desk: Desk
) -> None:
    sign, link = officers.new()
    unit_id = await desk.unit_id(sign)
    async with a_phone(browser, "zh-CN") as phone:
        await phone.begin_shift(link, sharing=False)
        first, _ = await desk.call("e2e-4", "打架", unit_id)
        await phone.tap("task-declined")
        await expect(phone.page.get_by_test_id("decline-dialog-send")).to_be_disabled()
        await phone.page.get_by_role("button", name="距离太远").click()
        await phone.tap("decline-dialog-send")
        assert (await desk.until_state(first, "declined"))["reason"] == "距离太远"
        await expect(phone.page.get_by_test_id("no-task")).to_be_visible()
        second, dispatch_id = await desk.call("e2e-5", "老人走失", unit_id)
        await phone.tap("task-accepted")
        await desk.until_state(second, "accepted")
        recall = f"/api/incidents/{second}/dispatches/{dispatch_id}/recall"
        await desk.ask("POST", recall, {"reason": "有更近的单位"})
        await phone.sees("task-over", "data-ending", "recalled")
        await expect(phone.page.get_by_test_id("task-over")).to_contain_text("有更近的单位")
        await phone.tap("task-read")
        await expect(phone.page.get_by_test_id("no-task")).to_be_visible()


async def test_without_permission_the_page_says_how_to_grant_it_and_signing_out_ends_the_sharing(
    browser: Browser, officers: Officers
) -> None:
    _, link = officers.new()
    async with a_phone(browser, "en-GB", allowed=False) as phone:
        await phone.sign_in(link)
        await phone.tap("share-switch")
        await phone.sees("sharing", "data-state", "denied")
        await expect(phone.page.get_by_test_id("how-to-allow")).to_contain_text("Set Location to Allow")
        await phone.context.grant_permissions(["geolocation"])
        await phone.stand(STATION)
        await phone.tap("share-retry")
        await phone.sees("sharing", "data-state", "sharing")
        await phone.stand(STATION, accuracy_m=80)
        await phone.sees("sharing", "data-state", "weak")
        await phone.page.reload()
        await expect(phone.page.get_by_test_id("share-switch")).to_have_attribute("aria-checked", "true")
        await phone.tap("tab-more")
        await phone.tap("language-switch")
        await expect(phone.page.get_by_test_id("tab-position")).to_contain_text("位置")
        await phone.tap("sign-out")
        await expect(phone.page.get_by_test_id("sign-in")).to_be_visible()
        await phone.page.wait_for_url("**/sign-in")
        await phone.page.wait_for_load_state()
        kept = await phone.page.evaluate("() => Object.keys(localStorage).filter((key) => key.endsWith('.sharing'))")
        assert kept == []
