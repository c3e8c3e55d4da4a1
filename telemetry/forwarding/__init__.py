"""Other ground stations beside us: drones forwarded to them, and what they say let through only as far as they may."""
