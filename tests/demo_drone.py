"""A demo drone for tests: its autopilot in this process, in memory or on a UDP port, at many times the speed of real time.

    with demo_drone() as drone:                      # unsigned; a ground station speaks to 127.0.0.1:drone.port
    with demo_drone(ground=("127.0.0.1", 14550)) as drone:   # the drone calls a ground station that listens (udpin)
    with demo_drone(key=KEY, speed_up=30) as drone:  # signed

It is as a real ArduCopter: it sends its HEARTBEAT and streams nothing else until it is asked (`streams=BY_ITSELF_S`: as in the
demo). `speed_up` steps of simulated time go by in each tenth of a second; HEARTBEATs, streams and the mission protocol keep to
real time. `drone.drone.craft` is what flies: look at it, or take it into `drone.lock` to change it.
"""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Final

from console.demo.autopilot.body import STEP_S, Place
from console.demo.autopilot.building import craft_on
from console.demo.autopilot.drone import Drone
from console.demo.autopilot.streams import BEATS_S, BY_ITSELF_S
from infra.clock import SYSTEM_CLOCK
from telemetry.model.geodesy import LocalPlane

__all__ = ["BY_ITSELF_S", "PAD_LAT_DEG", "PAD_LON_DEG", "DroneOnPort", "demo_drone", "new_drone"]

PAD_LAT_DEG: Final = 36.06
PAD_LON_DEG: Final = 103.83
LOOPBACK: Final = "127.0.0.1"
LONGEST_DATAGRAM_BYTES: Final = 65_535


def new_drone(
    *,
    system_id: int = 1,
    key: bytes | None = None,
    pad: tuple[float, float] = (PAD_LAT_DEG, PAD_LON_DEG),
    streams: Mapping[str, float] = BEATS_S,
    parameters: dict[str, float] | None = None,
    battery_ratio: float = 1.0,
    position_after_s: float = 0.0,
    asks_int: bool = False,
) -> Drone:
    """Return a drone on its pad (lat, lon) for tests that need no socket: call its `tick` and `hear`."""
    craft = craft_on(
        Place(0.0, 0.0),
        LocalPlane(*pad),
        seed=(4, system_id),
        battery_ratio=battery_ratio,
        parameters=(parameters or {}) | {"SYSID_THISMAV": float(system_id)},
        position_after_s=position_after_s,
    )
    return Drone(craft, system_id, key, seed=4, streams_s=streams, asks_int=asks_int)


class DroneOnPort:
    """A drone on a UDP port of this machine; it answers everybody who spoke to it, and its `ground`."""

    def __init__(self, drone: Drone, ground: tuple[str, int] | None, *, port: int, speed_up: int) -> None:
        self.drone: Final = drone
        self.lock: Final = threading.Lock()
        self._speed_up = speed_up
        self._peers = {ground} if ground else set()
        self._stop = threading.Event()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((LOOPBACK, port))
        self.port: Final[int] = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, name="demo drone", daemon=True)

    def start(self) -> None:
        """Begin to fly and speak."""
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._stop.set()
        self._thread.join(5.0)
        self._socket.close()

    def _run(self) -> None:
        due_s = time.monotonic()
        while not self._stop.is_set():
            self._listen_until(due_s)
            due_s = max(due_s + STEP_S, time.monotonic())
            with self.lock:
                self._send(self.drone.tick(SYSTEM_CLOCK.now_us(), steps=self._speed_up), self._peers)

    def _listen_until(self, due_s: float) -> None:
        while (wait_s := due_s - time.monotonic()) > 0.0:
            readable, _, _ = select.select([self._socket], [], [], wait_s)
            if readable:
                with contextlib.suppress(ConnectionError):  # nobody listens there any more
                    data, peer = self._socket.recvfrom(LONGEST_DATAGRAM_BYTES)
                    self._peers.add(peer)
                    with self.lock:
                        self._send(self.drone.hear(data, SYSTEM_CLOCK.now_us()), {peer})

    def _send(self, data: bytes, peers: set[tuple[str, int]]) -> None:
        for peer in peers if data else ():
            with contextlib.suppress(ConnectionError):
                self._socket.sendto(data, peer)


@contextlib.contextmanager
def demo_drone(
    ground: tuple[str, int] | None = None,
    *,
    drone: Drone | None = None,
    port: int = 0,
    speed_up: int = 20,
    key: bytes | None = None,
    system_id: int = 1,
    streams: Mapping[str, float] = BEATS_S,
    parameters: dict[str, float] | None = None,
    position_after_s: float = 0.0,
) -> Iterator[DroneOnPort]:
    """Give a drone that flies and speaks while the block runs; `port` 0 takes a free one. See the module's first lines."""
    built = drone or new_drone(
        system_id=system_id, key=key, streams=streams, parameters=parameters, position_after_s=position_after_s
    )
    on_port = DroneOnPort(built, ground, port=port, speed_up=speed_up)
    on_port.start()
    try:
        yield on_port
    finally:
        on_port.close()
