"""Names of GB/T 28181: the protocol's in the registry, and the ids of devices, 20 digits that say what they are."""

import re
from typing import Final

from telemetry.model.enrolment import EnrolmentRule, SecretKind

PROTOCOL: Final = "gb28181"
ID_FORM: Final = r"[0-9]{14,20}"
ENROLMENT: Final = EnrolmentRule(
    protocol=PROTOCOL,
    secret=SecretKind.PASSWORD,
    form=ID_FORM,
    example="44010200491320000001",
    said="the device's 20-digit id",
)
PLATFORM_TYPES: Final = frozenset({"200", "215", "216"})
"""Types (digits 11 to 13) of what speaks for devices in many places: servers, groups, organisations."""
CAMERA_TYPES: Final = frozenset({"131", "132"})
_ADDRESS: Final = re.compile(ID_FORM)
_TYPE_AT: Final = slice(10, 13)


def is_address(text: str) -> bool:
    """Tell whether this has the form of a device's id: 20 digits by the standard, from 14 on in the field."""
    return _ADDRESS.fullmatch(text) is not None


def is_platform(address: str) -> bool:
    """Tell whether an id is that of a platform, whose channels are other devices in other places."""
    return address[_TYPE_AT] in PLATFORM_TYPES


def is_camera(address: str) -> bool:
    """Tell whether an id is that of a camera, as most channels are: what video can be asked of."""
    return address[_TYPE_AT] in CAMERA_TYPES
