"""Which rules there are and which values each of them has: kinds and ranges; what the values are stands in the rule sets."""

import re
from typing import Final, NamedTuple, TypeAlias

from telemetry.model.errors import InputError

RuleValue: TypeAlias = float | str | bool


class Number(NamedTuple):
    """A number between two bounds, both included."""

    lowest: float
    highest: float

    def check(self, value: RuleValue) -> RuleValue | None:
        """Return the value as a float; None where it is none within the bounds."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if self.lowest <= value <= self.highest else None

    def __str__(self) -> str:
        return f"{self.lowest:g} to {self.highest:g}"


class Choice(NamedTuple):
    """One of some words."""

    words: tuple[str, ...]

    def check(self, value: RuleValue) -> RuleValue | None:
        """Return the word; None where it is none of them. YAML reads an unquoted `off` as false."""
        word = "off" if value is False and "off" in self.words else value
        return word if word in self.words else None

    def __str__(self) -> str:
        return ", ".join(self.words)


class Truth(NamedTuple):
    """Yes or no."""

    def check(self, value: RuleValue) -> RuleValue | None:
        """Return the value; None where it is neither."""
        return value if isinstance(value, bool) else None

    def __str__(self) -> str:
        return "true, false"


class Text(NamedTuple):
    """Words of a form that `pattern` tells."""

    pattern: str
    form: str

    def check(self, value: RuleValue) -> RuleValue | None:
        """Return the text; None where it is of another form."""
        return value if isinstance(value, str) and re.fullmatch(self.pattern, value) else None

    def __str__(self) -> str:
        return self.form


Meaning: TypeAlias = Number | Choice | Truth | Text

LEVELS: Final = ("refuse", "warn", "off")
LINK_LOSS_ACTIONS: Final = ("return", "hold", "land", "continue")
_LEVEL: Final = Choice(LEVELS)
_BORDER: Final = Choice(("civil", "sun"))
_LIMIT: Final[dict[str, Meaning]] = {"limit_ratio": Number(0.1, 1.0)}
_CLOCK: Final = Text(r"([01]\d|2[0-3]):[0-5]\d", "a time of day like 12:00")
_WORDS: Final = Text(r".{1,200}", "1 to 200 letters")

VALUES: Final[dict[str, dict[str, Meaning]]] = {
    "R-01": {
        "most_agl_m": Number(1, 10_000),
        "micro_most_agl_m": Number(1, 10_000),
        "approved_most_agl_m": Number(1, 20_000),
    },
    "R-02": {"least_agl_m": Number(0, 1000)},
    "R-03": {"margin_m": Number(0, 5000)},
    "R-04": {
        "apply_days_before": Number(0, 30),
        "apply_until": _CLOCK,
        "authority_zh": _WORDS,
        "authority_en": _WORDS,
        "is_crowd_approved": Truth(),
        "is_network_link_approved": Truth(),
    },
    "R-05": {
        "margin_m": Number(0, 2000),
        "height_m": Number(0, 500),
        "margin_s": Number(0, 3600),
        "layer_m": Number(1, 500),
        "most_layer_count": Number(0, 20),
    },
    "R-06": {"micro_empty_kg": Number(0, 10), "most_empty_kg": Number(0, 10_000), "most_takeoff_kg": Number(0, 10_000)},
    "R-07": {"least_ratio": Number(0, 0.9)},
    "R-08": {"action": Choice(LINK_LOSS_ACTIONS), "after_s": Number(1, 600)},
    "R-09": {"most_away_m": Number(10, 500_000)},
    "R-11": _LIMIT,
    "R-12": _LIMIT,
    "R-13": {"most_mmph": Number(0, 200), "rainproof_most_mmph": Number(0, 200)},
    "R-14": {"least_m": Number(0, 50_000)},
    "R-15": {"clearance_m": Number(0, 5000)},
    "R-16": {"lowest_c": Number(-80, 60), "highest_c": Number(-80, 80)},
    "R-17": {},
    "R-18": {
        "most_age_s": Number(60, 86_400),
        "soon_s": Number(0, 86_400),
        "forecast_most_age_s": Number(60, 604_800),
        "ahead_level": _LEVEL,
        "unknown_level": _LEVEL,
    },
    "R-21": {"border": _BORDER},
    "R-22": {"permit": Choice(("always", "approved", "never")), "border": _BORDER},
    "R-25": {"most_flight_s": Number(60, 86_400), "most_duty_s": Number(60, 172_800)},
    "R-26": {},
    "R-31": {},
    "R-32": {},
    "R-33": {},
}
"""By rule id the values that a rule has besides its `level`."""


def checked(rule_id: str, name: str, value: RuleValue) -> RuleValue:
    """Return a value as its rule takes it. Raises InputError with what is allowed for an unknown rule, name or value."""
    if rule_id not in VALUES:
        message = f"there is no rule {rule_id!r}: the rules are {', '.join(VALUES)}"
        raise InputError(message, f"没有规则“{rule_id}”：现有 {', '.join(VALUES)}")
    meanings = VALUES[rule_id] | {"level": _LEVEL}
    if name not in meanings:
        message = f"the rule {rule_id} has no value {name!r}: it has {', '.join(meanings)}"
        raise InputError(message, f"规则 {rule_id} 没有参数“{name}”：它有 {', '.join(meanings)}")
    found = meanings[name].check(value)
    if found is None:
        message = f"{name} of the rule {rule_id} is {value!r}: allowed is {meanings[name]}"
        raise InputError(message, f"规则 {rule_id} 的 {name} 为 {value!r}：允许 {meanings[name]}")
    return found
