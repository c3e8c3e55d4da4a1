"""A demo drone in its pilot's hands: goes where the pilot was sent, round no-fly zones, and breaks off on a low battery.

The pilot sits at the centre with the page of an officer and flies by a ground station of its own. Whoever else commands the
drone, the console's own desk or a ground station with its key, has it from the first order on, and this pilot lets go.
"""

from typing import Final

import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from console.demo.dock_pilot import DockPilot
from mission.airspace import Airspace
from telemetry.model.geodesy import Floats, LocalPlane

CLEAR_M: Final = 60.0
"""So far it keeps from a no-fly zone where it flies round one."""
CLOSE_M: Final = 30.0
CORNERS_APART_M: Final = 12.0


class PilotedDrone:
    """What a pilot flies; `airspace` and the drone are in the same plane."""

    def __init__(self, dock: DockPilot, plane: LocalPlane, airspace: Airspace) -> None:
        self._dock, self._plane, self._airspace = dock, plane, airspace

    @property
    def is_there(self) -> bool:
        """Whether it hovers at the place."""
        return self._dock.is_there

    @property
    def must_leave(self) -> bool:
        """Whether its battery asks it to come home, or somebody else has taken it."""
        return self._dock.must_leave

    def go(self, lat_deg: float, lon_deg: float, *, after_s: float) -> bool:  # noqa: ARG002 - who flies mounts nothing
        """Set out at once; False where no free way leads there or the battery does not last."""
        east, north = self._plane.to_plane(lat_deg, lon_deg)
        way_m = way_round(self._airspace, np.array(self._dock.craft.body.place), np.array([float(east), float(north)]))
        return way_m is not None and self._dock.reaches(way_m) and self._dock.go(way_m)

    def release(self) -> None:
        """Go back to the patrol."""
        self._dock.release()


def way_round(airspace: Airspace, start_m: Floats, goal_m: Floats) -> Floats | None:
    """Return the points (n, 2) after the start of the shortest way that keeps clear of all zones; None where there is none."""
    if airspace.sees(start_m[None, :], goal_m[None, :])[0]:
        return goal_m[None, :]
    close, clear = (airspace.closed.buffer(reach_m) for reach_m in (CLOSE_M, CLEAR_M))
    bends = shapely.get_coordinates(clear.simplify(CORNERS_APART_M))
    places = np.concatenate((start_m[None, :], goal_m[None, :], bends))
    tail, head = np.triu_indices(len(places), 1)
    lines = shapely.linestrings(np.stack((places[tail], places[head]), axis=1))
    shapely.prepare(close)
    # a start or a goal just beside a zone may still be left and reached
    near = airspace.sees(places[tail], places[head]) & ((tail < 2) | (head < 2))
    free = ~shapely.intersects(close, lines) | near
    length_m = np.hypot(*(places[head] - places[tail]).T)[free]
    graph = csr_array((np.maximum(length_m, 1e-6), (tail[free], head[free])), shape=(len(places),) * 2)
    found_m, before = dijkstra(graph, directed=False, indices=[0], return_predecessors=True)
    if not np.isfinite(found_m[0, 1]):
        return None
    way = [1]
    while before[0, way[-1]] != 0:
        way.append(int(before[0, way[-1]]))
    return np.asarray(places[way[::-1]], np.float64)
