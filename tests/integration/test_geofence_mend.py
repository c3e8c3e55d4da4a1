"""Reports that come late change the visits of their period."""

from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import sql

from infra.clock import SYSTEM_CLOCK, utc_of
from telemetry.geofence_mend import VisitMender
from telemetry.geofences.fence import Geofence
from telemetry.geofences.index import GeofenceIndex
from telemetry.model.batch import Batch, Quality, hash_fixes, new_batch, sort_for_storage
from telemetry.model.unit import Service, Unit, UnitKind
from telemetry.recording.copy_rows import POSITION_COLUMNS, copy_positions
from tests.conftest import TestDatabase
from tests.console_house import OFFICER, seed

SECOND_US = 1_000_000
RING = [[103.79, 36.04], [103.81, 36.04], [103.81, 36.06], [103.79, 36.06], [103.79, 36.04]]
FENCE = Geofence(geofence_id=3, name_zh="区", name_en="", geometry={"type": "Polygon", "coordinates": [RING]})
UNIT = Unit(unit_id=OFFICER, call_sign="U2", kind=UnitKind.OFFICER, service=Service.PATROL)


def walk(from_us: int, *, count: int = 60) -> Batch:
    """Walk east through the fence, one fix in 20 s, 60 m each."""
    batch = new_batch(count)
    batch["device_id"] = 10 + OFFICER
    batch["observed_us"] = from_us + 20 * SECOND_US * np.arange(count)
    batch["received_us"] = batch["observed_us"] + 3_600 * SECOND_US
    batch["lat_e7"], batch["lon_e7"] = 360_500_000, 1_037_800_000 + 6_700 * np.arange(count)
    batch["quality"] = Quality.ARCHIVE
    hash_fixes(batch)
    return batch


def store(connection: psycopg.Connection[Any], batch: Batch) -> None:
    days = [utc_of(int(batch["observed_us"][place])).date() for place in (0, -1)]
    connection.execute("select store.ensure_position_partitions(%s, %s)", days)
    columns = sql.SQL(", ").join(map(sql.Identifier, POSITION_COLUMNS))
    query = sql.SQL("copy store.position ({}) from stdin (format binary)").format(columns)
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        for buffer in copy_positions(sort_for_storage(batch)):
            copy.write(buffer)


def test_late_reports_mend_the_visits_of_their_period(database: TestDatabase) -> None:
    seed(database)
    from_us = SYSTEM_CLOCK.now_us() - 7_200 * SECOND_US
    batch = walk(from_us)
    with psycopg.connect(database.owner_url) as connection:
        store(connection, batch)
    mender = VisitMender(lambda: GeofenceIndex([FENCE]), lambda _device_id, _at_us: UNIT)
    with psycopg.connect(database.writer_url) as connection:
        for _ in range(2):
            mender(connection, 10 + OFFICER, from_us, int(batch["observed_us"][-1]) + 1)
    with psycopg.connect(database.owner_url) as connection:
        visits = connection.execute(
            "select geofence_id, extract(epoch from entered_at)::float8, extract(epoch from left_at)::float8"
            " from store.geofence_visit"
        ).fetchall()
    ((geofence_id, entered_s, left_s),) = visits
    assert geofence_id == 3
    assert entered_s - from_us / 1e6 == pytest.approx(20 * 100_000 / 6_700, abs=1)
    assert left_s - entered_s == pytest.approx(20 * 200_000 / 6_700, abs=1)
