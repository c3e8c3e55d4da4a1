"""MAVLink's and ArduCopter's numbers that the autopilot speaks in."""

from enum import IntEnum, IntFlag
from typing import Final

COMPONENT_ID: Final = 1
QUADROTOR: Final = 2
ARDUPILOT: Final = 3
STANDBY: Final = 3
ACTIVE: Final = 4
CRITICAL_STATE: Final = 5
ARMED_FLAG: Final = 0x80
GUIDED_FLAG: Final = 0x08
STABILIZE_FLAG: Final = 0x10
CUSTOM_FLAG: Final = 0x01
FORCE_ARMING: Final = 2989
"""Param 2 of an arming command that skips the checks."""
FORCE_DISARMING: Final = 21196
"""Param 2 of a disarming command that stops the motors even in the air."""


class CopterMode(IntEnum):
    """ArduCopter's modes that this autopilot flies."""

    STABILIZE = 0
    ALT_HOLD = 2
    AUTO = 3
    GUIDED = 4
    LOITER = 5
    RTL = 6
    LAND = 9
    POSHOLD = 16
    BRAKE = 17


class Severity(IntEnum):
    """MAV_SEVERITY of a STATUSTEXT."""

    CRITICAL = 2
    ERROR = 3
    WARNING = 4
    NOTICE = 5
    INFO = 6


class Result(IntEnum):
    """MAV_RESULT of a command."""

    ACCEPTED = 0
    TEMPORARILY_REJECTED = 1
    DENIED = 2
    UNSUPPORTED = 3
    FAILED = 4


class Landed(IntEnum):
    """MAV_LANDED_STATE."""

    ON_GROUND = 1
    IN_AIR = 2
    TAKEOFF = 3
    LANDING = 4


class MissionState(IntEnum):
    """MISSION_STATE, as MISSION_CURRENT tells it."""

    NO_MISSION = 1
    NOT_STARTED = 2
    ACTIVE = 3
    PAUSED = 4
    COMPLETE = 5


class MissionResult(IntEnum):
    """MAV_MISSION_RESULT of a transfer."""

    ACCEPTED = 0
    UNSUPPORTED_FRAME = 2
    UNSUPPORTED = 3
    NO_SPACE = 4
    INVALID = 5
    INVALID_PARAM1 = 6
    INVALID_LAT = 10
    INVALID_LON = 11
    INVALID_ALT = 12
    INVALID_SEQUENCE = 13
    DENIED = 14
    CANCELLED = 15


class Nav(IntEnum):
    """MAV_CMD that the drone is busy with until it is done."""

    WAYPOINT = 16
    LOITER_UNLIMITED = 17
    LOITER_TURNS = 18
    LOITER_TIME = 19
    RETURN = 20
    LAND = 21
    TAKEOFF = 22
    SPLINE = 82
    DELAY = 93


class Do(IntEnum):
    """MAV_CMD that is done on the way."""

    CONDITION_DELAY = 112
    CONDITION_DISTANCE = 114
    CONDITION_YAW = 115
    SET_MODE = 176
    JUMP = 177
    CHANGE_SPEED = 178
    SET_HOME = 179
    SET_RELAY = 181
    SET_SERVO = 183
    LAND_START = 189
    REPOSITION = 192
    PAUSE_CONTINUE = 193
    ROI_LOCATION = 195
    ROI_NONE = 197
    ROI = 201
    DIGICAM_CONTROL = 203
    MOUNT_CONTROL = 205
    TRIGGER_DISTANCE = 206
    FENCE_ENABLE = 207
    MISSION_CURRENT = 224
    MISSION_START = 300
    ARM_DISARM = 400
    GET_HOME = 410
    MESSAGE_INTERVAL_OF = 510
    SET_MESSAGE_INTERVAL = 511
    REQUEST_MESSAGE = 512
    REQUEST_PROTOCOL_VERSION = 519
    REQUEST_CAPABILITIES = 520
    SET_CAMERA_MODE = 530
    SET_CAMERA_ZOOM = 531
    SET_CAMERA_FOCUS = 532
    GIMBAL_PITCH_YAW = 1000
    IMAGE_START = 2000
    IMAGE_STOP = 2001
    VIDEO_START = 2500
    VIDEO_STOP = 2501


class FenceItem(IntEnum):
    """MAV_CMD of fence and rally items."""

    RETURN_POINT = 5000
    POLYGON_INSIDE = 5001
    POLYGON_OUTSIDE = 5002
    CIRCLE_INSIDE = 5003
    CIRCLE_OUTSIDE = 5004
    RALLY = 5100


class Breach(IntFlag):
    """What of the fence is broken, by the bits of FENCE_TYPE."""

    NONE = 0
    MAX_ALT = 1
    CIRCLE = 2
    POLYGON = 4


class Capability(IntFlag):
    """MAV_PROTOCOL_CAPABILITY of this autopilot."""

    MISSION_FLOAT = 1
    PARAM_FLOAT = 2
    MISSION_INT = 4
    COMMAND_INT = 8
    SET_POSITION_TARGET_GLOBAL_INT = 256
    FLIGHT_TERMINATION = 2048
    MISSION_FENCE = 16384
    MISSION_RALLY = 32768
    MAVLINK2 = 8192
    PARAM_ENCODE_C_CAST = 131072


MSL_FRAMES: Final = frozenset({0, 5})
HOME_FRAMES: Final = frozenset({3, 6})
TERRAIN_FRAMES: Final = frozenset({10, 11})
"""The ground is flat here: they mean the same as above home."""
PLACELESS_FRAME: Final = 2
