"""A lantern festival is watched without a gap: each drone is relieved over the place before it goes home."""

from mission.script import dock, drone, event, hours, plan, wind

pier = dock("Pier", (36.060, 103.830), pad_count=4, charger_count=4)
fleet = [drone(name, dock=pier, endurance_s=2400) for name in ("Kestrel", "Merlin", "Hobby", "Harrier")]
lanterns = event("Lanterns", (36.063, 103.834), when=hours("19:00", "21:00"), overlap_s=60)

day = plan(lanterns, pier, *fleet, wind(3.0, from_deg=270), day="2027-02-20")
print(day)
print("longest gap:", day.plan.figures[0].longest_gap_s, "s")
