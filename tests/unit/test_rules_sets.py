"""Rule sets are data: the packaged ones are whole, changes are checked, what is unknown is refused with what is allowed."""

from importlib import resources
from pathlib import Path

import msgspec
import pytest

from mission.rules import read_rule_set, rule_set, rule_sets
from mission.rules.meanings import VALUES
from telemetry.model.errors import FileFormatError, InputError, NotFoundError


@pytest.mark.parametrize("name", rule_sets())
def test_each_packaged_set_names_every_rule_in_both_languages_with_its_source(name: str) -> None:
    rules = rule_set(name)
    assert set(rules.rules) == set(VALUES)
    for rule in rules.rules.values():
        assert all((rule.name_zh, rule.name_en, rule.source))
        assert set(rule.values) == {"level", *VALUES[rule.rule_id]}


def test_the_chinese_set_holds_the_numbers_of_the_interim_regulation_and_names_it() -> None:
    rules = rule_set("cn_interim_2024")
    assert "761" in rules.source
    assert (rules.number("R-01", "most_agl_m"), rules.number("R-01", "micro_most_agl_m")) == (120.0, 50.0)
    assert (rules.number("R-04", "apply_days_before"), rules.word("R-04", "apply_until")) == (1.0, "12:00")
    assert rules.number("R-07", "least_ratio") == 0.25
    assert "第二十六条" in rules.rules["R-04"].source_zh


def test_a_change_holds_for_its_value_alone_and_leaves_the_packaged_set_as_it_was() -> None:
    changed = rule_set("default", {"R-12": {"limit_ratio": 0.8}, "R-14": {"level": "warn"}})
    assert changed.number("R-12", "limit_ratio") == 0.8
    assert (changed.is_on("R-12"), changed.is_warning("R-12")) == (True, False)
    assert changed.is_warning("R-14")
    assert rule_set("default").number("R-12", "limit_ratio") == 1.0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"R-99": {"level": "off"}}, "R-01, R-02"),
        ({"R-12": {"limit": 0.8}}, "limit_ratio"),
        ({"R-12": {"limit_ratio": 7.0}}, "0.1 to 1"),
        ({"R-12": {"limit_ratio": True}}, "0.1 to 1"),
        ({"R-12": {"level": "forbid"}}, "refuse, warn, off"),
        ({"R-04": {"apply_until": "25:00"}}, "12:00"),
        ({"R-08": {"action": "panic"}}, "return, hold, land, continue"),
    ],
)
def test_what_a_rule_does_not_know_is_refused_with_what_is_allowed(
    changes: dict[str, dict[str, float | str | bool]], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        rule_set("default", changes)


def test_an_unknown_set_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NotFoundError, match="cn_interim_2024, default"):
        rule_set("moon")


def test_a_set_edited_by_a_person_builds_on_another_and_says_what_it_lacks() -> None:
    text = (resources.files("mission.rules.sets") / "cn_interim_2024.yaml").read_text(encoding="utf-8")
    assert read_rule_set(text.encode()) == rule_set("cn_interim_2024")
    with pytest.raises(InputError, match="R-07 least_ratio"):
        read_rule_set(text.replace("extends: default\n", "").encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"rules: {R-01: 3}", b"{", b"name: x\nrules: {}\n", b"\xff\xfe"])
def test_a_file_that_is_no_rule_set_is_refused(data: bytes) -> None:
    with pytest.raises(FileFormatError):
        read_rule_set(data)


def test_levels_written_off_without_quotes_are_taken_as_meant() -> None:
    assert msgspec.yaml.decode(b"off") is False
    assert not rule_set("default", {"R-15": {"level": False}}).is_on("R-15")


def test_the_page_of_the_rules_names_each_of_them_with_its_values_and_ranges() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
    rows = {line.split(" | ")[0].strip("| "): line for line in page.splitlines() if line.startswith("| R-")}
    assert set(rows) == set(VALUES)
    for rule_id, meanings in VALUES.items():
        rule = rule_set().rules[rule_id]
        assert f"{rule.name_en} · {rule.name_zh} | {rule.values['level']} |" in rows[rule_id]
        for name, meaning in meanings.items():
            assert f"`{name}` " in rows[rule_id]
            assert f"({meaning})" in rows[rule_id]
