"""The load of the pipeline's benchmark: its frames are what terminals and vehicles say, each row another second."""

import asyncio

import numpy as np
import pytest

from console.bench.pipeline.browser import Browser
from console.bench.pipeline.frames import (
    FIRST_LAT_E6,
    FRAMES_AT_ONCE,
    ROWS_A_BATCH,
    STEPS_E6,
    Journey,
    flights,
    packed_times,
)
from telemetry.model.decoding import Peer, SourceContext
from telemetry.model.unit import CHINA_OFFSET_S, Device
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.sources.jt808 import Jt808Source
from telemetry.sources.jt808.codes import packed_time
from telemetry.sources.jt808.terminal import Edition, Terminal

PHONE, CODE = "13900000001", "0" * 32
FIRST_S = 1_790_000_000
NOW_US = FIRST_S * 1_000_000 + 3_600_000_000


@pytest.mark.parametrize("rows_a_frame", [1, ROWS_A_BATCH])
def test_every_frame_is_taken_and_no_place_comes_twice(rows_a_frame: int) -> None:
    device = Device(device_id=1, protocol="jt808", address=PHONE)
    registry = RegistryTable(RegistryContents(devices=(device,), secrets={1: CODE.encode()}))
    decoder = Jt808Source(SourceContext(registry=registry, link_group="bench")).decoder(Peer(transport="tcp"))
    decoder.feed(Terminal(PHONE, edition=Edition.E2013, code=CODE).connect(), NOW_US)
    journey = Journey(PHONE, 1, first_s=FIRST_S, rows_a_frame=rows_a_frame)
    frames = [journey.next_frame() for _ in range(2 * FRAMES_AT_ONCE)]
    outputs = [decoder.feed(frame, NOW_US) for frame in frames]
    batch = np.concatenate([output.batch for output in outputs])
    count = rows_a_frame * len(frames)
    assert len(batch) == count
    places = FIRST_LAT_E6 * 10 + np.arange(count) * STEPS_E6[rows_a_frame] * 10
    assert batch["lat_e7"].tolist() == places.tolist()
    if rows_a_frame == ROWS_A_BATCH:
        assert (batch["observed_us"] // 1_000_000).tolist() == [FIRST_S + n for n in range(count)]
    assert not any(output.bad for output in outputs)
    assert all(output.replies for output in outputs)


def test_times_are_packed_as_a_terminal_packs_them() -> None:
    seconds = np.array([FIRST_S, FIRST_S + 86_399, 951_782_400, 1_735_660_799])
    assert [bytes(row) for row in packed_times(seconds)] == [
        packed_time(int(second) * 1_000_000, CHINA_OFFSET_S) for second in seconds
    ]


def test_vehicles_say_where_they_are_and_now_and_then_that_they_are_there() -> None:
    rounds = flights(3, 2.0, 10.0, first_ms=60_000)
    assert [len(datagrams) for datagrams in rounds] == [6] + [3] * 19
    assert len({datagram for datagrams in rounds for datagram in datagrams}) == 6 + 3 * 19


class Line:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)


async def test_the_browser_counts_frames_however_they_are_cut_and_answers_pings() -> None:
    large, small = b"\x82\x7e" + (300).to_bytes(2) + bytes(300), b"\x82\x05hello"
    stream = b"HTTP/1.1 101 X\r\n\r\n" + large + b"\x89\x02hi" + small + b"\x81\x02{}" + large + small
    for step in (1, 7, 64, len(stream)):
        browser, line = Browser(1, "cookie"), Line()
        browser.connection_made(line)  # type: ignore[arg-type]
        for at in range(0, len(stream), step):
            browser.data_received(stream[at : at + step])
        await asyncio.wait_for(browser.greeted, 1)
        assert browser.frames == 4
        assert len(line.written) == 3
