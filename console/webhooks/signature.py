"""Signatures of webhooks as standardwebhooks.com writes them down: HMAC-SHA256 over id, time and body; made and checked."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

from telemetry.model.errors import InputError, NotAllowedError

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the prefix that every secret of this kind bears
SECRET_BYTES: Final = 32
TOLERANCE_S: Final = 300
"""A message whose time differs more from ours is refused: it may be an old one sent again."""
_ID, _TIMESTAMP, _SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


def secret_text(secret: bytes) -> str:
    """Return a secret as people copy it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def secret_of(text: str) -> bytes:
    """Return the bytes of a secret as people copy it. Raises InputError."""
    try:
        return base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        message = f"a webhook's secret is written as {SECRET_PREFIX} and base64: copy it whole"
        raise InputError(message) from error


def signed_headers(secret: bytes, *, message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """Return the three headers that prove a message."""
    signature = _signature(secret, message_id, str(timestamp_s), body)
    return {_ID: message_id, _TIMESTAMP: str(timestamp_s), _SIGNATURE: f"v1,{signature}"}


def verified_id(secret: bytes, headers: Mapping[str, str], body: bytes, *, now_s: float) -> str:
    """Return the id of a message whose signature is right (headers by lower-case names).

    Raises NotAllowedError for a missing header, a wrong signature or a time more than five minutes from ours.
    """
    message_id, timestamp, signatures = (headers.get(name, "") for name in (_ID, _TIMESTAMP, _SIGNATURE))
    if not message_id or not signatures or not timestamp.isascii() or not timestamp.isdigit():
        message = f"a webhook without {_ID}, {_TIMESTAMP} (seconds since 1970) and {_SIGNATURE}: send all three"
        raise NotAllowedError(message)
    if len(timestamp) > 12 or abs(now_s - int(timestamp)) > TOLERANCE_S:
        message = (
            f"{_TIMESTAMP} {timestamp[:20]} is more than {TOLERANCE_S} s from our time: check the clock, sign it anew"
        )
        raise NotAllowedError(message)
    expected = _signature(secret, message_id, timestamp, body).encode()
    given = [part.partition(",") for part in signatures.split(" ")]
    if not any(version == "v1" and hmac.compare_digest(expected, value.encode()) for version, _, value in given):
        message = f"{_SIGNATURE} does not fit the body: sign id.timestamp.body, as it is sent, with this hook's secret"
        raise NotAllowedError(message)
    return message_id


def _signature(secret: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
