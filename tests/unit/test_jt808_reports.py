"""What proven JT/T 808 terminals report: positions and their bits, batches, cards, items, odd and broken messages."""

import struct
from typing import cast

import numpy as np
import pytest

from telemetry.model.batch import UNKNOWN_I1, Quality
from telemetry.model.datum import Crs, from_wgs84
from telemetry.model.decoding import Promise
from telemetry.model.events import DeviceInfo, OfficerOnBoard, VendorData
from telemetry.sources.jt808 import messages as m
from telemetry.sources.jt808.codes import bytes_of_text, packed_time
from telemetry.sources.jt808.frame import escape, xor_of
from telemetry.sources.jt808.terminal import IS_FIXED, Edition, position_body
from tests.jt808_scene import START_US, Call, fix_at, frames_in, promises_of, registry_of, with_options

CHINA_S = 28_800


def with_body(frame: bytes, body_change: bytes = b"", *, wrong_checksum: bool = False) -> bytes:
    """A frame with bytes behind its body that its length does not count, or with another checksum."""
    content = frame[1:-1].replace(b"\x7d\x02", b"\x7e").replace(b"\x7d\x01", b"\x7d")[:-1] + body_change
    check = xor_of(content) ^ (0x55 if wrong_checksum else 0)
    return b"~" + escape(content + bytes([check])) + b"~"


@pytest.mark.parametrize("edition", list(Edition))
def test_a_position_becomes_one_row_with_everything_that_it_tells_and_unknown_for_the_rest(edition: Edition) -> None:
    call = Call(edition=edition).connect()
    fix = fix_at(lat_deg=-33.5, lon_deg=-70.25, alt_msl_m=-12, speed_mps=20.0, course_deg=359, items=((0x31, b"\x0b"),))
    sent = call.terminal.position(fix)
    assert call.say(sent.data).acknowledged == (sent.serial,)
    (row,) = call.batch
    assert (row["device_id"], row["observed_us"], row["received_us"]) == (7, START_US, START_US)
    assert (row["lat_e7"], row["lon_e7"], row["alt_msl_dm"]) == (-335_000_000, -702_500_000, -120)
    assert (row["speed_cmps"], row["course_ddeg"], row["satellites"]) == (2000, 3590, 11)
    assert row["quality"] == 0
    for name in ("alt_hae_dm", "alt_home_dm", "climb_cmps", "heading_ddeg", "accuracy_dm", "battery_pct", "fix"):
        assert row[name] == np.iinfo(row[name].dtype).min, name


def test_no_fix_null_island_and_encrypted_coordinates_are_kept_with_their_bits() -> None:
    call = Call().connect()
    for fix in (
        fix_at(status_bits=0),
        fix_at(START_US + 1_000_000, lat_deg=0.0, lon_deg=0.0),
        fix_at(START_US + 2_000_000, status_bits=IS_FIXED | 1 << 5),
        fix_at(START_US + 3_000_000, lat_deg=119.5, lon_deg=40.0),
    ):
        assert call.say(call.terminal.position(fix).data).acknowledged
    qualities = [Quality(int(value)) for value in call.batch["quality"]]
    assert qualities == [
        Quality.NO_FIX,
        Quality.NULL_ISLAND,
        Quality.ENCRYPTED,
        Quality.SATURATED | Quality.NO_FIX,
    ]
    assert call.batch["fix"].tolist() == [0, UNKNOWN_I1, UNKNOWN_I1, UNKNOWN_I1]
    assert call.batch["lat_e7"].tolist()[3] == 900_000_000


@pytest.mark.parametrize("packed", ["000000000000", "260230101010", "260101241010", "26010110106a"])
def test_a_time_that_is_none_becomes_that_of_arrival_and_says_so(packed: str) -> None:
    call = Call().connect()
    body = position_body(fix_at())[:22] + bytes.fromhex(packed)
    assert call.say(call.terminal.say(m.POSITION, body).data).acknowledged
    assert call.batch["observed_us"].tolist() == [START_US]
    assert Quality(int(call.batch["quality"][0])) == Quality.TIME_OF_ARRIVAL


def test_the_zone_and_the_datum_of_a_device_are_its_own() -> None:
    call = Call(with_options(utc_offset_s=0, crs="gcj02")).connect()
    lat, lon = from_wgs84(29.563012, 106.551556, crs=Crs.GCJ02)
    call.say(call.terminal.position(fix_at(lat_deg=float(lat), lon_deg=float(lon))).data)
    (row,) = call.batch
    assert row["observed_us"] == START_US + CHINA_S * 1_000_000
    assert row["lat_e7"] == pytest.approx(295_630_120, abs=20)
    assert row["lon_e7"] == pytest.approx(1_065_515_560, abs=20)


def test_a_wrong_checksum_is_counted_and_not_answered_unless_the_device_is_known_for_it() -> None:
    call = Call().connect()
    data = with_body(call.terminal.position(fix_at()).data, wrong_checksum=True)
    assert not call.say(data).acknowledged
    assert len(call.batch) == 0
    assert call.bad("checksum") == 1
    lenient = Call(with_options(ignores_checksum=True)).connect()
    assert lenient.say(data).acknowledged
    assert Quality(int(lenient.batch["quality"][0])) == Quality.CHECKSUM


def test_a_wrong_length_is_read_as_far_as_it_goes_marked_and_answered_as_wrong() -> None:
    call = Call().connect()
    data = with_body(call.terminal.position(fix_at()).data, b"\x31\x01\x0c")
    assert call.say(data).refused == ((1, m.Result.WRONG),)
    assert promises_of(call.outputs[-1]) == [Promise.NOW]
    assert Quality(int(call.batch["quality"][0])) == Quality.LENGTH
    assert call.batch["satellites"].tolist() == [12]
    lenient = Call(with_options(ignores_length=True)).connect()
    assert lenient.say(data).acknowledged == (1,)
    assert Quality(int(lenient.batch["quality"][0])) == Quality.LENGTH


@pytest.mark.parametrize("count", [3, 40])
def test_a_blind_area_batch_is_archive_in_any_order_and_a_normal_one_is_not(count: int) -> None:
    call = Call().connect()
    fixes = [fix_at(START_US - number * 5_000_000) for number in range(count)]
    sent = call.terminal.batch(fixes, archive=True)
    call.say(sent.data)
    assert len(call.batch) == count
    assert call.batch["observed_us"].tolist() == [fix.observed_us for fix in fixes]
    assert {Quality(int(value)) for value in call.batch["quality"]} == {Quality.ARCHIVE}
    normal = Call().connect()
    normal.say(normal.terminal.batch(fixes, archive=False).data)
    assert {int(value) for value in normal.batch["quality"]} == {0}


def test_a_batch_that_breaks_off_gives_what_is_there_and_is_answered_as_wrong() -> None:
    call = Call().connect()
    body = position_body(fix_at())
    listed = struct.pack(">HB", 3, 1) + (len(body).to_bytes(2) + body) * 2 + b"\x00\x1c\x01"
    assert [result for _, result in call.say(call.terminal.say(m.BATCH, listed).data).refused] == [m.Result.WRONG]
    assert {Quality(int(value)) for value in call.batch["quality"]} == {Quality.ARCHIVE | Quality.LENGTH}
    assert len(call.batch) == 2


def test_a_position_too_short_for_a_core_gives_no_row_and_is_answered_as_wrong() -> None:
    call = Call().connect()
    assert call.say(call.terminal.say(m.POSITION, bytes(27)).data).refused[0][1] == m.Result.WRONG
    assert len(call.batch) == 0


def test_a_heartbeat_with_a_vendors_body_is_answered_and_kept_as_it_came() -> None:
    call = Call().connect()
    body = bytes.fromhex("5d102815000501006404000020d0650100")
    assert call.say(call.terminal.say(m.HEARTBEAT, body).data).acknowledged
    assert cast(VendorData, call.events_of(VendorData)[0]).items == {"heartbeat": body.hex()}


def test_vendor_items_are_kept_raw_and_told_when_they_change_not_with_every_position() -> None:
    call = Call().connect()
    items = ((0x01, bytes(4)), (0xE4, b"\x00\x56"), (0x17, b"\x01"), (0x00, b"\x01"), (0x00, b"\x02"))
    for _ in range(5):
        call.say(call.terminal.position(fix_at(call.now_us, items=items)).data)
        call.now_us += 10_000_000
    (told,) = call.events_of(VendorData)
    assert cast(VendorData, told).items == {"0xe4": "0056", "0x17": "01", "0x00": "01", "0x00#2": "02"}
    call.now_us += 60_000_000
    call.say(call.terminal.position(fix_at(call.now_us, items=((0xE4, b"\x00\x57"),))).data)
    assert cast(VendorData, call.events_of(VendorData)[1]).items == {"0xe4": "0057"}


def test_the_standards_items_are_told_by_name_and_a_broken_tail_ends_them_quietly() -> None:
    call = Call().connect()
    items = (
        (0x01, (12345).to_bytes(4)), (0x02, (550).to_bytes(2)), (0x06, (-25).to_bytes(2, signed=True)),
        (0x11, b"\x01\x00\x00\x00\x05"), (0x12, b"\x03\x00\x00\x00\x09\x01"), (0x13, b"\x00\x00\x00\x02\x00\x22\x01"),
        (0x25, b"\x00\x00\x00\x01"), (0x2B, b"\x00\x02\x00\x01"), (0x30, b"\x1f"), (0x31, b"\x0c"),
    )  # fmt: skip
    body = position_body(fix_at(items=items)) + b"\xeb\x20\x01"
    assert call.say(call.terminal.say(m.POSITION, body).data).acknowledged
    assert cast(DeviceInfo, call.events_of(DeviceInfo)[-1]).fields == {
        "odometer_km": "1234.5",
        "fuel_l": "55.0",
        "cabin_temperature_c": "-25",
        "overspeed_where": "circle 5",
        "crossing": "polygon 9 out",
        "section_time": "section 2 34 s, too long",
        "signal_bits": "0x00000001",
        "analogue": "1 2",
        "network_signal": "31",
        "satellites": "12",
    }
    assert not call.events_of(VendorData)


def test_a_drivers_card_tells_who_is_on_board() -> None:
    call = Call().connect()
    name, agency = bytes_of_text("王小明"), bytes_of_text("重庆市公安局")
    card = (
        b"\x01" + packed_time(START_US, CHINA_S) + b"\x00" + bytes([len(name)]) + name + b"5001990102".ljust(20, b"\0")
    )
    body = card + bytes([len(agency)]) + agency + bytes.fromhex("20340409")
    assert call.say(call.terminal.say(m.DRIVER_CARD, body).data).acknowledged
    call.say(call.terminal.say(m.DRIVER_CARD, b"\x02" + packed_time(START_US + 9_000_000, CHINA_S)).data)
    on, off = (cast(OfficerOnBoard, event) for event in call.events_of(OfficerOnBoard))
    assert (on.present, on.name, on.card, on.agency, on.observed_us) == (
        True,
        "王小明",
        "5001990102",
        "重庆市公安局",
        START_US,
    )
    assert (off.present, off.observed_us) == (False, START_US + 9_000_000)
    assert promises_of(call.outputs[-1]) == [Promise.DURABLE]


def test_the_2011_editions_card_tells_a_driver_too_and_what_is_neither_is_answered_as_wrong() -> None:
    call = Call(edition=Edition.E2011).connect()
    name = bytes_of_text("王小明")
    body = bytes([len(name)]) + name + b"500101198001010011".ljust(20, b"\0") + b"5001990102".ljust(40, b"\0") + b"\0"
    call.say(call.terminal.say(m.DRIVER_CARD, body).data)
    (on,) = (cast(OfficerOnBoard, event) for event in call.events_of(OfficerOnBoard))
    assert (on.present, on.name, on.card, on.observed_us) == (True, "王小明", "5001990102", START_US)
    assert call.say(call.terminal.say(m.DRIVER_CARD, b"\x07??").data).refused[0][1] == m.Result.WRONG


def test_the_time_is_told_in_utc_to_a_terminal_that_asks() -> None:
    call = Call().connect()
    call.say(call.terminal.say(m.QUERY_TIME).data)
    assert call.frames[-1].msg_id == m.TIME
    assert call.frames[-1].body == packed_time(START_US, 0)


def test_transparent_bytes_are_kept_and_messages_nobody_knows_are_answered_so() -> None:
    call = Call().connect()
    assert call.say(call.terminal.say(m.TRANSPARENT, b"\xf0hello").data).acknowledged
    assert cast(VendorData, call.events_of(VendorData)[0]).items == {"transparent:f0": b"hello".hex()}
    assert call.say(call.terminal.say(0x0F01, b"?").data).refused[0][1] == m.Result.UNSUPPORTED
    before = len(call.frames)
    call.say(call.terminal.say(0x8001, b"\0\0\0\0\0").data)
    assert len(call.frames) == before, "an answer is not answered: two that do so never end"


def test_an_encrypted_body_is_said_to_be_unsupported_and_never_read() -> None:
    call = Call(edition=Edition.E2013).connect()
    frame = bytearray(call.terminal.position(fix_at()).data)
    frame[3] |= 0x04
    frame[-2] ^= 0x04
    assert call.say(bytes(frame)).refused[0][1] == m.Result.UNSUPPORTED
    assert len(call.batch) == 0
    assert call.bad("encrypted") == 1


def test_sentences_in_brackets_and_junk_between_frames_are_counted_and_cost_no_position() -> None:
    call = Call().connect()
    first, second = call.terminal.position(fix_at()), call.terminal.position(fix_at(START_US + 1_000_000))
    junk = b"\x24\x24\x00garbage"
    data = junk + first.data + b"(740190311185,1,001,ELOCK,3,529439)" + junk + second.data + b"(7401,BASE,2,TIME)"
    assert call.say(data).acknowledged == (first.serial, second.serial)
    assert call.bad("sentence") == 1
    assert call.bad("junk") >= 1
    assert len(call.batch) == 2


def test_the_dialect_with_another_delimiter_is_heard_and_answered_in_it() -> None:
    call = Call(edition=Edition.E2013)
    form = call.terminal._form
    call.terminal._form = form._replace(terminal=b"\0" + form.terminal, flag=0xE7)
    call.say(call.terminal.connect())
    assert call.terminal.is_ready
    output = call.decoder.feed(call.terminal.position(fix_at(speed_mps=0xE6 / 36, alt_msl_m=0x3EE7)).data, START_US)
    assert output.batch["alt_msl_dm"].tolist() == [0x3EE7 * 10]
    (answer,) = frames_in(output.replies[0].data)
    assert (answer.form.flag, answer.msg_id, answer.form.terminal) == (0xE7, m.PLATFORM_REPLY, b"\0" + form.terminal)


def test_an_id_that_is_no_decimal_is_an_imei_without_its_check_digit() -> None:
    call = Call(registry_of(), edition=Edition.E2013)
    call.terminal._form = call.terminal._form._replace(terminal=bytes.fromhex("4eb6fb4afd9e"))
    call.say(call.terminal.connect())
    (entry,) = call.registry.quarantined()
    assert entry.address == "865478070102068"
