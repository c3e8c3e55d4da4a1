"""Scheduling: which visits are flown, by whom, when and in which order, relieved, chained to batteries, and mended when things change."""
