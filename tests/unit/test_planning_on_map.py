"""Planning on a made town: places are snapped or refused, demands keep their sum, sites and moves lie where they must."""

from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from console.city.files import load_city
from mission.cover.ground import GroundUnits, Places, Weights
from mission.roads.graph import Snapped
from mission.roads.travel import DEFAULT_SPEEDS, TravelMode
from mission.siting.moveup import Hold, MoveUpRules
from mission.siting.moveup_map import MoveUpMap, Posts, UnitHistory, posts_at
from mission.siting.planning_map import DemandKind, Demands, PlanningMap
from mission.siting.site_questions import SiteWish, plan_sites
from mission.siting.sites import Proof
from telemetry.model.errors import FileFormatError, InputError, NotFoundError
from tests.grid_town import SIDE, grid_town, place_of

GRAPH = grid_town()


@pytest.fixture(name="area", scope="module")
def made_area() -> PlanningMap:
    return PlanningMap(GRAPH)


def at(area: PlanningMap, *places: tuple[float, float]) -> Snapped:
    lat, lon = np.array(places).T
    return area.snap(lat, lon, mode=TravelMode.CAR, names=[f"place {n}" for n in range(len(places))])


def demands_at_every_node(area: PlanningMap) -> Demands:
    return area.demands(DemandKind.ROADS, most_count=1000)


def test_a_place_in_the_river_or_off_the_map_is_refused_with_what_to_do(area: PlanningMap) -> None:
    river = place_of(GRAPH, SIDE * (SIDE // 2 - 1) + 1, north_m=150.0, east_m=150.0)
    assert at(area, river).edge[0] >= 0  # 150 m from the bank is still at its street
    with pytest.raises(InputError, match="place 1 lies off this map"):
        at(area, river, (0.0, 0.0))
    far = grid_town(4)
    wide = PlanningMap(far)
    with pytest.raises(
        InputError, match=r"place 0 lies \d+ m from the nearest street that a car may use: allowed are 250 m"
    ):
        at(wide, place_of(far, 0, north_m=-600.0))
    with pytest.raises(InputError, match="no position"):
        at(area, (float("nan"), 103.8))


def test_seconds_between_junctions_and_from_places_are_networkx_s(area: PlanningMap) -> None:
    graph = nx.from_scipy_sparse_array(area.network(TravelMode.CAR).matrix, create_using=nx.DiGraph)
    sites, goals = np.array([0, 37, 99], np.int32), np.arange(100, dtype=np.int32)
    seconds = area.seconds_between(TravelMode.CAR, sites, goals, limit_s=1e6)
    for column, site in enumerate(sites.tolist()):
        away = nx.single_source_dijkstra_path_length(graph, site)
        assert seconds[:, column].tolist() == pytest.approx([away[node] for node in range(100)], abs=1e-3)
    between = at(area, place_of(GRAPH, 11, east_m=90.0), place_of(GRAPH, 0))
    from_places = area.seconds_from(TravelMode.CAR, between, limit_s=1e6)
    step_s = seconds[1, 0]
    assert from_places[0, 11] == pytest.approx(0.3 * step_s, rel=1e-3)
    assert from_places[0, 12] == pytest.approx(0.7 * step_s, rel=1e-3)
    assert from_places[1].tolist() == pytest.approx(seconds[:, 0].tolist(), abs=0.05)
    late = area.seconds_between(TravelMode.CAR, sites, goals, limit_s=60.0)
    assert np.isinf(late[99, 0])


def test_gathered_demands_keep_their_sum_and_stay_few(area: PlanningMap) -> None:
    whole = area.node_weight(DemandKind.ROADS)
    for most in (1, 7, 50, 1000):
        found = area.demands(DemandKind.ROADS, most_count=most)
        assert len(found.node) <= most
        assert found.weight.sum() == pytest.approx(whole.sum())
        assert len(set(found.node.tolist())) == len(found.node)
    with pytest.raises(InputError, match="knows no people: ask with the demand `roads`"):
        area.demands(DemandKind.PEOPLE, most_count=10)
    with pytest.raises(InputError, match="knows no incidents"):
        area.demands(DemandKind.INCIDENTS, most_count=10)
    people = np.zeros(100)
    people[42] = 7.0
    crowded = PlanningMap(GRAPH, weights=Weights(people)).demands(DemandKind.PEOPLE, most_count=10)
    assert (crowded.node.tolist(), crowded.weight.tolist()) == ([42], [7.0])


def test_candidates_stand_apart_at_junctions_of_main_roads(area: PlanningMap) -> None:
    found = area.candidates(count=9)
    assert len(found) == len(set(found.tolist())) == 9
    points = GRAPH.node_xy_m[found]
    away = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))[~np.eye(9, dtype=bool)]
    assert away.min() >= 600.0


def test_new_sites_lie_where_nobody_stands_and_the_plan_tells_what_each_wins(area: PlanningMap) -> None:
    standing = np.array([0], np.int32)
    wish = SiteWish("station", TravelMode.CAR, 150.0, 2, standing, np.arange(100, dtype=np.int32))
    plan = plan_sites(area, demands_at_every_node(area), [wish])
    assert plan.siting.proof is Proof.OPTIMAL
    assert 0 not in plan.nodes[0]
    assert len(plan.nodes[0]) == 2
    assert plan.before_share < plan.covered_share <= plan.bound_share + 1e-9
    assert plan.covered_share - plan.before_share >= plan.alone_shares[0].sum() - 1e-9
    assert plan.beyond_share == 0.0


def test_the_fewest_sites_cover_everything(area: PlanningMap) -> None:
    wish = SiteWish("post", TravelMode.CAR, 200.0, None, np.zeros(0, np.int32), np.arange(100, dtype=np.int32))
    plan = plan_sites(area, demands_at_every_node(area), [wish])
    assert plan.covered_share == pytest.approx(1.0)
    fewer = SiteWish("post", TravelMode.CAR, 200.0, len(plan.nodes[0]) - 1, wish.standing, wish.candidates)
    assert plan_sites(area, demands_at_every_node(area), [fewer]).covered_share < 1.0
    with pytest.raises(InputError, match="one kind at a time"):
        plan_sites(area, demands_at_every_node(area), [wish, fewer])


def tier_one(node: int) -> Places:
    lat, lon = place_of(GRAPH, node)
    return Places(np.array([lat]), np.array([lon]), np.array([1], np.int32), ("广场",), ("Square",))


def test_a_first_tier_place_is_reached_whatever_else_is(area: PlanningMap) -> None:
    wish = SiteWish("post", TravelMode.CAR, 150.0, 1, np.zeros(0, np.int32), np.arange(100, dtype=np.int32))
    plan = plan_sites(area, demands_at_every_node(area), [wish], must_reach=tier_one(99))
    seconds = area.seconds_between(TravelMode.CAR, plan.nodes[0], np.array([99], np.int32), limit_s=600.0)
    assert seconds[0, 0] <= 60.0
    elsewhere = SiteWish("post", TravelMode.CAR, 150.0, 1, wish.standing, np.array([0, 5], np.int32))
    with pytest.raises(InputError, match="广场 must be reached within their own minutes and are in reach of no site"):
        plan_sites(area, demands_at_every_node(area), [elsewhere], must_reach=tier_one(99))


def units_at(*nodes: int, mode: int = 0) -> GroundUnits:
    lat, lon = np.array([place_of(GRAPH, node) for node in nodes]).T
    count = len(nodes)
    return GroundUnits(
        np.arange(count, dtype=np.int32),
        np.zeros(count, np.int32),
        lat,
        lon,
        np.full(count, mode, np.int32),
        np.zeros(count),
    )


def rested(count: int) -> UnitHistory:
    return UnitHistory(np.full(count, 1e5), np.zeros(count, np.int64))


def posts_of(area: PlanningMap, *nodes: int) -> Posts:
    return posts_at(area, at(area, *(place_of(GRAPH, node) for node in nodes)))


def test_of_three_cars_in_one_corner_some_are_sent_out_and_their_ways_are_told(area: PlanningMap) -> None:
    board = MoveUpMap(area, posts_of(area, 55, 77, 0), demands_at_every_node(area), first_tier=tier_one(0))
    found = board.advise(units_at(0, 0, 1), rested(3), MoveUpRules(drive_limit_s=900.0))
    assert 1 <= len(found.advice.moves) <= 2, "one stays with the first-tier place"
    for move, km, way in zip(found.advice.moves, found.km, found.way_nodes, strict=True):
        assert move.post in {0, 1}, "post 2 is taken"
        assert way[-1] == (55, 77)[move.post]
        assert km == pytest.approx(0.3 * (len(way) - 1), abs=0.31)
        assert all(abs(a - b) in {1, SIDE} for a, b in zip(way[:-1].tolist(), way[1:].tolist(), strict=True))
        speed_mps = DEFAULT_SPEEDS.class_speed_mps[TravelMode.CAR]
        assert km * 1000.0 / max(speed_mps) <= move.drive_s
    assert found.advice.expected_after_share > found.advice.expected_before_share


def test_the_only_car_at_a_first_tier_place_stays_and_who_is_off_the_map_is_left_out(area: PlanningMap) -> None:
    board = MoveUpMap(area, posts_of(area, 55), demands_at_every_node(area), first_tier=tier_one(0))
    units = units_at(0, 1)
    units.lat_deg[1] = np.nan
    found = board.advise(units, rested(2), MoveUpRules(drive_limit_s=900.0))
    assert found.on_map.tolist() == [0]
    assert found.advice.moves == ()
    assert found.advice.held == {0: Hold.FIRST_TIER}


def test_no_units_and_no_posts_give_no_advice(area: PlanningMap) -> None:
    board = MoveUpMap(area, posts_of(area, 55), demands_at_every_node(area), first_tier=None)
    assert board.advise(GroundUnits(), rested(0), MoveUpRules()).advice.moves == ()
    empty = Posts(np.zeros(0, np.int32), np.zeros((0, 2)))
    no_posts = MoveUpMap(area, empty, demands_at_every_node(area), first_tier=None)
    assert no_posts.advise(units_at(0, 5), rested(2), MoveUpRules()).advice.moves == ()


def test_a_city_folder_is_read_and_checked(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="holds no roads: import a map"):
        load_city(tmp_path)
    GRAPH.save(tmp_path / "roads.npz")
    bare = load_city(tmp_path)
    assert (bare.places, bare.weights.people, bare.speeds) == (None, None, DEFAULT_SPEEDS)
    np.save(tmp_path / "people.npy", np.ones(100, np.float32))
    (tmp_path / "tiers.geojson").write_text(
        '{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[103.8,36.0]},'
        '"properties":{"name_zh":"广场","minutes":1}}]}'
    )
    full = load_city(tmp_path)
    assert full.weights.people is not None
    assert full.weights.people.sum() == 100.0
    assert full.places is not None
    assert (full.places.lat_deg.tolist(), full.places.minutes.tolist(), full.places.name_zh) == ([36.0], [1], ("广场",))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("speeds.json", b"{}", "holds no speeds"),
        ("tiers.geojson", b"[]", "holds no places"),
        (
            "tiers.geojson",
            b'{"features":[{"geometry":{"coordinates":[1,2]},"properties":{"minutes":4}}]}',
            "allowed are 1, 3",
        ),
        ("people.npy", b"nothing", "holds no people"),
    ],
)
def test_a_damaged_file_of_a_city_is_named(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    GRAPH.save(tmp_path / "roads.npz")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileFormatError, match=words):
        load_city(tmp_path)


def test_people_of_another_map_are_refused(tmp_path: Path) -> None:
    GRAPH.save(tmp_path / "roads.npz")
    np.save(tmp_path / "people.npy", np.ones(99))
    with pytest.raises(FileFormatError, match=r"the shape \(99,\), the roads have 100 nodes"):
        load_city(tmp_path)
