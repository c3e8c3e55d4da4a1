"""One flying console for all tests of a file, with two drones: each test flies one of its own and finds nothing drawn.

from tests.shared_sky import emptied_sky, shared_sky  # noqa: F401 - fixtures
pytestmark = pytest.mark.asyncio(loop_scope="module")
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.conftest import TestDatabase
from tests.flying_house import FlyingHouse, flying
from tests.shared_house import empty_programme

__all__ = ["emptied_sky", "shared_sky"]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared_sky(
    module_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FlyingHouse]:
    """A console and two drones on their pads, thirty times as fast as real ones, for this file's tests."""
    async with flying(module_database, tmp_path_factory.mktemp("sky"), drone_count=2, speed_up=30) as sky:
        yield sky


@pytest_asyncio.fixture(loop_scope="module", name="sky")
async def emptied_sky(shared_sky: FlyingHouse, module_database: TestDatabase) -> FlyingHouse:
    """The file's console with an empty programme and no plans."""
    empty_programme(module_database)
    return shared_sky
