"""Builds a craft that stands on its pad with its motors stopped."""

from typing import Final

import numpy as np

from console.demo.autopilot.battery import Battery
from console.demo.autopilot.body import Body, Place
from console.demo.autopilot.craft import Craft
from console.demo.autopilot.parameters import Parameters
from console.demo.autopilot.wind import Wind
from telemetry.model.geodesy import LocalPlane

HOME_MSL_M: Final = 1520.0


def craft_on(
    pad: Place,
    plane: LocalPlane,
    *,
    seed: tuple[int, int],
    battery_ratio: float = 1.0,
    parameters: dict[str, float] | None = None,
    position_after_s: float = 0.0,
) -> Craft:
    """Return a craft on a pad in the plane; the same for the same seed and the same orders.

    `parameters` are those that differ (SIM_WIND_SPD and SIM_WIND_DIR make its wind); it knows where it is after
    `position_after_s`.
    """
    random = np.random.default_rng(seed)
    kept = Parameters(parameters or {})
    wind = Wind(random, from_deg=kept["SIM_WIND_DIR"], speed_mps=kept["SIM_WIND_SPD"])
    body = Body(pad, wind, Battery(battery_ratio), heading_deg=float(random.uniform(0.0, 360.0)))
    return Craft(body, plane, kept, home_msl_m=HOME_MSL_M, position_after_s=position_after_s)
