"""A decoder with a fault records, is repaired, and `reprocess` mends the table; twice is the same as once."""

import struct
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import psycopg
import pytest

import telemetry.links.open
from infra.vault import Vault
from telemetry.links.tap import RawChunk
from telemetry.model.batch import Batch, concatenate, hash_fixes, new_batch, sort_for_storage
from telemetry.model.decoding import Decoder, Output, Peer, SourceContext
from telemetry.model.unit import Device
from telemetry.raw.log import RawLog, read_chunks
from telemetry.raw.recorded_rows import RecordedRows
from telemetry.raw.reprocess import WARM_UP_US, ReplayRegistry, Report, Reprocessor
from telemetry.recording.copy_rows import copy_positions
from telemetry.recording.store import Group, RecorderStore
from telemetry.registry.table import RegistryContents
from tests.conftest import FakeClock, TestDatabase

pytestmark = pytest.mark.database

REPORT_FORM = struct.Struct("<iqiih")
Fault = Callable[[Batch], Batch]


class ToyDecoder:
    """A protocol of five numbers: device, time, latitude, longitude, speed; `fault` is what its decoder does wrong."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self._kept = b""

    def feed(self, data: bytes, now_us: int) -> Output:
        data = self._kept + data
        whole_bytes = len(data) // REPORT_FORM.size * REPORT_FORM.size
        self._kept = data[whole_bytes:]
        said = list(REPORT_FORM.iter_unpack(data[:whole_bytes]))
        batch = new_batch(len(said))
        for row, (device_id, observed_us, lat_e7, lon_e7, speed_cmps) in zip(batch, said, strict=True):
            row["device_id"], row["observed_us"], row["received_us"] = device_id, observed_us, now_us
            row["lat_e7"], row["lon_e7"], row["speed_cmps"] = lat_e7, lon_e7, speed_cmps
        batch = self._fault(batch)
        hash_fixes(batch)
        return Output(batch=batch)

    def tick(self, now_us: int) -> Output:
        del now_us
        return Output()

    def send(self, command: object, now_us: int) -> Output:
        del command, now_us
        return Output()


class ToySource:
    def __init__(self, fault: Fault) -> None:
        self._fault = fault

    def decoder(self, peer: Peer) -> Decoder:
        assert peer.is_trusted
        return ToyDecoder(self._fault)


def right(batch: Batch) -> Batch:
    return batch


def swapped(batch: Batch) -> Batch:
    lat_e7 = batch["lat_e7"].copy()
    batch["lat_e7"] = batch["lon_e7"] // 4
    batch["lon_e7"] = lat_e7 * 4
    return batch


def eight_hours_late(batch: Batch) -> Batch:
    batch["observed_us"] -= 8 * 3_600_000_000
    return batch


def knots_for_metres(batch: Batch) -> Batch:
    batch["speed_cmps"] = (batch["speed_cmps"] * 0.514).astype(np.int16)
    return batch


def half_forgotten(batch: Batch) -> Batch:
    kept: Batch = batch[batch["observed_us"] // 1_000_000 % 2 == 0]
    return kept


class Field:
    """Two devices on two links for ten minutes: what they sent, and the raw log of it."""

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        self.folder, self.clock = folder, clock
        self.vault = Vault(bytes(32))
        self.begin_us = clock.now_us()
        self.chunks: list[RawChunk] = []

    def send(self) -> None:
        log = RawLog(self.folder, self.vault, self.clock, keep_days=7, max_bytes=1 << 30)
        for second in range(0, 600, 5):
            self.clock.advance(5)
            for device_id in (1, 2):
                said = REPORT_FORM.pack(
                    device_id, self.clock.now_us() - 400_000, 290_000_000 + second * 100, 1_060_000_000, 1000
                )
                self._hear(log, device_id, said[:7] if device_id == 2 else said)
                if device_id == 2:  # a stream, cut anywhere
                    self._hear(log, device_id, said[7:])
        log.close()
        assert log.status.chunks == len(self.chunks)

    def _hear(self, log: RawLog, device_id: int, data: bytes) -> None:
        self.clock.advance(0.001)
        chunk = RawChunk(
            link=f"toy+tcpin:127.0.0.1:{7000 + device_id}#main",
            protocol="toy",
            link_group="main",
            transport="tcp",
            host="10.0.0.1",
            port=40_000 + device_id,
            received_us=self.clock.now_us(),
            device_ids=(device_id,),
            data=data,
        )
        self.chunks.append(chunk)
        log.take(chunk)

    def decoded(self, fault: Fault) -> Batch:
        """What a decoder with this fault gave when it was heard."""
        decoders = {1: ToyDecoder(fault), 2: ToyDecoder(fault)}
        return concatenate(
            [decoders[chunk.device_ids[0]].feed(chunk.data, chunk.received_us).batch for chunk in self.chunks]
        )


@pytest.fixture
def field(tmp_path: Path, fake_clock: FakeClock) -> Field:
    made = Field(tmp_path / "raw", fake_clock)
    made.send()
    return made


@pytest.fixture
def repaired(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_toy(context: SourceContext) -> ToySource:
        del context
        return ToySource(right)

    monkeypatch.setattr(telemetry.links.open, "find_link_sources", lambda: {"toy": open_toy})


def record(database: TestDatabase, batch: Batch) -> None:
    rows = sort_for_storage(batch)
    store = RecorderStore(database.writer_url)
    group = Group(
        epoch=1,
        first_sequence=1,
        last_sequence=1,
        rows=rows,
        rows_encoded=copy_positions(rows),
        odd_rows=new_batch(0),
    )
    store.write(group, lambda _: None)
    store.close()


def reprocess(
    database: TestDatabase, field: Field, *, is_dry_run: bool = False, device_id: int | None = None
) -> Report:
    devices = tuple(Device(device_id=number, protocol="toy", address=str(number)) for number in (1, 2))
    to_us = field.clock.now_us() + 1
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        reprocessor = Reprocessor(
            ReplayRegistry(RegistryContents(devices=devices)),
            RecordedRows(owner, field.clock, retention_days=90),
            from_us=field.begin_us,
            to_us=to_us,
            device_id=device_id,
            is_dry_run=is_dry_run,
        )
        chunks = read_chunks(field.folder, field.vault, from_us=field.begin_us - WARM_UP_US, to_us=to_us)
        return reprocessor.run(chunks)


def table(database: TestDatabase, name: str = "position") -> list[tuple[object, ...]]:
    with psycopg.connect(database.owner_url) as owner:
        return owner.execute(
            "select device_id, observed_at, lat_e7, lon_e7, speed_cmps from store."
            + name.replace(";", "")
            + " order by 1, 2"
        ).fetchall()


@pytest.mark.usefixtures("repaired")
@pytest.mark.parametrize("fault", [swapped, eight_hours_late, knots_for_metres, half_forgotten])
def test_a_repaired_decoder_mends_what_it_recorded_wrongly_and_twice_is_the_same_as_once(
    database: TestDatabase, field: Field, fault: Fault
) -> None:
    recorded = field.decoded(fault)
    record(database, recorded)
    before = table(database)
    foreseen = reprocess(database, field, is_dry_run=True)
    assert table(database) == before
    done = reprocess(database, field)
    assert msgspec.to_builtins(done) == msgspec.to_builtins(foreseen)
    expected = sort_for_storage(field.decoded(right))
    assert sorted((row[0], row[2], row[3], row[4]) for row in table(database)) == sorted(
        zip(*(expected[name].tolist() for name in ("device_id", "lat_e7", "lon_e7", "speed_cmps")), strict=True)
    )
    assert done.rows_new == (120 if fault is half_forgotten else 240)
    assert len(table(database, "position_superseded")) == done.rows_superseded
    assert done.rows_superseded == (0 if fault is half_forgotten else 240)
    again = reprocess(database, field)
    assert (again.rows_new, again.rows_superseded, again.rows_decoded) == (0, 0, 240)
    with psycopg.connect(database.owner_url) as owner:
        assert owner.execute("select count(*) from store.late_interval").fetchone() == (0,)  # nothing is derived yet


@pytest.mark.usefixtures("repaired")
def test_only_the_asked_device_is_mended(database: TestDatabase, field: Field) -> None:
    record(database, field.decoded(knots_for_metres))
    done = reprocess(database, field, device_id=2)
    assert set(done.devices) == {2}
    speeds = {row[0]: row[4] for row in table(database)}
    assert speeds == {1: 514, 2: 1000}


@pytest.mark.usefixtures("repaired")
def test_rows_of_what_the_log_lost_stay(database: TestDatabase, field: Field) -> None:
    record(database, field.decoded(swapped))
    before = table(database)
    (file,) = field.folder.iterdir()
    file.write_bytes(file.read_bytes()[:-20])  # torn by a crash: its only block is gone
    done = reprocess(database, field)
    assert (done.chunks, done.rows_superseded) == (0, 0)
    assert table(database) == before
