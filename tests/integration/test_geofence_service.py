"""A geofence that is drawn while the service runs is watched at once; who is inside and its alarm survive a restart."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from infra.settings import Settings
from telemetry.model.events import AlarmKind
from tests.integration.test_service_database import enrol_phone, eventually, running, urls_of

pytestmark = pytest.mark.database

RING = [[103.79, 36.04], [103.81, 36.04], [103.81, 36.06], [103.79, 36.06], [103.79, 36.04]]


def draw(database: Any) -> None:  # noqa: ANN401 - the fixture's own type
    geometry = json.dumps({"type": "Polygon", "coordinates": [RING]})
    with psycopg.connect(database.owner_url) as connection:
        connection.execute(
            "insert into geofence (name_zh, name_en, geometry, raises_alarm) values ('河边', 'Riverside', %s, true)",
            (geometry,),
        )


def kinds(database: Any) -> list[str]:  # noqa: ANN401 - as above
    with psycopg.connect(database.owner_url) as connection:
        return [row[0] for row in connection.execute("select kind from store.event order by received_at, kind")]


async def test_a_fence_is_watched_at_once_and_a_restart_tells_nothing_again(
    database: Any,  # noqa: ANN401 - as above
    tmp_path: Path,
) -> None:
    urls, settings = urls_of(database), Settings(data_dir=tmp_path, ingest_port=0, mavlink_links="")
    device_id, unit_id, token = await asyncio.to_thread(enrol_phone, urls, settings)
    async with running(settings, urls) as service, httpx.AsyncClient() as client:
        await asyncio.to_thread(draw, database)
        await eventually(lambda: len(service.bridge.geofences.index) == 1)
        url = f"http://127.0.0.1:{service.bridge.ingest_port}/?id={token}&lon=103.8&lat="
        assert (await client.get(url + "36.0599")).status_code == 200
        (alarm,) = service.bridge.alarms.open()
        assert (alarm.kind, alarm.unit_id, alarm.text) == (AlarmKind.GEOFENCE, unit_id, "河边 / Riverside")
        await eventually(lambda: service.recorder.rows_recorded >= 1)
    async with running(settings, urls) as service, httpx.AsyncClient() as client:
        assert service.bridge.alarms.open() == [alarm]
        assert [held for held, _ in service.bridge.geofences.all_stays()] == [device_id]
        url = f"http://127.0.0.1:{service.bridge.ingest_port}/?id={token}&lon=103.8&lat="
        assert (await client.get(url + "36.05991")).status_code == 200
        assert len(service.bridge.alarms.open()) == 1
        assert (await client.get(url + "36.0603")).status_code == 200
        (ended,) = service.bridge.alarms.open()
        assert (ended.number, ended.ended_us is not None) == (alarm.number, True)
        await eventually(lambda: "geofence_left" in kinds(database))
    told = await asyncio.to_thread(kinds, database)
    assert told.count("geofence_entered") == told.count("geofence_left") == told.count("alarm_numbered") == 1
