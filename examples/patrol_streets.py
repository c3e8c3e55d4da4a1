"""The streets of an old town are patrolled for an hour without a break, so that no place waits long."""

from mission.script import dock, drone, hours, plan, streets

square = dock("Square", (36.060, 103.830), pad_count=4, charger_count=4)
fleet = [drone(name, dock=square, endurance_s=2400) for name in ("Kestrel", "Merlin", "Hobby", "Harrier")]
lines = [
    [(36.058, 103.828), (36.058, 103.834)],
    [(36.061, 103.828), (36.061, 103.834)],
    [(36.058, 103.831), (36.061, 103.831)],
]

print(plan(streets("Old town", lines, when=hours("10:00", "11:00")), square, *fleet, day="2027-05-01"))
