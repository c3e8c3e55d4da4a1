"""Keeps the demo's duty statuses true: crews come and go with their watch, drones are free on patrol and stand by on their pads."""

from collections.abc import Collection
from typing import Final

import psycopg
from psycopg_pool import AsyncConnectionPool

from console.demo.crews import CityClock, Watch
from console.demo.force_plan import ForcePlan
from infra.database import SERVICE, scoped
from telemetry.model.unit import AVAILABLE, DutyStatus, Unit, UnitKind
from telemetry.registry.table import RegistryTable

LOOK_EVERY_S: Final = 5.0
BY_HAND: Final = frozenset({DutyStatus.OFF_DUTY, DutyStatus.STANDBY, DutyStatus.FREE})


class DutyKeeper:
    """Looks every few seconds who should be on duty, and sets what differs; who has a task finishes it first."""

    def __init__(self, plan: ForcePlan, clock: CityClock, registry: RegistryTable, pool: AsyncConnectionPool) -> None:
        self._plan, self._clock, self._registry, self._pool = plan, clock, registry, pool
        self._watch = clock.watch()

    async def look(self, aloft: Collection[int]) -> None:
        """Set what differs; `aloft` are the drones in the air, by their MAVLink system id."""
        await self._follow_drones(frozenset(aloft))
        watch = self._clock.watch()
        if watch is not self._watch and await self._change_watch(watch):
            self._watch = watch

    async def _follow_drones(self, aloft: frozenset[int]) -> None:
        """Let a drone on patrol be free to be sent; one with a task is left alone, as is one that people took off duty."""
        known = self._known()
        for drone in self._plan.units:
            if not drone.system_id:
                continue
            unit = known[drone.call_sign]
            wanted = DutyStatus.FREE if drone.system_id in aloft else DutyStatus.STANDBY
            if unit.duty_status in AVAILABLE and unit.duty_status is not wanted:
                await self._set(unit.unit_id, wanted)

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
