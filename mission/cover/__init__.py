"""Cover: what units reach within 1, 3 and 5 minutes, where it has gaps, whether the ring is closed, and how far it is from plan."""
