"""Siting: where stations, beats and units should stand, who should move up for a while, and what if it were otherwise."""
