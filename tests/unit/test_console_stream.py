"""The stream on a fake clock: groups pack once, slow browsers skip frames and slow down alone, nothing of another scope leaks."""

import asyncio
from collections.abc import Awaitable
from typing import Any, Final

import msgspec
import pytest

from console.auth.policy import Scope
from console.stream.client import Client
from console.stream.group import snapped_box
from console.stream.live import LiveStream, session_codes
from console.wire import Degraded, Frame, FrameKind, Resume, Role, Subscribe, decode_frame
from telemetry.model.events import ModeChanged
from telemetry.model.unit import DutyStatus
from telemetry.model.unit_state import DUTY_STATUSES
from tests.conftest import FakeClock
from tests.console_house import CAR, COVERT, DRONE, FAR, OFFICER, FixedCoverage, SmallBridge, contents

ADMIN: Final = Scope(Role.ADMIN)
VIEWER: Final = Scope(Role.VIEWER)


class Browser:
    """A client whose connection takes messages while it is `open` and holds them back while it is not."""

    def __init__(self, stream: LiveStream, scope: Scope, *, resume: Resume | None = None) -> None:
        self.client = Client(scope, b"session")
        self.frames: list[bytes] = []
        self.texts: list[dict[str, Any]] = []
        self.open = asyncio.Event()
        self.open.set()
        stream.join(self.client, resume)
        self.task = asyncio.ensure_future(self._run(stream))

    def _run(self, stream: LiveStream) -> Awaitable[int]:
        return self.client.send_all(self._send, stream.due_texts)

    async def _send(self, message: dict[str, Any]) -> None:
        await self.open.wait()
        if "bytes" in message:
            self.frames.append(message["bytes"])
        else:
            self.texts.append(msgspec.json.decode(message["text"]))

    def decoded(self) -> list[Frame]:
        return [decode_frame(frame) for frame in self.frames]

    def texts_of(self, kind: str) -> list[dict[str, Any]]:
        return [text for text in self.texts if text["type"] == kind]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def turn(stream: LiveStream, clock: FakeClock, *, seconds: float = 0.2) -> None:
    clock.advance(seconds)
    stream.turn()
    await settle()


@pytest.fixture
def bridge(fake_clock: FakeClock) -> SmallBridge:
    built = SmallBridge(fake_clock)
    built.move(DRONE, OFFICER, CAR, COVERT, FAR)
    return built


@pytest.fixture
def stream(bridge: SmallBridge, fake_clock: FakeClock) -> LiveStream:
    return LiveStream(bridge, fake_clock, coverage=FixedCoverage())


async def test_browsers_of_one_view_share_the_same_bytes(
    stream: LiveStream, bridge: SmallBridge, fake_clock: FakeClock
) -> None:
    one, two, other = Browser(stream, ADMIN), Browser(stream, ADMIN), Browser(stream, VIEWER)
    await turn(stream, fake_clock)
    bridge.move(DRONE)
    await turn(stream, fake_clock)
    assert one.frames[1] is two.frames[1]
    assert [frame.kind for frame in one.decoded()] == [FrameKind.SNAPSHOT, FrameKind.DELTA]
    assert COVERT in one.decoded()[0].columns["unit_id"]
    assert COVERT not in other.decoded()[0].columns["unit_id"]


async def test_nothing_is_sent_while_nothing_changes_until_the_next_snapshot(
    stream: LiveStream, fake_clock: FakeClock
) -> None:
    browser = Browser(stream, ADMIN)
    for _ in range(49):
        await turn(stream, fake_clock)
    assert len(browser.frames) == 1
    for _ in range(3):
        await turn(stream, fake_clock)
    assert [frame.kind for frame in browser.decoded()] == [FrameKind.SNAPSHOT, FrameKind.SNAPSHOT]


async def test_numbers_have_no_gap_for_one_that_keeps_up(
    stream: LiveStream, bridge: SmallBridge, fake_clock: FakeClock
) -> None:
    browser = Browser(stream, ADMIN)
    for _ in range(60):
        bridge.move(DRONE)
        await turn(stream, fake_clock)
    numbers = [frame.seq for frame in browser.decoded()]
    assert numbers == list(range(numbers[0], numbers[0] + 60))


async def test_a_browser_that_joins_late_gets_a_snapshot_and_then_the_next_number(
    stream: LiveStream, bridge: SmallBridge, fake_clock: FakeClock
) -> None:
    early = Browser(stream, ADMIN)
    await turn(stream, fake_clock)
    late = Browser(stream, ADMIN)
    bridge.move(DRONE)
    await turn(stream, fake_clock)
    bridge.move(CAR)
    await turn(stream, fake_clock)
    first, second = late.decoded()
    assert (first.kind, second.kind, second.seq) == (FrameKind.SNAPSHOT, FrameKind.DELTA, first.seq + 1)
    assert early.decoded()[-1].seq == second.seq


async def test_a_stalled_browser_holds_one_set_of_frames_and_catches_up_by_a_snapshot(
    stream: LiveStream, bridge: SmallBridge, fake_clock: FakeClock
) -> None:
    slow, quick = Browser(stream, ADMIN), Browser(stream, ADMIN)
    await turn(stream, fake_clock)
    slow.open.clear()
    for number in range(20):
        bridge.move(DRONE, lat_e7=number)
        await turn(stream, fake_clock)
    assert (len(slow.frames), len(quick.frames)) == (1, 21)
    assert slow.client.dropped_count >= 1
    slow.open.set()
    await settle()
    await turn(stream, fake_clock, seconds=2)
    last = slow.decoded()[-1]
    assert last.kind is FrameKind.SNAPSHOT
    assert 19 in last.columns["lat_e7"]


async def test_repeated_drops_slow_a_browser_down_and_calm_speeds_it_up(
    stream: LiveStream, bridge: SmallBridge, fake_clock: FakeClock
) -> None:
    browser = Browser(stream, ADMIN)
    for _ in range(30):
        browser.open.clear()
        for _ in range(2):
            bridge.move(DRONE)
            await turn(stream, fake_clock)
        browser.open.set()
        await settle()
    told = [text["hz"] for text in browser.texts_of("rate")]
    assert told[:2] == [2.0, 1.0]
    for _ in range(100):
        bridge.move(DRONE)
        await turn(stream, fake_clock, seconds=1)
    assert browser.texts_of("rate")[-1]["hz"] == 5.0


async def test_a_browser_may_ask_for_a_lower_rate(
    stream: LiveStream, bridge: SmallBridge, fake_clock: FakeClock
) -> None:
    browser = Browser(stream, ADMIN)
    stream.subscribe(browser.client, Subscribe(hz=1))
    for _ in range(25):
        bridge.move(DRONE)
        await turn(stream, fake_clock)
    assert 5 <= len(browser.frames) <= 6


async def test_what_changes_between_turns_is_sent_once(
    stream: LiveStream, bridge: SmallBridge, fake_clock: FakeClock
) -> None:
    browser = Browser(stream, ADMIN)
    await turn(stream, fake_clock)
    for number in range(10):
        fake_clock.advance(0.01)
        bridge.move(DRONE, lat_e7=number)
    await turn(stream, fake_clock)
    assert browser.decoded()[-1].columns["lat_e7"].tolist() == [9]


async def test_a_covert_unit_that_moves_makes_no_frame_for_a_viewer(
    stream: LiveStream, bridge: SmallBridge, fake_clock: FakeClock
) -> None:
    browser = Browser(stream, VIEWER)
    await turn(stream, fake_clock)
    bridge.move(COVERT)
    await turn(stream, fake_clock)
    assert len(browser.frames) == 1


async def test_a_unit_that_becomes_covert_vanishes_from_viewers_and_stays_for_admins(
    stream: LiveStream, bridge: SmallBridge, fake_clock: FakeClock
) -> None:
    viewer, admin = Browser(stream, VIEWER), Browser(stream, ADMIN)
    await turn(stream, fake_clock)
    device = bridge.registry.devices[10 + CAR]
    bridge.registry.register(device, msgspec.structs.replace(bridge.registry.units[CAR], covert=True), 0)
    bridge.move(CAR)
    await turn(stream, fake_clock)
    assert CAR not in viewer.decoded()[-1].columns["unit_id"]
    assert CAR in admin.decoded()[-1].columns["unit_id"]
    assert CAR not in {unit["unit_id"] for unit in viewer.texts_of("units")[-1]["units"]}


async def test_alarms_reach_a_browser_that_was_stalled(
    stream: LiveStream, bridge: SmallBridge, fake_clock: FakeClock
) -> None:
    browser = Browser(stream, ADMIN)
    browser.open.clear()
    alarm = bridge.sos(OFFICER)
    await turn(stream, fake_clock)
    await bridge.acknowledge_alarm(alarm.alarm_id, 1, "chief", fake_clock.now_us())
    await turn(stream, fake_clock)
    browser.open.set()
    await turn(stream, fake_clock)
    assert [text["alarm"]["state"] for text in browser.texts_of("alarm")] == ["raised", "acknowledged"]


async def test_one_that_resumes_a_forgotten_number_gets_the_open_alarms(
    stream: LiveStream, bridge: SmallBridge, fake_clock: FakeClock
) -> None:
    bridge.sos(OFFICER)
    await turn(stream, fake_clock)
    browser = Browser(stream, ADMIN, resume=Resume(epoch=stream.epoch, alarm_seq=10_000))
    await turn(stream, fake_clock)
    assert len(browser.texts_of("alarm")) == 1


async def test_coverage_goes_to_those_who_may_and_names_only_their_stations(
    stream: LiveStream, fake_clock: FakeClock
) -> None:
    admin = Browser(stream, ADMIN)
    far = Browser(stream, Scope(Role.OPERATOR, frozenset({2})))
    officer = Browser(stream, Scope(Role.OFFICER, frozenset(), OFFICER))
    await turn(stream, fake_clock)
    assert admin.texts_of("coverage")[0]["stations"][0]["station_id"] == 1
    assert far.texts_of("coverage")[0]["stations"] == []
    assert officer.texts_of("coverage") == []


async def test_what_is_degraded_is_told_to_those_there_and_to_those_who_come(
    stream: LiveStream, fake_clock: FakeClock
) -> None:
    here = Browser(stream, ADMIN)
    stream.tell_degraded(Degraded(what="history", since_ms=1.0, lag_s=12.0))
    later = Browser(stream, ADMIN)
    await turn(stream, fake_clock)
    stream.tell_degraded(Degraded(what="history", since_ms=None, lag_s=0.0))
    await turn(stream, fake_clock)
    for browser in (here, later):
        assert [text["since_ms"] for text in browser.texts_of("degraded")] == [1.0, None]


async def test_ended_sessions_close_with_4401_and_changed_ones_with_4403(stream: LiveStream) -> None:
    browser = Browser(stream, ADMIN)
    stream.close_sessions(session_codes([b"another"], []))
    assert browser.client.close_code is None
    stream.close_sessions(session_codes([], [b"session"]))
    assert await browser.task == 4403


async def test_groups_that_nobody_watches_are_forgotten(stream: LiveStream, fake_clock: FakeClock) -> None:
    browser = Browser(stream, ADMIN)
    for number in range(5):
        stream.subscribe(browser.client, Subscribe(bbox=[103.0 + number, 36.0, 104.0 + number, 37.0]))
        await turn(stream, fake_clock)
    assert len(stream._groups) == 1
    stream.leave(browser.client)
    assert stream._groups == {}


@pytest.mark.parametrize(
    ("bbox", "wanted"),
    [
        (None, None),
        ([103.0, 36.0, 104.0, 37.0], (102.75, 35.75, 104.25, 37.25)),
        ([170.0, 0.0, -170.0, 1.0], None),
        ([float("nan"), 0.0, 1.0, 1.0], None),
        ([0.0, 5.0, 1.0, 4.0], None),
    ],
)
def test_a_box_is_widened_to_a_grid_or_is_everywhere(bbox: list[float] | None, wanted: object) -> None:
    assert snapped_box(bbox) == wanted


async def test_neighbouring_boxes_share_a_group(stream: LiveStream) -> None:
    one, two = Browser(stream, ADMIN), Browser(stream, ADMIN)
    stream.subscribe(one.client, Subscribe(bbox=[103.01, 36.01, 103.99, 36.99]))
    stream.subscribe(two.client, Subscribe(bbox=[103.02, 36.02, 103.98, 36.98]))
    assert one.client.group is two.client.group


def says_mode(bridge: SmallBridge, unit_id: int, mode: str) -> None:
    now_us = bridge.clock.now_us()
    bridge.happen(ModeChanged(device_id=10 + unit_id, observed_us=now_us, received_us=now_us, mode=mode))


def modes_told(browser: Browser) -> list[dict[int, str | None]]:
    return [{one["unit_id"]: one["mode"] for one in text["statuses"]} for text in browser.texts_of("status")]


async def test_statuses_come_on_joining_and_then_once_a_turn(
    stream: LiveStream, bridge: SmallBridge, fake_clock: FakeClock
) -> None:
    says_mode(bridge, DRONE, "GUIDED")
    says_mode(bridge, CAR, "HOLD")
    browser = Browser(stream, ADMIN)
    await turn(stream, fake_clock)
    kinds = [text["type"] for text in browser.texts]
    assert kinds.index("units") < kinds.index("status")
    for mode in ("AUTO", "LOITER", "RTL"):
        says_mode(bridge, DRONE, mode)
    await turn(stream, fake_clock)
    await turn(stream, fake_clock)
    assert modes_told(browser) == [{DRONE: "GUIDED", CAR: "HOLD"}, {DRONE: "RTL"}]


async def test_statuses_stay_within_the_scope(stream: LiveStream, bridge: SmallBridge, fake_clock: FakeClock) -> None:
    officer = Browser(stream, Scope(Role.OFFICER, unit_id=OFFICER))
    viewer = Browser(stream, Scope(Role.VIEWER, station_ids=frozenset({1})))
    supervisor = Browser(stream, Scope(Role.SUPERVISOR, station_ids=frozenset({1})))
    for unit_id in (DRONE, COVERT, FAR):
        says_mode(bridge, unit_id, "AUTO")
    await turn(stream, fake_clock)
    late = Browser(stream, VIEWER)
    await turn(stream, fake_clock)
    assert modes_told(officer) == []
    assert modes_told(viewer) == [{DRONE: "AUTO"}]
    assert modes_told(supervisor) == [{DRONE: "AUTO", COVERT: "AUTO"}]
    assert modes_told(late) == [{DRONE: "AUTO", FAR: "AUTO"}]


async def test_a_unit_that_comes_into_the_scope_brings_its_status(
    stream: LiveStream, bridge: SmallBridge, fake_clock: FakeClock
) -> None:
    viewer = Browser(stream, VIEWER)
    says_mode(bridge, COVERT, "AUTO")
    await turn(stream, fake_clock)
    assert modes_told(viewer) == []
    open_now = contents()
    units = tuple(msgspec.structs.replace(unit, covert=False) for unit in open_now.units)
    bridge.registry.replace(msgspec.structs.replace(open_now, units=units))
    await turn(stream, fake_clock, seconds=1.0)
    assert modes_told(viewer) == [{COVERT: "AUTO"}]


async def test_a_browser_that_was_stalled_gets_the_newest_statuses_of_all(
    stream: LiveStream, bridge: SmallBridge, fake_clock: FakeClock
) -> None:
    browser = Browser(stream, ADMIN)
    await turn(stream, fake_clock)
    browser.open.clear()
    for unit_id, mode in ((DRONE, "AUTO"), (CAR, "HOLD"), (DRONE, "RTL")):
        says_mode(bridge, unit_id, mode)
        await turn(stream, fake_clock)
    browser.open.set()
    await settle()
    await turn(stream, fake_clock)
    newest: dict[int, str | None] = {}
    for told in modes_told(browser):
        newest |= told
    assert newest == {DRONE: "RTL", CAR: "HOLD"}


async def test_all_are_told_of_new_units_although_somebody_joined_before_the_turn(
    stream: LiveStream, bridge: SmallBridge, fake_clock: FakeClock
) -> None:
    early = Browser(stream, ADMIN)
    await turn(stream, fake_clock)
    before = len(early.texts_of("units"))
    bridge.registry.replace(contents())
    Browser(stream, ADMIN)
    await turn(stream, fake_clock)
    assert len(early.texts_of("units")) == before + 1


async def test_a_duty_status_alone_reaches_frames_and_those_who_join_but_not_the_list_of_units(
    stream: LiveStream, bridge: SmallBridge, fake_clock: FakeClock
) -> None:
    watcher = Browser(stream, ADMIN)
    await turn(stream, fake_clock)
    told = len(watcher.texts_of("units"))
    bridge.registry.set_duty({CAR: DutyStatus.EN_ROUTE, 999: DutyStatus.FREE})
    bridge.picture.refresh(fake_clock.now_us())
    await turn(stream, fake_clock)
    delta = watcher.decoded()[-1]
    assert delta.columns["unit_id"].tolist() == [CAR]
    assert DUTY_STATUSES[delta.columns["duty"][0]] is DutyStatus.EN_ROUTE
    assert len(watcher.texts_of("units")) == told
    late = Browser(stream, ADMIN)
    await settle()
    units = {unit["unit_id"]: unit["duty_status"] for unit in late.texts_of("units")[0]["units"]}
    assert (units[CAR], units[DRONE]) == ("en_route", "free")


class Whisper:
    """A feed that tells everyone what is put into it, once each."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.places: dict[Client, int] = {}
        self.read_count = 0

    def start(self, client: Client, resume: Resume | None) -> None:
        self.places[client] = 0 if resume is None else resume.incident_seq

    def leave(self, client: Client) -> None:
        del self.places[client]

    def read(self) -> bool:
        before, self.read_count = self.read_count, len(self.words)
        return before != self.read_count

    def due(self, client: Client) -> list[str]:
        place, self.places[client] = self.places[client], len(self.words)
        return self.words[place:]


async def test_a_feed_tells_each_browser_what_it_misses_and_forgets_the_one_that_leaves(
    stream: LiveStream, fake_clock: FakeClock
) -> None:
    first, second = Whisper(), Whisper()
    stream.feeds += [first, second]
    browser = Browser(stream, ADMIN)
    first.words.append('{"type":"a"}')
    second.words.append('{"type":"b"}')
    await turn(stream, fake_clock)
    assert [text["type"] for text in browser.texts if text["type"] in "ab"] == ["a", "b"]
    resumed = Browser(stream, ADMIN, resume=Resume(epoch=stream.epoch, alarm_seq=0, incident_seq=1))
    await turn(stream, fake_clock)
    assert [text["type"] for text in resumed.texts if text["type"] in "ab"] == []
    stream.leave(browser.client)
    assert set(first.places) == {resumed.client}
