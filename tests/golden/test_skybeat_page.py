"""The phone page's requests as its browser sends them, with the values that they stand for; and what must not be a position."""

import msgspec
import pytest

from console.api import models_incidents
from telemetry.model.batch import UNKNOWN_I2, UNKNOWN_I4
from telemetry.model.errors import InputError, UnknownCrsError
from telemetry.model.phone import PhoneFix, PhoneRequest, output_of
from telemetry.sources import find_phone_sources, osmand, skybeat, traccar

RECEIVED_US = 1_790_000_001_500_000
PIXEL = (
    b'{"observed_ms":1790000001234,"lat_deg":36.0611234,"lon_deg":103.8343217,"crs":"wgs84","accuracy_m":4.7,'
    b'"alt_hae_m":1519.4,"speed_mps":1.32,"course_deg":87.25,"battery_ratio":0.61}'
)
"""Chromium on Android, walking: everything is known."""
DESK = b'{"observed_ms":1790000001234.567,"lat_deg":36.06,"lon_deg":103.83,"accuracy_m":0,"alt_hae_m":null,"speed_mps":null}'
"""A desktop browser: a place by its network, nothing else."""
SHIFTED = b'{"observed_ms":1790000001234,"lat_deg":36.0597,"lon_deg":103.8365,"crs":"gcj02"}'
BOTH = (
    b'{"positions":[{"observed_ms":1790000000000,"lat_deg":36.06,"lon_deg":103.83},'
    b'{"observed_ms":1790000001000,"lat_deg":36.0601,"lon_deg":103.83}],'
    b'"sos":{"observed_ms":1790000001000,"text":"two men with knives"}}'
)


def request_of(body: bytes, content_type: str = skybeat.CONTENT_TYPE) -> PhoneRequest:
    return PhoneRequest(method="POST", query="", content_type=content_type, body=body)


def test_a_phone_that_knows_everything_reaches_the_batch_in_its_scales() -> None:
    output = output_of([(5, skybeat.decode_position(PIXEL))], RECEIVED_US)
    row = output.batch[0]
    assert (row["lat_e7"], row["lon_e7"]) == (360_611_234, 1_038_343_217)
    assert (row["speed_cmps"], row["course_ddeg"], row["accuracy_dm"], row["battery_pct"]) == (132, 872, 47, 61)
    assert (row["alt_hae_dm"], row["alt_msl_dm"]) == (15_194, UNKNOWN_I4)
    assert (row["observed_us"], row["received_us"]) == (1_790_000_001_234_000, RECEIVED_US)
    assert row["quality"] == 0


def test_what_a_browser_does_not_know_is_unknown_and_never_zero() -> None:
    fix = skybeat.decode_position(DESK)
    assert fix == PhoneFix(lat_deg=36.06, lon_deg=103.83, observed_us=1_790_000_001_234_567)
    row = output_of([(5, fix)], RECEIVED_US).batch[0]
    assert (row["speed_cmps"], row["accuracy_dm"]) == (UNKNOWN_I2, UNKNOWN_I2)


def test_a_shifted_place_is_brought_back_and_an_unknown_system_refused() -> None:
    fix = skybeat.decode_position(SHIFTED)
    assert fix.lat_deg is not None
    assert fix.lon_deg is not None
    assert 0.0005 < abs(fix.lat_deg - 36.0597) + abs(fix.lon_deg - 103.8365) < 0.01
    with pytest.raises(UnknownCrsError, match="allowed are wgs84"):
        skybeat.decode_position(SHIFTED.replace(b"gcj02", b"utm48"))


def test_the_ingest_listener_finds_the_room_by_its_own_content_type_alone() -> None:
    assert skybeat in find_phone_sources()
    assert skybeat.recognises(request_of(BOTH))
    for source in (osmand, traccar):
        assert not source.recognises(request_of(b"", skybeat.CONTENT_TYPE))
    assert not skybeat.recognises(request_of(BOTH, "application/json"))
    fixes = skybeat.decode_request(request_of(BOTH))
    assert [fix.alarm for fix in fixes] == [None, None, "sos"]
    output = output_of([(5, fix) for fix in fixes], RECEIVED_US)
    assert len(output.batch) == 2
    assert [getattr(event, "text", None) for event in output.events] == ["two men with knives"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"observed_ms":1,"lat_deg":36}',
        b'{"observed_ms":1,"lat_deg":91,"lon_deg":103}',
        b'{"observed_ms":1,"lat_deg":36,"lon_deg":181}',
        b'{"observed_ms":1,"lat_deg":0,"lon_deg":181}',
        b'{"observed_ms":1,"lat_deg":NaN,"lon_deg":103}',
        b'{"observed_ms":1,"lat_deg":"36","lon_deg":103}',
        b'{"observed_ms":1e300,"lat_deg":36,"lon_deg":103}',
        b'{"observed_ms":1,"lat_deg":36,"lon_deg":103,"accuracy_m":-1}',
        b'{"observed_ms":1,"lat_deg":36,"lon_deg":103,"battery_ratio":61}',
        b'{"observed_ms":1,"lat_deg":36,"lon_deg":103,"unit_id":4}',
    ],
)
def test_a_wrong_position_is_an_input_error(body: bytes) -> None:
    with pytest.raises(InputError):
        skybeat.decode_position(body)


@pytest.mark.parametrize(
    ("body", "is_placed"),
    [
        (b'{"observed_ms":1790000001000,"position":' + PIXEL + b"}", True),
        (b'{"observed_ms":1e300,"position":' + PIXEL + b"}", False),
        (b'{"observed_ms":1,"position":{"observed_ms":1,"lat_deg":95,"lon_deg":0}}', False),
        (b'{"observed_ms":1,"position":{"observed_ms":1,"lat_deg":1,"lon_deg":2,"crs":"moon"}}', False),
        (b'{"observed_ms":1,"position":"here"}', False),
        (b'{"observed_ms":1,"text":"' + b"x" * 500 + b'"}', False),
        (b"{}", False),
        (b"help", False),
        (b"", False),
    ],
)
def test_whoever_calls_for_help_is_heard_however_wrong_the_rest_is(body: bytes, *, is_placed: bool) -> None:
    fix = skybeat.decode_sos(body)
    output = output_of([(5, fix)], RECEIVED_US)
    assert [type(event).__name__ for event in output.events] == ["SosRaised"]
    assert len(output.batch) == is_placed


def test_the_interface_describes_what_the_decoder_takes() -> None:
    for described, taken in (
        (models_incidents.PositionReport, skybeat.Position),
        (models_incidents.SosReport, skybeat.Sos),
    ):
        fields = [{field.name for field in msgspec.structs.fields(kind)} for kind in (described, taken)]
        assert fields[0] == fields[1]
