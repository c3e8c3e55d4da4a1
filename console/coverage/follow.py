"""Keeps the coverage process up with the registry: stations, posts, crews, past incidents, and where units are each second."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from console.coverage.protocol import IncidentsTold, PostsTold, UnitColumns
from console.coverage.units import available_units, crews, silent
from console.coverage.worker import CoverageWorker
from console.sources import BridgeSource

PAST_INCIDENTS_EVERY_TICKS: Final = 900
PastIncidents = Callable[[], Awaitable[IncidentsTold | None]]
MannedPosts = Callable[[], Awaitable[PostsTold | None]]


async def follow_coverage(
    coverage: CoverageWorker,
    bridge: BridgeSource,
    *,
    past_incidents: PastIncidents | None = None,
    posts: MannedPosts | None = None,
    every_s: float = 1.0,
) -> None:
    """Reckon the coverage once a second for ever.

    Stations are told when the registry changed, crews when somebody goes on or off duty, posts and past incidents at the start
    and every quarter of an hour.
    """
    follower = _Follower(coverage, bridge, past_incidents, posts)
    await coverage.run(follower.units, before=follower.tell_news, every_s=every_s)


class _Follower:
    def __init__(
        self,
        coverage: CoverageWorker,
        bridge: BridgeSource,
        past_incidents: PastIncidents | None,
        posts: MannedPosts | None,
    ) -> None:
        self._coverage, self._bridge = coverage, bridge
        self._past_incidents, self._posts = past_incidents, posts
        self._registry_version = -1
        self._tick = 0
        self._crew_ids: Sequence[int] = ()

    def units(self) -> tuple[UnitColumns, Sequence[int]]:
        """Return where the available units are, and who of the crews is silent."""
        states = self._bridge.picture.units
        return available_units(states, self._bridge.registry.units), silent(states, self._crew_ids)

    async def tell_news(self) -> None:
        """Tell what changed since the last tick."""
        registry = self._bridge.registry
        is_new = registry.version != self._registry_version
        if is_new:
            stations = sorted(registry.stations.values(), key=lambda station: station.number)
            await self._coverage.tell_stations(stations)
            self._registry_version = registry.version
        if self._posts is not None and (is_new or self._tick % PAST_INCIDENTS_EVERY_TICKS == 0):
            posts = await self._posts()
            if posts is not None:
                await self._coverage.tell_posts(posts)
        on_duty = crews(registry.units.values())
        self._crew_ids = on_duty.unit_id
        await self._coverage.tell_crews(on_duty)
        if self._past_incidents is not None and self._tick % PAST_INCIDENTS_EVERY_TICKS == 0:
            told = await self._past_incidents()
            if told is not None:
                await self._coverage.tell_incidents(told)
        self._tick += 1
