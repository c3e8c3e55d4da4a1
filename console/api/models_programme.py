"""The JSON of a programme: its items as `mission.model` has them, with what the console keeps beside them."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from mission.formats.untrusted import Said
from mission.model import (
    Airframe,
    Battery,
    Camera,
    Crew,
    Dock,
    Programme,
    Recurrence,
    Task,
    Weather,
    Window,
    Zone,
)
from mission.plan import Refusal
from mission.programme_items import KIND_OF_FIELD, ItemKind
from mission.sketch import Sketch
from telemetry.model.datum import Crs

__all__ = [
    "Airframe",
    "Battery",
    "Camera",
    "Crew",
    "Dock",
    "Programme",
    "Recurrence",
    "Task",
    "Weather",
    "Window",
    "Zone",
]

Id = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]


class ItemList(StrEnum):
    """The lists of a programme."""

    TASKS = "tasks"
    ZONES = "zones"
    AIRFRAMES = "airframes"
    DOCKS = "docks"
    BATTERIES = "batteries"
    CREWS = "crews"
    WEATHER = "weather"

    @property
    def kind(self) -> ItemKind:
        """What stands in the list."""
        return KIND_OF_FIELD[self.value]


class RuleView(msgspec.Struct, frozen=True, kw_only=True):
    """A rule in force with its values as they hold; `level` among them is refuse, warn or off."""

    rule_id: str
    name_zh: str
    name_en: str
    source: str
    source_zh: str
    values: dict[str, float | str | bool]


class RuleSetView(msgspec.Struct, frozen=True, kw_only=True):
    """A rule set that may be chosen."""

    name: str
    name_zh: str
    name_en: str
    source: str
    source_zh: str


class ProgrammeReply(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for, with what, and the rules. WGS-84.

    `version` is that of zone, holidays and rules; `versions` those of the items by their list and number, such as
    {"tasks": {"7": 2}}; `weather_ids` the numbers of `programme.weather`, in its order; `station_ids` whose items are a
    station's, by list and number. `is_managed`: whether the account may change what is the whole force's.
    """

    programme: Programme
    version: int
    versions: dict[str, dict[str, int]]
    station_ids: dict[str, dict[str, int]]
    weather_ids: list[int]
    rule_set: str
    rule_sets: list[RuleSetView]
    rules: list[RuleView]
    is_managed: bool


class ItemWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An item as it shall be: a Task, Zone, Airframe, Dock, Battery, Crew or Weather by the list that it is sent to.

    Its places are in `crs`, its number is not looked at. `station_id`: whose it is; null: the whole force's, or the station's
    of an account that has one alone; an airframe's and a battery's is their dock's. With `version` it must still be of it.
    """

    item: Any
    crs: Crs = Crs.WGS84
    station_id: Id | None = None
    version: Id | None = None


class WeatherWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Weather: as an `item`, or the text of a METAR, SPECI or TAF, which is read."""

    item: Any = None
    metar: Annotated[str, msgspec.Meta(max_length=3000)] | None = None
    station_id: Id | None = None


class ItemReply(msgspec.Struct, frozen=True, kw_only=True):
    """An item as it is kept, in WGS-84, with its number and version, and what is to be said of it."""

    item_id: int
    item: Any
    version: int
    warnings: list[Refusal]


class ItemGoneReply(msgspec.Struct, frozen=True, kw_only=True):
    """An item that was taken away."""

    item_id: int


class SettingWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall hold for the whole programme: the time zone of its days, public holidays, rule set and what differs from it."""

    zone: str
    holidays: list[date] = []
    rule_set: str = "default"
    rules: dict[str, dict[str, float | str | bool]] = {}
    version: Id | None = None


class CheckWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An item that is being drawn, to be looked at and not kept: `kind` is the list that it would be sent to.

    `item_id` of one that is changed; `day` (in the programme's zone; the 24 hours from now on if left out) is when it is looked at.
    """

    kind: ItemList = ItemList.TASKS
    item: Any
    item_id: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 0
    crs: Crs = Crs.WGS84
    day: date | None = None


class CheckReply(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said of it; `preview` of a task that can be flown, with the airframe that would fly it."""

    refusals: list[Refusal]
    preview: Sketch | None


class ImportReply(msgspec.Struct, frozen=True, kw_only=True):
    """What a file brought, or (`is_kept` false: a dry run, or a refusal that is no warning) would bring.

    How many items are new to the programme (`added`), otherwise than when a file of this name brought them (`changed`), and
    there already (`unchanged`); `programme` holds them all. `notes` says of everything in the file that was left out what and
    where it was.
    """

    is_kept: bool
    added: int
    changed: int
    unchanged: int
    refusals: list[Refusal]
    notes: list[Said]
    programme: Programme
