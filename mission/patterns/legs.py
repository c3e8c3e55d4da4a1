"""How fast legs are flown, how long they take and what they cost: wind, slowing down at corners, the nose's turn, battery."""

from typing import Final

import numpy as np

from mission.airspace import CALM, Wind
from mission.model import Airframe
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats

LEAST_GROUND_MPS: Final = 0.5
"""Who makes less way than this against the wind does not arrive."""
_LEAST_M: Final = 1e-9


def ground_mps(way: Floats, air_mps: float, wind: Wind) -> Floats:
    """Return the speeds over ground along straight ways (n, 2), the nose held into the wind; 0 where it is too strong.

    v_g = sqrt(v_air^2 - crosswind^2) + tailwind: a crosswind as strong as the air speed leaves none. Of winds that may blow
    instead the worst counts for each way.
    """
    direction = way / np.maximum(np.hypot(way[:, 0], way[:, 1]), _LEAST_M)[:, None]
    found = _in_wind_mps(direction, air_mps, wind)
    for other in wind.or_else:
        found = np.minimum(found, _in_wind_mps(direction, air_mps, other))
    return found


def _in_wind_mps(direction: Floats, air_mps: float, wind: Wind) -> Floats:
    towards_rad = np.radians(wind.from_deg + 180.0)
    blown = wind.speed_mps * np.array([np.sin(towards_rad), np.cos(towards_rad)])
    along = direction @ blown
    across = direction[:, 0] * blown[1] - direction[:, 1] * blown[0]
    headway = np.sqrt(np.maximum(air_mps**2 - across**2, 0.0)) + along
    return np.where((np.abs(across) < air_mps) & (headway >= LEAST_GROUND_MPS), headway, 0.0)


def told_mps(way: Floats, airframe: Airframe, wind: Wind, *, most_mps: float = np.inf) -> Floats:
    """Return the speeds over ground that an airframe is told to fly straight ways (n, 2) with; 0 where the wind is too strong.

    At most its cruising speed, and `most_mps`: a tailwind saves battery, not time, for an autopilot holds the speed over ground
    that it is told. So what is planned is what is flown, in any of the winds.
    """
    return np.minimum(ground_mps(way, airframe.cruise_mps, wind), min(airframe.cruise_mps, most_mps))


def fly_s(places: Floats, airframe: Airframe, wind: Wind = CALM, *, most_mps: float = np.inf) -> Floats:
    """Return the seconds (n - 1,) of the legs between places (n, 2), from standing still to standing still, as `told_mps`.

    Each leg is speeded up and slowed down with the airframe's acceleration to what its corners allow (cos of the turn, none
    from 90 degrees on), and the nose's turn is added at each corner. Raises InputError where a leg makes no way against the
    wind, naming the leg.
    """
    way = np.diff(places, axis=0)
    length = np.hypot(way[:, 0], way[:, 1])
    flown = length > _LEAST_M
    seconds = np.zeros(len(way))
    if not flown.any():
        return seconds
    cruise = told_mps(way[flown], airframe, wind, most_mps=most_mps)
    if (cruise <= 0.0).any():
        raise _too_windy(int(np.flatnonzero(flown)[cruise.argmin()]), airframe, wind)
    turn_rad = _turns_rad(way[flown])
    corner = np.minimum(cruise[:-1], cruise[1:]) * np.maximum(np.cos(turn_rad), 0.0)
    enter, leave = np.concatenate(([0.0], corner)), np.concatenate((corner, [0.0]))
    seconds[flown] = _speeded_s(length[flown], cruise, enter, leave, airframe.acceleration_mps2)
    seconds[np.flatnonzero(flown)[1:]] += np.degrees(turn_rad) / airframe.yaw_rate_degps
    return seconds


def battery_ratio(duration_s: float, airframe: Airframe, battery_health_ratio: float = 1.0) -> float:
    """Return which part of a full battery so many seconds in the air take (0..; above 1 is more than there is)."""
    return duration_s / (airframe.endurance_s * battery_health_ratio)


def _speeded_s(length: Floats, cruise: Floats, enter: Floats, leave: Floats, acceleration_mps2: float) -> Floats:
    """Return the seconds of legs entered and left at given speeds; short ones never reach their cruising speed."""
    reached = np.sqrt(acceleration_mps2 * length + (enter**2 + leave**2) / 2.0)
    peak = np.maximum(np.minimum(cruise, reached), LEAST_GROUND_MPS)
    rising = np.maximum(peak - enter, 0.0)
    falling = np.maximum(peak - leave, 0.0)
    changing_m = (np.maximum(peak**2 - enter**2, 0.0) + np.maximum(peak**2 - leave**2, 0.0)) / (2 * acceleration_mps2)
    seconds: Floats = (rising + falling) / acceleration_mps2 + np.maximum(length - changing_m, 0.0) / peak
    return seconds


def _turns_rad(way: Floats) -> Floats:
    """Return the turns (n - 1,) between ways that follow each other, 0..pi."""
    before, after = way[:-1], way[1:]
    across = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    turn: Floats = np.abs(np.arctan2(across, (before * after).sum(axis=1)))
    return turn


def _too_windy(leg: int, airframe: Airframe, wind: Wind) -> InputError:
    return InputError(
        f"leg {leg + 1} makes no way: {airframe.name} flies at {airframe.cruise_mps:g} m/s through the air and the wind blows "
        f"with {wind.speed_mps:g} m/s from {wind.from_deg:g} degrees; wait for less wind or give a faster drone",
        f"第 {leg + 1} 航段无法前进：{airframe.name} 空速 {airframe.cruise_mps:g} m/s，风 {wind.speed_mps:g} m/s，"
        f"来自 {wind.from_deg:g} 度；等风小，或换更快的无人机",
    )
