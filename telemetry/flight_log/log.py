"""The flight log: every frame of a drone and to it from some seconds before it is armed until some after it is disarmed, by a thread."""

import shutil
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Final

import msgspec

from infra.clock import MICROSECONDS, Clock
from infra.logs import get_logger
from telemetry.flight_log.files import FlightLogFile, list_logs, name_of, private, to_delete
from telemetry.model.events import AnyEvent, ArmedChanged
from telemetry.model.vehicle_frames import VehicleFrame

BEFORE_US: Final = 5 * MICROSECONDS
AFTER_US: Final = 10 * MICROSECONDS
SILENT_US: Final = 600 * MICROSECONDS
"""A drone that was armed and is not heard for so long has ended its flight in another way."""
PART_BYTES: Final = 64 << 20
WAITING_BYTES: Final = 16 << 20
"""So much may wait for the thread; what comes beyond it is dropped and counted."""
FLUSH_S: Final = 1.0
CLEAN_EVERY_US: Final = 60 * MICROSECONDS
DAY_US: Final = 86_400 * MICROSECONDS
LEAST_FREE_BYTES: Final = 512 << 20
STAMP_BYTES: Final = 8
_log: Final = get_logger("flight log")


class FlightLogStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How the log does: the flights that are being written, what was dropped, and whether the disk has room."""

    flights: int
    frames_dropped: int
    is_stopped: bool
    last_error: str | None


class _Flight:
    """One flight that is being written."""

    def __init__(self, device_id: int, started_us: int) -> None:
        self.device_id = device_id
        self.started_us = self.heard_us = self.stamp_us = started_us
        self.ends_us: int | None = None
        self.part = 1
        self.bytes = 0

    @property
    def name(self) -> str:
        return name_of(self.device_id, self.started_us, self.part)


class FlightLog:
    """A folder of .tlog files, mode 600: each frame as it came or went behind its time (8 bytes, big-endian microseconds), in order.

    `take`, `take_said` and `hear` return at once; nothing here may delay what flies. Of too little free disk the oldest logs go first;
    when none is left nothing is written, and that is told.
    """

    def __init__(
        self,
        directory: Path,
        clock: Clock,
        *,
        keep_days: int,
        max_bytes: int,
        least_free_bytes: int = LEAST_FREE_BYTES,
    ) -> None:
        self.directory = directory
        self._clock = clock
        self._keep_us = keep_days * DAY_US
        self._max_bytes = max_bytes
        self._least_free_bytes = least_free_bytes
        self._recent: deque[tuple[int, Sequence[VehicleFrame]]] = deque()
        self._written: dict[str, int] = {}
        self._flights: dict[int, _Flight] = {}
        self._changed = threading.Condition()
        self._waiting: list[tuple[str, bytes]] = []
        self._waiting_bytes = 0
        self._ended: list[str] = []
        self._is_closing = False
        self._is_stopped = False
        self._dropped = 0
        self._last_error: str | None = None
        self._cleaned_us = 0
        self._open: dict[str, IO[bytes]] = {}
        self._thread = threading.Thread(target=self._write_forever, name="flight log", daemon=True)
        self._thread.start()

    @property
    def status(self) -> FlightLogStatus:
        """How it does."""
        return FlightLogStatus(
            flights=len(self._flights),
            frames_dropped=self._dropped,
            is_stopped=self._is_stopped,
            last_error=self._last_error,
        )

    def logs(self) -> list[FlightLogFile]:
        """Return the logs, the newest first. It reads the folder: call it in a thread."""
        with self._changed:
            written = dict(self._written)
        return list_logs(self.directory, written)

    def take(self, heard: Sequence[VehicleFrame], now_us: int) -> None:
        """Take drones' frames as they came; those of drones that do not fly are kept for a few seconds."""
        self._keep_recent(heard, now_us)
        if self._flights:
            for device_id in self._write_flying(heard, now_us):
                self._flights[device_id].heard_us = now_us
            self._end_flights(now_us)

    def take_said(self, said: Sequence[VehicleFrame], now_us: int) -> None:
        """Take what was sent to drones, alike; a drone that is spoken to is not heard by that."""
        self._keep_recent(said, now_us)
        if self._flights:
            self._write_flying(said, now_us)
            self._end_flights(now_us)

    def hear(self, event: AnyEvent, now_us: int) -> None:
        """Let a flight begin when a drone is armed, and end some seconds after it is disarmed."""
        if not isinstance(event, ArmedChanged) or event.replayed:
            return
        flight = self._flights.get(event.device_id)
        if event.armed and flight is None:
            self._begin(event.device_id, now_us)
        elif flight is not None:
            flight.ends_us = None if event.armed else now_us + AFTER_US

    def close(self) -> None:
        """Write what waits and end the thread."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(10)

    def _begin(self, device_id: int, now_us: int) -> None:
        flight = self._flights[device_id] = _Flight(device_id, now_us)
        before = [
            min(at_us, now_us).to_bytes(STAMP_BYTES, "big") + data
            for at_us, heard in sorted(self._recent, key=lambda kept: kept[0])
            for heard_id, _, data in heard
            if heard_id == device_id
        ]
        self._put(flight, b"".join(before))

    def _keep_recent(self, frames: Sequence[VehicleFrame], now_us: int) -> None:
        recent = self._recent
        recent.append((now_us, frames))
        while now_us - recent[0][0] > BEFORE_US:
            recent.popleft()

    def _write_flying(self, frames: Sequence[VehicleFrame], now_us: int) -> Iterable[int]:
        """Write what is of drones that fly, and return which; turns of two links may end in another order than they began."""
        flights = self._flights
        found: dict[int, list[bytes]] = {}
        for device_id, _, data in frames:
            if device_id in flights:
                found.setdefault(device_id, []).append(data)
        for device_id, datagrams in found.items():
            flight = flights[device_id]
            flight.stamp_us = max(flight.stamp_us, now_us)
            stamp = flight.stamp_us.to_bytes(STAMP_BYTES, "big")
            self._put(flight, b"".join([stamp + data for data in datagrams]))
        return found

    def _end_flights(self, now_us: int) -> None:
        for flight in list(self._flights.values()):
            if now_us > (flight.ends_us or flight.heard_us + SILENT_US):
                del self._flights[flight.device_id]
                self._end(flight.name)

    def _put(self, flight: _Flight, data: bytes) -> None:
        if flight.bytes > PART_BYTES:
            self._end(flight.name)
            flight.part, flight.bytes = flight.part + 1, 0
        flight.bytes += len(data)
        with self._changed:
            if self._waiting_bytes > WAITING_BYTES:
                self._dropped += 1
                return
            self._waiting.append((flight.name, data))
            self._waiting_bytes += len(data)

    def _end(self, name: str) -> None:
        with self._changed:
            self._ended.append(name)

    def _write_forever(self) -> None:
        is_closing = False
        while not is_closing:
            with self._changed:
                self._changed.wait_for(lambda: self._is_closing, FLUSH_S)
                waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
                ended, self._ended = self._ended, []
                is_closing = self._is_closing
            try:
                self._clean_when_due(is_due=bool(waiting))
                if self._is_stopped:
                    self._dropped += len(waiting)
                else:
                    self._write(waiting)
            except OSError as error:
                self._note_loss(len(waiting), error)
            for name in list(self._open) if is_closing else ended:
                file = self._open.pop(name, None)
                if file is not None:
                    file.close()
                with self._changed:
                    self._written.pop(name, None)

    def _write(self, waiting: list[tuple[str, bytes]]) -> None:
        for name, data in waiting:
            file = self._open.get(name)
            if file is None:
                self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                with self._changed:
                    self._written[name] = 0
                file = self._open[name] = open(self.directory / name, "ab", opener=private)  # noqa: SIM115 - open for a flight
            file.write(data)
        for name in {name for name, _ in waiting}:
            self._open[name].flush()
            with self._changed:
                self._written[name] = self._open[name].tell()
        if waiting and self._last_error is not None:
            self._last_error = None
            _log.info("flight_log_goes_on")

    def _clean_when_due(self, *, is_due: bool) -> None:
        now_us = self._clock.now_us()
        if not is_due or 0 <= now_us - self._cleaned_us < CLEAN_EVERY_US:
            return
        self._cleaned_us = now_us
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        missing_bytes = self._least_free_bytes - shutil.disk_usage(self.directory).free
        gone = to_delete(
            list_logs(self.directory, self._written),
            now_us=now_us,
            keep_us=self._keep_us,
            max_bytes=self._max_bytes,
            missing_bytes=missing_bytes,
        )
        for log in gone:
            (self.directory / log.name).unlink(missing_ok=True)
        was_stopped, self._is_stopped = self._is_stopped, sum(log.size_bytes for log in gone) < missing_bytes
        if self._is_stopped and not was_stopped:
            _log.error("flight_log_stopped", free_bytes_missing=missing_bytes)

    def _note_loss(self, frame_count: int, error: OSError) -> None:
        self._dropped += frame_count
        if self._last_error is None:
            _log.error("flight_log_not_written", error=str(error))
        self._last_error = str(error)
