"""What every event has, whatever it tells of: whose it is and when."""

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What every event has: whose it is, when the sensor saw it and when we heard of it (UTC microseconds)."""

    device_id: int
    observed_us: int
    received_us: int
    replayed: bool = False
