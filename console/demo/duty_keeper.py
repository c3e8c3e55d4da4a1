"""Keeps the demo's duty statuses true: crews come and go with their watch, drones are engaged while they fly."""

import asyncio
from collections.abc import Collection
from typing import Final

import psycopg
from psycopg_pool import AsyncConnectionPool

from console.demo.crews import CityClock, Watch
from console.demo.force_plan import ForcePlan, PlannedUnit
from infra.database import SERVICE, owner_connection, scoped
from telemetry.enrolment import NewUnit, save_unit
from telemetry.model.unit import DutyStatus, Unit, UnitKind
from telemetry.registry import RegistryTable

LOOK_EVERY_S: Final = 5.0
BY_HAND: Final = frozenset({DutyStatus.OFF_DUTY, DutyStatus.STANDBY, DutyStatus.FREE})


class DutyKeeper:
    """Looks every few seconds who should be on duty, and sets what differs; who has a task finishes it first."""

    def __init__(
        self, plan: ForcePlan, clock: CityClock, registry: RegistryTable, pool: AsyncConnectionPool, owner_url: str
    ) -> None:
        self._plan, self._clock, self._registry = plan, clock, registry
        self._pool, self._owner_url = pool, owner_url
        self._watch = clock.watch()
        self._aloft: frozenset[int] = frozenset()

    async def look(self, aloft: Collection[int]) -> None:
        """Set what differs; `aloft` are the drones in the air, by their MAVLink system id."""
        await self._follow_drones(frozenset(aloft))
        watch = self._clock.watch()
        if watch is not self._watch and await self._change_watch(watch):
            self._watch = watch

    async def _follow_drones(self, aloft: frozenset[int]) -> None:
        changed = [unit for unit in self._plan.units if unit.system_id in aloft ^ self._aloft]
        self._aloft = aloft
        if changed:
            await asyncio.to_thread(self._save_drones, changed, aloft)

    def _save_drones(self, drones: list[PlannedUnit], aloft: frozenset[int]) -> None:
        known = self._known()
        with owner_connection(self._owner_url) as connection:
            for drone in drones:
                unit = known[drone.call_sign]
                duty = DutyStatus.ENGAGED if drone.system_id in aloft else DutyStatus.STANDBY
                if unit.duty_status in {DutyStatus.ENGAGED, DutyStatus.STANDBY}:
                    save_unit(connection, _with_duty(unit, duty))

    async def _change_watch(self, watch: Watch) -> bool:
        """Relieve the crews; False while somebody still has a task."""
        known, is_done = self._known(), True
        for planned in self._plan.units:
            wanted, unit = planned.duty_in(watch), known[planned.call_sign]
            if planned.kind is UnitKind.DRONE or wanted is unit.duty_status or wanted not in BY_HAND:
                continue
            is_on_duty = unit.duty_status is not DutyStatus.OFF_DUTY
            if is_on_duty is (wanted is not DutyStatus.OFF_DUTY):
                continue
            is_done &= await self._set(unit.unit_id, wanted)
        return is_done

    async def _set(self, unit_id: int, duty: DutyStatus) -> bool:
        try:
            async with scoped(self._pool, SERVICE) as connection:
                await connection.execute("select public.set_duty_status(%s, %s)", (unit_id, duty.value))
        except psycopg.errors.ObjectInUse:
            return False  # it has a task: relieved when that is done
        return True

    def _known(self) -> dict[str, Unit]:
        return {unit.call_sign: unit for unit in self._registry.units.values()}


def _with_duty(unit: Unit, duty: DutyStatus) -> NewUnit:
    return NewUnit(
        call_sign=unit.call_sign,
        kind=unit.kind,
        service=unit.service,
        duty_status=duty,
        station_id=unit.station_id,
        name_zh=unit.name_zh,
        name_en=unit.name_en,
        covert=unit.covert,
    )
