"""`skybeat decode` over every recorded vector: what it prints is what the vectors' sources say."""

import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from console.cli import skybeat
from console.commands.decode import stream_messages
from telemetry.sources import find_readers
from telemetry.sources.mavlink.frame import FrameReader

pytestmark = pytest.mark.shared_data
KEYS = {
    "device", "lat_deg", "lon_deg", "alt_msl_m", "speed_mps", "course_deg", "observed_at", "quality", "message_index",
}  # fmt: skip
KNOT_MPS = 1852 / 3600


def decode(*arguments: str, data: bytes) -> list[dict[str, Any]]:
    result: Result = CliRunner().invoke(skybeat, ["decode", *arguments], input=data)
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    for line in lines:
        assert set(line) == KEYS or "message" in line or "error" in line, line
    return lines


def vectors(test_data: Path, name: str) -> list[dict[str, Any]]:
    path = test_data / "ground" / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def by_message(lines: list[dict[str, Any]], count: int) -> list[list[dict[str, Any]]]:
    """Return the lines of each message; every message has some."""
    found: list[list[dict[str, Any]]] = [[] for _ in range(count)]
    for line in lines:
        found[line["message_index"]].append(line)
    assert all(found)
    return found


def as_hex(cases: list[dict[str, Any]]) -> bytes:
    return b"".join((case.get("hex") or case["text"].encode().hex()).encode() + b"\n" for case in cases)


def assert_is(line: dict[str, Any], **expected: Any) -> None:  # noqa: ANN401 - what a vector holds
    for name, value in expected.items():
        if isinstance(value, float | int):
            assert line[name] == pytest.approx(value, rel=1e-6, abs=1e-6), (name, line)
        else:
            assert line[name] == value, (name, line)


def utc(text: str) -> str:
    """Return a time as the command prints it."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=None).isoformat() + "Z"


def test_every_nmea_sentence(test_data: Path) -> None:
    cases = vectors(test_data, "nmea")
    lines = by_message(decode("nmea", data="\n".join(case["text"] for case in cases).encode()), len(cases))
    for case, (line,) in zip(cases, lines, strict=True):
        expected = case["expected"]
        if expected["type"] == "VTG":
            assert line["message"] == "VTG"
            continue
        has_place = case["text"].count(",,,,,0,00") == 0 and "lat" in expected
        assert_is(
            line,
            lat_deg=expected["lat"] if has_place else None,
            lon_deg=expected["lon"] if has_place else None,
            alt_msl_m=expected.get("altitude_m"),
            course_deg=expected.get("course_deg"),
            observed_at=utc(expected["time_utc"]) if "time_utc" in expected else None,
        )
        if expected.get("speed_knots") is not None:
            assert_is(line, speed_mps=expected["speed_knots"] * KNOT_MPS)
        if "valid" in expected:
            assert ("no_fix" in line["quality"]) == (not expected["valid"]), case["text"]
        if "quality" in expected:
            assert ("no_fix" in line["quality"]) == (expected["quality"] == 0), case["text"]


def test_every_owntracks_object(test_data: Path) -> None:
    cases = vectors(test_data, "owntracks")
    lines = by_message(decode("owntracks", data="\n".join(case["text"] for case in cases).encode()), len(cases))
    for case, (line,) in zip(cases, lines, strict=True):
        expected = case["expected"]
        if expected["type"] != "location":
            assert line["message"] == expected["type"]
            continue
        speed_kmh = expected.get("speed_kmh")
        assert_is(
            line,
            lat_deg=expected["lat"],
            lon_deg=expected["lon"],
            alt_msl_m=expected.get("altitude_m"),
            speed_mps=None if speed_kmh is None else speed_kmh / 3.6,
            course_deg=expected.get("course_deg"),
            observed_at=utc(expected["time_utc"]),
            quality=["odd_time"] if expected["time_utc"].startswith("1970") else [],
        )
    assert [line["device"] for (line,) in lines][3:5] == [
        "ckrey/22A67880-15C3-41A6-9157-25545C7993AC",
        "qtripp/865284041968706",
    ]


@pytest.mark.parametrize("is_hex", [True, False])
def test_every_request_of_a_phone(test_data: Path, is_hex: bool) -> None:
    cases = vectors(test_data, "osmand")
    data = as_hex(cases) if is_hex else "\n".join(case["text"] for case in cases).encode()
    lines = by_message(decode("osmand", *(["--hex"] if is_hex else []), data=data), len(cases))
    for case, (line,) in zip(cases, lines, strict=True):
        expected = case["expected"]
        if expected.get("reject"):
            assert line["code"] == "device"
            continue
        time = expected.get("time_utc") or expected.get("time_raw")
        knots = expected.get("speed_knots")
        assert_is(
            line,
            device=expected["device_id"],
            lat_deg=expected["lat"],
            lon_deg=expected["lon"],
            alt_msl_m=expected.get("altitude_m"),
            speed_mps=expected.get("speed_mps") if knots is None else knots * KNOT_MPS,
            course_deg=expected.get("course_deg"),
            observed_at=utc(time) if time else None,
            quality=["mock"] if expected.get("mock") else [],
        )


def test_every_frame_of_jt808(test_data: Path) -> None:
    cases = vectors(test_data, "jt808_frames")
    lines = by_message(decode("jt808", "--hex", data=as_hex(cases)), len(cases))
    positions = 0
    for case, found in zip(cases, lines, strict=True):
        expected = case["expected"].get("decoded_by_reference") or {}
        if expected.get("checksum_ok") is False:
            assert [line.get("code") for line in found] == ["checksum"], case["hex"]
            continue
        if expected.get("length_ok") is False:
            assert all("length" in line["quality"] for line in found), case["hex"]
        told = [expected["location"]] if "location" in expected else expected.get("batch", {}).get("locations", [])
        for line, location in zip(found, told, strict=True) if told else ():
            _is_location(line, location)
            positions += 1
    assert positions == 99


def _is_location(line: dict[str, Any], expected: dict[str, Any]) -> None:
    assert_is(
        line,
        lat_deg=expected["lat"],
        lon_deg=expected["lon"],
        alt_msl_m=expected["altitude_m"],
        speed_mps=expected["speed_kmh"] / 3.6,
        course_deg=expected["course_deg"],
        observed_at=utc(expected["time_utc_if_gmt8"]),
    )
    assert ("saturated" in line["quality"]) == (abs(expected["lat"]) > 90)
    assert ("null_island" in line["quality"]) == (expected["lat"] == expected["lon"] == 0)
    assert ("no_fix" in line["quality"]) == (not expected["fix_valid"])


def test_the_zone_moves_what_carries_none(test_data: Path) -> None:
    frame = vectors(test_data, "jt808_frames")[1]["hex"].encode()
    assert decode("jt808", "--hex", data=frame)[0]["observed_at"] == "2020-08-07T10:07:22Z"
    assert decode("jt808", "--hex", "--timezone", "+00:00", data=frame)[0]["observed_at"] == "2020-08-07T18:07:22Z"
    assert decode("jt808", "--hex", "--timezone", "-05:30", data=frame)[0]["observed_at"] == "2020-08-07T23:37:22Z"


class Pieces(io.BytesIO):
    """A pipe that gives a few bytes at a time."""

    size = 7

    def read1(self, size: int | None = -1) -> bytes:
        assert size
        return self.read(self.size)


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_frames_of_a_stream_are_found_in_pieces_of_any_size(test_data: Path, size: int) -> None:
    """Frames with a raw delimiter inside are left out: only alone (--hex) can they be told from two."""
    cases = [bytes.fromhex(case["hex"]) for case in vectors(test_data, "jt808_frames")]
    frames = [frame for frame in cases if frame[0] == frame[-1] == 0x7E and frame.count(0x7E) == 2]
    reader = find_readers()["jt808"](utc_offset_s=28_800)
    pipe = Pieces(b"noise" + b"".join(frames))
    pipe.size = size
    noise, *found = stream_messages(pipe, reader)
    assert noise == b"noise"
    assert [reader.read(frame) for frame in found if isinstance(frame, bytes)] == [reader.read(one) for one in frames]
    assert len(frames) > 190


def test_a_recorded_flight_is_read_frame_by_frame(test_data: Path) -> None:
    """The stamps of a .tlog are noise between frames here."""
    recording = min((test_data / "mavlink").rglob("*.tlog")).read_bytes()[:200_000]
    lines = decode("mavlink", data=recording)
    places = [line for line in lines if "lat_deg" in line]
    assert len(places) > 10
    assert {line["device"] for line in places} == {"1"}
    assert all(line["code"] in ("framing", "checksum", "length", "message") for line in lines if "error" in line)
    damaged = bytearray(frame_of(recording))
    damaged[12] ^= 1
    (wrong,) = decode("mavlink", "--hex", data=bytes(damaged).hex().encode())
    assert wrong["code"] == "checksum"


def frame_of(recording: bytes) -> bytes:
    """Return the first frame with a place."""
    return next(frame.raw for frame in FrameReader().feed(recording) if frame.msg_id == 33)


def test_what_is_no_message_is_an_error_and_the_rest_is_read_all_the_same() -> None:
    lines = decode("nmea", "--hex", data=b"zz\n\n 7e\n7\n")
    assert [(line["code"], line["message_index"]) for line in lines] == [("hex", 0), ("framing", 1), ("hex", 2)]
    assert decode("mavlink", data=b"") == []
    assert decode("gb28181", data=b"not xml at all")[0]["error"]


def test_wrong_usage_is_told_with_status_2(tmp_path: Path) -> None:
    for arguments in (
        ["nmea", str(tmp_path / "none")],
        ["morse"],
        ["jt808", "--timezone", "noon"],
        ["nmea", str(tmp_path)],
    ):
        assert CliRunner().invoke(skybeat, ["decode", *arguments], input=b"").exit_code == 2, arguments


def test_every_document_of_gb28181(test_data: Path) -> None:
    cases = [case for case in vectors(test_data, "gb28181") if case["kind"] in ("manscdp-body", "sip-message")]
    lines = by_message(decode("gb28181", "--hex", data=as_hex(cases)), len(cases))
    for case, found in zip(cases, lines, strict=True):
        expected, line = case["expected"], found[0]
        if "error" in expected:
            assert "error" in line
        elif "time_utc_if_gmt8" in expected:
            assert_is(
                line,
                device=expected["DeviceID"],
                lat_deg=expected["lat"],
                lon_deg=expected["lon"],
                speed_mps=expected["speed_kmh"] / 3.6,
                course_deg=expected["course_deg"],
                alt_msl_m=expected["altitude_m"],
                observed_at=expected["time_utc_if_gmt8"],
            )
        elif "items" in expected:
            (item,) = expected["items"]
            assert_is(
                line, device=item["DeviceID"], lon_deg=item["lon"], observed_at=item["time_utc_if_gmt8"], quality=[]
            )
        elif "CmdType" in expected:
            assert line["message"] == expected["CmdType"]
            assert line["device"] == expected["DeviceID"]
        else:
            assert "message" in line
    joined = decode("gb28181", data="".join(case["text"] for case in cases if case["kind"] == "manscdp-body").encode())
    assert sum("lat_deg" in line for line in joined) == 1
