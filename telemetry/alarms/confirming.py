"""Alarms that a person has taken are confirmed to their devices: at once where they are reached, else when they come back."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from telemetry.model.alarm import Alarm
from telemetry.model.commands import Command, ConfirmAlarm
from telemetry.model.errors import InputError, NotFoundError
from telemetry.model.events import AlarmKind

WAITING_AT_MOST: Final = 10_000

Send = Callable[[Command, int], None]
"""Sends a command to a device. Raises NotFoundError when nobody hears it, InputError when its protocol has no such thing."""


class Confirmations:
    """Confirmations that devices still have to be given, by device; the oldest is forgotten when there are far too many."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: OrderedDict[tuple[int, AlarmKind], None] = OrderedDict()

    def __len__(self) -> int:
        """Return how many wait for their devices."""
        return len(self._waiting)

    def confirm(self, alarm: Alarm, now_us: int) -> None:
        """Tell the alarm's device that a person has taken it, now or when it comes back."""
        self._waiting[alarm.device_id, alarm.kind] = None
        if len(self._waiting) > WAITING_AT_MOST:
            self._waiting.popitem(last=False)
        self.retry(alarm.device_id, now_us)

    def retry(self, device_id: int, now_us: int) -> None:
        """Tell a device that is reached (again) what it still has to be told."""
        for key in [key for key in self._waiting if key[0] == device_id]:
            try:
                self._send(ConfirmAlarm(device_id=device_id, alarm=key[1]), now_us)
            except NotFoundError:
                return
            except InputError:  # its protocol cannot be told of alarms
                pass
            del self._waiting[key]
