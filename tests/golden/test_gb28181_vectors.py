"""Every recorded GB/T 28181 body, message, digest and rule reads as its source says."""

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from telemetry.model.reading import ReadError, ReadMessage, ReadPosition
from telemetry.sources.gb28181 import message_reader
from telemetry.sources.gb28181.camera import Camera
from telemetry.sources.gb28181.digest import is_right, read_answer, response_of
from telemetry.sources.gb28181.manscdp import read_document
from telemetry.sources.gb28181.sip import parameter_of, parse, tag_of, uri_of, write
from tests.gb28181_scene import NOW_US, Scene, device, plan, registry

READER = message_reader(utc_offset_s=28_800)
KINDS = {"manscdp-body", "sip-message", "subscribe-rule", "digest"}


@cache
def vectors(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "ground" / "gb28181.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def of_kind(folder: Path, kind: str) -> list[dict[str, Any]]:
    return [vector for vector in vectors(folder) if vector["kind"] == kind]


def utc_us(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1e6)


def is_close(position: ReadPosition, expected: dict[str, Any]) -> bool:
    speed_mps = None if "speed_kmh" not in expected else pytest.approx(expected["speed_kmh"] / 3.6)
    return (
        position.lon_deg == expected["lon"]
        and position.lat_deg == expected.get("lat", position.lat_deg)
        and position.speed_mps == speed_mps
        and position.course_deg == expected.get("course_deg")
        and position.alt_msl_m == expected.get("altitude_m")
        and position.observed_us == utc_us(expected["time_utc_if_gmt8"])
        and position.device == expected["DeviceID"]
    )


def test_every_vector_is_of_a_kind_that_is_tested(test_data: Path) -> None:
    assert {vector["kind"] for vector in vectors(test_data)} == KINDS
    assert len(vectors(test_data)) == 22


def test_every_body_says_what_its_source_says(test_data: Path) -> None:
    for vector in of_kind(test_data, "manscdp-body"):
        expected, (read, *others) = vector["expected"], READER.read(vector["text"].encode())
        assert not others
        if "error" in expected:
            assert isinstance(read, ReadError)
            assert read.code == ("xml" if "XML" in expected["error"] else "value")
        elif "lon" in expected:
            assert isinstance(read, ReadPosition)
            assert is_close(read, expected)
        elif "root" in expected:
            assert_fields(read, expected)
        else:
            assert isinstance(read, ReadMessage)
            assert read.message == expected["kind"]


def assert_fields(read: object, expected: dict[str, Any]) -> None:
    assert isinstance(read, ReadMessage)
    assert read.message == expected["CmdType"]
    assert read.device == expected["DeviceID"]
    told = {name: value for name, value in expected.items() if name != "DeviceList"}
    assert {name: read.fields.get(name) for name in told} == told
    if "DeviceList" in expected:
        assert read.fields["items"] == expected["DeviceList"]["Items"]


def test_every_body_reads_the_same_in_gb18030_as_in_utf_8(test_data: Path) -> None:
    for vector in of_kind(test_data, "manscdp-body"):
        text = vector["text"].replace('encoding="UTF-8"', 'encoding="GB2312"')
        assert READER.read(text.encode("gb18030")) == READER.read(vector["text"].encode())


def test_every_sip_message_says_what_its_source_says(test_data: Path) -> None:
    for vector in of_kind(test_data, "sip-message"):
        sip, expected = parse(vector["text"].encode()), vector["expected"]
        said = {
            "method": sip.method,
            "status": sip.status,
            "event": sip.first("event").partition(";")[0],
            "event_id": parameter_of(sip.first("event"), "id"),
            "expires": sip.expires_s,
            "to_tag": tag_of(sip.first("to")),
            "remote_target": uri_of(sip.first("contact")),
            "subscription_state": sip.first("subscription-state").partition(";")[0],
            "sub_expires": int(parameter_of(sip.first("subscription-state"), "expires") or 0),
        }
        if "cmd_type" in expected:
            document = read_document(sip.body)
            said |= {"cmd_type": document.command, "interval_s": int(document.text("Interval"))}
        if "items" in expected:
            positions = READER.read(vector["text"].encode())
            assert all(
                isinstance(read, ReadPosition) and is_close(read, item)
                for read, item in zip(positions, expected["items"], strict=True)
            )
        assert {name: said[name] for name in expected if name in said} == {
            name: value for name, value in expected.items() if name not in {"form", "items"}
        }


def test_the_digest_that_sipp_sent_is_right_by_its_uri_parameter(test_data: Path) -> None:
    (vector,) = of_kind(test_data, "digest")
    answer, expected = read_answer(vector["text"]), vector["expected"]
    assert answer is not None
    assert response_of(answer, method="REGISTER", password=expected["password"]) == expected["response"]
    assert is_right(answer, method="REGISTER", password=expected["password"])
    assert not is_right(answer, method="REGISTER", password="12345679")


def test_a_camera_takes_the_subscriptions_that_its_source_takes(test_data: Path) -> None:
    for vector in of_kind(test_data, "subscribe-rule"):
        rule, result = json.loads(vector["text"]), vector["expected"]["result"]
        body = b"<Query><CmdType>MobilePosition</CmdType><SN>1</SN><DeviceID>1</DeviceID></Query>"
        headers = [
            ("Via", "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1"),
            ("From", "<sip:1@2>;tag=3"),
            ("To", "<sip:4@2>"),
            ("Call-ID", "5"),
            ("CSeq", "1 SUBSCRIBE"),
            ("Expires", rule["Expires"]),
            *([("Event", rule["Event"])] if rule["Event"] else []),
        ]
        answer, *_ = Camera(plan()).feed(write("SUBSCRIBE sip:4@2 SIP/2.0", headers, body), NOW_US)
        status = {"new": 200, "489": 489}.get(result, 481)
        assert parse(answer).status == status


def test_a_file_of_all_bodies_and_messages_falls_into_them_again(test_data: Path) -> None:
    kinds = ("manscdp-body", "sip-message")
    texts = [vector["text"].encode() for vector in vectors(test_data) if vector["kind"] in kinds]
    pieces = READER.split(b"\n".join(texts))
    assert [READER.read(piece) for piece in pieces] == [READER.read(text) for text in texts]


def test_recorded_positions_become_rows_of_a_registered_camera(test_data: Path) -> None:
    for vector in vectors(test_data):
        expected = vector["expected"]
        wanted = [expected] if "lon" in expected else expected.get("items", [])
        if not wanted:
            continue
        body = vector["text"] if vector["kind"] == "manscdp-body" else parse(vector["text"].encode()).body.decode()
        scene = Scene(table=registry(device()))
        scene.start()
        scene.tell(body.replace(wanted[0]["DeviceID"], scene.camera.plan.address).encode())
        rows = scene.rows()
        assert [(row[1], row[4]) for row in rows] == [
            (utc_us(item["time_utc_if_gmt8"]), round(item["lon"] * 1e7)) for item in wanted
        ]
