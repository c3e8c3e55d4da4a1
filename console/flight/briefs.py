"""What a drone was given to fly, kept beside its state so that a restart goes on with it: one small file a drone."""

from pathlib import Path
from typing import Final

import msgspec

from infra.logs import get_logger
from mission.formats.mavlink_items import items_of
from mission.model import Airframe, Dock, Zone
from mission.pilot import Brief
from mission.plan import Sortie
from telemetry.flight_log.files import private
from telemetry.model.geodesy import distance_m

LEAST_LANDING_RATIO: Final = 0.1
"""What the battery must at least still hold when it lands, by what it holds now: less is no sortie but a risk."""
RESERVE_RATIO: Final = 0.2
_LOG: Final = get_logger("flight")


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """A sortie as it was given: with its airframe, dock and zones, by whom, and which waypoint (from 0) is its goal."""

    sortie: Sortie
    airframe: Airframe
    dock: Dock
    zones: tuple[Zone, ...]
    plan_id: int | None
    goal: int
    account_id: int
    account_name: str

    @property
    def brief(self) -> Brief:
        """What its pilot is given."""
        used_ratio = 1.0 - self.sortie.landing_battery_ratio
        return Brief(
            sortie_id=self.sortie.sortie_id,
            plan=items_of(self.sortie, self.airframe, self.dock, zones=self.zones),
            waypoint_count=len(self.sortie.waypoints),
            least_battery_ratio=min(0.95, max(0.3, used_ratio + LEAST_LANDING_RATIO)),
            plan_id=self.plan_id,
            account_id=self.account_id,
            account_name=self.account_name,
        )

    def left(self, lat_deg: float, lon_deg: float, flown: int) -> tuple[float, float]:
        """Return the metres and seconds that are left to the goal, from a place, with so many waypoints behind."""
        left_m = left_s = 0.0
        for waypoint in self.sortie.waypoints[flown : self.goal + 1]:
            leg_m = float(distance_m(lat_deg, lon_deg, waypoint.lat_deg, waypoint.lon_deg))
            left_m += leg_m
            left_s += leg_m / max(waypoint.speed_mps, 0.1)
            lat_deg, lon_deg = waypoint.lat_deg, waypoint.lon_deg
        left_s += sum(waypoint.hold_s for waypoint in self.sortie.waypoints[flown : self.goal])
        return left_m, left_s


class Briefs:
    """A folder with one file a device, mode 600. What cannot be read is as if it had never been given, and told."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def keep(self, device_id: int, given: Given) -> None:
        """Write down what a device was given, in the place of what it was given before. Raises OSError. Call it in a thread."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(device_id)
        written = path.with_suffix(".new")
        with open(written, "wb", opener=private) as file:
            file.write(msgspec.json.encode(given))
        written.replace(path)

    def load(self, device_id: int) -> Given | None:
        """Return what a device was given last. Call it in a thread."""
        try:
            return msgspec.json.decode(self._path(device_id).read_bytes(), type=Given)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            _LOG.warning("brief_unreadable", device_id=device_id, error=str(error))
            return None

    def _path(self, device_id: int) -> Path:
        return self._directory / f"device{device_id}.json"
