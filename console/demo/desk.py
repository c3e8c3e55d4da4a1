"""The demo's dispatcher: leaves each call to the people at the screens for a while, and then does what is advised.

It minds the calls that came from the call centre's program; what people took or sent by hand is theirs.
"""

from typing import Final

import msgspec

from mission.calls.incident import CLOSED, Category, DispatchState, IncidentState

PATIENCE_S: Final = {1: 8.0, 2: 20.0, 3: 20.0}
"""How long a call is left to people, by urgency."""
ASKS_PLACE_S: Final = 15.0
UNANSWERED_S: Final = 45.0
UNANSWERED: Final = frozenset({DispatchState.QUEUED, DispatchState.SENT, DispatchState.RECEIVED})
GAVE_UP: Final = frozenset({DispatchState.DECLINED, DispatchState.RECALLED})
DISPATCHER: Final = "demo-dispatcher"
SOURCE: Final = "rest"
AGAIN_S: Final = 6.0
"""After something was tried for a call, it is left alone so long."""


class SeenDispatch(msgspec.Struct, frozen=True):
    """What the desk reads of a dispatch."""

    dispatch_id: int
    unit_id: int
    state: DispatchState
    sent_by: str
    queued_ms: float


class SeenIncident(msgspec.Struct, frozen=True):
    """What it reads of an incident."""

    incident_id: int
    version: int
    seq: int
    state: IncidentState
    urgency: int
    category: Category
    lat_deg: float | None
    source: str
    reported_ms: float
    response_s: float | None
    target_s: float
    on_target: bool | None
    dispatches: list[SeenDispatch]


class IncidentMessage(msgspec.Struct, frozen=True, tag_field="type", tag="incident"):
    """An incident as the websocket tells it."""

    incident: SeenIncident


class SeenCandidate(msgspec.Struct, frozen=True):
    """What it reads of a unit that could go."""

    unit_id: int
    suits: bool
    advised: bool
    travel_s: float


class Candidates(msgspec.Struct, frozen=True):
    """Who could go over the roads and by air, soonest first."""

    ground: list[SeenCandidate]
    air: list[SeenCandidate] = []


class SendAdvised(msgspec.Struct, frozen=True):
    """Ask who could go, and send."""

    incident: SeenIncident


class TellPlace(msgspec.Struct, frozen=True):
    """Write down the place that the caller told when asked."""

    incident: SeenIncident


class HandOver(msgspec.Struct, frozen=True):
    """Give what is not police work to its agency."""

    incident: SeenIncident


class Recall(msgspec.Struct, frozen=True):
    """Take back a unit that does not answer."""

    incident: SeenIncident
    dispatch: SeenDispatch


class CloseOld(msgspec.Struct, frozen=True):
    """Close what an earlier demo left open."""

    incident: SeenIncident


Work = SendAdvised | TellPlace | HandOver | Recall | CloseOld


class DeskBook:
    """The incidents as the stream tells them, and what is to be done. Times are UTC milliseconds."""

    def __init__(self, began_ms: float) -> None:
        self._began_ms = began_ms
        self._incidents: dict[int, SeenIncident] = {}
        self._rest_until_ms: dict[int, float] = {}
        self._tried: dict[int, set[int]] = {}
        self._flown: dict[int, int] = {}

    def take(self, incident: SeenIncident) -> None:
        """Take an incident as it stands; an older view changes nothing."""
        known = self._incidents.get(incident.incident_id)
        if known is None or incident.seq >= known.seq:
            self._incidents[incident.incident_id] = incident

    def all(self) -> list[SeenIncident]:
        """Return every incident that was told of."""
        return list(self._incidents.values())

    def due(self, now_ms: float) -> list[Work]:
        """Return what is to be done now, one thing a call."""
        work = []
        for incident in self._incidents.values():
            if (
                incident.state in CLOSED
                or incident.source != SOURCE
                or now_ms < self._rest_until_ms.get(incident.incident_id, 0.0)
            ):
                continue
            wanted = self._wanted(incident, now_ms)
            if wanted is not None:
                self._rest_until_ms[incident.incident_id] = now_ms + AGAIN_S * 1000.0
                work.append(wanted)
        return work

    def choose(self, incident_id: int, candidates: list[SeenCandidate]) -> int | None:
        """Return the unit to send: the advised one, else the soonest that suits, else the soonest; none twice in a row."""
        tried = self._tried.setdefault(incident_id, set())
        left = [one for one in candidates if one.unit_id not in tried]
        if not left:
            tried.clear()
            return None
        best = min(left, key=lambda one: (not one.advised, not one.suits, one.travel_s))
        tried.add(best.unit_id)
        return best.unit_id

    def choose_drone(self, incident_id: int, candidates: list[SeenCandidate]) -> int | None:
        """Return the advised drone for a most urgent call, to see the place before anybody is there; one for a call."""
        advised = [one.unit_id for one in candidates if one.advised and one.suits]
        if self._incidents[incident_id].urgency > 1 or incident_id in self._flown or not advised:
            return None
        self._flown[incident_id] = advised[0]
        return advised[0]

    def _needs_somebody(self, incident: SeenIncident) -> bool:
        """Whether nobody was sent, or only a drone is left of those who were."""
        if incident.state is IncidentState.NEW:
            return True
        left = [sent.unit_id for sent in incident.dispatches if sent.state not in GAVE_UP]
        return left == [self._flown.get(incident.incident_id)]

    def _wanted(self, incident: SeenIncident, now_ms: float) -> Work | None:
        if incident.reported_ms < self._began_ms:
            return CloseOld(incident)
        age_s = (now_ms - incident.reported_ms) / 1000.0
        for sent in incident.dispatches:
            if (
                sent.state in UNANSWERED
                and sent.sent_by == DISPATCHER
                and now_ms - sent.queued_ms > UNANSWERED_S * 1000.0
            ):
                return Recall(incident, sent)
        if not self._needs_somebody(incident) or age_s < PATIENCE_S.get(incident.urgency, PATIENCE_S[3]):
            return TellPlace(incident) if incident.lat_deg is None and age_s >= ASKS_PLACE_S else None
        if incident.category is Category.SERVICE:
            return HandOver(incident)
        return TellPlace(incident) if incident.lat_deg is None else SendAdvised(incident)
