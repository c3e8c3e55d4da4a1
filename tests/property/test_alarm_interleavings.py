"""However a device re-sends, reconnects and stores, and whenever the server restarts, one call is one alarm with one number."""

from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.alarms.board import AlarmBoard
from telemetry.model.alarm import Alarm
from telemetry.model.events import (
    AlarmAcknowledged,
    AlarmClosed,
    AlarmHandedOver,
    AlarmKind,
    AnyEvent,
    DeviceAlarm,
    GeofenceEntered,
    GeofenceLeft,
    LinkLost,
    OutsideArea,
    SosCleared,
    SosRaised,
    decode_event,
    encode_event,
)
from telemetry.model.unit import DutyStatus, Service, Unit, UnitKind

NOW_US: Final = 1_800_000_000_000_000
SECOND_US: Final = 1_000_000


class Force:
    """One unit, whose duty the world changes without telling the board."""

    def __init__(self) -> None:
        self.duty = DutyStatus.FREE

    def unit_at(self, device_id: int, at_us: int) -> Unit | None:
        del at_us
        return Unit(
            unit_id=device_id,
            call_sign="Lin",
            kind=UnitKind.OFFICER,
            service=Service.PATROL,
            duty_status=self.duty,
        )


class Server:
    """A board whose journal survives it: what it was told, and what it numbered."""

    def __init__(self) -> None:
        self.force = Force()
        self.journal: list[bytes] = []
        self.board = AlarmBoard(self.force.unit_at)

    def tell(self, event: AnyEvent) -> list[Alarm]:
        changed = self.board.apply(event)
        self.journal += [encode_event(one) for one in (event, *self.board.take_numbered())]
        return changed

    def restart(self) -> None:
        past = [decode_event(data) for data in self.journal]
        past.sort(key=lambda event: event.received_us)
        self.board = AlarmBoard(self.force.unit_at)
        self.board.begin_restore(past)
        for event in past:
            self.board.apply(event)
        self.board.end_restore()


def sos(at_s: float, *, received_s: float | None = None, sent_late: bool = False) -> SosRaised:
    received_us = NOW_US + int((at_s if received_s is None else received_s) * SECOND_US)
    return SosRaised(
        device_id=7, observed_us=NOW_US + int(at_s * SECOND_US), received_us=received_us, sent_late=sent_late
    )


@settings(deadline=None)
@given(data=st.data())
def test_any_interleaving_of_resends_reconnects_and_restarts_gives_one_alarm_a_call(data: st.DataObject) -> None:
    server, at_s, calls = Server(), 0.0, 0
    told: list[float] = []
    is_open = False
    for _ in range(data.draw(st.integers(1, 25))):
        at_s += data.draw(st.sampled_from([0.5, 20.0, 700.0]))
        match data.draw(st.sampled_from(["call", "again", "stored", "clear", "take", "restart", "restart"])):
            case "call":
                calls += not is_open
                is_open = True
                told.append(at_s)
                server.tell(sos(at_s))
            case "again" if is_open:
                server.tell(sos(told[-1], received_s=at_s))
            case "stored" if told:
                server.tell(sos(data.draw(st.sampled_from(told)), received_s=at_s, sent_late=True))
            case "clear" if is_open:
                is_open = False
                at_us = NOW_US + int(at_s * SECOND_US)
                server.tell(SosCleared(device_id=7, observed_us=at_us, received_us=at_us))
            case "take" if is_open:
                alarm = next(alarm for alarm in server.board.open() if alarm.ended_us is None)
                server.tell(taken(alarm, at_s))
            case "restart":
                before = server.board.open()
                server.restart()
                assert server.board.open() == before
            case _:
                continue
    numbers = {alarm.alarm_id: alarm.number for _, alarm in server.board.changes_since(0)}
    assert len(numbers) <= calls
    assert sum(alarm.ended_us is None for alarm in server.board.open()) == is_open


def taken(alarm: Alarm, at_s: float, account_id: int = 1) -> AlarmAcknowledged:
    at_us = NOW_US + int(at_s * SECOND_US)
    return AlarmAcknowledged(
        device_id=alarm.device_id,
        observed_us=at_us,
        received_us=at_us,
        alarm_id=alarm.alarm_id,
        account_id=account_id,
        account_name=f"account {account_id}",
    )


def stamped(at_s: float) -> dict[str, Any]:
    at_us = NOW_US + int(at_s * SECOND_US)
    return {"device_id": 7, "observed_us": at_us, "received_us": at_us}


@settings(deadline=None)
@given(data=st.data())
def test_numbers_owners_and_states_are_equal_after_a_restart_whoever_was_on_duty_since(data: st.DataObject) -> None:
    server, at_s = Server(), 0.0
    for _ in range(data.draw(st.integers(1, 25))):
        at_s += data.draw(st.sampled_from([0.5, 40.0, 3_000.0]))
        server.force.duty = data.draw(st.sampled_from(list(DutyStatus)))
        kinds: list[AnyEvent] = [
            LinkLost(**stamped(at_s), silent_s=12.0),
            sos(at_s),
            DeviceAlarm(**stamped(at_s), alarm=AlarmKind.TAMPER, active=data.draw(st.booleans()), code="jt808:5"),
            GeofenceEntered(**stamped(at_s), geofence_id=data.draw(st.integers(1, 2)), raises_alarm=True, name="河边"),
            GeofenceLeft(**stamped(at_s), geofence_id=data.draw(st.integers(1, 2)), inside_s=1.0),
            OutsideArea(**stamped(at_s), active=data.draw(st.booleans())),
        ]
        known = server.board.open()
        if known:
            alarm = data.draw(st.sampled_from(known))
            who: dict[str, Any] = {
                "alarm_id": alarm.alarm_id,
                "account_id": data.draw(st.integers(1, 3)),
                "account_name": "Li",
            }
            kinds += [
                AlarmAcknowledged(**stamped(at_s), **who),
                AlarmHandedOver(**stamped(at_s), **who, by_account_id=1, by_name="Wang", note="take over"),
                AlarmClosed(**stamped(at_s), **who, note="false alarm"),
            ]
        server.tell(data.draw(st.sampled_from(kinds)))
    server.board.advance(NOW_US + int(at_s * SECOND_US))
    before = server.board.open()
    lived_on = server.board
    server.force.duty = data.draw(st.sampled_from(list(DutyStatus)))
    server.restart()
    server.board.advance(NOW_US + int(at_s * SECOND_US))
    assert server.board.open() == before
    help_again = SosRaised(**(stamped(at_s + 1) | {"device_id": 8}))
    assert server.tell(help_again)[-1].number == lived_on.apply(help_again)[-1].number
