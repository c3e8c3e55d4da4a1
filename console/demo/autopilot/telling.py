"""What the drone tells of itself: the content of each message that it streams or gives when it is asked."""

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from console.demo.autopilot.battery import CELLS
from console.demo.autopilot.body import Place
from console.demo.autopilot.camera import Photo
from console.demo.autopilot.craft import Craft
from console.demo.autopilot.numbers import (
    ACTIVE,
    ARDUPILOT,
    ARMED_FLAG,
    CRITICAL_STATE,
    CUSTOM_FLAG,
    GUIDED_FLAG,
    QUADROTOR,
    STABILIZE_FLAG,
    STANDBY,
    Capability,
    CopterMode,
)
from console.demo.autopilot.say import Fields

GEOID_M: Final = -38.0
NO_CELL_MV: Final = 65535
UNKNOWN: Final = 65535
FIX_NONE: Final = 0
FIX_DGPS: Final = 4
VERSION: Final = 4 << 24 | 7 << 16 | 0 << 8 | 255
"""ArduCopter 4.7.0, official."""
CRITICAL_RATIO: Final = 0.08
LOADED: Final = 180
SENSORS: Final = 0x3 | 0x4 | 0x8 | 0x20 | 0x8000 | 0x200000 | 0x2000000
"""Gyroscopes, accelerometers, compass, barometer, GPS, motors, attitude and battery: present, enabled and healthy."""
FENCE_SENSOR: Final = 0x100000
BREACH_TYPES: Final = {0: 0, 1: 2, 2: 3, 4: 3}
"""FENCE_BREACH by the bit that is broken: maximum altitude, boundary."""
GUIDED_MODES: Final = frozenset({CopterMode.AUTO, CopterMode.GUIDED, CopterMode.RTL, CopterMode.LAND})


class Telling:
    """Makes message contents of the craft's state; `boot_ms` and `now_us` are of the moment of `content`."""

    def __init__(self, craft: Craft, random: np.random.Generator, *, system_id: int) -> None:
        self._craft, self._random, self._system_id = craft, random, system_id
        self.now_us = 0
        self.boot_ms = 0
        self._contents: Final[dict[str, Callable[[], Fields]]] = {
            "HEARTBEAT": self._heartbeat,
            "GLOBAL_POSITION_INT": self._position,
            "GPS_RAW_INT": self._gps,
            "ATTITUDE": self._attitude,
            "VFR_HUD": self._hud,
            "SYS_STATUS": self._sys_status,
            "BATTERY_STATUS": self._battery,
            "EXTENDED_SYS_STATE": lambda: {"landed_state": int(craft.landed)},
            "SYSTEM_TIME": lambda: {
                "time_unix_usec": self.now_us if craft.has_position else 0,
                "time_boot_ms": self.boot_ms,
            },
            "MISSION_CURRENT": self._mission_current,
            "HOME_POSITION": self._home,
            "GPS_GLOBAL_ORIGIN": self._origin,
            "WIND": self._wind,
            "FENCE_STATUS": self._fence,
            "POSITION_TARGET_GLOBAL_INT": self._target,
            "NAV_CONTROLLER_OUTPUT": self._navigation,
            "AUTOPILOT_VERSION": self._version,
        }

    @property
    def names(self) -> frozenset[str]:
        """What can be told."""
        return frozenset(self._contents)

    def content(self, name: str) -> Fields:
        """Return one message's fields."""
        return self._contents[name]()

    def photo(self, photo: Photo) -> Fields:
        """Return the fields of CAMERA_FEEDBACK for a photo that was taken."""
        lat_e7, lon_e7 = self.lat_lon_e7(photo.place)
        heights: Fields = {"alt_msl": self._craft.home_msl_m + photo.height_m, "alt_rel": photo.height_m}
        angles: Fields = {"pitch": self._craft.camera.pitch_deg, "yaw": self._craft.body.heading_deg}
        numbers: Fields = {"img_idx": photo.number % 65536, "completed_captures": photo.number % 65536}
        return {"time_usec": self.now_us, "lat": lat_e7, "lng": lon_e7} | heights | angles | numbers

    def lat_lon_e7(self, place: Place) -> tuple[int, int]:
        """Return a place in 1e-7 degree; (0, 0) while the drone does not know where it is."""
        if not self._craft.has_position:
            return 0, 0
        lat_deg, lon_deg = self._craft.plane.from_plane(*place)
        return round(float(lat_deg) * 1e7), round(float(lon_deg) * 1e7)

    def _heartbeat(self) -> Fields:
        craft = self._craft
        flags = CUSTOM_FLAG | STABILIZE_FLAG | (ARMED_FLAG if craft.is_armed else 0)
        flags |= GUIDED_FLAG if craft.mode in GUIDED_MODES else 0
        state = STANDBY if craft.is_landed else ACTIVE
        if not craft.is_landed and craft.body.battery.ratio < CRITICAL_RATIO:
            state = CRITICAL_STATE
        kind: Fields = {"type": QUADROTOR, "autopilot": ARDUPILOT, "mavlink_version": 3}
        return kind | {"custom_mode": int(craft.mode), "base_mode": flags, "system_status": state}

    def _position(self) -> Fields:
        body, craft = self._craft.body, self._craft
        lat_e7, lon_e7 = self.lat_lon_e7(body.place)
        place: Fields = {"time_boot_ms": self.boot_ms, "lat": lat_e7, "lon": lon_e7, "hdg": self._hdg()}
        heights: Fields = {"alt": _mm(craft.home_msl_m + body.height_m), "relative_alt": _mm(body.height_m)}
        speeds: Fields = {"vx": round(body.north_mps * 100.0), "vy": round(body.east_mps * 100.0)}
        return place | heights | speeds | {"vz": round(-body.climb_mps * 100.0)}

    def _gps(self) -> Fields:
        body, craft = self._craft.body, self._craft
        if not craft.has_position:
            return {"fix_type": FIX_NONE, "eph": UNKNOWN, "epv": UNKNOWN, "vel": UNKNOWN, "cog": UNKNOWN}
        lat_e7, lon_e7 = self.lat_lon_e7(body.place)
        msl_mm = _mm(craft.home_msl_m + body.height_m)
        place: Fields = {"time_usec": self.now_us, "lat": lat_e7, "lon": lon_e7, "alt": msl_mm}
        motion: Fields = {"vel": round(body.speed_mps * 100.0), "cog": round(body.course_deg * 100.0) % 36000}
        heights: Fields = {"alt_ellipsoid": msl_mm + _mm(GEOID_M), "h_acc": 900, "v_acc": 1400}
        satellites = int(self._random.integers(17, 25))
        return (
            place | motion | heights | {"eph": 70, "epv": 110, "fix_type": FIX_DGPS, "satellites_visible": satellites}
        )

    def _attitude(self) -> Fields:
        body = self._craft.body
        lean_rad = min(0.35, body.airspeed_mps * 0.03) if not self._craft.is_landed else 0.0
        yaw_rad = math.radians((body.heading_deg + 180.0) % 360.0 - 180.0)
        roll_rad = float(self._random.normal(0, 0.02))
        return {"time_boot_ms": self.boot_ms, "roll": roll_rad, "pitch": -lean_rad, "yaw": yaw_rad}

    def _hud(self) -> Fields:
        body, craft = self._craft.body, self._craft
        speeds: Fields = {"airspeed": body.airspeed_mps, "groundspeed": body.speed_mps, "climb": body.climb_mps}
        throttle = 0 if craft.is_landed else 48
        heights: Fields = {"alt": craft.home_msl_m + body.height_m}
        return speeds | heights | {"throttle": throttle, "heading": round(body.heading_deg) % 360}

    def _sys_status(self) -> Fields:
        craft, battery = self._craft, self._craft.body.battery
        sensors = SENSORS if craft.has_position else SENSORS & ~0x20
        fenced = FENCE_SENSOR if craft.fence.is_enabled else 0
        health = sensors | (0 if craft.fence.broken else fenced)
        seen: Fields = {"onboard_control_sensors_present": SENSORS | FENCE_SENSOR, "load": LOADED}
        seen |= {"onboard_control_sensors_enabled": SENSORS | fenced, "onboard_control_sensors_health": health}
        power: Fields = {
            "voltage_battery": battery.cell_mv * CELLS,
            "current_battery": round(battery.current_a * 100.0),
        }
        return seen | power | {"battery_remaining": battery.percent}

    def _battery(self) -> Fields:
        battery = self._craft.body.battery
        cells = (*((battery.cell_mv,) * CELLS), *((NO_CELL_MV,) * (10 - CELLS)))
        spent: Fields = {"current_battery": round(battery.current_a * 100.0), "current_consumed": battery.consumed_mah}
        left: Fields = {"battery_remaining": battery.percent, "time_remaining": battery.left_s, "energy_consumed": -1}
        return spent | left | {"voltages": cells, "temperature": 3100, "type": 1}

    def _mission_current(self) -> Fields:
        craft = self._craft
        modes = 1 if craft.mode is CopterMode.AUTO else 2
        total = len(craft.store.mission)
        return {
            "seq": craft.run.number,
            "total": total or UNKNOWN,
            "mission_state": int(craft.mission_state),
            "mission_mode": modes,
        }

    def _home(self) -> Fields:
        lat_e7, lon_e7 = self.lat_lon_e7(self._craft.home)
        still: Fields = {"q": (1.0, 0.0, 0.0, 0.0), "time_usec": self.now_us}
        return still | {"latitude": lat_e7, "longitude": lon_e7, "altitude": _mm(self._craft.home_msl_m)}

    def _origin(self) -> Fields:
        home = self._home()
        return {name: home[name] for name in ("latitude", "longitude", "altitude", "time_usec")}

    def _wind(self) -> Fields:
        wind = self._craft.body.wind
        return {"direction": (wind.from_deg + 180.0) % 360.0 - 180.0, "speed": wind.speed_mps}

    def _fence(self) -> Fields:
        fence = self._craft.fence
        kind = BREACH_TYPES[max((bit for bit in (4, 2, 1) if fence.broken & bit), default=0)]
        status: Fields = {"breach_status": int(bool(fence.broken)), "breach_type": kind}
        return status | {"breach_count": fence.breach_count, "breach_time": fence.first_us // 1000 % 2**32}

    def _target(self) -> Fields:
        target = self._craft.target
        lat_e7, lon_e7 = self.lat_lon_e7(target.place)
        place: Fields = {"lat_int": lat_e7, "lon_int": lon_e7, "alt": self._craft.home_msl_m + target.height_m}
        return place | {"time_boot_ms": self.boot_ms, "coordinate_frame": 0, "type_mask": 0xDF8}

    def _navigation(self) -> Fields:
        body, target = self._craft.body, self._craft.target
        bearing = round(body.place.bearing_deg(target.place))
        away_m = min(round(body.place.away_m(target.place)), UNKNOWN)
        return {
            "nav_bearing": bearing,
            "target_bearing": bearing,
            "wp_dist": away_m,
            "alt_error": target.height_m - body.height_m,
        }

    def _version(self) -> Fields:
        capabilities = sum(Capability)
        uid: Fields = {"uid": 0x5B_0000 + self._system_id, "uid2": (0x5B, self._system_id)}
        return uid | {"capabilities": capabilities, "flight_sw_version": VERSION, "board_version": 1}

    def _hdg(self) -> int:
        return round(self._craft.body.heading_deg * 100.0) % 36000


def _mm(height_m: float) -> int:
    return round(height_m * 1000.0)
