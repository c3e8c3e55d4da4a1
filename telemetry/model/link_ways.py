"""The ways by which one device is heard: several links at once, each with what it loses and how long it takes."""

import msgspec


class LinkWay(msgspec.Struct, frozen=True, kw_only=True):
    """One way to a device: by which transport and peer, the share of its frames that were lost in the last minute (0..1).

    `rtt_us` is the time there and back, None while nothing was answered; `duplicates` counts frames that came by another way
    first. Commands leave by the best one.
    """

    device_id: int
    transport: str
    peer: str
    loss_ratio: float | None
    rtt_us: int | None
    heard_us: int
    duplicates: int
    is_best: bool
