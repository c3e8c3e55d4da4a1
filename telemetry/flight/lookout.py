"""The lookout: our drones in the air as the live picture has them, and, once a second, who comes too near to them."""

import math
from collections.abc import Mapping
from typing import Final

from telemetry.flight.traffic import OwnDrone, TrafficBoard
from telemetry.model.batch import UNKNOWN_I2, UNKNOWN_I4
from telemetry.model.events import AnyEvent
from telemetry.model.unit import LinkState, Unit, UnitKind
from telemetry.model.unit_state import LINK_STATES, UnitBit, UnitStates
from telemetry.picture.live import Picture
from telemetry.registry.table import RegistryTable

EVERY_US: Final = 1_000_000
_LIVE: Final = LINK_STATES.index(LinkState.LIVE)


class Lookout:
    """Looks once a second; `board` has the hazards."""

    def __init__(self, picture: Picture, registry: RegistryTable, secret: bytes) -> None:
        self.board = TrafficBoard(secret)
        self._picture = picture
        self._registry = registry
        self._due_us = 0

    def tick(self, now_us: int) -> list[AnyEvent]:
        """Return the alarms that begin or end now."""
        if now_us < self._due_us:
            return []
        self._due_us = now_us + EVERY_US
        drones = airborne(self._picture.units, self._registry.units) if self.board.hazards() else []
        return self.board.look(drones, now_us)


def airborne(rows: UnitStates, units: Mapping[int, Unit]) -> list[OwnDrone]:
    """Return the drones that are heard and fly, or are armed where nobody tells whether they fly; recorded ones are not there."""
    state = rows["state"]
    flies = (state & UnitBit.AIRBORNE > 0) | ((state & UnitBit.AIRBORNE_KNOWN == 0) & (state & UnitBit.ARMED > 0))
    found = rows[flies & (rows["link"] == _LIVE) & (state & UnitBit.REPLAYED == 0)]
    drones = []
    for row in found:
        unit = units.get(int(row["unit_id"]))
        if unit is None or unit.kind is not UnitKind.DRONE:
            continue
        speed_mps = 0.0 if row["speed_cmps"] == UNKNOWN_I2 else int(row["speed_cmps"]) / 100
        course_rad = 0.0 if row["course_ddeg"] == UNKNOWN_I2 else math.radians(int(row["course_ddeg"]) / 10)
        drones.append(
            OwnDrone(
                unit_id=unit.unit_id,
                device_id=int(row["device_id"]),
                lat_deg=int(row["lat_e7"]) / 1e7,
                lon_deg=int(row["lon_e7"]) / 1e7,
                alt_msl_m=None if row["alt_msl_dm"] == UNKNOWN_I4 else int(row["alt_msl_dm"]) / 10,
                east_mps=speed_mps * math.sin(course_rad),
                north_mps=speed_mps * math.cos(course_rad),
                climb_mps=0.0 if row["climb_cmps"] == UNKNOWN_I2 else int(row["climb_cmps"]) / 100,
            )
        )
    return drones
