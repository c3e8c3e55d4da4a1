"""A mission file is planned; so is what another tool drew (.kml, .geojson, .plan), with docks and drones beside it."""

from pathlib import Path

from mission.script import load, plan

day = plan(load(Path(__file__).with_name("day.yaml")), day="2027-05-01")
print(day)
day.save("day.kml")
