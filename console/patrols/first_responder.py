"""First responders: the drone that is at a place soonest is chosen, given its way, and launched by who asked."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from console.audit import Audit, AuditAction
from console.auth.accounts import Account
from console.flight.control import holder_of
from console.flight.desk import FlightDesk
from console.patrols.launches import Launches
from console.patrols.plan_desk import PlanDesk
from console.patrols.programme_desk import ProgrammeDesk
from console.patrols.protocol import RespondAsked, Responders
from console.sources import FieldBridge
from infra.clock import MICROSECONDS, Clock
from infra.database import SERVICE, Scope
from mission.flying.planned_next import PlannedNext
from mission.flying.responder import Candidate
from mission.flying.responder_trip import Errand, Standing
from mission.model import Airframe, Programme, Window
from mission.plan import Sortie, SortieState
from mission.plan_store import KeptPlan
from telemetry.flight.control import NOBODY
from telemetry.model.errors import NotFoundError

AROUND_S: Final = 3600
"""Sorties of published plans that are in the air or due within this are kept clear of."""
PLANNED_S: Final = 3 * 3600
"""So far ahead it is looked what a drone is planned to fly itself: nobody is away for longer."""
LATE_AFTER_S: Final = 300
AHEAD: Final = frozenset({SortieState.PLANNED, SortieState.HANDED, SortieState.UPLOADED})
WITHIN_S: Final = 10.0


class FirstResponder:
    """Chooses and sends drones of the programme that speak MAVLink."""

    def __init__(
        self,
        bridge: FieldBridge,
        clock: Clock,
        audit: Audit,
        *,
        programme: ProgrammeDesk,
        plans: PlanDesk,
        flights: FlightDesk,
    ) -> None:
        self._bridge, self._clock = bridge, clock
        self._programme, self._plans, self._flights = programme, plans, flights
        self._audit = audit
        self.launches: Final = Launches(flights, clock)

    async def candidates(
        self, errand: Errand, account: Account, scope: Scope, *, unit_id: int | None = None
    ) -> tuple[list[Candidate], Programme]:
        """Return the drones of the account's scope for an errand, the soonest first, and the programme that they are of.

        Raises NotFoundError where the scope has no drone with a dock, or not the one that was asked for.
        """
        programme = (await self._programme.read(scope)).programme
        programme = msgspec.structs.replace(programme, airframes=tuple(self._ours(programme, account, unit_id)))
        if not programme.airframes:
            which = "drone" if unit_id is None else f"drone with unit_id {unit_id}"
            message = (
                f"there is no {which} of the programme in your scope: give drones their dock and unit in the programme"
            )
            raise NotFoundError(message, "您的范围内没有任务书中的无人机：请在任务书中为其填写机库和单元")
        now_us = self._clock.now_us()
        published = await self._published(now_us)
        asked = RespondAsked(
            errand=errand,
            programme=programme,
            standings=[self._standing(airframe, account) for airframe in programme.airframes],
            others=_others(published, now_us),
            now_us=now_us,
            planned=list(_planned(published, programme, now_us)),
        )
        answer = await self._plans.sketcher.ask(asked, within_s=WITHIN_S)
        return msgspec.json.decode(answer, type=Responders).candidates, programme

    async def send(
        self, chosen: Candidate, programme: Programme, account: Account, *, errand: Errand, incident_id: int | None
    ) -> int:
        """Give a candidate its sortie, to be launched once that is on board; return its unit_id.

        The audit has the incident that it was for, or the place within some ten metres where it was for none.
        Raises ConflictError where another took control meanwhile.
        """
        assert chosen.sortie is not None
        assert chosen.unit_id is not None
        airframe = next(one for one in programme.airframes if one.airframe_id == chosen.airframe_id)
        dock = next(one for one in programme.docks if one.dock_id == airframe.dock_id)
        device_id = self._flights.drones.device_of(chosen.unit_id)
        was_nobodys = self._flights.control.of(device_id).holder == NOBODY
        await self._flights.hand(
            chosen.unit_id, chosen.sortie, airframe, dock, account, zones=programme.zones, goal=chosen.goal
        )
        detail = {"unit_id": chosen.unit_id, "incident_id": incident_id, "arrive_s": chosen.arrive_s}
        if incident_id is None:
            detail |= {"lat_deg": round(errand.lat_deg, 4), "lon_deg": round(errand.lon_deg, 4)}
        call_sign = self._bridge.registry.units[chosen.unit_id].call_sign
        await self._audit.write_soon(account, AuditAction.SORTIE_GIVEN, subject=call_sign, detail=detail)
        self.launches.expect(chosen.unit_id, account, lets_go=was_nobodys)
        return chosen.unit_id

    def _ours(self, programme: Programme, account: Account, unit_id: int | None) -> Iterable[Airframe]:
        units, drones = self._bridge.registry.units, self._flights.drones.by_unit()
        for airframe in programme.airframes:
            unit = units.get(airframe.unit_id or 0)
            is_asked = unit_id in (None, airframe.unit_id)
            if unit is not None and unit.unit_id in drones and account.scope.sees(unit) and is_asked:
                yield airframe

    def _standing(self, airframe: Airframe, account: Account) -> Standing:
        assert airframe.unit_id is not None
        place = self._flights.drones.place_of(airframe.unit_id)
        if place is None:
            return Standing(airframe_id=airframe.airframe_id, is_heard=False)
        holder = self._flights.control.of(self._flights.drones.device_of(airframe.unit_id)).holder
        is_other = holder not in (NOBODY, holder_of(account))
        return Standing(
            airframe_id=airframe.airframe_id,
            lat_deg=place.lat_deg,
            lon_deg=place.lon_deg,
            battery_ratio=place.battery_ratio,
            is_airborne=bool(place.is_airborne),
            is_heard=place.is_heard,
            controller=holder.name if is_other else "",
        )

    async def _published(self, now_us: int) -> list[KeptPlan]:
        window = Window(now_us - AROUND_S * MICROSECONDS, now_us + PLANNED_S * MICROSECONDS)
        return await self._plans.published(SERVICE, window)


def _others(published: Sequence[KeptPlan], now_us: int) -> list[Sortie]:
    """Return sorties of published plans that are in the air or due, numbered anew: numbers of two plans may be alike."""
    until_us = now_us + AROUND_S * MICROSECONDS
    found = [
        sortie
        for kept in published
        for sortie in kept.plan.sorties
        if sortie.landing_us > now_us and sortie.takeoff_us < until_us and sortie.waypoints
    ]
    return [msgspec.structs.replace(sortie, sortie_id=number) for number, sortie in enumerate(found, 1)]


def _planned(published: Sequence[KeptPlan], programme: Programme, now_us: int) -> Iterator[PlannedNext]:
    """Yield what the drones of a programme are to fly soon; they are the same by their unit, whatever a plan numbers them."""
    airframe_ids = {one.unit_id: one.airframe_id for one in programme.airframes if one.unit_id is not None}
    for kept in published:
        units = {one.airframe_id: one.unit_id for one in kept.programme.airframes}
        for sortie in kept.plan.sorties:
            airframe_id = airframe_ids.get(units.get(sortie.airframe_id) or 0)
            is_ahead = sortie.state in AHEAD and sortie.waypoints and not sortie.is_standby
            if airframe_id is not None and is_ahead and sortie.takeoff_us > now_us - LATE_AFTER_S * MICROSECONDS:
                yield PlannedNext(
                    airframe_id=airframe_id,
                    plan_id=kept.plan.plan_id,
                    sortie_id=sortie.sortie_id,
                    takeoff_us=sortie.takeoff_us,
                )
