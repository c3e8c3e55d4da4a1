"""Drones that start by themselves: those that cannot are called off with why, and a restart forgets none."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from console.auth.accounts import Account
from console.flight.briefs import Briefs
from console.flight.control import holder_of
from console.patrols.launches import WAITED_AT_MOST_S, Launches
from console.wire import Role
from telemetry.model.errors import ConflictError
from telemetry.model.flight_events import SortieStep
from tests.conftest import FakeClock

HAWK, DRONE = 7, 1
WANG = Account(account_id=5, name="wang", role=Role.OPERATOR)


@dataclass
class Hangar:
    """A desk of flights with one drone, that writes down what it is asked."""

    directory: Path
    clock: FakeClock = field(default_factory=FakeClock)
    step: SortieStep = SortieStep.HANDED
    problem: str = ""
    cause: str = ""
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.briefs, self.sorties, self.control, self.drones = Briefs(self.directory), self, self, self

    def view(self, unit_id: int) -> SimpleNamespace:
        assert unit_id == HAWK
        said = {"reason_en": "20 % of the battery", "reason_zh": "电量 20 %", "cause": self.cause}
        return SimpleNamespace(sortie=SimpleNamespace(step=self.step, **said))

    async def start(self, unit_id: int, account: Account) -> None:
        assert (unit_id, account.account_id) == (HAWK, 5)
        if self.problem:
            raise ConflictError(self.problem)
        self.said.append("start")

    async def call_off(self, unit_id: int, *, waited_s: float) -> None:
        self.said.append(f"call off {unit_id} after {waited_s:g} s")
        self.step = SortieStep.FAILED

    def device_of(self, _: int) -> int:
        return DRONE

    def of(self, _: int) -> SimpleNamespace:
        return SimpleNamespace(holder=holder_of(WANG))

    async def release(self, device_id: int, account: Account) -> None:
        self.said.append(f"release {device_id} of {account.name}")

    def launches(self) -> Launches:
        desk: Any = self
        return Launches(desk, self.clock)


@pytest.fixture
def hangar(tmp_path: Path) -> Hangar:
    return Hangar(tmp_path)


async def test_a_drone_that_must_be_charged_first_starts_when_it_is(hangar: Hangar) -> None:
    launches = hangar.launches()
    launches.expect(HAWK, WANG, lets_go=True)
    await launches.look()
    hangar.clock.advance(600)
    await launches.look()
    assert hangar.said == []
    hangar.step = SortieStep.READY
    await launches.look()
    await launches.look()
    assert hangar.said == ["start"]
    hangar.step = SortieStep.DONE
    await launches.look()
    assert hangar.said == ["start", "release 1 of wang"]


async def test_one_that_waits_too_long_is_called_off_and_let_go(hangar: Hangar) -> None:
    launches = hangar.launches()
    launches.expect(HAWK, WANG, lets_go=True)
    hangar.clock.advance(WAITED_AT_MOST_S + 1)
    await launches.look()
    await launches.look()
    assert hangar.said == ["call off 7 after 900 s", "release 1 of wang"]


async def test_a_long_upload_is_waited_for_and_a_start_that_stays_refused_is_let_go(hangar: Hangar) -> None:
    launches, hangar.step, hangar.problem = hangar.launches(), SortieStep.UPLOADING, "Li is in control"
    launches.expect(HAWK, WANG, lets_go=True)
    hangar.clock.advance(WAITED_AT_MOST_S + 1)
    await launches.look()
    hangar.step = SortieStep.READY
    await launches.look()
    assert hangar.said == []
    hangar.clock.advance(301)
    await launches.look()
    assert hangar.said == ["release 1 of wang"]


async def test_what_could_not_be_read_back_is_started_again_for_a_while_and_then_let_go(hangar: Hangar) -> None:
    launches, hangar.step = hangar.launches(), SortieStep.READY
    launches.expect(HAWK, WANG, lets_go=True)
    await launches.look()
    hangar.cause = "read_back"
    for _ in range(3):
        await launches.look()
    assert hangar.said == ["start"]
    hangar.clock.advance(6)
    await launches.look()
    assert hangar.said == ["start", "start"]
    hangar.clock.advance(300)
    await launches.look()
    assert hangar.said == ["start", "start", "release 1 of wang"]


async def test_a_restart_forgets_no_launch_but_one_whose_time_is_long_past(hangar: Hangar) -> None:
    before = hangar.launches()
    before.expect(HAWK, WANG, lets_go=True)
    await before.look()
    again, hangar.step = hangar.launches(), SortieStep.READY
    await again.restore()
    await again.look()
    assert hangar.said == ["start"]
    third, hangar.step = hangar.launches(), SortieStep.DONE
    await third.restore()
    await third.look()
    assert hangar.said == ["start", "release 1 of wang"]
    fourth = hangar.launches()
    fourth.expect(HAWK, WANG, lets_go=False)
    await fourth.look()
    hangar.clock.advance(WAITED_AT_MOST_S + 1)
    late, hangar.step = hangar.launches(), SortieStep.READY
    await late.restore()
    await late.look()
    assert hangar.said == ["start", "release 1 of wang"]
