"""How a protocol's devices are enrolled: which form their names have and which secret they share with us."""

import ipaddress
import re
from collections.abc import Iterable
from enum import StrEnum

import msgspec

from telemetry.model.errors import InputError


class SecretKind(StrEnum):
    """What a device and we share. TOKEN is its name as well, and known by its digest only; the others are sealed at rest."""

    NONE = "none"
    TOKEN = "token"  # noqa: S105 - a word, not a secret
    SIGNING_KEY = "signing_key"
    CODE = "code"
    PASSWORD = "password"  # noqa: S105 - as above


class EnrolmentRule(msgspec.Struct, frozen=True, kw_only=True):
    """One protocol's rule; a room of telemetry/sources offers it as `ENROLMENT`.

    `form` is a regular expression for the whole address ("" for tokens), `example` one address, `said` what an address is, for
    messages. `pairs`: the secret may be told over the air for some hours after enrolment. `drops_zeros`: zeros in front mean
    nothing, and capital letters no other digits than small ones.
    """

    protocol: str
    secret: SecretKind
    form: str = ""
    example: str = ""
    said: str = ""
    pairs: bool = False
    drops_zeros: bool = False

    def checked(self, address: str) -> str:
        """Return the address without spaces around it. Raises InputError: what, value, allowed."""
        address = address.strip()
        if self.drops_zeros:
            address = address.lower().lstrip("0") or address[:1]
        if self.secret is SecretKind.TOKEN:
            return ""
        if not re.fullmatch(self.form, address):
            raise InputError(f"{self.protocol} address {address[:80]!r}: give {self.said}, as {self.example}")
        return address


def checked_hosts(hosts: Iterable[str]) -> tuple[str, ...]:
    """Return addresses or networks as they are written in options. Raises InputError for one that is neither."""
    try:
        return tuple(str(ipaddress.ip_network(host.strip(), strict=False)) for host in hosts)
    except ValueError as error:
        raise InputError(f"allowed hosts: {error}; give addresses or networks, as 10.20.0.0/16") from error


def is_allowed(host: str, allowed_hosts: tuple[str, ...]) -> bool:
    """Tell whether a peer's address is among those that a device may speak from (none named: any)."""
    if not allowed_hosts:
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in ipaddress.ip_network(network) for network in allowed_hosts)


def parse_utc_offset(text: str) -> int:
    """Return the seconds that a zone such as +08:00 is ahead of UTC. Raises InputError: -12:00 .. +14:00."""
    match = re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?|Z|UTC", text.strip(), re.IGNORECASE)
    if match is None:
        raise InputError(f"time zone {text[:40]!r}: give an offset from UTC, as +08:00")
    if match[1] is None:
        return 0
    offset_s = (int(match[2]) * 60 + int(match[3] or 0)) * (-60 if match[1] == "-" else 60)
    if not -12 * 3600 <= offset_s <= 14 * 3600 or int(match[3] or 0) >= 60:
        raise InputError(f"time zone {text[:40]!r}: offsets from UTC are -12:00 .. +14:00")
    return offset_s
