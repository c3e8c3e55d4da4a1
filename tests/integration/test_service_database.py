"""The bridge with its journal, recorder and database: what comes in is stored, and a restart goes on where it was."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from infra.clock import SYSTEM_CLOCK
from infra.database import DatabaseUrls, owner_connection
from infra.settings import Settings
from infra.vault import Vault
from telemetry.alarms.board import is_open
from telemetry.model.unit import DutyStatus, LinkState, Service, UnitKind
from telemetry.model.unit_state import LINK_STATES
from telemetry.registry.enrolment import NewDevice, NewUnit, add_device, assign_device, revoke_device, save_unit
from telemetry.service import BridgeService, open_service

pytestmark = pytest.mark.database


def urls_of(database: Any) -> DatabaseUrls:  # noqa: ANN401 - the fixture's own type
    return DatabaseUrls(owner=database.owner_url, writer=database.writer_url, app=database.app_url)


@asynccontextmanager
async def running(settings: Settings, urls: DatabaseUrls) -> AsyncIterator[BridgeService]:
    async with open_service(settings, urls, SYSTEM_CLOCK) as service:
        task = asyncio.create_task(service.run())
        await eventually(lambda: service.bridge.ingest_port > 0)
        try:
            yield service
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def eventually(condition: Callable[[], bool], *, within_s: float = 10.0) -> None:
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, "it did not come true in time"
        await asyncio.sleep(0.05)


def count(database: Any, query: str) -> int:  # noqa: ANN401 - as above
    with psycopg.connect(database.owner_url) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])


def enrol_phone(urls: DatabaseUrls, settings: Settings) -> tuple[int, int, str]:
    """Return (device_id, unit_id, token)."""
    now_us = SYSTEM_CLOCK.now_us()
    with owner_connection(urls.owner) as connection:
        vault = Vault.open(settings.data_dir)
        issued = add_device(connection, NewDevice(protocol="osmand"), vault=vault, now_us=now_us)
        new = NewUnit(call_sign="Lin", kind=UnitKind.OFFICER, service=Service.PATROL, duty_status=DutyStatus.FREE)
        unit = save_unit(connection, new)
        assign_device(connection, issued.device.device_id, unit.unit_id, now_us=now_us)
    assert issued.secret is not None
    return issued.device.device_id, unit.unit_id, issued.secret


async def test_a_phone_is_stored_a_restart_remembers_it_and_a_revoked_one_is_refused_at_once(
    database: Any,  # noqa: ANN401 - as above
    tmp_path: Path,
) -> None:
    urls, settings = urls_of(database), Settings(data_dir=tmp_path, ingest_port=0, mavlink_links="")
    device_id, unit_id, token = await asyncio.to_thread(enrol_phone, urls, settings)
    async with running(settings, urls) as service, httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{service.bridge.ingest_port}/?id={token}&lat=36.05&lon=103.8"
        assert (await client.get(url + "&alarm=sos")).status_code == 200
        await eventually(lambda: service.recorder.rows_recorded >= 1)
        (alarm,) = service.bridge.alarms.open()
    assert await asyncio.to_thread(count, database, "select count(*) from store.position") == 1
    async with running(settings, urls) as service, httpx.AsyncClient() as client:
        assert service.bridge.alarms.open() == [alarm]
        state = service.bridge.picture.units[service.bridge.picture.row_of(unit_id)]
        assert state["lat_e7"] == 360_500_000
        assert LINK_STATES[int(state["link"])] is not LinkState.NEVER
        url = f"http://127.0.0.1:{service.bridge.ingest_port}/?id={token}&lat=36.06&lon=103.8"
        assert (await client.get(url)).status_code == 200
        with owner_connection(urls.owner) as connection:
            revoke_device(connection, device_id, now_us=SYSTEM_CLOCK.now_us())
        await eventually(lambda: service.registry.devices[device_id].revoked)
        assert (await client.get(url)).status_code == 401
        await eventually(lambda: count(database, "select count(*) from quarantine") == 1)


@pytest.mark.shared_data
async def test_a_replayed_flight_moves_a_unit_and_its_rows_are_in_the_database(
    database: Any,  # noqa: ANN401 - as above
    tmp_path: Path,
    test_data: Path,
) -> None:
    urls, settings = urls_of(database), Settings(data_dir=tmp_path, ingest_port=0, mavlink_links="")
    path = test_data / "mavlink" / "dronekit_flight_replay.tlog"
    async with running(settings, urls) as service:
        status = await service.bridge.open_link(f"file:{path}", speed=100)
        assert status.state == "playing"
        (unit,) = service.registry.units.values()
        await eventually(lambda: service.recorder.rows_recorded >= 100)
        row = service.bridge.picture.row_of(unit.unit_id)
        first = int(service.bridge.picture.units[row]["lat_e7"])
        await eventually(lambda: int(service.bridge.picture.units[row]["lat_e7"]) != first)
        assert len(service.bridge.picture.trail(unit.unit_id)) > 0
        assert not any(is_open(alarm) for alarm in service.bridge.alarms.open())
        await eventually(lambda: service.bridge.statuses.of(unit.unit_id).mode is not None)
    said = service.bridge.statuses.of(unit.unit_id)
    async with running(settings, urls) as service:
        assert service.bridge.statuses.of(unit.unit_id) == said
    stored = await asyncio.to_thread(count, database, "select count(*) from store.position where quality & 16 = 16")
    assert stored >= 100
