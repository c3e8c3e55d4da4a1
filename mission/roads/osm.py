"""Reads an OpenStreetMap extract: the police's road graph, what the map shows beside it, and a count of what was left out."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import osmium
from osmium.filter import KeyFilter
from osmium.osm import NODE, WAY, Node, Way

from mission.roads.graph import RoadGraph
from mission.roads.osm_areas import MapFeature, line_feature, point_feature, read_areas
from mission.roads.osm_graph import ImportReport, RawWays, build_graph
from mission.roads.osm_tags import Tags, blocked_by, is_road, rule_of
from telemetry.model.errors import FileFormatError, InputError, NotFoundError

Progress = Callable[[str], None]

MOST_BYTES: Final = 1_000_000_000
MOST_REFS: Final = 5_000_000
"""A city's roads have some 100,000 to 1,000,000 points; a graph of more could not be reckoned once a second."""

_READING_ERRORS: Final = (RuntimeError, ValueError, IndexError, MemoryError, osmium.InvalidLocationError)
_WAY_KEYS: Final = ("highway", "waterway")
_NODE_KEYS: Final = ("barrier", "place", "amenity", "tourism", "railway", "aeroway", "shop")


class OsmExtract(NamedTuple):
    """What an extract gives: roads, the report of the import, and what the map shows beside roads."""

    roads: RoadGraph
    report: ImportReport
    features: tuple[MapFeature, ...]


def read_osm(path: Path, progress: Progress = lambda _: None) -> OsmExtract:
    """Return roads, report and map features of an extract (`.osm.pbf`, or XML as `.osm`), WGS-84 as OpenStreetMap is.

    `progress` hears one short line a step. About 0.5 s of CPU for 1.3 MB of PBF. Raises NotFoundError for a missing file,
    FileFormatError for one that is no extract or is cut off, InputError for one without roads or too large.
    """
    _check(path)
    progress(f"roads: reading {path.name}")
    raw, features = _read_roads(path)
    progress(f"roads: {raw.ways_read} ways read, building the graph")
    roads, report = build_graph(raw)
    progress("roads: reading water, parks and buildings")
    areas, left_out = _guarded(path, read_areas)
    found = (*features, *areas)
    drawn = sum(thing.layer not in {"labels", "places"} for thing in areas)
    report = msgspec.structs.replace(report, areas_kept=drawn, areas_left_out=left_out)
    return OsmExtract(roads, report, found)


def _check(path: Path) -> None:
    if not path.is_file():
        message = f"there is no file {path}: give the path of an extract, such as city.osm.pbf"
        raise NotFoundError(message)
    if path.stat().st_size > MOST_BYTES:
        message = (
            f"{path} has {path.stat().st_size / 1e6:.0f} MB, at most {MOST_BYTES / 1e6:.0f} MB are read: "
            "cut your city out of it first (`osmium extract --bbox`)"
        )
        raise InputError(message)


def _guarded(path: Path, read: Callable[[Path], tuple[list[MapFeature], int]]) -> tuple[list[MapFeature], int]:
    try:
        return read(path)
    except _READING_ERRORS as error:
        raise _broken(path, error) from error


def _broken(path: Path, error: Exception) -> FileFormatError:
    return FileFormatError(
        f"{path} is no whole OpenStreetMap extract ({error}): it is cut off, damaged or of another format; "
        "download it again as .osm.pbf"
    )


def _read_roads(path: Path) -> tuple[RawWays, list[MapFeature]]:
    """Return the ways with their nodes' positions, the barriers, and named points and streams for the map."""
    raw, features = RawWays(), list[MapFeature]()
    for thing in _objects(path):
        tags = {tag.k: tag.v for tag in thing.tags}
        if isinstance(thing, Way):
            _take_way(raw, features, thing, tags)
        else:
            _take_node(raw, features, thing, tags)
        if len(raw.refs) > MOST_REFS:
            message = f"{path} has more than {MOST_REFS:,} road points: cut your city out of it first (`osmium extract --bbox`)"
            raise InputError(message)
    return raw, features


def _objects(path: Path) -> Iterator[Node | Way]:
    """Yield nodes and ways that matter, ways with the positions of their nodes."""
    of_nodes, of_ways = KeyFilter(*_NODE_KEYS), KeyFilter(*_WAY_KEYS)
    of_nodes.enable_for(NODE)
    of_ways.enable_for(WAY)
    try:
        things = osmium.FileProcessor(str(path), NODE | WAY).with_locations()
        for thing in things.with_filter(of_nodes).with_filter(of_ways):
            if isinstance(thing, Node | Way):
                yield thing
    except _READING_ERRORS as error:
        raise _broken(path, error) from error


def _take_way(raw: RawWays, features: list[MapFeature], way: Way, tags: Tags) -> None:
    if "highway" not in tags:
        stream = line_feature(way, tags)
        features += [stream] if stream else []
        return
    if not is_road(tags):
        raw.no_road += 1
        return
    raw.ways_read += 1
    rule = rule_of(tags)
    if rule is None:
        raw.no_access += 1
        return
    points = [(ref.ref, ref.x, ref.y) for ref in way.nodes]
    points = points[::-1] if rule.is_reversed else points
    raw.refs.extend(point[0] for point in points)
    raw.lon_e7.extend(point[1] for point in points)
    raw.lat_e7.extend(point[2] for point in points)
    raw.sizes.append(len(points))
    raw.rules.append(rule)


def _take_node(raw: RawWays, features: list[MapFeature], node: Node, tags: Tags) -> None:
    blocked = blocked_by(tags)
    if blocked:
        raw.blocked[node.id] = blocked
    point = point_feature(node, tags)
    features += [point] if point else []
