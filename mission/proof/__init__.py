"""What was planned against what was flown: covered, revisited, watched; gaps and reasons; and reports of it."""
