"""Which SIP server we are: its id, realm, the address that devices see and the media server, from a link's options."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from telemetry.model.errors import InputError
from telemetry.sources.gb28181.digest import Algorithm

OPTIONS: Final = frozenset({"id", "realm", "address", "media", "watch", "digest", "qop"})
EXAMPLE: Final = "gb28181+udpin:0.0.0.0:5060?id=44010200492000000001&realm=4401020049"
DEFAULT_WATCH: Final = "rtsp://{host}/rtp/{ssrc_hex}"
"""Where ZLMediaKit serves what a device sends it: the stream is named by its SSRC."""
_ID: Final = re.compile("[0-9]{14,20}")
_REALM: Final = re.compile("[A-Za-z0-9.-]{1,64}")
_PLACE: Final = re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\]):([0-9]{1,5})")
_DIGESTS: Final[Mapping[str, tuple[Algorithm, ...]]] = {
    "auto": (Algorithm.SHA256, Algorithm.MD5),
    "md5": (Algorithm.MD5,),
    "sha-256": (Algorithm.SHA256,),
}
_WATCH_NAMES: Final = {"host": "h", "ssrc": "1", "ssrc_hex": "1", "device": "1", "channel": "1"}


class Place(msgspec.Struct, frozen=True):
    """A host and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        """Return host:port."""
        return f"{self.host}:{self.port}"


class Domain(msgspec.Struct, frozen=True, kw_only=True):
    """Our side of a SIP domain.

    `address` is where devices reach us when that is not where the link listens (a NAT in front). `media` is the media
    server that devices send video to, `watch` the form of the address where it can be watched. `digests` are the hash
    functions that a registration may use; MD5 alone is offered to devices that do not say that they know edition 2022.
    `offers_qop` is false for old devices that cannot read a challenge with qop (each nonce then serves once all the same).
    """

    server_id: str
    realm: str
    address: Place | None = None
    media: Place | None = None
    watch: str = DEFAULT_WATCH
    digests: tuple[Algorithm, ...] = _DIGESTS["auto"]
    offers_qop: bool = True


def read_domain(options: Mapping[str, str]) -> Domain:
    """Return the domain that a link's options name. Raises InputError: which option, what is allowed."""
    unknown = sorted(options.keys() - OPTIONS)
    if unknown:
        raise InputError(f"GB/T 28181 has no option {unknown[0]!r}: allowed are {', '.join(sorted(OPTIONS))}")
    server_id = options.get("id", "")
    if not _ID.fullmatch(server_id):
        raise InputError(f"GB/T 28181 option id {server_id[:40]!r}: give our 20-digit server id, as {EXAMPLE}")
    realm = options.get("realm") or server_id[:10]
    if not _REALM.fullmatch(realm):
        raise InputError(f"GB/T 28181 option realm {realm[:40]!r}: give the SIP domain, as {EXAMPLE}")
    digest = options.get("digest", "auto").lower()
    if digest not in _DIGESTS:
        raise InputError(f"GB/T 28181 option digest {digest[:40]!r}: allowed are {', '.join(_DIGESTS)}")
    qop = options.get("qop", "auth").lower()
    if qop not in {"auth", "none"}:
        raise InputError(f"GB/T 28181 option qop {qop[:40]!r}: allowed are auth, none")
    return Domain(
        server_id=server_id,
        realm=realm,
        address=_place(options, "address"),
        media=_place(options, "media"),
        watch=_checked_watch(options.get("watch") or DEFAULT_WATCH),
        digests=_DIGESTS[digest],
        offers_qop=qop == "auth",
    )


def _place(options: Mapping[str, str], name: str) -> Place | None:
    text = options.get(name, "")
    if not text:
        return None
    match = _PLACE.fullmatch(text)
    if match is None or not 1 <= int(match[2]) <= 65535:
        raise InputError(f"GB/T 28181 option {name} {text[:80]!r}: give HOST:PORT, as 10.0.0.5:10000")
    return Place(match[1], int(match[2]))


def _checked_watch(form: str) -> str:
    try:
        form.format(**_WATCH_NAMES)
    except (KeyError, ValueError, IndexError, AttributeError) as error:
        known = ", ".join(f"{{{name}}}" for name in _WATCH_NAMES)
        raise InputError(f"GB/T 28181 option watch {form[:80]!r}: it may hold {known}") from error
    if not form.startswith(("rtsp://", "rtsps://", "http://", "https://", "ws://", "wss://", "webrtc://", "rtmp://")):
        raise InputError(
            f"GB/T 28181 option watch {form[:80]!r}: give an address to watch, as https://HOST/rtp/{{ssrc_hex}}.flv"
        )
    return form
