"""What a city's folder holds beside its pictures: roads, speeds, places with a tier and people, read and checked together."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np

from mission.cover.ground import Places, Weights
from mission.roads.graph import RoadGraph, load_roads
from mission.roads.travel import SPEEDS_FILE, Speeds, load_speeds
from telemetry.model.errors import FileFormatError, NotFoundError

ROADS: Final = "roads.npz"
SPEEDS: Final = SPEEDS_FILE
TIERS: Final = "tiers.geojson"
PEOPLE: Final = "people.npy"
TIER_MINUTES: Final = (1, 3, 5)


@dataclass(frozen=True, eq=False)
class CityFiles:
    """A city as coverage and planning reckon with it; what its folder does not hold is None, speeds are then the usual ones."""

    graph: RoadGraph
    speeds: Speeds
    places: Places | None
    weights: Weights


def load_city(folder: Path) -> CityFiles:
    """Return what the folder holds; about 0.1 s for 50,000 nodes.

    Raises NotFoundError without roads and FileFormatError for a file that is damaged or of another city; both say what to do.
    """
    roads = folder / ROADS
    if not roads.exists():
        message = f"{folder} holds no roads: import a map with `skybeat roads import`, or make the demo city with `skybeat demo`"
        raise NotFoundError(message)
    graph = load_roads(roads)
    return CityFiles(graph, load_speeds(folder), load_places(folder / TIERS), Weights(load_people(folder, graph)))


def load_places(path: Path) -> Places | None:
    """Return the places that must be reached within 1, 3 or 5 minutes; None without the file. Raises FileFormatError."""
    if not path.exists():
        return None
    try:
        features: list[dict[str, Any]] = json.loads(path.read_bytes())["features"]
        points = np.array([feature["geometry"]["coordinates"][:2] for feature in features], np.float64).reshape(-1, 2)
        minutes = np.array([feature["properties"]["minutes"] for feature in features], np.int32)
        names = [[str(feature["properties"].get(key) or "") for feature in features] for key in ("name_zh", "name_en")]
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{path} holds no places ({type(error).__name__}: {error}): it is GeoJSON of points with `minutes`"
        raise FileFormatError(message) from error
    if not np.isin(minutes, TIER_MINUTES).all():
        message = f"{path}: minutes are {sorted(set(minutes.tolist()))}: allowed are 1, 3 and 5"
        raise FileFormatError(message)
    return Places(points[:, 1], points[:, 0], minutes, tuple(names[0]), tuple(names[1]))


def load_people(folder: Path, graph: RoadGraph) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    """Return people by node (nodes,); None where nobody knows. Raises FileFormatError for those of another map."""
    path = folder / PEOPLE
    if not path.exists():
        return None
    try:
        people = np.load(path, allow_pickle=False)
    except (OSError, EOFError, ValueError, BadZipFile) as error:
        message = f"{path} holds no people ({error}): delete it, or make it anew"
        raise FileFormatError(message) from error
    if people.shape != (graph.node_count,) or not np.isfinite(people).all() or people.min(initial=0.0) < 0.0:
        message = (
            f"{path} has the shape {people.shape}, the roads have {graph.node_count} nodes: it must hold one number of 0 or "
            "more a node; delete it, or make it anew for this map"
        )
        raise FileFormatError(message)
    return np.asarray(people, np.float64)
