"""docs/planning.md holds what it says: its mission file plans, its script runs, its commands, settings and formats are there."""

import re
from pathlib import Path

import click
import pytest

from console.api.plans import ROUTER as PLANS
from console.cli import skybeat
from infra.settings import PREFIX, Settings
from mission.formats import programme_yaml
from mission.formats.plan_files import PlanFormat, ProgrammeFormat
from mission.model import TaskKind, ZoneKind
from mission.patterns.choose import USUAL
from mission.script import plan
from tests.conftest import PROJECT

PAGE = (PROJECT / "docs" / "planning.md").read_text(encoding="utf-8")
OF_SCRIPTS = {"SKYBEAT_KEY", "SKYBEAT_URL"}


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def test_the_mission_file_of_the_page_plans_without_a_refusal() -> None:
    programme = programme_yaml.read(block("yaml").encode())
    day = plan(programme, day="2027-05-01", iterations=20)
    assert [refusal.reason_en for refusal in day.refusals] == []
    assert {task_id for sortie in day.sorties for task_id in sortie.task_ids} == {1, 2, 3}
    assert all(figures.planned_count == figures.visit_count for figures in day.plan.figures)


def test_the_script_of_the_page_plans_and_saves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mission.script.day.USUAL_EFFORT_S", 0.2)
    exec(compile(block("python"), "planning.md", "exec"), {})
    assert "Wetland" in capsys.readouterr().out
    assert (tmp_path / "wetland.plan").exists()


def test_every_setting_and_command_that_the_page_names_is_there() -> None:
    settings = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields} | OF_SCRIPTS
    assert set(re.findall(rf"{PREFIX}[A-Z_]+", PAGE)) <= settings
    for words in re.findall(r"`skybeat ([a-z -]+)", PAGE):
        group: click.Command = skybeat
        for word in words.split():
            if not isinstance(group, click.Group):
                break
            found = group.get_command(click.Context(group), word)
            assert found is not None or word == "day", f"skybeat {words}"
            group = found or group


def test_every_kind_and_format_is_on_the_page() -> None:
    for word in [*TaskKind, *ZoneKind, *USUAL.values()]:
        assert word.value in PAGE, word
    for ending in [*PlanFormat, *ProgrammeFormat]:
        assert f"`.{ending.value}`" in PAGE, ending
    paths = {route.path for route in PLANS.routes if hasattr(route, "path")}
    assert "/api/plans/{plan_id}/repair" in paths
    assert "/api/plans/ID/repair" in PAGE
