"""The JSON of sorties that are due."""

import msgspec

from console.wire_flight import DueView


class DueReply(msgspec.Struct, frozen=True, kw_only=True):
    """What is due, by its take-off."""

    sorties: list[DueView]
