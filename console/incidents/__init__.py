"""Incidents: the desk that changes them, the board that follows them, where calls come from, what each role is shown."""
