"""Traccar: its phone app's JSON, and what a Traccar server forwards of the 270 protocols that it speaks."""

from typing import Final

from telemetry.model.enrolment import EnrolmentRule, SecretKind
from telemetry.model.phone import FORWARDED_PROTOCOL, FORWARDER_PROTOCOL, PhoneFix, PhoneRequest
from telemetry.sources.traccar.client import decode_client
from telemetry.sources.traccar.forwarded import decode_forwarded, is_forwarded

ENROLMENT: Final = EnrolmentRule(
    protocol=FORWARDED_PROTOCOL,
    secret=SecretKind.NONE,
    form=r"[^\x00-\x1f]{1,128}",
    example="123456789012345",
    said="the identifier (uniqueId) that the Traccar server knows the device by",
)
FURTHER_ENROLMENTS: Final = (EnrolmentRule(protocol=FORWARDER_PROTOCOL, secret=SecretKind.TOKEN),)
"""A server that forwards: its token proves it, and it speaks for devices without a secret of their own."""


def recognises(request: PhoneRequest) -> bool:
    """Tell whether the body is JSON."""
    return request.content_type == "application/json" or request.body.lstrip()[:1] == b"{"


def decode_request(request: PhoneRequest) -> list[PhoneFix]:
    """Return the reports of a JSON body: a phone's own, or what a server forwards (`speaks_for` is set).

    Raises InputError: what, value, allowed.
    """
    return decode_forwarded(request.body) if is_forwarded(request.body) else decode_client(request.body)
