"""What the planner answers: visits, sorties and their waypoints, refusals with their remedies, conflicts, the plan of a day."""

import math
from enum import StrEnum
from typing import Final

import msgspec

from mission.model import Dock, Window

_SAME_PLACE_DEG: Final = 1e-5


class CameraAction(StrEnum):
    """What the camera does from a waypoint on."""

    NONE = "none"
    PHOTO = "photo"
    START_VIDEO = "start_video"
    STOP_VIDEO = "stop_video"
    PHOTOS_BY_DISTANCE = "photos_by_distance"


class Waypoint(msgspec.Struct, frozen=True, kw_only=True):
    """A place of a sortie: `alt_home_m` above the take-off place, flown to at `speed_mps` over ground.

    `task_id` None is transit. `gaze_lat_deg`, `gaze_lon_deg` is what the camera looks at from here on, `heading_deg` the nose
    (None: along the track), `trigger_m` the distance between photos, `arrive_us` when it is planned to be there.
    `ground_above_home_m` is how much higher the ground beneath is than the take-off place; 0 where the ground is taken as flat.
    """

    lat_deg: float
    lon_deg: float
    alt_home_m: float
    speed_mps: float
    hold_s: float = 0.0
    heading_deg: float | None = None
    gimbal_pitch_deg: float | None = None
    gaze_lat_deg: float | None = None
    gaze_lon_deg: float | None = None
    action: CameraAction = CameraAction.NONE
    trigger_m: float | None = None
    task_id: int | None = None
    arrive_us: int | None = None
    ground_above_home_m: float = 0.0


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """One time that a task is wanted: to be begun within `window`; `number` counts the task's visits of the day from 1."""

    visit_id: int
    task_id: int
    number: int
    window: Window


class VisitPart(msgspec.Struct, frozen=True, kw_only=True):
    """What a sortie flies of a visit: part `number` of `part_count` (from 0), its waypoints from first to last (from 0)."""

    visit_id: int
    number: int
    part_count: int
    first_waypoint: int
    last_waypoint: int


class SortieState(StrEnum):
    """How far a sortie has come."""

    PLANNED = "planned"
    HANDED = "handed"
    """A pilot has it."""
    UPLOADED = "uploaded"
    FLYING = "flying"
    FLOWN = "flown"
    BROKEN_OFF = "broken_off"
    CANCELLED = "cancelled"


class Sortie(msgspec.Struct, frozen=True, kw_only=True):
    """One flight from take-off to landing: who, when, where along, and what is left of the battery (0..1) when it lands.

    `free_us` is when airframe and battery may go again; `on_watch` the time that it stands over its event.
    """

    sortie_id: int
    airframe_id: int
    dock_id: int
    takeoff_us: int
    landing_us: int
    free_us: int
    visit_ids: tuple[int, ...]
    task_ids: tuple[int, ...]
    waypoints: tuple[Waypoint, ...]
    length_m: float
    landing_battery_ratio: float
    transit_alt_home_m: float
    battery_id: int | None = None
    crew_id: int | None = None
    on_watch: Window | None = None
    is_standby: bool = False
    """A spare that stays in its dock, ready to relieve."""
    visit_parts: tuple[VisitPart, ...] = ()
    approval: str = ""
    delayed_s: float = 0.0
    state: SortieState = SortieState.PLANNED
    flown_waypoints: int = 0
    handed_us: int | None = None
    started_us: int | None = None
    ended_us: int | None = None
    """When a pilot was given it, when its flight was begun and when it was over; None: not yet, or nobody kept it."""
    reason_zh: str = ""
    reason_en: str = ""
    """Why it waits or was broken off, as its pilot says; empty where all is well."""
    is_refused: bool = False
    """A rule refuses it; it stays, because without it nobody watches, and a person decides. It counts as not planned."""

    def over_level_ground(self) -> "Sortie":
        """Return it as it would fly over level ground, as high above that as it flies above its own."""
        rises_m = [one.ground_above_home_m for one in self.waypoints]
        if not any(rises_m):
            return self
        ways = tuple(
            msgspec.structs.replace(one, alt_home_m=one.alt_home_m - rise_m, ground_above_home_m=0.0)
            for one, rise_m in zip(self.waypoints, rises_m, strict=True)
        )
        level_m = self.transit_alt_home_m - max(*rises_m, 0.0)
        return msgspec.structs.replace(self, waypoints=ways, transit_alt_home_m=level_m)

    def climb_alt_home_m(self, dock: Dock) -> float:
        """Return how high it climbs over its dock: to its first waypoint where that is there, as in hills, else to transit."""
        first = self.waypoints[0] if self.waypoints else None
        away_deg = math.inf if first is None else math.hypot(first.lat_deg - dock.lat_deg, first.lon_deg - dock.lon_deg)
        return self.transit_alt_home_m if first is None or away_deg > _SAME_PLACE_DEG else first.alt_home_m


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What cannot be done: which rule, its numbers, and what would make it possible, in both languages.

    `remedy` says the same to a program: the field of the task, asset or sortie to change, and its value.
    """

    rule_id: str
    reason_zh: str
    reason_en: str
    remedy_zh: str
    remedy_en: str
    numbers: dict[str, float | str] = {}
    remedy: dict[str, float | str] = {}
    task_id: int | None = None
    visit_id: int | None = None
    airframe_id: int | None = None
    window: Window | None = None
    is_warning: bool = False
    """Said, but not in the way of the plan."""


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """Two sorties, or a sortie and a zone, in one part of the air at one time; `mended_by` is layer, delay or empty."""

    sortie_id: int
    window: Window
    lat_deg: float
    lon_deg: float
    alt_home_m: float
    distance_m: float
    height_apart_m: float
    other_sortie_id: int | None = None
    zone_id: int | None = None
    mended_by: str = ""


class TaskFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How far a plan does what a task asks for. Ratios 0..1; None where the task does not ask for it.

    What a rule refuses counts for nothing: `refused_count` are visits that only refused sorties fly.
    """

    task_id: int
    visit_count: int
    planned_count: int
    refused_count: int = 0
    covered_ratio: float | None = None
    watched_ratio: float | None = None
    longest_gap_s: float | None = None
    least_overlap_s: float | None = None
    longest_revisit_s: float | None = None


class PlanState(StrEnum):
    """Who has said yes to a plan."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    PUBLISHED = "published"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A day of patrols, from `window.start_us` to `window.end_us`; the same programme, seed and effort give the same plan."""

    window: Window
    visits: tuple[Visit, ...]
    sorties: tuple[Sortie, ...]
    refusals: tuple[Refusal, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    figures: tuple[TaskFigures, ...] = ()
    plan_id: int = 0
    version: int = 1
    state: PlanState = PlanState.DRAFT
    seed: int = 0
    score: float = 0.0
    made_us: int = 0
    made_by: str = ""
    note: str = ""
    terrain: str = ""
    """The name of the raster of heights that it was made over; empty: the ground is taken as flat."""
