"""Who could go to an incident: the units on duty of a scope, asked of the coverage process, or guessed where it is away."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from console.api.models_incidents import CandidatesReply, CandidateView
from console.auth.policy import Scope
from console.coverage.protocol import Answer, Leaving, NearestAnswer, NearestAsked, PlaceAnswer, PlaceAsked, UnitColumns
from console.coverage.worker import hour_of_week
from console.incidents.place import nearest_station
from console.sources import BridgeSource, CoverageSource
from infra.clock import Clock
from mission.airspace import CALM, Wind, flight_times
from mission.calls.dispatch import Order
from mission.calls.incident import Equipment, Incident, PlaceNote
from mission.calls.incident_board import IncidentBoard
from mission.calls.recommend import Candidate, Crew, Leaves, mode_for, offered, unsuited_of, wanted_of
from mission.roads.graph import CLASS_LOCAL
from mission.roads.travel import DEFAULT_SPEEDS, GROUND_MODES, TravelMode
from telemetry.model.batch import UNKNOWN_I1, UNKNOWN_I4
from telemetry.model.errors import UnavailableError
from telemetry.model.geodesy import distance_m
from telemetry.model.unit import AVAILABLE, LinkState, Unit, UnitKind
from telemetry.model.unit_state import LINK_STATES

ANSWER_WITHIN_S: Final = 3.0
PLACE_WITHIN_S: Final = 1.0
"""A call is not kept waiting longer than this to learn whose zone it lies in."""
ASKED_AT_ONCE: Final = 16
"""While so many questions wait for the process, further ones are not added: their answers are guessed."""
OFF_ROADS_M: Final = 250.0
"""A place so far from any road is asked about."""
BESIDE_ROADS_M: Final = 150.0
ON_ROAD_M: Final = 30.0
"""A place so far beside any road, that taken as GCJ-02 would lie so near to one, may have been told in it undeclared."""
DETOUR: Final = 1.4
"""How much longer than the straight line a way is guessed to be where no roads are known."""
_HEARD: Final = frozenset({LINK_STATES.index(LinkState.LIVE), LINK_STATES.index(LinkState.STALE)})


@dataclass(frozen=True)
class _Standing:
    """A unit on duty and where it is."""

    unit: Unit
    lat_deg: float
    lon_deg: float
    battery_ratio: float | None


class NearestUnits:
    """Answers who could go, how long a unit needs, and whose a place is. `coverage` None: there is no map."""

    def __init__(
        self, bridge: BridgeSource, board: IncidentBoard, clock: Clock, coverage: CoverageSource | None
    ) -> None:
        self._bridge = bridge
        self._board = board
        self._clock = clock
        self._coverage = coverage
        self._wind = CALM
        self._asked_count = 0

    async def candidates(self, incident: Incident, scope: Scope, wind: Wind) -> CandidatesReply:
        """Return who of a scope could go, at most ten on the ground and ten in the air; nobody while the place is unknown."""
        self._wind = wind  # who is sent next is sent in the wind that was told last
        needs = frozenset(incident.needs)
        wanted = [sorted(wanted_of(incident.category, needs, in_air=in_air)) for in_air in (False, True)]
        now_us = self._clock.now_us()
        if incident.lat_e7 is None or incident.lon_e7 is None:
            return _reply([], now_us, wanted=wanted, is_known=False)
        standing, unlocated = self._on_duty(scope)
        found = await self._arrivals(incident, standing, wind)
        candidates = [_candidate(one, incident, found) for one in standing]
        return _reply(
            candidates, now_us, wanted=wanted, off_map=found.off_map, unlocated=unlocated, is_guessed=found.is_guessed
        )

    async def orders(self, incident: Incident | None, unit_ids: Sequence[int]) -> list[Order]:
        """Return orders to send units, each with how long it needs and how far it is where that is known."""
        if incident is None or incident.lat_e7 is None or incident.lon_e7 is None:
            return [Order(unit_id=unit_id) for unit_id in unit_ids]
        everyone, _ = self._on_duty(None, frozenset(unit_ids))
        found = await self._arrivals(incident, everyone, self._wind)
        known = {one.unit.unit_id: _candidate(one, incident, found) for one in everyone}
        return [_order(unit_id, known.get(unit_id)) for unit_id in unit_ids]

    async def judge(self, lat_deg: float, lon_deg: float) -> tuple[str, int | None]:
        """Return what is to be asked about a place (WGS-84), and whose zone it is, else the nearest station within 30 km."""
        nearest = nearest_station(self._bridge.registry.stations, lat_deg, lon_deg)
        answer = await self._asked(PlaceAsked(lat_deg, lon_deg), PLACE_WITHIN_S)
        if not isinstance(answer, PlaceAnswer):
            return "", nearest
        station_id = nearest if answer.station_id is None or answer.away_m > OFF_ROADS_M else answer.station_id
        if answer.away_m > BESIDE_ROADS_M and answer.shifted_away_m <= ON_ROAD_M:
            return PlaceNote.MAYBE_SHIFTED.value, station_id
        return PlaceNote.OFF_MAP.value if answer.away_m > OFF_ROADS_M else "", station_id

    # --- how it is asked -----------------------------------------------------------------------------------------------

    def _on_duty(self, scope: Scope | None, only: frozenset[int] | None = None) -> tuple[list[_Standing], list[int]]:
        """Return the units that could be sent with where they are, and those of which nobody knows where they are.

        Of a scope only who is free or standing by and wanted nowhere; `only` asks for these, whatever they do.
        """
        units, rows = self._bridge.registry.units, self._bridge.picture.units
        row_of = {unit_id: row for row, unit_id in enumerate(rows["unit_id"].tolist())}
        wanted = {sent.unit_id for _, sent in self._board.live_dispatches()}
        standing: list[_Standing] = []
        unlocated: list[int] = []
        for unit in units.values():
            if only is not None:
                if unit.unit_id not in only:
                    continue
            elif unit.duty_status not in AVAILABLE or unit.unit_id in wanted or not (scope and scope.sees(unit)):
                continue
            row = rows[row_of[unit.unit_id]] if unit.unit_id in row_of else None
            if row is None or int(row["link"]) not in _HEARD or int(row["lat_e7"]) == UNKNOWN_I4:
                unlocated.append(unit.unit_id)
                continue
            battery_pct = int(row["battery_pct"])
            battery_ratio = None if battery_pct == UNKNOWN_I1 else battery_pct / 100.0
            standing.append(_Standing(unit, int(row["lat_e7"]) / 1e7, int(row["lon_e7"]) / 1e7, battery_ratio))
        return standing, unlocated

    async def _arrivals(self, incident: Incident, standing: Sequence[_Standing], wind: Wind) -> "_Found":
        assert incident.lat_e7 is not None
        assert incident.lon_e7 is not None
        lat_deg, lon_deg = incident.lat_e7 / 1e7, incident.lon_e7 / 1e7
        ground = [one for one in standing if one.unit.kind is not UnitKind.DRONE]
        drones = [one for one in standing if one.unit.kind is UnitKind.DRONE]
        asked = NearestAsked(
            lat_deg=lat_deg,
            lon_deg=lon_deg,
            hour_of_week=hour_of_week(self._clock.now_us()),
            units=_columns(ground, incident),
            drones=_columns(drones, incident),
            wind_from_deg=wind.from_deg,
            wind_mps=wind.speed_mps,
        )
        answer = await self._asked(asked, ANSWER_WITHIN_S)
        if isinstance(answer, NearestAnswer):
            return _found(ground, drones, answer)
        return _guessed(ground, drones, incident, wind)

    async def _asked(self, question: NearestAsked | PlaceAsked, within_s: float) -> object:
        """Return the process's answer; None where there is no map, no answer in time, or too many wait already.

        A question that is given up is not cancelled: its answer would be taken for the next one's.
        """
        if self._coverage is None or self._asked_count >= ASKED_AT_ONCE:
            return None
        self._asked_count += 1
        asking = asyncio.ensure_future(self._coverage.ask(question))
        asking.add_done_callback(self._answered)
        await asyncio.wait((asking,), timeout=within_s)
        if not asking.done() or asking.cancelled() or isinstance(asking.exception(), UnavailableError):
            return None
        return asking.result()

    def _answered(self, asking: "asyncio.Future[Answer]") -> None:
        self._asked_count -= 1
        if not asking.cancelled():
            asking.exception()  # looked at here, so that one that nobody waits for any more is no surprise


@dataclass(frozen=True)
class _Found:
    """By unit: (seconds of the way or None, mobilisation), and what leaving does."""

    seconds: dict[int, tuple[float | None, float]]
    leaves: dict[int, Leaves]
    off_map: list[int]
    is_guessed: bool = False


def _found(ground: Sequence[_Standing], drones: Sequence[_Standing], answer: NearestAnswer) -> _Found:
    seconds = {
        one.unit.unit_id: (travel_s, turnout_s)
        for one, travel_s, turnout_s in zip(ground, answer.travel_s, answer.turnout_s, strict=True)
    }
    seconds |= {
        one.unit.unit_id: (flight_s, answer.launch_s) for one, flight_s in zip(drones, answer.flight_s, strict=True)
    }
    return _Found(seconds, {loss.unit_id: _leaves(loss) for loss in answer.losses}, answer.off_map)


def _guessed(ground: Sequence[_Standing], drones: Sequence[_Standing], incident: Incident, wind: Wind) -> _Found:
    """Return times guessed from the distance by air: there is no network to ask."""
    assert incident.lat_e7 is not None
    assert incident.lon_e7 is not None
    lat_deg, lon_deg = incident.lat_e7 / 1e7, incident.lon_e7 / 1e7
    seconds: dict[int, tuple[float | None, float]] = {}
    for one in ground:
        mode = mode_for(one.unit.kind, incident.urgency)
        speed_mps = DEFAULT_SPEEDS.class_speed_mps[mode][CLASS_LOCAL]
        away_m = float(distance_m(one.lat_deg, one.lon_deg, lat_deg, lon_deg))
        seconds[one.unit.unit_id] = (away_m * DETOUR / speed_mps, DEFAULT_SPEEDS.turnout_s[mode])
    if drones:
        places = np.array([(one.lat_deg, one.lon_deg) for one in drones])
        air_speed_mps = DEFAULT_SPEEDS.drone_air_speed_mps
        flight_s = flight_times(places[:, 0], places[:, 1], lat_deg, lon_deg, air_speed_mps=air_speed_mps, wind=wind)
        launch_s = DEFAULT_SPEEDS.turnout_s[TravelMode.DRONE]
        for one, found_s in zip(drones, flight_s.tolist(), strict=True):
            seconds[one.unit.unit_id] = (found_s if np.isfinite(found_s) else None, launch_s)
    return _Found(seconds, {}, [], is_guessed=True)


def _candidate(one: _Standing, incident: Incident, found: _Found) -> Candidate:
    assert incident.lat_e7 is not None
    assert incident.lon_e7 is not None
    way_s, turnout_s = found.seconds.get(one.unit.unit_id, (None, 0.0))
    travel_s = np.inf if way_s is None else way_s
    crew = Crew(
        unit_id=one.unit.unit_id,
        kind=one.unit.kind,
        service=one.unit.service,
        equipment=frozenset(Equipment(name) for name in one.unit.equipment),
        battery_ratio=one.battery_ratio,
    )
    unsuited, lacks = unsuited_of(crew, incident.category, frozenset(incident.needs), travel_s=travel_s)
    away_m = distance_m(one.lat_deg, one.lon_deg, incident.lat_e7 / 1e7, incident.lon_e7 / 1e7)
    return Candidate(
        unit_id=one.unit.unit_id,
        in_air=one.unit.kind is UnitKind.DRONE,
        travel_s=travel_s,
        turnout_s=turnout_s,
        distance_m=float(away_m),
        lacks=lacks,
        unsuited=unsuited,
        battery_ratio=one.battery_ratio,
        leaves=found.leaves.get(one.unit.unit_id),
    )


def _columns(standing: Sequence[_Standing], incident: Incident) -> UnitColumns:
    modes = [mode_for(one.unit.kind, incident.urgency) for one in standing]
    return UnitColumns(
        unit_id=[one.unit.unit_id for one in standing],
        station_id=[-1 if one.unit.station_id is None else one.unit.station_id for one in standing],
        lat_deg=[one.lat_deg for one in standing],
        lon_deg=[one.lon_deg for one in standing],
        mode=[0 if mode is TravelMode.DRONE else GROUND_MODES.index(mode) for mode in modes],
    )


def _leaves(loss: Leaving) -> Leaves:
    gap = None if loss.opens_gap_km2 is None else f"{loss.opens_gap_km2:.2f} km²"
    ring = None if loss.opens_ring is None else tuple(loss.opens_ring)
    return Leaves(cover_change_ratio=-loss.loss_ratio, opens_gap=gap, opens_ring=ring)


def _order(unit_id: int, known: Candidate | None) -> Order:
    if known is None:
        return Order(unit_id=unit_id)
    arrival_s = known.arrival_s if np.isfinite(known.arrival_s) else None
    return Order(unit_id=unit_id, travel_s=arrival_s, distance_m=known.distance_m)


def _reply(
    candidates: Sequence[Candidate],
    now_us: int,
    *,
    wanted: Sequence[list[Equipment]],
    off_map: Sequence[int] = (),
    unlocated: Sequence[int] = (),
    is_known: bool = True,
    is_guessed: bool = False,
) -> CandidatesReply:
    ground, air = (offered([one for one in candidates if one.in_air is in_air]) for in_air in (False, True))
    return CandidatesReply(
        ground=[_view(one) for one in ground],
        air=[_view(one) for one in air],
        as_of_ms=now_us / 1000,
        place_is_known=is_known,
        off_map_count=len(off_map),
        wanted=wanted[0],
        wanted_in_air=wanted[1],
        off_map_unit_ids=list(off_map),
        unlocated_unit_ids=list(unlocated),
        estimated=is_guessed,
    )


def _view(one: Candidate) -> CandidateView:
    return CandidateView(
        unit_id=one.unit_id,
        in_air=one.in_air,
        travel_s=round(one.travel_s, 1),
        turnout_s=one.turnout_s,
        distance_m=round(one.distance_m, 1),
        suits=one.suits,
        unsuited=list(one.unsuited),
        lacks=list(one.lacks),
        cover_change_ratio=None if one.leaves is None else one.leaves.cover_change_ratio,
        opens_gap=None if one.leaves is None else one.leaves.opens_gap,
        opens_ring=None if one.leaves is None or one.leaves.opens_ring is None else list(one.leaves.opens_ring),
        battery_ratio=one.battery_ratio,
        advised=one.advised,
    )
