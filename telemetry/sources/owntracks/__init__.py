"""OwnTracks: phones that publish their place to an MQTT broker, or post it over HTTP with a token."""

from collections import Counter, OrderedDict
from typing import Final

import msgspec

from telemetry.model.commands import Command, RequestPosition, SetReportInterval
from telemetry.model.decoding import NOTHING, Output, Peer, Promise, Reply, SourceContext
from telemetry.model.enrolment import EnrolmentRule, SecretKind
from telemetry.model.errors import InputError, NotFoundError
from telemetry.model.events import AnyEvent, DeviceInfo
from telemetry.model.fix import as_options_say, as_read
from telemetry.model.mqtt_packet import DISCONNECT, Publication, encode_puback, encode_publish, parse_publish
from telemetry.model.phone import PhoneAnswer, PhoneFix, PhoneRequest, output_of
from telemetry.model.reading import Read, ReadError, ReadMessage
from telemetry.model.unit import Device
from telemetry.sources.owntracks.message import JsonError, Message, decode_message, topic_of

PROTOCOL: Final = "owntracks"
ENROLMENT: Final = EnrolmentRule(
    protocol=PROTOCOL,
    secret=SecretKind.NONE,
    form=r"[^/+#\x00-\x1f]{1,64}/[^/+#\x00-\x1f]{1,64}",
    example="lihua/phone",
    said="USER/DEVICE of its MQTT topic owntracks/USER/DEVICE (over HTTP a phone's token serves: enrol it as phone)",
)
TAKES: Final = frozenset({RequestPosition, SetReportInterval})
TOPIC: Final = "owntracks/+/+"
"""What the apps publish their places to."""
ANSWER: Final = PhoneAnswer(content_type="application/json", body=b"[]")
"""What the app expects over HTTP: a list of objects for it, of which we have none."""
SUB_TOPICS: Final = frozenset(
    {"beacon", "cmd", "dump", "event", "info", "lwt", "request", "status", "step", "waypoint", "waypoints"}
)
TOPICS_KNOWN: Final = 10_000
INFO_FIELDS: Final = ("name", "tid")


def recognises(request: PhoneRequest) -> bool:
    """Tell whether the body is an object with a `_type`."""
    return request.body.lstrip()[:1] == b"{" and b'"_type"' in request.body and _has_type(request.body)


def decode_request(request: PhoneRequest) -> list[PhoneFix]:
    """Return the report of a body; none for an object that is no location. Raises InputError: what, value, allowed."""
    message = decode_message(request.body)
    if message.kind == "encrypted":
        raise InputError(
            "the payload is encrypted: leave the app's secret empty and use https, which encrypts all of it"
        )
    return [] if message.fix is None else [message.fix]


class _Typed(msgspec.Struct):
    type_: str = msgspec.field(name="_type")


def _has_type(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=_Typed)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def address_of_topic(topic: str) -> str | None:
    """Return USER/DEVICE of a topic, whatever stands before them and whichever of the app's sub-topics behind."""
    levels = topic.split("/")
    if len(levels) > 3 and levels[-1] in SUB_TOPICS:
        levels.pop()
    return "/".join(levels[-2:]) if len(levels) >= 3 and levels[-2] and levels[-1] else None


class OwnTracksSource:
    """What the phones of one broker share: the topics by which they are reached."""

    def __init__(self, context: SourceContext) -> None:
        self._context = context
        self._topics: OrderedDict[int, str] = OrderedDict()

    def decoder(self, peer: Peer) -> "OwnTracksDecoder":
        """Return a decoder for one broker."""
        del peer
        return OwnTracksDecoder(self._context, self._topics)


class OwnTracksDecoder:
    """One broker. It is fed one MQTT PUBLISH packet at a time and promises to keep it by a durable PUBACK.

    The broker vouches for the topics' names (its access list). What cannot be read is acknowledged too, and counted: it would
    come again for ever. When the journal cannot keep something we hang up: the broker sends it again when we come back.
    """

    def __init__(self, context: SourceContext, topics: OrderedDict[int, str]) -> None:
        self._context = context
        self._topics = topics

    def feed(self, data: bytes, now_us: int) -> Output:
        """Take one PUBLISH packet."""
        bad: Counter[str] = Counter()
        try:
            publication = parse_publish(data)
        except InputError:
            return Output(bad={"framing": 1})
        heard = self._heard(publication, bad, now_us)
        replies: tuple[Reply, ...] = ()
        if publication.packet_id:
            puback = encode_puback(publication.packet_id)
            replies = (Reply(data=puback, promise=Promise.DURABLE, refusal=DISCONNECT),)
        return msgspec.structs.replace(heard, replies=replies, bad={**heard.bad, **bad})

    def tick(self, now_us: int) -> Output:
        """Do nothing: the broker keeps the time of its connections."""
        del now_us
        return NOTHING

    def send(self, command: Command, now_us: int) -> Output:
        """Ask a phone for its place or for another interval; its app obeys where its owner allowed remote commands.

        Raises NotFoundError for a phone not heard by this broker, InputError for another command.
        """
        del now_us
        topic = self._topics.get(command.device_id)
        if topic is None:
            raise NotFoundError(f"device {command.device_id} was not heard by this broker: wait for its first report")
        body = msgspec.json.encode(_command_body(command))
        return Output(replies=(Reply(data=encode_publish(Publication(topic=f"{topic}/cmd", payload=body))),))

    def _heard(self, publication: Publication, bad: Counter[str], now_us: int) -> Output:
        address = address_of_topic(publication.topic)
        if address is None:
            bad["topic"] += 1
            return NOTHING
        if publication.topic.endswith("/cmd") or not publication.payload:
            return NOTHING
        device = self._context.registry.device(PROTOCOL, address)
        if device is None or device.revoked:
            reason = "unknown" if device is None else "revoked"
            self._context.registry.quarantine(PROTOCOL, address, now_us, reason)
            bad["unknown_device"] += 1
            return NOTHING
        try:
            message = decode_message(publication.payload)
        except InputError as error:
            bad["json" if isinstance(error, JsonError) else "value"] += 1
            return NOTHING
        self._remember(device.device_id, publication.topic, address)
        return self._said(device, message, publication, bad, now_us)

    def _said(
        self, device: Device, message: Message, publication: Publication, bad: Counter[str], now_us: int
    ) -> Output:
        if message.fix is not None:
            fix = as_options_say(message.fix, device.options)
            if publication.is_retained:
                fix = msgspec.structs.replace(fix, is_archive=True)
            return output_of([(device.device_id, fix)], now_us)
        if message.kind == "encrypted":
            bad["encrypted"] += 1
        if message.kind == "card":
            return Output(events=_card(device.device_id, message, now_us))
        return NOTHING

    def _remember(self, device_id: int, topic: str, address: str) -> None:
        self._topics[device_id] = topic[: topic.index(address) + len(address)]
        self._topics.move_to_end(device_id)
        if len(self._topics) > TOPICS_KNOWN:
            self._topics.popitem(last=False)


def open_source(context: SourceContext) -> OwnTracksSource:
    """Return the source of one broker."""
    return OwnTracksSource(context)


def _card(device_id: int, message: Message, now_us: int) -> tuple[AnyEvent, ...]:
    told = {name: str(message.fields[name])[:200] for name in INFO_FIELDS if isinstance(message.fields.get(name), str)}
    return (DeviceInfo(device_id=device_id, observed_us=now_us, received_us=now_us, fields=told),) if told else ()


def _command_body(command: Command) -> dict[str, object]:
    match command:
        case RequestPosition():
            return {"_type": "cmd", "action": "reportLocation"}
        case SetReportInterval(interval_s=interval_s):
            if not 1 <= interval_s <= 3600:
                raise InputError(f"report interval {interval_s} s: give 1 .. 3600 s")
            told = {
                "_type": "configuration",
                "locatorInterval": round(interval_s),
                "moveModeLocatorInterval": round(interval_s),
            }
            return {"_type": "cmd", "action": "setConfiguration", "configuration": told}
        case _:
            raise InputError(f"OwnTracks has no {type(command).__name__}: ask for the position or another interval")


def _device_of(said: Message) -> str | None:
    """Return USER/DEVICE where a message names its topic (over HTTP), else the two letters that its owner chose."""
    topic, letters = topic_of(said.fields), said.fields.get("tid")
    address = None if topic is None else address_of_topic(topic)
    return address or (letters if isinstance(letters, str) and letters else None)


class OwnTracksReader:
    """Reads OwnTracks' objects one by one."""

    def split(self, data: bytes) -> list[bytes]:
        """Return the lines that are not empty."""
        return [line for line in data.splitlines() if line.strip()]

    def read(self, message: bytes) -> list[Read]:
        """Return what one object says."""
        try:
            said = decode_message(message)
        except InputError as error:
            return [ReadError(error=str(error), code="json" if isinstance(error, JsonError) else "value")]
        device = _device_of(said)
        if said.fix is None:
            return [ReadMessage(message=said.kind, device=device)]
        return [as_read(said.fix, device)]


def message_reader(*, utc_offset_s: int) -> OwnTracksReader:
    """Return a reader; OwnTracks counts seconds since 1970, whatever the zone."""
    del utc_offset_s
    return OwnTracksReader()
