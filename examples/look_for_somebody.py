"""A search round the place where somebody was last seen, and how likely it finds."""

from mission.model import PatternKind
from mission.script import dock, drone, plan, search

camp = dock("Camp", (36.060, 103.830))
child = search("Missing child", (36.066, 103.835), radius_m=300, pattern=PatternKind.EXPANDING_SQUARE)

day = plan(child, camp, drone("Kestrel", dock=camp), day="2027-05-01")
print(day)
print("waypoints:", sum(len(sortie.waypoints) for sortie in day.sorties))
day.save("search.geojson")
