"""Calls: incidents and who goes: their words and states, who is recommended, how errands go, and their rows in the database."""
