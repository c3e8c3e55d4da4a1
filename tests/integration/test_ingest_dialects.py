"""The ingest listener and curl: OwnTracks is answered in its words, a Traccar server speaks for its devices, each with its token."""

import asyncio
import contextlib
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from typing import Any

import pytest

from infra.clock import SYSTEM_CLOCK
from infra.journal import JournalFullError
from telemetry.links.http import IngestApp, IngestListener
from telemetry.links.tap import RawChunk
from telemetry.model.decoding import Output
from telemetry.model.phone import address_of_token
from telemetry.model.phone_reading import PhoneReplay
from telemetry.model.unit import Device, DeviceOptions
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.sources import find_phone_sources

PLACE = {"_type": "location", "lat": 36.06, "lon": 103.83, "tst": 1_790_000_001}
FORWARDED = {
    "position": {"latitude": 36.07, "longitude": 103.84, "fixTime": "2026-09-21T14:13:21.000+00:00", "speed": 10},
    "device": {"uniqueId": "8675309"},
}
CLIENT = {"device_id": "phones-token", "location": {"coords": {"latitude": 36.08, "longitude": 103.85}}}


class House:
    """A listener whose reports stay in memory."""

    def __init__(self) -> None:
        self.registry = RegistryTable(
            RegistryContents(
                devices=(
                    Device(device_id=1, protocol="osmand", address=address_of_token("phones-token")),
                    Device(device_id=2, protocol="traccar_server", address=address_of_token("servers-token")),
                    Device(device_id=3, protocol="traccar", address="8675309"),
                    Device(
                        device_id=4,
                        protocol="osmand",
                        address=address_of_token("far-token"),
                        options=DeviceOptions(allowed_hosts=("10.0.0.0/8",)),
                    ),
                )
            )
        )
        self.kept: list[tuple[int, int]] = []
        self.is_full = False
        self.tapped: list[RawChunk] = []
        app = IngestApp(self.registry, find_phone_sources(), self._take, _at_once, SYSTEM_CLOCK, tap=self.tapped.append)
        self.listener = IngestListener(app, host="127.0.0.1", port=0)

    def _take(self, output: Output, now_us: int) -> int | None:
        assert now_us > 0
        if self.is_full:
            message = "the journal is full"
            raise JournalFullError(message)
        self.kept += [(int(row["device_id"]), int(row["lat_e7"])) for row in output.batch]
        return len(self.kept)

    async def curl(self, body: Any, *arguments: str, path: str = "/") -> tuple[int, str, str]:  # noqa: ANN401 - JSON
        """Return status, content type and body."""
        command = [
            "curl",
            "-sS",
            "-w",
            "\n%{http_code} %{content_type}",
            *arguments,
            "-H",
            "Content-Type: application/json",
        ]
        url = f"http://127.0.0.1:{self.listener.port}{path}"
        done = await asyncio.to_thread(
            subprocess.run,
            [*command, "-d", json.dumps(body), url],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
        said, _, last = done.stdout.rpartition("\n")
        status, _, content_type = last.partition(" ")
        return int(status), content_type, said


async def _at_once(sequence: int) -> None:
    assert sequence


@pytest.fixture
async def house() -> AsyncIterator[House]:
    if shutil.which("curl") is None:
        pytest.skip("NO CURL: install Debian's package curl to run this test")
    built = House()
    built.listener.open()
    running = asyncio.create_task(built.listener.run())
    yield built
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_owntracks_is_answered_with_a_list_and_known_by_its_password(house: House) -> None:
    answer = await house.curl(PLACE, "-u", "lihua:phones-token", "-H", "X-Limit-U: lihua", path="/pub?u=lihua&d=phone")
    assert answer == (200, "application/json", "[]")
    assert house.kept == [(1, 360_600_000)]
    assert await house.curl({"_type": "lwt", "tst": 1}, "-u", "lihua:phones-token") == answer
    assert (await house.curl({"_type": "encrypted", "data": "x"}, "-u", "lihua:phones-token"))[0] == 400
    assert (await house.curl(PLACE, "-u", "lihua:wrong"))[0] == 401
    assert (await house.curl(PLACE))[0] == 400
    assert (await house.curl(PLACE, "-H", "Authorization: Basic !!!"))[0] == 400
    assert house.kept == [(1, 360_600_000)]


async def test_a_server_speaks_for_the_devices_that_are_enrolled_by_its_names(house: House) -> None:
    bearer = ("-H", "Authorization: Bearer servers-token")
    assert (await house.curl(FORWARDED, *bearer))[0] == 200
    assert house.kept == [(3, 360_700_000)]
    stranger = {**FORWARDED, "device": {"uniqueId": "nobody"}}
    status, _, said = await house.curl(stranger, *bearer)
    assert status == 404
    assert "'nobody' is unknown: enrol it" in said
    assert [(entry.protocol, entry.address) for entry in house.registry.quarantined()] == [("traccar", "nobody")]
    assert (await house.curl({"device": FORWARDED["device"], "event": {"type": "deviceOnline"}}, *bearer))[0] == 200
    assert len(house.kept) == 1


async def test_neither_token_serves_for_the_others_reports(house: House) -> None:
    assert (await house.curl(FORWARDED, "-H", "Authorization: Bearer phones-token"))[0] == 403
    assert (await house.curl(FORWARDED))[0] == 400
    assert (await house.curl(CLIENT, "-H", "Authorization: Bearer servers-token"))[0] == 403
    assert (await house.curl(PLACE, "-u", "x:servers-token"))[0] == 403
    assert house.kept == []
    assert (await house.curl(CLIENT))[0] == 200
    assert house.kept == [(1, 360_800_000)]


async def test_a_device_with_its_own_addresses_is_not_heard_from_others(house: House) -> None:
    status, _, said = await house.curl(PLACE, "-u", "x:far-token")
    assert status == 403
    assert "may not speak from this address" in said


async def test_requests_stand_in_the_raw_log_without_their_tokens_and_are_decoded_again(house: House) -> None:
    await house.curl(PLACE, "-u", "lihua:phones-token", path="/pub?u=lihua")
    await house.curl(FORWARDED, "-H", "Authorization: Bearer servers-token")
    await house.curl(CLIENT)
    await house.curl("", "-G", path="/?id=phones-token&lat=1&lon=2&timestamp=1790000000&batt=50")
    await house.curl(PLACE, "-u", "lihua:wrong")
    assert [chunk.device_ids for chunk in house.tapped] == [(1,), (3,), (1,), (1,)]
    again = []
    for chunk in house.tapped:
        assert b"token" not in chunk.data
        device = house.registry.devices[chunk.device_ids[0]]
        output = PhoneReplay(find_phone_sources(), device).feed(chunk.data, chunk.received_us)
        again += [(int(row["device_id"]), int(row["lat_e7"])) for row in output.batch]
        assert set(output.batch["received_us"].tolist()) == {chunk.received_us}
    assert again == house.kept == [(1, 360_600_000), (3, 360_700_000), (1, 360_800_000), (1, 10_000_000)]


async def test_what_the_journal_cannot_keep_is_not_acknowledged(house: House) -> None:
    house.is_full = True
    for answer in (
        await house.curl(PLACE, "-u", "lihua:phones-token"),
        await house.curl(FORWARDED, "-H", "Authorization: Bearer servers-token"),
    ):
        assert answer[0] == 503
