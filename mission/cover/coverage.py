"""What is covered: the shares that units reach within 1, 3 and 5 minutes, by how many of them, how soon, and what each is worth."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mission.cover.ground import GroundUnits, Places, Standing, StationPosts, Weights, stand, street_places
from mission.cover.reach import Party, Reach, Reckoning, counted_streets, seconds_to
from mission.roads.graph import ACCESS_CAR, ACCESS_EMERGENCY, CLASS_PATH, CLASS_STEPS, EdgeIndex, Ints, RoadGraph
from mission.roads.labels import NOBODY, Labels, merge_labels
from mission.roads.skeleton import Stands, Ways, skeleton_of
from mission.roads.travel import DEFAULT_SPEEDS, GROUND_MODES, MODE_ACCESS, Speeds, TravelMode, network_of
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats

MINUTES: Final = (1, 3, 5)
LIMITS_S: Final = tuple(60.0 * minutes for minutes in MINUTES)
FARTHEST_S: Final = 1800.0
"""Beyond this, nobody is said to come."""
_LIMITS_OF_RANKS_S: Final = (FARTHEST_S, LIMITS_S[-1])
_CAR: Final = GROUND_MODES.index(TravelMode.CAR)
_POST_WITHIN_M: Final = 250.0
_BIN_S: Final = 0.1


@dataclass(frozen=True)
class Tier:
    """Places of one tier (1, 3 or 5 minutes): how many there are, how many are reached in time, and which (indexes) are not."""

    minutes: int
    total: int
    misses: tuple[int, ...]

    @property
    def met(self) -> int:
        """How many are reached in time."""
        return self.total - len(self.misses)


@dataclass(frozen=True)
class Response:
    """Seconds until somebody is there, mobilisation included, for half and for 90 % of what is expected; None: nobody is.

    `turnout_s` is the mean mobilisation in it.
    """

    p50_s: float | None
    p90_s: float | None
    turnout_s: float | None


@dataclass(frozen=True, eq=False)
class CoverageNow:
    """The coverage by given units; shares are ratios (0..1) within 1, 3 and 5 minutes, shape (3,), and of zones (stations, 3).

    NaN stands where a station has no zone; `people_shares` and `incident_shares` are None where nothing is known of them.

    `loss_ratio` (units,): how much the 3-minute share falls when a unit leaves. `nearest` holds the two nearest units (rows of
    `units`) of every node with their travel seconds, mobilisation apart.
    """

    units: GroundUnits
    standing: Standing
    parties: tuple[Party, ...]
    nearest: Labels
    shares: Floats
    double_shares: Floats
    zone_shares: Floats
    people_shares: Floats | None
    incident_shares: Floats | None
    loss_ratio: Floats
    response: Response
    tiers: tuple[Tier, ...]

    @property
    def on_map_count(self) -> int:
        """How many of the units stand near a road that they may use."""
        return len(self.standing.row)

    @property
    def off_map_count(self) -> int:
        """How many do not: they count nowhere else."""
        return len(self.standing.off_map)


class Coverage:
    """The coverage of one road graph and its stations; building it takes about 0.4 s for 50,000 nodes.

    A place on a street counts as reached when a unit gets there from either end, or from where it stands, in time, each in
    its own mode. A zone is the streets to which its station is the nearest by car. Road length is that of streets which
    patrols serve (see `served`); whoever walks may still use the others. Raises InputError for a map without roads.
    """

    def __init__(
        self,
        graph: RoadGraph,
        stations: StationPosts,
        *,
        speeds: Speeds = DEFAULT_SPEEDS,
        places: Places | None = None,
        weights: Weights | None = None,
        closed_streets: Ints | None = None,
    ) -> None:
        if not graph.node_count or not graph.streets.count:
            message = "the map holds no roads: import one with `skybeat roads import`, or make the demo city with `skybeat demo`"
            raise InputError(message)
        self.graph: Final = graph
        self.stations: Final = stations
        self.places: Final = places
        self.skeleton: Final = skeleton_of(graph)
        self.index: Final = EdgeIndex(graph)
        self._speeds, self._weights, self._closed = speeds, weights or Weights(), closed_streets
        self._ways: dict[tuple[int, int | None], Ways] = {}
        streets = graph.streets
        self.road_m: Final = np.where(served(graph), streets.length_m, 0.0)
        self._counted = counted_streets(self.skeleton, self.road_m)
        snapped = self.index.snap(
            stations.lat_deg, stations.lon_deg, within_m=np.inf, access=MODE_ACCESS[TravelMode.CAR]
        )
        self.station_away_m: Final = snapped.away_m
        self.has_zone: Final = (snapped.away_m <= _POST_WITHIN_M) & (snapped.edge >= 0)
        street, along = street_places(graph, snapped.edge, snapped.along_ratio)
        self.station_stands: Final = Stands(street, along, np.arange(len(stations), dtype=np.int32))
        self.zone_labels: Final = self._zones()
        self.zone_of_node: Final = self.zone_labels.owner[0]
        self._zone_of_street = self.zone_of_node[streets.tail]
        self._zone_m = self._by_zone(self.road_m)

    # --- what is asked ---------------------------------------------------------------------------------------------

    def now(self, units: GroundUnits, *, hour_of_week: int | None = None) -> CoverageNow:
        """Return the coverage by these units. `hour_of_week` (0 = Monday 0:00, local) chooses speeds and past incidents.

        About 35 ms for 500 units in three modes on 50,000 nodes.
        """
        standing = stand(self.graph, self.index, units)
        parties = self.parties(standing, hour_of_week=hour_of_week)
        by_place = merge_labels([party.labels for party in parties]) if parties else self._nobody()
        reckoning = Reckoning(parties, by_place, self._counted, owner_count=len(units))
        reaches = [reckoning.within(limit_s) for limit_s in LIMITS_S]
        place = self.skeleton.place_of_node
        nearest = Labels(by_place.seconds.take(place, axis=1), by_place.owner.take(place, axis=1))
        incidents = self._weights.incidents(self.graph.node_count, hour_of_week)
        return CoverageNow(
            units=units,
            standing=standing,
            parties=parties,
            nearest=nearest,
            shares=self._shares(reaches, lambda reach: reach.any_ratio),
            double_shares=self._shares(reaches, lambda reach: reach.double_ratio),
            zone_shares=self._zone_shares(reaches),
            people_shares=_weighted_shares(nearest.seconds[0], self._weights.people),
            incident_shares=_weighted_shares(nearest.seconds[0], incidents),
            loss_ratio=reaches[1].alone_m / max(float(self.road_m.sum()), 1e-9),
            response=_response(nearest, units.turnout_s, self._expected(incidents)),
            tiers=self._tiers(parties),
        )

    def weigh(self, weights: Weights) -> None:
        """Count with other weights from now on."""
        self._weights = weights

    def parties(self, standing: Standing, *, hour_of_week: int | None = None) -> tuple[Party, ...]:
        """Return the units by mode with their labels."""
        hour = None if hour_of_week is None else hour_of_week % 24
        found = []
        for mode in np.unique(standing.mode).tolist():
            ways, stands = self.ways(mode, hour), standing.of_mode(mode)
            found.append(Party(ways, stands, ways.labels(stands, limits_s=_LIMITS_OF_RANKS_S)))
        return tuple(found)

    def ways(self, mode: int, hour: int | None = None) -> Ways:
        """Return the ways of a ground mode (its index) at an hour of the day; those of other hours are forgotten."""
        found = self._ways.get((mode, hour))
        if found is None:
            self._ways = {key: ways for key, ways in self._ways.items() if key[1] in {None, hour}}
            network = network_of(
                self.graph, GROUND_MODES[mode], speeds=self._speeds, hour=hour, closed_streets=self._closed
            )
            found = self._ways[mode, hour] = Ways(self.skeleton, network)
        return found

    # --- how it is reckoned ----------------------------------------------------------------------------------------

    def _zones(self) -> Labels:
        """Return for each node the station (by index) that reaches it first by car, and in how many seconds."""
        stands = self.station_stands.of(self.has_zone)
        labels = self.ways(_CAR).labels(stands, limits_s=(np.inf,))
        place = self.skeleton.place_of_node
        return Labels(labels.seconds.take(place, axis=1), labels.owner.take(place, axis=1))

    def _nobody(self) -> Labels:
        shape = (len(_LIMITS_OF_RANKS_S), self.graph.node_count)
        return Labels(np.full(shape, np.inf), np.full(shape, NOBODY, np.int32))

    def _shares(self, reaches: list[Reach], ratio: Callable[[Reach], Floats]) -> Floats:
        whole = max(float(self.road_m.sum()), 1e-9)
        return np.array([float((ratio(reach) * self.road_m).sum()) / whole for reach in reaches])

    def _zone_shares(self, reaches: list[Reach]) -> Floats:
        reached = np.column_stack([self._by_zone(reach.any_ratio * self.road_m) for reach in reaches])
        whole = np.where(self._zone_m > 0.0, self._zone_m, np.nan)
        return np.asarray(reached / whole[:, None], np.float64)

    def _by_zone(self, length_m: Floats) -> Floats:
        sums = np.bincount(self._zone_of_street + 1, length_m, minlength=len(self.stations) + 1)  # 0 is nobody's
        return np.asarray(sums[1:], np.float64)

    @cached_property
    def node_road_m(self) -> Floats:
        """Half the length of the roads that meet at each node (nodes,)."""
        streets = self.graph.streets
        count = self.graph.node_count
        halves = 0.5 * self.road_m
        sums = np.bincount(streets.tail, halves, minlength=count) + np.bincount(streets.head, halves, minlength=count)
        return np.asarray(sums, np.float64)

    def _expected(self, incidents: Floats | None) -> Floats:
        """Return where calls are expected: as in the past, else where people are, else along all roads alike."""
        if incidents is not None:
            return incidents
        return self.node_road_m if self._weights.people is None else self._weights.people

    @cached_property
    def _place_stands(self) -> Stands:
        places = self.places
        assert places is not None
        snapped = self.index.snap(places.lat_deg, places.lon_deg, within_m=_POST_WITHIN_M)
        known = np.flatnonzero(snapped.edge >= 0)
        street, along = street_places(self.graph, snapped.edge[known], snapped.along_ratio[known])
        return Stands(street, along, known.astype(np.int32))

    @cached_property
    def zone_of_place(self) -> Ints:
        """The station (by index) in whose zone each place lies; -1: none."""
        zones = np.full(0 if self.places is None else len(self.places.minutes), NOBODY, np.int32)
        if len(zones):
            stands = self._place_stands
            zones[stands.owner] = self.zone_of_node[self.graph.streets.tail[stands.street]]
        return zones

    def _tiers(self, parties: tuple[Party, ...]) -> tuple[Tier, ...]:
        if self.places is None or not len(self.places.minutes):
            return ()
        seconds = np.full(len(self.places.minutes), np.inf)
        stands = self._place_stands
        seconds[stands.owner] = seconds_to(parties, stands)
        tiers = []
        for minutes in MINUTES:
            members = np.flatnonzero(self.places.minutes == minutes)
            misses = members[seconds[members] > 60.0 * minutes]
            tiers.append(Tier(minutes, len(members), tuple(misses.tolist())))
        return tuple(tiers)


def served(graph: RoadGraph) -> NDArray[np.bool_]:
    """Return which streets (streets,) patrols serve: vehicles may use them, and they are no field tracks, paths or steps."""
    streets = graph.streets
    is_open = ((streets.access | streets.back_access) & (ACCESS_CAR | ACCESS_EMERGENCY)) != 0
    return np.asarray(is_open & ~np.isin(streets.road_class, (CLASS_PATH, CLASS_STEPS)), np.bool_)


def _weighted_shares(seconds: Floats, weights: Floats | None) -> Floats | None:
    """Return the shares of weights at nodes within the limits; None where there are none."""
    whole = 0.0 if weights is None else float(weights.sum())
    if weights is None or whole <= 0.0:
        return None
    return np.array([float(weights[seconds <= limit_s].sum()) / whole for limit_s in LIMITS_S])


def _response(nearest: Labels, turnout_s: Floats, expected: Floats) -> Response:
    """Return the weighted quantiles of what the nearest unit takes to move off and to come, to a tenth of a second."""
    reached: NDArray[np.bool_] = nearest.owner[0] != NOBODY
    whole = float(expected.sum())
    if not reached.any() or whole <= 0.0:
        return Response(None, None, None)
    rows = slice(None) if reached.all() else reached
    turnout = turnout_s.take(nearest.owner[0][rows])
    seconds, weight = nearest.seconds[0][rows] + turnout, expected[rows]
    passed = np.cumsum(np.bincount((seconds / _BIN_S).astype(np.int64), weight)).astype(np.float64)
    if passed[-1] <= 0.0:
        return Response(None, None, None)
    mean_turnout_s = float((turnout * weight).sum() / weight.sum())
    return Response(_quantile(passed, 0.5 * whole), _quantile(passed, 0.9 * whole), mean_turnout_s)


def _quantile(passed: Floats, wanted_weight: float) -> float | None:
    at = int(np.searchsorted(passed, wanted_weight * (1.0 - 1e-12)))
    return round((at + 0.5) * _BIN_S, 2) if at < len(passed) else None
