"""The logs of flights: a .tlog for each drone and flight."""
