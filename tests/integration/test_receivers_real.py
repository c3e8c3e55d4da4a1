"""A gpsd that replays a drive by gpsfake, and a receiver on a serial line: both through the links that a server opens."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from telemetry.links.dialling import DiallingLink
from telemetry.links.link import Link
from telemetry.links.serial import SerialLink
from telemetry.links.url import parse_link_url
from telemetry.model.batch import FIX_3D
from telemetry.model.decoding import Decoder, Peer, SourceContext
from telemetry.model.unit import Device
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.sources import find_link_sources
from tests.link_scene import FakeKeeper, context_of, eventually
from tests.mqtt_house import free_port


def sentence(body: str) -> str:
    total = 0
    for byte in body.encode():
        total ^= byte
    return f"${body}*{total:02X}\r\n"


def drive(seconds: int) -> str:
    """Return a drive to the north, one moment a second."""
    said = []
    for second in range(seconds):
        lat = 3603.6 + second * 0.01
        said.append(sentence(f"GPRMC,0800{second:02d}.00,A,{lat:.5f},N,10349.80000,E,019.4,000.0,211126,,,A"))
        said.append(sentence(f"GPGGA,0800{second:02d}.00,{lat:.5f},N,10349.80000,E,1,08,0.9,1520.4,M,-30.4,M,,"))
        said.append(sentence("GPGSA,A,3,01,02,03,04,05,06,07,08,,,,,1.5,0.9,1.2"))
    return "".join(said)


@pytest.fixture
def gpsd_port(tmp_path: Path) -> Iterator[int]:
    """A gpsd that hears a drive over and over, ten moments a second."""
    if shutil.which("gpsfake") is None or not Path("/usr/sbin/gpsd").exists():
        pytest.skip("NO GPSD: install Debian's packages gpsd and gpsd-clients to run this test")
    recording, port = tmp_path / "drive.nmea", free_port()
    recording.write_text(drive(50))
    process = subprocess.Popen(
        ["gpsfake", "-q", "-S", "-c", "0.1", "-P", str(port), str(recording)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"},
        start_new_session=True,
    )
    yield port
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(10)


def decoder_of(url: str, peer: Peer) -> Decoder:
    parsed = parse_link_url(url)
    device = Device(device_id=9, protocol=parsed.protocol, address=parsed.link_group)
    registry = RegistryTable(RegistryContents(devices=(device,)))
    context = SourceContext(registry=registry, link_group=parsed.link_group, options=parsed.source_options)
    return find_link_sources()[parsed.protocol](context).decoder(peer)


@contextlib.asynccontextmanager
async def running(link: Link) -> AsyncIterator[Link]:
    task = asyncio.create_task(link.run())
    ticking = asyncio.create_task(_tick(link))
    try:
        yield link
    finally:
        link.close()
        for each in (task, ticking):
            each.cancel()
        await asyncio.gather(task, ticking, return_exceptions=True)


async def _tick(link: Link) -> None:
    now_us = 1_790_000_000_000_000
    while True:
        await asyncio.sleep(0.05)
        now_us += 250_000
        link.tick(now_us)


async def test_gpsd_is_asked_and_heard_through_a_tcp_link(gpsd_port: int) -> None:
    url, keeper = f"gpsd+tcp:127.0.0.1:{gpsd_port}#car7", FakeKeeper()
    link = DiallingLink(parse_link_url(url), context_of(keeper, lambda peer: decoder_of(url, peer)))
    async with running(link):
        await eventually(lambda: len(keeper.rows) >= 12, within_s=30)
    rows = keeper.rows[4:]
    assert set(rows["device_id"].tolist()) == {9}
    assert set(rows["fix"].tolist()) == {FIX_3D}
    assert set(rows["lon_e7"].tolist()) == {1_038_300_000}
    assert set(rows["speed_cmps"].tolist()) == {998}
    assert set(rows["alt_msl_dm"].tolist()) == {15_204}
    steps_e7 = {int(step) for step in rows["lat_e7"][1:] - rows["lat_e7"][:-1]}
    assert steps_e7 <= {1_666, 1_667, 1_668} or min(steps_e7) < 0, (
        "a hundredth of a minute a second; the drive begins anew"
    )


async def test_a_receiver_on_a_serial_line_is_heard(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    plug = tmp_path / "ttyUSB0"
    plug.symlink_to(os.ttyname(theirs))
    url, keeper = f"nmea+serial:{plug}?baud=9600#car7", FakeKeeper()
    link = SerialLink(parse_link_url(url), context_of(keeper, lambda peer: decoder_of(url, peer)))
    async with running(link):
        await eventually(lambda: link.status().state == "open")
        data = b"\xff\x00half of a sente" + drive(3).encode()
        for at in range(0, len(data), 50):
            os.write(ours, data[at : at + 50])
            await asyncio.sleep(0)
        await eventually(lambda: len(keeper.rows) == 3)
    assert keeper.rows["satellites"].tolist() == [8, 8, 8]
    os.close(ours)
    os.close(theirs)
