"""A place is asked for, the next hour planned and published, its first sortie flown, and what was seen proven."""

import sys
import time

from mission.model import Window
from mission.script import connect, point

lat_deg, lon_deg = (float(word) for word in sys.argv[1:] or ("36.0615", "103.8310"))
now_us = time.time_ns() // 1000

with connect() as console:
    console.add(point("Bridge", (lat_deg, lon_deg), when=Window(now_us, now_us + 3_600_000_000)))
    day = console.plan(window=Window(now_us, now_us + 3_600_000_000), effort_s=1)
    day = console.publish(day, reason="nobody else is on duty")
    unit_id = console.fly(day, day.sorties[0].sortie_id)
    print(*(step.step for step in console.progress(unit_id)))
    print(len(console.report(day)), "bytes of proof")
