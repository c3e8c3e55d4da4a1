"""What a Traccar server forwards: one position of one of its devices, in knots, with its alarms."""

from typing import Any

import msgspec
import pytest

from telemetry.model.batch import Quality
from telemetry.model.errors import InputError
from telemetry.model.events import AlarmKind, DeviceAlarm, SosRaised
from telemetry.model.phone import PhoneFix, PhoneRequest, output_of
from telemetry.sources import traccar

NOW_US = 1_790_000_100_000_000
POSITION: dict[str, Any] = {
    "id": 12345, "deviceId": 10, "protocol": "gt06", "serverTime": "2026-09-21T14:13:23.000+00:00",
    "deviceTime": "2026-09-21T14:13:22.000+00:00", "fixTime": "2026-09-21T14:13:21.000+00:00", "outdated": False, "valid": True,
    "latitude": 36.06, "longitude": 103.83, "altitude": 1520.0, "speed": 19.4384, "course": 180.0, "address": None,
    "accuracy": 0.0, "network": None, "geofenceIds": None,
    "attributes": {"batteryLevel": 85, "sat": 9, "motion": True, "distance": 15.4},
}  # fmt: skip
DEVICE: dict[str, Any] = {
    "id": 10,
    "name": "Car 01",
    "uniqueId": "123456789012345",
    "status": "online",
    "attributes": {},
}


def forwarded(position: dict[str, Any] | None = POSITION, device: dict[str, Any] = DEVICE) -> list[PhoneFix]:
    body = msgspec.json.encode({"device": device} if position is None else {"position": position, "device": device})
    request = PhoneRequest(method="POST", query="", content_type="application/json", body=body)
    assert traccar.recognises(request)
    return traccar.decode_request(request)


def with_attributes(**attributes: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever JSON holds
    return {**POSITION, "attributes": attributes}


def test_a_position_is_told_in_our_units_under_the_servers_name_of_the_device() -> None:
    (fix,) = forwarded()
    assert fix.speaks_for == "123456789012345"
    (row,) = output_of([(5, fix)], NOW_US).batch
    assert row["observed_us"] == 1_790_000_001_000_000
    assert (row["lat_e7"], row["lon_e7"], row["alt_msl_dm"]) == (360_600_000, 1_038_300_000, 15_200)
    assert (row["speed_cmps"], row["course_ddeg"], row["battery_pct"], row["satellites"]) == (1000, 1800, 85, 9)
    assert row["quality"] == 0


@pytest.mark.parametrize(
    ("change", "quality"),
    [
        ({"valid": False}, Quality.NO_FIX),
        ({"outdated": True}, Quality.NO_FIX),
        ({"attributes": {"archive": True}}, Quality.ARCHIVE),
        ({"fixTime": None}, Quality(0)),
        ({"fixTime": None, "deviceTime": None}, Quality.TIME_OF_ARRIVAL),
        ({"latitude": 0, "longitude": 0}, Quality.NULL_ISLAND),
    ],
)
def test_what_the_server_knows_of_a_position_is_kept_with_it(change: dict[str, Any], quality: Quality) -> None:
    assert forwarded({**POSITION, **change})[0].quality == quality


def test_alarms_become_events() -> None:
    (fix,) = forwarded(with_attributes(alarm="sos,powerCut, powerRestored,hardBraking"))
    raised, cut, restored = output_of([(5, fix)], NOW_US).events
    assert isinstance(raised, SosRaised)
    assert isinstance(cut, DeviceAlarm)
    assert isinstance(restored, DeviceAlarm)
    assert (cut.alarm, cut.active, cut.code) == (AlarmKind.POWER_CUT, True, "traccar:powerCut")
    assert (restored.alarm, restored.active) == (AlarmKind.POWER_CUT, False)


def test_wrong_optional_values_cost_only_themselves() -> None:
    (fix,) = forwarded({**POSITION, "speed": "fast", "course": 900, "attributes": {"batteryLevel": 300, "alarm": 7}})
    assert {text.split("=")[0] for text in fix.ignored} == {"speed", "batteryLevel", "course"}
    assert fix.lat_deg == 36.06


def test_an_event_without_a_position_is_no_report() -> None:
    assert forwarded(None) == []


@pytest.mark.parametrize(
    ("position", "device"),
    [
        ({**POSITION, "latitude": 91}, DEVICE),
        ({**POSITION, "latitude": "36"}, DEVICE),
        ({**POSITION, "fixTime": "yesterday"}, DEVICE),
        (POSITION, {"uniqueId": " "}),
        (POSITION, {"uniqueId": None}),
    ],
)
def test_what_cannot_be_read_is_said(position: dict[str, Any], device: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        forwarded(position, device)
