"""Drones that the dispatch screen sends to a call get their flight: planned, given and launched; recalled, they come home."""

import asyncio
from typing import Final, NamedTuple

from console.auth.accounts import Account
from console.flight.desk import FlightDesk
from console.incidents.desk import IncidentDesk, actor_of
from console.patrols.first_responder import FirstResponder
from infra.database import Scope
from infra.logs import get_logger
from mission.calls.incident import Incident
from mission.flying.responder import Candidate
from mission.flying.responder_trip import Errand
from telemetry.model.commands import FlightAction
from telemetry.model.errors import NotFoundError, SkybeatError, UnavailableError

MOST_WAITING: Final = 200
_LOG: Final = get_logger("flight")


class _Wanted(NamedTuple):
    incident: Incident
    unit_id: int
    account: Account
    scope: Scope


class CallFlights:
    """Sends drones of the programme to calls; one that cannot go is taken back from the call, with the reason."""

    def __init__(self, desk: IncidentDesk, responder: FirstResponder, flights: FlightDesk) -> None:
        self._desk, self._responder, self._flights = desk, responder, flights
        self._waiting: asyncio.Queue[_Wanted] = asyncio.Queue(MOST_WAITING)

    def send(self, incident: Incident, unit_ids: list[int], account: Account, scope: Scope) -> None:
        """Let those of the units that are drones fly to an incident that has a place; returns at once."""
        drones = self._flights.drones.by_unit()
        for unit_id in unit_ids:
            if unit_id in drones and incident.lat_e7 is not None and not self._waiting.full():
                self._waiting.put_nowait(_Wanted(incident, unit_id, account, scope))

    async def recall(self, incident: Incident, dispatch_id: int, account: Account) -> None:
        """Let a drone that was recalled come home, if it flies for the account that recalls it."""
        sent = next((one for one in incident.dispatches if one.dispatch_id == dispatch_id), None)
        if sent is None or sent.unit_id not in self._flights.drones.by_unit():
            return
        try:
            sortie = self._flights.view(sent.unit_id).sortie
            if sortie is not None and sortie.plan_id is None:
                await self._flights.sorties.order(sent.unit_id, FlightAction.RETURN_HOME, account)
        except SkybeatError as error:
            _LOG.warning("recall_refused", unit_id=sent.unit_id, reason=str(error))

    async def run(self) -> None:
        """Send for ever, one after the other."""
        while True:
            await self.take(await self._waiting.get())

    async def take(self, wanted: _Wanted) -> None:
        """Send one drone, or take it back from the call with the reason."""
        lat_e7, lon_e7 = wanted.incident.lat_e7, wanted.incident.lon_e7
        assert lat_e7 is not None
        assert lon_e7 is not None
        errand = Errand(lat_deg=lat_e7 / 1e7, lon_deg=lon_e7 / 1e7)
        try:
            found, programme = await self._responder.candidates(
                errand, wanted.account, wanted.scope, unit_id=wanted.unit_id
            )
            if found and found[0].can_go:
                number = wanted.incident.incident_id
                await self._responder.send(found[0], programme, wanted.account, errand=errand, incident_id=number)
                return
            reason = _reason(found)
        except NotFoundError:
            return  # no drone of the programme: its pilot flies it
        except UnavailableError as error:
            _LOG.warning("call_flight_unplanned", unit_id=wanted.unit_id, reason=str(error))
            return
        except SkybeatError as error:
            reason = str(error)
        await self._take_back(wanted, reason)

    async def _take_back(self, wanted: _Wanted, reason: str) -> None:
        live = [one for one in wanted.incident.dispatches if one.unit_id == wanted.unit_id and one.is_live]
        try:
            for sent in live:
                number = wanted.incident.incident_id
                await self._desk.recall(number, sent.dispatch_id, actor_of(wanted.account), reason=reason[:200])
        except SkybeatError as error:
            _LOG.warning("call_flight_not_taken_back", unit_id=wanted.unit_id, reason=str(error))


def _reason(found: list[Candidate]) -> str:
    refusals = [refusal for one in found[:1] for refusal in one.refusals if not refusal.is_warning]
    return "; ".join(f"{one.reason_en} ({one.rule_id})" for one in refusals) or "it cannot go there"
