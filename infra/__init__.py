"""Ground: settings, clock, database, journal, tasks, logs and metrics; knows no police word."""
