"""The messages of JT/T 808 by number and name; which of them a platform understands, and general replies."""

import struct
from enum import IntEnum
from typing import Final

TERMINAL_REPLY: Final = 0x0001
HEARTBEAT: Final = 0x0002
LOGOUT: Final = 0x0003
QUERY_TIME: Final = 0x0004
RESEND_FROM_US: Final = 0x0005
REGISTER: Final = 0x0100
AUTHENTICATE: Final = 0x0102
PARAMETERS: Final = 0x0104
ATTRIBUTES: Final = 0x0107
POSITION: Final = 0x0200
POSITION_ANSWER: Final = 0x0201
VEHICLE_ANSWER: Final = 0x0500
BATCH: Final = 0x0704
DRIVER_CARD: Final = 0x0702
TRANSPARENT: Final = 0x0900
FIRST_OF_PLATFORM: Final = 0x8000
PLATFORM_REPLY: Final = 0x8001
RESEND: Final = 0x8003
TIME: Final = 0x8004
REGISTER_REPLY: Final = 0x8100
SET_PARAMETERS: Final = 0x8103
QUERY_PARAMETERS: Final = 0x8104
QUERY_SOME_PARAMETERS: Final = 0x8106
QUERY_ATTRIBUTES: Final = 0x8107
ASK_POSITION: Final = 0x8201
TRACK: Final = 0x8202
CONFIRM_ALARM: Final = 0x8203
TEXT: Final = 0x8300
OPEN_VIDEO: Final = 0x9101
CONTROL_VIDEO: Final = 0x9102

IN_PARTS: Final = frozenset({POSITION, POSITION_ANSWER, BATCH, PARAMETERS, ATTRIBUTES, DRIVER_CARD, TRANSPARENT})
"""The messages that are put together when they come in parts; parts of others are answered one by one."""

NAMES: Final = {
    0x0001: "terminal_reply",
    0x0002: "heartbeat",
    0x0003: "logout",
    0x0004: "query_time",
    0x0005: "resend_request",
    0x0100: "register",
    0x0102: "authenticate",
    0x0104: "parameters",
    0x0107: "attributes",
    0x0108: "upgrade_result",
    0x0200: "position",
    0x0201: "position_answer",
    0x0301: "event_report",
    0x0302: "question_answer",
    0x0303: "information_order",
    0x0304: "information_message",
    0x0500: "vehicle_control_answer",
    0x0700: "recorder_data",
    0x0701: "waybill",
    0x0702: "driver_card",
    0x0704: "position_batch",
    0x0705: "can_data",
    0x0800: "multimedia_event",
    0x0801: "multimedia_data",
    0x0802: "multimedia_list",
    0x0805: "photo_answer",
    0x0900: "transparent",
    0x0901: "compressed",
    0x0A00: "terminal_rsa_key",
    0x1003: "video_attributes",
    0x1005: "passenger_count",
    0x1205: "recording_list",
    0x1206: "file_upload_done",
    0x1210: "alarm_attachments",
    0x1211: "attachment_file",
    0x1212: "attachment_done",
    0x8001: "platform_reply",
    0x8003: "resend_request",
    0x8004: "time",
    0x8100: "register_reply",
    0x8103: "set_parameters",
    0x8104: "query_parameters",
    0x8105: "terminal_control",
    0x8106: "query_some_parameters",
    0x8107: "query_attributes",
    0x8108: "upgrade",
    0x8201: "ask_position",
    0x8202: "track",
    0x8203: "confirm_alarm",
    0x8204: "link_check",
    0x8300: "text",
    0x8301: "set_events",
    0x8302: "question",
    0x8303: "set_information_menu",
    0x8304: "information",
    0x8400: "call_back",
    0x8401: "set_phone_book",
    0x8500: "vehicle_control",
    0x8600: "set_circles",
    0x8601: "delete_circles",
    0x8602: "set_rectangles",
    0x8603: "delete_rectangles",
    0x8604: "set_polygons",
    0x8605: "delete_polygons",
    0x8606: "set_routes",
    0x8607: "delete_routes",
    0x8700: "recorder_command",
    0x8702: "ask_driver_card",
    0x8800: "multimedia_reply",
    0x8801: "take_photo",
    0x8802: "search_multimedia",
    0x8803: "upload_multimedia",
    0x8804: "record_sound",
    0x8900: "transparent_down",
    0x8A00: "platform_rsa_key",
    0x9003: "query_video_attributes",
    0x9101: "open_video",
    0x9102: "control_video",
    0x9105: "video_status",
    0x9201: "play_recording",
    0x9202: "control_playback",
    0x9205: "query_recordings",
    0x9206: "upload_file",
    0x9207: "control_upload",
    0x9208: "upload_attachments",
    0x9212: "attachment_reply",
}


class Result(IntEnum):
    """What a general reply says became of a message."""

    DONE = 0
    FAILED = 1
    WRONG = 2
    UNSUPPORTED = 3
    ALARM_TAKEN = 4


class Registered(IntEnum):
    """What the reply to a registration says."""

    DONE = 0
    VEHICLE_REGISTERED = 1
    VEHICLE_UNKNOWN = 2
    TERMINAL_REGISTERED = 3
    TERMINAL_UNKNOWN = 4


_REPLY: Final = struct.Struct(">HHB")


def reply_body(serial: int, msg_id: int, result: int) -> bytes:
    """Return the body of a general reply, of either side, to the message with this serial and number."""
    return _REPLY.pack(serial, msg_id, result)


def read_reply(body: bytes) -> tuple[int, int, int] | None:
    """Return (serial, message number, result) of a general reply; None when it is too short."""
    return _REPLY.unpack_from(body) if len(body) >= _REPLY.size else None


def name_of(msg_id: int) -> str:
    """Return a message's English name; one that the standards do not have is called by its number."""
    return NAMES.get(msg_id) or f"message_{msg_id:04x}"
