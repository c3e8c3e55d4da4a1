"""Mission scripts: ten lines plan a patrol, save it for other tools, and fly it on a running console.

from mission.script import area, connect, dock, drone, plan

east = dock("East", (36.06, 103.83))
day = plan(area("Wetland", [(36.07, 103.83), (36.07, 103.84), (36.08, 103.84)]), east, drone("Kestrel", dock=east))
print(day)
day.save("wetland.plan")

with connect("http://127.0.0.1:8420", key) as console:
flight = console.fly_to(36.065, 103.835)
for step in console.progress(flight.unit_id):
print(step)
"""

from mission.schedule.change import Change
from mission.script.console import Console, Flight, Progress, connect
from mission.script.day import PlannedDay, load, plan
from mission.script.words import (
    area,
    battery,
    corridor,
    dock,
    drone,
    event,
    hours,
    keep_in,
    no_fly,
    perimeter,
    point,
    search,
    streets,
    wind,
    window,
)

__all__ = [
    "Change",
    "Console",
    "Flight",
    "PlannedDay",
    "Progress",
    "area",
    "battery",
    "connect",
    "corridor",
    "dock",
    "drone",
    "event",
    "hours",
    "keep_in",
    "load",
    "no_fly",
    "perimeter",
    "plan",
    "point",
    "search",
    "streets",
    "wind",
    "window",
]
