"""Heavy planning questions in a process of their own: sites, beats, moves, what-ifs."""
