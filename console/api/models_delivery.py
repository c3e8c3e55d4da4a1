"""The JSON of officers' own pages and of duty statuses: what is said beside the tasks themselves."""

from enum import StrEnum

import msgspec

from telemetry.model.unit import DutyStatus


class DutyByHand(StrEnum):
    """The duty statuses that people set; the others follow from tasks."""

    OFF_DUTY = "off_duty"
    STANDBY = "standby"
    FREE = "free"


class KeptReply(msgspec.Struct, frozen=True, kw_only=True):
    """What was reported is on the disk. `ignored` says what of it could not be understood and was left out."""

    kept: bool = True
    ignored: list[str] = []


class SetDuty(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On or off duty."""

    duty_status: DutyByHand


class UnitDutyReply(msgspec.Struct, frozen=True, kw_only=True):
    """A unit's duty status as it stands after the request."""

    unit_id: int
    duty_status: DutyStatus
