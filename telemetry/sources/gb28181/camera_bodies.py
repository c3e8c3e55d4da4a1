"""What a camera says: the MANSCDP bodies of the camera at the other end."""

from collections.abc import Sequence
from typing import Final

import msgspec

from telemetry.model.unit import CHINA_OFFSET_S
from telemetry.sources.gb28181.fixes import KMH_PER_MPS, write_time
from telemetry.sources.gb28181.manscdp import Document, write_document

SOS_METHOD: Final = "2"
"""AlarmMethod of the SOS key of a body-worn camera: an alarm of the device, without a type of its own."""


class CameraPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Which camera: its 20-digit id and password, the server's id and realm, how it is reached and how it behaves.

    `uses_list` writes positions in the list form of edition 2022 (many fixes in one message); `is_unsolicited` reports by
    MESSAGE without being asked. `seed` makes its identifiers other ones after a restart.
    """

    address: str
    password: str
    server_id: str
    realm: str
    channel: str = ""
    transport: str = "udp"
    local_host: str = "127.0.0.1"
    local_port: int = 5060
    expires_s: int = 3600
    keepalive_s: float = 60.0
    utc_offset_s: int = CHINA_OFFSET_S
    uses_list: bool = False
    is_unsolicited: bool = False
    seed: int = 0


class CameraFix(msgspec.Struct, frozen=True, kw_only=True):
    """Where the camera was, and when (UTC microseconds, whole seconds are said)."""

    observed_us: int
    lat_deg: float
    lon_deg: float
    speed_mps: float = 0.0
    course_deg: float = 0.0
    alt_msl_m: float = 0.0


def keepalive_body(plan: CameraPlan, sn: int) -> bytes:
    """Return the sign of life."""
    fields = [("CmdType", "Keepalive"), ("SN", str(sn)), ("DeviceID", plan.address), ("Status", "OK")]
    return write_document("Notify", fields)


def position_body(plan: CameraPlan, sn: int, fixes: Sequence[CameraFix]) -> bytes:
    """Return one MobilePosition: the single form for one fix, unless the plan says the list form."""
    head = [("CmdType", "MobilePosition"), ("SN", str(sn)), ("DeviceID", plan.address)]
    if not plan.uses_list and len(fixes) == 1:
        return write_document("Notify", [*head, *_fields_of(plan, fixes[0], "Time")])
    items = [[("DeviceID", plan.address), *_fields_of(plan, fix, "CaptureTime")] for fix in fixes]
    return write_list("Notify", [*head, ("SumNum", str(len(items)))], items)


def alarm_body(plan: CameraPlan, sn: int, fix: CameraFix, *, method: str = SOS_METHOD, kind: str = "") -> bytes:
    """Return an Alarm; `kind` is its AlarmType, "" for none."""
    fields = [
        ("CmdType", "Alarm"),
        ("SN", str(sn)),
        ("DeviceID", plan.address),
        ("AlarmPriority", "1"),
        ("AlarmMethod", method),
        ("AlarmTime", write_time(fix.observed_us, utc_offset_s=plan.utc_offset_s)),
        ("Longitude", f"{fix.lon_deg:.6f}"),
        ("Latitude", f"{fix.lat_deg:.6f}"),
    ]
    return write_document("Notify", [*fields, ("Info/AlarmType", kind)] if kind else fields)


def answer_body(plan: CameraPlan, query: Document) -> bytes | None:
    """Return what the camera answers to a Query or a Control, None where nothing is to be said."""
    head = [("CmdType", query.command), ("SN", query.sn), ("DeviceID", query.device)]
    match query.root, query.command:
        case "Query", "Catalog":
            item = [
                ("DeviceID", plan.channel or plan.address),
                ("Name", "执法记录仪"),
                ("Manufacturer", "skybeat"),
                ("Model", "twin"),
                ("Status", "ON"),
            ]
            return write_list("Response", [*head, ("SumNum", "1")], [item])
        case "Query", "DeviceInfo":
            said = [
                ("Result", "OK"),
                ("Manufacturer", "skybeat"),
                ("Model", "twin"),
                ("Firmware", "1"),
                ("Channel", "1"),
            ]
            return write_document("Response", [*head, *said])
        case "Query", "DeviceStatus":
            return write_document("Response", [*head, ("Result", "OK"), ("Online", "ONLINE"), ("Status", "OK")])
        case "Control", _:
            return write_document("Response", [*head, ("Result", "OK")])
        case _:
            return None


def media_of(offer: bytes) -> str | None:
    """Return where an SDP offer wants video, as host:port; None when it does not say."""
    lines = offer.decode("utf-8", "replace").splitlines()
    host = next((line.split()[-1] for line in lines if line.startswith("c=")), "")
    port = next((line.split()[1] for line in lines if line.startswith("m=video ")), "")
    return f"{host}:{port}" if host and port else None


def answer_sdp(plan: CameraPlan, offer: bytes) -> bytes:
    """Return the SDP answer that takes an offer as it is."""
    lines = offer.decode("utf-8", "replace").splitlines()
    own = f"o={plan.address} 0 0 IN IP4 {plan.local_host}"
    lines = [own if line.startswith("o=") else line.replace("a=recvonly", "a=sendonly") for line in lines]
    return "\r\n".join([*lines, ""]).encode()


def write_list(root: str, head: Sequence[tuple[str, str]], items: Sequence[Sequence[tuple[str, str]]]) -> bytes:
    """Return a body with a DeviceList of items."""
    listed = "".join(f"<Item>{''.join(f'<{name}>{text}</{name}>' for name, text in item)}</Item>" for item in items)
    body = write_document(root, head).decode("gb18030")
    closing = f"</{root}>"
    return body.replace(closing, f'<DeviceList Num="{len(items)}">{listed}</DeviceList>\r\n{closing}').encode("gb18030")


def _fields_of(plan: CameraPlan, fix: CameraFix, time: str) -> list[tuple[str, str]]:
    return [
        (time, write_time(fix.observed_us, utc_offset_s=plan.utc_offset_s)),
        ("Longitude", f"{fix.lon_deg:.7f}"),
        ("Latitude", f"{fix.lat_deg:.7f}"),
        ("Speed", f"{fix.speed_mps * KMH_PER_MPS:.2f}"),
        ("Direction", f"{fix.course_deg:.1f}"),
        ("Altitude", f"{fix.alt_msl_m:.1f}"),
    ]
