"""What shall be patrolled, by whom and when; who is near; what is covered."""
