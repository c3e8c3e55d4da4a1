"""What terminals say of themselves and of their drivers: registration, authentication, attributes, the driver's card."""

from typing import Final, NamedTuple

from telemetry.sources.jt808.codes import GBK, TIME_BYTES, text_of, unix_s_of_time
from telemetry.sources.jt808.frame import Frame

LONGEST_2011_BYTES: Final = 36
"""A registration that is not longer has the 2011 edition's short model."""
PLATE_COLOURS: Final = {0: "none", 1: "blue", 2: "yellow", 3: "black", 4: "white", 5: "green", 9: "other"}
CARD_IN: Final = 1
CARD_OUT: Final = 2
CARD_READ: Final = 0
CARD_CODE_BYTES: Final = 20
OLD_CODE_BYTES: Final = 40


class Registration(NamedTuple):
    """What a terminal tells before it is known; `plate` is the vehicle's number on it, or a VIN for one without."""

    province: int
    city: int
    maker: str
    model: str
    terminal_id: str
    plate_colour: str
    plate: str

    def hint(self) -> str:
        """Return what helps a person to recognise the terminal."""
        said = {"maker": self.maker, "model": self.model, "id": self.terminal_id, "plate": self.plate}
        return ", ".join(f"{name} {_printable(value)}" for name, value in said.items() if value)


class Attributes(NamedTuple):
    """What a terminal answers about itself, by name."""

    fields: dict[str, str]


class DriverCard(NamedTuple):
    """A driver's card in or out of the reader; `at_s` is Unix seconds as if the time were UTC, None when untold."""

    is_in: bool
    is_read: bool
    at_s: int | None
    name: str = ""
    card: str = ""
    agency: str = ""


def read_registration(frame: Frame) -> Registration | None:
    """Return a registration's fields, the edition found by form and length; None when it is too short for any."""
    body = frame.body
    old = (5, 8, 7) if len(body) <= LONGEST_2011_BYTES else (5, 20, 7)
    sizes = (11, 30, 30) if frame.form.is_2019 else old
    if len(body) < 4 + sizes[0]:
        return None
    texts, at = [], 4
    for size in sizes:
        texts.append(text_of(body[at : at + size]))
        at += size
    colour = PLATE_COLOURS.get(body[at], str(body[at])) if at < len(body) else ""
    maker, model, terminal_id = texts
    plate = text_of(body[at + 1 :])
    return Registration(int.from_bytes(body[:2]), int.from_bytes(body[2:4]), maker, model, terminal_id, colour, plate)


def codes_of(frame: Frame) -> list[bytes]:
    """Return what may be the code of an authentication: editions before 2019 fill the body with it, and flags lie.

    A NUL ends it, and blanks around it are none of it: terminals pad their buffers with either.
    """
    body = frame.body
    said = [body]
    if body and body[0] < len(body):
        said.append(body[1 : 1 + body[0]])
    return [code.partition(b"\0")[0].strip() for code in said]


def read_authentication(frame: Frame) -> dict[str, str]:
    """Return what a terminal of the 2019 edition adds to its code: IMEI and software version. Never the code."""
    body = frame.body
    if not frame.form.is_2019 or not body or len(body) < body[0] + 36:
        return {}
    at = body[0] + 1
    said = {"imei": text_of(body[at : at + 15]), "software": text_of(body[at + 15 : at + 35])}
    return {name: value for name, value in said.items() if value}


def read_attributes(frame: Frame) -> Attributes | None:
    """Return a terminal's attributes; None when they are too short for maker, model and id."""
    body = frame.body
    new = (5, 30, 30) if _is_short_maker(body) else (11, 30, 30)
    sizes = new if frame.form.is_2019 else (5, 20, 7)
    if len(body) < 2 + sum(sizes):
        return None
    fields = {"terminal_type": f"0x{body[:2].hex()}"}
    at = 2
    for name, size in zip(("maker", "model", "terminal_id"), sizes, strict=True):
        fields[name] = text_of(body[at : at + size])
        at += size
    fields["iccid"] = body[at : at + 10].hex()
    at += 10
    for name in ("hardware", "firmware"):
        if at < len(body):
            fields[name] = text_of(body[at + 1 : at + 1 + body[at]])
            at += 1 + body[at]
    for name in ("gnss_bits", "communication_bits"):
        if at < len(body):
            fields[name] = f"0x{body[at]:02x}"
            at += 1
    return Attributes({name: value for name, value in fields.items() if value})


def _is_short_maker(body: bytes) -> bool:
    """Tell whether the strings behind the short form's fixed fields fill the body exactly: some 2019 terminals use it."""
    at = 2 + 5 + 30 + 30 + 10
    for _ in range(2):
        if at >= len(body):
            return False
        at += 1 + body[at]
    return at + 2 == len(body)


def read_driver_card(body: bytes) -> DriverCard | None:
    """Return who put a card into the reader or took it out; None when it is neither this nor the 2011 edition's form.

    Fields that are missing are empty.
    """
    if len(body) < 1 + TIME_BYTES or body[0] not in (CARD_IN, CARD_OUT):
        return _old_driver_card(body)
    at_s = unix_s_of_time(body[1 : 1 + TIME_BYTES])
    is_in = body[0] == CARD_IN
    at = 1 + TIME_BYTES
    if not is_in or len(body) <= at:
        return DriverCard(is_in, is_read=not is_in, at_s=at_s)
    is_read = body[at] == CARD_READ
    name, at = _counted_text(body, at + 1)
    card = text_of(body[at : at + CARD_CODE_BYTES])
    agency, _ = _counted_text(body, at + CARD_CODE_BYTES)
    return DriverCard(is_in, is_read, at_s, name, card, agency)


def _old_driver_card(body: bytes) -> DriverCard | None:
    """Return who drives as the 2011 edition says it: name, identity number, qualification, agency; no time, no taking out."""
    name, at = _counted_text(body, 0)
    card_at = at + CARD_CODE_BYTES
    if not name or len(body) < card_at + OLD_CODE_BYTES:
        return None
    card = text_of(body[card_at : card_at + OLD_CODE_BYTES])
    agency, _ = _counted_text(body, card_at + OLD_CODE_BYTES)
    return DriverCard(is_in=True, is_read=True, at_s=None, name=name, card=card, agency=agency)


def _counted_text(body: bytes, at: int) -> tuple[str, int]:
    """Return the text whose length stands before it, and where it ends."""
    if at >= len(body):
        return "", at
    end = at + 1 + body[at]
    return text_of(body[at + 1 : end]), end


def _printable(text: str) -> str:
    shown = "".join(sign if sign.isprintable() else "?" for sign in text)
    return shown.encode(GBK, "replace").decode(GBK)[:40]
