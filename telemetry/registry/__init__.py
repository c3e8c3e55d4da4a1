"""The registry: units, devices, assignments and secrets in memory and in the database, and who is let in."""
