"""DJI's numbers of its aircraft and cameras, as its WPML reference lists them."""

import re
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from mission.model import Airframe, Camera, Task
from mission.patterns.footprint import camera_of
from mission.plan import CameraAction, Sortie
from telemetry.model.errors import InputError

DRONES: Final = {
    "M350": (89, 0),
    "M300": (60, 0),
    "M30": (67, 0),
    "M30T": (67, 1),
    "M3E": (77, 0),
    "M3T": (77, 1),
    "M3M": (77, 2),
    "M3D": (91, 0),
    "M3TD": (91, 1),
}
"""Model: droneEnumValue, droneSubEnumValue."""
PAYLOADS: Final = {
    "H20": 42,
    "H20T": 43,
    "H20N": 61,
    "H30": 82,
    "H30T": 83,
    "P1": 50,
    "M30": 52,
    "M30T": 53,
    "M3E": 66,
    "M3T": 67,
    "M3M": 68,
    "M3D": 80,
    "M3TD": 81,
    "PSDK": 65534,
}
"""Camera, or the model that it is built into: payloadEnumValue."""
LENSES: Final = {"wide": "wide", "zoom": "zoom", "thermal": "ir", "multispectral": "narrow_band"}
"""A camera's kind: payloadLensIndex."""
_LONG_NAMES: Final = (
    *(("MATRICE", "M"), ("MAVIC", "M"), ("DOCK", ""), ("DJI", ""), ("RTK", "")),
    *(("ENTERPRISE", "E"), ("THERMAL", "T"), ("MULTISPECTRAL", "M")),
)


def drone_of(airframe: Airframe) -> tuple[int, int]:
    """Return the numbers of an airframe's model. Raises InputError for one that the list does not have."""
    found = DRONES.get(_short(airframe.model))
    if found is None:
        what, zh = (
            (f"is of model {airframe.model!r}", f"机型为“{airframe.model}”")
            if airframe.model
            else ("has no model", "没有填机型")
        )
        raise InputError(
            f"airframe {airframe.name!r} {what}: give it the `model` that it is, of those DJI files are written for: {', '.join(DRONES)}",
            f"航空器“{airframe.name}”{zh}：请填写其实际机型，大疆文件支持 {', '.join(DRONES)}",
        )
    return found


def payload_of(airframe: Airframe, camera: Camera | None) -> int:
    """Return the number of the camera that is carried, as its name or one of the airframe's says; else the model's own."""
    named = [PAYLOADS.get(_short(one.name)) for one in (camera, *airframe.cameras) if one is not None]
    own = PAYLOADS.get(_short(airframe.model), PAYLOADS["PSDK"])
    return next((number for number in named if number is not None), own)


def lenses_of(sortie: Sortie, airframe: Airframe, tasks: Sequence[Task]) -> tuple[str, ...]:
    """Return the payloadLensIndex of each waypoint: of the camera that its task asks for, on the way that of the task it leads to.

    A film is ended by the lens that it was begun with. Empty where the camera's kind is none of DJI's. Raises InputError for a camera that the airframe has not.
    """
    wanted = {task.task_id: task.camera for task in tasks}
    there = list(accumulate((one.task_id for one in reversed(sortie.waypoints)), _known))[::-1]
    asked = accumulate(there, _known)
    lenses = [LENSES.get(camera_of(airframe, wanted.get(one or 0, "")).kind, "") for one in asked]
    films = ""
    for number, waypoint in enumerate(sortie.waypoints):
        if waypoint.action is CameraAction.START_VIDEO:
            films = lenses[number]
        elif waypoint.action is CameraAction.STOP_VIDEO:
            lenses[number] = films or lenses[number]
    return tuple(lenses)


def _known(before: int | None, now: int | None) -> int | None:
    return before if now is None else now


def _short(name: str) -> str:
    """Return a model's short name: "DJI Matrice 350 RTK" is M350, "Mavic 3 Enterprise" M3E, "m3td" M3TD."""
    upper = name.upper()
    for long, short in _LONG_NAMES:
        upper = upper.replace(long, short)
    return re.sub(r"[^A-Z0-9]", "", upper)
