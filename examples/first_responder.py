"""The drone that is at a place soonest is sent there and told of until it is home again."""

import sys

from mission.script import connect

lat_deg, lon_deg, stay_s = (float(word) for word in sys.argv[1:] or ("36.0620", "103.8300", "60"))

with connect() as console:
    flight = console.fly_to(lat_deg, lon_deg, stay_s=stay_s)
    print(f"{flight.name} is there in {flight.arrive_s:.0f} s")
    for step in console.progress(flight.unit_id):
        print(step.step, step.arrive_s)
