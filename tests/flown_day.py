"""A small day of patrols for tests: one dock, one drone, a sortie over a river bank, a closed zone beside it."""

from typing import Final

from mission.model import Airframe, Camera, Crew, Dock, Programme, Task, TaskKind, Window, Zone, ZoneKind
from mission.plan import CameraAction, Plan, Sortie, Waypoint

NOON_US: Final = 1_789_790_400_000_000
MINUTE_US: Final = 60_000_000
DOCK: Final = Dock(dock_id=1, name="Dock 7", lat_deg=36.05, lon_deg=103.83, ground_msl_m=1520.0)
HAWK: Final = Airframe(airframe_id=3, name="Hawk 3", dock_id=1, model="M3TD", cameras=(Camera(name="M3TD"),))
WEST: Final = Waypoint(
    lat_deg=36.052,
    lon_deg=103.828,
    alt_home_m=80.0,
    speed_mps=10.0,
    action=CameraAction.START_VIDEO,
    gimbal_pitch_deg=-60.0,
)
LOOK: Final = Waypoint(
    lat_deg=36.054,
    lon_deg=103.832,
    alt_home_m=80.0,
    speed_mps=6.0,
    hold_s=90.0,
    gaze_lat_deg=36.0545,
    gaze_lon_deg=103.8325,
    gimbal_pitch_deg=-60.0,
    task_id=1,
)
EAST: Final = Waypoint(
    lat_deg=36.056,
    lon_deg=103.838,
    alt_home_m=90.0,
    speed_mps=10.0,
    heading_deg=270.0,
    gimbal_pitch_deg=-60.0,
    action=CameraAction.PHOTOS_BY_DISTANCE,
    trigger_m=30.0,
    task_id=1,
)
HOMEWARD: Final = Waypoint(lat_deg=36.051, lon_deg=103.836, alt_home_m=90.0, speed_mps=10.0, gimbal_pitch_deg=-60.0)
SORTIE: Final = Sortie(
    sortie_id=12,
    airframe_id=3,
    dock_id=1,
    crew_id=2,
    takeoff_us=NOON_US,
    landing_us=NOON_US + 15 * MINUTE_US,
    free_us=NOON_US + 45 * MINUTE_US,
    visit_ids=(1,),
    task_ids=(1,),
    waypoints=(WEST, LOOK, EAST, HOMEWARD),
    length_m=2_400.0,
    landing_battery_ratio=0.4,
    transit_alt_home_m=80.0,
)
BANK: Final = Task(
    task_id=1,
    name_zh="北滨河线",
    name_en="North bank",
    kind=TaskKind.CORRIDOR,
    geometry={"type": "LineString", "coordinates": [[103.828, 36.052], [103.838, 36.056]]},
    width_m=60.0,
)
STADIUM: Final = Zone(
    zone_id=4,
    name="Stadium",
    kind=ZoneKind.NO_FLY,
    geometry={
        "type": "Polygon",
        "coordinates": [[[103.84, 36.058], [103.845, 36.058], [103.845, 36.061], [103.84, 36.061], [103.84, 36.058]]],
    },
)
COUNTY: Final = Zone(
    zone_id=5,
    name="County",
    kind=ZoneKind.KEEP_IN,
    geometry={
        "type": "Polygon",
        "coordinates": [
            [[103.80, 36.03], [103.86, 36.03], [103.86, 36.08], [103.80, 36.08], [103.80, 36.03]],
            [[103.81, 36.04], [103.815, 36.04], [103.815, 36.045], [103.81, 36.045], [103.81, 36.04]],
        ],
    },
)
DAY: Final = Window(NOON_US - 12 * 60 * MINUTE_US, NOON_US + 12 * 60 * MINUTE_US)
PROGRAMME: Final = Programme(
    tasks=(BANK,),
    airframes=(HAWK,),
    docks=(DOCK,),
    zones=(STADIUM, COUNTY),
    crews=(Crew(crew_id=2, name="Zhou Lan", shifts=(Window(NOON_US - 60 * MINUTE_US, NOON_US + 420 * MINUTE_US),)),),
)
PLAN: Final = Plan(window=DAY, visits=(), sorties=(SORTIE,), plan_id=8, made_us=NOON_US, made_by="supervisor")
