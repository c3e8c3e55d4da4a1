"""Who should go: the nearest suitable units on the ground and in the air, by arrival, with what their leaving uncovers. Pure."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec
import numpy as np

from mission.calls.incident import Category, Equipment, Urgency
from mission.cover.coverage import Coverage
from mission.cover.ground import GroundUnits, Standing, stand, street_places
from mission.roads.graph import Ints
from mission.roads.skeleton import Stands
from mission.roads.travel import GROUND_MODES, MODE_ACCESS, TravelMode, mode_of
from telemetry.model.geodesy import Floats
from telemetry.model.unit import Service, UnitKind

SHOWN: Final = 10
"""At most so many are offered on the ground, and in the air."""
SHOWN_UNSUITED: Final = 2
"""So many that do not suit are shown when they would be there sooner than all that do."""
ADVISED_WITHIN_S: Final = 20.0
"""Who is so little later than the fastest is advised when it opens nothing and the fastest does."""
LIMIT_S: Final = 3600.0
"""Who needs longer is not offered."""
PLACE_WITHIN_M: Final = 2_000.0
"""A place farther from any street of a mode is not reached by it."""
AT_STREET_M: Final = 50.0
WALK_MPS: Final = 1.4
"""From a street to a place more than 50 m beside it, the rest is walked."""
DRONE_ENDURANCE_S: Final = 1_800.0
DRONE_ON_SCENE_S: Final = 300.0
DRONE_RESERVE_RATIO: Final = 0.2
"""A drone suits when its battery lets it fly there, stay five minutes and come back with a fifth left, of half an hour's flight."""

NEEDS: Final[Mapping[Category, frozenset[Equipment]]] = MappingProxyType(
    {
        Category.HELP: frozenset({Equipment.FIRST_AID}),
        Category.VIOLENCE: frozenset({Equipment.SHIELD}),
        Category.FIRE: frozenset({Equipment.EXTINGUISHER}),
        Category.CROWD: frozenset({Equipment.SPEAKER}),
    }
)
"""What a call of a category asks a ground unit to carry, unless the call itself says what it needs."""
AIR_NEEDS: Final[Mapping[Category, frozenset[Equipment]]] = MappingProxyType(
    {
        Category.MISSING_PERSON: frozenset({Equipment.THERMAL_CAMERA}),
        Category.FIRE: frozenset({Equipment.THERMAL_CAMERA}),
        Category.CROWD: frozenset({Equipment.SPEAKER}),
    }
)
"""The same for what flies; of a call's own needs only what a drone can carry is asked of it."""
CARRIED_BY_AIR: Final = frozenset(
    {Equipment.AED, Equipment.LIFE_RING, Equipment.SPEAKER, Equipment.SEARCHLIGHT, Equipment.THERMAL_CAMERA}
)
UNFIT: Final[Mapping[Category, frozenset[Service]]] = MappingProxyType(
    {
        Category.VIOLENCE: frozenset({Service.VOLUNTEER, Service.FOREST}),
        Category.DISPUTE: frozenset({Service.FOREST}),
        Category.THEFT: frozenset({Service.VOLUNTEER, Service.FOREST}),
        Category.TRAFFIC: frozenset({Service.VOLUNTEER, Service.FOREST, Service.SPECIAL}),
        Category.SUSPICIOUS: frozenset({Service.VOLUNTEER}),
        Category.SERVICE: frozenset({Service.SPECIAL}),
    }
)
"""Services whose units are not advised for a category. Patrol and station police go to everything."""


class Unsuited(StrEnum):
    """Why a unit does not suit a call."""

    EQUIPMENT = "equipment"
    SERVICE = "service"
    BATTERY = "battery"


class Crew(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a unit that could be sent, apart from how soon it is there."""

    unit_id: int
    kind: UnitKind
    service: Service
    equipment: frozenset[Equipment] = frozenset()
    battery_ratio: float | None = None


class Leaves(msgspec.Struct, frozen=True, kw_only=True):
    """What a unit's leaving does: change of the 3-minute share (0..1, negative is a loss) and what it opens."""

    cover_change_ratio: float
    opens_gap: str | None = None
    opens_ring: tuple[int, ...] | None = None

    @property
    def opens_nothing(self) -> bool:
        """Whether neither a gap nor a link of the ring opens."""
        return self.opens_gap is None and self.opens_ring is None


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that could go. `travel_s` is the way alone, `turnout_s` what passes before; `distance_m` is by air."""

    unit_id: int
    in_air: bool
    travel_s: float
    turnout_s: float
    distance_m: float
    lacks: tuple[Equipment, ...] = ()
    unsuited: tuple[Unsuited, ...] = ()
    battery_ratio: float | None = None
    leaves: Leaves | None = None
    advised: bool = False

    @property
    def arrival_s(self) -> float:
        """Seconds from the word to its being there."""
        return self.travel_s + self.turnout_s

    @property
    def suits(self) -> bool:
        """Whether it has all that the call asks for."""
        return not self.unsuited


# --- how soon ----------------------------------------------------------------------------------------------------


def mode_for(kind: UnitKind, urgency: Urgency) -> TravelMode:
    """Return how a unit goes to a call: cars with blue lights to the most urgent."""
    mode = mode_of(kind)
    return TravelMode.BLUE_LIGHT if mode is TravelMode.CAR and urgency is Urgency.ONE else mode


@dataclass(frozen=True)
class Arrivals:
    """Seconds of the way (n,) of each ground unit, mobilisation apart, inf where there is none; rows of units off the map."""

    travel_s: Floats
    off_map: Ints


def arrivals(
    coverage: Coverage,
    units: GroundUnits,
    lat_deg: float,
    lon_deg: float,
    *,
    hour: int | None = None,
    standing: Standing | None = None,
) -> Arrivals:
    """Return how soon each unit is at one place (WGS-84); about 6 ms for 500 units in three modes on 50,000 nodes.

    From each unit's own place on a street to the place's own place on one, in the directions that its mode may use: one
    search a mode, backwards from the place. `standing` is where they stand, where that is known already (saves 3 ms).
    """
    if standing is None:
        standing = stand(coverage.graph, coverage.index, units)
    travel_s = np.full(len(units), np.inf)
    for mode in np.unique(standing.mode).tolist():
        target, walk_s = _target(coverage, mode, lat_deg, lon_deg)
        if target is None:
            continue
        stands = standing.of_mode(mode)
        seconds = coverage.ways(mode, hour).times_to(stands, target, limit_s=LIMIT_S)
        travel_s[stands.owner] = seconds + walk_s
    return Arrivals(travel_s, standing.off_map.astype(np.int32))


def _target(coverage: Coverage, mode: int, lat_deg: float, lon_deg: float) -> tuple[Stands | None, float]:
    """Return where on a street of the mode a place is reached, and the seconds to walk from there; None where nowhere."""
    access = MODE_ACCESS[GROUND_MODES[mode]]
    snapped = coverage.index.snap(np.array([lat_deg]), np.array([lon_deg]), within_m=PLACE_WITHIN_M, access=access)
    if snapped.edge[0] < 0:
        return None, 0.0
    street, along = street_places(coverage.graph, snapped.edge, snapped.along_ratio)
    walk_s = max(0.0, float(snapped.away_m[0]) - AT_STREET_M) / WALK_MPS
    return Stands(street, along, np.zeros(1, np.int32)), walk_s


# --- who suits ---------------------------------------------------------------------------------------------------


def wanted_of(category: Category, needs: AbstractSet[Equipment], *, in_air: bool) -> frozenset[Equipment]:
    """Return what a unit must carry: what the call says, else what calls of its category ask for."""
    if in_air:
        return (frozenset(needs) & CARRIED_BY_AIR) or AIR_NEEDS.get(category, frozenset())
    return frozenset(needs) or NEEDS.get(category, frozenset())


def unsuited_of(
    crew: Crew, category: Category, needs: AbstractSet[Equipment], *, travel_s: float
) -> tuple[tuple[Unsuited, ...], tuple[Equipment, ...]]:
    """Return why a unit does not suit, and what it lacks; nothing where it suits."""
    in_air = crew.kind is UnitKind.DRONE
    lacks = tuple(sorted(wanted_of(category, needs, in_air=in_air) - crew.equipment))
    why = [Unsuited.EQUIPMENT] if lacks else []
    if crew.service in UNFIT.get(category, frozenset()):
        why.append(Unsuited.SERVICE)
    if in_air and not _has_battery(crew.battery_ratio, travel_s):
        why.append(Unsuited.BATTERY)
    return tuple(why), lacks


def _has_battery(battery_ratio: float | None, travel_s: float) -> bool:
    """Tell whether a drone gets there, stays and comes back; one that does not say how full it is does not count on it."""
    used_ratio = (2.0 * travel_s + DRONE_ON_SCENE_S) / DRONE_ENDURANCE_S
    return battery_ratio is not None and battery_ratio - used_ratio >= DRONE_RESERVE_RATIO


# --- who is offered ----------------------------------------------------------------------------------------------


def offered(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return at most ten by arrival, one of them advised; some that do not suit too, where they are the soonest.

    Advised is the fastest that suits; or the fastest of those at most 20 s later, when it opens a gap or a link of the ring
    and they open none.
    """
    reachable = sorted((one for one in candidates if np.isfinite(one.arrival_s)), key=_by_arrival)
    suited = [one for one in reachable if one.suits]
    first_s = suited[0].arrival_s if suited else np.inf
    others = [one for one in reachable if not one.suits]
    sooner = [one for one in others if one.arrival_s < first_s][:SHOWN_UNSUITED]
    later = [one for one in others if one not in sooner]
    shown = (sooner + suited)[:SHOWN]
    shown += later[: max(0, SHOWN - len(shown))] if len(suited) < SHOWN else []
    chosen = advised_of([one for one in shown if one.suits])
    ordered = sorted(shown, key=_by_arrival)
    return [msgspec.structs.replace(one, advised=chosen is not None and one.unit_id == chosen) for one in ordered]


def advised_of(suited: Sequence[Candidate]) -> int | None:
    """Return the unit that is advised among those that suit, fastest first; None when there is none."""
    if not suited:
        return None
    fastest = suited[0]
    for one in suited:
        if one.arrival_s > fastest.arrival_s + ADVISED_WITHIN_S:
            break
        if one.leaves is None or one.leaves.opens_nothing:
            return one.unit_id
    return fastest.unit_id


def _by_arrival(candidate: Candidate) -> tuple[float, int]:
    return candidate.arrival_s, candidate.unit_id
