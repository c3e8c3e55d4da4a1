"""A plan asked what it would be without one of its drones, and then mended for it; nothing flies."""

import sys
import time

from mission.model import Window
from mission.script import Change, connect, point

lat_deg, lon_deg = (float(word) for word in sys.argv[1:] or ("36.0615", "103.8310"))
now_us = time.time_ns() // 1000
soon = Window(now_us, now_us + 3_600_000_000)

with connect() as console:
    console.add(point("Ferry", (lat_deg, lon_deg), when=soon))
    day = console.plan(window=soon, effort_s=1)
    lost = Change(without_airframe_ids=(day.sorties[0].airframe_id,))
    print(day, console.what_if(day, lost), sep="\n\n")
    print("mended:", console.repair(day, lost).plan.version)
