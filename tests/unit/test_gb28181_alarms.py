"""Which alarms of cameras are calls for help, which are the device's own, and which are not acted upon."""

import pytest

from telemetry.model.batch import Quality
from telemetry.model.events import AlarmKind, DeviceAlarm, DeviceInfo, SosRaised
from telemetry.model.reading import ReadError, ReadPosition
from telemetry.sources.gb28181 import message_reader
from telemetry.sources.gb28181.alarms import is_late, kind_of_alarm
from telemetry.sources.gb28181.manscdp import read_document
from telemetry.sources.gb28181.sip import parse
from tests.gb28181_scene import CAMERA, NOW_US, Scene, fix

MINUTE_US = 60_000_000


@pytest.mark.parametrize(
    ("method", "kind", "priority", "meaning"),
    [
        ("1", "", "4", AlarmKind.SOS),
        ("2", "", "1", AlarmKind.SOS),
        ("2", "", "4", AlarmKind.SOS),
        ("2", "1", "1", AlarmKind.DEVICE_FAULT),
        ("2", "2", "1", AlarmKind.TAMPER),
        ("2", "3", "4", AlarmKind.DEVICE_FAULT),
        ("2", "88", "1", AlarmKind.SOS),
        ("2", "88", "3", AlarmKind.DEVICE_FAULT),
        ("3", "", "", AlarmKind.SOS),
        ("4", "", "1", AlarmKind.DEVICE_FAULT),
        ("5", "1", "1", AlarmKind.SOS),
        ("5", "13", "1", AlarmKind.TAMPER),
        ("6", "1", "1", AlarmKind.DEVICE_FAULT),
        ("7", "", "1", AlarmKind.SOS),
        ("7", "", "3", AlarmKind.DEVICE_FAULT),
        ("", "", "1", AlarmKind.SOS),
    ],
)
def test_alarms_mean_what_the_standard_says(method: str, kind: str, priority: str, meaning: AlarmKind) -> None:
    assert kind_of_alarm(method, kind, priority) is meaning


@pytest.mark.parametrize("kind", ["2", "3", "4", "5", "6", "7", "8", "9", "10", "12", ""])
def test_what_analyses_people_is_answered_and_not_acted_upon(kind: str) -> None:
    scene = Scene()
    scene.start()
    scene.outputs.clear()
    scene.deliver(scene.camera.press_sos(fix(), scene.now_us, method="5", kind=kind))
    assert scene.events() == []
    assert scene.rows() == []
    assert scene.bad() == {"analytics_ignored": 1}
    assert scene.camera.alarms_answered == 1


def test_the_sos_key_raises_a_call_for_help_at_its_place_and_is_answered_with_its_own_number() -> None:
    scene = Scene()
    scene.start()
    scene.outputs.clear()
    scene.deliver(scene.camera.press_sos(fix(scene.now_us), scene.now_us))
    (sos,) = scene.events()
    assert sos == SosRaised(device_id=1, observed_us=scene.now_us, received_us=scene.now_us)
    ((row),) = scene.rows()
    assert row[3:5] == (360_600_000, 1_038_300_000)
    answer = next(
        sip for sip in map(parse, scene.said) if b"<CmdType>Alarm</CmdType>" in sip.body and b"Response" in sip.body
    )
    document = read_document(answer.body)
    asked = next(sip for sip in map(parse, scene.heard) if b"<CmdType>Alarm</CmdType>" in sip.body)
    assert (document.sn, document.text("Result")) == (read_document(asked.body).sn, "OK")


def test_an_alarm_that_is_sent_again_with_another_number_is_the_same_event() -> None:
    scene = Scene()
    scene.start()
    place = fix(scene.now_us)
    scene.deliver(scene.camera.press_sos(place, scene.now_us))
    scene.deliver(scene.camera.press_sos(place, scene.now_us))
    first, second = [event for event in scene.events() if isinstance(event, SosRaised)]
    assert first == second


def test_an_alarm_without_a_place_or_with_a_bad_one_is_an_alarm_all_the_same() -> None:
    scene = Scene()
    scene.start()
    body = (
        f"<Notify><CmdType>Alarm</CmdType><SN>1</SN><DeviceID>{CAMERA}</DeviceID><AlarmMethod>2</AlarmMethod>"
        "<AlarmDescription>救命 &amp; 快</AlarmDescription><Longitude>{lon}</Longitude><Latitude></Latitude></Notify>"
    )
    for lon in ("", "here"):
        assert scene.tell(body.format(lon=lon).encode("gb18030")) == b"200 OK"
    calls = [event for event in scene.events() if isinstance(event, SosRaised)]
    assert [event.text for event in calls] == ["救命 & 快", "救命 & 快"]
    assert scene.rows() == []
    assert scene.bad() == {"position_bad": 1}


@pytest.mark.parametrize(
    ("age_us", "late"),
    [
        (0, False),
        (5 * MINUTE_US, False),
        (6 * MINUTE_US, True),
        (20 * MINUTE_US, True),
        (8 * 60 * MINUTE_US + MINUTE_US, False),
        (8 * 60 * MINUTE_US + 10 * MINUTE_US, True),
        (24 * 60 * MINUTE_US, True),
        (-8 * 60 * MINUTE_US, False),
    ],
)
def test_an_alarm_is_late_by_minutes_but_not_by_a_wrong_time_zone(age_us: int, late: bool) -> None:
    assert is_late(NOW_US - age_us, NOW_US) is late


def test_a_camera_that_says_that_it_is_faulty_raises_a_fault_once_and_ends_it_once() -> None:
    scene = Scene()
    scene.start()
    for status in ("OK", "ERROR", "ERROR", "OK", "OK"):
        body = f"<Notify><CmdType>Keepalive</CmdType><SN>1</SN><DeviceID>1</DeviceID><Status>{status}</Status></Notify>"
        assert scene.tell(body.encode()) == b"200 OK"
    told = [(event.alarm, event.active) for event in scene.events() if isinstance(event, DeviceAlarm)]
    assert told == [(AlarmKind.DEVICE_FAULT, True), (AlarmKind.DEVICE_FAULT, False)]


LIST = """<?xml version="1.0" encoding="GB18030"?><Notify><CmdType>MobilePosition</CmdType><SN>1</SN>
<DeviceID>{camera}</DeviceID><Time>2026-09-21T22:13:20</Time><SumNum>6</SumNum><DeviceList Num="6">
<Item><DeviceID>{camera}</DeviceID><CaptureTime>2026-09-21T22:13:20</CaptureTime><Longitude>103.1</Longitude><Latitude>36.1</Latitude><Speed>36</Speed><Direction>370</Direction></Item>
<Item><DeviceID>{camera}</DeviceID><CaptureTime>2026-09-21T22:10:00</CaptureTime><Longitude>103.2</Longitude><Latitude>36.2</Latitude><Speed></Speed></Item>
<Item><DeviceID>{camera}</DeviceID><CaptureTime>yesterday</CaptureTime><Longitude>103.3</Longitude><Latitude>36.3</Latitude><Altitude>nan</Altitude></Item>
<Item><DeviceID>{camera}</DeviceID><CaptureTime>2026-09-21T22:13:20</CaptureTime><Longitude>0</Longitude><Latitude>0</Latitude></Item>
<Item><DeviceID>{camera}</DeviceID><Longitude>203.3</Longitude><Latitude>36.3</Latitude></Item>
<Item><DeviceID>{camera}</DeviceID><Longitude></Longitude><Latitude/></Item>
</DeviceList></Notify>"""


def test_each_position_of_a_list_has_its_own_time_and_a_bad_one_costs_only_itself() -> None:
    scene = Scene()
    scene.start()
    assert scene.tell(LIST.format(camera=CAMERA).encode()) == b"200 OK"
    rows = scene.rows()
    assert [row[3] for row in rows] == [361_000_000, 362_000_000, 363_000_000, 0]
    assert [row[1] - NOW_US for row in rows] == [0, -200_000_000, scene.now_us - NOW_US, 0]
    assert [Quality(row[16]) for row in rows] == [
        Quality(0),
        Quality.ARCHIVE,
        Quality.TIME_OF_ARRIVAL,
        Quality.NULL_ISLAND,
    ]
    assert rows[0][8] == 1000
    assert rows[0][11] == rows[2][5 + 6] == -32768
    assert scene.bad() == {"position_bad": 1, "position_without_fix": 1}


def test_rows_are_in_wgs_84_and_utc_whatever_datum_and_zone_the_camera_uses() -> None:
    from tests.gb28181_scene import device, registry

    body = (
        f"<Notify><CmdType>MobilePosition</CmdType><SN>1</SN><DeviceID>{CAMERA}</DeviceID><Time>2026-09-21T14:13:20</Time>"
        "<Longitude>103.83</Longitude><Latitude>36.06</Latitude></Notify>"
    ).encode()
    scene = Scene(table=registry(device(crs="gcj02", utc_offset_s=0)))
    scene.start()
    scene.tell(body)
    ((row),) = scene.rows()
    assert row[1] == NOW_US
    assert 1_000 < abs(row[3] - 360_600_000) < 100_000


def test_a_hash_of_one_fix_is_that_of_a_batch() -> None:
    from telemetry.model.batch import hash_fixes, new_batch
    from telemetry.sources.gb28181.fixes import hash_fix

    places = [(0, 0), (360_600_000, 1_038_300_000), (-900_000_000, -1_800_000_000), (1, -1)]
    batch = new_batch(len(places))
    batch["lat_e7"], batch["lon_e7"] = zip(*places, strict=True)
    hash_fixes(batch)
    assert [hash_fix(*place) for place in places] == batch["fix_hash"].tolist()


def test_what_a_camera_says_of_itself_is_told_with_the_standards_names() -> None:
    scene = Scene()
    scene.start()
    told = [event.fields for event in scene.events() if isinstance(event, DeviceInfo)]
    assert {"Manufacturer": "skybeat", "Model": "twin", "Firmware": "1", "Channel": "1"} in told


@pytest.mark.parametrize("wrong_by", [-40, 40])
def test_a_report_whose_content_length_is_wrong_is_read_and_says_so(wrong_by: int) -> None:
    scene = Scene()
    scene.start()
    (notify,) = scene.camera.report([fix(scene.now_us)], scene.now_us)
    length = int(parse(notify).first("content-length"))
    wrong = notify.replace(f"Content-Length: {length}".encode(), f"Content-Length: {length + wrong_by}".encode())
    assert scene.ask(wrong) == b"200 OK"
    ((row),) = scene.rows()
    assert Quality(row[16]) == Quality.LENGTH
    reader = message_reader(utc_offset_s=28_800)
    for piece in reader.split(wrong + b"\n" + notify):
        (read,) = reader.read(piece)
        assert isinstance(read, ReadPosition)
        assert read.quality == (Quality.LENGTH if piece.startswith(wrong[:-40]) else Quality(0))


def test_a_report_without_the_body_that_it_names_is_not_acknowledged() -> None:
    scene = Scene()
    scene.start()
    assert scene.tell(b"") == b"400 Bad Request"


def test_junk_after_a_whole_report_costs_only_itself() -> None:
    scene = Scene()
    scene.start()
    (notify,) = scene.camera.report([fix(scene.now_us)], scene.now_us)
    reader = message_reader(utc_offset_s=28_800)
    reads = [reader.read(piece)[0] for piece in reader.split(notify + b"junk!" + notify)]
    assert [type(read) for read in reads] == [ReadPosition, ReadError, ReadPosition]
    assert scene.ask(notify + b"junk!") == b"200 OK"
    assert [row[16] for row in scene.rows()] == [0]


@pytest.mark.parametrize("speed", ["1e308", "inf", "-3", "nan", "fast"])
def test_a_speed_that_is_none_costs_nothing_but_itself(speed: str) -> None:
    scene = Scene()
    scene.start()
    body = (
        f"<Notify><CmdType>MobilePosition</CmdType><SN>1</SN><DeviceID>{CAMERA}</DeviceID><Time>2026-09-21T22:13:20</Time>"
        f"<Longitude>103.83</Longitude><Latitude>36.06</Latitude><Speed>{speed}</Speed></Notify>"
    )
    assert scene.tell(body.encode()) == b"200 OK"
    ((row),) = scene.rows()
    assert row[8] == -32768


@pytest.mark.parametrize("said", ["GB2312", "gb18030", "GBK", "UTF-8", ""])
@pytest.mark.parametrize("really", ["gb18030", "utf-8"])
@pytest.mark.parametrize("text", ["救命", "巡逻一号 模", "ordinary"])
def test_texts_are_read_as_they_are_written_whatever_the_declaration_says(said: str, really: str, text: str) -> None:
    declared = f'<?xml version="1.0" encoding="{said}"?>' if said else ""
    body = f"{declared}<Notify><CmdType>Alarm</CmdType><AlarmDescription>{text}</AlarmDescription></Notify>"
    assert read_document(body.encode(really)).text("AlarmDescription") == text


@pytest.mark.parametrize(
    "time",
    [
        "0001-01-01T00:00:00",
        "1970-01-01T08:00:00",
        "9999-12-31T23:59:59",
        "2026-13-01T00:00:00",
        "2000-01-01T00:00:00",
        "2007-02-06T22:13:20",
    ],
)
def test_a_clock_that_was_never_set_makes_no_call_for_help_late(time: str) -> None:
    scene = Scene()
    scene.start()
    scene.outputs.clear()
    body = (
        f"<Notify><CmdType>Alarm</CmdType><SN>1</SN><DeviceID>{CAMERA}</DeviceID><AlarmMethod>2</AlarmMethod>"
        f"<AlarmTime>{time}</AlarmTime><Longitude>103.83</Longitude><Latitude>36.06</Latitude></Notify>"
    )
    assert scene.tell(body.encode()) == b"200 OK"
    assert scene.events() == [SosRaised(device_id=1, observed_us=scene.now_us, received_us=scene.now_us)]
    ((row),) = scene.rows()
    has_time = time.startswith("200")
    assert (row[1] == scene.now_us, Quality.TIME_OF_ARRIVAL in Quality(row[16])) == (not has_time, not has_time)
