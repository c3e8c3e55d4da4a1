"""What a drone does without going anywhere: speeds, gaze, photos, video, fence; in a mission or by command."""

from typing import Final, Protocol

from console.demo.autopilot.body import Body, Place
from console.demo.autopilot.camera import Camera
from console.demo.autopilot.numbers import Do, Result, Severity
from console.demo.autopilot.parameters import Parameters
from telemetry.model.mission_items import MissionItem

CLIMB_SPEED: Final = 2
SINK_SPEED: Final = 3
HARMLESS: Final = frozenset(
    {Do.SET_RELAY, Do.SET_SERVO, Do.LAND_START, Do.SET_CAMERA_MODE, Do.SET_CAMERA_ZOOM, Do.SET_CAMERA_FOCUS}
)
"""Taken, and nothing is seen of them here."""


class Deeds(Protocol):
    """What does them: the craft."""

    body: Body
    camera: Camera
    parameters: Parameters
    home: Place
    heading_deg: float | None
    speed_mps: float
    up_mps: float
    down_mps: float

    def place_of(self, item: MissionItem) -> Place:
        """Return where an item is."""

    def say(self, severity: Severity, text: str) -> None:
        """Tell the ground."""


def do(craft: Deeds, item: MissionItem) -> Result:
    """Do what an item says at once; UNSUPPORTED for what is none of these."""
    first = item.param1 or 0.0
    match item.command:
        case Do.CHANGE_SPEED:
            return _change_speed(craft, item)
        case Do.CONDITION_YAW:
            _turn(craft, item)
        case Do.ROI_LOCATION | Do.ROI:
            craft.camera.roi = craft.place_of(item) if item.lat_e7 or item.lon_e7 else None
        case Do.ROI_NONE:
            craft.camera.roi = None
        case Do.GIMBAL_PITCH_YAW | Do.MOUNT_CONTROL:
            craft.camera.pitch_deg = first
        case Do.FENCE_ENABLE:
            craft.parameters.note("FENCE_ENABLE", float(first > 0.0))
        case Do.SET_HOME:
            craft.home = craft.body.place if first == 1.0 else craft.place_of(item)
        case _:
            return _picture(craft, item)
    return Result.ACCEPTED


def _picture(craft: Deeds, item: MissionItem) -> Result:
    camera = craft.camera
    match item.command:
        case Do.TRIGGER_DISTANCE:
            camera.trigger_each(item.param1 or 0.0)
        case Do.DIGICAM_CONTROL:
            camera.take(craft.body.place, craft.body.height_m)
        case Do.IMAGE_START:
            camera.take_many(item.param2 or 0.0, round(item.param3 or 0.0))
        case Do.IMAGE_STOP:
            camera.end_photos()
        case Do.VIDEO_START | Do.VIDEO_STOP:
            camera.is_recording = item.command == Do.VIDEO_START
        case _:
            return Result.ACCEPTED if item.command in HARMLESS else Result.UNSUPPORTED
    return Result.ACCEPTED


def _change_speed(craft: Deeds, item: MissionItem) -> Result:
    speed_mps = item.param2 or 0.0
    if speed_mps <= 0.0:
        return Result.DENIED
    match round(item.param1 or 0.0):
        case kind if kind == CLIMB_SPEED:
            craft.up_mps = speed_mps
        case kind if kind == SINK_SPEED:
            craft.down_mps = speed_mps
        case _:
            craft.speed_mps = speed_mps
    return Result.ACCEPTED


def _turn(craft: Deeds, item: MissionItem) -> None:
    """Turn to a heading, or by so many degrees where param 4 says "relative"; param 3 is the way round."""
    angle_deg = item.param1 or 0.0
    if item.param4:
        angle_deg = craft.body.heading_deg + (-1.0 if (item.param3 or 0.0) < 0.0 else 1.0) * angle_deg
    craft.heading_deg = angle_deg % 360.0
