"""What goes between the drone and the ground: a message's name and fields, and who speaks."""

from typing import NamedTuple

from telemetry.sources.mavlink.frame import Value

Fields = dict[str, Value]


class Peer(NamedTuple):
    """Who speaks: its system and component."""

    system_id: int
    component_id: int


class Say(NamedTuple):
    """A message to send."""

    name: str
    fields: Fields


def whole(fields: Fields, name: str) -> int:
    """Return a field that is a whole number."""
    value = fields[name]
    assert isinstance(value, int)
    return value


def real(fields: Fields, name: str) -> float:
    """Return a field that is a number."""
    value = fields[name]
    assert isinstance(value, int | float)
    return float(value)
