"""What a drone was given to fly, kept beside its state so that a restart goes on with it: one small file a drone."""

from pathlib import Path
from typing import Final, TypeVar

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
THERE_WITHIN_M: Final = 10.0
"""As near as autopilots take a waypoint for reached."""
LAUNCHES: Final = "launches.json"
Kept = TypeVar("Kept")
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

    def is_there(self, lat_deg: float, lon_deg: float, flown: int) -> bool:
        """Tell whether a drone with so many waypoints behind is at its goal, or was: an autopilot tells of it only after its stay."""
        return flown > self.goal or (flown == self.goal and self.left(lat_deg, lon_deg, flown)[0] <= THERE_WITHIN_M)


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """A drone that is to start by itself: for whom, when it was told so, not before when (0: at once), and whether it has.

    With `lets_go` the account lets go of it once it is home: it was nobody's before.
    """

    unit_id: int
    account_id: int
    account_name: str
    lets_go: bool
    expected_us: int
    not_before_us: int = 0
    is_started: bool = False


class Briefs:
    """A folder with one file a device, mode 600. What cannot be read is as if it had never been given, and told."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def keep(self, device_id: int, given: Given) -> None:
        """Write down what a device was given, in the place of what it was given before. Raises OSError. Call it in a thread."""
        self._write(self._path(device_id), given)

    def load(self, device_id: int) -> Given | None:
        """Return what a device was given last. Call it in a thread."""
        return self._read(self._path(device_id), Given)

    def keep_launches(self, launches: list[Launch]) -> None:
        """Write down which drones are to start by themselves. Raises OSError. Call it in a thread."""
        self._write(self._directory / LAUNCHES, launches)

    def load_launches(self) -> list[Launch]:
        """Return which drones were to start by themselves. Call it in a thread."""
        return self._read(self._directory / LAUNCHES, list[Launch]) or []

    def _write(self, path: Path, kept: Given | list[Launch]) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        written = path.with_suffix(".new")
        with open(written, "wb", opener=private) as file:
            file.write(msgspec.json.encode(kept))
        written.replace(path)

    def _read(self, path: Path, kind: type[Kept]) -> Kept | None:
        try:
            return msgspec.json.decode(path.read_bytes(), type=kind)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            _LOG.warning("brief_unreadable", file=path.name, error=str(error))
            return None

    def _path(self, device_id: int) -> Path:
        return self._directory / f"device{device_id}.json"
