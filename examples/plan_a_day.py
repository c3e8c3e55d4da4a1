"""An area is seen once in a day; the flight is saved for QGroundControl and for the calendar."""

from mission.script import area, dock, drone, plan

east = dock("East", (36.060, 103.830))
wetland = area("Wetland", [(36.070, 103.830), (36.070, 103.836), (36.074, 103.836), (36.074, 103.830)])

day = plan(wetland, east, drone("Kestrel", dock=east), day="2027-05-01")
print(day)
day.save("wetland.plan")
day.save("wetland.ics")
