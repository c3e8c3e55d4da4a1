"""Makes a city's folder of an imported extract: roads, the map's layers, vector tiles where tippecanoe is there, `city.json`."""

import gzip
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import shapely

from console.api.city import LAYERS, TILES
from console.city.files import TIERS
from console.city.geojson import DECIMALS, Feature, collection, feature, road_features
from mission.airspace import NO_FLY_FILE
from mission.roads.graph import RoadGraph
from mission.roads.osm import OsmExtract
from mission.roads.osm_areas import TIER_MINUTES, MapFeature
from mission.roads.travel import SPEEDS_FILE
from telemetry.model.errors import UnavailableError
from telemetry.model.geodesy import Floats

Progress = Callable[[str], None]

MADE_FROM: Final = "made_from"
"""Marks tiered places as the import's own: those without the mark were written by somebody and stay."""
MAP_VERSION: Final = 1
"""Grows whenever the same extract would give another folder."""
_BLOCKS_A_FEATURE: Final = 400
_MOST_BLOCKS: Final = 40_000
"""Buildings in the GeoJSON layer, the largest first: a browser takes about so many at once."""
_TILES_WITHIN_S: Final = 600.0


class ImportedCity(msgspec.Struct, frozen=True, kw_only=True):
    """What `city.json` says of an imported map. `bounds` is [west, south, east, north], `center` [lon, lat], WGS-84.

    `attribution` is what every map made of it must show; `source` is the extract's file name.
    """

    name_zh: str
    name_en: str
    version: int
    bounds: tuple[float, float, float, float]
    center: tuple[float, float]
    attribution: str
    source: str


def build_city(
    extract: OsmExtract,
    folder: Path,
    *,
    name_zh: str,
    name_en: str,
    source: str,
    is_another: bool = False,
    progress: Progress = lambda _: None,
) -> ImportedCity:
    """Write the city's folder anew and return what its `city.json` says.

    The new folder takes the old one's place when it is whole. Fitted speeds, no-fly zones and tiered places that somebody
    wrote stay, unless the map is another city's. Costs about 1 s for 9,000 buildings.
    """
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    (fresh / "basemap").mkdir(parents=True)
    extract.roads.save(fresh / "roads.npz")
    city = _facts(extract.roads, name_zh=name_zh, name_en=name_en, source=source)
    progress("map: drawing the layers")
    layers = draw(extract, city.bounds)
    for layer, content in layers.items():
        _write_layer(fresh / "basemap" / f"{layer}.geojson", content)
    if has_tippecanoe():
        _try_tiles(fresh, city.attribution, progress)
    (fresh / TIERS).write_bytes(msgspec.json.encode(tiers(extract.features, source)))
    (fresh / "city.json").write_bytes(msgspec.json.format(msgspec.json.encode(city)))
    if not is_another:
        _keep_own(folder, fresh)
    _take_place(fresh, folder)
    return city


def _try_tiles(fresh: Path, attribution: str, progress: Progress) -> None:
    """Make vector tiles; without them the map draws its GeoJSON, so a failure is told and no more."""
    progress("map: making vector tiles")
    try:
        make_tiles(fresh / "basemap", fresh / TILES, attribution=attribution)
    except UnavailableError as error:
        (fresh / TILES).unlink(missing_ok=True)
        progress(f"map: {error}")


def _keep_own(folder: Path, fresh: Path) -> None:
    """Take over what belongs to the city and not to its map."""
    for name in (SPEEDS_FILE, NO_FLY_FILE):
        if (folder / name).is_file():
            shutil.copy2(folder / name, fresh / name)
    own = folder / TIERS
    if own.is_file() and MADE_FROM.encode() not in own.read_bytes():
        shutil.copy2(own, fresh / TIERS)


def tiers(features: Sequence[MapFeature], source: str) -> Feature:
    """Return the tiered places of an extract: points with `name_zh`, `name_en`, `kind` and `minutes` (TIER_MINUTES)."""
    places = [thing for thing in features if thing.layer == "places" and thing.what in TIER_MINUTES]
    points = [
        feature(
            "Point",
            [round(thing.shape.x, DECIMALS), round(thing.shape.y, DECIMALS)],
            {
                "name_zh": thing.name_zh,
                "name_en": thing.name_en,
                "kind": thing.what,
                "minutes": TIER_MINUTES[thing.what],
            },
        )
        for thing in places
    ]
    return collection(points) | {MADE_FROM: source}


def _take_place(fresh: Path, folder: Path) -> None:
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _facts(roads: RoadGraph, *, name_zh: str, name_en: str, source: str) -> ImportedCity:
    lat, lon = roads.node_lat_deg, roads.node_lon_deg
    west, south, east, north = (round(float(value), 6) for value in (lon.min(), lat.min(), lon.max(), lat.max()))
    return ImportedCity(
        name_zh=name_zh,
        name_en=name_en,
        version=MAP_VERSION,
        bounds=(west, south, east, north),
        center=(round(float(np.median(lon)), 6), round(float(np.median(lat)), 6)),
        attribution=roads.attribution,
        source=source,
    )


def draw(extract: OsmExtract, bounds: tuple[float, float, float, float]) -> dict[str, Feature]:
    """Return a FeatureCollection for each layer that the console serves; what the extract lacks is empty."""
    west, south, east, north = bounds
    ground = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    layers: dict[str, list[Feature]] = {layer: [] for layer in LAYERS}
    layers["valley"].append(feature("Polygon", [ground], {"kind": "valley"}))
    layers["roads"] = road_features(extract.roads)
    buildings = [thing.shape for thing in extract.features if thing.layer == "blocks"]
    layers["blocks"] = _block_features(buildings)
    others = [thing for thing in extract.features if thing.layer != "blocks"]
    for thing, shape in zip(others, _rounded([thing.shape for thing in others]), strict=True):
        layers[thing.layer] += _drawn(thing, shape)
    return {layer: collection(features) for layer, features in layers.items()}


def _rounded(shapes: list[Any]) -> list[Any]:
    rounded: list[Any] = list(shapely.transform(np.array(shapes, object), _to_map_digits))
    return rounded


def _to_map_digits(positions: Floats) -> Floats:
    return positions.round(DECIMALS)


def _drawn(thing: MapFeature, shape: Any) -> list[Feature]:  # noqa: ANN401 - shapely has no types
    """Return the feature of a thing; a mended outline may have left lines and points that are no area."""
    properties = {"kind": thing.kind} | ({"name_zh": thing.name_zh, "name_en": thing.name_en} if thing.name_zh else {})
    return [_feature(part, properties) for part in _parts(shape)]


def _feature(shape: Any, properties: dict[str, str]) -> Feature:  # noqa: ANN401 - as above
    geometry = shapely.geometry.mapping(shape)
    return feature(geometry["type"], geometry["coordinates"], properties)


def _parts(shape: Any) -> list[Any]:  # noqa: ANN401 - as above
    if shape.geom_type != "GeometryCollection":
        return [shape]
    return [part for part in shape.geoms if part.geom_type in {"Polygon", "MultiPolygon"}]


def _block_features(shapes: list[Any]) -> list[Feature]:
    """Return the buildings, the largest if there are too many, in MultiPolygons of a few hundred each."""
    polygons = np.array(
        [part for part in shapely.get_parts(np.array(shapes, object)) if part.geom_type == "Polygon"], object
    )
    if len(polygons) > _MOST_BLOCKS:
        polygons = polygons[np.sort(np.argsort(shapely.area(polygons))[-_MOST_BLOCKS:])]
    starts = range(0, len(polygons), _BLOCKS_A_FEATURE)
    groups = (shapely.multipolygons(_rounded(list(polygons[start : start + _BLOCKS_A_FEATURE]))) for start in starts)
    return [_feature(group, {"kind": "block"}) for group in groups]


def _write_layer(path: Path, content: Feature) -> None:
    encoded = msgspec.json.encode(content)
    path.write_bytes(encoded)
    path.with_suffix(".geojson.gz").write_bytes(gzip.compress(encoded, 6, mtime=0))


def has_tippecanoe() -> bool:
    """Tell whether vector tiles can be made: the optional package cubao-tippecanoe is installed."""
    return importlib.util.find_spec("cubao_tippecanoe") is not None


def make_tiles(layers: Path, target: Path, *, attribution: str) -> None:
    """Write the layers as vector tiles (zoom 8 to 14) into one `.pmtiles`. Raises UnavailableError when tippecanoe fails."""
    sources = [f"--named-layer={path.stem}:{path}" for path in sorted(layers.glob("*.geojson")) if path.stem in LAYERS]
    order = [
        "--minimum-zoom=8",
        "--maximum-zoom=14",
        "--drop-densest-as-needed",
        "--no-tile-stats",
        "--quiet",
        "--force",
    ]
    command = [sys.executable, "-m", "cubao_tippecanoe", "tippecanoe", f"--output={target}", *order]
    try:
        done = subprocess.run(  # noqa: S603 - an installed program, its arguments as a list
            [*command, f"--attribution={attribution}", *sources],
            capture_output=True,
            text=True,
            timeout=_TILES_WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(_no_tiles(f"it took more than {_TILES_WITHIN_S:.0f} s")) from error
    if done.returncode != 0 or not target.is_file():
        raise UnavailableError(_no_tiles((done.stderr or done.stdout).strip()[-300:]))


def _no_tiles(reason: str) -> str:
    return f"tippecanoe made no vector tiles ({reason}): uninstall cubao-tippecanoe to go without, the map draws all the same"
