"""The demo's drones: each an autopilot on the air, and the dock that flies it when nobody else does."""

import math
from typing import Final

import numpy as np

from console.demo import city_table as table
from console.demo.autopilot.body import Place
from console.demo.autopilot.building import craft_on
from console.demo.autopilot.drone import Drone
from console.demo.autopilot.radio import Radio
from console.demo.autopilot.streams import BY_ITSELF_S
from console.demo.dock_pilot import DockPilot
from console.demo.force_config import ForceConfig
from console.demo.patrols import Route, patrol_routes
from telemetry.model.geodesy import LocalPlane, local_plane

WIND_FROM_DEG: Final = 300.0
WIND_MPS: Final = 3.0
"""The day's breeze over the demo city."""
FIRST_LINK_LOSS_S: Final = 45.0
PATROLS_EVERY: Final = 2
"""The first of so many drones patrols; the others stay in their docks for the day's plan and for calls."""
FEWEST_FOR_A_PLAN: Final = 4
TAKEOFF_SPREAD_S: Final = 25.0
PRACTICE_SYSTEM_ID: Final = 250
BATTERY_RATIO: Final = (0.72, 1.0)


class DockedDrone:
    """One drone of the force: `tick` moves it on by a tenth of a second and returns what to send, `hear` takes what is said."""

    def __init__(self, drone: Drone, pilot: DockPilot) -> None:
        self.air: Final = drone
        self.pilot: Final = pilot
        drone.taken = pilot.taken

    @property
    def system_id(self) -> int:
        """Its MAVLink system id."""
        return self.air.system_id

    @property
    def on_ground(self) -> bool:
        """Whether it stands with stopped motors."""
        return self.pilot.on_ground

    def tick(self, now_us: int) -> bytes:
        """Move on and return the datagram to send; empty while the link is lost."""
        self.pilot.step()
        return self.air.tick(now_us)

    def hear(self, data: bytes, now_us: int) -> bytes:
        """Obey a datagram and return the answers."""
        return self.air.hear(data, now_us)


def docked_drone(
    route: Route | None,
    pad_m: tuple[float, float],
    plane: LocalPlane,
    *,
    system_id: int,
    key: bytes | None,
    seed: int,
    first_takeoff_s: float,
    first_loss_s: float,
) -> DockedDrone:
    """Return a drone on its pad in the plane, to patrol a route, or with none to stay; the same for the same seed and system id.

    Its radio falls silent at `first_loss_s` for some seconds, and now and then from there on.
    """
    random = np.random.default_rng([seed, 100 + system_id])
    craft = craft_on(
        Place(*pad_m),
        plane,
        seed=(seed, system_id),
        battery_ratio=float(random.uniform(*BATTERY_RATIO)),
        parameters={"SIM_WIND_DIR": WIND_FROM_DEG, "SIM_WIND_SPD": WIND_MPS, "SYSID_THISMAV": float(system_id)},
    )
    radio = Radio(np.random.default_rng([seed, 37, system_id]), first_loss_s=first_loss_s)
    drone = Drone(craft, system_id, key, seed=seed, radio=radio, streams_s=BY_ITSELF_S)
    return DockedDrone(drone, DockPilot(craft, route, random, first_takeoff_s=first_takeoff_s))


def force_drones(config: ForceConfig) -> list[DockedDrone]:
    """Return the force's drones: those that patrol are aloft already, in a small force some take off within TAKEOFF_SPREAD_S."""
    plane = local_plane(table.ORIGIN_LAT_DEG, table.ORIGIN_LON_DEG)
    units = [unit for unit in config.units if unit.system_id]
    drones = []
    for place, (unit, route) in enumerate(zip(units, patrol_routes(len(units), config.seed), strict=True)):
        east_m, north_m = (float(axis) for axis in plane.to_plane(unit.lat_deg, unit.lon_deg))
        is_patrol = patrols(place, len(units))
        drone = docked_drone(
            route if is_patrol else None,
            (east_m, north_m),
            plane,
            system_id=unit.system_id,
            key=bytes.fromhex(unit.secret),
            seed=config.seed,
            first_takeoff_s=3.0 + TAKEOFF_SPREAD_S * place / max(len(units), 1),
            first_loss_s=FIRST_LINK_LOSS_S + (0.0 if place == len(units) // 2 else 90.0 * (place + 1)),
        )
        if is_patrol and place % PATROLS_EVERY == 0:
            drone.pilot.begin_aloft(place)
        drones.append(drone)
    return drones


def patrols(place: int, drone_count: int) -> bool:
    """Tell whether a drone, by its place among so many, patrols by itself; the others are the day plan's."""
    return drone_count < FEWEST_FOR_A_PLAN or place % PATROLS_EVERY == 0


def practice_drone(config: ForceConfig) -> DockedDrone:
    """Return a drone for practice: without a key, in the first dock, where it stays until somebody commands it."""
    plane = local_plane(table.ORIGIN_LAT_DEG, table.ORIGIN_LON_DEG)
    dock = table.DOCKS[0]
    return docked_drone(
        None,
        (dock.east_m, dock.north_m),
        plane,
        system_id=PRACTICE_SYSTEM_ID,
        key=None,
        seed=config.seed,
        first_takeoff_s=0.0,
        first_loss_s=math.inf,
    )
