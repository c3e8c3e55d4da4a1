"""Migrations on a real server."""


from infra.migrate import migrate, status
from tests.conftest import TestDatabase


def test_a_migrated_database_has_nothing_left_to_apply(database: TestDatabase) -> None:
    assert migrate(database.owner_url) == []
    assert status(database.owner_url).pending == ()
