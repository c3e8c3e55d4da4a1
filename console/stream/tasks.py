"""What officers' pages are told of their own tasks: each as it stands, at once, on each connection, and again until received."""

from collections.abc import Mapping, Sequence

from console.auth.policy import MESSAGE_POLICIES, allows
from console.field.officers import Field, PageChannel
from console.incidents.views import dispatch_view, is_covert, view_of
from console.sources import LiveSource
from console.stream.client import Client
from console.wire import Resume, Role, encode_message
from console.wire_incident import CompanionView, TaskChanged, TaskView
from infra.clock import Clock
from mission.calls.incident import Dispatch, DispatchState, Equipment, Incident
from telemetry.model.unit import Unit


class TaskFeed:
    """A feed (console/stream/feed.py): a signed-in officer's page is a channel to its unit for as long as it is connected."""

    def __init__(self, field: Field, bridge: LiveSource, clock: Clock) -> None:
        self._field = field
        self._bridge = bridge
        self._clock = clock
        self._pages: dict[Client, PageChannel] = {}

    def start(self, client: Client, resume: Resume | None) -> None:
        """Open the channel: what the unit is wanted for is sent whatever the page saw before."""
        del resume
        unit_id = client.scope.unit_id
        if unit_id is not None and allows(MESSAGE_POLICIES["task"], client.scope.role):
            self._pages[client] = self._field.open_page(unit_id)

    def leave(self, client: Client) -> None:
        """Close the channel; what was not received waits for the next one."""
        page = self._pages.pop(client, None)
        if page is not None:
            self._field.close_page(page)

    def read(self) -> bool:
        """Let the field take its turn; tell whether any page has something waiting."""
        self._field.turn()
        return any(page.waiting for page in self._pages.values())

    def due(self, client: Client) -> list[str]:
        """Return the tasks that wait for this page, and note that they were handed to it."""
        page = self._pages.get(client)
        if page is None or not page.waiting:
            return []
        texts = []
        for incident, sent in self._field.take_waiting(page):
            task = self.view(incident, sent)
            texts.append(encode_message(TaskChanged(seq=incident.change_seq, task=task)))
        return texts

    def view(self, incident: Incident, sent: Dispatch) -> TaskView:
        """Return a task as its officer is told it."""
        units = self._bridge.registry.units
        return TaskView(
            dispatch=dispatch_view(sent),
            incident=view_of(incident, Role.OFFICER, units, now_us=self._clock.now_us()),
            way=[list(point) for point in self._field.way_of(sent.dispatch_id)],
            companions=companions_of(incident, sent, units),
        )

    def tasks(self, unit_id: int) -> list[TaskView]:
        """Return what a unit is wanted for now."""
        return [self.view(incident, sent) for incident, sent in self._field.tasks(unit_id)]


def companions_of(incident: Incident, sent: Dispatch, units: Mapping[int, Unit]) -> list[CompanionView]:
    """Return who else is on the way, soonest first; a covert unit is not named to those whom it accompanies."""
    others = [one for one in incident.dispatches if one.is_live and one.dispatch_id != sent.dispatch_id]
    shown = [(one, units[one.unit_id]) for one in others if not is_covert(units, one.unit_id)]
    shown.sort(key=lambda pair: (pair[0].travel_s is None, pair[0].travel_s or 0.0, pair[0].dispatch_id))
    return [
        CompanionView(
            unit_id=unit.unit_id,
            kind=unit.kind,
            name_zh=unit.name_zh,
            name_en=unit.name_en or unit.call_sign,
            state=DispatchState(one.state),
            travel_s=one.travel_s,
            equipment=_equipment(unit.equipment),
        )
        for one, unit in shown
    ]


def _equipment(words: Sequence[str]) -> list[Equipment]:
    known = {piece.value for piece in Equipment}
    return [Equipment(word) for word in words if word in known]
