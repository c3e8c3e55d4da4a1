"""A scenic area is seen again every hour by day, with 3 cm a pixel; a third of the battery stays in reserve."""

import msgspec

from mission.model import Programme
from mission.script import area, dock, drone, hours, plan

gate = dock("Gate", (36.060, 103.830))
valley = area(
    "Valley", [(36.063, 103.832), (36.063, 103.836), (36.066, 103.836), (36.066, 103.832)],
    when=hours("09:00", "13:00"), revisit_s=3600, ground_pixel_m=0.03,
)  # fmt: skip
rules = msgspec.structs.replace(Programme(), rules={"R-07": {"least_ratio": 0.33}})

print(plan(rules, valley, gate, drone("Kestrel", dock=gate), day="2027-05-01"))
