"""Benchmark `roads`: an extract becomes a road graph and the map's features, in CPU seconds."""

import os
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time
from typing import Final

from console.bench import Figures
from mission.roads.graph import load_roads
from mission.roads.osm import read_osm
from mission.roads.travel import GROUND_MODES, network_of
from telemetry.model.errors import NotFoundError

GOAL_S: Final = 5.0
EXTRACT: Final = "liechtenstein-latest.osm.pbf"


def run(*, runs: int, seed: int, osm: Path | None = None) -> Figures:
    """Import the extract (by default Liechtenstein of the recorded data) `runs` times; also save, load and make networks."""
    del seed  # nothing here is random
    path = osm or default_extract(EXTRACT)
    import_s, load_s, networks_s = [], [], []
    for _ in range(runs):
        started = process_time()
        extract = read_osm(path)
        with TemporaryDirectory() as folder:
            file = Path(folder) / "roads.npz"
            extract.roads.save(file)
            saved = process_time()
            roads = load_roads(file)
            file_bytes = file.stat().st_size
        loaded = process_time()
        _ = [network_of(roads, mode).matrix for mode in GROUND_MODES]
        import_s.append(saved - started)
        load_s.append(loaded - saved)
        networks_s.append(process_time() - loaded)
    figures: dict[str, float | int | str | None] = {
        "map": path.name,
        "s": round(median(import_s), 3),
        "load_ms": round(median(load_s) * 1000.0, 1),
        "networks_ms": round(median(networks_s) * 1000.0, 1),
        "nodes": extract.report.node_count,
        "edges": extract.report.edge_count,
        "road_km": extract.report.road_km,
        "file_kb": round(file_bytes / 1000.0, 1),
    }
    return Figures(figures=figures, goals={"s": ("<=", GOAL_S)} if path.name == EXTRACT else {})


def default_extract(name: str) -> Path:
    """Return an extract of the recorded data (SKYBEAT_TEST_DATA, by default shared/data beside the project).

    Raises NotFoundError where there is none.
    """
    default = Path(__file__).resolve().parents[3] / "shared" / "data"
    path = Path(os.environ.get("SKYBEAT_TEST_DATA", default)) / "osm" / name
    if not path.is_file():
        message = f"there is no {path}: give an extract with --osm FILE, or set SKYBEAT_TEST_DATA"
        raise NotFoundError(message)
    return path
