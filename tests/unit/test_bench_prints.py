"""What `skybeat bench` prints so that anyone can check it, and when it fails."""

import json

import pytest
from click.testing import CliRunner

from console.bench import Figures, decode
from console.commands.bench import command


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `decode` see one figure that meets its goal, one that misses it and one that could not be measured."""
    figures = Figures(
        figures={"good_ratio": 31.0, "poor_ratio": 2.0, "missing_ratio": None},
        goals={"good_ratio": (">=", 30.0), "poor_ratio": (">=", 3.5), "missing_ratio": (">=", 12.0)},
    )
    monkeypatch.setattr(decode, "run", lambda **_: figures)


@pytest.mark.usefixtures("measured")
def test_the_object_names_seed_machine_runs_and_what_is_unmet() -> None:
    done = CliRunner().invoke(command, ["decode", "--json", "--runs", "3", "--seed", "7"])
    said = json.loads(done.stdout)
    assert done.exit_code == 0
    assert (said["name"], said["seed"], said["runs"], said["good_ratio"]) == ("decode", 7, 3, 31.0)
    assert said["cpu_count"] >= 1
    assert said["load1"] >= 0
    assert said["unmet"] == ["poor_ratio is 2.0, the goal is >= 3.5", "missing_ratio is None, the goal is >= 12.0"]


@pytest.mark.usefixtures("measured")
def test_an_unmet_goal_fails_only_at_the_gate() -> None:
    assert CliRunner().invoke(command, ["decode"]).exit_code == 0
    assert CliRunner().invoke(command, ["decode", "--gate"]).exit_code == 1


def test_met_goals_pass_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    met = Figures(figures={"wrong_count": 0}, goals={"wrong_count": ("<=", 0.0)})
    monkeypatch.setattr(decode, "run", lambda **_: met)
    assert CliRunner().invoke(command, ["decode", "--gate", "--json"]).exit_code == 0
