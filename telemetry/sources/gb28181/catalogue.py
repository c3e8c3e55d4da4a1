"""A device's channels: the parts of its Catalog answer, joined by SN until all are there or 10 s of silence."""

from typing import Final
from xml.etree.ElementTree import Element

from telemetry.model.events import DeviceInfo
from telemetry.sources.gb28181.manscdp import Document, text_of
from telemetry.sources.gb28181.names import is_camera
from telemetry.sources.gb28181.session import Catalogue, Session
from telemetry.sources.gb28181.turn import Turn

SILENCE_US: Final = 10_000_000
MOST_JOINED: Final = 4
MOST_CHANNELS: Final = 1_024
MOST_TOLD: Final = 64
LONGEST_FIELD: Final = 80


def take_part(session: Session, document: Document, now_us: int, turn: Turn) -> None:
    """Join one part; tell the channels when all have come."""
    joined = session.catalogues.get(document.sn)
    if joined is None:
        while len(session.catalogues) >= MOST_JOINED:
            _tell(session, next(iter(session.catalogues)), now_us, turn)
        joined = session.catalogues[document.sn] = Catalogue(channels={}, total=0, due_us=0)
    total = document.text("SumNum")
    joined.total = int(total) if total.isdecimal() and len(total) < 7 else joined.total
    joined.due_us = now_us + SILENCE_US
    for item in document.items():
        channel = text_of(item, "DeviceID")[:LONGEST_FIELD]
        if channel and len(joined.channels) < MOST_CHANNELS:
            joined.channels[channel] = _said_of(item)
    if len(joined.channels) >= joined.total:
        _tell(session, document.sn, now_us, turn)


def tell_due(session: Session, now_us: int, turn: Turn) -> None:
    """Tell the channels of answers whose rest did not come."""
    for sn in [sn for sn, joined in session.catalogues.items() if now_us >= joined.due_us]:
        turn.bad["catalogue_incomplete"] += 1
        _tell(session, sn, now_us, turn)


def _tell(session: Session, sn: str, now_us: int, turn: Turn) -> None:
    joined = session.catalogues.pop(sn)
    session.first_channel = next((channel for channel in joined.channels if is_camera(channel)), "")
    told = dict(list(joined.channels.items())[:MOST_TOLD])
    turn.events.append(
        DeviceInfo(
            device_id=session.device.device_id,
            observed_us=now_us,
            received_us=now_us,
            fields={"channels": str(len(joined.channels)), **{f"channel {name}": said for name, said in told.items()}},
        )
    )


def _said_of(item: Element) -> str:
    said = [text_of(item, name) for name in ("Name", "Manufacturer", "Model", "Status")]
    return " · ".join(word for word in said if word)[:LONGEST_FIELD]
