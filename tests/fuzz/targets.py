"""What is fuzzed: each decoder and reader with its seeds, made in code, and what must hold whatever the bytes are."""

import json
import struct
from collections.abc import Callable, Iterable
from functools import cache
from typing import Final

import msgspec
from fastcrc.crc16 import mcrf4xx

from console.commands.decode import line_of
from infra.journal_segment import encode_frame, scan_frames
from telemetry.model.batch import REPORT, UNKNOWN_I4, new_batch
from telemetry.model.decoding import Output, Peer, SourceContext
from telemetry.model.errors import InputError
from telemetry.model.events import DeviceInfo, SosRaised, decode_event, encode_event
from telemetry.model.mqtt_packet import Publication, encode_publish
from telemetry.model.phone import PhoneRequest, output_of
from telemetry.model.phone_reading import request_of
from telemetry.model.reading import MessageReader
from telemetry.model.unit import Device
from telemetry.recording.journal_records import KIND_BATCH, KIND_EVENT, decode_runs
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.sources import find_link_sources, find_phone_sources, find_readers
from telemetry.sources.jt808.frame import escape, unescape, xor_of
from telemetry.sources.jt808.terminal import Edition, Terminal
from telemetry.sources.mavlink.tables import MESSAGES
from tests import gb28181_scene, jt808_scene
from tests.fuzz.plan_targets import SOURCES
from tests.mavlink_scene import Drone

NOW_US: Final = 1_790_000_000_000_000
EPOCH: Final = 1_790_000_000_000_000
PIECES: Final = (1 << 20, 13)
"""Each input is fed at once and in pieces of so many bytes."""
LATEST_LAT_E7: Final = 900_000_000
PLACE: Final = {
    "lat": 36.06,
    "lon": 103.83,
    "tst": 1_790_000_000,
    "acc": 8,
    "vel": 36,
    "cog": 271,
    "alt": 1520,
    "batt": 46,
}


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that takes bytes. `run` raises AssertionError, or whatever a decoder raises, when something is wrong."""

    name: str
    seeds: Callable[[], list[bytes]]
    run: Callable[[bytes], None]


def check_output(output: Output) -> None:
    """Raise AssertionError unless it can be stored and sent."""
    assert output.batch.dtype == REPORT
    lat_e7 = output.batch["lat_e7"]
    assert ((abs(lat_e7.astype("i8")) <= LATEST_LAT_E7) | (lat_e7 == UNKNOWN_I4)).all()
    assert (output.batch["battery_pct"] <= 100).all()
    for event in output.events:
        assert decode_event(encode_event(event)) == event
    assert all(isinstance(reply.data, bytes) for reply in output.replies)
    assert all(count >= 0 for count in output.bad.values())


def check_reader(name: str, data: bytes) -> None:
    """Raise AssertionError unless every message of the bytes is told in a line of JSON."""
    reader: MessageReader = find_readers()[name](utc_offset_s=28_800)
    whole = getattr(reader, "whole_bytes", len)(data)
    assert 0 <= whole <= len(data)
    for index, message in enumerate([*reader.split(data), data]):
        said = reader.read(message)
        assert said
        assert all(json.loads(line_of(one, index))["message_index"] == index for one in said)


@cache
def _registry() -> RegistryTable:
    names = [
        ("mavlink", "g/1"),
        ("jt808", jt808_scene.PHONE),
        ("gb28181", gb28181_scene.CAMERA),
        ("nmea", "g"),
        ("gpsd", "g"),
    ]
    names += [("owntracks", "lihua/phone")]
    devices = tuple(Device(device_id=at, protocol=name, address=place) for at, (name, place) in enumerate(names, 1))
    secrets = {2: jt808_scene.CODE.encode(), 3: gb28181_scene.PASSWORD.encode()}
    return RegistryTable(RegistryContents(devices=devices, secrets=secrets))


def _feed(name: str, data: bytes) -> None:
    """Feed a decoder of strangers and one of the raw log, at once and in pieces."""
    options = gb28181_scene.OPTIONS if name == "gb28181" else {}
    for is_trusted in (False, True):
        for piece in PIECES:
            context = SourceContext(registry=_registry(), link_group="g", options=options, process_secret=bytes(32))
            peer = Peer(transport="tcp", host="10.1.2.3", port=5060, allow_unsigned=True, is_trusted=is_trusted)
            decoder = find_link_sources()[name](context).decoder(peer)
            for at in range(0, len(data), piece):
                check_output(decoder.feed(data[at : at + piece], NOW_US + at))
            check_output(decoder.tick(NOW_US + 60_000_000))


def _link_target(name: str, seeds: Callable[[], list[bytes]], seal: Callable[[bytes], bytes]) -> Target:
    """Return a target whose input is taken as it comes, and once more with the right sum, length or envelope around it."""

    def run(data: bytes) -> None:
        for stream in (data, seal(data)):
            _feed(name, stream)
            if name in find_readers():
                check_reader(name, stream)

    return Target(name=name, seeds=seeds, run=run)


def _jt808_seeds() -> list[bytes]:
    frames: list[bytes] = []
    for edition in Edition:
        terminal = Terminal(jt808_scene.PHONE, edition=edition, code=jt808_scene.CODE)
        fix = jt808_scene.fix_at()
        frames += [terminal.connect(), terminal.register().data, terminal.heartbeat().data, terminal.logout().data]
        frames += [terminal.position(fix).data, terminal.batch([fix, fix], archive=True).data]
    return [*frames, *(unescape(frame[1:-1])[:-1] for frame in frames)]


def _jt808_seal(data: bytes) -> bytes:
    return b"\x7e" + escape(data + bytes([xor_of(data)])) + b"\x7e"


def _mavlink_seeds() -> list[bytes]:
    drone = Drone()
    frames = [frame for tick in range(11) for frame in drone.frames_at(tick, NOW_US + tick * 100_000)]
    handled = (0, 1, 2, 24, 30, 33, 42, 46, 74, 109, 147, 235, 245, 253, 340, 12901)
    return [b"".join(frames[:40]), *(struct.pack("<H", msg_id) + bytes(range(40)) for msg_id in handled)]


def _mavlink_seal(data: bytes) -> bytes:
    """Take two bytes for the message's number and the rest for its payload."""
    heartbeat, numbers = b"\0\0\0\0\x02\x03\xd1\x04\x03", sorted(MESSAGES)
    told = int.from_bytes(data[:2], "little")
    chosen = told if told in MESSAGES else numbers[told % len(numbers)]
    return _mavlink_frame(0, heartbeat) + _mavlink_frame(chosen, data[2:257] or b"\0")


def _mavlink_frame(msg_id: int, payload: bytes) -> bytes:
    head = bytes([len(payload), 0, 0, 1, 1, 1]) + msg_id.to_bytes(3, "little")
    crc = mcrf4xx(head + payload + bytes([MESSAGES[msg_id].crc_extra]))
    return b"\xfd" + head + payload + crc.to_bytes(2, "little")


def _gb28181_seeds() -> list[bytes]:
    scene = gb28181_scene.Scene()
    bodies = [gb28181_scene.message(body) for body in _documents()]
    return [*_documents(), *bodies, *scene.camera.start(NOW_US), gb28181_scene.message(method="NOTIFY"), b"\r\n\r\n"]


def _documents() -> list[bytes]:
    head = '<?xml version="1.0" encoding="GB2312"?>\n'
    place = "<Longitude>103.83</Longitude><Latitude>36.06</Latitude>"
    said = f"<SN>1</SN><DeviceID>{gb28181_scene.CAMERA}</DeviceID>"
    fix = f"<Time>2026-09-21T22:13:20</Time>{place}<Speed>36.5</Speed><Direction>90</Direction><Altitude>5</Altitude>"
    item = (
        f"<Item><DeviceID>{gb28181_scene.CAMERA}</DeviceID><CaptureTime>2026-09-21T22:13:20</CaptureTime>{place}</Item>"
    )
    texts = [
        f"<Notify><CmdType>Keepalive</CmdType>{said}<Status>OK</Status></Notify>",
        f"<Notify><CmdType>MobilePosition</CmdType>{said}{fix}</Notify>",
        f'<Notify><CmdType>MobilePosition</CmdType>{said}<SumNum>1</SumNum><DeviceList Num="1">{item}</DeviceList></Notify>',
        f"<Notify><CmdType>Alarm</CmdType>{said}<AlarmPriority>1</AlarmPriority><AlarmMethod>2</AlarmMethod>{place}</Notify>",
        f'<Response><CmdType>Catalog</CmdType>{said}<SumNum>1</SumNum><DeviceList Num="1">{item}</DeviceList></Response>',
    ]
    return [(head + text).encode("gb18030") for text in texts]


def _nmea_seeds() -> list[bytes]:
    bodies = [
        b"GNRMC,080000.00,A,3603.60000,N,10349.80000,E,019.4,084.4,211126,,,A,V",
        b"GNGGA,080000.00,3603.60000,N,10349.80000,E,1,12,0.8,1520.4,M,-30.4,M,,",
        b"GNGSA,A,3,01,02,,,,,,,,,,,2.0,1.2,1.6",
        b"GNGNS,080001.00,3603.6,N,10349.8,E,RRNN,20,0.5,1520.4,-30.4,,",
        b"GPGLL,3603.6,N,10349.8,E,080002.00,A,A\r\nGPVTG,084.4,T,,M,019.4,N,035.9,K,A\r\nGPHDT,123.4,T\r\nGPZDA,080003,21,11,2026",
    ]
    return [*bodies, _nmea_seal(b"\r\n".join(bodies)), b"!AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0*5C\r\n"]


def _nmea_seal(data: bytes) -> bytes:
    lines = [line for line in data.replace(b"\r", b"\n").split(b"\n") if line]
    return b"".join(b"$%s*%02X\r\n" % (line, xor_of(line)) for line in lines)


def _gpsd_seeds() -> list[bytes]:
    tpv = {
        "class": "TPV",
        "device": "/dev/a",
        "mode": 3,
        "time": "2026-09-21T14:13:20.5Z",
        **PLACE,
        "altMSL": 1520.4,
        "eph": 4,
    }
    reports = [{"class": "VERSION"}, tpv, {"class": "SKY", "uSat": 9}, {"class": "SKY", "satellites": [{"used": True}]}]
    return [msgspec.json.encode(report) + b"\n" for report in reports]


def _owntracks_seeds() -> list[bytes]:
    kinds = (
        {"_type": "location", **PLACE},
        {"_type": "card", "name": "Li Hua"},
        {"_type": "encrypted"},
        {"_type": "lwt"},
    )
    bodies = [msgspec.json.encode(kind) for kind in kinds]
    return [*bodies, *map(_owntracks_seal, bodies)]


def _owntracks_seal(data: bytes) -> bytes:
    return encode_publish(
        Publication(topic="owntracks/lihua/phone", payload=data, packet_id=7, is_retained=bool(len(data) & 1))
    )


def _phone_seeds() -> list[bytes]:
    coords = {"latitude": 36.06, "longitude": 103.83, "speed": 3, "heading": -1, "altitude": 5, "accuracy": 5}
    client = {
        "device_id": "a",
        "location": {"timestamp": "2026-09-21T14:13:20.5Z", "coords": coords, "battery": {"level": 1}},
    }
    position = {
        "latitude": 36.06,
        "longitude": 103.83,
        "fixTime": "2026-09-21T14:13:21.000+00:00",
        "speed": 10,
        "attributes": {"alarm": "sos"},
    }
    page = {"positions": [{"observed_ms": 1, "lat_deg": 36.06, "lon_deg": 103.83}], "sos": {"observed_ms": 1}}
    page_head = b"POST / HTTP/1.1\r\nContent-Type: application/vnd.skybeat.report+json\r\n\r\n"
    return [
        b"GET /?id=a&lat=36.06&lon=103.83&timestamp=1790000000&speed=5&bearing=90&batt=50&alarm=sos HTTP/1.1\r\nHost: a\r\n\r\n",
        b"id=a&location=36.06,103.83&timestamp=2026-09-21%2014:13:20",
        b"POST / application/json\n\n" + msgspec.json.encode(client),
        msgspec.json.encode({"position": position, "device": {"uniqueId": "1"}}),
        msgspec.json.encode({"_type": "location", **PLACE}),
        page_head + msgspec.json.encode(page),
    ]


def _run_phones(data: bytes) -> None:
    check_reader("osmand", data)
    request = request_of(data)
    requests = [PhoneRequest(method="POST", query="", content_type="application/json", body=data)]
    for each in requests if request is None else [request, *requests]:
        for source in find_phone_sources():
            if source.recognises(each):
                _run_dialect(source.decode_request, each)


def _run_dialect(decode: Callable[[PhoneRequest], Iterable[object]], request: PhoneRequest) -> None:
    try:
        fixes = list(decode(request))
    except InputError:
        return
    check_output(output_of([(1, fix) for fix in fixes], NOW_US))  # type: ignore[misc]


def _journal_seeds() -> list[bytes]:
    sos = SosRaised(device_id=1, observed_us=NOW_US, received_us=NOW_US, text="help")
    info = DeviceInfo(device_id=1, observed_us=NOW_US, received_us=NOW_US, fields={"maker": "SKYBT"})
    batch = new_batch(3).tobytes()
    frames = [encode_frame(EPOCH, 1, KIND_BATCH, batch), encode_frame(EPOCH, 2, KIND_EVENT, encode_event(sos))]
    return [b"".join(frames), *frames, batch, encode_event(sos), encode_event(info)]


def _run_journal(data: bytes) -> None:
    sealed = [encode_frame(EPOCH, number, kind, data) for number, kind in enumerate((KIND_BATCH, KIND_EVENT, 9), 1)]
    for stream in (data, b"".join(sealed)):
        scan = scan_frames(stream, EPOCH, 1_000, len(stream))
        assert 0 <= scan.consumed_bytes <= len(stream)
        batch, events, refused = decode_runs(scan.runs)
        assert batch.dtype == REPORT
        check_output(Output(events=events))
        assert all(each.reason for each in refused)


TARGETS: Final = (
    _link_target("jt808", _jt808_seeds, _jt808_seal),
    _link_target("mavlink", _mavlink_seeds, _mavlink_seal),
    _link_target("gb28181", _gb28181_seeds, gb28181_scene.message),
    _link_target("nmea", _nmea_seeds, _nmea_seal),
    _link_target("gpsd", _gpsd_seeds, lambda data: data.replace(b"\n", b"") + b"\n"),
    _link_target("owntracks", _owntracks_seeds, _owntracks_seal),
    Target(name="phones", seeds=_phone_seeds, run=_run_phones),
    Target(name="journal", seeds=_journal_seeds, run=_run_journal),
    *(Target(name=name, seeds=seeds, run=run) for name, seeds, run in SOURCES),
)
"""OsmAnd, both of Traccar's, OwnTracks over HTTP and our own page are the phones."""
