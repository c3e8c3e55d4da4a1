"""Any pattern over any shape among any zones in any wind: flown in open air with finite times, or refused with a reason."""

from typing import Any

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from mission.airspace import Airspace, Wind
from mission.model import Airframe, PatternKind, Task, TaskKind
from mission.patterns.choose import pattern_of
from mission.patterns.legs import fly_s
from mission.patterns.splitting import split
from mission.patterns.waypoints import waypoints_of
from telemetry.model.errors import InputError
from telemetry.model.geodesy import local_plane

PLANE = local_plane(36.0, 103.8)
DRONE = Airframe(airframe_id=1, name="D1", dock_id=1)
places = st.tuples(st.integers(-30, 30), st.integers(-30, 30)).map(
    lambda steps: (103.8 + steps[0] * 1e-4, 36.0 + steps[1] * 1e-4)
)
lines = st.lists(places, min_size=2, max_size=6, unique=True)
areas = st.lists(places, min_size=3, max_size=8, unique=True)
geometries = st.one_of(
    places.map(lambda place: {"type": "Point", "coordinates": place}),
    lines.map(lambda line: {"type": "LineString", "coordinates": line}),
    st.lists(lines, min_size=1, max_size=3).map(lambda some: {"type": "MultiLineString", "coordinates": some}),
    areas.map(lambda ring: {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}),
)
zones = st.lists(
    areas.map(lambda ring: shapely.Polygon(ring).convex_hull).filter(lambda zone: zone.area > 0), max_size=3
)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(list(PatternKind)),
    geometry=geometries,
    closed=zones,
    width_m=st.one_of(st.none(), st.floats(1.0, 300.0)),
    alt_agl_m=st.floats(20.0, 120.0),
    wind_mps=st.floats(0.0, 14.0),
    dwell_s=st.sampled_from([0.0, 60.0, 900.0]),
)
def test_a_task_is_flown_in_open_air_or_refused_with_a_reason(
    kind: PatternKind, geometry: dict[str, Any], closed: list[Any], width_m: float | None, alt_agl_m: float, wind_mps: float, dwell_s: float
) -> None:  # fmt: skip
    task = Task(
        name_zh="", name_en="it", kind=TaskKind.AREA, geometry=geometry, pattern=kind, width_m=width_m, alt_agl_m=alt_agl_m,
        dwell_s=dwell_s,
    )  # fmt: skip
    sky, wind = Airspace(closed, plane=PLANE), Wind(from_deg=200.0, speed_mps=wind_mps)
    try:
        pattern = pattern_of(task, DRONE, plane=PLANE, sky=sky, wind=wind)
        seconds = fly_s(pattern.places, DRONE, wind)
    except InputError:
        return
    line = shapely.LineString(pattern.places) if len(pattern.places) > 1 else shapely.Point(pattern.places[0])
    assert not line.intersects(sky.closed)
    assert np.isfinite(pattern.places).all()
    assert np.isfinite(seconds).all()
    assert len(waypoints_of(pattern, PLANE, task, DRONE)) >= 2
    parts = split(pattern, DRONE, 1e9, most_places=20)
    assert sum(part.hold_s.sum() for part in parts) == pattern.hold_s.sum()
