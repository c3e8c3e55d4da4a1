"""KML: what was exported comes back as what it was, and drawings of others as their shapes say."""

import msgspec
import pytest

from mission.formats import kml
from mission.formats.brought import Brought
from mission.model import Geometry, Task, TaskKind, Zone, ZoneKind
from tests.flown_day import BANK, PLAN, PROGRAMME

SQUARE: Geometry = {"type": "Polygon", "coordinates": [[[103.8, 36.0], [103.9, 36.0], [103.9, 36.1], [103.8, 36.0]]]}
STREETS: Geometry = {
    "type": "MultiLineString",
    "coordinates": [[[103.8, 36.0], [103.9, 36.0]], [[103.8, 36.0], [103.8, 36.1]]],
}
POINT: Geometry = {"type": "Point", "coordinates": [103.8, 36.0]}
DRAWN = '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark>{}</Placemark></Document></kml>'
RING = "<LinearRing><coordinates>103.8,36 103.9,36 103.9,36.1 103.8,36</coordinates></LinearRing>"
POLYGON = f"<Polygon><outerBoundaryIs>{RING}</outerBoundaryIs></Polygon>"


def task(kind: TaskKind, geometry: Geometry) -> Task:
    return Task(name_zh=kind.value, name_en=kind.value, kind=kind, geometry=geometry)


def both(brought: Brought) -> tuple[list[tuple[TaskKind, Geometry]], list[ZoneKind]]:
    return [(task.kind, task.geometry) for task in brought.tasks], [zone.kind for zone in brought.zones]


def test_each_task_and_zone_that_we_wrote_comes_back_as_its_kind_and_sorties_are_left_out_with_a_note() -> None:
    tasks = (
        BANK,
        task(TaskKind.EVENT, POINT),
        task(TaskKind.STREETS, STREETS),
        task(TaskKind.PERIMETER, SQUARE),
        task(TaskKind.AREA, {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"]] * 2}),
    )
    zones = tuple(Zone(name="School", kind=kind, geometry=SQUARE) for kind in ZoneKind)
    programme = msgspec.structs.replace(PROGRAMME, tasks=tasks, zones=zones)
    brought = kml.read(kml.write(PLAN, programme))
    assert both(brought) == ([(one.kind, one.geometry) for one in tasks], list(ZoneKind))
    (note,) = brought.notes
    assert "1 sorties" in note.en
    assert "1 个" in note.zh


def test_a_file_of_before_says_its_kinds_in_descriptions_and_its_sorties_by_their_folder() -> None:
    old = kml.write(PLAN, PROGRAMME).decode()
    start, end = "<ExtendedData>", "</ExtendedData>"
    while start in old:
        old = old[: old.index(start)] + old[old.index(end) + len(end) :]
    brought = kml.read(old.encode())
    assert both(brought) == ([(TaskKind.CORRIDOR, BANK.geometry)], [ZoneKind.NO_FLY, ZoneKind.KEEP_IN])
    assert len(brought.notes) == 1


@pytest.mark.parametrize(
    ("inside", "kind"),
    [
        (f"<name>Park</name>{POLYGON}", TaskKind.AREA),
        (f"<name>Park</name><description>a fine park</description>{POLYGON}", TaskKind.AREA),
        (f"<name>禁飞 1</name>{POLYGON}", ZoneKind.NO_FLY),
        (f'<name>A</name><ExtendedData><SchemaData><SimpleData name="kind">keep_in</SimpleData></SchemaData></ExtendedData>{POLYGON}', ZoneKind.KEEP_IN),
    ],
)  # fmt: skip
def test_drawings_of_others_are_what_they_say_or_what_their_shape_is(inside: str, kind: TaskKind | ZoneKind) -> None:
    brought = kml.read(DRAWN.format(inside).encode())
    assert [*(one.kind for one in brought.tasks), *(one.kind for one in brought.zones)] == [kind]
    assert brought.notes == ()


def test_a_kind_that_does_not_go_with_the_shape_is_told() -> None:
    said = "<name>A</name><description>corridor</description><Point><coordinates>103.8,36</coordinates></Point>"
    brought = kml.read(DRAWN.format(said).encode())
    assert both(brought) == ([(TaskKind.POINT, POINT)], [])
    (note,) = brought.notes
    assert "its kind is corridor, which a Point cannot be: taken as point" in note.en
    assert "与 Point 不符" in note.zh
