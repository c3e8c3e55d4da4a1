"""The JSON of what people decide about alarms: to whom one is handed over, and what became of it."""

from typing import Annotated

import msgspec

from console.wire import Role

Note = Annotated[str, msgspec.Meta(max_length=500)]


class HandOverAlarm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who shall own the alarm, and what they must know."""

    account_id: Annotated[int, msgspec.Meta(ge=1)]
    note: Note = ""


class CloseAlarm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of it."""

    note: Note = ""


class AlarmOwner(msgspec.Struct, frozen=True, kw_only=True):
    """An account that may own alarms."""

    account_id: int
    name: str
    role: Role


class AlarmOwnersReply(msgspec.Struct, frozen=True, kw_only=True):
    """Accounts to which an alarm may be handed over."""

    owners: list[AlarmOwner]
