"""What each device said of itself last: who is on board, its maker and settings, its video; a pure fold over events."""

from typing import Final

import msgspec

from telemetry.model.events import (
    AnyEvent,
    DeviceInfo,
    DeviceParameters,
    OfficerOnBoard,
    VendorData,
    VideoChanged,
    ZoneWrong,
)

FIELDS_AT_MOST: Final = 200
"""So many fields of a kind are kept of one device: no honest one has more."""
LONGEST_TEXT_CHARACTERS: Final = 500
DEVICES_AT_MOST: Final = 100_000


class OnBoard(msgspec.Struct, frozen=True, kw_only=True):
    """Whose card is in a vehicle's reader, since when (UTC microseconds)."""

    name: str
    agency: str
    since_us: int


class DeviceSaid(msgspec.Struct, frozen=True, kw_only=True):
    """A device's own words; empty or None is what it never said. `zone_offset_s`: its clock's time zone is wrong by so much."""

    device_id: int
    info: dict[str, str] = msgspec.field(default_factory=dict)
    parameters: dict[str, str] = msgspec.field(default_factory=dict)
    parameters_us: int | None = None
    vendor: dict[str, str] = msgspec.field(default_factory=dict)
    video: dict[str, str] = msgspec.field(default_factory=dict)
    """Where to watch each channel that is open."""
    on_board: OnBoard | None = None
    zone_offset_s: float | None = None


class DeviceBook:
    """The last word of every device that ever said something of itself."""

    def __init__(self) -> None:
        self._said: dict[int, DeviceSaid] = {}

    def of(self, device_id: int) -> DeviceSaid:
        """Return what a device said, an empty record where it said nothing."""
        return self._said.get(device_id) or DeviceSaid(device_id=device_id)

    def apply(self, event: AnyEvent) -> None:
        """Take what an event says of its device; other events are passed over."""
        if not isinstance(event, _TOLD):
            return
        if event.device_id not in self._said and len(self._said) >= DEVICES_AT_MOST:
            return
        self._said[event.device_id] = said_after(self.of(event.device_id), event)


_TOLD: Final = (DeviceInfo, DeviceParameters, VendorData, VideoChanged, OfficerOnBoard, ZoneWrong)


def said_after(said: DeviceSaid, event: AnyEvent) -> DeviceSaid:
    """Return a device's record after one event."""
    match event:
        case DeviceInfo(fields=fields):
            return msgspec.structs.replace(said, info=_joined(said.info, fields))
        case DeviceParameters(values=values):
            joined = _joined(said.parameters, values)
            return msgspec.structs.replace(said, parameters=joined, parameters_us=event.received_us)
        case VendorData(items=items):
            return msgspec.structs.replace(said, vendor=_joined(said.vendor, items))
        case VideoChanged(channel=channel, url=url):
            others = {known: where for known, where in said.video.items() if known != channel}
            return msgspec.structs.replace(said, video=_joined(others, {channel: url}) if url else others)
        case OfficerOnBoard(present=True, name=name, agency=agency):
            on_board = OnBoard(name=_cut(name), agency=_cut(agency), since_us=event.observed_us)
            return msgspec.structs.replace(said, on_board=on_board)
        case OfficerOnBoard():
            return msgspec.structs.replace(said, on_board=None)
        case ZoneWrong(offset_s=offset_s):
            return msgspec.structs.replace(said, zone_offset_s=offset_s or None)
        case _:
            return said


def _joined(known: dict[str, str], told: dict[str, str]) -> dict[str, str]:
    joined = known | {_cut(name): _cut(value) for name, value in told.items()}
    return dict(list(joined.items())[-FIELDS_AT_MOST:])


def _cut(text: str) -> str:
    return text[:LONGEST_TEXT_CHARACTERS]
