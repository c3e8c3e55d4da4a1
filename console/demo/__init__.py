"""The demo: a city that does not exist and a force that exists only in software."""
