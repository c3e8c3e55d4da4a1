"""What the feed of incidents tells whom: in order, once, in the scope and mask of each role, and again after a return."""

from collections.abc import Sequence

import msgspec
import pytest

from console.auth.policy import Scope
from console.stream.client import Client
from console.stream.incidents import IncidentFeed
from console.wire import Resume, Role
from console.wire_incident import IncidentChanged
from mission.calls.incident import (
    Caller,
    Category,
    Dispatch,
    DispatchState,
    Incident,
    IncidentState,
    Urgency,
)
from mission.calls.incident_board import REMEMBERED_US, IncidentBoard
from tests.conftest import FakeClock
from tests.console_house import CAR, COVERT, FAR, SmallBridge

EPOCH = 77


def incident(
    number: int, seq: int, *, station_id: int | None = 1, units: Sequence[int] = (), closed_us: int | None = None
) -> Incident:
    sent = tuple(
        Dispatch(
            dispatch_id=100 * number + unit_id,
            incident_id=number,
            unit_id=unit_id,
            state=DispatchState.QUEUED,
            travel_s=None,
            distance_m=None,
            sent_by="li",
            queued_us=0,
        )
        for unit_id in units
    )
    return Incident(
        incident_id=number,
        number=f"JQ-{number}",
        version=1,
        change_seq=seq,
        state=IncidentState.NEW if closed_us is None else IncidentState.CLEARED,
        urgency=Urgency.TWO,
        category=Category.OTHER,
        title=f"seq {seq}",
        text="",
        place_text="",
        lat_e7=None,
        lon_e7=None,
        caller=Caller(name="王芳", phone="13812345678"),
        audio_url="https://calls.example/1",
        recording_url="",
        station_id=station_id,
        source="console",
        source_ref=str(number),
        reported_us=0,
        created_us=0,
        changed_us=0,
        closed_us=closed_us,
        dispatches=sent,
    )


class Desk:
    """A board and its feed."""

    def __init__(self, clock: FakeClock) -> None:
        self.board = IncidentBoard()
        self.feed = IncidentFeed(self.board, SmallBridge(clock), clock, epoch=EPOCH)

    def join(self, role: Role, *stations: int, resume: Resume | None = None, unit_id: int | None = None) -> Client:
        client = Client(Scope(role, frozenset(stations), unit_id), b"")
        self.feed.start(client, resume)
        return client

    def told(self, client: Client) -> list[IncidentChanged]:
        return [msgspec.json.decode(text, type=IncidentChanged) for text in self.feed.due(client)]


@pytest.fixture
def desk(fake_clock: FakeClock) -> Desk:
    return Desk(fake_clock)


def test_who_joins_is_told_what_is_open_and_then_each_change_once_and_in_order(desk: Desk) -> None:
    desk.board.apply([incident(1, 1), incident(2, 2, closed_us=5), incident(3, 3)])
    client = desk.join(Role.OPERATOR)
    assert [one.seq for one in desk.told(client)] == [1, 3]
    assert desk.told(client) == []
    assert desk.feed.read()
    assert not desk.feed.read()
    desk.board.apply([incident(3, 5), incident(1, 4)])
    assert desk.feed.read()
    assert [(one.seq, one.incident.title) for one in desk.told(client)] == [(4, "seq 4"), (5, "seq 5")]
    desk.feed.leave(client)
    assert desk.feed.due(client) == []


def test_who_comes_back_to_the_same_run_is_told_what_it_missed_and_to_another_all_that_is_open(desk: Desk) -> None:
    desk.board.apply([incident(1, 1), incident(2, 2)])
    desk.board.apply([incident(2, 3, closed_us=5)])
    same = desk.join(Role.OPERATOR, resume=Resume(epoch=EPOCH, alarm_seq=0, incident_seq=2))
    assert [(one.seq, one.incident.state) for one in desk.told(same)] == [(3, IncidentState.CLEARED)]
    other = desk.join(Role.OPERATOR, resume=Resume(epoch=EPOCH - 1, alarm_seq=0, incident_seq=2))
    assert [one.seq for one in desk.told(other)] == [1]
    ahead = desk.join(Role.OPERATOR, resume=Resume(epoch=EPOCH, alarm_seq=0, incident_seq=99))
    assert [one.seq for one in desk.told(ahead)] == [1], "a database that was restored to an earlier day"


def test_who_was_away_for_longer_than_the_board_remembers_is_told_all_that_is_open(desk: Desk) -> None:
    desk.board.apply([incident(1, 1), incident(2, 2)])
    desk.board.apply([incident(2, 3, closed_us=5)])
    desk.board.forget(REMEMBERED_US + 6)
    client = desk.join(Role.OPERATOR, resume=Resume(epoch=EPOCH, alarm_seq=0, incident_seq=2))
    assert [one.seq for one in desk.told(client)] == [1]


@pytest.mark.parametrize(
    ("role", "stations", "shown"),
    [
        (Role.OPERATOR, (), [1, 2, 3, 4]),
        (Role.OPERATOR, (1,), [1]),
        (Role.SUPERVISOR, (2,), [2, 4]),
        (Role.VIEWER, (3,), []),
        (Role.OFFICER, (), []),
    ],
)
def test_each_is_told_its_stations_incidents_and_those_to_which_its_units_are_sent(
    desk: Desk, role: Role, stations: tuple[int, ...], shown: list[int]
) -> None:
    client = desk.join(role, *stations, unit_id=CAR if role is Role.OFFICER else None)
    desk.board.apply(
        [
            incident(1, 1),
            incident(2, 2, station_id=2),
            incident(3, 3, station_id=None),
            incident(4, 4, station_id=5, units=[FAR]),
        ]
    )
    assert [one.incident.incident_id for one in desk.told(client)] == shown


def test_callers_are_masked_for_who_watches_and_covert_units_for_all_but_chiefs(desk: Desk) -> None:
    clients = {role: desk.join(role) for role in (Role.VIEWER, Role.OPERATOR, Role.SUPERVISOR)}
    desk.board.apply([incident(1, 1, units=[CAR, COVERT])])
    seen = {role: desk.told(client)[0].incident for role, client in clients.items()}
    assert seen[Role.VIEWER].caller_phone == "138******78"
    assert (seen[Role.VIEWER].caller_name, seen[Role.VIEWER].audio_url) == ("王**", "")
    assert seen[Role.OPERATOR].caller_phone == "13812345678"
    units = {role: [sent.unit_id for sent in view.dispatches] for role, view in seen.items()}
    assert units == {Role.VIEWER: [CAR], Role.OPERATOR: [CAR], Role.SUPERVISOR: [CAR, COVERT]}


def test_a_cached_text_says_late_once_the_target_has_passed(desk: Desk, fake_clock: FakeClock) -> None:
    late = msgspec.structs.replace(incident(1, 1), reported_us=fake_clock.now_us())
    desk.board.apply([late])
    first = desk.told(desk.join(Role.OPERATOR))[0].incident
    fake_clock.advance(200)
    second = desk.told(desk.join(Role.OPERATOR))[0].incident
    assert (first.on_target, second.on_target) == (None, False)
