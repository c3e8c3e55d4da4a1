"""A tiny HTTP/1.1 client for the demo's phones: few connections kept alive, each report sent once and once again on 503."""

import asyncio
import contextlib
import json
from collections import Counter, deque
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol
from urllib.parse import urlencode

import msgspec

from console.demo.http_answer import HTTP_OK, read_answer
from infra.clock import utc_of

ANSWER_WITHIN_S: Final = 5.0
KNOTS_PER_MPS: Final = 3600.0 / 1852.0
LATENCIES_KEPT: Final = 2000
RETRY_AFTER_S: Final = 0.5
RETRIES: Final = 1
ALARM_RETRIES: Final = 10
HTTP_BUSY: Final = 503


class Sighting(NamedTuple):
    """One report's content: WGS-84 position, speed, course (degrees, None while standing), accuracy and battery 0..1."""

    lat_deg: float
    lon_deg: float
    speed_mps: float
    course_deg: float | None
    accuracy_m: float
    battery_ratio: float


class Walks(Protocol):
    """What carries a phone about (console/demo/ground.py)."""

    def step(self, elapsed_s: float) -> Sighting:
        """Move on and return what the phone would report."""

    def halt(self, duration_s: float) -> None:
        """Stay for so long."""


class PhoneReport(NamedTuple):
    """What one device says once: its token, dialect, time (UTC microseconds), sighting and alarm ("" for none)."""

    token: str
    dialect: str
    observed_us: int
    sighting: Sighting
    alarm: str = ""


class PhoneCounts(msgspec.Struct, kw_only=True):
    """What became of the reports; `answered_ms` holds the newest latencies."""

    sent: int = 0
    accepted: int = 0
    retries: int = 0
    errors: int = 0
    statuses: Counter[str] = msgspec.field(default_factory=Counter)
    answered_ms: deque[float] = msgspec.field(default_factory=lambda: deque(maxlen=LATENCIES_KEPT))

    def p99_ms(self) -> float | None:
        """Return the 99th percentile of the newest latencies in milliseconds, None before the first."""
        ordered = sorted(self.answered_ms)
        return round(ordered[int(0.99 * (len(ordered) - 1))], 2) if ordered else None


def request_of(report: PhoneReport, host: str) -> bytes:
    """Return the whole HTTP request of a report, in its device's dialect."""
    if report.dialect == "traccar":
        return _traccar_request(report, host)
    sighting = report.sighting
    fields: dict[str, str | int] = {
        "id": report.token,
        "timestamp": report.observed_us // 1000,
        "lat": f"{sighting.lat_deg:.7f}",
        "lon": f"{sighting.lon_deg:.7f}",
        "speed": f"{sighting.speed_mps * KNOTS_PER_MPS:.3f}",
        "accuracy": f"{sighting.accuracy_m:.1f}",
        "batt": round(sighting.battery_ratio * 100),
    }
    if sighting.course_deg is not None:
        fields["bearing"] = f"{sighting.course_deg:.1f}"
    if report.alarm:
        fields["alarm"] = report.alarm
    return f"GET /?{urlencode(fields)} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: skybeat-demo\r\n\r\n".encode()


def _traccar_request(report: PhoneReport, host: str) -> bytes:
    sighting = report.sighting
    location = {
        "timestamp": utc_of(report.observed_us).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "coords": {
            "latitude": round(sighting.lat_deg, 7),
            "longitude": round(sighting.lon_deg, 7),
            "accuracy": round(sighting.accuracy_m, 1),
            "speed": round(sighting.speed_mps, 2),
            "heading": -1 if sighting.course_deg is None else round(sighting.course_deg, 1),
        },
        "battery": {"level": round(sighting.battery_ratio, 2), "is_charging": False},
        "extras": {"alarm": report.alarm} if report.alarm else {},
    }
    body = json.dumps({"device_id": report.token, "location": location}, separators=(",", ":")).encode()
    head = f"POST / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: skybeat-demo\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


class PhoneLine:
    """One connection that many phones share; `run` sends what lies in the queue, for ever."""

    def __init__(
        self, host: str, port: int, queue: asyncio.Queue[PhoneReport], counts: PhoneCounts, seconds: Callable[[], float]
    ) -> None:
        self._host, self._port, self._queue, self._counts, self._seconds = host, port, queue, counts, seconds
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def run(self) -> None:
        """Send reports in their order until cancelled."""
        while True:
            report = await self._queue.get()
            try:
                await self._deliver(report)
            finally:
                self._queue.task_done()

    async def close(self) -> None:
        """Close the connection."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _deliver(self, report: PhoneReport) -> None:
        """Send a report; once more when the server is busy or away, an alarm many times; then give it up."""
        data = request_of(report, f"{self._host}:{self._port}")
        self._counts.sent += 1
        status = await self._try(data)
        for _ in range(ALARM_RETRIES if report.alarm else RETRIES):
            if status not in (0, HTTP_BUSY):
                break
            self._counts.retries += 1
            await asyncio.sleep(RETRY_AFTER_S)
            status = await self._try(data)
        self._counts.statuses[str(status)] += 1
        if status == HTTP_OK:
            self._counts.accepted += 1
        else:
            self._counts.errors += 1

    async def _try(self, data: bytes) -> int:
        """Return the answer's status, 0 when there was none."""
        started_s = self._seconds()
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):  # wait_for of Python 3.11 may lose a cancellation
                status = await self._exchange(data)
        except (OSError, EOFError, TimeoutError, ValueError):
            await self.close()
            return 0
        self._counts.answered_ms.append(1000.0 * (self._seconds() - started_s))
        return status

    async def _exchange(self, data: bytes) -> int:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        assert self._reader is not None
        self._writer.write(data)
        await self._writer.drain()
        answer = await read_answer(self._reader)
        if answer.fields.get("connection", "").lower() == "close":
            await self.close()
        return answer.status
