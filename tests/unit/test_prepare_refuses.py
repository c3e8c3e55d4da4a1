"""A database that is not ready is refused at the start, with what to do."""

import pytest

from infra.database import DatabaseError
from infra.migrate import MigrationError, Status, load_migrations
from infra.prepare import refuse_unready


def test_a_timescaledb_with_known_faults_is_refused_at_the_start() -> None:
    with pytest.raises(MigrationError, match=r"2\.29\.2"):
        refuse_unready(Status("18.6", "2.29.1", (), ()))
    refuse_unready(Status("18.6", "2.29.2", (), ()))
    refuse_unready(Status("18.6", None, (), ()))


def test_a_schema_that_lacks_steps_is_refused_with_their_names() -> None:
    first = load_migrations()[0]
    with pytest.raises(DatabaseError, match=f"{first.name}.*skybeat db migrate"):
        refuse_unready(Status("18.6", None, (), (first,)))
