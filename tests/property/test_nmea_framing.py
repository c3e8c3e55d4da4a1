"""However a stream of sentences or reports is cut, and whatever stands between them, the same positions come out of it."""

from collections.abc import Callable
from itertools import pairwise

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.model.decoding import Decoder, Peer, SourceContext
from telemetry.model.unit import Device
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.sources import find_link_sources

NOW_US = 1_790_000_000_000_000


def decoder(protocol: str) -> Decoder:
    device = Device(device_id=9, protocol=protocol, address="car7")
    context = SourceContext(registry=RegistryTable(RegistryContents(devices=(device,))), link_group="car7")
    return find_link_sources()[protocol](context).decoder(Peer(transport="serial"))


def sentence(body: str) -> bytes:
    total = 0
    for byte in body.encode():
        total ^= byte
    return f"${body}*{total:02X}\r\n".encode()


def nmea_moment(number: int) -> list[bytes]:
    clock, lat = f"{number // 60 % 24:02d}{number % 60:02d}00.00", f"{3600 + number % 60:04d}.50000"
    return [
        sentence(f"GPRMC,{clock},A,{lat},N,10349.80000,E,019.4,084.4,210926,,,A"),
        sentence(f"GPGGA,{clock},{lat},N,10349.80000,E,1,12,0.8,1520.4,M,-30.4,M,,"),
    ]


def gpsd_moment(number: int) -> list[bytes]:
    report = {"class": "TPV", "mode": 3, "time": NOW_US / 1e6 + number, "lat": 36 + number / 1000, "lon": 103.83}
    return [msgspec.json.encode(report) + b"\n"]


def fed(protocol: str, data: bytes, cuts: list[int]) -> list[tuple[object, ...]]:
    """Return the rows, the time of arrival left out."""
    subject = decoder(protocol)
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    outputs = [subject.feed(data[begin:end], NOW_US) for begin, end in pairwise(places)]
    outputs.append(subject.tick(NOW_US + 1_000_000))
    return [row.item()[:2] + row.item()[3:] for output in outputs for row in output.batch]


NOISE = st.one_of(
    st.binary(max_size=80).map(lambda data: data.replace(b"\n", b" ").replace(b"\r", b" ") + b"\r\n"),
    st.sampled_from([b"\r\n\r\n", b"$\r\n", b"!\r\n", b"{}\n", b'{"class":"SKY","uSat":4000}\n', b"$GPRMC,080000\r\n"]),
)
CUTS = st.lists(st.integers(0, 100_000), max_size=30)


def check(protocol: str, moment: Callable[[int], list[bytes]], noises: list[bytes], cuts: list[int]) -> None:
    clean = b"".join(line for number in range(len(noises)) for line in moment(number))
    noisy = b"".join(noise + b"".join(moment(number)) for number, noise in enumerate(noises))
    expected = fed(protocol, clean, [])
    assert len(expected) == len(noises)
    assert fed(protocol, clean, cuts) == expected
    assert fed(protocol, noisy, cuts) == expected


@settings(max_examples=150, deadline=None)
@given(st.lists(NOISE, min_size=1, max_size=8), CUTS)
def test_sentences_survive_cuts_and_noise(noises: list[bytes], cuts: list[int]) -> None:
    check("nmea", nmea_moment, noises, cuts)


@settings(max_examples=150, deadline=None)
@given(st.lists(NOISE, min_size=1, max_size=8), CUTS)
def test_reports_survive_cuts_and_noise(noises: list[bytes], cuts: list[int]) -> None:
    check("gpsd", gpsd_moment, noises, cuts)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["RMC", "GGA", "GNS", "GLL", "VTG", "GSA", "HDT", "ZDA"]),
            st.lists(st.text("0123456789.ANSEWV-,", max_size=12), max_size=18),
        ),
        max_size=6,
    )
)
def test_no_fields_break_an_epoch(sentences: list[tuple[str, list[str]]]) -> None:
    stream = b"".join(sentence(",".join([f"GP{kind}", *fields])) for kind, fields in sentences)
    for row in fed("nmea", stream, []):
        assert row[0] == 9
