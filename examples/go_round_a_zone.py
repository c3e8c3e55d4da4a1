"""A river road is followed; the way there and home goes round a no-fly zone. Saved as a wayline for DJI docks."""

from mission.script import corridor, dock, drone, no_fly, plan

north = dock("North", (36.075, 103.830))
road = corridor("River road", [(36.060, 103.820), (36.058, 103.830), (36.060, 103.840)], width_m=60)
school = no_fly("School", [(36.066, 103.826), (36.066, 103.834), (36.070, 103.834), (36.070, 103.826)])

day = plan(road, school, north, drone("Kestrel", dock=north, model="M3TD"), day="2027-05-01")
print(day)
day.save("road.kmz")
