"""Frames of a vehicle as they came, verified and each only once: for its log, and for programs that fly or watch it beside us."""

from typing import TypeAlias

VehicleFrame: TypeAlias = tuple[int, int, bytes]
"""One whole frame, signed as it came: the device, the number of the link that it came by, its bytes. A plain tuple, since there may
be one for every message of every vehicle."""
