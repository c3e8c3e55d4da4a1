"""Frames of a vehicle as they came, verified and each only once: for its log, and for programs that fly or watch it beside us."""

from typing import NamedTuple


class VehicleFrame(NamedTuple):
    """One whole frame of a vehicle, or of another component of it, that came by a link of its group; signed as it came."""

    device_id: int
    link_number: int
    data: bytes
