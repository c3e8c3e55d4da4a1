"""Tracking: each device followed through its reports: plausibility, order, jumps, parking, clock and silence."""
