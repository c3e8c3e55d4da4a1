"""Dispatches to units whose officer looks at no page: a line of text on a device that can show one, and its receipt."""

from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from console.orders import CommandDesk
from console.sources import FieldBridge
from infra.clock import Clock
from mission.calls.incident import Dispatch, DispatchState, Incident, Urgency
from telemetry.downlink import Channel
from telemetry.model.commands import CommandState, SendText, tag_of
from telemetry.model.errors import InputError, NotFoundError
from telemetry.sources import find_taken_commands

DEAF_S: Final = 60.0
"""So long a device that could not be told anything is not tried again."""
PAGE_SILENT_US: Final = 10_000_000
"""After so long without a page's receipt the unit's devices are told too: the phone may lie in a drawer."""
BY: Final = "dispatch"
_WAITING: Final = frozenset({DispatchState.QUEUED, DispatchState.SENT})
_TEXT: Final = tag_of(SendText)
_WORDS: Final = {
    "mavlink": "{number} P{urgency}: answer the centre",
    "": "{number} P{urgency} 指挥中心派警，请应答",
}
"""No place and no name over such a link; what is built into vehicles and worn speaks Chinese."""


class Receipt(msgspec.Struct, frozen=True):
    """A device says that it has shown a dispatch, since when (UTC microseconds)."""

    dispatch_id: int
    at_us: int
    channel: str


class DeviceTexts:
    """Channels of the downlink to devices that can show text: open while a dispatch waits for one, each used once a dispatch."""

    def __init__(self, bridge: FieldBridge, orders: CommandDesk, clock: Clock) -> None:
        self._bridge = bridge
        self._orders = orders
        self._clock = clock
        self._protocols = {protocol for protocol, taken in find_taken_commands().items() if _TEXT in taken}
        self._deaf_until_s: dict[int, float] = {}
        self._told: dict[int, tuple[int, str]] = {}
        """The command by which each dispatch was told, and its channel."""
        self._receipted: set[int] = set()

    def channels(self, live: Iterable[tuple[Incident, Dispatch]], units_with_page: Collection[int]) -> list[Channel]:
        """Return the channels that should be open now: to devices of units that wait and that no page serves."""
        live = list(live)
        live_ids = {sent.dispatch_id for _, sent in live}
        self._told = {dispatch_id: told for dispatch_id, told in self._told.items() if dispatch_id in live_ids}
        self._receipted &= live_ids
        now_us, now_s = self._clock.now_us(), self._clock.monotonic_s()
        waiting = {
            sent.unit_id
            for _, sent in live
            if sent.state in _WAITING and sent.dispatch_id not in self._told
            if sent.unit_id not in units_with_page or now_us - sent.queued_us >= PAGE_SILENT_US
        }
        if not waiting:
            return []
        registry = self._bridge.registry
        return [
            Channel(channel_id=-device.device_id, unit_id=unit_id, name=f"{device.protocol} text", acknowledges=False)
            for device in registry.devices.values()
            if device.protocol in self._protocols and not device.revoked
            if self._deaf_until_s.get(device.device_id, now_s) <= now_s
            if (unit_id := registry.unit_of(device.device_id, now_us)) in waiting and unit_id is not None
        ]

    def send(self, incident: Incident, dispatch_id: int, channel: Channel) -> bool:
        """Show a dispatch on a device; False when it cannot be told now."""
        device_id, protocol = -channel.channel_id, channel.name.partition(" ")[0]
        words = _WORDS.get(protocol, _WORDS[""])
        text = SendText(
            device_id=device_id,
            text=words.format(number=incident.number, urgency=int(incident.urgency)),
            is_spoken=True,
            is_urgent=incident.urgency is Urgency.ONE,
        )
        try:
            command_id = self._orders.tell(text, channel.unit_id, BY)
        except (NotFoundError, InputError):
            self._deaf_until_s[device_id] = self._clock.monotonic_s() + DEAF_S
            return False
        self._told[dispatch_id] = (command_id, channel.name)
        return True

    def receipts(self) -> list[Receipt]:
        """Return the dispatches that devices say they have shown, each once."""
        found = []
        for dispatch_id, (command_id, channel) in self._told.items():
            order = self._bridge.orders.of(command_id)
            if order is None or order.state is not CommandState.DELIVERED or dispatch_id in self._receipted:
                continue
            self._receipted.add(dispatch_id)
            found.append(Receipt(dispatch_id, order.ended_us or self._clock.now_us(), channel))
        return found

    def untold(self, dispatch_id: int) -> None:
        """Say that a receipt could not be written down: it is told again."""
        self._receipted.discard(dispatch_id)
