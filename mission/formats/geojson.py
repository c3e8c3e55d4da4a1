"""GeoJSON (RFC 7946, [lon, lat]): programmes and plans out, tasks and zones in."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar

import msgspec

from mission.formats.brought import Brought, task_of, zone_of
from mission.formats.untrusted import Said, checked_count, latitude, longitude, read_json
from mission.model import Geometry, Programme, Task, TaskKind, Zone, ZoneKind
from mission.plan import Plan, Sortie
from mission.programme_items import advice_of, with_hours

WHAT: Final = Said("the GeoJSON file", "GeoJSON 文件")
Item = TypeVar("Item", Task, Zone)
KINDS: Final = {
    "Point": TaskKind.POINT,
    "LineString": TaskKind.CORRIDOR,
    "MultiLineString": TaskKind.STREETS,
    "Polygon": TaskKind.AREA,
    "MultiPolygon": TaskKind.AREA,
}
DEGREES: Final = ("CRS84", ":4326", ":4490")
COLLECTION: Final = "GeometryCollection"
_DEPTH: Final = {"Point": 1, "LineString": 2, "MultiLineString": 3, "Polygon": 3, "MultiPolygon": 4}
_TASK_KEYS: Final = frozenset(field.name for field in msgspec.structs.fields(Task)) - {"geometry", "task_id"}
_ZONE_KEYS: Final = frozenset(field.name for field in msgspec.structs.fields(Zone)) - {"geometry", "zone_id"}


def write_programme(programme: Programme) -> bytes:
    """Return tasks, zones and docks as features; their properties are the programme's own, `what` says which."""
    features = [_feature(task.geometry, "task", task, without=("geometry",)) for task in programme.tasks]
    features += [_feature(zone.geometry, "zone", zone, without=("geometry",)) for zone in programme.zones]
    for dock in programme.docks:
        place = {"type": "Point", "coordinates": [dock.lon_deg, dock.lat_deg]}
        features.append(_feature(place, "dock", dock, without=("lat_deg", "lon_deg")))
    return _collection(features)


def write(plan: Plan) -> bytes:
    """Return a plan's sorties as lines of [lon, lat, metres above take-off], with all that is said of each sortie."""
    return _collection([_sortie(sortie) for sortie in plan.sorties])


def read(data: bytes) -> Brought:
    """Return the features as tasks, those with `what` or `kind` of a zone as zones; unknown properties become notes.

    Raises FileFormatError for what is no GeoJSON, impossible places, and values that a task or zone does not take.
    """
    root = read_json(data, WHAT)
    features = list(_features(root))
    checked_count(len(features), WHAT)
    tasks: list[Task] = []
    zones: list[Zone] = []
    notes: list[Said] = list(_other_crs(root))
    for number, feature in enumerate(features, 1):
        where = Said(f"feature {number}", f"第 {number} 个要素")
        properties = feature.get("properties") or {}
        if not isinstance(properties, Mapping):
            raise WHAT.at(where).broken(": its properties are no object", "：properties 不是对象")
        if str(properties.get("what")) in ("dock", "sortie"):
            what = {"dock": "机库", "sortie": "架次"}[str(properties["what"])]
            notes.append(
                Said(
                    f"{where.en}: a {properties['what']} is not brought in by GeoJSON and was left out",
                    f"{where.zh}：GeoJSON 不导入{what}，已略去",
                )
            )
            continue
        geometries = list(_shapes(feature.get("geometry"), where, notes))
        is_zone = properties.get("what") == "zone" or str(properties.get("kind")) in set(ZoneKind)
        for count, geometry in enumerate(geometries, 1):
            suffix = f" {count}" if len(geometries) > 1 else ""
            told = notes if count == 1 else []
            if is_zone:
                zones.append(_zone(properties, geometry, where, told))
            else:
                tasks.append(_task(properties, geometry, where, told, suffix=suffix))
        checked_count(len(tasks) + len(zones), WHAT)
    return Brought(tasks=tuple(tasks), zones=tuple(zones), notes=tuple(notes))


def _other_crs(root: Mapping[str, Any]) -> Iterator[Said]:
    """Yield a note where a file of the older GeoJSON names another reference system than degrees of longitude and latitude."""
    crs = root.get("crs")
    properties = crs.get("properties") if isinstance(crs, Mapping) else None
    name = str(properties.get("name", "")) if isinstance(properties, Mapping) else ""
    if name and not name.endswith(DEGREES):
        yield Said(
            f"its crs {name[:60]!r} is not read: places were taken as degrees [lon, lat]; write it again in EPSG:4326",
            f"不支持其坐标系“{name[:60]}”：位置按 [经度, 纬度] 度读取；请按 EPSG:4326 重新导出",
        )


def _shapes(geometry: object, where: Said, notes: list[Said]) -> Iterator[Geometry]:
    """Yield the shapes of a feature: each place of a MultiPoint and each part of a collection; nothing becomes a note."""
    waiting, parts = [geometry], 0
    while waiting:
        one = waiting.pop()
        kind = str(one.get("type")) if isinstance(one, Mapping) else ""
        if isinstance(one, Mapping) and kind == COLLECTION and isinstance(one.get("geometries"), list):
            waiting += reversed(one["geometries"])
        elif isinstance(one, Mapping) and kind == "MultiPoint" and isinstance(one.get("coordinates"), list):
            waiting += [{"type": "Point", "coordinates": place} for place in reversed(one["coordinates"])]
        elif one is not None and not (isinstance(one, Mapping) and kind in _DEPTH and one.get("coordinates") == []):
            parts += 1
            yield checked_geometry(one, WHAT.at(where))
        checked_count(len(waiting), WHAT.at(where))
    if parts == 0:
        notes.append(
            Said(f"{where.en}: it has no geometry and was left out", f"{where.zh}：没有图形，已略去"),
        )


def checked_geometry(geometry: object, where: Said) -> Geometry:
    """Return a geometry whose positions are numbers in range. Raises FileFormatError: what and where."""
    if not isinstance(geometry, Mapping) or str(geometry.get("type")) not in _DEPTH:
        said = geometry.get("type") if isinstance(geometry, Mapping) else geometry
        allowed = (*_DEPTH, "MultiPoint", COLLECTION)
        raise where.broken(
            f": geometry {str(said)[:40]!r}: allowed are {', '.join(allowed)}",
            f"：图形为 {str(said)[:40]!r}：允许 {'、'.join(allowed)}",
        )
    kind = str(geometry["type"])
    return {"type": kind, "coordinates": _positions(geometry.get("coordinates"), _DEPTH[kind], where)}


def _positions(said: object, depth: int, where: Said) -> list[Any]:
    if not isinstance(said, list):
        raise where.broken(
            f": its coordinates are {str(said)[:40]!r}: they must be lists of [lon, lat]",
            f"：坐标为 {str(said)[:40]!r}：须为 [经度, 纬度] 的列表",
        )
    if depth == 1:
        if len(said) < len("ab"):
            raise where.broken(
                f": a position must be [lon, lat], not {str(said)[:40]}",
                f"：位置须为 [经度, 纬度]，不是 {str(said)[:40]}",
            )
        return [longitude(said[0], where), latitude(said[1], where)]
    checked_count(len(said), where)
    return [_positions(one, depth - 1, where) for one in said]


def _features(root: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    kind = str(root.get("type"))
    if kind == "FeatureCollection":
        found = root.get("features")
        if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
            raise WHAT.broken(": features must be a list of objects", "：features 须为对象的列表")
        yield from found
    elif kind == "Feature":
        yield root
    elif kind in _DEPTH or kind in ("MultiPoint", COLLECTION):
        yield {"type": "Feature", "geometry": root, "properties": {}}
    else:
        raise WHAT.broken(
            f" is of type {kind[:40]!r}: a FeatureCollection, a Feature or a geometry is needed",
            f"的类型为 {kind[:40]!r}：须为 FeatureCollection、Feature 或图形",
        )


def _task(
    properties: Mapping[str, Any], geometry: Geometry, where: Said, notes: list[Said], *, suffix: str = ""
) -> Task:
    """Return a feature's task; `suffix` tells the parts of one feature apart."""
    name = str(properties.get("name_en") or properties.get("name") or properties.get("name_zh") or where.en)
    plain = task_of(name, KINDS[str(geometry["type"])], geometry)
    said = {key: value for key, value in properties.items() if key in _TASK_KEYS}
    _note_unknown(properties, _TASK_KEYS, where, notes)
    task = _converted(msgspec.to_builtins(plain) | said | {"geometry": geometry, "task_id": 0}, Task, where)
    return msgspec.structs.replace(task, name_zh=task.name_zh + suffix, name_en=task.name_en + suffix)


def _zone(properties: Mapping[str, Any], geometry: Geometry, where: Said, notes: list[Said]) -> Zone:
    plain = zone_of(str(properties.get("name") or where.en), ZoneKind.NO_FLY, geometry, "GeoJSON")
    said = {key: value for key, value in properties.items() if key in _ZONE_KEYS}
    _note_unknown(properties, _ZONE_KEYS, where, notes)
    return _converted(msgspec.to_builtins(plain) | said | {"geometry": geometry, "zone_id": 0}, Zone, where)


def _note_unknown(properties: Mapping[str, Any], known: frozenset[str], where: Said, notes: list[Said]) -> None:
    unknown = sorted(str(key)[:40] for key in properties if key not in known | {"what", "name", "task_id", "zone_id"})
    if unknown:
        some = ", ".join(unknown[:10])
        notes.append(
            Said(
                f"{where.en}: its properties {some} are not known here and were left out",
                f"{where.zh}：不认识的属性 {some} 已略去",
            )
        )


def _converted(said: Mapping[str, Any], kind: type[Item], where: Said) -> Item:
    try:
        return msgspec.convert(with_hours(said), kind)
    except msgspec.ValidationError as error:
        advice, zh = advice_of(str(error))
        raise WHAT.at(where).broken(f": {error}{advice}", f"：{error}{zh}") from error


def _sortie(sortie: Sortie) -> dict[str, Any]:
    places = [[point.lon_deg, point.lat_deg, point.alt_home_m] for point in sortie.waypoints]
    geometry: Geometry = {"type": "LineString", "coordinates": places * 2 if len(places) == 1 else places}
    return _feature(geometry, "sortie", sortie, without=("waypoints",))


def _feature(geometry: Geometry, what: str, said: msgspec.Struct, *, without: tuple[str, ...]) -> dict[str, Any]:
    properties = {key: value for key, value in msgspec.to_builtins(said).items() if key not in without}
    return {"type": "Feature", "geometry": geometry, "properties": {"what": what, **properties}}


def _collection(features: list[dict[str, Any]]) -> bytes:
    return msgspec.json.encode({"type": "FeatureCollection", "features": features}) + b"\n"
