"""A pilot, our MAVLink decoder and an autopilot that pymavlink speaks for, on one simulated line."""

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from mission.flying.preflight import Readiness
from mission.formats.mavlink_items import MavlinkPlan
from mission.pilot import Brief, Pilot, Says, Seen
from telemetry.model.errors import SkybeatError
from telemetry.model.events import AnyEvent, ArmedChanged, LandedChanged, LandedState, LinkLost, LinkRegained
from telemetry.model.flight_events import SortieMoved, SortieStep
from telemetry.model.mission_items import MissionItem
from tests.pymavlink_autopilot import BadLine

READY = Readiness(is_heard=True, has_position=True, battery_ratio=0.9)


def brief_of(waypoint_count: int, *, sortie_id: int = 3, fence: tuple[MissionItem, ...] = ()) -> Brief:
    """A sortie of take-off, waypoints with a change of speed before the first one, and the way home."""
    waypoints = tuple(
        MissionItem(command=16, param1=0.0, lat_e7=360_600_000 + 900 * number, lon_e7=1_038_300_000, alt_m=40.0)
        for number in range(waypoint_count)
    )
    mission = (
        MissionItem(command=22, lat_e7=360_600_000, lon_e7=1_038_300_000, alt_m=40.0),
        MissionItem(command=178, frame=2, param1=1.0, param2=8.0, param3=-1.0),
        *waypoints,
        MissionItem(command=20, frame=2),
    )
    numbers = (None, 0, *range(waypoint_count), None)
    plan = MavlinkPlan(mission=mission, fence=fence, home_lat_deg=36.06, home_lon_deg=103.83, waypoint_numbers=numbers)
    return Brief(sortie_id=sortie_id, plan=plan, waypoint_count=waypoint_count)


def seen_of(events: list[AnyEvent]) -> Seen:
    """What the live picture shows of a drone after these events."""
    seen = Seen(is_heard=bool(events))
    for event in events:
        match event:
            case ArmedChanged():
                seen = seen._replace(is_armed=event.armed)
            case LandedChanged():
                seen = seen._replace(is_airborne=event.landed is not LandedState.ON_GROUND)
            case LinkLost() | LinkRegained():
                seen = seen._replace(is_heard=isinstance(event, LinkRegained))
            case _:
                pass
    return seen


@dataclass
class Cockpit:
    """Runs a pilot on a line: sends what it says, hands it what is told, keeps what it moved through."""

    line: BadLine
    pilot: Pilot
    moved: list[SortieMoved] = field(default_factory=list)
    read: int = 0
    number: int = 1_000

    def say(self, says: Says) -> None:
        """Send the pilot's command, and keep its state."""
        if says.moved is not None:
            self.moved.append(says.moved)
        if says.command is None:
            return
        self.number += 1
        try:
            output = self.line.decoder.send(
                msgspec.structs.replace(says.command, command_id=self.number), self.line.now_us
            )
        except SkybeatError as error:
            self.say(self.pilot.unsent(str(error), self.line.now_us))
            return
        self.pilot.sent(self.number)
        self.line.take(output)

    def turn(self) -> None:
        """Hand the pilot what was told since the last turn, and the time."""
        while self.read < len(self.line.events):
            event = self.line.events[self.read]
            self.read += 1
            self.say(self.pilot.take(event, self.line.now_us))
        self.say(self.pilot.tick(self.line.now_us, seen_of(self.line.events)))

    def until(self, is_so: Callable[[], bool], *, at_most_s: float) -> bool:
        """Let time go by, the pilot at work, until something is so; tell whether it came to that."""

        def turned() -> bool:
            self.turn()
            return is_so()

        return self.line.run(turned, at_most_s=at_most_s)

    def fly(self, *steps: SortieStep, at_most_s: float = 900) -> bool:
        """Let time go by until the pilot has come to one of these steps; tell whether it has."""
        return self.until(lambda: self.pilot.step in steps, at_most_s=at_most_s)

    @property
    def steps(self) -> list[str]:
        """The steps that it moved through, each once."""
        steps = [moved.step.value for moved in self.moved]
        return [step for number, step in enumerate(steps) if number == 0 or steps[number - 1] != step]
