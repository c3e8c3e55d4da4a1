"""A made town for tests of planning: a grid of streets, a river through its middle and one bridge over it."""

import numpy as np

from mission.roads.graph import ACCESS_ALL, RoadGraph
from telemetry.model.geodesy import local_plane

LAT_DEG, LON_DEG = 36.06, 103.83
BLOCK_M = 300.0
SPEED_MPS = 10.0
SIDE = 10
BRIDGE_COLUMN = 5
BRIDGE_NAME_ZH, BRIDGE_NAME_EN = "中山桥", "Zhongshan Bridge"


def grid_town(side: int = SIDE) -> RoadGraph:
    """Return a town of side x side junctions (number = row x side + column, rows run north), 300 m and 30 s a block.

    The river runs between the rows side/2 - 1 and side/2; only the bridge in column 5 crosses it. Way 0 is all plain streets,
    way 1 the bridge; columns stand on secondary roads, rows on local ones.
    """
    number = np.arange(side * side, dtype=np.int32).reshape(side, side)
    east = np.column_stack((number[:, :-1].ravel(), number[:, 1:].ravel()))
    north = np.column_stack((number[:-1].ravel(), number[1:].ravel()))
    south_bank = side // 2 - 1
    crosses = north[:, 0] // side == south_bank
    is_bridge = crosses & (north[:, 0] % side == BRIDGE_COLUMN)
    north, is_bridge = north[~crosses | is_bridge], is_bridge[~crosses | is_bridge]
    streets = np.concatenate((east, north))
    way = np.concatenate((np.zeros(len(east), np.int32), is_bridge.astype(np.int32)))
    road_class = np.concatenate((np.full(len(east), 3, np.int8), np.full(len(north), 2, np.int8)))
    edges = np.concatenate((streets, streets[:, ::-1]))
    columns, rows = np.meshgrid(np.arange(side), np.arange(side))
    middle = (side - 1) / 2.0
    lat, lon = local_plane(LAT_DEG, LON_DEG).from_plane(
        (columns.ravel() - middle) * BLOCK_M, (rows.ravel() - middle) * BLOCK_M
    )
    length = np.full(len(edges), BLOCK_M)
    return RoadGraph(
        node_lat_deg=lat,
        node_lon_deg=lon,
        edge_from=edges[:, 0].astype(np.int32),
        edge_to=edges[:, 1].astype(np.int32),
        edge_length_m=length,
        edge_seconds=length / SPEED_MPS,
        edge_class=np.tile(road_class, 2),
        edge_access=np.full(len(edges), ACCESS_ALL, np.uint8),
        edge_way=np.tile(way, 2),
        way_name_zh=np.array(["", BRIDGE_NAME_ZH]),
        way_name_en=np.array(["", BRIDGE_NAME_EN]),
        way_oneway=np.zeros(2, np.bool_),
        way_bridge=np.array([False, True]),
    )


def place_of(graph: RoadGraph, node: int, *, north_m: float = 0.0, east_m: float = 0.0) -> tuple[float, float]:
    """Return (lat_deg, lon_deg) of a junction, or of a place beside it."""
    x, y = graph.node_xy_m[node]
    lat, lon = graph.plane.from_plane(x + east_m, y + north_m)
    return float(lat), float(lon)
