"""The planning desk: turns what people ask into questions with the force as it is now, and watches how long units stand."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np

from console.api.models_siting import BeatsRequest, SitingRequest, WhatIfRequest
from console.auth.policy import Scope
from console.coverage.protocol import IncidentsTold, PostsTold, StationPlace
from console.coverage.units import available_units, crews
from console.coverage.worker import hour_of_week
from console.planning.protocol import PIPE, BeatsAsked, Ground, MoveUpAsked, PostPlace, SitesAsked, WhatIfAsked
from console.process_worker import ProcessWorker
from console.sources import BridgeSource
from infra.clock import Clock
from mission.siting.moveup import LONGEST_DRIVE_S, MoveUpRules
from mission.siting.planning_map import DemandKind
from mission.siting.stand_watch import StandWatch
from telemetry.model.errors import NotFoundError, UnavailableError

SEEN_EVERY_S: Final = 10.0
BEATS_WITHIN_S: Final = 60.0
MOVES_WITHIN_S: Final = 30.0
WHAT_IF_WITHIN_S: Final = 30.0
PAST_EVERY_S: Final = 900.0
MARGIN_S: Final = 20.0
"""What a siting question may take beside the solver: seconds between places, the model."""
MOST_AN_ACCOUNT: Final = 2
"""Questions that one account may have waiting, so that nobody fills the queue alone."""
PastIncidents = Callable[[], Awaitable[IncidentsTold | None]]


class PlanningDesk:
    """One of the console: asks the planning process for whoever may plan.

    `past_incidents` tells where calls were, where somebody knows it.
    """

    def __init__(
        self,
        city_dir: Path | None,
        bridge: BridgeSource,
        clock: Clock,
        *,
        past_incidents: PastIncidents | None = None,
        posts: Callable[[], Awaitable[PostsTold | None]] | None = None,
    ) -> None:
        self._city_dir, self._bridge, self._clock = city_dir, bridge, clock
        self._past_incidents = past_incidents
        self._posts = posts
        self._past: IncidentsTold | None = None
        self._past_due_s = -1.0
        self.worker: Final = ProcessWorker("console.planning.process", PIPE)
        self._stands = StandWatch()
        self._asking: Counter[int] = Counter()

    async def watch(self) -> None:
        """See for ever how long units stand."""
        while True:
            self.see()
            await asyncio.sleep(SEEN_EVERY_S)

    def see(self) -> None:
        """Take where units are now."""
        columns = available_units(self._bridge.picture.units, self._bridge.registry.units)
        lat, lon = np.array(columns.lat_deg, np.float64), np.array(columns.lon_deg, np.float64)
        self._stands.see(columns.unit_id, lat, lon, self._clock.now_us())

    @contextmanager
    def asking(self, account_id: int) -> Iterator[None]:
        """Hold a place in the queue for an account. Raises UnavailableError when it has MOST_AN_ACCOUNT already."""
        if self._asking[account_id] >= MOST_AN_ACCOUNT:
            message = (
                f"{MOST_AN_ACCOUNT} of your planning questions wait already: wait for their answers, then ask again"
            )
            raise UnavailableError(message)
        self._asking[account_id] += 1
        try:
            yield
        finally:
            self._asking[account_id] -= 1
            if not self._asking[account_id]:
                del self._asking[account_id]

    async def stop(self) -> None:
        """End the process."""
        await self.worker.stop()

    async def sites(self, request: SitingRequest, posts: Sequence[PostPlace]) -> bytes:
        """Return the siting's answer as JSON; the request's coordinates are WGS-84. Raises what `ProcessWorker.ask` does."""
        ground = await self._ground(posts, request.demand)
        return await self.worker.ask(SitesAsked(ground, request), within_s=request.within_s + MARGIN_S)

    async def beats(self, request: BeatsRequest) -> bytes:
        """Return the beats as JSON. Raises what `ProcessWorker.ask` does."""
        ground = await self._ground((), request.demand)
        return await self.worker.ask(BeatsAsked(ground, request), within_s=BEATS_WITHIN_S)

    async def moveup(
        self, posts: Sequence[PostPlace], scope: Scope, *, rules: MoveUpRules, demand: DemandKind, limit_s: float
    ) -> bytes:
        """Return move-up advice as JSON; only units that the scope sees are moved. Raises what `ProcessWorker.ask` does."""
        now_us, registry = self._clock.now_us(), self._bridge.registry
        columns = available_units(self._bridge.picture.units, registry.units)
        movable = [unit_id for unit_id in columns.unit_id if scope.sees(registry.units[unit_id])]
        asked = MoveUpAsked(
            ground=await self._ground(posts, demand),
            units=columns,
            stood_s=self._stands.stood_s(columns.unit_id, now_us),
            move_count=self._stands.move_count(columns.unit_id, now_us),
            at_ms=now_us / 1000.0,
            hour_of_week=hour_of_week(now_us),
            demand=demand,
            limit_s=limit_s,
            busy_ratio=rules.busy_ratio,
            drive_limit_s=min(rules.drive_limit_s, LONGEST_DRIVE_S),
            dwell_s=rules.dwell_s,
            shift_move_count=rules.shift_move_count,
            movable_unit_ids=movable if scope.station_ids else None,
        )
        return await self.worker.ask(asked, within_s=MOVES_WITHIN_S)

    async def what_if(self, request: WhatIfRequest, scope: Scope) -> bytes:
        """Return both cases as JSON; the request's coordinates are WGS-84. Raises what `ProcessWorker.ask` does."""
        now_us, registry = self._clock.now_us(), self._bridge.registry
        for unit_id in request.away_unit_ids:
            unit = registry.units.get(unit_id)
            if unit is None or not scope.sees(unit):
                message = f"there is no unit {unit_id} in your scope: GET /api/units lists yours"
                raise NotFoundError(message)
        asked = WhatIfAsked(
            ground=await self._ground((), DemandKind.INCIDENTS),
            units=available_units(self._bridge.picture.units, registry.units),
            crews=crews(registry.units.values()),
            request=request,
            at_ms=now_us / 1000.0,
            hour_of_week=hour_of_week(now_us),
            own_station_ids=sorted(scope.station_ids),
            posts=None if self._posts is None else await self._posts(),
        )
        return await self.worker.ask(asked, within_s=WHAT_IF_WITHIN_S)

    async def _ground(self, posts: Sequence[PostPlace], demand: DemandKind) -> Ground:
        if self._city_dir is None:
            message = "this installation has no city: import a map with `skybeat roads import`, or start `skybeat demo`"
            raise NotFoundError(message)
        stations = sorted(self._bridge.registry.stations.values(), key=lambda station: station.number)
        return Ground(
            city_dir=str(self._city_dir),
            stations=[
                StationPlace(station.station_id, station.lat_deg, station.lon_deg, station.ring_order)
                for station in stations
            ],
            posts=list(posts),
            incidents=await self._incidents() if demand is DemandKind.INCIDENTS else None,
        )

    async def _incidents(self) -> IncidentsTold | None:
        """Return past calls, read again every quarter of an hour; None where nobody knows any."""
        now_s = self._clock.monotonic_s()
        if self._past_incidents is not None and now_s >= self._past_due_s:
            self._past = await self._past_incidents()
            self._past_due_s = now_s + PAST_EVERY_S
        return self._past
