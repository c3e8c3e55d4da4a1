"""A terminal's settings by name: number, width and meaning of each, as the standards pin them."""

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

from telemetry.model.errors import InputError
from telemetry.sources.jt808.codes import bytes_of_text, text_of
from telemetry.sources.jt808.frame import LONGEST_BODY_BYTES

LONGEST_VALUE_BYTES: Final = 255
MOST_SETTINGS: Final = 255
"""So many one message can count."""

HIDDEN: Final = "***"
"""What is shown of a password that a terminal tells."""


class Width(Enum):
    """How a value is written: an unsigned number of 1, 2 or 4 bytes, or GBK text."""

    BYTE = 1
    WORD = 2
    DWORD = 4
    TEXT = 0


class Parameter(NamedTuple):
    """One setting; numbers are in the unit that its name ends in."""

    number: int
    name: str
    width: Width = Width.DWORD


_ALL: Final = (
    Parameter(0x0001, "heartbeat_s"),
    Parameter(0x0002, "tcp_reply_timeout_s"),
    Parameter(0x0003, "tcp_retries"),
    Parameter(0x0004, "udp_reply_timeout_s"),
    Parameter(0x0005, "udp_retries"),
    Parameter(0x0006, "sms_reply_timeout_s"),
    Parameter(0x0007, "sms_retries"),
    Parameter(0x0010, "apn", Width.TEXT),
    Parameter(0x0011, "apn_user", Width.TEXT),
    Parameter(0x0012, "apn_password", Width.TEXT),
    Parameter(0x0013, "server", Width.TEXT),
    Parameter(0x0014, "backup_apn", Width.TEXT),
    Parameter(0x0015, "backup_apn_user", Width.TEXT),
    Parameter(0x0016, "backup_apn_password", Width.TEXT),
    Parameter(0x0017, "backup_server", Width.TEXT),
    Parameter(0x0018, "tcp_port"),
    Parameter(0x0019, "udp_port"),
    Parameter(0x001A, "card_server", Width.TEXT),
    Parameter(0x001B, "card_tcp_port"),
    Parameter(0x001C, "card_udp_port"),
    Parameter(0x001D, "backup_card_server", Width.TEXT),
    Parameter(0x0020, "report_by"),
    Parameter(0x0021, "report_plan"),
    Parameter(0x0022, "no_driver_report_s"),
    Parameter(0x0023, "second_apn", Width.TEXT),
    Parameter(0x0024, "second_apn_user", Width.TEXT),
    Parameter(0x0025, "second_apn_password", Width.TEXT),
    Parameter(0x0026, "second_server", Width.TEXT),
    Parameter(0x0027, "sleep_report_s"),
    Parameter(0x0028, "emergency_report_s"),
    Parameter(0x0029, "report_s"),
    Parameter(0x002C, "report_m"),
    Parameter(0x002D, "no_driver_report_m"),
    Parameter(0x002E, "sleep_report_m"),
    Parameter(0x002F, "emergency_report_m"),
    Parameter(0x0030, "corner_deg"),
    Parameter(0x0031, "geofence_radius_m", Width.WORD),
    Parameter(0x0040, "platform_phone", Width.TEXT),
    Parameter(0x0041, "reset_phone", Width.TEXT),
    Parameter(0x0042, "factory_phone", Width.TEXT),
    Parameter(0x0043, "platform_sms_phone", Width.TEXT),
    Parameter(0x0044, "alarm_sms_phone", Width.TEXT),
    Parameter(0x0045, "answer_by"),
    Parameter(0x0046, "longest_call_s"),
    Parameter(0x0047, "longest_calls_month_s"),
    Parameter(0x0048, "listen_phone", Width.TEXT),
    Parameter(0x0049, "supervisor_sms_phone", Width.TEXT),
    Parameter(0x0050, "alarm_mask_bits"),
    Parameter(0x0051, "alarm_sms_bits"),
    Parameter(0x0052, "alarm_photo_bits"),
    Parameter(0x0053, "alarm_photo_store_bits"),
    Parameter(0x0054, "alarm_key_bits"),
    Parameter(0x0055, "highest_speed_kmh"),
    Parameter(0x0056, "overspeed_after_s"),
    Parameter(0x0057, "longest_drive_s"),
    Parameter(0x0058, "longest_drive_day_s"),
    Parameter(0x0059, "shortest_rest_s"),
    Parameter(0x005A, "longest_stop_s"),
    Parameter(0x005B, "overspeed_warning_below_dkmh", Width.WORD),
    Parameter(0x005C, "fatigue_warning_before_s", Width.WORD),
    Parameter(0x005D, "collision_bits", Width.WORD),
    Parameter(0x005E, "rollover_deg", Width.WORD),
    Parameter(0x0064, "photo_by_time_bits"),
    Parameter(0x0065, "photo_by_distance_bits"),
    Parameter(0x0070, "picture_quality"),
    Parameter(0x0071, "brightness"),
    Parameter(0x0072, "contrast"),
    Parameter(0x0073, "saturation"),
    Parameter(0x0074, "chroma"),
    Parameter(0x0080, "odometer_hm"),
    Parameter(0x0081, "province", Width.WORD),
    Parameter(0x0082, "city", Width.WORD),
    Parameter(0x0083, "plate", Width.TEXT),
    Parameter(0x0084, "plate_colour", Width.BYTE),
    Parameter(0x0090, "satellite_systems", Width.BYTE),
    Parameter(0x0091, "satellite_baud_rate", Width.BYTE),
    Parameter(0x0092, "satellite_output_rate", Width.BYTE),
    Parameter(0x0093, "satellite_sample_s"),
    Parameter(0x0094, "satellite_upload_by", Width.BYTE),
    Parameter(0x0095, "satellite_upload_every"),
    Parameter(0x0100, "can1_sample_ms"),
    Parameter(0x0101, "can1_upload_s", Width.WORD),
    Parameter(0x0102, "can2_sample_ms"),
    Parameter(0x0103, "can2_upload_s", Width.WORD),
)
BY_NAME: Final = {parameter.name: parameter for parameter in _ALL}
BY_NUMBER: Final = {parameter.number: parameter for parameter in _ALL}
REPORT_INTERVAL: Final = BY_NAME["report_s"]


def read_parameters(body: bytes, at: int) -> dict[str, str]:
    """Return the settings in `body[at:]` by name; a number that the standards lack, or a width that is not its own, stays hexadecimal.

    Passwords are not repeated.
    """
    values: dict[str, str] = {}
    while at + 5 <= len(body) and len(values) < MOST_SETTINGS:
        number, size = int.from_bytes(body[at : at + 4]), body[at + 4]
        value = body[at + 5 : at + 5 + size]
        if len(value) < size:
            break
        known = BY_NUMBER.get(number)
        if known is not None and known.width is Width.TEXT:
            values[known.name] = HIDDEN if known.name.endswith("password") else text_of(value)
        elif known is not None and size == known.width.value:
            values[known.name] = str(int.from_bytes(value))
        else:
            values[f"0x{number:04x}"] = value.hex()
        at += 5 + size
    return values


def write_parameters(values: Mapping[str, str]) -> bytes:
    """Return the body of a message that sets these settings.

    Raises InputError for a name or value that is none; "0x0110" with hexadecimal digits sets what has no name.
    """
    if not 1 <= len(values) <= LONGEST_VALUE_BYTES:
        raise InputError(f"{len(values)} settings: give 1 to {LONGEST_VALUE_BYTES}")
    body = bytes([len(values)])
    for name, said in values.items():
        number, value = _value_of(name, said)
        body += number.to_bytes(4) + bytes([len(value)]) + value
    if len(body) > LONGEST_BODY_BYTES:
        raise InputError(f"the settings take {len(body)} bytes: give at most {LONGEST_BODY_BYTES} in one go")
    return body


def _value_of(name: str, said: str) -> tuple[int, bytes]:
    known = BY_NAME.get(name)
    if known is None:
        return _raw_value(name, said)
    if known.width is Width.TEXT:
        value = bytes_of_text(said)
        if len(value) > LONGEST_VALUE_BYTES:
            raise InputError(f"setting {name}: {len(value)} bytes of text, at most {LONGEST_VALUE_BYTES} are allowed")
        return known.number, value
    highest = 256**known.width.value - 1
    if not said.strip().isascii() or not said.strip().isdigit() or int(said) > highest:
        raise InputError(f"setting {name} = {said[:40]!r}: give a whole number from 0 to {highest}")
    return known.number, int(said).to_bytes(known.width.value)


def _raw_value(name: str, said: str) -> tuple[int, bytes]:
    try:
        number, value = int(name.removeprefix("0x"), 16), bytes.fromhex(said)
    except ValueError:
        names = ", ".join(BY_NAME)
        raise InputError(
            f"setting {name[:40]!r} = {said[:40]!r}: give one of {names}, or a number as 0x0110 with hexadecimal digits"
        ) from None
    if number > 0xFFFF_FFFF or len(value) > LONGEST_VALUE_BYTES:
        raise InputError(f"setting {name[:40]!r}: numbers have 4 bytes, values at most {LONGEST_VALUE_BYTES}")
    return number, value
