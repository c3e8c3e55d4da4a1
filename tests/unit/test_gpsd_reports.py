"""gpsd's JSON: asked once, then heard; what a report does not know is unknown."""

import msgspec
import pytest

from telemetry.model.batch import FIX_2D, FIX_3D, FIX_RTK_FIXED, Quality
from telemetry.model.commands import SendText
from telemetry.model.decoding import Peer, SourceContext
from telemetry.model.errors import InputError
from telemetry.model.reading import ReadError, ReadMessage, ReadPosition
from telemetry.model.unit import Device
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.sources.gpsd import WATCH, GpsdDecoder, message_reader, open_source

NOW_US = 1_790_000_001_000_000
TPV = {
    "class": "TPV", "device": "/dev/ttyACM0", "mode": 3, "time": "2026-09-21T14:13:20.500Z", "lat": 36.06, "lon": 103.83,
    "altMSL": 1520.4, "altHAE": 1490.0, "speed": 9.98, "track": 84.4, "climb": -0.5, "eph": 4.2,
}  # fmt: skip
SKY = {"class": "SKY", "uSat": 11, "nSat": 20}


def line(report: dict[str, object]) -> bytes:
    return msgspec.json.encode(report) + b"\r\n"


def decoder(**options: str) -> GpsdDecoder:
    device = Device(device_id=9, protocol="gpsd", address="car7")
    registry = RegistryTable(RegistryContents(devices=(device,)))
    context = SourceContext(registry=registry, link_group="car7", options=options)
    return open_source(context).decoder(Peer(transport="tcp", host="127.0.0.1", port=2947))


def test_gpsd_is_asked_once_to_report() -> None:
    subject = decoder()
    assert [reply.data for reply in subject.tick(NOW_US).replies] == [WATCH]
    assert subject.tick(NOW_US).replies == ()
    assert subject.feed(line({"class": "VERSION", "release": "3.22"}), NOW_US).replies == ()
    assert [reply.data for reply in decoder().feed(b"{", NOW_US).replies] == [WATCH]


def test_a_report_becomes_a_row_with_the_satellites_that_were_told_before() -> None:
    subject = decoder()
    data = line(SKY) + line(TPV)
    assert len(subject.feed(data[:70], NOW_US).batch) == 0
    output = subject.feed(data[70:], NOW_US)
    (row,) = output.batch
    assert output.proven == (9,)
    assert (row["observed_us"], row["received_us"]) == (1_790_000_000_500_000, NOW_US)
    assert (row["lat_e7"], row["lon_e7"], row["alt_msl_dm"], row["alt_hae_dm"]) == (
        360_600_000,
        1_038_300_000,
        15_204,
        14_900,
    )
    assert (row["speed_cmps"], row["climb_cmps"], row["course_ddeg"], row["accuracy_dm"]) == (998, -50, 844, 42)
    assert (row["satellites"], row["fix"], row["quality"]) == (11, FIX_3D, 0)


def test_a_moment_is_told_once() -> None:
    subject = decoder()
    assert len(subject.feed(line(TPV) + line({**TPV, "altMSL": 1.0}), NOW_US).batch) == 1
    assert len(subject.feed(line(TPV), NOW_US).batch) == 0
    assert len(subject.feed(line({**TPV, "time": "2026-09-21T14:13:21.500Z"}), NOW_US).batch) == 1


@pytest.mark.parametrize(
    ("change", "quality", "fix"),
    [
        ({"mode": 2}, Quality(0), FIX_2D),
        ({"status": 3}, Quality(0), FIX_RTK_FIXED),
        ({"mode": 1}, Quality.NO_FIX, 0),
        ({"status": 8}, Quality.MOCK, FIX_3D),
        ({"time": None}, Quality.TIME_OF_ARRIVAL, FIX_3D),
        ({"time": "never"}, Quality.TIME_OF_ARRIVAL, FIX_3D),
        ({"lat": 0, "lon": 0}, Quality.NULL_ISLAND, FIX_3D),
    ],
)
def test_what_a_report_says_of_itself_is_kept_with_it(change: dict[str, object], quality: Quality, fix: int) -> None:
    (row,) = decoder().feed(line({**TPV, **change}), NOW_US).batch
    assert (row["quality"], row["fix"]) == (quality, fix)


def test_what_says_no_place_is_no_row() -> None:
    output = decoder().feed(
        line({"class": "TPV", "mode": 1}) + line({**TPV, "lat": "36"}) + line({**TPV, "lat": 91}), NOW_US
    )
    assert len(output.batch) == 0
    assert output.bad == {"no_place": 3}


def test_one_receiver_of_several_can_be_chosen() -> None:
    other = {**TPV, "device": "/dev/ttyUSB1", "lat": 1}
    subject = decoder(device="/dev/ttyACM0")
    assert subject.feed(line(other) + line(TPV), NOW_US).batch["lat_e7"].tolist() == [360_600_000]


def test_broken_lines_cost_themselves() -> None:
    subject = decoder()
    assert subject.feed(b"{]\n[]\n\xff\n" + line(TPV), NOW_US).bad == {"json": 3}
    assert subject.feed(b"x" * 70_000, NOW_US).bad == {"overlong": 1}
    assert len(subject.feed(b"\n" + line({**TPV, "time": None}), NOW_US).batch) == 1
    with pytest.raises(InputError, match="a receiver only speaks"):
        subject.send(SendText(device_id=9, text="hello"), NOW_US)


def test_reports_are_read_one_by_one() -> None:
    reader = message_reader(utc_offset_s=0)
    first, second, third = reader.split(line(TPV) + b"\n" + line(SKY) + b"nonsense")
    (place,), (sky,), (wrong,) = reader.read(first), reader.read(second), reader.read(third)
    assert isinstance(place, ReadPosition)
    assert (place.lat_deg, place.observed_us) == (36.06, 1_790_000_000_500_000)
    assert isinstance(sky, ReadMessage)
    assert isinstance(wrong, ReadError)
