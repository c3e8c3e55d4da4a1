"""HTTP digest as SIP uses it (RFC 7616, RFC 2617 without qop): challenges that cannot be replayed, and answers to them."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

NONCE_LIFE_US: Final = 60_000_000
"""So long after it was given a nonce may be answered."""
_MAC_DIGITS: Final = 32
_TIME_DIGITS: Final = 14
_STAMP_DIGITS: Final = 18
_PAIR: Final = re.compile(r'([a-zA-Z0-9_-]{1,32})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_NC: Final = re.compile("[0-9a-fA-F]{1,8}")


class Algorithm(StrEnum):
    """The hash functions that a challenge may name. MD5 is what editions 2011 and 2016 of GB/T 28181 know."""

    MD5 = "MD5"
    SHA256 = "SHA-256"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The Authorization header of a REGISTER; `count` is nc, 0 without qop."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: Algorithm
    qop: str = ""
    cnonce: str = ""
    nc: str = ""

    @property
    def count(self) -> int:
        """Return how often the device says that it has used this nonce; 0 without qop."""
        return int(self.nc, 16) if self.nc else 0


def read_answer(value: str) -> Answer | None:
    """Return what an Authorization header says, None for one that is no complete Digest of an algorithm that we know."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        return None
    fields = {match[1].lower(): match[2] if match[2] is not None else match[3] for match in _PAIR.finditer(rest)}
    algorithm = _algorithm_of(fields.get("algorithm", "MD5"))
    qop = fields.get("qop", "").lower()
    if algorithm is None or qop not in {"", "auth"} or not {"username", "nonce", "uri", "response"} <= fields.keys():
        return None
    if qop and not (_NC.fullmatch(fields.get("nc", "")) and fields.get("cnonce")):
        return None
    return Answer(
        username=fields["username"],
        realm=fields.get("realm", ""),
        nonce=fields["nonce"],
        uri=fields["uri"],
        response=fields["response"].lower(),
        algorithm=algorithm,
        qop=qop,
        cnonce=fields.get("cnonce", "") if qop else "",
        nc=fields["nc"] if qop else "",
    )


def _algorithm_of(name: str) -> Algorithm | None:
    return next((algorithm for algorithm in Algorithm if algorithm.value == name.upper()), None)


def response_of(answer: Answer, *, method: str, password: str) -> str:
    """Return the right `response` for an answer's own parameters: HA2 takes the `uri` parameter, never the Request-URI."""
    secret = _hash(answer.algorithm, f"{answer.username}:{answer.realm}:{password}")
    asked = _hash(answer.algorithm, f"{method}:{answer.uri}")
    middle = f"{answer.nc}:{answer.cnonce}:{answer.qop}:" if answer.qop else ""
    return _hash(answer.algorithm, f"{secret}:{answer.nonce}:{middle}{asked}")


def write_answer(
    challenge: Mapping[str, str], *, username: str, password: str, method: str, uri: str, cnonce: str, count: int = 1
) -> str:
    """Return a device's Authorization header for a challenge's parameters (as `read_challenge` gives them)."""
    qop = "auth" if "auth" in challenge.get("qop", "").replace(" ", "").split(",") else ""
    answer = Answer(
        username=username,
        realm=challenge.get("realm", ""),
        nonce=challenge.get("nonce", ""),
        uri=uri,
        response="",
        algorithm=_algorithm_of(challenge.get("algorithm", "MD5")) or Algorithm.MD5,
        qop=qop,
        cnonce=cnonce if qop else "",
        nc=f"{count:08x}" if qop else "",
    )
    response = response_of(answer, method=method, password=password)
    counted = f',qop=auth,nc={answer.nc},cnonce="{answer.cnonce}"' if qop else ""
    return (
        f'Digest username="{username}",realm="{answer.realm}",nonce="{answer.nonce}",uri="{uri}",'
        f'response="{response}",algorithm={answer.algorithm.value}{counted}'
    )


def read_challenge(value: str) -> dict[str, str] | None:
    """Return the parameters of a WWW-Authenticate header, None for one of another scheme or an unknown algorithm."""
    scheme, _, rest = value.strip().partition(" ")
    fields = {match[1].lower(): match[2] if match[2] is not None else match[3] for match in _PAIR.finditer(rest)}
    if scheme.lower() != "digest" or _algorithm_of(fields.get("algorithm", "MD5")) is None:
        return None
    return fields


def write_challenge(*, realm: str, nonce: str, algorithm: Algorithm, offers_qop: bool, is_stale: bool) -> str:
    """Return a WWW-Authenticate header; `is_stale` says that the password may have been right and the nonce was not."""
    stale = ",stale=true" if is_stale else ""
    qop = ',qop="auth"' if offers_qop else ""
    return f'Digest realm="{realm}",nonce="{nonce}",algorithm={algorithm.value}{qop}{stale}'


class NonceMint:
    """Makes nonces that need no memory: time, a number, and a MAC over both, the host and the device by a secret of this process."""

    def __init__(self, process_secret: bytes) -> None:
        self._secret = process_secret
        self._number = 0

    def make(self, host: str, device_address: str, now_us: int) -> str:
        """Return a nonce that is answered for this device and from this host only; each is another one."""
        self._number = (self._number + 1) & 0xFFFF
        stamp = f"{now_us:014x}{self._number:04x}"
        return stamp + self._mac(stamp, host, device_address)

    def is_alive(self, nonce: str, host: str, device_address: str, now_us: int) -> bool:
        """Tell whether we gave this nonce to this host for this device, at most 60 s ago."""
        stamp, mac = nonce[:_STAMP_DIGITS], nonce[_STAMP_DIGITS:]
        if not hmac.compare_digest(mac.encode(), self._mac(stamp, host, device_address).encode()):
            return False
        return 0 <= now_us - made_us(nonce) <= NONCE_LIFE_US

    def _mac(self, stamp: str, host: str, device_address: str) -> str:
        said = f"{stamp}|{host}|{device_address}".encode()
        return hmac.new(self._secret, said, hashlib.sha256).hexdigest()[:_MAC_DIGITS]


def made_us(nonce: str) -> int:
    """Return when one of our own nonces was made."""
    return int(nonce[:_TIME_DIGITS], 16)


class UsedNonces:
    """The nonces that one device has answered rightly: with qop its nc must grow, without qop a nonce serves once."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def take(self, nonce: str, count: int, now_us: int) -> bool:
        """Tell whether this use of a living nonce is new, and remember it for as long as the nonce lives."""
        self._counts = {used: most for used, most in self._counts.items() if now_us - made_us(used) <= NONCE_LIFE_US}
        before = self._counts.get(nonce)
        if before is not None and not count > before > 0:
            return False
        self._counts[nonce] = count
        return True


def is_right(answer: Answer, *, method: str, password: str) -> bool:
    """Tell whether an answer knows the password; takes the same time for any wrong one."""
    right = response_of(answer, method=method, password=password)
    return hmac.compare_digest(right.encode(), answer.response.encode())


def _hash(algorithm: Algorithm, text: str) -> str:
    if algorithm is Algorithm.SHA256:
        return hashlib.sha256(text.encode()).hexdigest()
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
