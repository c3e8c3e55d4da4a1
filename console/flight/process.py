"""The MAVSDK process: one MAVSDK a drone, fed by the frames that the bridge verified, without any socket of its own."""

import contextlib
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO, Final

from mavsdk import ComponentType, Configuration, Mavsdk
from mavsdk.exceptions import MavsdkError
from mavsdk.plugins.action import Action
from mavsdk.plugins.mission_raw import MissionRaw

from console.flight.protocol import PIPE, Act, Acted, Answer, Forget, Heard, Ready, Send
from telemetry.model.commands import FlightAction

ACTIONS_AT_ONCE: Final = 32
NO_SYSTEM: Final = "NO_SYSTEM"
UNSUPPORTED: Final = "UNSUPPORTED"
INVALID_ARGUMENT: Final = "INVALID_ARGUMENT"
_KEEP_HEADING: Final = float("nan")
Tell = Callable[[Answer], None]


class Drone:
    """One drone's MAVSDK; the autopilot is discovered by its heartbeats among the frames."""

    def __init__(self, device_id: int, tell: Tell) -> None:
        self._sdk = Mavsdk(Configuration.create_with_component_type(ComponentType.GROUND_STATION))
        self._sdk.subscribe_raw_bytes_to_be_sent(lambda data: tell(Send(device_id, data)))
        self._sdk.add_any_connection("raw://")
        self._plugins: tuple[Any, Any] | None = None
        self._discovering = threading.Lock()

    def hear(self, data: bytes) -> None:
        """Take frames of the drone."""
        self._sdk.pass_received_raw_bytes(data)

    def close(self) -> None:
        """Let go of it."""
        self._sdk.destroy()

    def act(self, wanted: Act) -> str:
        """Do an action and return MAVSDK's word for how it ended; takes seconds where the drone does not answer."""
        with self._discovering:
            if self._plugins is None:
                system = self._sdk.first_autopilot(wanted.discover_s)
                if system is None:
                    return NO_SYSTEM
                self._plugins = (Action(system), MissionRaw(system))
        action, mission = self._plugins
        try:
            return _do(wanted, action, mission)
        except MavsdkError as error:
            result = getattr(error, "result", None)
            return str(getattr(result, "name", type(error).__name__))


def _do(wanted: Act, action: Any, mission: Any) -> str:  # noqa: ANN401 - MAVSDK tells no types
    match wanted.action:
        case FlightAction.ARM:
            action.arm()
        case FlightAction.DISARM:
            action.disarm()
        case FlightAction.TAKE_OFF:
            if wanted.alt_home_m is not None:
                action.set_takeoff_altitude(wanted.alt_home_m)
            action.takeoff()
        case FlightAction.START | FlightAction.CONTINUE:
            mission.start_mission()
        case FlightAction.PAUSE:
            mission.pause_mission()
        case FlightAction.RETURN_HOME:
            action.return_to_launch()
        case FlightAction.HOLD:
            action.hold()
        case FlightAction.LAND:
            action.land()
        case FlightAction.SET_CURRENT if wanted.item is not None:
            mission.set_current_mission_item(wanted.item)
        case FlightAction.GO_TO:
            return _go_to(wanted, action)
        case _:
            return INVALID_ARGUMENT
    return "SUCCESS"


def _go_to(wanted: Act, action: Any) -> str:  # noqa: ANN401 - as above
    if wanted.lat_deg is None or wanted.lon_deg is None or wanted.alt_msl_m is None:
        return INVALID_ARGUMENT
    action.goto_location(wanted.lat_deg, wanted.lon_deg, wanted.alt_msl_m, _KEEP_HEADING)
    if wanted.speed_mps is not None:
        action.set_current_speed(wanted.speed_mps)
    return "SUCCESS"


class Engine:
    """The drones that are flown, each with what it is asked; what it says goes out by one thread, since MAVSDK speaks by many."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._drones: dict[int, Drone] = {}
        self._said: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
        self._speaking = threading.Thread(target=self._speak, name="speak", daemon=True)
        self._acting = ThreadPoolExecutor(ACTIONS_AT_ONCE, thread_name_prefix="act")
        self._speaking.start()

    def serve(self, source: BinaryIO) -> None:
        """Say that it has started, and do what is asked until `source` ends."""
        self._said.put(Ready())
        while (question := PIPE.read_question(source)) is not None:
            match question:
                case Heard(device_id=device_id, data=data):
                    self._drone(device_id).hear(data)
                case Act():
                    self._acting.submit(self._act, question, self._drone(question.device_id))
                case Forget(device_id=device_id):
                    drone = self._drones.pop(device_id, None)
                    if drone is not None:
                        drone.close()

    def close(self) -> None:
        """Let go of every drone."""
        self._acting.shutdown(wait=False, cancel_futures=True)
        for drone in self._drones.values():
            drone.close()
        self._said.put(None)
        self._speaking.join(1.0)

    def _drone(self, device_id: int) -> Drone:
        drone = self._drones.get(device_id)
        if drone is None:
            drone = self._drones[device_id] = Drone(device_id, self._said.put)
        return drone

    def _act(self, wanted: Act, drone: Drone) -> None:
        result = drone.act(wanted)
        self._said.put(Acted(wanted.number, result == "SUCCESS", result))

    def _speak(self) -> None:
        while (answer := self._said.get()) is not None:
            try:
                PIPE.write_answer(self._sink, answer)
            except (BrokenPipeError, ValueError):  # the console is gone
                return


def main() -> None:
    """Run the process: its answers keep the standard output for themselves, what MAVSDK prints goes nowhere; Ctrl-C is the parent's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.dup2(nowhere, sys.stderr.fileno())
    engine = Engine(sink)
    with contextlib.suppress(BrokenPipeError):
        engine.serve(sys.stdin.buffer)
    engine.close()
    os._exit(0)  # MAVSDK's threads may wait for a drone that never answers


if __name__ == "__main__":
    main()
