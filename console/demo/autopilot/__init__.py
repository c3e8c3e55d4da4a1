"""A drone's autopilot in software, after ArduCopter: a body in the wind, modes, missions, fences, and MAVLink for whoever has the key."""
