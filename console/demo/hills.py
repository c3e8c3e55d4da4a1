"""Roads that wind from the town's edge into the side valleys of the demo city, with hamlets at their ends."""

from itertools import accumulate
from typing import Final

import numpy as np

from console.demo import city_table as table
from console.demo.street_plan import Names, StreetPlan, Way
from console.demo.streets import SideStreets
from console.demo.valley import Ground
from mission.roads.graph import CLASS_LOCAL, CLASS_SECONDARY
from telemetry.model.geodesy import Floats

STEP_M: Final = 90.0
ROADS_A_SIDE: Final = 9
LENGTH_M: Final = (1600.0, 4200.0)
HAMLET_LANES: Final = (3, 7)


def lay_hill_roads(plan: StreetPlan, sides: dict[int, SideStreets], random: np.random.Generator, names: Names) -> None:
    """Add winding roads outwards from the foot of the hills, and one round each green place that lies in the hills."""
    for side, streets in sides.items():
        feet = streets.hill_junctions()
        for foot in random.choice(feet[1:-1], ROADS_A_SIDE, replace=False):
            _lay_side_valley(plan, side, int(foot), random, names)
    for green in table.GREENS:
        if green.kind in ("scenic_area", "park") and abs(green.north_m) > 2000.0:
            _lay_round(plan, green, sides[1 if green.north_m > 0 else -1], names)


def _foot(plan: StreetPlan, number: int) -> tuple[float, float]:
    ground = plan.ground_of(plan.junction_table()[number : number + 1])
    return float(ground.east_m[0]), float(ground.north_m[0])


def _lay_side_valley(plan: StreetPlan, side: int, foot: int, random: np.random.Generator, names: Names) -> None:
    east, north = _foot(plan, foot)
    steps = int(random.uniform(*LENGTH_M) / STEP_M)
    bends = list(accumulate(random.normal(0.0, 0.22, steps).tolist(), lambda bend, kick: 0.9 * bend + kick))
    heading = side * np.pi / 2.0 + random.normal(0.0, 0.2) + np.array(bends)
    ground = Ground(east + np.cumsum(STEP_M * np.cos(heading)), north + np.cumsum(STEP_M * np.sin(heading)))
    numbers = plan.add_free(ground)
    plan.add_way(Way(*names.next("沟路", "Gully Rd"), CLASS_SECONDARY), np.concatenate(([foot], numbers)))
    for _ in range(int(random.integers(*HAMLET_LANES))):
        _lay_lane(plan, int(numbers[-1 - int(random.integers(0, steps // 3))]), random)


def _lay_lane(plan: StreetPlan, start: int, random: np.random.Generator) -> None:
    east, north = _foot(plan, start)
    heading = random.uniform(0.0, 2.0 * np.pi) + np.cumsum(random.normal(0.0, 0.2, int(random.integers(2, 6))))
    ground = Ground(east + np.cumsum(60.0 * np.cos(heading)), north + np.cumsum(60.0 * np.sin(heading)))
    plan.add_way(Way("", "", CLASS_LOCAL), np.concatenate(([start], plan.add_free(ground))))


def _lay_round(plan: StreetPlan, green: table.Green, streets: SideStreets, names: Names) -> None:
    """Lay a road from the nearest foot of the hills round a green place and back to where it met the round."""
    angle = np.linspace(0.0, 2.0 * np.pi, 60, endpoint=False)
    round_road = plan.add_free(oval(green, angle, 0.86))
    feet = streets.hill_junctions()
    feet_ground, ring = plan.ground_of(plan.junction_table()[feet]), oval(green, angle, 0.86)
    away = np.hypot(feet_ground.east_m[:, None] - ring.east_m, feet_ground.north_m[:, None] - ring.north_m)
    foot, meet = np.unravel_index(int(away.argmin()), away.shape)
    way = Way(*names.next("景区路", "Scenic Rd"), CLASS_SECONDARY)
    plan.add_way(way, np.concatenate((round_road, round_road[:1])))
    plan.add_way(way, np.array([feet[foot], round_road[meet]]))


def oval(green: table.Green, angle: Floats, scale_factor: float = 1.0) -> Ground:
    """Return the places at angles round a green place's outline, which swells and shrinks a little."""
    swell = scale_factor * (
        1.0 + 0.10 * np.sin(3.0 * angle + green.east_m) + 0.05 * np.sin(5.0 * angle + green.north_m)
    )
    along, beside = green.long_m * swell * np.cos(angle), green.wide_m * swell * np.sin(angle)
    turn = np.radians(green.turn_deg)
    east = green.east_m + along * np.cos(turn) - beside * np.sin(turn)
    return Ground(east, green.north_m + along * np.sin(turn) + beside * np.cos(turn))


def inside(green: table.Green, ground: Ground) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Tell which places lie inside a green place (its oval without the swelling)."""
    turn = np.radians(green.turn_deg)
    east, north = ground.east_m - green.east_m, ground.north_m - green.north_m
    along = (east * np.cos(turn) + north * np.sin(turn)) / green.long_m
    beside = (-east * np.sin(turn) + north * np.cos(turn)) / green.wide_m
    return np.asarray(along**2 + beside**2 < 1.0)
