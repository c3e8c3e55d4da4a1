"""What a sky calls closed is what its zones say place by place, moment by moment and height by height, one at a time."""

import math
from pathlib import Path
from random import Random

import msgspec
import numpy as np
import pytest
import shapely

from mission.air.flight_path import FlightPath
from mission.air.sky import Sky, approvals_of
from mission.airspace import NO_FLY_FILE, load_airspace, load_zones
from mission.model import Window, Zone, ZoneKind
from telemetry.model.errors import FileFormatError, InputError
from tests.sky_scene import PLANE, US, box, zone

KINDS = (ZoneKind.NO_FLY, ZoneKind.RESTRICTED, ZoneKind.TRAFFIC, ZoneKind.KEEP_IN)


def random_zones(dice: Random, count: int) -> list[tuple[Zone, tuple[float, float, float, float]]]:
    """Return zones with their boxes in metres."""
    found = []
    for number in range(count):
        west, south = dice.uniform(-900, 500), dice.uniform(-900, 500)
        edges = (west, south, west + dice.uniform(50, 900), south + dice.uniform(50, 900))
        starts = [dice.randrange(0, 900) for _ in range(dice.choice((0, 1, 2)))]
        windows = tuple(Window(start_us=start * US, end_us=(start + dice.randrange(20, 300)) * US) for start in starts)
        floor = dice.choice((0.0, 0.0, dice.uniform(10, 90)))
        ceiling = dice.choice((None, floor + dice.uniform(5, 60)))
        kind = dice.choice(KINDS)
        more = {
            "windows": windows,
            "floor_agl_m": floor,
            "ceiling_agl_m": ceiling,
            "zone_id": number,
            "name": str(number),
        }
        found.append((zone(kind, box(*edges), approval=dice.choice(("", "A-1", "B-2")), **more), edges))
    return found


def is_closed(
    zones: list[tuple[Zone, tuple[float, float, float, float]]],
    place: tuple[float, float],
    at_us: float,
    alt_agl_m: float,
    approval: str,
) -> bool:
    """Tell the same of one place at one moment, by the words of the zones alone."""

    def holds(one: Zone) -> bool:
        return not one.windows or any(two.start_us <= at_us < two.end_us for two in one.windows)

    def covers(one: Zone, edges: tuple[float, float, float, float]) -> bool:
        west, south, east, north = edges
        top = math.inf if one.ceiling_agl_m is None else one.ceiling_agl_m
        return west < place[0] < east and south < place[1] < north and one.floor_agl_m <= alt_agl_m < top

    kept = [(one, edges) for one, edges in zones if one.kind is ZoneKind.KEEP_IN and holds(one)]
    if kept and not any(covers(one, edges) for one, edges in kept):
        return True
    for one, edges in zones:
        if one.kind is ZoneKind.KEEP_IN or not holds(one) or not covers(one, edges):
            continue
        shown = approvals_of(approval)
        is_open = one.kind is ZoneKind.RESTRICTED and shown and (not one.approval or one.approval in shown)
        if not is_open:
            return True
    return False


@pytest.mark.parametrize("seed", range(12))
def test_the_closed_area_of_a_window_and_band_is_what_is_closed_at_some_moment_and_height_of_it(seed: int) -> None:
    dice = Random(seed)
    zones = random_zones(dice, 5)
    sky = Sky([one for one, _ in zones], plane=PLANE)
    for _ in range(4):
        start, floor, approval = dice.randrange(0, 1000), dice.uniform(0, 100), dice.choice(("", "A-1", "B-2;A-1"))
        within = Window(start_us=start * US, end_us=(start + dice.randrange(1, 400)) * US)
        ceiling = floor + dice.choice((0.0, 40.0))
        closed = sky.closed_at(within, floor_agl_m=floor, ceiling_agl_m=ceiling, approval=approval)
        moments = {
            within.start_us,
            *(edge for one, _ in zones for two in one.windows for edge in (two.start_us, two.end_us)),
        }
        heights = {floor, *(one.floor_agl_m for one, _ in zones), *(one.ceiling_agl_m or 0.0 for one, _ in zones)}
        moments = {one for one in moments if within.start_us <= one < within.end_us}
        heights = {one for one in heights if floor <= one < ceiling} or {floor}
        for _ in range(60):
            place = (dice.uniform(-1000, 1500), dice.uniform(-1000, 1500))
            told = bool(shapely.intersects_xy(closed, *place))
            assert told == any(is_closed(zones, place, at_us, alt, approval) for at_us in moments for alt in heights)


@pytest.mark.parametrize("seed", range(12))
def test_a_way_offends_exactly_where_and_when_its_place_is_closed(seed: int) -> None:
    dice = Random(seed)
    zones = random_zones(dice, 4)
    sky = Sky([one for one, _ in zones], plane=PLANE)
    count = 6
    places = np.array([(dice.uniform(-1000, 1000), dice.uniform(-1000, 1000)) for _ in range(count)])
    places[3] = places[2]  # it stands for a while
    heights = np.array([dice.uniform(5, 110) for _ in range(count)])
    at_us = np.cumsum([0, *(dice.randrange(20 * US, 200 * US) for _ in range(count - 1))])
    path = FlightPath(places, heights, heights, at_us, np.full(count, -1))
    found = sky.offences(path, approval="A-1")
    for _ in range(400):
        leg, share = dice.randrange(count - 1), dice.uniform(0.001, 0.999)
        place = places[leg] + (places[leg + 1] - places[leg]) * share
        alt = float(heights[leg] + (heights[leg + 1] - heights[leg]) * share)
        moment = float(at_us[leg] + (at_us[leg + 1] - at_us[leg]) * share)
        told = any(one.leg == leg and one.window.start_us <= moment <= one.window.end_us for one in found)
        if told != is_closed(zones, (float(place[0]), float(place[1])), moment, alt, "A-1"):
            edges = [abs(moment - edge) for one in found for edge in (one.window.start_us, one.window.end_us)]
            assert min(edges) < 0.2 * US, "not even near the border of a stretch"


def test_a_sky_that_is_asked_again_answers_with_what_it_kept() -> None:
    sky = Sky([zone(ZoneKind.NO_FLY, box(0, 0, 10, 10))], plane=PLANE)
    assert sky.closed_at() is sky.closed_at(Window(start_us=0, end_us=5))
    assert sky.space() is sky.space()


def test_touching_a_border_is_allowed_and_a_centimetre_more_is_not() -> None:
    sky = Sky([zone(ZoneKind.NO_FLY, box(0, 0, 100, 100))], plane=PLANE)
    assert sky.is_free(np.array([(-50.0, 0.0), (150.0, 0.0)]))
    assert not sky.is_free(np.array([(-50.0, 0.5), (150.0, 0.5)]))
    assert not sky.is_free(np.array([(50.0, 50.0)]))
    assert Sky([zone(ZoneKind.NO_FLY, box(0, 0, 100, 100))], plane=PLANE, margin_m=30.0).area(
        sky.zones[0]
    ).area == pytest.approx(160.0**2, rel=1e-3)


@pytest.mark.parametrize(
    "geometry",
    [
        {},
        {"type": "Point", "coordinates": [103.8, 36.0]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]},
        {"type": "Polygon", "coordinates": "x"},
    ],
)
def test_a_zone_that_is_no_sound_polygon_is_refused_by_its_name(geometry: dict[str, object]) -> None:
    with pytest.raises(InputError, match="临时管制"):
        Sky([zone(ZoneKind.NO_FLY, geometry)], plane=PLANE)


def test_zones_of_a_city_are_read_from_plain_polygons_and_from_features_that_say_their_kind(tmp_path: Path) -> None:
    corridor = {
        "kind": "traffic",
        "name": "救援直升机",
        "floor_agl_m": 90.0,
        "windows": [{"start_us": 1, "end_us": 2}],
        "area": 5,
    }
    features = [
        {"type": "Feature", "properties": {}, "geometry": box(0, 0, 100, 100)},
        {"type": "Feature", "properties": corridor, "geometry": box(200, 0, 300, 100)},
    ]
    (tmp_path / NO_FLY_FILE).write_bytes(msgspec.json.encode({"type": "FeatureCollection", "features": features}))
    plain, traffic = load_zones(tmp_path)
    assert (plain.kind, plain.zone_id, plain.windows) == (ZoneKind.NO_FLY, 1, ())
    assert (traffic.kind, traffic.name, traffic.floor_agl_m) == (ZoneKind.TRAFFIC, "救援直升机", 90.0)
    assert load_airspace(tmp_path, plane=PLANE).closed.area == pytest.approx(10_000.0, rel=1e-3)
    assert load_zones(tmp_path / "elsewhere") == ()


@pytest.mark.parametrize("kind", ["no", 3, None])
def test_a_zone_of_an_unknown_kind_is_refused_with_the_file_it_stands_in(tmp_path: Path, kind: object) -> None:
    feature = {"type": "Feature", "properties": {"kind": kind}, "geometry": box(0, 0, 100, 100)}
    (tmp_path / NO_FLY_FILE).write_bytes(msgspec.json.encode({"features": [feature]}))
    with pytest.raises(FileFormatError, match=r"no_fly\.geojson"):
        load_zones(tmp_path)
