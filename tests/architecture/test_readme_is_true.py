"""Both READMEs name every setting and every command, and no room that is not there."""

import re
from pathlib import Path

import click
import pytest

from console.cli import skybeat
from infra.settings import PREFIX, Settings

PROJECT = Path(__file__).resolve().parents[2]
READMES = ("README.md", "README.zh-CN.md")
FLOORS = ("console", "mission", "telemetry", "infra")


@pytest.mark.parametrize("name", READMES)
def test_every_setting_stands_in_the_readme_and_no_other(name: str) -> None:
    told = set(re.findall(rf"`({PREFIX}[A-Z_]+)`", (PROJECT / name).read_text()))
    assert told == {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}


@pytest.mark.parametrize("name", READMES)
def test_every_command_stands_in_the_readme(name: str) -> None:
    text = (PROJECT / name).read_text()
    context = click.Context(skybeat)
    assert [command for command in skybeat.list_commands(context) if f"`skybeat {command}" not in text] == []


@pytest.mark.parametrize("name", READMES)
def test_every_room_that_the_readme_names_is_there(name: str) -> None:
    text = (PROJECT / name).read_text()
    for floor in FLOORS:
        (row,) = re.findall(rf"^\| `{floor}/` \|(.*)\|$", text, re.MULTILINE)
        rooms = re.findall(r"`([a-z_]+(?:\.py|/))`", row)
        assert rooms
        missing = [room for room in rooms if not any((PROJECT / floor).rglob(room.rstrip("/")))]
        assert missing == []
