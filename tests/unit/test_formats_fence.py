"""The fence that is sent with a sortie: as strong as the zones, and never broken by the sortie that it was made for."""

import msgspec
import numpy as np
import pytest
import shapely

from console.demo.autopilot.body import Place
from console.demo.autopilot.fence import Fence
from console.demo.autopilot.numbers import Breach
from console.demo.autopilot.parameters import Parameters
from mission.air.flight_path import path_of
from mission.formats.mavlink_fence import EXCLUSION, INCLUSION, MOST_VERTICES, fence_of
from mission.model import Programme, TaskKind, Window, Zone, ZoneKind
from mission.plan import Sortie
from mission.planner import plan_day
from telemetry.model.geodesy import local_plane
from tests.patrol_day import day, hour, place, rectangle
from tests.unit.test_planner_open_air import FEW, ZONE, asked


def flown(of: Programme) -> tuple[Sortie, ...]:
    sorties = tuple(one for one in plan_day(of, day(), now_us=hour(-2), effort=FEW).sorties if one.waypoints)
    assert sorties
    return sorties


def breaches(sortie: Sortie, of: Programme) -> list[Breach]:
    """Return what of its own fence a sortie breaks along its way, as the demo's autopilot sees it."""
    dock = next(one for one in of.docks if one.dock_id == sortie.dock_id)
    plane = local_plane(dock.lat_deg, dock.lon_deg)
    fence = Fence(plane, Parameters({}))
    fence.load(fence_of(sortie, dock, of.zones))
    path = path_of(sortie, plane=plane, dock=dock)
    home = Place(*path.places[0])
    along = [
        Place(*(start + (end - start) * share))
        for start, end in zip(path.places[:-1], path.places[1:], strict=True)
        for share in np.linspace(0.0, 1.0, 20)
    ]
    return [found for one in along if (found := fence.look(one, 60.0, home) & Breach.POLYGON)]


@pytest.mark.parametrize("kind", [TaskKind.POINT, TaskKind.AREA, TaskKind.EVENT])
@pytest.mark.parametrize(
    ("open_to", "approval"),
    [
        ({"kind": ZoneKind.RESTRICTED, "approval": "CAAC-7"}, "CAAC-7, NIGHT-3"),
        ({"kind": ZoneKind.RESTRICTED}, "CAAC-7"),
        ({"windows": (Window(hour(10), hour(11)),)}, ""),
        ({"floor_agl_m": 100.0}, ""),
        ({"ceiling_agl_m": 40.0}, ""),
    ],
)
def test_no_sortie_breaks_the_fence_of_a_zone_that_is_open_to_it(
    kind: TaskKind, open_to: dict[str, object], approval: str
) -> None:
    of = asked(kind, zones=(msgspec.structs.replace(ZONE, **open_to),))
    of = msgspec.structs.replace(of, tasks=(msgspec.structs.replace(of.tasks[0], approval=approval),))
    for sortie in flown(of):
        assert fence_of(sortie, of.docks[0], of.zones) == ()
        assert breaches(sortie, of) == []


def test_a_zone_that_stays_closed_is_fenced_out_and_flown_round() -> None:
    closed = Zone(zone_id=1, name="塔", kind=ZoneKind.NO_FLY, geometry=rectangle(200, 300, 250, 400))
    of = asked(TaskKind.POINT, zones=(closed,))
    for sortie in flown(of):
        assert {item.command for item in fence_of(sortie, of.docks[0], of.zones)} == {EXCLUSION}
        assert breaches(sortie, of) == []


def test_keep_in_areas_that_overlap_are_sent_as_one() -> None:
    zones = (
        Zone(zone_id=1, name="甲", kind=ZoneKind.KEEP_IN, geometry=rectangle(-500, -100, 1000, 1200)),
        Zone(zone_id=2, name="乙", kind=ZoneKind.KEEP_IN, geometry=rectangle(300, 300, 1000, 1200)),
    )
    of = asked(TaskKind.POINT, zones=zones)
    for sortie in flown(of):
        fence = fence_of(sortie, of.docks[0], of.zones)
        assert {item.command for item in fence} == {INCLUSION}
        assert {item.param1 for item in fence} == {float(len(fence))}
        assert breaches(sortie, of) == []


def test_a_fence_of_many_vertices_is_made_simpler_but_not_over_the_way() -> None:
    ring = shapely.get_coordinates(shapely.Point(325, 500).buffer(150, quad_segs=200))
    round_zone = {"type": "Polygon", "coordinates": [[place(*corner) for corner in ring.tolist()]]}
    of = asked(TaskKind.POINT, zones=(Zone(zone_id=1, name="塔", kind=ZoneKind.NO_FLY, geometry=round_zone),))
    for sortie in flown(of):
        assert breaches(sortie, of) == []
        away = msgspec.structs.replace(sortie, waypoints=tuple(
            msgspec.structs.replace(way, lat_deg=way.lat_deg - 0.02) for way in sortie.waypoints
        ))  # fmt: skip
        assert len(fence_of(away, of.docks[0], of.zones)) <= MOST_VERTICES
