"""Keeps the coverage process up with the registry: its stations, its crews, past incidents, and where units are each second."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from console.coverage_protocol import IncidentsTold, UnitColumns
from console.coverage_units import available_units, crews, off_duty
from console.coverage_worker import CoverageWorker
from console.sources import BridgeSource

PAST_INCIDENTS_EVERY_TICKS: Final = 900
PastIncidents = Callable[[], Awaitable[IncidentsTold | None]]


async def follow_coverage(
    coverage: CoverageWorker, bridge: BridgeSource, *, past_incidents: PastIncidents | None = None, every_s: float = 1.0
) -> None:
    """Reckon the coverage once a second for ever.

    Stations and crews are told when the registry changed, past incidents at the start and every quarter of an hour.
    """
    follower = _Follower(coverage, bridge, past_incidents)
    await coverage.run(follower.units, before=follower.tell_news, every_s=every_s)


class _Follower:
    def __init__(self, coverage: CoverageWorker, bridge: BridgeSource, past_incidents: PastIncidents | None) -> None:
        self._coverage, self._bridge, self._past_incidents = coverage, bridge, past_incidents
        self._registry_version = -1
        self._tick = 0

    def units(self) -> tuple[UnitColumns, Sequence[int]]:
        """Return where the available units are, and who is off duty."""
        units = self._bridge.registry.units
        return available_units(self._bridge.picture.units, units), off_duty(units.values())

    async def tell_news(self) -> None:
        """Tell what changed since the last tick."""
        registry = self._bridge.registry
        if registry.version != self._registry_version:
            stations = sorted(registry.stations.values(), key=lambda station: station.number)
            await self._coverage.tell_stations(stations)
            await self._coverage.tell_crews(crews(registry.units.values()))
            self._registry_version = registry.version
        if self._past_incidents is not None and self._tick % PAST_INCIDENTS_EVERY_TICKS == 0:
            told = await self._past_incidents()
            if told is not None:
                await self._coverage.tell_incidents(told)
        self._tick += 1
