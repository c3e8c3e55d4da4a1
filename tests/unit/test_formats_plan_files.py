"""The one door to files: what other tools' files bring can be planned at once."""

import json

from mission.formats.plan_files import read_file

AREAS = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "properties": {"name": name}, "geometry": {"type": "Point", "coordinates": [103.83, lat]}}
        for name, lat in (("Gate", 36.06), ("Bridge", 36.07))
    ],
}


def test_several_tasks_of_a_file_without_numbers_are_numbered_from_one() -> None:
    found = read_file(json.dumps(AREAS).encode(), "areas.geojson").programme
    assert [(task.task_id, task.name_en) for task in found.tasks] == [(1, "Gate"), (2, "Bridge")]
