"""Officers, motorcycles, cars and mobile rooms of the demo force: where each is at each of its reports."""

from typing import Final, NamedTuple

import numpy as np

from console.demo.phone_client import Sighting
from console.demo.trips import Leg, Router, Trip
from mission.roads.graph import CLASS_LOCAL, EdgeIndex, RoadGraph
from telemetry.model.geodesy import Floats
from telemetry.model.unit import UnitKind


class Habit(NamedTuple):
    """How a kind of unit moves: the share of the road's speed or a speed of its own, its beat, and how often it stands."""

    road_speed_share: float
    own_speed_mps: float
    beat_m: float
    standing_share: float
    noise_m: float


HABITS: Final = {
    UnitKind.OFFICER: Habit(0.0, 1.25, 260.0, 0.45, 2.5),
    UnitKind.MOTORCYCLE: Habit(0.75, 0.0, 1200.0, 0.10, 2.0),
    UnitKind.CAR: Habit(0.65, 0.0, 1000.0, 0.15, 2.0),
    UnitKind.MOBILE_ROOM: Habit(0.0, 0.0, 0.0, 1.0, 1.2),
}
TURN_BACK_WEIGHT: Final = 0.02
STRAIGHT_WEIGHT: Final = 4.0
HOMEWARD_WEIGHT: Final = 6.0
MAIN_ROAD_WEIGHT: Final = 1.6
STAND_S: Final = (15.0, 90.0)
BACK_PACE_RATIO: Final = 0.6


class Streets:
    """What walkers need of the graph: each node's ways out, as plain lists (one lookup at a time is faster so)."""

    def __init__(self, graph: RoadGraph) -> None:
        order = np.argsort(graph.edge_from, kind="stable")
        starts = np.searchsorted(graph.edge_from[order], np.arange(graph.node_count + 1)).tolist()
        edges = order.tolist()
        self.out_of: Final[list[list[int]]] = [
            edges[starts[node] : starts[node + 1]] for node in range(graph.node_count)
        ]
        self.graph: Final = graph
        self.index: Final = EdgeIndex(graph)
        self.xy_m: Final = graph.node_xy_m
        self.heads: Final[list[int]] = graph.edge_to.tolist()
        self.tails: Final[list[int]] = graph.edge_from.tolist()
        self.lengths_m: Final[list[float]] = graph.edge_length_m.tolist()
        self.speeds_mps: Final[list[float]] = (graph.edge_length_m / np.maximum(graph.edge_seconds, 1e-3)).tolist()
        self.ways: Final[list[int]] = graph.edge_way.tolist()
        self.classes: Final[list[int]] = graph.edge_class.tolist()
        self.router: Final = Router(graph, self.index)


class Walker:
    """One unit that moves along the streets of its beat; the same for the same seed and the same steps."""

    def __init__(self, streets: Streets, kind: UnitKind, lat_deg: float, lon_deg: float, seed: tuple[int, int]) -> None:
        self._streets, self._habit = streets, HABITS[kind]
        self._random = np.random.default_rng(seed)
        self.kind: Final = kind
        self._settle(lat_deg, lon_deg)
        self._base = streets.xy_m[streets.heads[self._edge]].copy()
        self._trip: Trip | None = None
        self._trip_pace_ratio = 1.0
        self._stays_there = False
        self._own_pace = self._random.uniform(0.85, 1.15)
        self._stands_s = self._random.uniform(0.0, STAND_S[0]) if self._habit.standing_share < 1.0 else np.inf
        self._speed_mps = 0.0
        self._battery_ratio = self._random.uniform(0.35, 1.0)
        self._side_m = self._random.uniform(2.0, 6.0)

    def halt(self, duration_s: float) -> None:
        """Stay where the unit is for so long (an officer who asks for help does not walk on)."""
        self._stands_s = max(self._stands_s, duration_s)

    def go(self, lat_deg: float, lon_deg: float, *, after_s: float) -> bool:
        """Set out for a call `after_s` seconds from now and stay there until released; False where no road leads there."""
        trip = self._streets.router.trip(self.kind, self._place_m(), lat_deg, lon_deg)
        if trip is None:
            return False
        self._trip, self._trip_pace_ratio, self._stays_there = trip, self._random.uniform(0.95, 1.1), True
        self._stands_s = after_s
        return True

    def release(self) -> None:
        """Go back to the beat, without haste."""
        lat, lon = self._streets.graph.plane.from_plane(self._base[0], self._base[1])
        trip = self._streets.router.trip(self.kind, self._place_m(), float(lat), float(lon))
        self._trip, self._stays_there, self._stands_s = trip, False, 0.0
        self._trip_pace_ratio = max(self._habit.road_speed_share, BACK_PACE_RATIO)

    @property
    def is_there(self) -> bool:
        """Whether the unit stands at the call to which it went."""
        return self._trip is not None and self._stays_there and self._trip.is_over

    @property
    def must_leave(self) -> bool:
        """Who walks or drives stays as long as it is needed."""
        return False

    def step(self, elapsed_s: float) -> Sighting:
        """Move on by `elapsed_s` seconds and return what the device would report there."""
        if self._trip is not None:
            return self._travel(self._trip, elapsed_s)
        driving_s = max(0.0, elapsed_s - self._stands_s)
        self._stands_s = max(0.0, self._stands_s - elapsed_s)
        self._speed_mps = 0.0
        if driving_s > 0.0:
            self._drive(driving_s)
        self._battery_ratio = max(0.08, self._battery_ratio - elapsed_s / 36_000.0)
        return self._sighting()

    def _travel(self, trip: Trip, elapsed_s: float) -> Sighting:
        """Drive on along the trip; who came back settles on the nearest street."""
        driving_s = max(0.0, elapsed_s - self._stands_s)
        self._stands_s = max(0.0, self._stands_s - elapsed_s)
        leg = trip.drive(driving_s, self._trip_pace_ratio * self._random.uniform(0.95, 1.05))
        self._speed_mps = leg.speed_mps if driving_s > 0.0 else 0.0
        self._battery_ratio = max(0.08, self._battery_ratio - elapsed_s / 36_000.0)
        if trip.is_over and not self._stays_there:
            lat, lon = self._streets.graph.plane.from_plane(leg.place_m[0], leg.place_m[1])
            self._trip = None
            self._settle(float(lat), float(lon))
        return self._sighting(leg)

    def _settle(self, lat_deg: float, lon_deg: float) -> None:
        """Stand on the nearest street."""
        snapped = self._streets.index.snap(np.array([lat_deg]), np.array([lon_deg]), within_m=np.inf)
        self._edge = int(snapped.edge[0])
        self._along_m = float(snapped.along_ratio[0]) * self._streets.lengths_m[self._edge]

    def _drive(self, duration_s: float) -> None:
        self._speed_mps = self._pace()
        left_m = self._speed_mps * duration_s
        while left_m > 0.0:
            room_m = self._streets.lengths_m[self._edge] - self._along_m
            if left_m < room_m:
                self._along_m += left_m
                return
            left_m -= room_m
            self._edge, self._along_m = self._next_edge(), 0.0
            if self._random.random() < self._habit.standing_share * 0.08:
                self._stands_s = self._random.uniform(*STAND_S)
                return

    def _pace(self) -> float:
        road = self._habit.road_speed_share * self._streets.speeds_mps[self._edge]
        return float((road + self._habit.own_speed_mps) * self._own_pace * self._random.uniform(0.85, 1.1))

    def _next_edge(self) -> int:
        streets, here = self._streets, self._streets.heads[self._edge]
        choices = streets.out_of[here]
        if len(choices) == 1:
            return choices[0]
        weights = [self._weight(choice) for choice in choices]
        pick = self._random.random() * sum(weights)
        for choice, weight in zip(choices, weights, strict=True):
            pick -= weight
            if pick <= 0.0:
                return choice
        return choices[-1]

    def _weight(self, edge: int) -> float:
        streets = self._streets
        weight = STRAIGHT_WEIGHT if streets.ways[edge] == streets.ways[self._edge] else 1.0
        if streets.heads[edge] == streets.tails[self._edge]:
            weight *= TURN_BACK_WEIGHT
        if streets.classes[edge] < CLASS_LOCAL:
            weight *= MAIN_ROAD_WEIGHT
        away, further = self._away_m(streets.tails[edge]), self._away_m(streets.heads[edge])
        if away > self._habit.beat_m:
            weight *= HOMEWARD_WEIGHT if further < away else 1.0 / HOMEWARD_WEIGHT
        return weight

    def _away_m(self, node: int) -> float:
        east, north = self._streets.xy_m[node] - self._base
        return float(np.hypot(east, north))

    def _place_m(self) -> Floats:
        """Return where the unit is in the plane, as it knows itself."""
        return (self._beat_leg() if self._trip is None else self._trip.drive(0.0, 1.0)).place_m

    def _beat_leg(self) -> Leg:
        streets = self._streets
        tail, head = streets.xy_m[streets.tails[self._edge]], streets.xy_m[streets.heads[self._edge]]
        direction: Floats = (head - tail) / max(streets.lengths_m[self._edge], 1e-6)
        return Leg(tail + direction * self._along_m, direction, self._speed_mps)

    def _sighting(self, leg: Leg | None = None) -> Sighting:
        place_m, direction, _ = leg or self._beat_leg()
        right = np.array([direction[1], -direction[0]])
        seen_m = place_m + right * self._side_m + self._random.normal(0.0, self._habit.noise_m, 2)
        lat, lon = self._streets.graph.plane.from_plane(seen_m[0], seen_m[1])
        moving = self._speed_mps > 0.3
        course = float(np.degrees(np.arctan2(direction[0], direction[1]))) % 360.0 if moving else None
        accuracy_m = self._habit.noise_m * self._random.uniform(1.2, 3.0)
        return Sighting(float(lat), float(lon), self._speed_mps, course, accuracy_m, self._battery_ratio)
