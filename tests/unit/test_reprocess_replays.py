"""Bytes of real protocols, fed again from the raw log, give the very rows that were recorded: from the start and from anywhere."""

from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from telemetry.links.tap import HTTP, RawChunk
from telemetry.links.url import parse_link_url
from telemetry.model.batch import Batch, concatenate, new_batch, sort_for_storage
from telemetry.model.decoding import Peer, SourceContext
from telemetry.model.unit import Device
from telemetry.raw.recorded_rows import Differences, RecordedRows, differences
from telemetry.raw.reprocess import WARM_UP_US, ReplayRegistry, Reprocessor
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.sources import find_link_sources
from telemetry.sources.mavlink.signing import Signer
from telemetry.tracking.tracker import Tracker
from tests import gb28181_scene, jt808_scene, mavlink_scene
from tests.jt808_scene import Call, fix_at

START_US = 1_790_000_000_000_000
MINUTE_US = 60_000_000


class TableInMemory(RecordedRows):
    """The recorded rows as an array: what differs is counted, nothing is written."""

    def __init__(self, rows: Batch) -> None:
        self.rows = sort_for_storage(rows)
        self.new, self.denied = new_batch(0), new_batch(0)

    def mend(self, given: Batch, arrivals: set[tuple[int, int]], *, is_dry_run: bool = False) -> dict[int, Differences]:
        assert not is_dry_run
        new, denied = differences(sort_for_storage(given), self.rows, arrivals)
        self.new, self.denied = concatenate([self.new, new]), concatenate([self.denied, denied])
        return {}


def heard_by(protocol: str, link: str, pieces: list[tuple[int, bytes]], device_ids: tuple[int, ...]) -> list[RawChunk]:
    return [
        RawChunk(
            link=link,
            protocol=protocol,
            link_group="g",
            transport="tcp",
            host="127.0.0.1",
            port=40_000,
            received_us=now_us,
            device_ids=device_ids,
            data=data,
        )
        for now_us, data in pieces
    ]


def a_vehicle() -> tuple[RegistryContents, list[RawChunk]]:
    """A JT/T 808 terminal that proves itself once and reports for half an hour, live and from its memory."""
    contents = RegistryContents(devices=(jt808_scene.device_of(),), secrets={7: jt808_scene.CODE.encode()})
    call = Call(registry=RegistryTable(contents))
    pieces: list[tuple[int, bytes]] = []
    pieces.append((call.now_us, call.terminal.connect()))
    call.hear(call.decoder.feed(pieces[0][1], call.now_us))
    for number in range(180):
        call.now_us += 10_000_000
        data = call.terminal.position(fix_at(call.now_us - 1_500_000, lat_deg=29.5 + number * 1e-4)).data
        if number % 30 == 29:
            data += call.terminal.batch(
                [fix_at(call.now_us - 500_000_000 - k * 1_000_000) for k in range(20)], archive=True
            ).data
        cut = number % len(data)
        pieces += [(call.now_us, data[:cut]), (call.now_us + 40_000, data[cut:])]
    return contents, heard_by("jt808", "jt808+tcpin:127.0.0.1:8808#g", pieces, (7,))


def a_camera() -> tuple[RegistryContents, list[RawChunk]]:
    """A GB/T 28181 camera that registers with its password and reports for half an hour."""
    contents = RegistryContents(devices=(gb28181_scene.device(),), secrets={1: gb28181_scene.PASSWORD.encode()})
    scene = gb28181_scene.Scene(table=RegistryTable(contents))
    pieces: list[tuple[int, bytes]] = []

    def note() -> None:
        pieces.extend((scene.now_us, data) for data in scene.heard[len(pieces) :])

    scene.deliver(scene.camera.start(scene.now_us))
    note()
    for number in range(180):
        scene.run(10, step_s=10)
        scene.deliver(scene.camera.report([gb28181_scene.fix(scene.now_us, lat_deg=36 + number * 1e-4)], scene.now_us))
        note()
    link = f"gb28181+udpin:127.0.0.1:5060?id={gb28181_scene.SERVER_ID}&realm={gb28181_scene.REALM}#g"
    return contents, heard_by("gb28181", link, pieces, (1,))


def a_signed_drone() -> tuple[RegistryContents, list[RawChunk]]:
    """A drone with a key whose times are estimated from its boot clock."""
    device = Device(device_id=1, protocol="mavlink", address="g/1")
    contents = RegistryContents(devices=(device,), signing_keys={1: mavlink_scene.KEY})
    drone = mavlink_scene.Drone(signer=Signer(mavlink_scene.KEY, link_id=1))
    pieces = [
        (now_us, b"".join(drone.frames_at(tick, now_us)))
        for tick, now_us in enumerate(range(START_US, START_US + 25 * MINUTE_US, 100_000))
        if tick % 20 == 0
    ]
    return contents, heard_by("mavlink", "udpin:127.0.0.1:14550#g", pieces, (1,))


def recorded(registry: RegistryTable, chunks: list[RawChunk]) -> Batch:
    """What was recorded when the bytes came for the first time."""
    options = parse_link_url(chunks[0].link).source_options
    context = SourceContext(registry=registry, link_group="g", options=options, process_secret=bytes(32))
    source = find_link_sources()[chunks[0].protocol](context)
    decoder = source.decoder(Peer(transport="tcp", host="127.0.0.1", port=40_000, is_trusted=True, allow_unsigned=True))
    tracker = Tracker(registry)
    return concatenate(
        [tracker.apply(decoder.feed(chunk.data, chunk.received_us).batch, chunk.received_us).batch for chunk in chunks]
    )


@pytest.mark.parametrize("scene", [a_vehicle, a_camera, a_signed_drone])
@pytest.mark.parametrize("from_minute", [0, 7, 15])
def test_a_replay_with_the_same_decoder_changes_nothing(
    scene: Callable[[], tuple[RegistryContents, list[RawChunk]]], from_minute: int
) -> None:
    contents, chunks = scene()
    rows = recorded(RegistryTable(contents), chunks)
    table = TableInMemory(rows)
    from_us = START_US + from_minute * MINUTE_US
    reprocessor = Reprocessor(ReplayRegistry(contents), table, from_us=from_us, to_us=START_US + 60 * MINUTE_US)
    report = reprocessor.run([chunk for chunk in chunks if chunk.received_us >= from_us - WARM_UP_US])
    asked = rows[rows["received_us"] >= from_us]
    assert report.rows_decoded == len(asked) > 80
    assert (len(table.new), len(table.denied)) == (0, 0), (table.new[:2], table.denied[:2])
    assert report.unreadable == 0
    assert np.unique(asked["device_id"]).tolist() == list(chunks[0].device_ids)


def test_who_never_proved_to_be_the_device_is_not_believed_in_a_replay_either() -> None:
    contents, chunks = a_vehicle()
    strangers = [msgspec.structs.replace(chunk, device_ids=()) for chunk in chunks]
    table = TableInMemory(new_batch(0))
    report = Reprocessor(ReplayRegistry(contents), table, from_us=START_US, to_us=START_US + 60 * MINUTE_US).run(
        strangers
    )
    assert report.chunks == len(chunks)
    assert (report.rows_decoded, len(table.new)) == (0, 0)


def test_phones_requests_are_read_again_for_the_device_that_they_proved() -> None:
    phone = Device(device_id=5, protocol="osmand", address="a" * 64)
    chunks = [
        RawChunk(
            link=HTTP,
            protocol="osmand",
            link_group="",
            transport=HTTP,
            host="10.0.0.9",
            port=0,
            received_us=START_US + second * 1_000_000,
            device_ids=(device_id,),
            data=f"GET /?id=-&lat=36.1&lon=103.8&timestamp={START_US // 1_000_000 + second} -\n\n".encode(),
        )
        for second, device_id in ((0, 5), (10, 5), (20, 99))
    ]
    table = TableInMemory(new_batch(0))
    reprocessor = Reprocessor(
        ReplayRegistry(RegistryContents(devices=(phone,))), table, from_us=START_US, to_us=START_US + MINUTE_US
    )
    report = reprocessor.run(chunks)
    assert (report.rows_decoded, report.unreadable) == (2, 1)
    assert table.new["device_id"].tolist() == [5, 5]
    assert sorted(table.new["observed_us"].tolist()) == [START_US, START_US + 10_000_000]


def test_scenes_speak_of_the_same_time() -> None:
    assert jt808_scene.START_US == mavlink_scene.START_US == START_US
