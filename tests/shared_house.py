"""One console for all tests of a file: what is drawn and planned is emptied between them, its planner's process stays.

from tests.shared_house import emptied_house, shared_house  # noqa: F401 - fixtures
pytestmark = pytest.mark.asyncio(loop_scope="module")
"""

from collections.abc import AsyncIterator

import psycopg
import pytest
import pytest_asyncio

from tests.conftest import TestDatabase
from tests.console_house import House, running

__all__ = ["emptied_house", "empty_programme", "shared_house"]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared_house(module_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A running console for this file's tests; nothing was drawn or planned in it yet."""
    async with running(module_database, tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest_asyncio.fixture(loop_scope="module", name="house")
async def emptied_house(shared_house: House, module_database: TestDatabase) -> House:
    """The file's console with an empty programme, no plans and the settings of the start."""
    empty_programme(module_database)
    return shared_house


def empty_programme(database: TestDatabase) -> None:
    """Take away what was drawn and planned, and set the programme's settings as at the start."""
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("delete from plan")
        connection.execute("delete from programme_item")
        connection.execute("update programme_setting set version = 1, body = '{}'")
