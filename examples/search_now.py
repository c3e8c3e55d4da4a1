"""A drone searches round a place at once: planned, flown and told."""

import sys

from mission.script import connect

lat_deg, lon_deg, radius_m = (float(word) for word in sys.argv[1:] or ("36.0620", "103.8300", "80"))

with connect() as console:
    flight = console.search((lat_deg, lon_deg), radius_m=radius_m)
    print(f"{flight.name} searches in {flight.arrive_s:.0f} s")
    for step in console.progress(flight.unit_id):
        print(step.step, f"{step.flown}/{step.waypoint_count}")
