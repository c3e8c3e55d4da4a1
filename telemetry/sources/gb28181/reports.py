"""What a registered device's documents give: rows, alarms, what it says of itself, and what it is answered."""

from typing import Final

from telemetry.model.batch import Quality
from telemetry.model.decoding import Promise, Registry, Reply
from telemetry.model.events import AlarmKind, DeviceAlarm, DeviceInfo, DeviceParameters, VideoChanged
from telemetry.sources.gb28181.alarms import read_alarm
from telemetry.sources.gb28181.catalogue import take_part
from telemetry.sources.gb28181.fixes import Fix, FixError, fixes_of, read_fix, read_time_us, row_of, with_bits
from telemetry.sources.gb28181.manscdp import Document, XmlError, read_document, text_of, write_document
from telemetry.sources.gb28181.names import PROTOCOL, is_platform
from telemetry.sources.gb28181.requests import Request, Writer
from telemetry.sources.gb28181.session import ALARMS, Session
from telemetry.sources.gb28181.sip import Sip
from telemetry.sources.gb28181.turn import Turn

STORED_US: Final = 60_000_000
"""An item so much older than its message was stored on the device before it was sent: by the device's own clock, whatever it is."""
_LENGTH: Final = int(Quality.LENGTH)
_ARCHIVE: Final = int(Quality.ARCHIVE)
_STATIC: Final = int(Quality.SECONDARY)
_NOT_TOLD: Final = frozenset({"CmdType", "SN", "DeviceID", "DeviceList", "Result", "SumNum"})
LONGEST_VALUE: Final = 120
STREAM_ENDED: Final = "121"


class Reports:
    """Reads documents for one source."""

    def __init__(self, registry: Registry, writer: Writer) -> None:
        self._registry = registry
        self._writer = writer

    def take(self, session: Session, request: Sip, now_us: int, turn: Turn) -> bool:
        """Take the body of a MESSAGE or a NOTIFY of a device whose registration holds; tell whether it can be read."""
        if not request.body.strip():
            has_length = bool(request.first("content-length"))
            return not request.first("content-type") or (request.method == "NOTIFY" and has_length)
        try:
            document = read_document(request.body)
        except XmlError:
            turn.bad["xml_bad"] += 1
            return False
        rows = len(turn.rows)
        self._read(session, document, now_us, turn)
        if request.is_miscounted and len(turn.rows) > rows:
            turn.bad["length_wrong"] += 1
            turn.rows[rows:] = [with_bits(row, _LENGTH) for row in turn.rows[rows:]]
        return True

    def take_alarm(self, session: Session, request: Sip, now_us: int, turn: Turn) -> None:
        """Take an alarm, and nothing else, from a registered device that speaks in a dialog of before our restart."""
        try:
            document = read_document(request.body)
        except XmlError:
            return
        if (document.root, document.command) == ("Notify", ALARMS):
            self._alarm(session, document, now_us, turn)

    def _read(self, session: Session, document: Document, now_us: int, turn: Turn) -> None:
        match document.root, document.command:
            case "Notify", "MobilePosition":
                self._positions(session, document, now_us, turn)
            case "Notify", "Alarm":
                self._alarm(session, document, now_us, turn)
            case "Notify", "Keepalive":
                self._alive(session, document, now_us, turn)
            case "Response", "Catalog":
                self._places(session, document, now_us, turn)
                take_part(session, document, now_us, turn)
            case "Response", "DeviceInfo" | "DeviceStatus":
                _tell_device(session, document, now_us, turn)
            case "Response", "ConfigDownload":
                _tell_parameters(session, document, now_us, turn)
            case "Notify", "MediaStatus":
                _stream_ended(session, document, now_us, turn)
            case ("Response", _) | ("Notify", "Catalog"):  # answered, and nothing that we keep
                pass
            case _:
                turn.bad["unknown_command"] += 1

    def _positions(self, session: Session, document: Document, now_us: int, turn: Turn) -> None:
        device = session.device
        utc_offset_s = device.options.utc_offset_s
        sent_us = None
        if document.element.find("DeviceList") is not None:
            sent_us = read_time_us(document.text("Time"), utc_offset_s=utc_offset_s)
        for fix in fixes_of(document, utc_offset_s=utc_offset_s):
            if isinstance(fix, FixError):
                turn.bad["position_bad"] += 1
            elif fix.lat_deg is None:
                turn.bad["position_without_fix"] += 1
            elif self._speaks_for(session, fix.device, turn):
                quality = _ARCHIVE if _was_stored(fix, sent_us) else 0
                turn.rows.append(
                    row_of(fix, device_id=device.device_id, options=device.options, now_us=now_us, quality=quality)
                )

    def _speaks_for(self, session: Session, address: str, turn: Turn) -> bool:
        """Tell whether a position is the device's own or one of its channels': never another enrolled device's.

        A platform's channels are in other places than it: they must register themselves.
        """
        mine = session.device.address
        if address in {mine, ""}:
            return True
        if self._registry.device(PROTOCOL, address) is not None:
            turn.bad["position_of_other"] += 1
            return False
        if is_platform(mine):
            turn.bad["position_of_channel"] += 1
            return False
        return True

    def _alarm(self, session: Session, document: Document, now_us: int, turn: Turn) -> None:
        device = session.device
        meaning = read_alarm(document, utc_offset_s=device.options.utc_offset_s)
        event = meaning.event(device.device_id, now_us)
        if event is None:
            turn.bad["analytics_ignored"] += 1
        else:
            turn.events.append(event)
            self._place_of_alarm(session, document, now_us, turn)
        turn.replies.append(Reply(self._answer_alarm(session, document), Promise.DURABLE))

    def _place_of_alarm(self, session: Session, document: Document, now_us: int, turn: Turn) -> None:
        device = session.device
        try:
            fix = read_fix(
                document.element,
                device=document.device,
                time=document.text("AlarmTime"),
                utc_offset_s=device.options.utc_offset_s,
            )
        except FixError:
            turn.bad["position_bad"] += 1
            return
        if fix.lat_deg is None:
            return
        turn.rows.append(row_of(fix, device_id=device.device_id, options=device.options, now_us=now_us))

    def _answer_alarm(self, session: Session, document: Document) -> bytes:
        """Return the MESSAGE that tells the device that its alarm was taken; it is not repeated by us.

        It is a promise, and leaves only when that is kept; a device that misses it sends the alarm again.
        """
        said = [("CmdType", ALARMS), ("SN", document.sn), ("DeviceID", document.device), ("Result", "OK")]
        request = Request(
            method="MESSAGE",
            to=self._writer.to_of(session.device.address),
            from_tag=self._writer.identifiers.make(),
            call_id=self._writer.identifiers.make(),
            cseq=1,
            body=write_document("Response", said),
        )
        return self._writer.write(session, request)[1]

    def _alive(self, session: Session, document: Document, now_us: int, turn: Turn) -> None:
        """Raise or end a fault when the device's own word of itself changes."""
        is_faulty = document.text("Status").upper() not in {"", "OK", "ON"}
        if is_faulty == session.is_faulty:
            return
        session.is_faulty = is_faulty
        turn.events.append(
            DeviceAlarm(
                device_id=session.device.device_id,
                observed_us=now_us,
                received_us=now_us,
                alarm=AlarmKind.DEVICE_FAULT,
                active=is_faulty,
                code="gb28181:keepalive",
                text=document.text("Status")[:LONGEST_VALUE],
            )
        )

    def _places(self, session: Session, document: Document, now_us: int, turn: Turn) -> None:
        """Keep where fixed posts say that they stand: one row a part, that never outdoes a position of the moment."""
        device = session.device
        for item in document.items():
            if text_of(item, "DeviceID") != device.address or not text_of(item, "Longitude"):
                continue
            try:
                fix = read_fix(item, device=device.address, time="", utc_offset_s=0)
            except FixError:
                continue
            if fix.lat_deg and fix.lon_deg:
                turn.rows.append(
                    row_of(fix, device_id=device.device_id, options=device.options, now_us=now_us, quality=_STATIC)
                )


def _was_stored(fix: Fix, sent_us: int | None) -> bool:
    return sent_us is not None and fix.observed_us is not None and sent_us - fix.observed_us > STORED_US


def _tell_device(session: Session, document: Document, now_us: int, turn: Turn) -> None:
    """Tell what a device says of itself, by the standard's names."""
    turn.events.append(
        DeviceInfo(
            device_id=session.device.device_id,
            observed_us=now_us,
            received_us=now_us,
            fields=_texts(document, ""),
        )
    )


def _tell_parameters(session: Session, document: Document, now_us: int, turn: Turn) -> None:
    turn.events.append(
        DeviceParameters(
            device_id=session.device.device_id,
            observed_us=now_us,
            received_us=now_us,
            values=_texts(document, "BasicParam"),
        )
    )


def _texts(document: Document, under: str) -> dict[str, str]:
    element = document.element.find(under) if under else document.element
    children = [] if element is None else list(element)
    return {
        child.tag[:LONGEST_VALUE]: child.text.strip()[:LONGEST_VALUE]
        for child in children
        if child.tag not in _NOT_TOLD and child.text and child.text.strip()
    }


def _stream_ended(session: Session, document: Document, now_us: int, turn: Turn) -> None:
    """End what a device says that it no longer sends; it says BYE as well, or not."""
    call = session.calls.get(document.device)
    if document.text("NotifyType") == STREAM_ENDED and call is not None:
        del session.calls[document.device]
        turn.events.append(
            VideoChanged(
                device_id=session.device.device_id, observed_us=now_us, received_us=now_us, channel=call.channel
            )
        )
