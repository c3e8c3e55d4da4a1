"""Where the demo's drones patrol: loops over the markets, the square, the station, the scenic area, and along the river."""

from typing import Final, NamedTuple

import numpy as np

from console.demo import city_table as table
from telemetry.model.geodesy import Floats


class Route(NamedTuple):
    """A patrol: its name and its waypoints in the city's plane, shape (n, 2), metres."""

    name: str
    waypoints_m: Floats


LOOP_POINTS: Final = (8, 14)
RIVER_LENGTH_M: Final = 2600.0
_LOOPS: Final = (
    ("market", 420.0, 260.0),
    ("scenic", 1050.0, 520.0),
    ("market2", 480.0, 300.0),
    ("square", 450.0, 300.0),
    ("rail", 520.0, 320.0),
    ("gov", 600.0, 380.0),
    ("stadium", 560.0, 340.0),
)
_RIVER: Final = (("North Riverside line", -3400.0), ("Liutan Wetland line", 1200.0))


def patrol_routes(count: int, seed: int) -> list[Route]:
    """Return `count` routes in the city's plane; the first nine have places of their own, later ones go round again."""
    random = np.random.default_rng([seed, 71])
    places = {spot.key: spot for spot in table.PLACES}
    routes: list[Route] = []
    for turn in range(count):
        kind = turn % (len(_LOOPS) + len(_RIVER))
        if kind < len(_LOOPS):
            key, long_m, wide_m = _LOOPS[kind]
            spot = places[key]
            routes.append(Route(f"{spot.name_en} patrol", _loop(spot, long_m, wide_m, random)))
        else:
            name, west_m = _RIVER[kind - len(_LOOPS)]
            routes.append(Route(name, _river(west_m + 150.0 * turn, random)))
    return routes


def _loop(spot: table.Spot, long_m: float, wide_m: float, random: np.random.Generator) -> Floats:
    angle = np.linspace(0.0, 2.0 * np.pi, int(random.integers(*LOOP_POINTS)), endpoint=False) + random.uniform(0.0, 1.0)
    swell = random.uniform(0.75, 1.15, len(angle))
    return np.column_stack(
        (spot.east_m + long_m * swell * np.cos(angle), spot.north_m + wide_m * swell * np.sin(angle))
    )


def _river(west_m: float, random: np.random.Generator) -> Floats:
    """Return a run down one bank and back up the other."""
    east = west_m + np.linspace(0.0, RIVER_LENGTH_M, 7)
    middle = np.interp(east, table.PROFILE_EAST_M, table.RIVER_NORTH_M)
    bank_m = random.uniform(90.0, 220.0)
    there, back = np.column_stack((east, middle + bank_m)), np.column_stack((east[::-1], middle[::-1] - bank_m))
    return np.concatenate((there, back))
