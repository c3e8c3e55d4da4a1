"""A demo drone's autopilot: turns its flight into signed MAVLink 2, answers commands, loses its link now and then."""

import hmac
from typing import Final

import numpy as np

from console.demo.flight import MODES, STEP_S, Flight, Phase
from telemetry.model.geodesy import Floats, LocalPlane
from telemetry.sources.mavlink.frame import FrameReader, Value, encode, values
from telemetry.sources.mavlink.signing import HASH_BYTES, Signer, signature_hash

COMPONENT_ID: Final = 1
QUADROTOR: Final = 2
ARDUPILOT: Final = 3
GROUND_MSL_M: Final = 1520.0
GEOID_M: Final = -38.0
ACTIVE: Final = 4
STANDBY: Final = 3
ARMED_FLAG: Final = 0x80
CUSTOM_FLAG: Final = 0x01
ACCEPTED: Final = 0
UNSUPPORTED: Final = 3
SET_MESSAGE_INTERVAL: Final = 511
REQUEST_MESSAGE: Final = 512
REQUEST_DATA_STREAM: Final = 66
COMMAND_LONG: Final = 76
LINK_LOSS_EVERY_S: Final = 420.0
LINK_LOSS_S: Final = (5.0, 15.0)
FULL_CELL_MV: Final = 4180
EMPTY_CELL_MV: Final = 3450
CELLS: Final = 6
NO_CELL_MV: Final = 65535
INTERVALS_S: Final = {
    "HEARTBEAT": 1.0,
    "GLOBAL_POSITION_INT": 0.25,
    "ATTITUDE": 0.25,
    "VFR_HUD": 0.5,
    "GPS_RAW_INT": 1.0,
    "SYS_STATUS": 1.0,
    "BATTERY_STATUS": 2.0,
    "EXTENDED_SYS_STATE": 1.0,
    "SYSTEM_TIME": 1.0,
    "MISSION_CURRENT": 1.0,
    "HOME_POSITION": 10.0,
}
NAME_OF_ID: Final = {0: "HEARTBEAT", 33: "GLOBAL_POSITION_INT", 30: "ATTITUDE", 74: "VFR_HUD", 24: "GPS_RAW_INT"} | {
    1: "SYS_STATUS",
    147: "BATTERY_STATUS",
    245: "EXTENDED_SYS_STATE",
    2: "SYSTEM_TIME",
    42: "MISSION_CURRENT",
    242: "HOME_POSITION",
}
_LANDED: Final = {Phase.TAKEOFF: 3, Phase.LANDING: 4, Phase.PATROL: 2, Phase.ERRAND: 2, Phase.RETURN: 2}


class Drone:
    """One drone: `tick` moves it by STEP_S and returns the datagram to send, `hear` takes what the ground says.

    Frames are signed with `key` on link 1. Counters: `positions_sent`, `frames_sent`, `commands_refused`.
    """

    def __init__(
        self, flight: Flight, plane: LocalPlane, system_id: int, key: bytes, *, seed: int, first_loss_s: float
    ) -> None:
        self.flight: Final = flight
        self.system_id: Final = system_id
        self.positions_sent = 0
        self.frames_sent = 0
        self.commands_refused = 0
        self._plane, self._key, self._signer = plane, key, Signer(key, 1)
        self._random = np.random.default_rng([seed, 31, system_id])
        self._reader = FrameReader()
        self._sequence = int(self._random.integers(0, 256))
        self._boot_s = float(self._random.uniform(30.0, 900.0))
        self._elapsed_s = 0.0
        self._intervals_s = dict(INTERVALS_S)
        self._due_s = {name: float(self._random.uniform(0.0, interval)) for name, interval in INTERVALS_S.items()}
        self._due_s["HEARTBEAT"] = 0.0
        self._pad = self._lat_lon_e7(flight.pad_m)
        self._silent_from_s = first_loss_s
        self._silent_until_s = first_loss_s + float(self._random.uniform(*LINK_LOSS_S))

    def tick(self, now_us: int) -> bytes:
        """Move on by STEP_S and return what goes out now; empty while the link is lost."""
        said = self.flight.step()
        self._elapsed_s += STEP_S
        if self._link_is_lost():
            return b""
        self._signer.advance(now_us)
        frames = [self._frame(name, self._content(name, now_us)) for name in self._due()]
        if said:
            frames.append(self._frame("STATUSTEXT", {"severity": 6, "text": said}))
        return b"".join(frames)

    def hear(self, data: bytes, now_us: int) -> bytes:
        """Obey signed commands in a datagram and return the acknowledgements; whatever is not signed by our key is refused."""
        self._signer.advance(now_us)
        answers = []
        for frame in self._reader.feed(data):
            if frame.msg_id != COMMAND_LONG or self._link_is_lost():
                continue
            if frame.signature is None or not self._is_genuine(frame.raw, frame.signature):
                self.commands_refused += 1
                continue
            answers.append(self._obey(values(frame), frame.system_id, frame.component_id))
        return b"".join(answers)

    def _is_genuine(self, raw: bytes, signature: bytes) -> bool:
        return hmac.compare_digest(signature_hash(self._key, raw[:-HASH_BYTES]), signature[-HASH_BYTES:])

    def _obey(self, command: dict[str, Value], system_id: int, component_id: int) -> bytes:
        number, message_id, interval_us = (int(command[name]) for name in ("command", "param1", "param2"))  # type: ignore[arg-type]
        name = NAME_OF_ID.get(message_id)
        result = ACCEPTED if name and number in (SET_MESSAGE_INTERVAL, REQUEST_MESSAGE) else UNSUPPORTED
        if name and number == SET_MESSAGE_INTERVAL and interval_us > 0:
            self._intervals_s[name] = max(STEP_S, interval_us / 1e6)
        elif name and number == REQUEST_MESSAGE:
            self._due_s[name] = self._elapsed_s
        answer: dict[str, Value] = {"command": number, "result": result, "target_system": system_id}
        return self._frame("COMMAND_ACK", answer | {"target_component": component_id})

    def _link_is_lost(self) -> bool:
        if self._elapsed_s >= self._silent_until_s:
            self._silent_from_s = self._elapsed_s + 60.0 + float(self._random.exponential(LINK_LOSS_EVERY_S))
            self._silent_until_s = self._silent_from_s + float(self._random.uniform(*LINK_LOSS_S))
        return self._elapsed_s >= self._silent_from_s

    def _due(self) -> list[str]:
        due = [name for name, at_s in self._due_s.items() if at_s <= self._elapsed_s + 1e-9]
        for name in due:
            self._due_s[name] = max(self._due_s[name] + self._intervals_s[name], self._elapsed_s - STEP_S)
        return due

    def _frame(self, name: str, content: dict[str, Value]) -> bytes:
        self._sequence = (self._sequence + 1) % 256
        self.frames_sent += 1
        self.positions_sent += name == "GLOBAL_POSITION_INT"
        return encode(
            name,
            content,
            system_id=self.system_id,
            component_id=COMPONENT_ID,
            sequence=self._sequence,
            signer=self._signer,
        )

    def _boot_ms(self) -> int:
        return round((self._boot_s + self._elapsed_s) * 1000.0)

    def _lat_lon_e7(self, place_m: Floats) -> tuple[int, int]:
        lat, lon = self._plane.from_plane(place_m[0], place_m[1])
        return round(float(lat) * 1e7), round(float(lon) * 1e7)

    def _content(self, name: str, now_us: int) -> dict[str, Value]:
        flight = self.flight
        lat_e7, lon_e7 = self._lat_lon_e7(flight.place_m)
        course_deg = float(np.degrees(np.arctan2(*flight.velocity_mps))) % 360.0
        match name:
            case "HEARTBEAT":
                base_mode = CUSTOM_FLAG | (0 if flight.on_ground else ARMED_FLAG)
                status = STANDBY if flight.on_ground else ACTIVE
                kind: dict[str, Value] = {"type": QUADROTOR, "autopilot": ARDUPILOT, "mavlink_version": 3}
                return kind | {"custom_mode": int(MODES[flight.phase]), "base_mode": base_mode, "system_status": status}
            case "GLOBAL_POSITION_INT":
                east, north = (round(value * 100.0) for value in flight.velocity_mps.tolist())
                place: dict[str, Value] = {"time_boot_ms": self._boot_ms(), "lat": lat_e7, "lon": lon_e7}
                heights = {"alt": self._msl_mm(), "relative_alt": round(flight.height_m * 1000.0)}
                return place | heights | {"vx": north, "vy": east, "vz": round(-flight.climb_mps * 100.0)} | self._hdg()
            case "GPS_RAW_INT":
                place = {"time_usec": now_us, "lat": lat_e7, "lon": lon_e7, "alt": self._msl_mm()}
                motion = {"vel": round(flight.speed_mps * 100.0), "cog": round(course_deg * 100.0) % 36000}
                heights = {"alt_ellipsoid": self._msl_mm() + round(GEOID_M * 1000.0), "h_acc": 900, "v_acc": 1400}
                return (
                    place
                    | motion
                    | heights
                    | {"eph": 70, "epv": 110, "fix_type": 4, "satellites_visible": self._satellites()}
                )
            case _:
                return self._status(name, now_us)

    def _status(self, name: str, now_us: int) -> dict[str, Value]:
        flight, percent = self.flight, round(self.flight.battery_ratio * 100.0)
        match name:
            case "ATTITUDE":
                lean = min(0.35, flight.speed_mps * 0.03)
                yaw = float(np.radians((flight.heading_deg + 180.0) % 360.0 - 180.0))
                return {
                    "time_boot_ms": self._boot_ms(),
                    "roll": float(self._random.normal(0, 0.02)),
                    "pitch": -lean,
                    "yaw": yaw,
                }
            case "VFR_HUD":
                throttle = 0 if flight.on_ground else 48
                speeds: dict[str, Value] = {"airspeed": flight.speed_mps, "groundspeed": flight.speed_mps}
                return (
                    speeds
                    | {"alt": self._msl_mm() / 1000.0, "climb": flight.climb_mps, "throttle": throttle}
                    | self._heading()
                )
            case "SYS_STATUS":
                current = 60 if flight.on_ground else 1850
                return {
                    "voltage_battery": self._cell_mv() * CELLS,
                    "current_battery": current,
                    "battery_remaining": percent,
                }
            case "BATTERY_STATUS":
                cells = (*((self._cell_mv(),) * CELLS), *((NO_CELL_MV,) * (10 - CELLS)))
                left_s = round(flight.battery_ratio * 1500.0)
                return {
                    "voltages": cells,
                    "battery_remaining": percent,
                    "time_remaining": left_s,
                    "temperature": 3100,
                    "type": 1,
                }
            case "EXTENDED_SYS_STATE":
                return {"landed_state": _LANDED.get(flight.phase, 1)}
            case "SYSTEM_TIME":
                return {"time_unix_usec": now_us, "time_boot_ms": self._boot_ms()}
            case "MISSION_CURRENT":
                total = len(flight.route.waypoints_m)
                return {"seq": flight.waypoint + 1 if flight.phase is Phase.PATROL else 0, "total": total}
            case _:
                return {"latitude": self._pad[0], "longitude": self._pad[1], "altitude": round(GROUND_MSL_M * 1000.0)}

    def _msl_mm(self) -> int:
        return round((GROUND_MSL_M + self.flight.height_m) * 1000.0)

    def _hdg(self) -> dict[str, Value]:
        return {"hdg": round(self.flight.heading_deg * 100.0) % 36000}

    def _heading(self) -> dict[str, Value]:
        return {"heading": round(self.flight.heading_deg) % 360}

    def _satellites(self) -> int:
        return int(self._random.integers(17, 25))

    def _cell_mv(self) -> int:
        return round(EMPTY_CELL_MV + (FULL_CELL_MV - EMPTY_CELL_MV) * self.flight.battery_ratio)
