"""Who is in control of a drone: taken, offered, forced, released and lapsed, and the same again after a restart."""

import pytest

from telemetry.flight.control import (
    NOBODY,
    Control,
    ControlBoard,
    Holder,
    accept,
    decline,
    demand_control,
    force,
    lapse,
    offer,
    release,
    take,
)
from telemetry.model.control_events import ControlChange, ControlChanged, HolderKind
from telemetry.model.errors import ConflictError, InputError, NotAllowedError
from telemetry.model.events import decode_event, encode_event

DRONE = 7
WANG = Holder(HolderKind.ACCOUNT, 1, "wang")
LI = Holder(HolderKind.ACCOUNT, 2, "li")
QGC = Holder(HolderKind.GROUND_STATION, 0, "field")


class Desk:
    """A board and the events that made it."""

    def __init__(self) -> None:
        self.board = ControlBoard()
        self.events: list[ControlChanged] = []

    def do(self, event: ControlChanged) -> Control:
        self.events.append(event)
        self.board.apply(event)
        return self.board.of(DRONE)

    @property
    def now(self) -> Control:
        return self.board.of(DRONE)


def test_nobody_commands_a_drone_before_somebody_took_it() -> None:
    with pytest.raises(ConflictError, match="nobody is in control of device 7: take control"):
        demand_control(ControlBoard().of(DRONE), WANG)


def test_who_takes_control_has_it_and_others_are_told_who_does() -> None:
    desk = Desk()
    control = desk.do(take(desk.now, WANG, 100))
    demand_control(control, WANG)
    assert (control.holder, control.since_us, control.change) == (WANG, 100, ControlChange.TAKEN)
    with pytest.raises(ConflictError, match="wang is in control of device 7"):
        take(control, LI, 200)
    with pytest.raises(ConflictError, match="wang is in control"):
        demand_control(control, LI)


def test_who_is_refused_is_told_the_drones_name_in_both_languages() -> None:
    with pytest.raises(ConflictError, match="nobody is in control of Hawk 7: take control") as refused:
        demand_control(ControlBoard().of(DRONE), WANG, name="Hawk 7")
    assert refused.value.zh == "Hawk 7无人控制：先接管，再下达命令"
    with pytest.raises(NotAllowedError, match="control of Hawk 7 is not offered to wang"):
        accept(ControlBoard().of(DRONE), WANG, 1, name="Hawk 7")


def test_an_offer_leaves_control_where_it_is_until_it_is_accepted() -> None:
    desk = Desk()
    desk.do(take(desk.now, WANG, 100))
    offered = desk.do(offer(desk.now, WANG, LI, 200))
    assert (offered.holder, offered.offered, offered.since_us) == (WANG, LI, 100)
    accepted = desk.do(accept(offered, LI, 300))
    assert (accepted.holder, accepted.offered, accepted.since_us) == (LI, NOBODY, 300)


def test_only_the_one_it_is_offered_to_accepts_and_only_those_two_end_the_offer() -> None:
    desk = Desk()
    desk.do(take(desk.now, WANG, 100))
    desk.do(offer(desk.now, WANG, LI, 200))
    chen = Holder(HolderKind.ACCOUNT, 3, "chen")
    for refused in (accept, decline):
        with pytest.raises(NotAllowedError, match="is offered to li"):
            refused(desk.now, chen, 300)
    assert desk.do(decline(desk.now, LI, 300)).offered == NOBODY
    desk.do(offer(desk.now, WANG, LI, 400))
    assert desk.do(decline(desk.now, WANG, 500)).holder == WANG
    with pytest.raises(NotAllowedError):
        accept(desk.now, LI, 600)


def test_a_supervisor_takes_control_only_with_a_reason() -> None:
    desk = Desk()
    desk.do(take(desk.now, WANG, 100))
    with pytest.raises(InputError, match="say in 1"):
        force(desk.now, LI, "  ", 200)
    forced = desk.do(force(desk.now, LI, "wang does not answer", 200))
    assert (forced.holder, forced.reason) == (LI, "wang does not answer")


def test_a_ground_station_has_what_it_is_lent_and_the_lender_takes_it_back() -> None:
    desk = Desk()
    desk.do(take(desk.now, WANG, 100))
    lent = desk.do(offer(desk.now, WANG, QGC, 200))
    assert lent.holder == QGC
    with pytest.raises(ConflictError, match="the ground station field is in control"):
        take(lent, LI, 300)
    assert desk.do(take(lent, WANG, 300)).holder == WANG


def test_control_that_was_released_or_lapsed_is_for_anybody() -> None:
    desk = Desk()
    desk.do(take(desk.now, WANG, 100))
    desk.do(release(desk.now, WANG, 200))
    desk.do(take(desk.now, LI, 300))
    lapsed = desk.do(lapse(desk.now, "signed out", 400))
    assert (lapsed.holder, lapsed.change, lapsed.reason) == (NOBODY, ControlChange.LAPSED, "signed out")
    assert desk.board.held() == []


def test_a_board_folded_again_from_the_journal_stands_as_before() -> None:
    desk = Desk()
    for event in (take(desk.now, WANG, 100),):
        desk.do(event)
    desk.do(offer(desk.now, WANG, LI, 200))
    again = ControlBoard()
    for event in desk.events:
        again.apply(decode_event(encode_event(event)))
    assert again.of(DRONE) == desk.now
    assert [control.device_id for control in again.changed_since(1)] == [DRONE]
    assert again.changed_since(again.version) == []
