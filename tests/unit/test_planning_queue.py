"""The planning queue: nobody fills it alone."""

from contextlib import ExitStack

import pytest

from console.planning.desk import MOST_AN_ACCOUNT, PlanningDesk
from telemetry.model.errors import UnavailableError
from tests.conftest import FakeClock
from tests.console_house import SmallBridge


def test_an_account_with_its_questions_waiting_is_told_to_wait_while_another_is_not(fake_clock: FakeClock) -> None:
    desk = PlanningDesk(None, SmallBridge(fake_clock), fake_clock)
    with ExitStack() as waiting:
        for _ in range(MOST_AN_ACCOUNT):
            waiting.enter_context(desk.asking(1))
        with pytest.raises(UnavailableError, match="of your planning questions wait already"), desk.asking(1):
            pass
        waiting.enter_context(desk.asking(2))
    with desk.asking(1):
        pass
