"""The board of alarms: a pure fold over events that numbers, escalates and ends what a person must look at."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final

import msgspec

from telemetry.alarms.causes import Cause, CauseKey, cause_of, ended_by, lasts
from telemetry.model.alarm import Alarm, AlarmState
from telemetry.model.events import (
    AlarmAcknowledged,
    AlarmClosed,
    AlarmHandedOver,
    AlarmNumbered,
    AnyEvent,
    ArmedChanged,
    LandedChanged,
    LandedState,
    SosRaised,
)
from telemetry.model.unit import Unit

LOG_LENGTH: Final = 10_000
"""Changes that a client may ask again; who missed more takes the whole board."""
REMEMBERED_ALARMS: Final = 10_000
"""Alarms known by name, closed ones too, so that an event sent twice raises nothing twice."""
REMEMBERED_ENDS: Final = 50
"""Ended alarms of one device and kind whose re-sent beginnings are known again."""
ESCALATE_US: Final = 60_000_000
"""An alarm of priority 1 that nobody took in this time is escalated."""
STORED_US: Final = 60_000_000
"""An end that is older than this when it comes, and than the alarm, is an earlier one's."""
DAY_US: Final = 86_400_000_000
DAY_BEGINS_US: Final = 16 * 3_600_000_000
"""Numbers start again each day at midnight of China Standard Time (16:00 UTC)."""
UnitAt = Callable[[int, int], Unit | None]
"""Tells the unit for which a device spoke at a time: (device_id, at_us)."""


class _Ended(msgspec.Struct, frozen=True, kw_only=True):
    """When the device saw an alarm's cause begin and end; None: a person said that it is over."""

    observed_us: int
    end_observed_us: int | None


class AlarmBoard:
    """Alarms that are open, and a numbered log of every change of one.

    The same events in the same order make the same board: its time is that of the events and of `advance`. What depends on more
    than events (who was on duty when a link fell silent) is told by AlarmNumbered events, which a restart obeys. Events of
    recordings raise nothing.

    An alarm that is told again is the same: while it is open, and later where the device speaks of the same moment again or of one
    before its end (a page or terminal that sends what it had stored).
    """

    def __init__(self, unit_at: UnitAt) -> None:
        self._unit_at = unit_at
        self._alarms: OrderedDict[str, Alarm] = OrderedDict()
        self._open: dict[str, Alarm] = {}
        self._open_by_cause: dict[CauseKey, str] = {}
        self._ended: OrderedDict[CauseKey, deque[_Ended]] = OrderedDict()
        self._past: set[str] = set()
        self._numbered_now: list[AlarmNumbered] = []
        self._known: dict[str, AlarmNumbered] | None = None
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

    def begin_restore(self, events: Iterable[AnyEvent]) -> None:
        """Raise until `end_restore` only what these events say was raised, with the numbers that it had; calls for help always."""
        self._known = {}
        for event in events:
            if isinstance(event, AlarmNumbered):
                self._known.setdefault(event.alarm_id, event)

    def end_restore(self) -> None:
        """Go on with what comes now."""
        self._known = None
        self._numbered_now.clear()

    def take_numbered(self) -> tuple[AlarmNumbered, ...]:
        """Return what was raised since the last call, to be kept with its causes."""
        told = tuple(self._numbered_now)
        self._numbered_now.clear()
        return told

    def apply(self, event: AnyEvent) -> list[Alarm]:
        """Take one event; return the alarms that changed, in order."""
        changed = self.advance(event.received_us)
        if event.replayed:
            return changed
        match event:
            case ArmedChanged(armed=armed):
                self._flying[event.device_id] = (armed, armed and self._flight(event.device_id)[1])
            case LandedChanged(landed=landed):
                armed = self._flight(event.device_id)[0]
                self._flying[event.device_id] = (armed, landed is not LandedState.ON_GROUND)
            case AlarmNumbered():
                changed += self._raise_priority(event)
            case AlarmAcknowledged():
                changed += self._acknowledge(event)
            case AlarmHandedOver():
                changed += self._hand_over(event)
            case AlarmClosed():
                changed += self._close(event)
            case _:
                ended = ended_by(event)
                changed += self._raise(event) if ended is None else self._end(ended, event)
        return changed

    def advance(self, now_us: int) -> list[Alarm]:
        """Escalate what nobody took in time; return what changed."""
        due = [
            alarm
            for alarm_id in self._open_by_cause.values()
            if (alarm := self._alarms[alarm_id]).priority == 1
            and alarm.state is AlarmState.RAISED
            and alarm.escalated_us is None
            and alarm.alarm_id not in self._past
            and now_us - alarm.raised_us >= ESCALATE_US
        ]
        due.sort(key=lambda alarm: (alarm.raised_us, alarm.alarm_id))
        return [self._keep(alarm, escalated_us=alarm.raised_us + ESCALATE_US) for alarm in due]

    def _raise(self, event: AnyEvent) -> list[Alarm]:
        unit = None if self._known is not None else self._unit_at(event.device_id, event.received_us)
        cause = cause_of(event, unit, is_flying=any(self._flight(event.device_id)))
        if cause is None:
            return []
        open_id = self._open_by_cause.get(cause.key)
        if open_id is not None:
            return self._tell_again(self._alarms[open_id], cause, event)
        alarm_id = _name_of(cause.key, event.received_us)
        if alarm_id in self._alarms or self._was_told(cause.key, event) or self._is_unit_known(cause.key, unit):
            return []
        numbered = self._number(alarm_id, cause, event, unit)
        return [] if numbered is None else [self._begin(numbered, cause, event)]

    def _tell_again(self, alarm: Alarm, cause: Cause, event: AnyEvent) -> list[Alarm]:
        """Let an open alarm become more urgent by a later event of its cause."""
        if not cause.is_past:
            self._past.discard(alarm.alarm_id)
        if cause.priority >= alarm.priority or self._known is not None:
            return []
        self._numbered_now.append(
            AlarmNumbered(
                device_id=alarm.device_id,
                observed_us=event.observed_us,
                received_us=event.received_us,
                alarm_id=alarm.alarm_id,
                number=alarm.number,
                alarm=alarm.kind,
                priority=cause.priority,
                unit_id=alarm.unit_id,
            )
        )
        return [self._keep(alarm, priority=cause.priority)]

    def _raise_priority(self, event: AlarmNumbered) -> list[Alarm]:
        """Take from the past that an alarm became more urgent."""
        alarm = self._alarms.get(event.alarm_id)
        if self._known is None or alarm is None or event.priority >= alarm.priority:
            return []
        return [self._keep(alarm, priority=event.priority)]

    def _number(self, alarm_id: str, cause: Cause, event: AnyEvent, unit: Unit | None) -> AlarmNumbered | None:
        """Return what the alarm is called; None when the past says that it was not raised."""
        if self._known is not None and (alarm_id in self._known or not isinstance(event, SosRaised)):
            return self._known.get(alarm_id)
        numbered = AlarmNumbered(
            device_id=event.device_id,
            observed_us=event.observed_us,
            received_us=event.received_us,
            alarm_id=alarm_id,
            number=self._next_number(event.received_us),
            alarm=cause.key[0],
            priority=cause.priority,
            unit_id=unit.unit_id if unit else None,
        )
        self._numbered_now.append(numbered)
        return numbered

    def _begin(self, numbered: AlarmNumbered, cause: Cause, event: AnyEvent) -> Alarm:
        kind, device_id, geofence_id = cause.key
        self._count_from(numbered.received_us, numbered.number)
        self._open_by_cause[cause.key] = numbered.alarm_id
        if cause.is_past:
            self._past.add(numbered.alarm_id)
        return self._keep(
            Alarm(
                alarm_id=numbered.alarm_id,
                number=numbered.number,
                kind=kind,
                priority=numbered.priority,
                device_id=device_id,
                unit_id=numbered.unit_id,
                raised_us=event.received_us,
                text=cause.text,
                observed_us=event.observed_us,
                is_late=cause.is_late,
                code=cause.code,
                geofence_id=geofence_id or None,
            )
        )

    def _was_told(self, key: CauseKey, event: AnyEvent) -> bool:
        """Tell whether an event speaks again of an alarm that is over: of its very moment, or of one before its end."""
        return any(
            event.observed_us == ended.observed_us
            if ended.end_observed_us is None
            else ended.observed_us <= event.observed_us < ended.end_observed_us
            for ended in self._ended.get(key, ())
        )

    def _is_unit_known(self, key: CauseKey, unit: Unit | None) -> bool:
        """Tell whether another device of the unit raised the same about a geofence: one officer's two devices are one alarm."""
        kind, _, geofence_id = key
        if unit is None or not geofence_id:
            return False
        opened = (self._alarms[alarm_id] for alarm_id in self._open_by_cause.values())
        wanted = (kind, geofence_id, unit.unit_id)
        return any((alarm.kind, alarm.geofence_id, alarm.unit_id) == wanted for alarm in opened)

    def _flight(self, device_id: int) -> tuple[bool, bool]:
        return self._flying.get(device_id, (False, False))

    def _end(self, key: CauseKey, event: AnyEvent) -> list[Alarm]:
        open_id = self._open_by_cause.get(key)
        if open_id is None:
            return []
        alarm = self._alarms[open_id]
        if event.observed_us < alarm.observed_us and event.received_us - event.observed_us > STORED_US:
            return []  # the end of an earlier one, told late
        self._over(key, alarm, end_observed_us=event.observed_us)
        return [self._keep(alarm, state=AlarmState.ENDED, ended_us=event.received_us)]

    def _over(self, key: CauseKey, alarm: Alarm, *, end_observed_us: int | None) -> None:
        self._open_by_cause.pop(key, None)
        past = self._ended.setdefault(key, deque(maxlen=REMEMBERED_ENDS))
        past.append(_Ended(observed_us=alarm.observed_us, end_observed_us=end_observed_us))
        self._ended.move_to_end(key)
        if len(self._ended) > REMEMBERED_ALARMS:
            self._ended.popitem(last=False)

    def _acknowledge(self, event: AlarmAcknowledged) -> list[Alarm]:
        alarm = self._alarms.get(event.alarm_id)
        if alarm is None or alarm.acknowledged_us is not None:
            return []
        stays = lasts(alarm.kind, alarm.geofence_id) and alarm.ended_us is None
        if not stays and alarm.ended_us is None:
            self._over(_key_of(alarm), alarm, end_observed_us=None)
        kept = self._keep(
            alarm,
            state=AlarmState.ACKNOWLEDGED if stays else AlarmState.ENDED,
            ended_us=alarm.ended_us if stays or alarm.ended_us is not None else event.received_us,
            acknowledged_us=event.received_us,
            acknowledged_by=event.account_name,
            owner_id=event.account_id,
            owner=event.account_name,
        )
        return [kept]

    def _hand_over(self, event: AlarmHandedOver) -> list[Alarm]:
        alarm = self._alarms.get(event.alarm_id)
        if alarm is None or alarm.acknowledged_us is None or alarm.closed_by is not None:
            return []
        given = (event.account_id, event.account_name, event.note)
        if given == (alarm.owner_id, alarm.owner, alarm.note):
            return []
        return [self._keep(alarm, owner_id=event.account_id, owner=event.account_name, note=event.note)]

    def _close(self, event: AlarmClosed) -> list[Alarm]:
        alarm = self._alarms.get(event.alarm_id)
        if alarm is None or alarm.closed_by is not None:
            return []
        if alarm.ended_us is None:
            self._over(_key_of(alarm), alarm, end_observed_us=None)
        unseen = alarm.acknowledged_us is None
        kept = self._keep(
            alarm,
            state=AlarmState.ENDED,
            ended_us=event.received_us if alarm.ended_us is None else alarm.ended_us,
            acknowledged_us=event.received_us if unseen else alarm.acknowledged_us,
            acknowledged_by=event.account_name if unseen else alarm.acknowledged_by,
            owner_id=event.account_id if unseen else alarm.owner_id,
            owner=event.account_name if unseen else alarm.owner,
            note=event.note or alarm.note,
            closed_by=event.account_name,
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
            self._past.discard(closed)

    def _next_number(self, at_us: int) -> int:
        self._count_from(at_us, 0)
        self._numbered += 1
        return self._numbered

    def _count_from(self, at_us: int, number: int) -> None:
        """Go on with numbers behind `number` of the day of `at_us`; a new day begins with 1."""
        day = (at_us - DAY_BEGINS_US) // DAY_US
        if day != self._day:
            self._day, self._numbered = day, 0
        self._numbered = max(self._numbered, number)


def _key_of(alarm: Alarm) -> CauseKey:
    return alarm.kind, alarm.device_id, alarm.geofence_id or 0


def _name_of(key: CauseKey, received_us: int) -> str:
    kind, device_id, geofence_id = key
    place = f"-{geofence_id}" if geofence_id else ""
    return f"{kind.value}-{device_id}{place}-{received_us}"


def is_open(alarm: Alarm) -> bool:
    """Tell whether an alarm is still on the board: its cause lasts, or nobody has acknowledged it."""
    return alarm.ended_us is None or alarm.acknowledged_us is None


def first_event_us(now_us: int) -> int:
    """Return the time from which events must be folded, so that today's and yesterday's alarms keep their numbers."""
    return (now_us - DAY_BEGINS_US) // DAY_US * DAY_US + DAY_BEGINS_US - DAY_US
