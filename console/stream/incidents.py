"""What browsers are told of incidents: each as it stands, numbered by its change, in the reader's scope and mask."""

from collections import OrderedDict
from typing import Final, TypeAlias

from console.auth.policy import ACTING, COVERT_ROLES, MESSAGE_POLICIES, allows
from console.incidents.views import sees_incident, view_of
from console.sources import LiveSource
from console.stream.client import Client
from console.wire import Resume, Role, encode_message
from console.wire_incident import IncidentChanged
from infra.clock import Clock
from mission.calls.incident import Incident
from mission.calls.incident_board import IncidentBoard, on_target

TEXTS: Final = 4_000
_Key: TypeAlias = tuple[int, int, int, tuple[bool, bool, bool | None]]


class IncidentFeed:
    """A feed (console/stream/feed.py): the open incidents first, then every change, reliably and in order.

    Who comes back to the same run of the server (its `epoch`) is told only what changed after `resume.incident_seq`.
    """

    def __init__(self, board: IncidentBoard, bridge: LiveSource, clock: Clock, *, epoch: int) -> None:
        self._board = board
        self._bridge = bridge
        self._clock = clock
        self._epoch = epoch
        self._seq = 0
        self._places: dict[Client, int] = {}
        self._first: dict[Client, list[Incident]] = {}
        self._texts: OrderedDict[_Key, str] = OrderedDict()
        self._changes: dict[tuple[int, int], list[Incident]] = {}

    def start(self, client: Client, resume: Resume | None) -> None:
        """Give a browser that joins its place: where it was, or all that is open."""
        if not allows(MESSAGE_POLICIES["incident"], client.scope.role):
            return
        if resume is not None and resume.epoch == self._epoch and self._board.holds_since(resume.incident_seq):
            self._places[client] = resume.incident_seq
            return
        self._places[client] = self._board.seq
        self._first[client] = self._board.open()

    def leave(self, client: Client) -> None:
        """Forget a browser."""
        self._places.pop(client, None)
        self._first.pop(client, None)

    def read(self) -> bool:
        """Tell whether the board went on since the last turn."""
        if self._board.seq == self._seq:
            return False
        self._seq = self._board.seq
        return True

    def due(self, client: Client) -> list[str]:
        """Return the incidents that a browser has not been told, in the order of their changes, and move its place."""
        place = self._places.get(client)
        if place is None:
            return []
        waiting = sorted(self._first.pop(client, ()), key=lambda incident: incident.change_seq)
        waiting += self._changes_since(place)
        self._places[client] = self._board.seq
        units, scope = self._bridge.registry.units, client.scope
        return [self._text(incident, scope.role) for incident in waiting if sees_incident(scope, incident, units)]

    def _changes_since(self, place: int) -> list[Incident]:
        """Return what the board tells, asked once for all browsers that stand at one place."""
        key = (place, self._board.seq)
        if key not in self._changes:
            self._changes = {known: found for known, found in self._changes.items() if known[1] == self._board.seq}
            self._changes[key] = self._board.changes_since(place)
        return self._changes[key]

    def _text(self, incident: Incident, role: Role) -> str:
        registry, now_us = self._bridge.registry, self._clock.now_us()
        sight = (role in ACTING, role in COVERT_ROLES, on_target(incident, now_us))
        key = (incident.incident_id, incident.change_seq, registry.version, sight)
        text = self._texts.get(key)
        if text is None:
            view = view_of(incident, role, registry.units, now_us=now_us)
            text = self._texts[key] = encode_message(IncidentChanged(seq=incident.change_seq, incident=view))
            if len(self._texts) > TEXTS:
                self._texts.popitem(last=False)
        return text
