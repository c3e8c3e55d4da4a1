"""What a map shows beside roads: water, parks, buildings and named places of an OpenStreetMap extract."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import osmium
import shapely
from osmium.filter import EntityFilter, KeyFilter
from osmium.osm import AREA, Area, Node, Way

from mission.roads.osm_tags import Tags, names_of

_AREA_KEYS: Final = ("building", "natural", "landuse", "leisure", "waterway", "water", "tourism", "amenity")
_WIDTH_M: Final[Mapping[str, float]] = MappingProxyType({"river": 14.0, "canal": 9.0, "stream": 2.5})
_WATER: Final = frozenset({"reservoir", "basin"})
_PARK_USES: Final = frozenset(
    {"forest", "grass", "meadow", "recreation_ground", "village_green", "cemetery", "orchard"}
)
_PARK_LEISURE: Final = frozenset({"park", "garden", "nature_reserve", "golf_course", "pitch", "playground"})
_PARK_NATURAL: Final = frozenset({"wood", "grassland", "scrub", "heath"})
_CAMPUS: Final = frozenset({"university", "college", "school", "hospital"})
_WORKS: Final = frozenset({"industrial", "port", "quarry"})
_DISTRICTS: Final = frozenset({"city", "town", "suburb", "quarter", "neighbourhood", "village", "borough", "hamlet"})
TIER_MINUTES: Final[Mapping[str, int]] = MappingProxyType(
    {
        **dict.fromkeys(("townhall", "courthouse", "hospital", "station", "aerodrome", "bus_station", "attraction"), 1),
        **dict.fromkeys(("school", "university", "college", "bank", "marketplace", "mall", "museum", "library"), 3),
    }
)
"""Within how many minutes the police should be at a place of this kind, as forces tier them: seats of government, transport
hubs, sights and hospitals first, schools, banks and markets next."""
_PLACES: Final = frozenset({*TIER_MINUTES, "police", "fire_station", "viewpoint"})
_PLACE_KEYS: Final = ("amenity", "tourism", "railway", "aeroway", "shop")
_SIMPLE_DEG: Final = 8e-6
_LABEL_LEAST_DEG2: Final = 1e-6
"""About one hectare: smaller areas bear no label."""
_METRE_DEG: Final = 1.0 / 111_200.0


class MapFeature(NamedTuple):
    """One thing on the map: its layer and kind (those of the web map), its names, its shape in [lon, lat] degrees, WGS-84.

    `what` is what a place is, in OpenStreetMap's word: hospital, school, bank.
    """

    layer: str
    kind: str
    name_zh: str
    name_en: str
    shape: Any
    what: str = ""


def point_feature(node: Node, tags: Tags) -> MapFeature | None:
    """Return the label or place that a named node is, None for any other."""
    name_zh, name_en = names_of(tags)
    if not name_zh or not node.location.valid():
        return None
    here = shapely.Point(node.location.lon, node.location.lat)
    if tags.get("place") in _DISTRICTS:
        return MapFeature("labels", "district", name_zh, name_en, here)
    what = _what(tags)
    return MapFeature("places", "place", name_zh, name_en, here, what) if what else None


def _what(tags: Tags) -> str:
    """Return which place of those that matter this is, "" for none."""
    return next((tags[key] for key in _PLACE_KEYS if tags.get(key) in _PLACES), "")


def line_feature(way: Way, tags: Tags) -> MapFeature | None:
    """Return the water of a river, canal or stream that is drawn as a line only, as wide as its kind usually is."""
    width_m = _WIDTH_M.get(tags.get("waterway", ""))
    points = [(ref.lon, ref.lat) for ref in way.nodes if ref.location.valid()]
    if width_m is None or len(points) < 2 or tags.get("tunnel", "no") != "no":
        return None
    squeeze = np.array([np.cos(np.radians(points[0][1])), 1.0])
    stream = shapely.LineString(np.array(points) * squeeze).buffer(width_m / 2.0 * _METRE_DEG, quad_segs=2)
    return MapFeature("water", "river", *names_of(tags), shapely.transform(stream, lambda xy: xy / squeeze))


def read_areas(path: Path) -> tuple[list[MapFeature], int]:
    """Return the areas of an extract, and how many were left out because their outlines are broken."""
    found, broken = list[MapFeature](), 0
    wkb = osmium.geom.WKBFactory()
    things = osmium.FileProcessor(str(path)).with_areas(KeyFilter(*_AREA_KEYS))
    for thing in things.with_filter(EntityFilter(AREA)).with_filter(KeyFilter(*_AREA_KEYS)):
        if not isinstance(thing, Area):
            continue
        tags = {tag.k: tag.v for tag in thing.tags}
        layer_kind = _layer_and_kind(tags)
        if layer_kind is None:
            continue
        shape = _shape(wkb, thing)
        if shape is None:
            broken += 1
        else:
            found += _features(*layer_kind, tags, shape)
    return found, broken


def _shape(wkb: osmium.geom.WKBFactory, area: Area) -> Any | None:  # noqa: ANN401 - shapely has no types
    """Return the area's shape, a little simpler than it was drawn; None where its outline is broken."""
    try:
        shape = shapely.from_wkb(wkb.create_multipolygon(area))
    except RuntimeError:  # the outline is not closed, or a node of it is missing
        return None
    simple = shapely.simplify(shape, _SIMPLE_DEG)
    return simple if simple.is_valid and not simple.is_empty else shapely.make_valid(shape)


def _layer_and_kind(tags: Tags) -> tuple[str, str] | None:
    """Return the web map's layer and kind of an area, None for what it does not show."""
    if tags.get("building", "no") != "no":
        return "blocks", "block"
    natural, use, leisure = tags.get("natural"), tags.get("landuse"), tags.get("leisure")
    if natural == "water" or use in _WATER or tags.get("waterway") in {"riverbank", "dock"} or "water" in tags:
        return "water", "river"
    if natural == "wetland":
        return "water", "wetland"
    if tags.get("tourism") in {"theme_park", "zoo"}:
        return "parks", "scenic_area"
    if use in _PARK_USES or leisure in _PARK_LEISURE or natural in _PARK_NATURAL:
        return "parks", "park"
    if tags.get("amenity") in _CAMPUS:
        return "parks", "campus"
    return ("parks", "works") if use in _WORKS else None


def _features(layer: str, kind: str, tags: Tags, shape: Any) -> list[MapFeature]:  # noqa: ANN401 - shapely has no types
    """Return the area itself and its label, where it has a name that the map shows."""
    name_zh, name_en = names_of(tags)
    area = MapFeature(layer, kind, name_zh, name_en, shape)
    if not name_zh:
        return [area]
    what = _what(tags)
    if what:
        return [area, MapFeature("places", "place", name_zh, name_en, shape.representative_point(), what)]
    if layer == "blocks" or shape.area < _LABEL_LEAST_DEG2:
        return [area]
    return [area, MapFeature("labels", kind, name_zh, name_en, shape.representative_point())]
