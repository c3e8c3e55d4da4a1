"""What is due is shown; only an automatic dock's is given, once, and to a drone that is home; browsers are told when it changes."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import msgspec

from console.auth.accounts import Account
from console.auth.policy import Scope
from console.flight.rules import Aloft
from console.patrols.due import GIVEN_BEFORE_S, DueSorties
from console.stream.client import Client
from console.stream.due import DueFeed
from console.wire import Role
from mission.model import US
from mission.plan import Plan, Sortie, Waypoint
from mission.plan_store import KeptPlan
from telemetry.flight.control import NOBODY, Control
from telemetry.model.unit import DutyStatus, Service, Unit, UnitKind
from tests.conftest import FakeClock
from tests.patrol_day import airframe, day, dock, programme

HAWK, DRONE = 7, 1
LI = Account(account_id=5, name="li", role=Role.SUPERVISOR)


def sortie(takeoff_us: int, *, number: int = 2) -> Sortie:
    there = Waypoint(lat_deg=36.06, lon_deg=103.83, alt_home_m=60.0, speed_mps=10.0)
    return Sortie(
        sortie_id=number, airframe_id=1, dock_id=1, takeoff_us=takeoff_us, landing_us=takeoff_us + 600 * US,
        free_us=takeoff_us + 900 * US, visit_ids=(), task_ids=(), waypoints=(there,), length_m=900.0,
        landing_battery_ratio=0.7, transit_alt_home_m=60.0,
    )  # fmt: skip


@dataclass
class Day:
    """A published plan, a drone and its desk, who write down what they are given."""

    clock: FakeClock
    takeoff_us: int
    is_automatic: bool
    away: Aloft | None = None
    given: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.feed = SimpleNamespace(version=0)
        desk: Any = SimpleNamespace(
            drones=SimpleNamespace(by_unit=lambda: {HAWK: DRONE}, device_of=lambda _: DRONE),
            control=SimpleNamespace(of=lambda device_id: Control(device_id=device_id, holder=NOBODY)),
            sorties=SimpleNamespace(away=lambda _: self.away),
            hand=self.hand,
        )
        launches: Any = SimpleNamespace(expect=lambda *_, **__: None)
        self.due = DueSorties(cast("Any", self), cast("Any", self.feed), desk, launches, cast("Any", self), self.clock)

    async def published(self, *_: object) -> list[KeptPlan]:
        flown = programme(
            docks=(dock(1, 0, 0, is_automatic=self.is_automatic),), airframes=(airframe(1, 1, unit_id=HAWK),)
        )
        plan = Plan(window=day(), visits=(), sorties=(sortie(self.takeoff_us),), plan_id=1)
        return [msgspec.convert({"plan": plan, "programme": flown, "approver_account_id": LI.account_id}, KeptPlan)]

    async def all(self) -> list[Account]:
        return [LI]

    async def hand(self, unit_id: int, given: Sortie, *_: object, **__: object) -> None:
        assert unit_id == HAWK
        self.given.append(given.sortie_id)


def day_of(*, is_automatic: bool) -> Day:
    clock = FakeClock()
    return Day(clock, clock.now_us() + 600 * US, is_automatic)


async def test_at_a_dock_with_a_pilot_it_is_shown_and_never_given() -> None:
    whole = day_of(is_automatic=False)
    for _ in range(20):
        await whole.due.look()
        whole.clock.advance(60.0)
    assert whole.given == []


async def test_at_an_automatic_dock_it_is_given_once_shortly_before_its_time() -> None:
    whole = day_of(is_automatic=True)
    await whole.due.look()
    assert whole.given == []
    whole.clock.advance(600.0 - GIVEN_BEFORE_S + 1.0)
    await whole.due.look()
    await whole.due.look()
    assert whole.given == [2]


async def test_a_drone_that_was_called_away_is_not_called_back_and_whoever_waits_for_it_sees_until_when() -> None:
    whole = day_of(is_automatic=True)
    called: Any = SimpleNamespace(sortie=sortie(whole.clock.now_us(), number=0), plan_id=None)
    whole.away = Aloft(called, 60 * US)
    whole.clock.advance(590.0)
    await whole.due.look()
    (shown,) = whole.due.shown
    assert whole.given == []
    assert (shown.is_called_away, shown.busy_until_us) == (True, called.sortie.landing_us + 60 * US)
    whole.away = None
    whole.clock.advance(60.0)
    await whole.due.look()
    assert whole.given == [2]
    assert whole.due.shown[0].busy_until_us is None


async def test_browsers_of_the_scope_are_told_what_is_due_when_it_changes() -> None:
    whole = day_of(is_automatic=False)
    hawk = Unit(
        unit_id=HAWK, call_sign="Hawk 7", kind=UnitKind.DRONE, service=Service.AIR, duty_status=DutyStatus.FREE, station_id=3
    )  # fmt: skip
    bridge: Any = SimpleNamespace(registry=SimpleNamespace(units={HAWK: hawk}))
    feed = DueFeed(whole.due, bridge)
    here, elsewhere = (Client(Scope(Role.OPERATOR, frozenset({station})), b"") for station in (3, 4))
    for client in (here, elsewhere):
        feed.start(client, None)
    await whole.due.look()
    assert feed.read()
    told = [msgspec.json.decode(text) for text in feed.due(here)]
    assert [(one["type"], [each["sortie_id"] for each in one["sorties"]]) for one in told] == [("due", [2])]
    assert [msgspec.json.decode(text)["sorties"] for text in feed.due(elsewhere)] == [[]]
    await whole.due.look()
    assert not feed.read()
    assert feed.due(here) == []
