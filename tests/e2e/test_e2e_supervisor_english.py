"""A supervisor's shift in English; the other language is a file of its own, so that both can run side by side."""

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import RunningDemo, Visit, run_demo
from tests.e2e.supervisor_shift import UNIT_COUNT, supervise, works_a_shift

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module")
def staffed_demo() -> Iterator[RunningDemo]:
    """A demo by day with whole crews at all stations, and no calls but the supervisor's own."""
    yield from run_demo(unit_count=UNIT_COUNT, calls_per_minute=0)


async def test_a_supervisors_shift_in_english(staffed_demo: RunningDemo, visit: Visit) -> None:
    await works_a_shift(await supervise(visit, staffed_demo, "en"))
