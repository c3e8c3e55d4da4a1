"""Many phones behind one address: none of them may silence another."""

import hashlib
from collections.abc import Sequence
from typing import Any

from infra.clock import SYSTEM_CLOCK
from telemetry.links.http import FAILURES_BURST, IngestApp
from telemetry.model.phone import PHONE_PROTOCOL
from telemetry.model.unit import Device
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.sources import osmand

TOKEN = "a-token-of-ours"


class Stage:
    """An ingest app that one address asks; `kept` counts the reports that were taken."""

    def __init__(self) -> None:
        device = Device(device_id=1, protocol=PHONE_PROTOCOL, address=hashlib.sha256(TOKEN.encode()).hexdigest())
        self.registry = RegistryTable(RegistryContents(devices=(device,)))
        self.kept = 0
        self.app = IngestApp(self.registry, [osmand], self._take, _at_once, SYSTEM_CLOCK)

    def _take(self, *_: Any) -> int | None:  # noqa: ANN401 - whatever the app hands over
        self.kept += 1
        return None

    async def ask(self, query: str) -> int:
        said: list[dict[str, Any]] = []
        scope = {
            "type": "http",
            "method": "GET",
            "query_string": query.encode(),
            "headers": [],
            "client": ("192.0.2.7", 1),
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b""}

        async def send(message: dict[str, Any]) -> None:
            said.append(message)

        await self.app(scope, receive, send)
        return int(said[0]["status"])

    def strangers(self) -> Sequence[str]:
        return [entry.address for entry in self.registry.quarantined()]


async def _at_once(_sequence: int) -> None:
    return None


async def test_a_call_for_help_is_heard_though_a_neighbour_sends_nonsense_without_end() -> None:
    stage = Stage()
    statuses = [await stage.ask(f"id=wrong-{number}&lat=1&lon=1") for number in range(FAILURES_BURST + 40)]
    assert (statuses[0], statuses[-1]) == (401, 429)
    assert len(stage.strangers()) < FAILURES_BURST + 20, "a tired address went on filling the quarantine"
    assert await stage.ask(f"id={TOKEN}&lat=1&lon=1&alarm=sos") == 200
    assert stage.kept == 1
