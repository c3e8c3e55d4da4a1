"""Small extracts written on the spot: one-way streets, access, barriers, gaps, islands, names, and files that are no extract."""

from pathlib import Path
from typing import Any

import numpy as np
import osmium
import pytest
from scipy.sparse.csgraph import dijkstra

from mission.roads.graph import (
    ACCESS_ALL,
    ACCESS_BICYCLE,
    ACCESS_CAR,
    ACCESS_EMERGENCY,
    ACCESS_FOOT,
    ACCESS_MOTORCYCLE,
    CLASS_SPEED_MPS,
)
from mission.roads.osm import OsmExtract, read_osm
from mission.roads.osm_tags import blocked_by, names_of, rule_of
from mission.roads.travel import TravelMode, network_of
from telemetry.model.errors import FileFormatError, InputError, NotFoundError

Tags = dict[str, str]
CAR, BLUE, MOTO, EBIKE, FOOT = (
    TravelMode.CAR,
    TravelMode.BLUE_LIGHT,
    TravelMode.MOTORCYCLE,
    TravelMode.EBIKE,
    TravelMode.FOOT,
)


class Extract:
    """A little file: nodes on a grid of 0.001 degree, ways over them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._nodes: dict[int, tuple[float, float, Tags]] = {}
        self._ways: list[tuple[list[int], Tags]] = []

    def node(self, number: int, east: float, north: float, **tags: str) -> None:
        self._nodes[number] = (103.8 + east * 0.001, 36.0 + north * 0.001, tags)

    def line(self, count: int = 5) -> None:
        for number in range(1, count + 1):
            self.node(number, number, 0.0)

    def way(self, refs: list[int], tags: Tags) -> None:
        self._ways.append((refs, tags))

    def read(self) -> OsmExtract:
        with osmium.SimpleWriter(str(self.path)) as writer:
            for number, (lon, lat, tags) in sorted(self._nodes.items()):
                writer.add_node(osmium.osm.mutable.Node(id=number, location=(lon, lat), tags=tags))
            for number, (refs, tags) in enumerate(self._ways, 1):
                writer.add_way(osmium.osm.mutable.Way(id=number, nodes=refs, tags=tags))
        return read_osm(self.path)


@pytest.fixture
def extract(tmp_path: Path) -> Extract:
    return Extract(tmp_path / "town.osm.pbf")


def reaches(found: OsmExtract, mode: TravelMode, east_from: float, east_to: float) -> bool:
    """Whether a mode gets from one column of the grid to another, on its line of nodes."""
    columns = np.round((found.roads.node_lon_deg - 103.8) / 0.001, 3)
    tail, head = (int(np.flatnonzero(columns == east)[0]) for east in (east_from, east_to))
    return bool(np.isfinite(dijkstra(network_of(found.roads, mode).matrix, indices=[tail])[0][head]))


def who_goes(found: OsmExtract, east_from: float, east_to: float) -> set[TravelMode]:
    return {mode for mode in (CAR, BLUE, MOTO, EBIKE, FOOT) if reaches(found, mode, east_from, east_to)}


ALL = {CAR, BLUE, MOTO, EBIKE, FOOT}


@pytest.mark.parametrize(
    ("tags", "along", "against"),
    [
        ({}, ALL, ALL),
        ({"oneway": "yes"}, ALL, {BLUE, FOOT}),
        ({"oneway": "-1"}, {BLUE, FOOT}, ALL),
        ({"oneway": "reversible"}, {BLUE, EBIKE, FOOT}, {BLUE, EBIKE, FOOT}),
        ({"oneway": "alternating"}, ALL, ALL),
        ({"junction": "roundabout"}, ALL, {BLUE, FOOT}),
        ({"junction": "roundabout", "oneway": "no"}, ALL, ALL),
        ({"oneway": "yes", "oneway:bicycle": "no"}, ALL, {BLUE, EBIKE, FOOT}),
        ({"oneway": "yes", "cycleway:left": "opposite_lane"}, ALL, {BLUE, EBIKE, FOOT}),
        ({"oneway:bicycle": "yes"}, ALL, ALL - {EBIKE}),
        ({"highway": "motorway"}, {CAR, BLUE, MOTO}, set()),
        ({"highway": "motorway", "oneway": "no"}, {CAR, BLUE, MOTO}, {CAR, BLUE, MOTO}),
        ({"highway": "trunk", "oneway": "yes"}, ALL, {FOOT}),
        ({"highway": "trunk", "oneway": "yes", "oneway:psv": "no"}, ALL, {BLUE, FOOT}),
        ({"highway": "trunk", "motorroad": "yes"}, {CAR, BLUE, MOTO}, {CAR, BLUE, MOTO}),
        ({"access": "private"}, ALL, ALL),
        ({"motor_vehicle": "agricultural", "highway": "track"}, ALL, ALL),
        ({"access": "military"}, {BLUE, EBIKE, FOOT}, {BLUE, EBIKE, FOOT}),
        ({"highway": "busway"}, {BLUE}, {BLUE}),
        ({"access": "no", "emergency": "yes"}, {BLUE}, {BLUE}),
        ({"access": "no", "foot": "yes"}, {FOOT}, {FOOT}),
        ({"motor_vehicle": "no"}, {BLUE, EBIKE, FOOT}, {BLUE, EBIKE, FOOT}),
        ({"vehicle": "no"}, {BLUE, FOOT}, {BLUE, FOOT}),
        ({"vehicle": "no", "bicycle": "yes"}, {BLUE, EBIKE, FOOT}, {BLUE, EBIKE, FOOT}),
        ({"motor_vehicle": "destination"}, ALL, ALL),
        ({"foot": "no", "bicycle": "use_sidepath"}, {CAR, BLUE, MOTO}, {CAR, BLUE, MOTO}),
        ({"emergency": "no", "motor_vehicle": "no"}, {EBIKE, FOOT}, {EBIKE, FOOT}),
        ({"access": "no", "bus": "yes"}, {BLUE}, {BLUE}),
        ({"highway": "footway"}, {FOOT}, {FOOT}),
        ({"highway": "footway", "access": "yes"}, {FOOT}, {FOOT}),
        ({"highway": "footway", "bicycle": "yes"}, {EBIKE, FOOT}, {EBIKE, FOOT}),
        ({"highway": "steps", "bicycle": "yes"}, {FOOT}, {FOOT}),
        ({"highway": "pedestrian"}, {BLUE, EBIKE, FOOT}, {BLUE, EBIKE, FOOT}),
        ({"highway": "cycleway", "oneway": "yes"}, {EBIKE, FOOT}, {FOOT}),
    ],
)
def test_tags_say_who_goes_along_a_street_and_who_against_it(
    extract: Extract, tags: Tags, along: set[TravelMode], against: set[TravelMode]
) -> None:
    extract.line()
    extract.way([1, 2, 3, 4, 5], {"highway": "residential"} | tags)
    found = extract.read()
    assert who_goes(found, 1, 5) == along
    assert who_goes(found, 5, 1) == against
    assert bool(found.roads.way_oneway[0]) is (along != against and tags.get("oneway:bicycle") != "yes")


@pytest.mark.parametrize(
    ("barrier", "passes"),
    [
        ({"barrier": "bollard"}, {MOTO, EBIKE, FOOT}),
        ({"barrier": "bollard", "emergency": "yes"}, {BLUE, MOTO, EBIKE, FOOT}),
        ({"barrier": "gate"}, ALL),
        ({"barrier": "gate", "locked": "yes"}, {BLUE, EBIKE, FOOT}),
        ({"barrier": "lift_gate", "access": "private"}, ALL),
        ({"barrier": "gate", "access": "no"}, {BLUE, EBIKE, FOOT}),
        ({"barrier": "gate", "locked": "yes", "motor_vehicle": "yes"}, ALL),
        ({"barrier": "cycle_barrier"}, {EBIKE, FOOT}),
        ({"barrier": "stile"}, {FOOT}),
        ({"barrier": "gate", "foot": "no"}, ALL - {FOOT}),
        ({"barrier": "toll_booth"}, ALL),
    ],
)
def test_a_barrier_stops_those_who_cannot_pass_and_takes_only_the_shorter_side(
    extract: Extract, barrier: Tags, passes: set[TravelMode]
) -> None:
    extract.line()
    extract.node(3, 3.2, 0.0, **barrier)
    extract.way([1, 2, 3, 4, 5], {"highway": "residential"})
    found = extract.read()
    assert who_goes(found, 1, 5) == passes
    assert who_goes(found, 5, 1) == passes
    assert who_goes(found, 1, 3.2) == ALL
    assert found.report.barriers == (0 if passes == ALL else 1)


def test_a_dangling_reference_makes_a_gap_and_is_counted(extract: Extract) -> None:
    extract.line()
    extract.way([1, 2, 99, 3, 4, 5], {"highway": "primary"})
    extract.way([77, 78], {"highway": "primary"})
    found = extract.read()
    assert found.report.dangling_refs == 3
    assert found.roads.node_count == 3
    assert (found.report.islands, found.report.island_nodes) == (1, 2)


def test_small_islands_are_left_out_and_large_ones_stay(extract: Extract) -> None:
    for number in range(1, 201):
        extract.node(number, number, 0.0)
    extract.way(list(range(1, 101)), {"highway": "primary"})
    extract.way(list(range(101, 161)), {"highway": "primary"})
    extract.way(list(range(161, 201)), {"highway": "primary"})
    found = extract.read()
    assert found.roads.node_count == 160
    assert (found.report.ways_kept, found.report.islands, found.report.island_nodes) == (2, 1, 40)


def test_nodes_at_one_place_stay_joined_and_a_node_twice_in_a_row_is_left_out(extract: Extract) -> None:
    extract.line(3)
    extract.node(4, 3, 0.0)
    extract.node(5, 4, 0.0)
    extract.way([1, 2, 2, 3, 4, 5], {"highway": "primary"})
    found = extract.read()
    assert found.report.repeated_refs == 1
    assert reaches(found, CAR, 1, 4)
    assert found.roads.edge_length_m.min() == pytest.approx(0.01)


def test_two_streets_between_the_same_crossings_stay_two(extract: Extract) -> None:
    extract.line(2)
    extract.way([1, 2], {"highway": "residential", "name": "A"})
    extract.way([1, 2], {"highway": "primary", "name": "B"})
    found = extract.read().roads
    assert found.streets.count == 2
    assert len(found.edge_from) == 4
    fastest = network_of(found, CAR).matrix.toarray()[0, 1]
    assert fastest == pytest.approx(found.edge_length_m[0] / CLASS_SPEED_MPS[1], rel=1e-6)


def test_what_is_no_road_or_open_to_nobody_is_counted(extract: Extract) -> None:
    extract.line()
    extract.way([1, 2, 3, 4, 5], {"highway": "primary"})
    extract.way([1, 2, 3, 1], {"highway": "pedestrian", "area": "yes"})
    extract.way([1, 2], {"highway": "construction"})
    extract.way([1, 3], {"highway": "service", "access": "no"})
    report = extract.read().report
    assert (report.ways_read, report.ways_kept, report.no_road, report.no_access) == (2, 1, 2, 1)


def test_bridges_tunnels_and_names_come_along(extract: Extract) -> None:
    extract.line()
    extract.way([1, 2], {"highway": "primary", "name": "滨河路", "name:en": "Riverside Rd", "bridge": "yes"})
    extract.way([2, 3], {"highway": "primary", "name": "Main Street", "tunnel": "yes", "bridge": "no"})
    extract.way([3, 4], {"highway": "primary", "ref": "G30"})
    roads = extract.read().roads
    assert roads.way_bridge.tolist() == [True, False, False]
    assert roads.way_tunnel.tolist() == [False, True, False]
    assert roads.way_name_zh.tolist() == ["滨河路", "Main Street", "G30"]
    assert roads.way_name_en.tolist() == ["Riverside Rd", "Main Street", "G30"]


@pytest.mark.parametrize(
    ("tags", "names"),
    [
        ({"name": "南京路", "name:zh": "南京路"}, ("南京路", "南京路")),
        ({"name": "Nanjing Rd", "name:zh": "南京路"}, ("南京路", "Nanjing Rd")),
        ({"name": "南京路", "name:zh_pinyin": "Nánjīng Lù"}, ("南京路", "Nánjīng Lù")),
        ({}, ("", "")),
        ({"name": "x" * 300}, ("x" * 60, "x" * 60)),
    ],
)
def test_names_are_chinese_and_english_where_both_are_known(tags: Tags, names: tuple[str, str]) -> None:
    assert names_of(tags) == names


@pytest.mark.parametrize(
    ("limit", "ratio"),
    [
        ("40", 1.0),
        ("30", 0.75),
        ("30 mph", 1.2070),
        ("50 km/h", 1.25),
        ("5", 0.6),
        ("120", 1.3),
        ("none", 1.0),
        ("CN:urban", 1.0),
        ("", 1.0),
        ("-3", 1.0),
    ],
)
def test_a_posted_limit_moves_the_class_speed_a_little(limit: str, ratio: float) -> None:
    rule = rule_of({"highway": "residential", "maxspeed": limit})
    assert rule is not None
    assert rule.speed_mps == pytest.approx(CLASS_SPEED_MPS[3] * ratio, rel=1e-3)


def test_only_barriers_block() -> None:
    assert blocked_by({"highway": "traffic_signals"}) == 0
    assert blocked_by({"barrier": "wall"}) == ACCESS_ALL & ~ACCESS_FOOT
    assert blocked_by({"barrier": "bollard", "bicycle": "no"}) == ACCESS_CAR | ACCESS_EMERGENCY | ACCESS_BICYCLE
    assert blocked_by({"barrier": "gate", "motor_vehicle": "no"}) == ACCESS_CAR | ACCESS_MOTORCYCLE


def test_water_parks_buildings_and_names_come_beside_the_roads(extract: Extract) -> None:
    extract.line()
    for number, (east, north) in enumerate([(1, 2), (4, 2), (4, 5), (1, 5)], 11):
        extract.node(number, east, north)
    extract.node(21, 2, 3, place="suburb", name="Alt")
    extract.node(22, 2, 3, amenity="police", name="派出所")
    extract.node(23, 2, 3, amenity="police")
    ring = [11, 12, 13, 14, 11]
    extract.way([1, 2, 3, 4, 5], {"highway": "primary"})
    extract.way(ring, {"natural": "water", "name": "West Lake"})
    extract.way(ring, {"leisure": "park"})
    extract.way(ring, {"building": "yes"})
    extract.way(ring, {"landuse": "industrial"})
    extract.way([11, 13], {"waterway": "river", "name": "金河"})
    found = {(item.layer, item.kind, item.name_zh, item.name_en) for item in extract.read().features}
    assert found == {
        ("labels", "district", "Alt", "Alt"),
        ("places", "place", "派出所", "派出所"),
        ("water", "river", "West Lake", "West Lake"),
        ("labels", "river", "West Lake", "West Lake"),
        ("parks", "park", "", ""),
        ("parks", "works", "", ""),
        ("blocks", "block", "", ""),
        ("water", "river", "金河", "金河"),
    }


def test_a_broken_outline_is_left_out_and_counted(extract: Extract) -> None:
    extract.line()
    extract.way([1, 2, 3, 4, 5], {"highway": "primary"})
    for number, (east, north) in enumerate([(1, 2), (4, 2), (4, 5), (1, 5)], 11):
        extract.node(number, east, north)
    extract.way([11, 13, 12, 14, 11], {"natural": "water"})
    report = extract.read().report
    assert (report.areas_kept, report.areas_left_out) == (0, 1)


def test_an_extract_without_roads_is_refused(extract: Extract) -> None:
    extract.line()
    with pytest.raises(InputError, match="holds no road that anybody may use"):
        extract.read()


@pytest.mark.parametrize("content", [b"", b"hello", b"<osm>", b"PK\x03\x04 a zip", None])
def test_a_file_that_is_no_extract_is_refused_with_a_reason(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "town.osm.pbf"
    path.write_bytes(bytes(range(256)) * 500 if content is None else content)
    with pytest.raises(FileFormatError, match="is no whole OpenStreetMap extract"):
        read_osm(path)


@pytest.mark.parametrize("place", ['lat="nan" lon="1"', 'lat="1e5" lon="0"', 'lat="" lon=""'])
def test_an_extract_with_a_place_that_is_none_is_refused_with_a_reason(place: str, tmp_path: Path) -> None:
    path = tmp_path / "town.osm"
    path.write_text(f'<osm version="0.6"><node id="1" {place}/></osm>')
    with pytest.raises(FileFormatError, match="is no whole OpenStreetMap extract"):
        read_osm(path)


def test_a_missing_file_and_a_directory_are_told(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.osm.pbf", tmp_path):
        with pytest.raises(NotFoundError, match="there is no file"):
            read_osm(path)


@pytest.mark.shared_data
@pytest.mark.parametrize("share", [0.001, 0.3, 0.7, 0.999])
def test_a_truncated_extract_is_refused(share: float, test_data: Path, tmp_path: Path) -> None:
    whole = (test_data / "osm" / "liechtenstein-latest.osm.pbf").read_bytes()
    path = tmp_path / "cut.osm.pbf"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(FileFormatError, match="cut off, damaged"):
        read_osm(path)


@pytest.mark.shared_data
def test_a_damaged_extract_is_refused_or_read_but_never_crashes(test_data: Path, tmp_path: Path) -> None:
    whole = (test_data / "osm" / "fujian_small.osm.pbf").read_bytes()
    random = np.random.default_rng(4)
    path, refused = tmp_path / "bad.osm.pbf", 0
    for _ in range(60):
        damaged = bytearray(whole)
        for place in random.integers(0, len(whole), 3):
            damaged[place] ^= int(random.integers(1, 256))
        path.write_bytes(damaged)
        refused += is_refused(path)
    assert refused > 30


def is_refused(path: Path) -> bool:
    try:
        read_osm(path)
    except (FileFormatError, InputError):
        return True
    return False


def test_an_extract_that_is_too_large_is_refused_before_it_fills_the_memory(
    extract: Extract, monkeypatch: pytest.MonkeyPatch
) -> None:
    extract.line()
    extract.way([1, 2, 3, 4, 5], {"highway": "primary"})
    monkeypatch.setattr("mission.roads.osm.MOST_REFS", 3)
    with pytest.raises(InputError, match="cut your city out of it"):
        extract.read()
    monkeypatch.setattr("mission.roads.osm.MOST_BYTES", 10)
    with pytest.raises(InputError, match="cut your city out of it"):
        read_osm(extract.path)


def test_progress_is_told(extract: Extract) -> None:
    extract.line()
    extract.way([1, 2, 3, 4, 5], {"highway": "primary"})
    extract.read()
    told: list[Any] = []
    read_osm(extract.path, told.append)
    assert len(told) == 3
