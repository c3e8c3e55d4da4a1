"""Migrations on a real server."""

import psycopg

from infra.migrate import migrate, status


def test_a_migrated_database_has_nothing_left_to_apply(database) -> None:
    assert migrate(database.owner_url) == []
    assert status(database.owner_url).pending == ()
