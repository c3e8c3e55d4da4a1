"""The way of each unit to its incident, on the city's roads: found in a thread, empty where there are no roads."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from console.field.officers import Way
from console.sources import BridgeSource
from infra.logs import get_logger
from mission.calls.incident import Dispatch, Incident
from mission.roads.graph import EdgeIndex, RoadGraph, load_roads
from mission.roads.travel import TravelMode, load_speeds, mode_of, network_of
from mission.roads.way import WayFinder
from telemetry.model.batch import UNKNOWN_I4
from telemetry.model.errors import SkybeatError

ROADS_FILE: Final = "roads.npz"
_log: Final = get_logger("ways")


class RoadWays:
    """Loads the city's roads when the first way is asked for, and one network a mode."""

    def __init__(self, city_dir: Path, bridge: BridgeSource) -> None:
        self._city_dir = city_dir
        self._bridge = bridge
        self._turn = asyncio.Lock()
        self._roads: tuple[RoadGraph, EdgeIndex] | None = None
        self._finders: dict[TravelMode, WayFinder] = {}

    async def find(self, incident: Incident, sent: Dispatch) -> Way:
        """Return the fastest way from where the unit is now; a drone's is straight, and without roads or places there is none."""
        unit = self._bridge.registry.units.get(sent.unit_id)
        start = self._place_of(sent.unit_id)
        if unit is None or start is None or incident.lat_e7 is None or incident.lon_e7 is None:
            return ()
        goal = (incident.lat_e7 / 1e7, incident.lon_e7 / 1e7)
        mode = mode_of(unit.kind)
        if mode is TravelMode.DRONE:
            return ((start[1], start[0]), (goal[1], goal[0]))
        async with self._turn:  # one at a time: a search is short, the first one loads the roads
            return await asyncio.to_thread(self._quietly, lambda: self._finder(mode).find(start, goal))

    def _quietly(self, find: Callable[[], Way]) -> Way:
        """Find a way, or none: a task without a line is still a task."""
        if not (self._city_dir / ROADS_FILE).exists():
            return ()
        try:
            return find()
        except (SkybeatError, OSError) as error:
            _log.warning("no_way", reason=type(error).__name__)
            return ()

    def _finder(self, mode: TravelMode) -> WayFinder:
        if self._roads is None:
            graph = load_roads(self._city_dir / ROADS_FILE)
            self._roads = graph, EdgeIndex(graph)
        if mode not in self._finders:
            graph, index = self._roads
            self._finders[mode] = WayFinder(network_of(graph, mode, speeds=load_speeds(self._city_dir)), index)
        return self._finders[mode]

    def _place_of(self, unit_id: int) -> tuple[float, float] | None:
        units = self._bridge.picture.units
        found = np.flatnonzero(units["unit_id"] == unit_id)
        if not len(found) or units["observed_us"][found[0]] == 0 or units["lat_e7"][found[0]] == UNKNOWN_I4:
            return None
        row = units[found[0]]
        return int(row["lat_e7"]) / 1e7, int(row["lon_e7"]) / 1e7
