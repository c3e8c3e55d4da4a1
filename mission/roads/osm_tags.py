"""What the tags of an OpenStreetMap way or barrier mean for the police: class, who may pass in which direction, speed, names."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from mission.roads.graph import (
    ACCESS_ALL,
    ACCESS_BICYCLE,
    ACCESS_CAR,
    ACCESS_EMERGENCY,
    ACCESS_FOOT,
    ACCESS_MOTORCYCLE,
    CLASS_LOCAL,
    CLASS_MOTORWAY,
    CLASS_PATH,
    CLASS_PRIMARY,
    CLASS_SECONDARY,
    CLASS_SERVICE,
    CLASS_SPEED_MPS,
    CLASS_STEPS,
    CLASS_TERTIARY,
    CLASS_TRUNK,
)

Tags: TypeAlias = Mapping[str, str]

_MOTOR: Final = ACCESS_CAR | ACCESS_MOTORCYCLE | ACCESS_EMERGENCY
_SLOW: Final = ACCESS_BICYCLE | ACCESS_FOOT
_NAME_LENGTH: Final = 60


class WayRule(NamedTuple):
    """What a way is: its class, who may use it along and against its direction, its speed (m/s) and its names.

    The direction is the order of its nodes, but where `is_reversed` says so the opposite.
    """

    road_class: int
    access: int
    back_access: int
    is_reversed: bool
    speed_mps: float
    is_oneway: bool
    is_bridge: bool
    is_tunnel: bool
    name_zh: str
    name_en: str


_HIGHWAYS: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        "motorway": (CLASS_MOTORWAY, _MOTOR),
        "trunk": (CLASS_TRUNK, ACCESS_ALL),
        "primary": (CLASS_PRIMARY, ACCESS_ALL),
        "secondary": (CLASS_SECONDARY, ACCESS_ALL),
        "tertiary": (CLASS_TERTIARY, ACCESS_ALL),
        "motorway_link": (CLASS_MOTORWAY, _MOTOR),
        "trunk_link": (CLASS_TRUNK, ACCESS_ALL),
        "primary_link": (CLASS_PRIMARY, ACCESS_ALL),
        "secondary_link": (CLASS_SECONDARY, ACCESS_ALL),
        "tertiary_link": (CLASS_TERTIARY, ACCESS_ALL),
        "unclassified": (CLASS_LOCAL, ACCESS_ALL),
        "residential": (CLASS_LOCAL, ACCESS_ALL),
        "road": (CLASS_LOCAL, ACCESS_ALL),
        "living_street": (CLASS_SERVICE, ACCESS_ALL),
        "service": (CLASS_SERVICE, ACCESS_ALL),
        "busway": (CLASS_LOCAL, ACCESS_EMERGENCY),
        "track": (CLASS_PATH, ACCESS_ALL),
        "pedestrian": (CLASS_PATH, _SLOW | ACCESS_EMERGENCY),
        "cycleway": (CLASS_PATH, _SLOW),
        "path": (CLASS_PATH, _SLOW),
        "trail": (CLASS_PATH, ACCESS_FOOT),
        "footway": (CLASS_PATH, ACCESS_FOOT),
        "bridleway": (CLASS_PATH, ACCESS_FOOT),
        "corridor": (CLASS_PATH, ACCESS_FOOT),
        "steps": (CLASS_STEPS, ACCESS_FOOT),
    }
)
"""The class of each value of `highway` and who may use it when no other tag speaks."""

_OPEN: Final = frozenset(
    {
        *("yes", "permissive", "designated", "official", "public", "1", "true", "discouraged"),
        *("destination", "customers", "delivery", "permit", "residents", "private", "agricultural", "forestry"),
    }
)
"""What is open to some is open to the police on duty: private grounds and field tracks too."""
_BLUE_LIGHT_ONLY: Final = frozenset({"emergency", "police", "military", "psv", "bus", "hov", "service", "staff"})
_CLOSED: Final = frozenset(["no", "use_sidepath", "dismount", "none", "0", "false", "restricted", "prohibited"])
_LAYERS: Final = (
    ("access", ACCESS_ALL & ~ACCESS_EMERGENCY),
    ("vehicle", ACCESS_CAR | ACCESS_MOTORCYCLE | ACCESS_BICYCLE),
    ("motor_vehicle", ACCESS_CAR | ACCESS_MOTORCYCLE),
    ("motorcar", ACCESS_CAR),
    ("motorcycle", ACCESS_MOTORCYCLE),
    ("bicycle", ACCESS_BICYCLE),
    ("foot", ACCESS_FOOT),
    ("emergency", ACCESS_EMERGENCY),
)
"""The keys that say who may pass, the general before the special, and about whom each speaks."""

_ONEWAY_YES: Final = frozenset({"yes", "true", "1"})
_ONEWAY_NO: Final = frozenset({"no", "false", "0", "alternating"})
_ONEWAY_BACK: Final = frozenset({"-1", "reverse"})


def is_road(tags: Tags) -> bool:
    """Tell whether a way is a road or path; squares, platforms and roads that are being built are none."""
    return tags.get("highway", "") in _HIGHWAYS and tags.get("area") != "yes"


def rule_of(tags: Tags) -> WayRule | None:
    """Return what a road (see `is_road`) is for the police, None when nobody may use it."""
    road_class, usual = _HIGHWAYS[tags["highway"]]
    allowed = _allowed(tags, usual)
    if not allowed:
        return None
    access, back_access, is_oneway = _directions(tags, allowed)
    name_zh, name_en = names_of(tags)
    return WayRule(
        road_class,
        access,
        back_access,
        tags.get("oneway", "") in _ONEWAY_BACK,
        _speed_mps(tags, road_class),
        is_oneway,
        tags.get("bridge", "no") != "no",
        tags.get("tunnel", "no") not in {"no", "building_passage"},
        name_zh,
        name_en,
    )


def _allowed(tags: Tags, usual: int) -> int:
    """Return who may use the way in at least one direction."""
    bits = usual
    if tags.get("motorroad") == "yes":
        bits &= ~_SLOW
    for key, about in _LAYERS:
        value = tags.get(key)
        if value is None:
            continue
        if value in _OPEN:
            bits |= 0 if key == "access" else about
        elif value in _CLOSED:
            bits = _closed(bits, key, about)
        elif value in _BLUE_LIGHT_ONLY:
            motor = about & (ACCESS_CAR | ACCESS_MOTORCYCLE)
            bits = (bits & ~motor) | (ACCESS_EMERGENCY if motor & usual else 0)
    if usual & ACCESS_CAR and (tags.get("bus") in _OPEN or tags.get("psv") in _OPEN):
        bits |= ACCESS_EMERGENCY
    return bits & ACCESS_FOOT if usual == ACCESS_FOOT and tags["highway"] == "steps" else bits


def _closed(bits: int, key: str, about: int) -> int:
    """Take the bits away; a ban for vehicles leaves blue lights (the law exempts them), a ban for all does not."""
    return bits & ~about & ~(ACCESS_EMERGENCY if key == "access" else 0)


def _directions(tags: Tags, allowed: int) -> tuple[int, int, bool]:
    """Return who may go along the direction, who against it, and whether the way is one-way for cars.

    A road whose direction changes with the hour is open to blue lights, bicycles and walkers only.
    """
    oneway = tags.get("oneway", "")
    if oneway == "reversible":
        waiting = allowed & ~(ACCESS_CAR | ACCESS_MOTORCYCLE)
        waiting |= ACCESS_EMERGENCY if allowed & ACCESS_CAR else 0
        return waiting, waiting, False
    implied = tags.get("junction") in {"roundabout", "circular"} or tags.get("highway") == "motorway"
    if oneway in _ONEWAY_YES or oneway in _ONEWAY_BACK or (implied and oneway not in _ONEWAY_NO):
        return allowed, _against(tags, allowed), True
    if tags.get("oneway:bicycle") == "yes":
        return allowed, allowed & ~ACCESS_BICYCLE, False
    return allowed, allowed, False


def _against(tags: Tags, allowed: int) -> int:
    """Return who may go against a one-way street: walkers, and those whom a tag excepts (bus lanes carry the police)."""
    bits = ACCESS_FOOT
    sides = [tags.get(f"cycleway{side}", "") for side in ("", ":left", ":right", ":both")]
    lanes = [tags.get(f"cycleway:{side}:oneway", "") for side in ("left", "right", "both")]
    excepted = tags.get("oneway:bicycle") == "no" or "no" in lanes or "-1" in lanes
    if excepted or any(side.startswith("opposite") for side in sides):
        bits |= ACCESS_BICYCLE
    if tags.get("oneway:motorcycle") == "no":
        bits |= ACCESS_MOTORCYCLE
    if "no" in {tags.get(f"oneway:{who}") for who in ("emergency", "bus", "psv")}:
        bits |= ACCESS_EMERGENCY
    return bits & allowed


_BOLLARDS: Final = frozenset(
    ["bollard", "block", "jersey_barrier", "planter", "bus_trap", "sump_buster", "debris", "log", "rope", "spikes"]
)
_GATES: Final = frozenset(
    ["gate", "lift_gate", "swing_gate", "sliding_gate", "sliding_beam", "chain", "wicket_gate", "hampshire_gate"]
)
_NARROW: Final = frozenset(["cycle_barrier", "motorcycle_barrier", "barrier", "chicane"])
_STILES: Final = frozenset(["stile", "turnstile", "full-height_turnstile", "kissing_gate", "horse_stile", "step"])
_WALLS: Final = frozenset(
    ["wall", "fence", "hedge", "retaining_wall", "city_wall", "ditch", "guard_rail", "cable_barrier"]
)


def blocked_by(tags: Tags) -> int:
    """Return the access bits that cannot pass a barrier on a road; the police may pass gates, nobody drives over bollards."""
    kind = tags.get("barrier", "")
    if kind in _BOLLARDS:
        blocked = ACCESS_CAR | ACCESS_EMERGENCY
    elif kind in _NARROW:
        blocked = _MOTOR
    elif kind in _STILES or kind in _WALLS:
        blocked = _MOTOR | ACCESS_BICYCLE
    elif kind in _GATES:
        is_shut = tags.get("locked") == "yes" or tags.get("access") == "no"
        blocked = ACCESS_CAR | ACCESS_MOTORCYCLE if is_shut else 0
    else:
        return 0
    for key, about in _LAYERS[1:]:
        value = tags.get(key)
        if value in _OPEN:
            blocked &= ~about
        elif value in _CLOSED:
            blocked |= about
    return blocked


_LIMIT: Final = re.compile(r"^(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|mph|knots)?$")
_UNITS_KMH: Final[Mapping[str, float]] = MappingProxyType({"mph": 1.609344, "knots": 1.852})
_USUAL_LIMIT_KMH: Final[Mapping[int, float]] = MappingProxyType(
    {
        CLASS_MOTORWAY: 110.0,
        CLASS_TRUNK: 80.0,
        CLASS_PRIMARY: 60.0,
        CLASS_SECONDARY: 50.0,
        CLASS_TERTIARY: 50.0,
        CLASS_LOCAL: 40.0,
    }
)
_HINT_RATIO: Final = (0.6, 1.3)


def _speed_mps(tags: Tags, road_class: int) -> float:
    """Return the class's speed, moved by a posted limit that is unusual for the class (by 0.6 at least, 1.3 at most)."""
    usual = _USUAL_LIMIT_KMH.get(road_class)
    limit = _LIMIT.match(tags.get("maxspeed", "").strip().lower())
    if usual is None or limit is None:
        return CLASS_SPEED_MPS[road_class]
    limit_kmh = float(limit[1]) * _UNITS_KMH.get(limit[2] or "", 1.0)
    return CLASS_SPEED_MPS[road_class] * min(max(limit_kmh / usual, _HINT_RATIO[0]), _HINT_RATIO[1])


_CHINESE: Final = re.compile("[\u3400-\u9fff]")


def names_of(tags: Tags) -> tuple[str, str]:
    """Return the Chinese and the English name; where only one of them or only a number is known, it serves as both."""
    plain = tags.get("name", "")
    is_chinese = bool(_CHINESE.search(plain))
    name_zh = tags.get("name:zh") or tags.get("name:zh-Hans") or (plain if is_chinese else "")
    name_en = tags.get("name:en") or tags.get("int_name") or ("" if is_chinese else plain)
    name_en = name_en or tags.get("name:zh_pinyin") or tags.get("name:zh-Latn-pinyin") or ""
    other = plain or tags.get("ref", "")
    name_zh, name_en = name_zh or name_en or other, name_en or name_zh or other
    return name_zh[:_NAME_LENGTH], name_en[:_NAME_LENGTH]
