"""Every published JT/T 808 frame at hand, read as its sources assert and as an independent decoder reads it.

Deliberate differences: an authentication code is never shown, so that it is compared where it is read; an altitude of 0x8000 and
above is below the sea; coordinates that are no place on Earth are no fix; a frame with a wrong checksum is an error
(another platform does not look); lengths that an item has beside the standard make it a vendor's, not an error.
"""

import json
import struct
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from telemetry.model.batch import Quality
from telemetry.model.reading import ReadError, ReadMessage, ReadPosition
from telemetry.sources.jt808 import message_reader
from telemetry.sources.jt808 import messages as m
from telemetry.sources.jt808.bodies import codes_of, read_attributes, read_driver_card, read_registration
from telemetry.sources.jt808.codes import address_of, text_of
from telemetry.sources.jt808.frame import Frame, escape, parse, unescape, write
from telemetry.sources.jt808.items import readings_of, split_items, vendor_of
from telemetry.sources.jt808.parameters import read_parameters
from telemetry.sources.jt808.position import CORE_BYTES
from telemetry.sources.jt808.reports import batch_places
from tests.jt808_scene import Call, device_of, frames_in, registry_of

pytestmark = pytest.mark.shared_data
CHINA_S: Final = 28_800
COUNT: Final = 215
PAIRS: Final = 21


@cache
def lines_of(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "ground" / name).read_text().splitlines()]


@pytest.fixture
def rows(test_data: Path) -> list[dict[str, Any]]:
    """All frames with what is said of them."""
    found = lines_of(test_data, "jt808_frames.jsonl")
    assert len(found) == COUNT
    return found


def bytes_of(row: dict[str, Any]) -> bytes:
    return bytes.fromhex(row["hex"])


def frame_of(row: dict[str, Any]) -> Frame:
    frame = parse(unescape(bytes_of(row)[1:-1]))
    assert frame is not None, row["hex"]
    return frame


def asserted(row: dict[str, Any]) -> dict[str, Any]:
    said = row["expected"]["asserted_by_source_test"]
    return said if isinstance(said, dict) else {}


def decoded(row: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = row["expected"].get("decoded_by_reference") or {}
    return said


def with_header(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = [row for row in rows if "msg_id" in decoded(row)]
    assert len(found) == 209
    return found


def places_of(frame: Frame) -> list[tuple[int, int]]:
    """Where the positions lie in a body."""
    if frame.msg_id == m.BATCH:
        at, end, _ = batch_places(frame.body, int.from_bytes(frame.body[:2]))
        return list(zip(at, end, strict=True))
    return [(2 if frame.msg_id in (m.POSITION_ANSWER, m.VEHICLE_ANSWER) else 0, len(frame.body))]


def test_headers_layouts_lengths_and_checksums_are_found_as_an_independent_decoder_finds_them(
    rows: list[dict[str, Any]],
) -> None:
    for row in with_header(rows):
        frame, said = frame_of(row), decoded(row)
        assert frame.msg_id == int(said["msg_id"], 16)
        assert (frame.checksum_fits, frame.length_fits) == (said["checksum_ok"], said["length_ok"])
        assert frame.form.terminal.hex() == said["terminal_phone_bcd"]
        assert frame.form.is_2019 == (said["layout"] == "2019")
        assert frame.serial == said["serial"]
        assert (frame.parts, frame.part) == (said.get("sub_total", 0), said.get("sub_index", 0))
        assert (frame.form.says_2019 != frame.form.is_2019) == said.get("version_flag_lies", False)
        assert frame.is_encrypted == bool(said["encrypt"])
        assert frame.body.hex().startswith(said["body_hex"].removesuffix("..."))


def test_every_good_frame_is_written_again_byte_for_byte(rows: list[dict[str, Any]]) -> None:
    written = 0
    for row in with_header(rows):
        frame = frame_of(row)
        good = frame.checksum_fits and frame.length_fits and not frame.is_encrypted
        if not good or 0x7E in bytes_of(row)[1:-1]:
            continue
        again = write(frame.msg_id, frame.body, frame.form, frame.serial, part=frame.part, parts=frame.parts)
        # one source escapes 7d02 and 7d01 alike, one writes 7d alone: what both stand for is the same
        assert unescape(again[1:-1]) == unescape(bytes_of(row)[1:-1])
        assert again == b"~" + escape(unescape(bytes_of(row)[1:-1])) + b"~"
        written += 1
    assert written > 150


def same_place(read: ReadPosition, said: dict[str, Any]) -> None:
    assert read.lat_deg == pytest.approx(said["lat"], abs=1e-9)
    assert read.lon_deg == pytest.approx(said["lon"], abs=1e-9)
    if abs(said["lat"]) > 90 or abs(said["lon"]) > 180:
        assert Quality.SATURATED | Quality.NO_FIX in read.quality
    else:
        assert (Quality.NO_FIX in read.quality) == (not said["fix_valid"])
        assert (Quality.NULL_ISLAND in read.quality) == (said["lat"] == said["lon"] == 0)
    alt_m = said["altitude_m"] - (0x10000 if said["altitude_m"] >= 0x8000 else 0)
    assert read.alt_msl_m == alt_m
    assert read.speed_mps == pytest.approx(said["speed_kmh"] / 3.6, abs=1e-9)
    course_deg = said["course_deg"]
    assert read.course_deg == (course_deg % 360 if course_deg <= 360 else None)


def positions_said(row: dict[str, Any]) -> list[dict[str, Any]]:
    said = decoded(row)
    found: list[dict[str, Any]] = (
        [said["location"]] if "location" in said else said.get("batch", {}).get("locations", [])
    )
    return found


def test_positions_and_batches_are_read_as_an_independent_decoder_reads_them(rows: list[dict[str, Any]]) -> None:
    compared = 0
    for row in with_header(rows):
        said = positions_said(row)
        frame = frame_of(row)
        if not said or not frame.checksum_fits:
            continue
        reads = message_reader(utc_offset_s=CHINA_S).read(bytes_of(row))
        assert len(reads) == len(said)
        for read, one in zip(reads, said, strict=True):
            assert isinstance(read, ReadPosition)
            same_place(read, one)
            at_us = (
                datetime.fromisoformat(one["time_utc_if_gmt8"]).timestamp() * 1e6 if one["time_utc_if_gmt8"] else None
            )
            assert read.observed_us == at_us
            is_odd = not frame.length_fits or decoded(row).get("batch", {}).get("count_declared", 1) != max(
                1, len(said)
            )
            assert (Quality.LENGTH in read.quality) == is_odd
            assert (Quality.ARCHIVE in read.quality) == (decoded(row).get("batch", {}).get("type") == 1)
            assert read.device == address_of(frame.form.terminal)
            compared += 1
    assert compared > 85


def test_items_are_cut_as_an_independent_decoder_cuts_them_and_none_is_lost(rows: list[dict[str, Any]]) -> None:
    for row in with_header(rows):
        frame = frame_of(row)
        for (at, end), said in zip(places_of(frame), positions_said(row), strict=False):
            items = split_items(frame.body, at + CORE_BYTES, end)
            assert [[f"0x{number:02x}", value.hex()] for number, value in items] == said["items"]
            assert len(readings_of(items)) + len(vendor_of(items)) <= len(items)
            assert len(vendor_of(items)) == sum(1 for number, value in items if not readings_of([(number, value)])), (
                "what no standard names is kept"
            )


def test_wrong_checksums_are_errors_and_wrong_lengths_are_records_that_say_so(rows: list[dict[str, Any]]) -> None:
    for row in with_header(rows):
        said = decoded(row)
        reads = message_reader(utc_offset_s=CHINA_S).read(bytes_of(row))
        if not said["checksum_ok"]:
            assert [type(read) for read in reads] == [ReadError]
            assert isinstance(reads[0], ReadError)
            assert reads[0].code == "checksum"
        elif not said["length_ok"]:
            for read in reads:
                assert isinstance(read, ReadPosition | ReadMessage)
                odd = (
                    Quality.LENGTH in read.quality
                    if isinstance(read, ReadPosition)
                    else read.fields["quality"] == ["length"]
                )
                assert odd
        else:
            assert not any(isinstance(read, ReadError) for read in reads)


def test_what_is_no_frame_is_an_error_of_framing(rows: list[dict[str, Any]]) -> None:
    wrong = [row for row in rows if asserted(row).get("error")]
    codes = {}
    for row in wrong:
        (read,) = message_reader(utc_offset_s=CHINA_S).read(bytes_of(row))
        codes[asserted(row)["error"]] = read.code if isinstance(read, ReadError) else type(read).__name__
    # two frames whose items have other lengths than the standard are read: their items are a vendor's, or end early
    assert codes == {
        "ErrUnqualifiedData": "framing",
        "ErrHeaderLength2Short": "framing",
        "ErrCheckCode": "checksum",
        "ErrBodyLengthInconsistency": "ReadPosition",
    }


def test_terminals_and_serials_are_those_that_the_sources_assert(rows: list[dict[str, Any]]) -> None:
    compared = 0
    for row in with_header(rows):
        frame, said = frame_of(row), asserted(row)
        for name in ("encoded_from", "dump_fields"):
            fields = said.get(name) or {}
            phone = fields.get("TerminalPhoneNo") or fields.get("终端手机号")
            if phone:
                assert address_of(frame.form.terminal) == phone.lstrip("0")
                compared += 1
            serial = fields.get("ManualMsgNum") or fields.get("消息流水号")
            if serial:
                assert frame.serial == int(serial)
                compared += 1
    assert compared > 50


NAMES: Final = {
    "AlarmSign": "alarm", "AlarmFlag": "alarm", "报警标志": "alarm", "StatusSign": "status", "StatusFlag": "status",
    "状态标志": "status", "Latitude": "lat", "Lat": "lat", "纬度": "lat", "Longitude": "lon", "Lng": "lon", "经度": "lon",
    "Altitude": "alt_m", "海拔高度": "alt_m", "Speed": "speed", "速度": "speed", "Direction": "course", "方向": "course",
}  # fmt: skip


def core_of(body: bytes, at: int) -> dict[str, int]:
    names = ("alarm", "status", "lat", "lon", "alt_m", "speed", "course")
    return dict(zip(names, struct.unpack_from(">IIIIhHH", body, at), strict=True))


def test_positions_hold_the_raw_values_that_the_sources_assert(rows: list[dict[str, Any]]) -> None:
    compared = 0
    for row in with_header(rows):
        frame, said = frame_of(row), asserted(row)
        if frame.msg_id not in (m.POSITION, m.POSITION_ANSWER, m.VEHICLE_ANSWER, m.BATCH):
            continue
        core = core_of(frame.body, places_of(frame)[0][0])
        for name, value in (said.get("fields") or said.get("encoded_from") or said.get("dump_fields") or {}).items():
            if name in NAMES and value.isdigit() and not (name in ("Speed", "Direction") and "Mileage" in str(said)):
                assert core[NAMES[name]] == int(value), name
                compared += 1
    assert compared > 40


def test_registrations_say_what_the_sources_assert_in_all_three_editions(rows: list[dict[str, Any]]) -> None:
    compared = 0
    for row in with_header(rows):
        frame, said = frame_of(row), asserted(row)
        if frame.msg_id != m.REGISTER:
            continue
        found = read_registration(frame)
        assert found is not None
        fields = said.get("fields") or said.get("encoded_from") or {}
        names = {
            "PlateNo": found.plate, "LicensePlateNumber": found.plate, "MakerId": found.maker, "ManufacturerID": found.maker,
            "TerminalModel": found.model, "TerminalId": found.terminal_id, "TerminalID": found.terminal_id,
            "AreaID": str(found.province), "ProvinceID": str(found.province), "CityID": str(found.city),
            "CityOrCountyId": str(found.city),
        }  # fmt: skip
        for name, value in names.items():
            if name in fields:
                assert value == fields[name]
                compared += 1
        for name, value in (
            ("制造商ID", found.maker),
            ("终端型号", found.model),
            ("终端ID", found.terminal_id),
            ("车牌号", found.plate),
        ):
            for key, expected in (said.get("dump_fields") or {}).items():
                if key.split("(")[0] == name:
                    assert value == expected
                    compared += 1
    assert compared > 35


def test_codes_replies_cards_attributes_and_settings_are_those_of_the_sources(rows: list[dict[str, Any]]) -> None:
    seen = set()
    for row in with_header(rows):
        frame, said = frame_of(row), asserted(row)
        fields = {**(said.get("fields") or {}), **(said.get("encoded_from") or {}), **(said.get("dump_fields") or {})}
        if frame.msg_id == m.AUTHENTICATE and ("Code" in fields or "鉴权码" in fields):
            assert (fields.get("Code") or fields["鉴权码"]).encode() in codes_of(frame)
            seen.add("code")
        if "general_reply" in decoded(row):
            reply = decoded(row)["general_reply"]
            assert m.read_reply(frame.body) == (reply["reply_serial"], int(reply["reply_id"], 16), reply["result"])
            seen.add("reply")
        if said.get("attribute") == "cardCode":
            card = read_driver_card(frame.body)
            assert card is not None
            assert (card.is_in, card.is_read, card.card) == (True, True, said["value"])
            seen.add("card")
        if frame.msg_id == m.ATTRIBUTES:
            attributes = read_attributes(frame)
            assert attributes is not None
            assert attributes.fields["firmware"] == "CK100C-JT-V024"
            seen.add("attributes")
        if frame.msg_id == m.PARAMETERS and frame.length_fits and frame.body[2] > 1:
            assert abs(len(read_parameters(frame.body, 3)) - frame.body[2]) <= 2
            seen.add("settings")
        if "ParamValue" in fields:
            at = 3 if frame.msg_id == m.PARAMETERS else 1
            assert read_parameters(frame.body, at) == {"heartbeat_s": fields["ParamValue"]}
            seen.add("setting")
        if "TextInfo" in fields:
            assert text_of(frame.body[2 if frame.form.is_2019 else 1 :]) == fields["TextInfo"]
            seen.add("text")
    assert seen == {"code", "reply", "card", "attributes", "settings", "setting", "text"}


def test_every_value_that_a_vendor_packs_into_a_position_is_still_there(rows: list[dict[str, Any]]) -> None:
    """Battery levels, temperatures and the like of other platforms' vendor decoders: ours keeps their bytes."""
    kept = 0
    for row in with_header(rows):
        frame, said = frame_of(row), asserted(row)
        if said.get("attribute") != "KEY_BATTERY_LEVEL" or frame.msg_id != m.POSITION or not frame.checksum_fits:
            continue
        kept += bool(vendor_of(split_items(frame.body, CORE_BYTES)))
    assert kept >= 8


def test_messages_are_called_by_their_names(rows: list[dict[str, Any]]) -> None:
    names = set()
    for row in with_header(rows):
        for read in message_reader(utc_offset_s=CHINA_S).read(bytes_of(row)):
            if isinstance(read, ReadMessage):
                names.add(read.message)
    assert {"register", "authenticate", "heartbeat", "text", "driver_card", "transparent", "message_5501"} <= names


def test_a_sentence_in_brackets_is_read_as_one(rows: list[dict[str, Any]]) -> None:
    (row,) = [row for row in rows if row["hex"].startswith("28")]
    assert message_reader(utc_offset_s=0).read(bytes_of(row)) == [
        ReadMessage(message="sentence", fields={"text": asserted(row)["value"]})
    ]


def test_a_stream_of_all_good_frames_is_split_into_them_again_with_junk_between(rows: list[dict[str, Any]]) -> None:
    good = [
        bytes_of(row) for row in with_header(rows) if 0x7E not in bytes_of(row)[1:-1] and decoded(row)["checksum_ok"]
    ]
    reader = message_reader(utc_offset_s=CHINA_S)
    assert reader.split(b"".join(good)) == good
    junk = b"\x24\x24\x00junk"
    assert reader.split(junk + junk.join(good)) == [junk, *[one for frame in good for one in (frame, junk)][:-1]]
    whole = b"".join(good)
    assert whole[: reader.whole_bytes(whole)] == b"".join(good[:-1])


def test_requests_are_answered_as_another_platform_answers_them_but_for_code_and_serial(test_data: Path) -> None:
    """Its code is the phone number; ours is random, told while the device may pair, and a wrong one is refused."""
    pairs = lines_of(test_data, "jt808_request_reply_pairs.jsonl")
    assert len(pairs) == PAIRS
    for pair in pairs:
        (request,) = frames_in(bytes.fromhex(pair["request_hex"]))
        (reply,) = frames_in(bytes.fromhex(pair["reply_hex"]))
        call = Call(registry_of(device_of(address=address_of(request.form.terminal)), code="987654321"))
        if request.msg_id not in (m.REGISTER, m.AUTHENTICATE):
            call.decoder.feed(write(m.AUTHENTICATE, b"987654321", request.form, 0), call.now_us)
        output = call.decoder.feed(bytes.fromhex(pair["request_hex"]), call.now_us)
        answers = frames_in(b"".join(said.data for said in output.replies))
        if request.msg_id >= m.FIRST_OF_PLATFORM:
            assert not answers, "what only a platform says is not answered"
            continue
        (answer,) = answers
        assert (answer.msg_id, answer.form) == (reply.msg_id, reply.form)
        if request.msg_id == m.REGISTER:
            assert answer.body == reply.body[:3] + b"987654321"
        elif request.msg_id == m.AUTHENTICATE:
            assert answer.body == reply.body[:4] + b"\x00", "the code is the right one here, and a wrong one there"
        else:
            assert answer.body == reply.body
