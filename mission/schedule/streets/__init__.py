"""Nets of streets patrolled by several drones: closed walks on which no place waits long."""
