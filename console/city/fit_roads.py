"""Reads samples of our units' tracks from history and fits the roads' speeds to them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import psycopg

from infra.clock import MICROSECONDS
from infra.database import SERVICE, DatabaseError, DatabaseUrls, app_pool, explain, scoped
from infra.vault import Vault
from mission.roads.graph import RoadGraph
from mission.roads.speed_fit import Finding, SpeedFit, UnitTrack
from mission.roads.travel import GROUND_MODES, Speeds, TravelMode, mode_of
from telemetry.history.questions import tracks
from telemetry.registry.store import RegistryStore

FIT_DAYS: Final = 3
WINDOW_S: Final = 600
"""So long a part of every EACH_S is read: every hour of the day is seen, and a sixth of a day's rows suffices."""
EACH_S: Final = 7200
UNITS_AT_ONCE: Final = 20
ROWS_OF_UNIT: Final = 2 * WINDOW_S
DAY_S: Final = 86_400


async def fit_from_history(
    roads: RoadGraph,
    urls: DatabaseUrls,
    vault: Vault,
    *,
    now_us: int,
    days: int,
    base: Speeds,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[Speeds, tuple[Finding, ...]]:
    """Return speeds fitted to the last `days` days of all ground units, and what was found by mode and class.

    Costs about 10 ms a unit and window. Raises DatabaseError when history cannot be read.
    """
    try:
        contents = await RegistryStore(urls.writer, vault).load()
        modes = {unit.unit_id: mode_of(unit.kind) for unit in contents.units}
        ground = {unit_id: mode for unit_id, mode in modes.items() if mode in GROUND_MODES}
        fit = SpeedFit(roads)
        pairs = await _gather(urls.app, fit, ground, list(_windows(now_us, days)))
    except psycopg.Error as error:
        raise DatabaseError(explain(urls.app, error)) from error
    progress(f"speeds: {pairs} pairs of fixes of {len(ground)} ground units in {days} days")
    return fit.fit(base=base)


async def _gather(url: str, fit: SpeedFit, modes: Mapping[int, TravelMode], windows: list[tuple[int, int]]) -> int:
    units, pairs = sorted(modes), 0
    async with app_pool(url, max_size=1) as pool:
        for from_us, to_us in windows:
            for start in range(0, len(units), UNITS_AT_ONCE):
                asked = units[start : start + UNITS_AT_ONCE]
                async with scoped(pool, SERVICE) as connection:
                    found = await tracks(connection, asked, from_us=from_us, to_us=to_us, limit=ROWS_OF_UNIT)
                pairs += fit.add(UnitTrack(unit_id, modes[unit_id], batch) for unit_id, batch in found.items())
    return pairs


def _windows(now_us: int, days: int) -> Iterator[tuple[int, int]]:
    """Yield [from, to) of each window of the last days, the newest first."""
    for back in range(days * DAY_S // EACH_S):
        to_us = now_us - back * EACH_S * MICROSECONDS
        yield to_us - WINDOW_S * MICROSECONDS, to_us
