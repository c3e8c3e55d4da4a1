"""Ground units of the demo stay on their beats, obey one-way streets, move at their pace and speak both dialects."""

import json
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from console.demo.city import lay_out
from console.demo.ground import HABITS, Streets, Walker
from console.demo.phone_client import PhoneReport, Sighting, request_of
from telemetry.model.geodesy import distance_m
from telemetry.model.phone import PhoneRequest
from telemetry.model.unit import UnitKind
from telemetry.sources import osmand, traccar

SEEN = Sighting(36.0612345, 103.8212345, 10.0, 271.5, 4.2, 0.83)


@pytest.fixture(scope="module")
def streets() -> Streets:
    return Streets(lay_out(4)[2])


def walker(streets: Streets, kind: UnitKind, seed: int = 1) -> Walker:
    return Walker(streets, kind, 36.056, 103.82, (seed, 3))


@pytest.mark.parametrize("kind", [UnitKind.OFFICER, UnitKind.MOTORCYCLE, UnitKind.CAR, UnitKind.MOBILE_ROOM])
def test_a_unit_stays_on_its_beat_and_below_its_pace(streets: Streets, kind: UnitKind) -> None:
    unit = walker(streets, kind)
    sightings = [unit.step(5.0) for _ in range(1500)]
    lat, lon = (np.array([getattr(seen, name) for seen in sightings]) for name in ("lat_deg", "lon_deg"))
    assert distance_m(lat[0], lon[0], lat, lon).max() < 2.2 * HABITS[kind].beat_m + 600.0
    moved_m = distance_m(lat[:-1], lon[:-1], lat[1:], lon[1:])
    fastest_mps = 1.3 * (HABITS[kind].own_speed_mps + HABITS[kind].road_speed_share * 18.0)
    assert np.percentile(moved_m, 99) <= 5.0 * fastest_mps + 12.0
    if kind in (UnitKind.CAR, UnitKind.MOTORCYCLE):
        assert moved_m.sum() > 5_000
    if kind is UnitKind.MOBILE_ROOM:
        assert distance_m(lat[0], lon[0], lat, lon).max() < 15.0
        assert all(seen.course_deg is None for seen in sightings)


def test_the_same_seed_walks_the_same_way(streets: Streets) -> None:
    def way_of(seed: int) -> list[Sighting]:
        unit = walker(streets, UnitKind.CAR, seed)
        return [unit.step(3.0) for _ in range(50)]

    assert way_of(1) == way_of(1)
    assert way_of(1) != way_of(2)


def test_who_is_told_to_halt_stays(streets: Streets) -> None:
    unit = walker(streets, UnitKind.OFFICER)
    unit.halt(90.0)
    lat, lon = zip(*[unit.step(5.0)[:2] for _ in range(18)], strict=True)
    assert distance_m(lat[0], lon[0], np.array(lat), np.array(lon)).max() < 25.0


@pytest.mark.parametrize(("dialect", "source"), [("osmand", osmand), ("traccar", traccar)])
def test_a_report_says_the_same_in_both_dialects(dialect: str, source: object) -> None:
    report = PhoneReport("tok-en_1", dialect, 1_790_000_000_123_000, SEEN, "sos")
    head, _, body = request_of(report, "h:1").partition(b"\r\n\r\n")
    line, *fields = head.decode().split("\r\n")
    kind = "application/json" if body else ""
    request = PhoneRequest(method=line.split()[0], query=urlsplit(line.split()[1]).query, content_type=kind, body=body)
    (fix,) = source.decode_request(request)  # type: ignore[attr-defined]
    assert fix.token == "tok-en_1"
    assert fix.observed_us == 1_790_000_000_123_000
    assert (fix.lat_deg, fix.lon_deg) == pytest.approx((SEEN.lat_deg, SEEN.lon_deg), abs=1e-7)
    assert fix.speed_mps == pytest.approx(10.0, abs=0.01)
    assert fix.course_deg == pytest.approx(271.5)
    assert fix.battery_ratio == pytest.approx(0.83)
    assert fix.alarm == "sos"
    assert not fix.ignored
    assert "Host: h:1" in fields


def test_a_standing_units_course_is_unknown_and_no_alarm_is_no_field() -> None:
    still = SEEN._replace(speed_mps=0.0, course_deg=None)
    query = request_of(PhoneReport("t", "osmand", 1_790_000_000_000_000, still), "h").decode().split()[1]
    assert not {"bearing", "alarm"} & parse_qs(urlsplit(query).query).keys()
    body = json.loads(
        request_of(PhoneReport("t", "traccar", 1_790_000_000_000_000, still), "h").partition(b"\r\n\r\n")[2]
    )
    assert body["location"]["coords"]["heading"] == -1
    assert body["location"]["extras"] == {}
