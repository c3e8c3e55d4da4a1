"""A draft as a sortie: its waypoints with times, from the dock to its targets and home, never through closed air."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from mission.air.climbing import least_s
from mission.airspace import Wind
from mission.model import Airframe, Window
from mission.patterns.flown import length_m
from mission.patterns.footprint import filmed_mps
from mission.patterns.waypoints import speeds_mps, waypoints_of
from mission.plan import Sortie, VisitPart, Waypoint
from mission.schedule.fleet import Booking
from mission.schedule.greedy import Draft
from mission.schedule.patrols import again_for
from mission.schedule.relay_rota import Watch
from mission.schedule.scene import Scene
from mission.schedule.targets import WAY_PLACES, Part, Target
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats


@dataclass
class _Flight:
    """A sortie being written: where it is, at what second, and what it has flown."""

    scene: Scene
    airframe: Airframe
    here: Floats
    clock_s: float
    alt_m: float
    waypoints: list[Waypoint]
    wind: Wind
    """What its ways between docks and tasks are flown with."""
    here_alt_m: float
    """How high it is above the take-off place."""
    came_mps: float = 0.0
    flown_m: float = 0.0
    visit_parts: list[VisitPart] = field(default_factory=list)

    def transit(self, there: Floats, task_name: str, *, to_alt_m: float | None = None) -> None:
        """Fly to a place at a height above ground, home at the transit's; waypoints are written for the bends only."""
        places = self.scene.way(self.here, there)
        if places is None:
            message = f"there is no way to {task_name!r} that keeps out of closed air: move it, or the zone"
            raise InputError(message, f"到“{task_name}”没有避开管制空域的航路：移动任务或区域")
        if to_alt_m is None:
            self.rise_to(self.alt_m)
        seconds = np.concatenate(([0.0], np.cumsum(self.legs_s(places, to_alt_m))))
        told = speeds_mps(places, self.airframe, self.wind)
        lat_deg, lon_deg = self.scene.plane.from_plane(places[:, 0], places[:, 1])
        self.waypoints += [
            Waypoint(
                lat_deg=round(float(lat_deg[row]), 8),
                lon_deg=round(float(lon_deg[row]), 8),
                alt_home_m=self.alt_m,
                speed_mps=told[row],
                arrive_us=self.scene.us_of(self.clock_s + float(seconds[row])),
            )
            for row in range(1, len(places) - 1)
        ]
        self.clock_s += float(seconds[-1])
        self.flown_m += length_m(places)
        self.here, self.came_mps = there, told[-1]
        self.here_alt_m = self.alt_m if to_alt_m is None else to_alt_m

    def legs_s(self, places: Floats, to_alt_m: float | None) -> Floats:
        """Return the seconds of the legs of a way: as long as their climb or descent lasts at least."""
        legs_s = self.scene.fly_s(places, self.airframe, wind=self.wind)
        heights_m = np.full(len(places), self.alt_m)
        heights_m[0], heights_m[-1] = self.here_alt_m, self.alt_m if to_alt_m is None else to_alt_m
        longest: Floats = np.maximum(legs_s, least_s(np.diff(heights_m), self.airframe))
        return longest

    def rise_to(self, alt_m: float) -> None:
        """Climb or come down to a height where it is, before it sets out for home."""
        self.clock_s += float(least_s(np.array([alt_m - self.here_alt_m]), self.airframe)[0])
        self.here_alt_m = alt_m

    def wait_until(self, time_s: float) -> None:
        """Stay at the last waypoint until so late that the next is not begun too soon."""
        waits_s = time_s - self.clock_s
        if waits_s > 0.0 and self.waypoints:
            last = self.waypoints[-1]
            self.waypoints[-1] = msgspec.structs.replace(last, hold_s=last.hold_s + waits_s)
            self.clock_s = time_s

    def part(self, part: Part, visit_id: int) -> None:
        """Fly a part of a task's pattern from its first place on."""
        first = len(self.waypoints)
        pattern = part.pattern
        written = list(waypoints_of(pattern, self.scene.plane, part.task, self.airframe, wind=part.wind))
        written[0] = msgspec.structs.replace(written[0], speed_mps=self.came_mps)
        places = pattern.places if len(pattern.places) > 1 else pattern.places[[0, 0]]
        hold_s = pattern.hold_s if len(pattern.places) > 1 else np.array([pattern.hold_s[0], 0.0])
        most_mps = filmed_mps(part.task, self.airframe, pattern.alt_agl_m)
        flown_s = self.scene.fly_s(places, self.airframe, wind=part.wind, most_mps=most_mps)
        legs_s = np.concatenate(([0.0], flown_s))
        arrive_s = self.clock_s + np.cumsum(legs_s) + np.concatenate(([0.0], np.cumsum(hold_s)[:-1]))
        self.waypoints += [
            msgspec.structs.replace(waypoint, arrive_us=self.scene.us_of(float(at_s)))
            for waypoint, at_s in zip(written, arrive_s, strict=True)
        ]
        last = len(self.waypoints) - 1
        self.visit_parts.append(
            VisitPart(
                visit_id=visit_id,
                number=part.number,
                part_count=part.part_count,
                first_waypoint=first,
                last_waypoint=last,
            )
        )
        self.clock_s = float(arrive_s[-1] + hold_s[-1])
        self.flown_m += pattern.length_m
        self.here = np.asarray(places[-1], np.float64)


def sortie_of(draft: Draft, targets: Sequence[Target], scene: Scene, sortie_id: int) -> Sortie:
    """Return the sortie of a draft. Raises InputError where there is no way to one of its targets."""
    airframe = _airframe(scene, draft.booking)
    first, first_s = draft.stops[0]
    flight = _take_off(scene, airframe, draft.booking, alt_m=scene.transit_alt_m(airframe))
    takeoff_s = flight.clock_s
    flight.clock_s += flight.alt_m / airframe.climb_mps
    for number, begin_s in draft.stops:
        part = targets[number].part
        if number != first:
            _leave_in_time(scene, flight, part, begin_s)
        flight.transit(part.start, part.task.name_en or part.task.name_zh, to_alt_m=part.pattern.alt_agl_m)
        if number == first:
            late_s = max(first_s - flight.clock_s, 0.0)
            takeoff_s, flight.clock_s = takeoff_s + late_s, flight.clock_s + late_s
            flight.waypoints = [_later(waypoint, late_s) for waypoint in flight.waypoints]
        flight.part(part, targets[number].visit.visit_id)
    chosen = [targets[number] for number, _ in draft.stops]
    return _landed(
        flight, draft.booking, sortie_id, takeoff_s=takeoff_s,
        visit_ids=tuple(dict.fromkeys(target.visit.visit_id for target in chosen)),
        task_ids=tuple(dict.fromkeys(target.part.task.task_id for target in chosen)),
        approval=_approvals([target.part for target in chosen]),
    )  # fmt: skip


def watch_of(
    watch: Watch, booking: Booking, part: Part, scene: Scene, *, visit_id: int, sortie_id: int, alt_m: float
) -> Sortie:
    """Return the sortie of a watch over an event, flown and stood at `alt_m`."""
    airframe = _airframe(scene, booking)
    flight = _take_off(scene, airframe, booking, alt_m=alt_m)
    flight.clock_s += alt_m / airframe.climb_mps
    flight.transit(part.start, part.task.name_en or part.task.name_zh, to_alt_m=alt_m)
    late_s = max(watch.start_s - flight.clock_s, 0.0)
    takeoff_s, flight.clock_s = watch.takeoff_s + late_s, flight.clock_s + late_s
    flight.waypoints = [_later(waypoint, late_s) for waypoint in flight.waypoints]
    watch_s = max(watch.end_s - flight.clock_s, 0.0)
    stood = replace(part.pattern, hold_s=np.array([watch_s]), alt_agl_m=alt_m)
    if len(part.pattern.places) > 1:
        most_places = airframe.most_waypoints - len(flight.waypoints) - WAY_PLACES
        walk = replace(part.pattern, alt_agl_m=alt_m)
        stood = again_for(replace(part, pattern=walk), airframe, scene, watch_s=watch_s, most_places=most_places)
    flight.part(replace(part, pattern=stood), visit_id)
    sortie = _landed(
        flight, booking, sortie_id, takeoff_s=takeoff_s, visit_ids=(visit_id,), task_ids=(part.task.task_id,),
        approval=part.task.approval,
    )  # fmt: skip
    on_watch = Window(scene.us_of(watch.start_s), scene.us_of(watch.end_s))
    return msgspec.structs.replace(sortie, on_watch=on_watch)


def _take_off(scene: Scene, airframe: Airframe, booking: Booking, *, alt_m: float) -> _Flight:
    during = Window(
        scene.us_of(booking.takeoff_s), max(scene.us_of(booking.landing_s), scene.us_of(booking.takeoff_s) + 1)
    )
    dock = scene.dock_place(booking.dock_id)
    return _Flight(scene, airframe, dock, float(booking.takeoff_s), alt_m, [], scene.wind_in(during), alt_m)


def _leave_in_time(scene: Scene, flight: _Flight, part: Part, begin_s: float) -> None:
    """Wait where the drone is so long that it reaches the part when it is to begin."""
    places = scene.way(flight.here, part.start)
    if places is not None:
        flight.wait_until(begin_s - float(flight.legs_s(places, part.pattern.alt_agl_m).sum()))


def _landed(
    flight: _Flight,
    booking: Booking,
    sortie_id: int,
    *,
    takeoff_s: float,
    visit_ids: tuple[int, ...],
    task_ids: tuple[int, ...],
    approval: str,
) -> Sortie:
    scene, airframe = flight.scene, flight.airframe
    flight.transit(scene.dock_place(booking.dock_id), "the dock")
    landing_s = flight.clock_s + flight.alt_m / airframe.sink_mps
    health_ratio = next(
        (each.health_ratio for each in scene.programme.batteries if each.battery_id == booking.battery_id), 1.0
    )
    return Sortie(
        sortie_id=sortie_id,
        airframe_id=booking.airframe_id,
        dock_id=booking.dock_id,
        takeoff_us=scene.us_of(takeoff_s),
        landing_us=scene.us_of(landing_s),
        free_us=scene.us_of(max(booking.free_s, landing_s)),
        visit_ids=visit_ids,
        task_ids=task_ids,
        waypoints=tuple(flight.waypoints),
        length_m=round(flight.flown_m, 1),
        landing_battery_ratio=round(1.0 - (landing_s - takeoff_s) / (airframe.endurance_s * health_ratio), 4),
        transit_alt_home_m=flight.alt_m,
        battery_id=booking.battery_id,
        crew_id=booking.crew_id,
        visit_parts=tuple(flight.visit_parts),
        approval=approval,
    )


def _later(waypoint: Waypoint, later_s: float) -> Waypoint:
    return msgspec.structs.replace(waypoint, arrive_us=(waypoint.arrive_us or 0) + round(later_s * 1e6))


def _airframe(scene: Scene, booking: Booking) -> Airframe:
    return next(each for each in scene.programme.airframes if each.airframe_id == booking.airframe_id)


def _approvals(parts: Sequence[Part]) -> str:
    return ",".join(sorted({part.task.approval for part in parts if part.task.approval}))
