"""Commands to devices over a restart: what waited waits on, what was sent is not sent again, whatever the database did."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from console.auth.accounts import Account
from console.orders import CommandDesk
from console.wire import Role
from infra.clock import SYSTEM_CLOCK
from infra.database import DatabaseUrls, owner_connection
from infra.settings import Settings
from infra.vault import Vault
from telemetry.model.commands import CommandState, RequestPosition, SendText
from telemetry.model.decoding import Output
from telemetry.model.events import CommandAnswered
from telemetry.registry.enrolment import NewDevice, add_device
from telemetry.service import BridgeService, open_service
from tests.conftest import TestDatabase

pytestmark = pytest.mark.database
ZHOU = Account(account_id=1, name="zhou", role=Role.OPERATOR)


@asynccontextmanager
async def running(settings: Settings, database: TestDatabase) -> AsyncIterator[BridgeService]:
    urls = DatabaseUrls(owner=database.owner_url, writer=database.writer_url, app=database.app_url)
    async with open_service(settings, urls, SYSTEM_CLOCK) as service:
        task = asyncio.create_task(service.run())
        try:
            yield service
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def test_what_waits_for_its_device_waits_on_after_a_restart(database: TestDatabase, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, mavlink_links="", ingest_port=0)
    with owner_connection(database.owner_url) as connection:
        vault = Vault.open(tmp_path)
        new = NewDevice(protocol="mavlink", address="main/1")
        device_id = add_device(connection, new, vault=vault, now_us=SYSTEM_CLOCK.now_us()).device.device_id
    async with running(settings, database) as service:
        desk = CommandDesk(service.bridge, SYSTEM_CLOCK)
        waiting = await desk.order(SendText(device_id=device_id, text="return"), ZHOU, None)
        answered = await desk.order(RequestPosition(device_id=device_id), ZHOU, None)
        now_us = SYSTEM_CLOCK.now_us()
        event = CommandAnswered(
            device_id=device_id,
            observed_us=now_us,
            received_us=now_us,
            command_id=answered.command_id,
            state="delivered",
        )
        service.bridge.take(Output(events=(event,)), now_us)
        assert waiting.state is CommandState.QUEUED
    async with running(settings, database) as again:
        board = again.bridge.orders
        assert board.queued() == [waiting]
        found = board.of(answered.command_id)
        assert found is not None
        assert (found.state, found.ordered_by) == (CommandState.DELIVERED, "zhou")
        assert board.next_id(0) > answered.command_id
        assert msgspec.json.decode(msgspec.json.encode(waiting.command))["text"] == "return"
