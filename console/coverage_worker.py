"""Live coverage, reckoned in a process of its own so that the loop never waits for it.

The parent writes positions, the child answers with shares; both are length-prefixed float64 arrays over pipes. The child
ends when its parent is gone (its standard input closes) and is started anew when it is killed.
"""

import asyncio
import contextlib
import json
import os
import signal
import struct
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from console.wire_coverage import CoverageChanged, StationShares
from infra.clock import SYSTEM_CLOCK, Clock
from infra.logs import get_logger
from mission.coverage import Coverage
from mission.roads import load_roads
from telemetry.model.errors import UnavailableError
from telemetry.model.unit import AVAILABLE, LinkState, Station, UnitKind
from telemetry.model.unit_state import DUTY_STATUSES, LINK_STATES, UnitBit, UnitStates

LENGTH: Final = struct.Struct("<I")
ANSWER_WITHIN_S: Final = 5.0
BUILT_WITHIN_S: Final = 60.0
STOPPED_WITHIN_S: Final = 2.0
NICENESS: Final = 5
_LOG: Final = get_logger("coverage")
_HEAD: Final = 5
_AVAILABLE_INDEXES: Final = tuple(index for index, status in enumerate(DUTY_STATUSES) if status in AVAILABLE)
_HEARD_INDEXES: Final = tuple(
    index for index, link in enumerate(LINK_STATES) if link in (LinkState.LIVE, LinkState.STALE)
)

Positions = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]
"""lat_deg, lon_deg and whether the unit walks; shapes (n,)."""


class CoverageWorker:
    """The parent's side: starts the process, asks it, starts it again after it died."""

    def __init__(self, roads: Path, stations: Sequence[Station], clock: Clock) -> None:
        self._stations = tuple(stations)
        places = [(station.lat_deg, station.lon_deg) for station in self._stations]
        self._order = json.dumps({"roads": str(roads), "stations": places}).encode() + b"\n"
        self._clock = clock
        self._process: asyncio.subprocess.Process | None = None
        self._latest: CoverageChanged | None = None
        self._turn = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The number of the process, None while there is none."""
        return None if self._process is None else self._process.pid

    def latest(self) -> CoverageChanged | None:
        """Return the newest result, None before the first."""
        return self._latest

    async def start(self) -> None:
        """Start the process and wait until its roads are loaded. Raises UnavailableError."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "console.coverage_worker"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        await self._exchange(self._order, BUILT_WITHIN_S)

    async def shares(
        self, lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64], on_foot: NDArray[np.bool_]
    ) -> CoverageChanged:
        """Return what units at these WGS-84 positions (n,) reach; starts the process when there is none.

        Raises UnavailableError when it died or did not answer in time; the next call starts another.
        """
        async with self._turn:
            if self._process is None:
                await self.start()
            rows = np.concatenate((lat_deg, lon_deg, on_foot.astype(np.float64)))
            answer = await self._exchange(_framed(rows), ANSWER_WITHIN_S)
        self._latest = self._changed(np.frombuffer(answer, np.float64))
        return self._latest

    async def run(
        self, positions: Callable[[], Positions], tell: Callable[[CoverageChanged], None], *, every_s: float = 1.0
    ) -> None:
        """Ask once every `every_s` for ever and tell each result; a worker that dies is started again after a pause."""
        pause_s = every_s
        while True:
            started_s = self._clock.monotonic_s()
            try:
                tell(await self.shares(*positions()))
                pause_s = every_s
            except UnavailableError as error:
                pause_s = min(pause_s * 2.0, 30.0)
                _LOG.warning("coverage_worker_lost", reason=str(error), again_in_s=pause_s)
            await asyncio.sleep(max(0.05, pause_s - (self._clock.monotonic_s() - started_s)))

    async def stop(self) -> None:
        """End the process; a second call does nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), STOPPED_WITHIN_S)
        except TimeoutError:
            await _kill(process)

    async def _exchange(self, data: bytes, within_s: float) -> bytes:
        process = self._process
        assert process is not None
        try:
            return await asyncio.wait_for(_ask(process, data), within_s)
        except (OSError, EOFError, TimeoutError) as error:
            self._process = None
            await _kill(process)
            raise UnavailableError(
                f"the coverage worker gave no answer ({type(error).__name__}); it is started again"
            ) from error

    def _changed(self, answer: NDArray[np.float64]) -> CoverageChanged:
        zones = answer[_HEAD:].reshape(len(self._stations), 3)
        stations = [
            StationShares(station_id=station.station_id, shares=shares)
            for station, shares in zip(self._stations, zones.tolist(), strict=True)
        ]
        at_ms = self._clock.now_us() / 1000.0
        return CoverageChanged(
            at_ms=at_ms,
            shares=answer[2:_HEAD].tolist(),
            stations=stations,
            available_count=int(answer[1]),
            computed_ms=float(answer[0]),
        )


def available_positions(states: UnitStates, kind_of: Callable[[int], UnitKind | None]) -> Positions:
    """Return where the units stand that may be sent over the roads: free or standby, heard of lately, no drones.

    Covert units are left out: whoever may see the shares and the count could tell from them that there is one, and where.
    """
    ready = (
        np.isin(states["duty"], _AVAILABLE_INDEXES)
        & (states["state"] & int(UnitBit.COVERT) == 0)
        & np.isin(states["link"], _HEARD_INDEXES)
        & (states["observed_us"] > 0)
    )
    ready &= states["lat_e7"] != np.iinfo(np.int32).min
    chosen = states[ready]
    kinds = [kind_of(unit_id) for unit_id in chosen["unit_id"].tolist()]
    on_ground = np.array([kind is not None and kind is not UnitKind.DRONE for kind in kinds], np.bool_)
    on_foot = np.array([kind is UnitKind.OFFICER for kind in kinds], np.bool_)
    lat, lon = chosen["lat_e7"][on_ground] * 1e-7, chosen["lon_e7"][on_ground] * 1e-7
    return lat, lon, on_foot[on_ground]


async def _ask(process: asyncio.subprocess.Process, data: bytes) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(data)
    await process.stdin.drain()
    (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
    return await process.stdout.readexactly(length)


async def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


def _framed(values: NDArray[np.float64]) -> bytes:
    data = np.ascontiguousarray(values, np.float64).tobytes()
    return LENGTH.pack(len(data)) + data


def serve(source: BinaryIO, sink: BinaryIO, seconds: Callable[[], float]) -> None:
    """Answer questions until `source` ends: the child's side. `seconds` is a monotonic clock."""
    order = json.loads(source.readline())
    places = np.array(order["stations"], np.float64).reshape(-1, 2)
    coverage = Coverage(load_roads(Path(order["roads"])), places[:, 0], places[:, 1])
    coverage.shares(places[:, 0], places[:, 1])
    _send(sink, np.zeros(0))
    while head := source.read(LENGTH.size):
        lat_deg, lon_deg, on_foot = np.frombuffer(source.read(*LENGTH.unpack(head)), np.float64).reshape(3, -1)
        started_s = seconds()
        shares = coverage.shares(lat_deg, lon_deg, on_foot > 0.0)
        computed_ms = 1000.0 * (seconds() - started_s)
        _send(sink, np.concatenate(([computed_ms, shares.unit_count], shares.total, shares.zones.ravel())))


def _send(sink: BinaryIO, values: NDArray[np.float64]) -> None:
    sink.write(_framed(values))
    sink.flush()


def main() -> None:
    """Run the child: be nice to the loop that waits for us, and leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    with contextlib.suppress(BrokenPipeError):
        serve(sys.stdin.buffer, sys.stdout.buffer, SYSTEM_CLOCK.monotonic_s)


if __name__ == "__main__":
    main()
