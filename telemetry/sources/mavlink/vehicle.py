"""One vehicle: what its frames mean, in the order they are taken."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from telemetry.model.batch import UNKNOWN_I1, Quality
from telemetry.model.events import LINK_LOST_S, LINK_SILENT_S, LinkLost, LinkRegained, Rebooted
from telemetry.sources.mavlink.boot_clock import UTC_KNOWN_US, BootClock, Stamp
from telemetry.sources.mavlink.commanding import COMMAND_ACK
from telemetry.sources.mavlink.dialogue import Dialogue
from telemetry.sources.mavlink.frame import Frame
from telemetry.sources.mavlink.fusion import Fusion, is_place
from telemetry.sources.mavlink.mission_messages import SPOKEN
from telemetry.sources.mavlink.modes import mode_name
from telemetry.sources.mavlink.requests import StreamRequests
from telemetry.sources.mavlink.secondary import (
    Fix,
    fix_of_drone_id,
    fix_of_gps_raw,
    fix_of_high_latency,
    fix_of_utm,
)
from telemetry.sources.mavlink.sightings import TELLS_OF_OTHERS, is_foreign, sighting_of
from telemetry.sources.mavlink.status import Status
from telemetry.sources.mavlink.tables import MESSAGES
from telemetry.sources.mavlink.turn import Turn

SPARSE_PATIENCE: Final = 60
"""How many times longer a vehicle may be silent that speaks by HIGH_LATENCY2."""
DEGREES_PER_RADIAN_TENTHS: Final = 1800.0 / math.pi
NO_VOLTAGE: Final = (0, 65535)
HOST_CLOCK_US: Final = 5_000_000
HIGHEST_YAW: Final = 10.0
"""Radians; what is beyond (or not a number) is no angle."""
LOWEST_LEVEL: Final = 7
SILENT_US: Final = round(LINK_SILENT_S * 1e6)

Fields = tuple[Any, ...]


class Vehicle:
    """The state of one (network, system id) whose autopilot was discovered.

    `route` numbers the link on which its HEARTBEAT came last. `dialogue` is what is being settled with it, None while it was
    never told anything; the heights of vehicle and home are None while unknown.
    """

    def __init__(self, device_id: int, identity: tuple[int, int, int], component_id: int, *, base_quality: int) -> None:
        self.device_id = device_id
        self.system_id, self.vehicle_type, self.autopilot = identity
        self.component_id = component_id
        self.route = 0
        self.clock = BootClock()
        self.fusion = Fusion(device_id, base_quality)
        self._replayed = bool(base_quality & Quality.REPLAYED)
        self.status = Status(device_id, replayed=self._replayed)
        self.requests = StreamRequests(self.system_id, component_id)
        self._heard_us: int | None = None
        self._lost_told_s = 0.0
        self._is_sparse = False
        self.dialogue: Dialogue | None = None
        self.relative_mm: int | None = None
        self.home_msl_mm: int | None = None

    @property
    def mode(self) -> str | None:
        """Return its flight mode's name."""
        return self.status.mode

    @property
    def armed(self) -> bool | None:
        """Tell whether its motors are armed."""
        return self.status.armed

    @property
    def current_item(self) -> int | None:
        """Return the number of its mission's current item."""
        return self.status.item

    @property
    def is_transferring(self) -> bool:
        """Tell whether a transfer of ours with it runs."""
        return self.dialogue is not None and self.dialogue.is_transferring

    def take(self, frame: Frame, now_us: int, turn: Turn) -> None:
        """Take a frame that is this vehicle's without doubt."""
        self.hear(now_us, turn)
        self.requests.heard(frame.msg_id, now_us)
        if frame.msg_id in TELLS_OF_OTHERS:
            self.see(frame, now_us, turn)
        handler = _HANDLERS.get(frame.msg_id)
        if handler is not None:
            handler(self, MESSAGES[frame.msg_id].codec.unpack(frame.payload), now_us, turn)

    def see(self, frame: Frame, now_us: int, turn: Turn) -> None:
        """Take whom a receiver aboard saw in the air."""
        sighting = None if self._replayed else sighting_of(frame, now_us)
        if sighting is not None:
            turn.sightings.append(sighting)

    def hear(self, now_us: int, turn: Turn) -> None:
        """Note that the vehicle speaks; a silence that was told, or should have been, ends here."""
        self.watch(now_us, turn)
        if self._lost_told_s and self._heard_us is not None:
            silent_s = round((now_us - self._heard_us) / 1e6, 1)
            turn.events.append(LinkRegained(silent_s=silent_s, **self._base(now_us)))
            self._lost_told_s = 0.0
        self._heard_us = max(now_us, self._heard_us or 0)

    def is_calm(self, now_us: int) -> bool:
        """Tell whether `hear` would only note the time: no silence was told or is due, and no text waits for its end."""
        return (
            not self._lost_told_s
            and self._heard_us is not None
            and now_us - self._heard_us < SILENT_US
            and not self.status.has_open_texts
        )

    def heard_calmly(self, now_us: int) -> None:
        """Do what `hear` does while the vehicle is calm."""
        if self._heard_us is None or now_us > self._heard_us:
            self._heard_us = now_us

    def watch(self, now_us: int, turn: Turn) -> None:
        """Tell of silence once at 3 s and once at 10 s (60 times longer for a vehicle on HIGH_LATENCY2)."""
        if self.status.has_open_texts:
            turn.events += self.status.stale_texts(now_us)
        if self._heard_us is None or now_us - self._heard_us < SILENT_US or self._lost_told_s >= LINK_LOST_S:
            return
        silent_s = (now_us - self._heard_us) / 1e6
        patience = SPARSE_PATIENCE if self._is_sparse else 1
        for limit_s in (LINK_SILENT_S, LINK_LOST_S):
            if self._lost_told_s < limit_s and silent_s >= limit_s * patience:
                self._lost_told_s = limit_s
                told_s = silent_s if limit_s == LINK_LOST_S else min(silent_s, LINK_LOST_S - 0.1)
                turn.events.append(LinkLost(silent_s=round(told_s, 1), **self._base(now_us)))

    def heartbeat(self, fields: Fields, now_us: int, turn: Turn) -> None:
        """Take a HEARTBEAT that bears the vehicle's own type and autopilot."""
        custom_mode, vehicle_type, autopilot, base_mode = fields[:4]
        self._is_sparse = False
        mode = mode_name(autopilot, vehicle_type, base_mode, custom_mode)
        turn.events += self.status.heartbeat(mode, base_mode, now_us)
        self._note_state(now_us, turn)

    def system_status(self, fields: Fields, now_us: int, turn: Turn) -> None:
        """Take SYS_STATUS: the battery where BATTERY_STATUS does not come."""
        voltage_mv, percent = fields[4], fields[12]
        if percent == 0 and voltage_mv in NO_VOLTAGE:
            percent = -1
        self.fusion.note_charge(percent, now_us)
        self._watch_battery(now_us, turn)

    def battery_status(self, fields: Fields, now_us: int, turn: Turn) -> None:
        """Take BATTERY_STATUS of the first battery."""
        voltages_mv, battery_id, percent = fields[3:13], fields[14], fields[17]
        if battery_id != 0:
            return
        if percent == 0 and all(voltage in NO_VOLTAGE for voltage in voltages_mv):
            percent = -1
        self.fusion.note_battery(percent, now_us)
        self._watch_battery(now_us, turn)

    def system_time(self, fields: Fields, now_us: int, turn: Turn) -> None:
        """Take SYSTEM_TIME."""
        unix_us, boot_ms = fields
        self._note_reboot(self.clock.system_time(unix_us, boot_ms, now_us), now_us, turn)

    def attitude(self, fields: Fields, now_us: int, turn: Turn) -> None:
        """Take ATTITUDE: the nose's direction, and one more look at the boot clock."""
        self.stamp(fields[0], now_us, turn)
        yaw = fields[3]
        if abs(yaw) <= HIGHEST_YAW:
            self.fusion.note_yaw(round(yaw * DEGREES_PER_RADIAN_TENTHS) % 3600, now_us)

    def hud(self, fields: Fields, now_us: int, turn: Turn) -> None:
        """Take VFR_HUD: throttle, for where landing has to be derived."""
        del turn
        self.fusion.throttle = (now_us, fields[5])

    def global_position(self, fields: Fields, now_us: int, turn: Turn) -> None:
        """Take GLOBAL_POSITION_INT, the best source of position."""
        stamp = self.stamp(fields[0], now_us, turn)
        if not is_place(fields[1], fields[2]):
            turn.bad["position_unknown"] += 1
            return
        turn.rows.append(self.fusion.global_position(fields, stamp, now_us))
        self.climb(fields[4], now_us, turn)

    def stamp(self, boot_ms: int, now_us: int, turn: Turn) -> Stamp:
        """Return when a sample was taken; a counter that fell back is a reboot."""
        stamp = self.clock.stamp(boot_ms, now_us)
        if stamp.fell_back_ms:
            self._note_reboot(stamp, now_us, turn)
        return stamp

    def climb(self, relative_mm: int, now_us: int, turn: Turn) -> None:
        """Derive landing from a height above home."""
        throttle_us, throttle_pct = self.fusion.throttle
        recent = now_us - throttle_us < HOST_CLOCK_US
        self.relative_mm = relative_mm
        turn.events += self.status.height(relative_mm, throttle_pct if recent else None, now_us)

    def raw_position(self, fields: Fields, now_us: int, turn: Turn) -> None:
        """Take GPS_RAW_INT: accuracy and satellites always, position when nothing better speaks."""
        self.fusion.note_sky(fields, now_us)
        self._secondary(fix_of_gps_raw(fields), now_us, turn)

    def utm_position(self, fields: Fields, now_us: int, turn: Turn) -> None:
        """Take UTM_GLOBAL_POSITION."""
        self._secondary(fix_of_utm(fields), now_us, turn)

    def drone_id_position(self, fields: Fields, now_us: int, turn: Turn) -> None:
        """Take OPEN_DRONE_ID_LOCATION."""
        if not is_foreign(fields):
            self._secondary(fix_of_drone_id(fields), now_us, turn)

    def sparse(self, fields: Fields, now_us: int, turn: Turn) -> None:
        """Take HIGH_LATENCY2, which stands for everything on a satellite link."""
        self._is_sparse = True
        self.fusion.note_battery(fields[23], now_us)
        self._secondary(fix_of_high_latency(fields), now_us, turn)
        self._watch_battery(now_us, turn)

    def _secondary(self, fix: Fix | None, now_us: int, turn: Turn) -> None:
        if fix is None or not is_place(fix.lat_e7, fix.lon_e7):
            return
        row = self.fusion.secondary_position(fix, self._stamp_of(fix.time_us, now_us), now_us)
        if row is not None:
            turn.rows.append(row)

    def landed(self, fields: Fields, now_us: int, turn: Turn) -> None:
        """Take EXTENDED_SYS_STATE."""
        turn.events += self.status.landed_told(fields[1], now_us)

    def mission_current(self, fields: Fields, now_us: int, turn: Turn) -> None:
        """Take MISSION_CURRENT."""
        turn.events += self.status.mission_current(fields[0], fields[1], now_us)
        self._note_state(now_us, turn)

    def mission_reached(self, fields: Fields, now_us: int, turn: Turn) -> None:
        """Take MISSION_ITEM_REACHED."""
        turn.events += self.status.mission_reached(fields[0], now_us)

    def text(self, fields: Fields, now_us: int, turn: Turn) -> None:
        """Take STATUSTEXT."""
        level, raw, text_id, number = fields
        said = raw.partition(b"\0")[0]
        texts = self.status.text(min(level, LOWEST_LEVEL), said, (text_id, number), now_us)
        turn.events += texts
        if self.dialogue is not None:
            self.dialogue.note_texts(texts)

    def spoken(self, msg_id: int, fields: Fields, now_us: int, turn: Turn) -> None:
        """Take what may answer something that we said."""
        if self.dialogue is not None:
            turn.events += self.dialogue.take(msg_id, fields, now_us)

    def home(self, fields: Fields, now_us: int, turn: Turn) -> None:
        """Take HOME_POSITION: where it returns to, and the height above the sea from which heights are counted."""
        self.home_msl_mm = fields[2]
        turn.events += self.status.home_told(fields[0], fields[1], now_us)

    def _note_state(self, now_us: int, turn: Turn) -> None:
        if self.dialogue is not None:
            turn.events += self.dialogue.note_state(now_us)

    def _stamp_of(self, time_us: int, now_us: int) -> Stamp | None:
        """Return the time of a field that holds UTC or microseconds since boot; None where only the arrival is known."""
        if time_us > UTC_KNOWN_US:
            sane = 0 <= now_us - time_us < HOST_CLOCK_US
            return Stamp(time_us, 0, 0, estimated=False, fell_back_ms=0) if sane else None
        observed_us = self.clock.estimate(time_us // 1000 & 0xFFFFFFFF, now_us) if time_us else None
        return None if observed_us is None else Stamp(observed_us, self.clock.epoch, 0, estimated=True, fell_back_ms=0)

    def _watch_battery(self, now_us: int, turn: Turn) -> None:
        percent = self.fusion.battery_pct(now_us)
        if percent != UNKNOWN_I1:
            turn.events += self.status.battery(percent / 100.0, now_us)

    def _note_reboot(self, stamp: Stamp, now_us: int, turn: Turn) -> None:
        if stamp.fell_back_ms:
            fell_back_s = stamp.fell_back_ms / 1000.0
            turn.events.append(Rebooted(epoch=stamp.epoch, fell_back_s=fell_back_s, **self._base(now_us)))
            self.requests.begin_anew()

    def _base(self, now_us: int) -> Any:  # noqa: ANN401 - keyword arguments that every event takes
        return {
            "device_id": self.device_id,
            "observed_us": now_us,
            "received_us": now_us,
            "replayed": self._replayed,
        }


def _spoken(msg_id: int, vehicle: Vehicle, fields: Fields, now_us: int, turn: Turn) -> None:
    vehicle.spoken(msg_id, fields, now_us, turn)


Handler = Callable[[Vehicle, Fields, int, Turn], None]

_HANDLERS: Final[dict[int, Handler]] = {
    0: Vehicle.heartbeat,
    1: Vehicle.system_status,
    2: Vehicle.system_time,
    24: Vehicle.raw_position,
    30: Vehicle.attitude,
    33: Vehicle.global_position,
    42: Vehicle.mission_current,
    46: Vehicle.mission_reached,
    74: Vehicle.hud,
    147: Vehicle.battery_status,
    235: Vehicle.sparse,
    245: Vehicle.landed,
    253: Vehicle.text,
    340: Vehicle.utm_position,
    242: Vehicle.home,
    12901: Vehicle.drone_id_position,
    **{msg_id: partial(_spoken, msg_id) for msg_id in (*SPOKEN, COMMAND_ACK)},
}
