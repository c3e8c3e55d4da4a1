"""Alarms: the board that numbers and escalates them, what causes them, what people decide, and their confirmation to devices."""
