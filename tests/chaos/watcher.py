"""A browser that looks on during a fault test: it keeps every position that the map showed, and connects again when cut off."""

import threading
import time
from typing import Any, Final

import numpy as np
import websockets.sync.client
from numpy.typing import NDArray
from websockets.exceptions import InvalidHandshake, WebSocketException

from console.wire import SUBPROTOCOL, FrameKind, decode_frame
from tests.chaos.ground import Program, member_places
from tests.chaos.oracle import SHOWN

ASK_AGAIN_S: Final = 0.2
UNKNOWN_E7: Final = -(2**31)


class Watcher:
    """Looks on in a thread from its making to `stop`."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._device_by_unit = member_places(program.force.members)
        self._lines: list[tuple[int, ...]] = []
        self._connections = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def stop(self) -> NDArray[Any]:
        """Look away and return what was shown (dtype SHOWN)."""
        self._stopping.set()
        self._thread.join()
        return np.array(self._lines, SHOWN)

    def _look(self) -> None:
        while not self._stopping.is_set():
            try:
                self._look_once()
            except (OSError, WebSocketException, InvalidHandshake):
                self._stopping.wait(ASK_AGAIN_S)

    def _look_once(self) -> None:
        connect = websockets.sync.client.connect(
            self._program.origin.replace("http", "ws") + "/ws",
            origin=websockets.Origin(self._program.origin),
            subprotocols=[websockets.Subprotocol(SUBPROTOCOL)],
            additional_headers={"cookie": f"skybeat={self._program.force.cookie}"},
            proxy=None,
            compression=None,
            open_timeout=5,
            ping_interval=None,
            max_size=None,
        )
        with connect as page:
            self._connections += 1
            page.send('{"type":"hello","v":1}')
            while not self._stopping.is_set():
                try:
                    data = page.recv(timeout=0.25)
                except TimeoutError:
                    continue
                if isinstance(data, bytes):
                    self._keep(data)

    def _keep(self, data: bytes) -> None:
        frame = decode_frame(data)
        if frame.kind not in {FrameKind.SNAPSHOT, FrameKind.DELTA}:
            return
        at_us = time.monotonic_ns() // 1000
        names = ("unit_id", "lat_e7", "lon_e7")
        for unit_id, lat_e7, lon_e7 in zip(*(frame.columns[name].tolist() for name in names), strict=True):
            if lat_e7 != UNKNOWN_E7 and unit_id in self._device_by_unit:
                self._lines.append((at_us, self._connections, self._device_by_unit[unit_id], lat_e7, lon_e7))
