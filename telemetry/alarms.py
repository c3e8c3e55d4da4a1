"""The board of alarms: a pure fold over events that numbers, escalates and ends what a person must look at."""

from collections import OrderedDict, deque
from collections.abc import Callable
from itertools import islice
from typing import Final

import msgspec

from telemetry.model.alarm import Alarm, AlarmState
from telemetry.model.events import (
    LINK_LOST_S,
    AlarmAcknowledged,
    AlarmKind,
    AnyEvent,
    ArmedChanged,
    BatteryLow,
    IdentityConflict,
    LandedChanged,
    LandedState,
    LinkLost,
    LinkRegained,
    SosCleared,
    SosRaised,
)
from telemetry.model.unit import DutyStatus, Unit, UnitKind

LOG_LENGTH: Final = 10_000
"""Changes that a client may ask again; who missed more takes the whole board."""
REMEMBERED_ALARMS: Final = 10_000
"""Alarms known by name, closed ones too, so that an event sent twice raises nothing twice."""
ESCALATE_US: Final = 60_000_000
"""An alarm of priority 1 that nobody took in this time is escalated."""
DAY_US: Final = 86_400_000_000
DAY_BEGINS_US: Final = 16 * 3_600_000_000
"""Numbers start again each day at midnight of China Standard Time (16:00 UTC)."""
BATTERY_CRITICAL_RATIO: Final = 0.15
"""At or under this a flying drone's battery is of priority 2."""
ON_CALL: Final = frozenset({DutyStatus.ENGAGED, DutyStatus.EN_ROUTE, DutyStatus.ON_SCENE})

UnitAt = Callable[[int, int], Unit | None]
"""Tells the unit for which a device spoke at a time: (device_id, at_us)."""


class AlarmBoard:
    """Alarms that are open, and a numbered log of every change of one.

    The same events in the same order make the same board: its time is that of the events and of `advance`. Events of
    recordings raise nothing.
    """

    def __init__(self, unit_at: UnitAt) -> None:
        self._unit_at = unit_at
        self._alarms: OrderedDict[str, Alarm] = OrderedDict()
        self._open: dict[str, Alarm] = {}
        self._open_by_cause: dict[tuple[AlarmKind, int], str] = {}
        self._flying: dict[int, tuple[bool, bool]] = {}
        self._log: deque[tuple[int, Alarm]] = deque(maxlen=LOG_LENGTH)
        self._sequence = 0
        self._day = -1
        self._numbered = 0

    @property
    def sequence(self) -> int:
        """The number of the newest change, 0 before the first."""
        return self._sequence

    def open(self) -> list[Alarm]:
        """Return the alarms on the board: not over, or over but not yet acknowledged; most urgent and oldest first."""
        return sorted(self._open.values(), key=lambda alarm: (alarm.priority, alarm.raised_us, alarm.alarm_id))

    def get(self, alarm_id: str) -> Alarm | None:
        """Return one alarm, closed ones that are still remembered too."""
        return self._alarms.get(alarm_id)

    def changes_since(self, sequence: int) -> list[tuple[int, Alarm]]:
        """Return the changes after `sequence` that the log still holds, oldest first.

        Who finds that the first is not `sequence + 1` missed some and takes the whole board.
        """
        if sequence >= self._sequence:
            return []
        first = self._log[0][0]
        return list(islice(self._log, max(0, sequence + 1 - first), None))

    def apply(self, event: AnyEvent) -> list[Alarm]:
        """Take one event; return the alarms that changed, in order."""
        changed = self.advance(event.received_us)
        if event.replayed:
            return changed
        match event:
            case ArmedChanged(armed=armed):
                self._flying[event.device_id] = (armed, armed and self._is_flying(event.device_id)[1])
            case LandedChanged(landed=landed):
                armed = self._is_flying(event.device_id)[0]
                self._flying[event.device_id] = (armed, landed is not LandedState.ON_GROUND)
            case AlarmAcknowledged():
                changed += self._acknowledge(event)
            case SosCleared():
                changed += self._end(AlarmKind.SOS, event)
            case LinkRegained():
                changed += self._end(AlarmKind.LINK_LOST, event)
            case _:
                changed += self._raise(event)
        return changed

    def advance(self, now_us: int) -> list[Alarm]:
        """Escalate what nobody took in time; return what changed."""
        due = [
            alarm
            for alarm_id in self._open_by_cause.values()
            if (alarm := self._alarms[alarm_id]).priority == 1
            and alarm.state is AlarmState.RAISED
            and alarm.escalated_us is None
            and now_us - alarm.raised_us >= ESCALATE_US
        ]
        due.sort(key=lambda alarm: (alarm.raised_us, alarm.alarm_id))
        return [self._keep(alarm, escalated_us=alarm.raised_us + ESCALATE_US) for alarm in due]

    def _raise(self, event: AnyEvent) -> list[Alarm]:
        unit = self._unit_at(event.device_id, event.received_us)
        cause = self._cause_of(event, unit)
        if cause is None:
            return []
        kind, priority, text = cause
        open_id = self._open_by_cause.get((kind, event.device_id))
        if open_id is not None:
            alarm = self._alarms[open_id]
            return [self._keep(alarm, priority=priority)] if priority < alarm.priority else []
        alarm_id = f"{kind.value}-{event.device_id}-{event.received_us}"
        if alarm_id in self._alarms:
            return []
        alarm = Alarm(
            alarm_id=alarm_id,
            number=self._next_number(event.received_us),
            kind=kind,
            priority=priority,
            device_id=event.device_id,
            unit_id=unit.unit_id if unit else None,
            raised_us=event.received_us,
            text=text,
        )
        self._open_by_cause[kind, event.device_id] = alarm_id
        return [self._keep(alarm)]

    def _cause_of(self, event: AnyEvent, unit: Unit | None) -> tuple[AlarmKind, int, str] | None:
        """Return what an event is to the board: kind, priority and a line of text; None when nothing."""
        match event:
            case SosRaised(text=text):
                return AlarmKind.SOS, 1, text
            case IdentityConflict(evidence=evidence):
                return AlarmKind.IDENTITY_CONFLICT, 2, evidence
            case BatteryLow(battery_ratio=ratio):
                is_urgent = ratio <= BATTERY_CRITICAL_RATIO and self._matters(event.device_id, unit)
                return AlarmKind.BATTERY_LOW, 2 if is_urgent else 3, f"{ratio:.0%}"
            case LinkLost(silent_s=silent_s) if silent_s >= LINK_LOST_S and not self._may_be_silent(event, unit):
                return AlarmKind.LINK_LOST, 2 if self._matters(event.device_id, unit) else 3, f"{silent_s:.0f} s"
            case _:
                return None

    def _matters(self, device_id: int, unit: Unit | None) -> bool:
        """Tell whether somebody depends on the unit now: it flies, is armed, or is on a call."""
        return any(self._is_flying(device_id)) or (unit is not None and unit.duty_status in ON_CALL)

    def _may_be_silent(self, event: LinkLost, unit: Unit | None) -> bool:
        """Tell whether silence is no news: somebody off duty who switched the phone off."""
        if unit is None or unit.kind is UnitKind.DRONE:
            return False
        return unit.duty_status is DutyStatus.OFF_DUTY and not any(self._is_flying(event.device_id))

    def _is_flying(self, device_id: int) -> tuple[bool, bool]:
        return self._flying.get(device_id, (False, False))

    def _end(self, kind: AlarmKind, event: AnyEvent) -> list[Alarm]:
        alarm_id = self._open_by_cause.pop((kind, event.device_id), None)
        if alarm_id is None:
            return []
        return [self._keep(self._alarms[alarm_id], state=AlarmState.ENDED, ended_us=event.received_us)]

    def _acknowledge(self, event: AlarmAcknowledged) -> list[Alarm]:
        alarm = self._alarms.get(event.alarm_id)
        if alarm is None or alarm.acknowledged_us is not None:
            return []
        lasts = alarm.kind in (AlarmKind.SOS, AlarmKind.LINK_LOST) and alarm.ended_us is None
        if not lasts:
            self._open_by_cause.pop((alarm.kind, alarm.device_id), None)
        kept = self._keep(
            alarm,
            state=AlarmState.ACKNOWLEDGED if lasts else AlarmState.ENDED,
            ended_us=alarm.ended_us if lasts or alarm.ended_us is not None else event.received_us,
            acknowledged_us=event.received_us,
            acknowledged_by=event.account_name,
        )
        return [kept]

    def _keep(self, alarm: Alarm, **changes: object) -> Alarm:
        kept = msgspec.structs.replace(alarm, **changes) if changes else alarm
        self._alarms[kept.alarm_id] = kept
        self._open[kept.alarm_id] = kept
        if not is_open(kept):
            del self._open[kept.alarm_id]
        self._sequence += 1
        self._log.append((self._sequence, kept))
        self._forget_closed()
        return kept

    def _forget_closed(self) -> None:
        """Keep memory bounded: the oldest closed alarm makes room."""
        if len(self._alarms) <= REMEMBERED_ALARMS:
            return
        closed = next((alarm_id for alarm_id, alarm in self._alarms.items() if not is_open(alarm)), None)
        if closed is not None:
            del self._alarms[closed]

    def _next_number(self, at_us: int) -> int:
        day = (at_us - DAY_BEGINS_US) // DAY_US
        if day != self._day:
            self._day, self._numbered = day, 0
        self._numbered += 1
        return self._numbered


def is_open(alarm: Alarm) -> bool:
    """Tell whether an alarm is still on the board: its cause lasts, or nobody has acknowledged it."""
    return alarm.ended_us is None or alarm.acknowledged_us is None


def first_event_us(now_us: int) -> int:
    """Return the time from which events must be folded, so that today's and yesterday's alarms keep their numbers."""
    return (now_us - DAY_BEGINS_US) // DAY_US * DAY_US + DAY_BEGINS_US - DAY_US
