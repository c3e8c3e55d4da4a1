"""How a task is flown: surveys, corridors, rings, watches and searches, their ways, times and battery."""
