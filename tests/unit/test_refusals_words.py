"""Every sentence of a refusal and of a remedy is whole in both languages and asks for the same numbers in both."""

import string

import pytest

from mission.rules.refusals import REASONS, REMEDIES, Remedy, Said, metres, refusal
from telemetry.model.errors import NotFoundError


def asked(text: str) -> set[str]:
    names = {name for _, name, _, _ in string.Formatter().parse(text) if name}
    return {name.removesuffix("_zh").removesuffix("_en") for name in names}


@pytest.mark.parametrize("said", [*REASONS.values(), *REMEDIES.values()])
def test_both_languages_say_the_same_numbers(said: Said) -> None:
    assert said.zh
    assert said.en
    assert asked(said.zh) == asked(said.en)
    assert not any("\u4e00" <= letter <= "\u9fff" for letter in said.en)


def test_the_first_remedy_is_for_programs_and_the_others_are_said_as_well() -> None:
    found = refusal(
        "gust",
        "R-12",
        {"gust_mps": 9.6, "limit_mps": 8.0},
        remedies=(
            Remedy(
                "time_before", {"clock": "21:50", "then_zh": "，阵风 6.9", "then_en": ", gusts 6.9"}, {"start_us": 1.0}
            ),
            Remedy("gust_limit", {"gust_limit_mps": 9.6}, {"gust_limit_mps": 9.6}),
            Remedy("wait"),
        ),
        task_id=7,
    )
    assert found.remedy_zh == "提前到 21:50，阵风 6.9；或换抗阵风 9.6 m/s 以上的机型"
    assert found.remedy_en == "earlier, at 21:50, gusts 6.9; or take an airframe for gusts of 9.6 m/s"
    assert (found.remedy, found.task_id, found.is_warning) == ({"start_us": 1.0}, 7, False)


def test_without_a_remedy_that_is_said_and_an_unknown_sentence_is_refused() -> None:
    assert refusal("nobody_free", "R-32", {}).remedy_en.startswith("cannot be done within the rules")
    with pytest.raises(NotFoundError, match="gust"):
        refusal("nonsense", "R-12", {})


def test_lengths_are_said_as_people_say_them() -> None:
    assert [metres(one) for one in (15.6, 999.0, 1000.0, 1440.0)] == ["16 m", "999 m", "1.0 km", "1.4 km"]
