"""What people decide about alarms: take one, hand it over, say that it is over; checked against the board before it is kept."""

from typing import Final, TypeAlias

from telemetry.alarms.board import AlarmBoard
from telemetry.model.alarm import Alarm
from telemetry.model.errors import ConflictError, InputError, NotFoundError
from telemetry.model.events import AlarmAcknowledged, AlarmClosed, AlarmHandedOver

AlarmDecision: TypeAlias = AlarmAcknowledged | AlarmHandedOver | AlarmClosed
LONGEST_NOTE_CHARACTERS: Final = 500


def check_decision(board: AlarmBoard, decision: AlarmDecision) -> Alarm:
    """Return the alarm that may be decided about so.

    Raises NotFoundError for one that there is not, ConflictError for one that is taken, not yet taken or over already, InputError
    for a note that is too long.
    """
    alarm = board.get(decision.alarm_id)
    if alarm is None:
        raise NotFoundError(f"there is no alarm {decision.alarm_id[:80]!r}: see the alarms that are open")
    match decision:
        case AlarmAcknowledged():
            if alarm.acknowledged_us is not None:
                raise ConflictError(f"alarm {alarm.number} was acknowledged by {alarm.acknowledged_by} already")
        case AlarmHandedOver(account_id=account_id):
            if alarm.acknowledged_us is None:
                raise ConflictError(f"alarm {alarm.number} is nobody's yet: acknowledge it first")
            if alarm.closed_by is not None:
                raise ConflictError(f"alarm {alarm.number} was closed by {alarm.closed_by} already")
            if alarm.owner_id == account_id:
                raise ConflictError(f"alarm {alarm.number} is {alarm.owner}'s already: hand it to another account")
        case AlarmClosed():
            if alarm.closed_by is not None:
                raise ConflictError(f"alarm {alarm.number} was closed by {alarm.closed_by} already")
    note = "" if isinstance(decision, AlarmAcknowledged) else decision.note
    if len(note) > LONGEST_NOTE_CHARACTERS:
        raise InputError(f"a note of {len(note)} characters: at most {LONGEST_NOTE_CHARACTERS}")
    return alarm
