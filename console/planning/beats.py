"""Answers the question of beats: whose streets, how even, and each beat's ground for the map."""

import numpy as np

from console.api.models_siting import BeatsReply, BeatView
from console.coverage.protocol import StationPlace
from console.planning.protocol import BeatsAsked
from mission.cover.contours import field_of, to_geojson, zone_shapes
from mission.siting.beats import Beats, balanced_beats, street_seconds
from mission.siting.planning_map import PlanningMap
from telemetry.model.errors import NotFoundError
from telemetry.model.geodesy import Floats


def beats(area: PlanningMap, asked: BeatsAsked) -> BeatsReply:
    """Answer how the streets are shared out. Raises InputError, NotFoundError for a station that there is not."""
    request = asked.request
    stations = _chosen_stations(asked, request.station_ids)
    names = [f"station {station.station_id}" for station in stations]
    lat, lon = (np.array([getattr(station, axis) for station in stations]) for axis in ("lat_deg", "lon_deg"))
    nodes = area.nodes_at(area.snap(lat, lon, mode=request.mode, names=names))
    weight = area.node_weight(request.demand, hour_of_week=request.hour_of_week)
    found = balanced_beats(
        street_seconds(area.network(request.mode)),
        nodes,
        weight,
        beats_count=[request.beats_per_station] * len(stations),
        tolerance_ratio=request.tolerance_ratio,
    )
    return BeatsReply(
        beats=_beat_views(area, found, [station.station_id for station in stations], weight),
        imbalance_ratio=found.imbalance_ratio,
        is_balanced=found.is_balanced,
        beyond_share=1.0 - float(found.weight.sum() / weight.sum()),
    )


def _chosen_stations(asked: BeatsAsked, station_ids: list[int] | None) -> list[StationPlace]:
    known = {station.station_id: station for station in asked.ground.stations}
    if station_ids is None:
        return list(known.values())
    unknown = [station_id for station_id in station_ids if station_id not in known]
    if unknown:
        raise NotFoundError(f"there is no station {unknown[0]}: choose among {', '.join(map(str, sorted(known)))}")
    return [known[station_id] for station_id in dict.fromkeys(station_ids)]


def _beat_views(area: PlanningMap, beats: Beats, station_ids: list[int], weight: Floats) -> list[BeatView]:
    graph = area.graph
    shapes = zone_shapes(field_of(graph), beats.beat, len(beats.weight))
    streets = graph.streets
    road_m = np.zeros(len(beats.weight))
    for end in (streets.tail, streets.head):
        inside = beats.beat[end] >= 0
        road_m += np.bincount(beats.beat[end][inside], streets.length_m[inside] / 2.0, minlength=len(road_m))
    numbers: dict[int, int] = {}
    views = []
    for beat, shape in enumerate(shapes):
        station_id = station_ids[int(beats.station[beat])]
        numbers[station_id] = numbers.get(station_id, 0) + 1
        centre = int(beats.centre_node[beat])
        view = BeatView(
            station_id=station_id,
            number=numbers[station_id],
            weight_share=float(beats.weight[beat] / weight.sum()),
            road_km=float(road_m[beat]) / 1000.0,
            mean_s=float(beats.mean_s[beat]),
            worst_s=float(beats.worst_s[beat]),
            lat_deg=float(graph.node_lat_deg[centre]),
            lon_deg=float(graph.node_lon_deg[centre]),
            polygons=to_geojson(graph, shape)["coordinates"],
        )
        views.append(view)
    return views
