"""What belongs to a flight beside its positions: who is in control, its log, and the traffic around it."""
