"""The requests of a camera at the other end: REGISTER, MESSAGE and NOTIFY, each with a Via of its own."""

import msgspec

from telemetry.sources.gb28181.camera_bodies import CameraPlan
from telemetry.sources.gb28181.digest import write_answer
from telemetry.sources.gb28181.identifiers import Identifiers
from telemetry.sources.gb28181.sip import MANSCDP, write


class Dialog(msgspec.Struct, kw_only=True):
    """The server's subscription to positions, as the camera keeps it; times are UTC microseconds."""

    call_id: str
    local: str
    remote: str
    target: str
    event: str = ""
    cseq: int = 0
    until_us: int = 0
    interval_us: int = 0


class CameraWriter:
    """Writes the requests of one camera."""

    def __init__(self, plan: CameraPlan, identifiers: Identifiers) -> None:
        self._plan = plan
        self._identifiers = identifiers
        self._cseq = 0
        self._server = f"sip:{plan.server_id}@{plan.realm}"
        self._own = f"<sip:{plan.address}@{plan.realm}>"
        self.contact = f"sip:{plan.address}@{plan.local_host}:{plan.local_port}"

    def register(self, call_id: str, challenge: dict[str, str] | None, *, expires_s: int) -> tuple[str, bytes]:
        """Return (branch, bytes) of a REGISTER, with the answer to a challenge where there is one."""
        self._cseq += 1
        headers = [
            ("From", f"{self._own};tag={self._identifiers.make()}"),
            ("To", self._own),
            ("Call-ID", call_id),
            ("CSeq", f"{self._cseq} REGISTER"),
            ("Contact", f"<{self.contact}>"),
            ("Expires", str(expires_s)),
        ]
        if challenge is not None:
            answer = write_answer(
                challenge,
                username=self._plan.address,
                password=self._plan.password,
                method="REGISTER",
                uri=self._server,
                cnonce=self._identifiers.make(),
            )
            headers.append(("Authorization", answer))
        return self._write("REGISTER", self._server, headers, b"")

    def message(self, body: bytes) -> tuple[str, bytes]:
        """Return (branch, bytes) of a MESSAGE."""
        headers = [
            ("From", f"{self._own};tag={self._identifiers.make()}"),
            ("To", f"<{self._server}>"),
            ("Call-ID", self._identifiers.make()),
            ("CSeq", "20 MESSAGE"),
            ("Content-Type", MANSCDP),
        ]
        return self._write("MESSAGE", self._server, headers, body)

    def notify(self, dialog: Dialog, body: bytes, now_us: int) -> tuple[str, bytes]:
        """Return (branch, bytes) of the next NOTIFY of a subscription."""
        dialog.cseq += 1
        left_s = max(dialog.until_us - now_us, 0) // 1_000_000
        headers = [
            ("From", dialog.local),
            ("To", dialog.remote),
            ("Call-ID", dialog.call_id),
            ("CSeq", f"{dialog.cseq} NOTIFY"),
            ("Contact", f"<{self.contact}>"),
            ("Event", dialog.event),
            ("Subscription-State", f"active;expires={left_s}"),
            ("Content-Type", MANSCDP),
        ]
        return self._write("NOTIFY", dialog.target, headers, body)

    def _write(self, method: str, uri: str, headers: list[tuple[str, str]], body: bytes) -> tuple[str, bytes]:
        branch = self._identifiers.branch()
        here = f"{self._plan.local_host}:{self._plan.local_port}"
        via = f"SIP/2.0/{self._plan.transport.upper()} {here};rport;branch={branch}"
        return branch, write(f"{method} {uri} SIP/2.0", [("Via", via), *headers, ("Max-Forwards", "70")], body)
