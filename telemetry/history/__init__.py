"""History: questions to what was recorded, what is derived of it, and recorded flights brought into it."""
