"""NMEA as a receiver writes it: sentences of one moment are one fix, in whatever order and pieces they come."""

from datetime import UTC, datetime

import pytest

from telemetry.model.batch import FIX_2D, FIX_3D, FIX_RTK_FIXED, UNKNOWN_I1, UNKNOWN_I2, Quality
from telemetry.model.commands import RequestPosition
from telemetry.model.decoding import Output, Peer, SourceContext
from telemetry.model.errors import InputError
from telemetry.model.unit import Device, DeviceOptions
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.sources.nmea import NmeaDecoder, message_reader, open_source

NOW_US = int(datetime(2026, 11, 21, 8, 0, 1, tzinfo=UTC).timestamp()) * 1_000_000
AT_US = NOW_US - 1_000_000


def sentence(body: str) -> bytes:
    total = 0
    for byte in body.encode():
        total ^= byte
    return f"${body}*{total:02X}\r\n".encode()


RMC = sentence("GNRMC,080000.00,A,3603.60000,N,10349.80000,E,019.4,084.4,211126,,,A,V")
GGA = sentence("GNGGA,080000.00,3603.60000,N,10349.80000,E,1,12,0.8,1520.4,M,-30.4,M,,")
GSA_2D = sentence("GNGSA,A,2,01,02,,,,,,,,,,,2.0,1.2,1.6")
VTG = sentence("GNVTG,084.4,T,,M,019.4,N,035.9,K,A")
NEXT = sentence("GNRMC,080001.00,A,3603.60100,N,10349.80000,E,019.4,084.4,211126,,,A,V")


def registry(*, revoked: bool = False, options: DeviceOptions | None = None) -> RegistryTable:
    device = Device(device_id=9, protocol="nmea", address="car7", revoked=revoked, options=options or DeviceOptions())
    return RegistryTable(RegistryContents(devices=(device,)))


def decoder(table: RegistryTable | None = None, host: str = "") -> NmeaDecoder:
    context = SourceContext(registry=table or registry(), link_group="car7")
    return open_source(context).decoder(Peer(transport="serial", host=host))


def test_the_sentences_of_one_moment_are_one_fix_that_leaves_when_it_is_whole() -> None:
    subject = decoder()
    begun = subject.feed(RMC + VTG, NOW_US)
    assert (len(begun.batch), begun.proven) == (0, (9,))
    output = subject.feed(GGA + GSA_2D, NOW_US)
    (row,) = output.batch
    assert output.proven == ()
    assert output.bad == {}
    assert (row["device_id"], row["observed_us"], row["received_us"]) == (9, AT_US, NOW_US)
    assert (row["lat_e7"], row["lon_e7"]) == (360_600_000, 1_038_300_000)
    assert (row["alt_msl_dm"], row["alt_hae_dm"]) == (15_204, 14_900)
    assert (row["speed_cmps"], row["course_ddeg"]) == (998, 844)
    assert (row["satellites"], row["accuracy_dm"], row["fix"], row["quality"]) == (12, 40, FIX_3D, 0)
    assert len(subject.tick(NOW_US + 1_000_000).batch) == 0, "a moment is told once"


def test_a_receiver_that_speaks_rmc_alone_is_heard_when_the_next_moment_begins_or_it_falls_silent() -> None:
    subject = decoder()
    assert len(subject.feed(RMC, NOW_US).batch) == 0
    assert subject.feed(NEXT, NOW_US + 1_000_000).batch["observed_us"].tolist() == [AT_US]
    assert len(subject.tick(NOW_US + 1_100_000).batch) == 0
    late = subject.tick(NOW_US + 1_300_000)
    assert late.batch["observed_us"].tolist() == [AT_US + 1_000_000]
    assert (late.batch[0]["satellites"], late.batch[0]["accuracy_dm"]) == (UNKNOWN_I1, UNKNOWN_I2)


def test_a_receiver_that_never_tells_the_date_is_dated_by_the_day_that_is_nearest() -> None:
    subject = decoder()
    midnight_us = NOW_US // 86_400_000_000 * 86_400_000_000
    before = sentence("GPGGA,235959.50,3603.6,N,10349.8,E,2,08,1.0,1520.4,M,,M,,")
    assert len(subject.feed(before, midnight_us + 200_000).batch) == 0
    (row,) = subject.tick(midnight_us + 500_000).batch
    assert row["observed_us"] == midnight_us - 500_000
    assert row["quality"] == Quality.TIME_ESTIMATED


@pytest.mark.parametrize(("date", "weeks"), [("211126", 0), ("070407", 1)])
def test_a_week_number_that_rolled_over_is_mended(date: str, weeks: int) -> None:
    subject = decoder()
    subject.feed(sentence(f"GPRMC,080000.00,A,3603.6,N,10349.8,E,,,{date},,,A"), NOW_US)
    (row,) = subject.tick(NOW_US + 500_000).batch
    assert row["observed_us"] == AT_US
    assert bool(row["quality"] & Quality.TIME_ESTIMATED) == bool(weeks)


def test_a_clock_that_is_merely_wrong_is_left_as_it_is() -> None:
    subject = decoder()
    subject.feed(sentence("GPRMC,080000.00,A,3603.6,N,10349.8,E,,,010120,,,A"), NOW_US)
    (row,) = subject.tick(NOW_US + 500_000).batch
    assert row["observed_us"] == int(datetime(2020, 1, 1, 8, tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("body", "quality", "fix"),
    [
        ("GPGGA,080000.00,3603.6,N,10349.8,E,0,00,,,M,,M,,", Quality.NO_FIX, 0),
        ("GPGGA,080000.00,3603.6,N,10349.8,E,4,20,0.5,1520.4,M,,M,,", Quality(0), FIX_RTK_FIXED),
        ("GPGGA,080000.00,3603.6,N,10349.8,E,8,20,0.5,1520.4,M,,M,,", Quality.MOCK, FIX_2D),
        ("GPRMC,080000.00,V,3603.6,N,10349.8,E,,,211126,,,N", Quality.NO_FIX, 0),
        ("GNGNS,080000.00,3603.6,N,10349.8,E,RRNN,20,0.5,1520.4,-30.4,,", Quality(0), FIX_RTK_FIXED),
        ("GPGLL,3603.6,N,10349.8,E,080000.00,A,A", Quality(0), UNKNOWN_I1),
    ],
)
def test_how_good_a_fix_is_is_told_as_the_receiver_says(body: str, quality: Quality, fix: int) -> None:
    subject = decoder()
    subject.feed(sentence(body), NOW_US)
    (row,) = subject.tick(NOW_US + 500_000).batch
    assert row["quality"] & ~Quality.TIME_ESTIMATED == quality
    assert row["fix"] == fix


def test_receivers_of_nmea_4_1_that_tell_no_navigational_status_have_a_fix_all_the_same() -> None:
    (read,) = message_reader(utc_offset_s=0).read(RMC)
    assert read.quality == Quality(0)  # type: ignore[union-attr]


def test_an_empty_mode_is_no_fix_unless_gga_says_there_is_one() -> None:
    empty = sentence("GPRMC,080000.00,A,3603.6,N,10349.8,E,,,211126,,,")
    alone, both = decoder(), decoder()
    alone.feed(empty, NOW_US)
    assert alone.tick(NOW_US + 500_000).batch[0]["quality"] == Quality.NO_FIX
    assert both.feed(empty + GGA, NOW_US).batch[0]["quality"] == 0


def test_noise_wrong_sums_ships_and_endless_lines_cost_themselves_and_are_counted() -> None:
    subject = decoder()
    wrong = RMC.replace(b"*", b"*0")
    ship = b"!AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0*5C\r\n"
    depth = sentence("SDDPT,2.4,0.0")
    stars = sentence("GPGSV,1,1,01,01,40,083,46")
    first = subject.feed(wrong + b"\xff\xfejunk\r\n" + ship + depth + stars + b"x" * 1000, NOW_US)
    assert first.bad == {"checksum": 1, "framing": 1, "other_sentences": 2, "overlong": 1}
    output = subject.feed(b"y" * 500 + b"\r\nnoise" + RMC + GGA, NOW_US)
    assert len(output.batch) == 1
    assert output.bad == {}


def test_a_receiver_that_has_no_fix_yet_proves_to_be_there_once() -> None:
    subject = decoder()
    cold = sentence("GPRMC,,V,,,,,,,,,,N")
    assert subject.feed(cold[:9], NOW_US).proven == ()
    assert subject.feed(cold[9:], NOW_US).proven == (9,)
    assert subject.feed(cold, NOW_US).proven == ()


def test_pieces_of_any_size_say_the_same() -> None:
    stream = RMC + VTG + GGA + GSA_2D + NEXT
    whole = decoder()
    expected = [whole.feed(stream, NOW_US), whole.tick(NOW_US + 500_000)]
    for size in (1, 3, 17, 80):
        subject = decoder()
        found = [subject.feed(stream[at : at + size], NOW_US) for at in range(0, len(stream), size)]
        found.append(subject.tick(NOW_US + 500_000))
        assert rows(found) == rows(expected)


def rows(outputs: list[Output]) -> list[tuple[object, ...]]:
    return [row.item() for output in outputs for row in output.batch]


def test_who_is_not_enrolled_is_quarantined_once_in_a_while_and_nothing_of_it_is_kept() -> None:
    table = RegistryTable()
    subject = decoder(table)
    outputs = [subject.feed(RMC + GGA, NOW_US), subject.feed(NEXT, NOW_US), subject.tick(NOW_US + 500_000)]
    assert rows(outputs) == []
    assert sum(output.bad.get("unknown_device", 0) for output in outputs) == 2
    (entry,) = table.quarantined()
    assert (entry.protocol, entry.address, entry.reason, entry.seen_count) == ("nmea", "car7", "unknown", 1)


def test_a_device_speaks_from_its_addresses_only_and_in_its_datum() -> None:
    table = registry(options=DeviceOptions(allowed_hosts=("10.0.0.0/8",), crs="gcj02"))
    assert decoder(table, host="192.0.2.1").feed(RMC + GGA, NOW_US).bad == {"unknown_device": 1}
    (row,) = decoder(table, host="10.1.2.3").feed(RMC + GGA, NOW_US).batch
    assert row["lat_e7"] != 360_600_000
    assert abs(int(row["lat_e7"]) - 360_600_000) < 100_000


def test_a_receiver_takes_no_orders() -> None:
    with pytest.raises(InputError, match="a receiver only speaks"):
        decoder().send(RequestPosition(device_id=9), NOW_US)
