"""A task that cannot be flown is told so in the reader's own language, with the same numbers."""

import re

import msgspec
import pytest

from mission.model import Airframe, Dock, Programme, Task, TaskKind, Zone, ZoneKind
from mission.script import plan

DOCK = Dock(dock_id=1, name="东库", lat_deg=36.06, lon_deg=103.83)
DRONE = Airframe(airframe_id=1, name="巡鹰", dock_id=1)
BOX = [[103.83, 36.07], [103.836, 36.07], [103.836, 36.074], [103.83, 36.074], [103.83, 36.07]]


NET = {"type": "LineString", "coordinates": [[103.83, 36.06], [103.87, 36.06], [103.87, 36.03]]}


def task(**more: object) -> Task:
    said = {"kind": TaskKind.AREA, "geometry": {"type": "Polygon", "coordinates": [BOX]}} | more
    return Task(task_id=1, name_zh="湿地", name_en="Wetland", **said)  # type: ignore[arg-type]


CASES = {
    "too far": task(kind=TaskKind.POINT, geometry={"type": "Point", "coordinates": [104.6, 36.07]}),
    "no such camera": task(camera="thermal"),
    "too coarse": task(alt_agl_m=100.0, ground_pixel_m=0.005),
    "too low": task(alt_agl_m=2.0),
    "closed air": task(),
    "nobody ready": task(),
    "streets without end": task(kind=TaskKind.STREETS, revisit_s=60.0, geometry=NET),
}


@pytest.mark.parametrize("name", CASES)
def test_why_a_task_cannot_be_flown_is_said_in_each_language(name: str) -> None:
    shut = Zone(name="机场", kind=ZoneKind.NO_FLY, geometry={"type": "Polygon", "coordinates": [BOX]})
    zones = (shut,) if name == "closed air" else ()
    ready = msgspec.structs.replace(DRONE, is_ready=name != "nobody ready")
    day = plan(Programme(docks=(DOCK,), airframes=(ready,), tasks=(CASES[name],), zones=zones), iterations=1)
    said = [refusal for refusal in day.refusals if refusal.task_id == 1]
    assert said
    for refusal in said:
        without_names = re.sub(r"thermal|wide|Polygon", "", refusal.reason_zh)
        assert re.findall(r"[A-Za-z]{4,}", without_names) == [], refusal.reason_zh
        assert re.search(r"[\u4e00-\u9fff]", refusal.reason_en.replace(DRONE.name, "").replace(shut.name, "")) is None
