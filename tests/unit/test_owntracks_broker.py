"""OwnTracks by MQTT: packets in, rows and acknowledgements out; by HTTP: what is a report and what is not."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.model.batch import Quality
from telemetry.model.commands import ConfirmAlarm, RequestPosition, SetReportInterval
from telemetry.model.decoding import Output, Peer, Promise, SourceContext
from telemetry.model.errors import InputError, NotFoundError
from telemetry.model.events import AlarmKind, DeviceInfo
from telemetry.model.mqtt_packet import (
    DISCONNECT,
    Publication,
    acknowledged_id,
    encode_puback,
    encode_publish,
    parse_publish,
)
from telemetry.model.phone import PhoneRequest
from telemetry.model.unit import Device, DeviceOptions
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.sources import owntracks
from telemetry.sources.owntracks import OwnTracksDecoder, address_of_topic

NOW_US = 1_790_000_100_000_000
PLACE = {
    "_type": "location",
    "lat": 36.06,
    "lon": 103.83,
    "tst": 1_790_000_001,
    "acc": 8,
    "vel": 36,
    "cog": 271,
    "alt": 1520,
    "batt": 46,
}


class Scene:
    """A broker's decoder with one phone enrolled."""

    def __init__(self, crs: str = "wgs84") -> None:
        device = Device(device_id=7, protocol="owntracks", address="lihua/phone", options=DeviceOptions(crs=crs))
        self.registry = RegistryTable(RegistryContents(devices=(device,)))
        source = owntracks.open_source(SourceContext(registry=self.registry, link_group="city"))
        self.decoder: OwnTracksDecoder = source.decoder(Peer(transport="mqtt", host="broker"))

    def hear(
        self, payload: object, *, topic: str = "owntracks/lihua/phone", packet_id: int = 5, retained: bool = False
    ) -> Output:
        data = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
        told = Publication(topic=topic, payload=data, packet_id=packet_id, is_retained=retained)
        return self.decoder.feed(encode_publish(told), NOW_US)


def test_a_place_becomes_a_row_and_is_promised_to_be_kept() -> None:
    output = Scene().hear(PLACE)
    (row,) = output.batch
    assert (row["device_id"], row["observed_us"], row["received_us"]) == (7, 1_790_000_001_000_000, NOW_US)
    assert (row["lat_e7"], row["lon_e7"], row["alt_msl_dm"]) == (360_600_000, 1_038_300_000, 15_200)
    assert (row["speed_cmps"], row["course_ddeg"], row["accuracy_dm"], row["battery_pct"]) == (1000, 2710, 80, 46)
    (reply,) = output.replies
    assert (reply.data, reply.promise, reply.refusal) == (encode_puback(5), Promise.DURABLE, DISCONNECT)
    assert Scene().hear(PLACE, packet_id=0).replies == ()


def test_what_the_broker_kept_for_those_who_come_later_is_marked_as_old() -> None:
    assert Scene().hear(PLACE, retained=True).batch["quality"].tolist() == [Quality.ARCHIVE]


@pytest.mark.parametrize(
    ("payload", "bad"),
    [
        (b"{", {"json": 1}),
        ({"_type": "location", "lat": 91, "lon": 1}, {"value": 1}),
        ({"_type": "location", "lon": 1}, {"value": 1}),
        ({**PLACE, "tst": True}, {"value": 1}),
        ({"_type": "moon"}, {"value": 1}),
        ({"_type": "encrypted", "data": "AAAA"}, {"encrypted": 1}),
        ({"_type": "lwt", "tst": 1}, {}),
        ({"_type": "transition", "event": "enter", "lat": 1, "lon": 2, "tst": 3}, {}),
        ({"_type": "waypoint", "desc": "home"}, {}),
        ({"_type": "status"}, {}),
        (b"", {}),
    ],
)
def test_what_is_no_place_is_acknowledged_and_moves_nobody(payload: object, bad: dict[str, int]) -> None:
    output = Scene().hear(payload)
    assert len(output.batch) == 0
    assert output.bad == bad
    assert [reply.data for reply in output.replies] == [encode_puback(5)]


def test_a_wrong_optional_value_costs_only_itself() -> None:
    output = Scene().hear({**PLACE, "vel": "fast", "batt": 300, "cog": -1, "acc": 0})
    assert output.bad == {"ignored_values": 2}
    assert len(output.batch) == 1


def test_a_card_tells_its_name() -> None:
    (event,) = Scene().hear({"_type": "card", "name": "Li Hua", "tid": "LH", "face": "AAAA"}).events
    assert isinstance(event, DeviceInfo)
    assert event.fields == {"name": "Li Hua", "tid": "LH"}


def test_who_is_not_enrolled_goes_to_quarantine() -> None:
    scene = Scene()
    output = scene.hear(PLACE, topic="owntracks/stranger/phone")
    assert output.bad == {"unknown_device": 1}
    assert len(output.replies) == 1
    assert [(entry.protocol, entry.address) for entry in scene.registry.quarantined()] == [
        ("owntracks", "stranger/phone")
    ]
    assert scene.hear(PLACE, topic="phone").bad == {"topic": 1}
    assert scene.decoder.feed(b"\x30\x05ab", NOW_US).bad == {"framing": 1}


@pytest.mark.parametrize(
    ("topic", "address"),
    [
        ("owntracks/lihua/phone", "lihua/phone"),
        ("city/owntracks/lihua/phone", "lihua/phone"),
        ("owntracks/lihua/phone/event", "lihua/phone"),
        ("owntracks/lihua/phone/info", "lihua/phone"),
        ("owntracks/lihua", None),
        ("owntracks//phone", None),
        ("", None),
    ],
)
def test_a_topic_names_user_and_device(topic: str, address: str | None) -> None:
    assert address_of_topic(topic) == address


def test_a_phone_is_asked_by_its_own_topic() -> None:
    scene = Scene()
    with pytest.raises(NotFoundError, match="not heard"):
        scene.decoder.send(RequestPosition(device_id=7), NOW_US)
    scene.hear(PLACE, topic="city/owntracks/lihua/phone")
    (ask,) = scene.decoder.send(RequestPosition(device_id=7), NOW_US).replies
    told = parse_publish(ask.data)
    assert told.topic == "city/owntracks/lihua/phone/cmd"
    assert msgspec.json.decode(told.payload) == {"_type": "cmd", "action": "reportLocation"}
    (faster,) = scene.decoder.send(SetReportInterval(device_id=7, interval_s=5), NOW_US).replies
    assert msgspec.json.decode(parse_publish(faster.data).payload)["configuration"]["locatorInterval"] == 5
    for wrong in (SetReportInterval(device_id=7, interval_s=0.2), ConfirmAlarm(device_id=7, alarm=AlarmKind.SOS)):
        with pytest.raises(InputError):
            scene.decoder.send(wrong, NOW_US)


def test_coordinates_of_another_datum_are_shifted() -> None:
    (row,) = Scene(crs="gcj02").hear(PLACE).batch
    assert 1_000 < abs(int(row["lat_e7"]) - 360_600_000) < 100_000


def test_over_http_the_dialect_is_known_by_its_type() -> None:
    def request(body: bytes) -> PhoneRequest:
        return PhoneRequest(method="POST", query="u=lihua&d=phone", content_type="application/json", body=body)

    ours = request(msgspec.json.encode(PLACE))
    assert owntracks.recognises(ours)
    assert owntracks.decode_request(ours)[0].lat_deg == 36.06
    assert owntracks.decode_request(request(b'{"_type":"lwt","tst":1}')) == []
    with pytest.raises(InputError, match="encrypted"):
        owntracks.decode_request(request(b'{"_type":"encrypted","data":"x"}'))
    for other in (
        b"",
        b"{",
        b"[1]",
        b'{"device_id":"a","location":{}}',
        b'{"x":"\\"_type\\""}',
        b'{"a":{"_type":"location"}}',
    ):
        assert not owntracks.recognises(request(other)), other


@given(
    st.text(max_size=300).filter(lambda text: len(text.encode("utf-8", "replace")) < 60_000 and text.isprintable()),
    st.binary(max_size=20_000),
    st.integers(0, 65_535),
    st.booleans(),
)
def test_a_packet_is_read_as_it_was_written(topic: str, payload: bytes, packet_id: int, retained: bool) -> None:
    told = Publication(topic=topic, payload=payload, packet_id=packet_id, is_retained=retained)
    assert parse_publish(encode_publish(told)) == told
    assert acknowledged_id(encode_puback(packet_id)) == packet_id


@given(st.binary(max_size=60))
def test_no_bytes_break_the_packets(data: bytes) -> None:
    scene = Scene()
    assert len(scene.decoder.feed(data, NOW_US).batch) == 0
