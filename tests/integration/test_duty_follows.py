"""With a real bridge and database: a task moves its unit's duty status in every console within a second, without a reload."""

from pathlib import Path

import psycopg
import pytest

from infra.settings import Settings
from telemetry.model.unit import DutyStatus
from telemetry.model.unit_state import DUTY_STATUSES
from tests.conftest import TestDatabase
from tests.integration.test_service_database import eventually, running, urls_of

pytestmark = pytest.mark.database


async def test_a_dispatchs_steps_reach_the_picture_of_every_console_without_a_reload(
    database: TestDatabase, tmp_path: Path
) -> None:
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute(
            "insert into unit (unit_id, call_sign, kind, service, duty_status) values (1, 'U1', 'officer', 'patrol', 'free')"
        )
        connection.execute(
            "insert into incident (incident_id, number, change_sequence, state, urgency_rank, category, title, source,"
            " source_ref, source_sha256, reported_at, created_at, changed_at) values (1, 'JQ-1', 1, 'new', 1, 'help', '',"
            " 'console', 'r', sha256('x'), now(), now(), now())"
        )
        connection.execute(
            "insert into dispatch (incident_id, unit_id, state, sent_by, queued_at) values (1, 1, 'queued', 'w', now())"
        )
        settings = Settings(data_dir=tmp_path / "one", ingest_port=0, mavlink_links="")
        other = Settings(data_dir=tmp_path / "two", ingest_port=0, mavlink_links="")
        async with running(settings, urls_of(database)) as first, running(other, urls_of(database)) as second:
            services = (first, second)
            await eventually(lambda: all(service.registry.version >= 2 for service in services))  # they listen
            versions = [service.registry.version for service in services]

            def shown() -> set[DutyStatus]:
                rows = (s.bridge.picture.units[s.bridge.picture.row_of(1)] for s in services)
                return {DUTY_STATUSES[row["duty"]] for row in rows}

            for state, expected in (
                ("accepted", DutyStatus.EN_ROUTE),
                ("arrived", DutyStatus.ON_SCENE),
                ("cleared", DutyStatus.FREE),
            ):
                connection.execute("update dispatch set state = %s", (state,))
                await eventually(lambda expected=expected: shown() == {expected}, within_s=3)  # type: ignore[misc]
            assert [service.registry.version for service in services] == versions
