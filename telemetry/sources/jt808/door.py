"""The door: registration and authentication of terminals that have not proved who they are on this connection."""

import hashlib
import hmac
from typing import Final, NamedTuple

import msgspec

from telemetry.model.decoding import PairedFact, Peer, RegistrationFact, Registry
from telemetry.model.enrolment import is_allowed
from telemetry.model.unit import Device
from telemetry.sources.jt808 import messages as m
from telemetry.sources.jt808.bodies import Registration, codes_of, read_authentication, read_registration
from telemetry.sources.jt808.frame import Frame, write
from telemetry.sources.jt808.speaker import Serials, Speaker
from telemetry.sources.jt808.turn import Turn

PROTOCOL: Final = "jt808"
WRONG_CODES_AT_MOST: Final = 5
UNPROVEN_AT_MOST: Final = 100
REGISTRATIONS_AT_MOST: Final = 20
REMEMBERED_US: Final = 6 * 3_600_000_000
"""So long after it was heard last an address of datagrams needs no new authentication: terminals cannot see us restart."""
RENEWED_US: Final = 3_600_000_000


class Proof(NamedTuple):
    """A device that has just shown its secret, and what it said of itself on its way in."""

    device: Device
    secret: bytes
    fields: dict[str, str]


class Door:
    """Hears the unproven: answers their registrations and authentications, refuses all else, closes on who insists."""

    def __init__(self, registry: Registry, peer: Peer, serials: Serials) -> None:
        self._registry = registry
        self._peer = peer
        self._serials = serials
        self._wrong_codes = 0
        self._unproven = 0
        self._registrations = 0
        self._told: dict[bytes, dict[str, str]] = {}

    def hear(self, frame: Frame, address: str, turn: Turn) -> Proof | None:
        """Answer a frame of an unproven terminal; return the device when it has just proved itself."""
        device = self._registry.device(PROTOCOL, address)
        if not frame.checksum_fits and (device is None or not device.options.ignores_checksum):
            turn.bad["checksum"] += 1
            return None
        if frame.msg_id == m.REGISTER and frame.parts == 0:
            self._register(frame, address, device, turn)
            return None
        if frame.msg_id == m.AUTHENTICATE and frame.parts == 0:
            return self._authenticate(frame, address, device, turn)
        turn.bad["unproven"] += 1
        self._unproven += 1
        if device is None:
            self._registry.quarantine(PROTOCOL, address, turn.now_us, "unknown terminal")
        if frame.msg_id < m.FIRST_OF_PLATFORM:
            self._reply(frame, m.Result.FAILED, turn)
        if self._unproven >= UNPROVEN_AT_MOST:
            turn.close = f"{self._unproven} messages without authentication"
        return None

    def hear_again(self, frame: Frame, speaker: Speaker, turn: Turn) -> None:
        """Answer a proven terminal that registers or authenticates once more: it stays what it is.

        Some register every minute, and report nothing after a refusal: they are told the code that they have just shown here.
        """
        if frame.msg_id == m.REGISTER:
            self._register_reply(frame, m.Registered.DONE, speaker.secret or b"", turn)
            return
        is_right = speaker.secret is None or _is_among(codes_of(frame), speaker.secret)
        self._reply(frame, m.Result.DONE if is_right else m.Result.FAILED, turn)
        if not is_right:
            self._count_wrong(turn)

    def remembers(self, frame: Frame, address: str, now_us: int) -> Proof | None:
        """Return the device of a datagram whose address it proved to be its own not long ago, with the code that it still has."""
        device = self._registry.device(PROTOCOL, address)
        if self._peer.transport != "udp" or device is None or frame.msg_id in (m.REGISTER, m.AUTHENTICATE):
            return None
        said = self._registry.registration(device.device_id)
        secret = self._registry.secret(device.device_id)
        if said is None or secret is None or now_us >= said.expires_us or self._reason_against(device, secret, hint=""):
            return None
        if (said.transport, said.host, said.port) != ("udp", self._peer.host, self._peer.port):
            return None
        is_sealed = hmac.compare_digest(said.contact, self._seal(secret))
        return Proof(device, secret, {}) if is_sealed and frame.checksum_fits else None

    def renewal(self, speaker: Speaker, now_us: int) -> RegistrationFact | None:
        """Return what lets a datagram's address be remembered, None on connections and when it is remembered long enough."""
        if self._peer.transport != "udp" or speaker.secret is None or now_us < speaker.renewed_us + RENEWED_US:
            return None
        speaker.renewed_us = now_us
        return RegistrationFact(
            device_id=speaker.device.device_id,
            transport="udp",
            host=self._peer.host,
            port=self._peer.port,
            contact=self._seal(speaker.secret),
            expires_us=now_us + REMEMBERED_US,
        )

    def farewell(self, speaker: Speaker, now_us: int) -> list[RegistrationFact]:
        """Return what lets the address of a terminal that logs out be forgotten."""
        speaker.renewed_us = now_us - RENEWED_US
        fact = self.renewal(speaker, now_us)
        return [] if fact is None else [msgspec.structs.replace(fact, contact="", expires_us=0)]

    def _seal(self, secret: bytes) -> str:
        """Return what binds an address to the device's secret of now: a new secret ends what was remembered."""
        place = f"jt808 udp {self._peer.host} {self._peer.port}"
        return hmac.new(secret, place.encode(), hashlib.sha256).hexdigest()

    def _register(self, frame: Frame, address: str, device: Device | None, turn: Turn) -> None:
        registration = read_registration(frame)
        if registration is None:
            turn.bad["length"] += 1
            self._register_reply(frame, m.Registered.TERMINAL_UNKNOWN, b"", turn)
            return
        self._registrations += 1
        if self._registrations >= REGISTRATIONS_AT_MOST:
            turn.close = f"{self._registrations} registrations on one connection"
        secret = None if device is None else self._registry.secret(device.device_id)
        reason = self._reason_against(device, secret, hint=registration.hint())
        if reason or device is None or secret is None:
            turn.bad["refused"] += 1
            self._registry.quarantine(PROTOCOL, address, turn.now_us, reason)
            self._register_reply(frame, m.Registered.TERMINAL_UNKNOWN, b"", turn)
        elif not self._registry.may_pair(device.device_id, turn.now_us):
            turn.bad["registered_already"] += 1
            self._registry.quarantine(
                PROTOCOL, address, turn.now_us, "registers again without its code: rotate its secret"
            )
            self._register_reply(frame, m.Registered.TERMINAL_REGISTERED, b"", turn)
        else:
            self._told[frame.form.terminal] = _fields_of(registration)
            self._register_reply(frame, m.Registered.DONE, secret, turn)

    def _authenticate(self, frame: Frame, address: str, device: Device | None, turn: Turn) -> Proof | None:
        secret = None if device is None else self._registry.secret(device.device_id)
        reason = self._reason_against(device, secret, hint="")
        codes = codes_of(frame)
        is_right = _is_among(codes, secret or b"")  # compared for unknown terminals too: the time it takes says nothing
        if reason or device is None or secret is None or not is_right:
            reason = reason or "wrong authentication code"
            self._registry.quarantine(PROTOCOL, address, turn.now_us, reason)
            self._reply(frame, m.Result.FAILED, turn)
            self._count_wrong(turn)
            return None
        if self._registry.may_pair(device.device_id, turn.now_us):
            turn.facts.append(PairedFact(device_id=device.device_id))
        self._reply(frame, m.Result.DONE, turn)
        return Proof(device, secret, self._told.pop(frame.form.terminal, {}) | read_authentication(frame))

    def _reason_against(self, device: Device | None, secret: bytes | None, *, hint: str) -> str:
        if device is None:
            return f"unknown terminal: {hint}" if hint else "unknown terminal"
        if device.revoked:
            return "revoked terminal"
        if not is_allowed(self._peer.host, device.options.allowed_hosts):
            return "speaks from an address that is not allowed"
        return "" if secret else "has no code: rotate it"

    def _count_wrong(self, turn: Turn) -> None:
        turn.bad["wrong_code"] += 1
        self._wrong_codes += 1
        if self._wrong_codes >= WRONG_CODES_AT_MOST:
            turn.close = f"{self._wrong_codes} wrong authentication codes"

    def _reply(self, frame: Frame, result: m.Result, turn: Turn) -> None:
        body = m.reply_body(frame.serial, frame.msg_id, result)
        turn.now.append(write(m.PLATFORM_REPLY, body, frame.form, self._serials.take()))

    def _register_reply(self, frame: Frame, result: m.Registered, secret: bytes, turn: Turn) -> None:
        body = frame.serial.to_bytes(2) + bytes([result]) + secret
        turn.now.append(write(m.REGISTER_REPLY, body, frame.form, self._serials.take()))


def _is_among(codes: list[bytes], secret: bytes) -> bool:
    """Tell whether one of the codes is the secret, in a time that does not say how much of it is right."""
    found = [hmac.compare_digest(code, secret) for code in codes]
    return bool(secret) and any(found)


def _fields_of(registration: Registration) -> dict[str, str]:
    fields = {
        "maker": registration.maker,
        "model": registration.model,
        "terminal_id": registration.terminal_id,
        "plate": registration.plate,
        "plate_colour": registration.plate_colour if registration.plate else "",
    }
    return {name: value for name, value in fields.items() if value}
