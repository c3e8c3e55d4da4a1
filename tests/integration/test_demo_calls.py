"""Calls of the demo come by the intake, are dispatched, driven or flown to and measured, all through the real sockets."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from console.demo.api_client import ApiClient
from console.demo.desk import DISPATCHER

pytestmark = pytest.mark.database

UNITS: Final = 116
DRONES: Final = 7
SEEN_WITHIN_S: Final = 240
"""A busy machine takes its time; an idle one needs a minute."""
WORDS: Final = ("--units", str(UNITS), "--hour", "12", "--calls", "20", "--port", "0")


class Demo:
    """A running demo, and its administrator."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._said: list[str] = []
        self._admin = ApiClient("")

    @property
    def said(self) -> str:
        """What it wrote so far."""
        return "".join(self._said)

    async def hear(self, pattern: str) -> str:
        """Read on until a line holds the pattern, and return what the pattern's group is."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self._said.append(line.decode())
            if found := re.search(pattern, self._said[-1]):
                return found[1]
        pytest.fail(f"it ended before {pattern}:\n{self.said}")

    async def sign_in(self) -> None:
        """Use the link that it shows."""
        self._admin = ApiClient(await self.hear(r"the demo runs: (http://\S+)"))
        await self._admin.sign_in(await self.hear(r"sign-in#(\S+)"))

    async def ask(self, path: str, body: object = None, *, method: str = "") -> Any:  # noqa: ANN401 - any document
        """Read, or write what is given."""
        answer = await self._admin.ask(method or ("GET" if body is None else "POST"), path, body)
        assert answer.ok, f"{path}: {answer.status} {answer.body!r}"
        return json.loads(answer.body)

    async def until(self, met: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - what was waited for
        """Look once a second until there is something, and return it."""
        for _ in range(SEEN_WITHIN_S):
            if found := await met():
                return found
            await asyncio.sleep(1.0)
        pytest.fail(f"not within {SEEN_WITHIN_S} s\n{self.said}")

    async def end(self) -> None:
        """End it as Ctrl-C does."""
        assert self._process.stdout is not None
        self._process.send_signal(signal.SIGINT)
        self._said.append((await self._process.stdout.read()).decode())
        assert await self._process.wait() == 0, self.said


@asynccontextmanager
async def running_demo(folder: Path, report: Path) -> AsyncIterator[Demo]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "console.cli", "demo", *WORDS, "--report", str(report)),
        env=os.environ | {"SKYBEAT_DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Demo(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def sent_by_dispatcher(demo: Demo) -> bool:
    """Tell whether the demo's own dispatcher sent three times, and somebody accepted one."""
    calls = (await demo.ask("/api/incidents"))["incidents"]
    sent = [one for call in calls for one in call["dispatches"] if one["sent_by"] == DISPATCHER]
    return len(sent) >= 3 and any(one["accepted_ms"] for one in sent)


async def call_near_a_vehicle_and_a_drone(demo: Demo) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Take a call and move its place from station to station until both a vehicle and a drone would soon be there."""
    new = {"source_ref": "by-hand", "title": "Fight", "urgency": 1, "category": "theft"}
    call: dict[str, Any] = (await demo.ask("/api/incidents", new))["incident"]

    async def found() -> list[dict[str, Any]] | None:
        for station in (await demo.ask("/api/stations"))["stations"]:
            place = {"lat_deg": station["lat_deg"], "lon_deg": station["lon_deg"], "crs": "wgs84"}
            path = f"/api/incidents/{call['incident_id']}"
            call.update((await demo.ask(path, place | {"version": call["version"]}, method="PATCH"))["incident"])
            told = await demo.ask(f"{path}/candidates")
            near = [[one for one in told[way] if one["suits"] and one["travel_s"] < 120] for way in ("ground", "air")]
            if all(near):
                return [ones[0] for ones in near]
        return None

    return call, await demo.until(found)


async def test_calls_are_dispatched_driven_or_flown_to_and_measured(server_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    async with running_demo(server_folder / "demo-calls", file) as demo:
        await demo.sign_in()
        await demo.until(lambda: sent_by_dispatcher(demo))
        assert (await demo.ask("/api/conditions"))["conditions"]["wind_mps"] > 0
        call, (vehicle, drone) = await call_near_a_vehicle_and_a_drone(demo)
        path = f"/api/incidents/{call['incident_id']}"
        wanted = {"version": call["version"], "unit_ids": [vehicle["unit_id"], drone["unit_id"]]}
        await demo.ask(f"{path}/dispatch", wanted)

        async def one_arrived() -> list[dict[str, Any]] | None:
            """Whoever is quicker; both have accepted by then."""
            sent: list[dict[str, Any]] = (await demo.ask(path))["incident"]["dispatches"]
            answered = all(one["accepted_ms"] or one["declined_ms"] for one in sent)
            return sent if answered and any(one["arrived_ms"] for one in sent) else None

        sent = await demo.until(one_arrived)
        await demo.end()
    assert "call centre" not in demo.said
    assert drone["in_air"]
    assert 0.3 < drone["battery_ratio"] <= 1
    assert all(one["received_ms"] for one in sent)
    report = json.loads(file.read_text())
    assert report["watch"] == "day"
    assert report["officers"] == 105 + DRONES
    assert report["incidents"] >= report["dispatched"] >= 4
    assert report["dispatched"] >= report["arrived"] >= 1
    assert 5 < report["response_p50_s"] <= report["response_p90_s"] < 2 * SEEN_WITHIN_S
    assert 0 < report["on_target_ratio"] <= 1
    assert 0 < report["ring_closed_ratio"] <= 1
    assert 0 < report["coverage_shares"][0] < report["coverage_shares"][1] < report["coverage_shares"][2] <= 1
    assert report["positions_lost"] == report["errors"] == 0
