"""The device of a link group, for protocols whose messages name nobody (NMEA, gpsd): whoever speaks there is it."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from telemetry.model.decoding import NOTHING, Output, Peer, Reply, SourceContext
from telemetry.model.enrolment import EnrolmentRule, SecretKind, is_allowed
from telemetry.model.fix import Fix, as_options_say, batch_of
from telemetry.model.unit import Device

QUARANTINE_EVERY_US: Final = 10_000_000


def group_enrolment(protocol: str) -> EnrolmentRule:
    """Return how devices are enrolled that are known by their link group alone."""
    return EnrolmentRule(
        protocol=protocol,
        secret=SecretKind.NONE,
        form=r"[a-z0-9_-]{1,32}",
        example="car7",
        said="the link group of its link (what stands behind # in the link's URL)",
    )


class GroupDevice:
    """Finds the device of one peer's link group, and makes its fixes an output.

    Where the device is not enrolled, revoked, or may not speak from this address, its fixes are counted and no more.
    """

    def __init__(self, protocol: str, context: SourceContext, peer: Peer) -> None:
        self._protocol = protocol
        self._context = context
        self._peer = peer
        self._proven: int | None = None
        self._quarantined_us: int | None = None

    def output(
        self,
        fixes: Sequence[Fix],
        now_us: int,
        *,
        bad: Counter[str],
        replies: tuple[Reply, ...] = (),
        has_spoken: bool = False,
    ) -> Output:
        """Return what the fixes of one turn are; those without a place are counted.

        `has_spoken`: a message was whole, though it may have told no fix. That proves who is there, once.
        """
        device = self._find(now_us) if fixes or (has_spoken and self._proven is None) else None
        if device is None:
            bad["unknown_device"] += len(fixes)
            return Output(bad=+bad, replies=replies) if +bad or replies else NOTHING
        placed = [as_options_say(fix, device.options) for fix in fixes if fix.is_placed]
        bad["no_place"] += len(fixes) - len(placed)
        proven = () if self._proven == device.device_id else (device.device_id,)
        self._proven = device.device_id
        batch = batch_of(placed, [device.device_id] * len(placed), now_us)
        return Output(batch=batch, bad=+bad, replies=replies, proven=proven)

    def _find(self, now_us: int) -> Device | None:
        registry, address = self._context.registry, self._context.link_group
        device = registry.device(self._protocol, address)
        if device is not None and not device.revoked and self._may_speak(device):
            return device
        if self._quarantined_us is None or now_us - self._quarantined_us >= QUARANTINE_EVERY_US:
            self._quarantined_us = now_us
            reason = "unknown" if device is None else "revoked" if device.revoked else "speaks from another address"
            registry.quarantine(self._protocol, address, now_us, reason)
        return None

    def _may_speak(self, device: Device) -> bool:
        return not self._peer.host or is_allowed(self._peer.host, device.options.allowed_hosts)
