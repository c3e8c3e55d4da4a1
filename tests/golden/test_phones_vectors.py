"""Phones' requests as another project's tests record them, with the values that they stand for."""

import json
from pathlib import Path
from typing import Any

import pytest

from telemetry.model.batch import Quality
from telemetry.model.errors import InputError
from telemetry.model.fix import METRES_PER_SECOND_PER_KNOT
from telemetry.model.phone import PhoneFix, PhoneRequest, checked_time_us, output_of
from telemetry.sources import osmand, traccar

RECEIVED_US = 1_800_000_000_000_000
VECTORS = 12


def request_of(text: str) -> PhoneRequest:
    if text.startswith("GET /?"):
        return PhoneRequest(method="GET", query=text.removeprefix("GET /?"), content_type="", body=b"")
    head, _, body = text.partition("\n\n")
    content_type = head.split()[-1]
    return PhoneRequest(method="POST", query="", content_type=content_type, body=body.encode())


def vectors(test_data: Path) -> list[dict[str, Any]]:
    path = test_data / "ground" / "osmand.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def expected_of(expected: dict[str, Any]) -> PhoneFix:
    time = expected.get("time_utc") or expected.get("time_raw")
    knots = expected.get("speed_knots")
    battery_pct = expected.get("battery_pct")
    return PhoneFix(
        token=expected["device_id"],
        lat_deg=expected["lat"],
        lon_deg=expected["lon"],
        observed_us=checked_time_us(time) if time else None,
        speed_mps=expected.get("speed_mps") if knots is None else knots * METRES_PER_SECOND_PER_KNOT,
        course_deg=expected.get("course_deg"),
        alt_msl_m=expected.get("altitude_m"),
        accuracy_m=expected.get("accuracy_m"),
        battery_ratio=None if battery_pct is None else battery_pct / 100,
        is_mock=bool(expected.get("mock")),
    )


@pytest.mark.shared_data
def test_every_recorded_request_says_what_its_source_says(test_data: Path) -> None:
    cases = vectors(test_data)
    assert len(cases) == VECTORS
    for case in cases:
        request = request_of(case["text"])
        speakers = [source for source in (osmand, traccar) if source.recognises(request)]
        assert len(speakers) == 1, case["text"]
        assert speakers[0].decode_request(request) == [expected_of(case["expected"])], case["text"]
        assert case["expected"].get("reject", False) == (expected_of(case["expected"]).token is None)


@pytest.mark.shared_data
def test_recorded_values_reach_the_batch_in_its_scales(test_data: Path) -> None:
    walker = traccar.decode_request(request_of(vectors(test_data)[-1]["text"]))
    output = output_of([(5, fix) for fix in walker], RECEIVED_US)
    row = output.batch[0]
    assert (row["lat_e7"], row["lon_e7"]) == (-61_148_096, 1_066_837_015)
    assert (row["speed_cmps"], row["course_ddeg"], row["accuracy_dm"]) == (1867, 630, 38)
    assert (row["battery_pct"], row["alt_msl_dm"]) == (79, 357)
    assert row["observed_us"] == 1_626_854_794_444_000
    assert row["received_us"] == RECEIVED_US


@pytest.mark.parametrize(
    "text",
    ["1377177267", "1377177267000", "2013-08-22T13:14:27Z", "2013-08-22T21:14:27+08:00", "2013-08-22 13:14:27"],
)
def test_a_time_is_understood_in_all_its_forms(text: str) -> None:
    assert checked_time_us(text) == 1_377_177_267_000_000


@pytest.mark.parametrize("text", ["0", "3471292800", "1970-01-01T00:00:00Z", "2080-01-01 00:00:00"])
def test_a_wrong_clock_is_not_refused(text: str) -> None:
    assert checked_time_us(text) in (0, 3_471_292_800_000_000)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("id=a&lat=91&lon=0", "lat is 91.0: allowed are -90 .. 90"),
        ("id=a&lat=1&lon=-180.5", "lon is -180.5: allowed are -180 .. 180"),
        ("id=a&lat=nan&lon=1", "lat is nan"),
        ("id=a&lat=north&lon=1", "lat is 'north'"),
        ("id=a&lat=1", "lon is ''"),
        ("id=a&location=60.0", "lon is ''"),
        ("id=a&lat=1&lon=1&timestamp=yesterday", "timestamp is 'yesterday'"),
        ("id=a&lat=1&lon=1&timestamp=inf", "timestamp is 'inf'"),
        ("id=a&lat=1&lon=1&timestamp=1e308", "timestamp is '1e308'"),
        ("&".join(f"a{number}=1" for number in range(300)), "more than 200 fields"),
    ],
)
def test_a_wrong_query_is_answered_with_what_value_and_allowed(query: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        osmand.decode_query(query)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"device_id":"a"}',
        b'{"device_id":"a","location":{"coords":{"latitude":"x","longitude":1}}}',
        b'{"device_id":"a","location":{"coords":{"latitude":95,"longitude":1}}}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_wrong_body_is_an_input_error(body: bytes) -> None:
    with pytest.raises(InputError):
        traccar.decode_request(PhoneRequest(method="POST", query="", content_type="application/json", body=body))


def test_zero_zero_is_kept_and_marked() -> None:
    output = output_of([(5, osmand.decode_query("id=a&lat=0&lon=0"))], RECEIVED_US)
    assert output.batch["quality"].tolist() == [Quality.NULL_ISLAND | Quality.TIME_OF_ARRIVAL]


def test_a_wrong_optional_value_costs_only_itself() -> None:
    fix = osmand.decode_query("id=a&lat=1&lon=2&speed=fast&batt=140&altitude=7")
    assert (fix.lat_deg, fix.alt_msl_m, fix.speed_mps, fix.battery_ratio) == (1.0, 7.0, None, None)
    assert [text.split("=")[0] for text in fix.ignored] == ["speed", "batt"]
    assert output_of([(1, fix)], RECEIVED_US).bad == {"ignored_values": 2}


def test_a_call_for_help_becomes_an_event_even_without_a_place() -> None:
    raised = output_of([(5, osmand.decode_query("id=a&alarm=sos"))], RECEIVED_US)
    assert len(raised.batch) == 0
    assert [type(event).__name__ for event in raised.events] == ["SosRaised"]
    body = b'{"device_id":"a","location":{"coords":{"latitude":1,"longitude":2},"extras":{"alarm":"sos_cleared"}}}'
    request = PhoneRequest(method="POST", query="", content_type="application/json", body=body)
    cleared = output_of([(5, fix) for fix in traccar.decode_request(request)], RECEIVED_US)
    assert len(cleared.batch) == 1
    assert [type(event).__name__ for event in cleared.events] == ["SosCleared"]
