"""The bridge with its journal, recorder and registry: what `skybeat serve` and `skybeat bridge` both run."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

import psycopg

from infra.clock import Clock
from infra.database import DatabaseError, DatabaseUrls, explain, owner_connection
from infra.journal import Journal
from infra.logs import get_logger
from infra.settings import Settings
from infra.tasks import Supervisor
from infra.vault import Vault
from telemetry.alarms.board import first_event_us
from telemetry.bridge import Bridge
from telemetry.flight_log.log import FlightLog
from telemetry.geofence_mend import VisitMender
from telemetry.geofence_store import GeofenceStore
from telemetry.geofences.fence import GeofencePlan
from telemetry.history.derived import DerivedHistory
from telemetry.history.questions import newest_of_devices, recorded_events_since
from telemetry.model.batch import Batch, concatenate, new_batch
from telemetry.model.errors import InputError
from telemetry.model.events import AnyEvent
from telemetry.model.unit import DutyStatus, Service, UnitKind
from telemetry.raw.log import RawLog
from telemetry.recording.journal_records import decode_runs
from telemetry.recording.partitions import set_retention
from telemetry.recording.recorder import Recorder
from telemetry.registry.enrolment import MAVLINK, NewUnit, assign_device, ensure_device, save_unit
from telemetry.registry.store import RegistryStore
from telemetry.registry.table import RegistryTable
from telemetry.tracking.quality import DAY_US

RECORDS_A_READ: Final = 10_000
_LOG: Final = get_logger("service")


class BridgeService:
    """A bridge and what keeps it: `run` until cancelled. Make one with `open_service`."""

    def __init__(
        self,
        bridge: Bridge,
        journal: Journal,
        recorder: Recorder,
        derived: DerivedHistory,
        registry: RegistryTable,
        store: RegistryStore,
        raw_log: RawLog | None,
        fences: GeofenceStore,
        flight_log: FlightLog | None = None,
    ) -> None:
        self.bridge = bridge
        self.journal = journal
        self.recorder = recorder
        self.registry = registry
        self.raw_log = raw_log
        self.flight_log = flight_log
        self._derived = derived
        self._store = store
        self._fences = fences
        self._supervisor = Supervisor()

    async def run(self) -> None:
        """Run bridge, recorder and the registry's follower until cancelled.

        Raises ConflictError or InputError when the ingest listener cannot be opened.
        """
        await self.bridge.start()
        self._supervisor.start("recorder", self.recorder.run)
        self._supervisor.start("derived history", self._derived.run)
        self._supervisor.start("registry", self.follow_registry)
        self._supervisor.start("geofences", self.follow_geofences)
        try:
            await self.bridge.run()
        finally:
            await self._supervisor.stop()

    async def follow_registry(self) -> None:
        """Load the registry after every change of more than duty statuses; a lost connection is tried again by the supervisor."""
        async with aclosing(self._store.changes()) as changes:  # so that its connection is closed when we are cancelled
            async for statuses in changes:
                if statuses is None:
                    self.registry.replace(await self._store.load())
                else:
                    self.registry.set_duty(statuses)

    async def follow_geofences(self) -> None:
        """Watch other fences after every change of them; those that changed are laid in a thread."""
        async with aclosing(self._fences.changes()) as changes:
            async for _ in changes:
                await _take_geofences(self.bridge, await self._fences.load())


async def _take_geofences(bridge: Bridge, plan: GeofencePlan) -> None:
    """Let the bridge watch a plan; one that cannot be laid is told, and the fences in force stay."""
    laid = bridge.geofences.index
    try:
        index = await asyncio.to_thread(laid.becoming, plan.fences, plan.assignments)
    except InputError as error:
        _LOG.error("geofences_not_laid", reason=str(error))
        return
    bridge.geofences.replace(plan, index)


@asynccontextmanager
async def open_service(settings: Settings, urls: DatabaseUrls, clock: Clock) -> AsyncIterator[BridgeService]:
    """Give a service whose registry is loaded and whose picture, alarms and statuses are as before the last stop.

    The database must be migrated. Raises DatabaseError when it is away, JournalInUseError when another program has the journal.
    """
    vault = Vault.open(settings.data_dir)
    store = RegistryStore(urls.writer, vault)
    journal = await asyncio.to_thread(
        Journal.open, settings.data_dir / "journal", max_bytes=settings.journal_max_bytes, clock=clock
    )
    raw_log = _open_raw_log(settings, vault, clock)
    flight_log = _open_flight_log(settings, clock)
    try:
        now_us = clock.now_us()
        await asyncio.to_thread(set_retention, urls.owner, settings)
        try:
            registry = RegistryTable(await store.load())
            recorded = await _events(urls.writer, now_us)
            newest = await _positions(urls.writer, registry, now_us)
            fences = GeofenceStore(urls.writer)
            plan = await fences.load()
        except psycopg.Error as error:
            raise DatabaseError(explain(urls.writer, error)) from error
        waiting_batch, waiting = await asyncio.to_thread(_not_yet_recorded, journal)

        async def enrol(link_group: str, system_id: int) -> None:
            await asyncio.to_thread(enrol_recorded, urls.owner, link_group, system_id, clock.now_us())
            registry.replace(await store.load())

        tap = raw_log.take if raw_log else None
        bridge = Bridge(registry, journal, clock, settings, save=store.save, enrol=enrol, tap=tap)
        if flight_log is not None:
            bridge.tap_frames(flight_log.take, said=flight_log.take_said)
            bridge.listeners.append(flight_log.hear)
        await _take_geofences(bridge, plan)
        bridge.restore_positions(newest)
        bridge.restore_positions(waiting_batch)
        bridge.restore_events(sorted([*recorded, *waiting], key=lambda event: event.received_us))
        recorder = Recorder(journal, urls.writer, settings, clock)
        mender = VisitMender(lambda: bridge.geofences.index, registry.unit_at)
        derived = DerivedHistory(urls.writer, urls.owner, clock, lag_s=lambda: recorder.lag_s, mend_hooks=(mender,))
        yield BridgeService(bridge, journal, recorder, derived, registry, store, raw_log, fences, flight_log)
    finally:
        if flight_log is not None:
            await asyncio.to_thread(flight_log.close)
        if raw_log is not None:
            await asyncio.to_thread(raw_log.close)
        await asyncio.to_thread(journal.close)


def _open_raw_log(settings: Settings, vault: Vault, clock: Clock) -> RawLog | None:
    """Return the raw log, None where the settings want none."""
    if not settings.raw_log_days:
        return None
    return RawLog(
        settings.data_dir / "raw",
        vault,
        clock,
        keep_days=settings.raw_log_days,
        max_bytes=settings.raw_log_max_bytes,
    )


def _open_flight_log(settings: Settings, clock: Clock) -> FlightLog | None:
    """Return the log of flights, None where the settings want none."""
    if not settings.flight_log_days:
        return None
    return FlightLog(
        settings.data_dir / "flights",
        clock,
        keep_days=settings.flight_log_days,
        max_bytes=settings.flight_log_max_bytes,
    )


def enrol_recorded(owner_url: str, link_group: str, system_id: int, now_us: int) -> None:
    """Make sure that a recorded vehicle has a device and a unit, assigned since 1970: a flight may keep its own time.

    It needs no key: nobody but a file speaks in a replayed group. Raises DatabaseError.
    """
    with owner_connection(owner_url) as connection:
        address = f"{link_group}/{system_id}"
        device = ensure_device(connection, MAVLINK, address, label="recording", now_us=now_us)
        unit = save_unit(
            connection,
            NewUnit(
                call_sign=f"{link_group}-{system_id}",
                kind=UnitKind.DRONE,
                service=Service.AIR,
                duty_status=DutyStatus.STANDBY,
                name_zh=f"回放 {system_id}",
                name_en=f"Replay {system_id}",
            ),
        )
        assign_device(connection, device.device_id, unit.unit_id, now_us=0)


async def _events(url: str, now_us: int) -> list[AnyEvent]:
    async with await psycopg.AsyncConnection.connect(url, application_name="skybeat alarms") as connection:
        return await recorded_events_since(connection, first_event_us(now_us))


async def _positions(url: str, registry: RegistryTable, now_us: int) -> Batch:
    """Return each device's newest position of the last day, so that the map begins where it was."""
    if not registry.devices:
        return new_batch(0)
    async with await psycopg.AsyncConnection.connect(url, application_name="skybeat picture") as connection:
        return await newest_of_devices(connection, sorted(registry.devices), since_us=now_us - DAY_US)


def _not_yet_recorded(journal: Journal) -> tuple[Batch, list[AnyEvent]]:
    """Return what earlier epochs left in the journal for the database; what cannot be read is the recorder's to tell."""
    batches: list[Batch] = []
    events: list[AnyEvent] = []
    after = journal.watermark
    while runs := journal.read_runs(after=after, limit=RECORDS_A_READ):
        after = (runs[-1].epoch, runs[-1].last_sequence)
        batch, said, _ = decode_runs(runs)
        batches.append(batch)
        events.extend(said)
    return concatenate(batches), events
