"""Rule sets: which limits hold, as data that a person reads, edits and names the source of."""

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, Final

import msgspec

from mission.rules.meanings import VALUES, RuleValue, checked
from telemetry.model.errors import FileFormatError, InputError, NotFoundError

FOLDER: Final = "mission.rules.sets"
DEFAULT: Final = "default"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: its short name for a list, who says so in both languages, and its values; `level` is refuse, warn or off."""

    rule_id: str
    name_zh: str
    name_en: str
    source: str
    source_zh: str
    values: dict[str, RuleValue]


class RuleSet(msgspec.Struct, frozen=True, kw_only=True):
    """All rules that hold, by id."""

    name: str
    name_zh: str
    name_en: str
    source: str
    source_zh: str
    rules: dict[str, Rule]

    def number(self, rule_id: str, name: str) -> float:
        """Return a rule's number."""
        return float(self.rules[rule_id].values[name])

    def word(self, rule_id: str, name: str) -> str:
        """Return a rule's word or text."""
        return str(self.rules[rule_id].values[name])

    def says(self, rule_id: str, name: str) -> bool:
        """Return a rule's yes or no."""
        return bool(self.rules[rule_id].values[name])

    def is_on(self, rule_id: str) -> bool:
        """Whether a rule refuses or warns."""
        return self.word(rule_id, "level") != "off"

    def is_warning(self, rule_id: str) -> bool:
        """Whether a rule only warns."""
        return self.word(rule_id, "level") == "warn"


def rule_sets() -> tuple[str, ...]:
    """Return the names of the rule sets that come with the product."""
    names = (entry.name for entry in resources.files(FOLDER).iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


def rule_set(name: str = DEFAULT, changes: Mapping[str, Mapping[str, RuleValue]] | None = None) -> RuleSet:
    """Return a rule set with changes by rule id and value.

    Raises NotFoundError for a name that is not of `rule_sets()`, InputError for an unknown rule or value, with those allowed.
    """
    found = _packaged(name)
    rules = dict(found.rules)
    for rule_id, values in (changes or {}).items():
        kept = {key: checked(rule_id, key, value) for key, value in values.items()}
        if rule_id not in rules:
            checked(rule_id, "level", "off")
        rules[rule_id] = msgspec.structs.replace(rules[rule_id], values=rules[rule_id].values | kept)
    return msgspec.structs.replace(found, rules=rules)


@lru_cache(maxsize=16)
def _packaged(name: str) -> RuleSet:
    if name not in rule_sets():
        message = f"there is no rule set {name!r}: choose from {', '.join(rule_sets())}"
        raise NotFoundError(message, f"没有规则集“{name}”：可选 {', '.join(rule_sets())}")
    return read_rule_set((resources.files(FOLDER) / f"{name}.yaml").read_bytes())


def read_rule_set(data: bytes) -> RuleSet:
    """Return the rule set of a YAML file's bytes: name, name_zh, name_en, source, rules, and the set that it `extends`; `source_zh` may be missing.

    Raises FileFormatError for a file of another shape, InputError for an unknown rule or value, and for one that is missing.
    """
    try:
        said: Any = msgspec.yaml.decode(data)
        base = _packaged(said["extends"]).rules if "extends" in said else {}
        rules = dict(base)
        for rule_id, one in said["rules"].items():
            before = base[rule_id].values if rule_id in base else {}
            values = {key: checked(rule_id, key, value) for key, value in one["values"].items()}
            rules[rule_id] = Rule(
                rule_id=rule_id,
                name_zh=one["name_zh"],
                name_en=one["name_en"],
                source=one["source"],
                source_zh=one.get("source_zh") or one["source"],
                values=before | values,
            )
        head = {key: said[key] for key in ("name", "name_zh", "name_en", "source")}
        head["source_zh"] = said.get("source_zh") or said["source"]
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
        message = (
            f"this is no rule set ({error}): it needs name, name_zh, name_en, source and rules with names and values"
        )
        raise FileFormatError(
            message, f"这不是规则集（{error}）：须有 name、name_zh、name_en、source 和带名称与参数的 rules"
        ) from error
    missing = [
        f"{rule_id} {name}"
        for rule_id in VALUES
        for name in ("level", *VALUES[rule_id])
        if not _has(rules, rule_id, name)
    ]
    if missing:
        message = f"the rule set {head['name']!r} lacks {', '.join(missing)}: say them, or extend: {DEFAULT}"
        raise InputError(message, f"规则集“{head['name']}”缺少 {', '.join(missing)}：请补上，或写 extends: {DEFAULT}")
    return RuleSet(**head, rules=dict(sorted(rules.items())))


def _has(rules: Mapping[str, Rule], rule_id: str, name: str) -> bool:
    return rule_id in rules and name in rules[rule_id].values
