"""What `skybeat bench coverage_path` measures: its own shapes within their bounds, and the polygons of a file by their kind."""

import json
from pathlib import Path
from typing import Any

import pytest
import shapely

from console.bench.coverage_path import SHAPES, measured, run
from telemetry.model.errors import FileFormatError


def square(lon: float, lat: float, size: float) -> list[list[float]]:
    return [[lon, lat], [lon + size, lat], [lon + size, lat + size], [lon, lat + size], [lon, lat]]


def polygon(*rings: list[list[float]]) -> dict[str, Any]:
    return {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": list(rings)}}


def written(tmp_path: Path, *features: dict[str, Any]) -> Path:
    path = tmp_path / "areas.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def test_its_own_shapes_stay_within_their_bounds() -> None:
    found = run(runs=1, seed=1)
    slow = [sentence for sentence in found.unmet() if not sentence.startswith("ms ")]
    assert slow == []
    assert found.figures["polygons"] == sum(len(areas) for areas in SHAPES.values())


def test_a_file_is_measured_by_the_kinds_of_its_polygons(tmp_path: Path) -> None:
    triangle = [[103.8, 36.0], [103.804, 36.0], [103.802, 36.003], [103.8, 36.0]]
    holed = polygon(square(103.8, 36.1, 0.004), square(103.801, 36.101, 0.001)[::-1])
    found = run(
        runs=1, seed=1, geojson=written(tmp_path, polygon(square(103.8, 36.0, 0.003)), polygon(triangle), holed)
    )
    assert found.figures["polygons"] == 3
    assert found.figures["l_and_u"] is None
    assert all(found.figures[kind] is not None for kind in ("rectangle", "concave_holes", "others"))
    assert found.figures["inside_no_fly_m"] == 0.0
    assert set(found.goals) == {"rectangle", "concave_holes", "uncovered_ratio", "inside_no_fly_m", "ms"}


def test_a_line_through_a_hole_would_be_seen() -> None:
    area = shapely.box(0.0, 0.0, 200.0, 200.0).difference(shapely.box(80.0, 80.0, 120.0, 120.0))
    assert measured(area, 1).in_holes_m == 0.0
    assert measured(area, 1).unseen_ratio <= 0.001


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"type": "Point", "coordinates": [1, 2]}', '{"features": 3, "type": "FeatureCollection"}']
)
def test_a_file_without_sound_polygons_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wrong.geojson"
    path.write_text(text)
    with pytest.raises(FileFormatError, match="give"):
        run(runs=1, seed=1, geojson=path)


def test_a_polygon_that_crosses_itself_is_refused(tmp_path: Path) -> None:
    bow = [[103.8, 36.0], [103.81, 36.01], [103.81, 36.0], [103.8, 36.01], [103.8, 36.0]]
    with pytest.raises(FileFormatError, match="crosses itself"):
        run(runs=1, seed=1, geojson=written(tmp_path, polygon(bow)))
