"""What we ask of a device; a source turns it into its protocol's bytes."""

from typing import TypeAlias

import msgspec


class SetReportInterval(msgspec.Struct, frozen=True, kw_only=True, tag="set_report_interval"):
    """Ask a device to report its position every `interval_s` seconds (0.1 .. 3600)."""

    device_id: int
    interval_s: float


class RequestPosition(msgspec.Struct, frozen=True, kw_only=True, tag="request_position"):
    """Ask a device for its position now."""

    device_id: int


class SendText(msgspec.Struct, frozen=True, kw_only=True, tag="send_text"):
    """Show a text of at most 500 characters on a device."""

    device_id: int
    text: str


Command: TypeAlias = SetReportInterval | RequestPosition | SendText
