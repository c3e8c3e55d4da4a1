"""Whatever bytes a force file holds, reading it ends in lines and problems or in one clear error."""

import csv
import io
import json

from hypothesis import given
from hypothesis import strategies as st

from telemetry.model.errors import FileFormatError
from telemetry.registry.force_file import ForceFile, parse_force_file
from telemetry.registry.force_rows import COLUMNS

WORDS = st.one_of(
    st.sampled_from(
        ["station", "post", "camera", "unit", "device", "1", "car", "patrol", "36.07", "103.8", "gcj02", ""]
    ),
    st.text(max_size=8),
)
VALUES = st.one_of(WORDS, st.none(), st.booleans(), st.integers(), st.floats(), st.lists(st.floats(), max_size=3))


def read(data: bytes, name: str) -> ForceFile | None:
    try:
        return parse_force_file(data, name)
    except FileFormatError:
        return None


@given(st.binary(max_size=300), st.sampled_from(["f.csv", "f.geojson", "f.txt"]))
def test_any_bytes_are_answered(data: bytes, name: str) -> None:
    read(data, name)


@given(st.lists(st.lists(WORDS, min_size=len(COLUMNS), max_size=len(COLUMNS)), max_size=6))
def test_every_line_of_a_csv_is_either_taken_or_named_as_a_problem(rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([COLUMNS, *rows])
    found = read(text.getvalue().encode("utf-8", "ignore"), "f.csv")
    if found is not None:
        assert len({line.line for line in found.lines} | {problem.line for problem in found.problems}) <= len(rows)


@given(st.lists(st.dictionaries(st.sampled_from(COLUMNS), VALUES, max_size=8), max_size=6), VALUES)
def test_every_feature_is_either_taken_or_named_as_a_problem(rows: list[dict[str, object]], place: object) -> None:
    features = [{"properties": row, "geometry": {"type": "Point", "coordinates": place}} for row in rows]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    found = read(text.encode(), "f.geojson")
    assert found is not None
    assert len(found.lines) + len(found.problems) >= len(rows)
