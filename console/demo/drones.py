"""The demo's drones: each an autopilot on the air, and the dock that flies it when nobody else does."""

from typing import Final

import numpy as np

from console.demo.autopilot.body import Place
from console.demo.autopilot.building import craft_on
from console.demo.autopilot.drone import Drone
from console.demo.autopilot.radio import Radio
from console.demo.autopilot.streams import BY_ITSELF_S
from console.demo.dock_pilot import DockPilot
from console.demo.patrols import Route
from telemetry.model.geodesy import LocalPlane

WIND_FROM_DEG: Final = 300.0
WIND_MPS: Final = 3.0
"""The day's breeze over the demo city."""
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
    route: Route,
    pad_m: tuple[float, float],
    plane: LocalPlane,
    *,
    system_id: int,
    key: bytes | None,
    seed: int,
    first_takeoff_s: float,
    first_loss_s: float,
) -> DockedDrone:
    """Return a drone on its pad in the plane, to patrol a route; the same for the same seed and system id.

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
