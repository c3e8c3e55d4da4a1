"""The board of who else is in the air: anonymous, for a minute; how near each comes to our drones, and an alarm where that is too near."""

import hashlib
import math
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from telemetry.model.events import AlarmKind, AnyEvent, DeviceAlarm
from telemetry.model.sighting import Sighting, SightingSource

FORGOTTEN_US: Final = 60_000_000
LOOK_AHEAD_S: Final = 60.0
SHOWN_M: Final = 10_000.0
"""Approaches that stay farther off are not told."""
NEAR_M: Final = 1_000.0
NEAR_HEIGHT_M: Final = 120.0
CLEAR_FACTOR: Final = 1.2
"""An alarm ends only when the hazard stays so much farther off: else it came and went."""
OURSELVES_M: Final = 30.0
OURSELVES_MPS: Final = 3.0
"""What is so near and moves so alike is our own drone, heard by its own transponder or by another drone of ours."""
HAZARDS_AT_MOST: Final = 500
METRES_PER_DEG: Final = 111_195.0
CODE: Final = "traffic"


class OwnDrone(msgspec.Struct, frozen=True, kw_only=True):
    """One of our drones in the air, None what is not known; velocities in metres a second."""

    unit_id: int
    device_id: int
    lat_deg: float
    lon_deg: float
    alt_msl_m: float | None
    east_mps: float
    north_mps: float
    climb_mps: float


class Approach(msgspec.Struct, frozen=True, kw_only=True):
    """How near a hazard comes to a drone within the next minute, if both go on; `in_s` 0: it is nearest now."""

    unit_id: int
    device_id: int
    in_s: float
    distance_m: float
    height_apart_m: float | None
    is_near: bool


class Hazard(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody in the air by a name of this process alone."""

    hazard_id: str
    sighting: Sighting
    approaches: tuple[Approach, ...] = ()


class TrafficBoard:
    """Hazards by their hashed names; each change raises `version`. Nothing of it is kept: it is gone with the process.

    `secret` makes the names: nobody who reads them can tell an aircraft's or a drone's real one.
    """

    def __init__(self, secret: bytes) -> None:
        self.version = 0
        self._secret = secret
        self._hazards: dict[str, Hazard] = {}
        self._near: dict[int, str] = {}

    def resume(self, device_ids: Iterable[int]) -> None:
        """Take it that these drones had somebody too near when the program ended: what is no longer so then ends."""
        self._near = dict.fromkeys(device_ids, CODE)

    def hazards(self) -> list[Hazard]:
        """Return who is in the air, those who come nearest first."""
        return sorted(
            self._hazards.values(),
            key=lambda hazard: min((one.distance_m for one in hazard.approaches), default=math.inf),
        )

    def take(self, sightings: Iterable[Sighting]) -> None:
        """Take what receivers saw; an older sighting of the same one changes nothing."""
        for sighting in sightings:
            name = self._name(sighting)
            before = self._hazards.get(name)
            if before is not None and before.sighting.seen_us >= sighting.seen_us:
                continue
            if before is None and len(self._hazards) >= HAZARDS_AT_MOST:
                continue
            kept = msgspec.structs.replace(sighting, key=b"")
            self._hazards[name] = Hazard(
                hazard_id=name, sighting=kept, approaches=() if before is None else before.approaches
            )
            self.version += 1

    def look(self, drones: Sequence[OwnDrone], now_us: int) -> list[AnyEvent]:
        """Forget who was not seen for a minute and reckon approaches anew; return the alarms that begin or end by it."""
        if not self._hazards and not self._near:
            return []
        nearest: dict[int, Approach] = {}
        for name, hazard in list(self._hazards.items()):
            if now_us - hazard.sighting.seen_us > FORGOTTEN_US:
                del self._hazards[name]
                continue
            if any(_is_ourselves(hazard.sighting, drone, now_us) for drone in drones):
                self._hazards[name] = msgspec.structs.replace(hazard, approaches=())
                continue
            found = [
                approach_of(hazard.sighting, drone, now_us, is_near=drone.device_id in self._near) for drone in drones
            ]
            shown = tuple(one for one in found if one.distance_m <= SHOWN_M)
            self._hazards[name] = msgspec.structs.replace(hazard, approaches=shown)
            for one in shown:
                if one.is_near and (one.device_id not in nearest or one.distance_m < nearest[one.device_id].distance_m):
                    nearest[one.device_id] = one
        self.version += 1
        return self._alarms(nearest, now_us)

    def _alarms(self, nearest: dict[int, Approach], now_us: int) -> list[AnyEvent]:
        events: list[AnyEvent] = [
            _alarm(device_id, now_us, active=True, text=told(one))
            for device_id, one in nearest.items()
            if device_id not in self._near
        ]
        events += [_alarm(device_id, now_us, active=False) for device_id in self._near if device_id not in nearest]
        self._near = dict.fromkeys(nearest, CODE)
        return events

    def _name(self, sighting: Sighting) -> str:
        return hashlib.blake2s(sighting.key, key=self._secret[:32], digest_size=6).hexdigest()


def approach_of(sighting: Sighting, drone: OwnDrone, now_us: int, *, is_near: bool = False) -> Approach:
    """Return how near somebody comes to a drone; `is_near`: it was near before, and is until it stays clearly farther off."""
    age_s = max(0.0, (now_us - sighting.seen_us) / 1e6)
    speed_mps, course_rad = sighting.speed_mps or 0.0, math.radians(sighting.course_deg or 0.0)
    their_east_mps, their_north_mps = speed_mps * math.sin(course_rad), speed_mps * math.cos(course_rad)
    metres_east = METRES_PER_DEG * math.cos(math.radians(drone.lat_deg))
    east_m = (_wrapped(sighting.lon_deg - drone.lon_deg)) * metres_east + their_east_mps * age_s
    north_m = (sighting.lat_deg - drone.lat_deg) * METRES_PER_DEG + their_north_mps * age_s
    east_mps, north_mps = their_east_mps - drone.east_mps, their_north_mps - drone.north_mps
    closing = east_mps**2 + north_mps**2
    in_s = 0.0 if closing < 1e-6 else -(east_m * east_mps + north_m * north_mps) / closing
    in_s = min(max(in_s, 0.0), LOOK_AHEAD_S)
    away_m = math.hypot(east_m + east_mps * in_s, north_m + north_mps * in_s)
    apart_m = _height_apart_m(sighting, drone, age_s, in_s)
    wider = CLEAR_FACTOR if is_near else 1.0
    near = away_m < NEAR_M * wider and (apart_m is None or apart_m < NEAR_HEIGHT_M * wider)
    return Approach(
        unit_id=drone.unit_id,
        device_id=drone.device_id,
        in_s=in_s,
        distance_m=away_m,
        height_apart_m=apart_m,
        is_near=near,
    )


def _is_ourselves(sighting: Sighting, drone: OwnDrone, now_us: int) -> bool:
    still = msgspec.structs.replace(drone, east_mps=0.0, north_mps=0.0, climb_mps=0.0)
    here = approach_of(msgspec.structs.replace(sighting, speed_mps=0.0, climb_mps=0.0, seen_us=now_us), still, now_us)
    course_rad, speed_mps = math.radians(sighting.course_deg or 0.0), sighting.speed_mps or 0.0
    apart_mps = math.hypot(
        speed_mps * math.sin(course_rad) - drone.east_mps, speed_mps * math.cos(course_rad) - drone.north_mps
    )
    return here.distance_m < OURSELVES_M and (here.height_apart_m or 0.0) < OURSELVES_M and apart_mps < OURSELVES_MPS


def told(approach: Approach) -> str:
    """Return an approach in figures, which need no language."""
    height = "" if approach.height_apart_m is None else f", {approach.height_apart_m:.0f} m ↕"
    return f"{approach.distance_m:.0f} m, {approach.in_s:.0f} s{height}"


def _height_apart_m(sighting: Sighting, drone: OwnDrone, age_s: float, in_s: float) -> float | None:
    """Return how far apart in height they are then; None where either height is not known."""
    if sighting.alt_msl_m is None or drone.alt_msl_m is None:
        return None
    climb_mps = sighting.climb_mps or 0.0
    return abs(sighting.alt_msl_m + climb_mps * (age_s + in_s) - drone.alt_msl_m - drone.climb_mps * in_s)


def _wrapped(lon_deg: float) -> float:
    return (lon_deg + 180.0) % 360.0 - 180.0


def _alarm(device_id: int, now_us: int, *, active: bool, text: str = "") -> DeviceAlarm:
    return DeviceAlarm(
        device_id=device_id,
        observed_us=now_us,
        received_us=now_us,
        alarm=AlarmKind.TRAFFIC,
        active=active,
        code=CODE,
        text=text,
    )


__all__ = ["Approach", "Hazard", "OwnDrone", "SightingSource", "TrafficBoard", "approach_of", "told"]
