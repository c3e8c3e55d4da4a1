"""`skybeat fly`: what is told on the way to a place, for people and for programs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from console.cli import skybeat
from console.commands.fly import tell_progress
from mission.script import Console, Progress


class Flying(Console):
    """A console whose drone comes nearer every second."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9", "skbk_x")

    def progress(self, unit_id: int, *, every_s: float | None = None) -> Iterator[Progress]:
        """Give 25 s of a flight, then its end."""
        del every_s
        for left_s in range(25, 0, -1):
            yield Progress(unit_id=unit_id, step="flying", waypoint_count=1, arrive_s=left_s)
        yield Progress(unit_id=unit_id, step="done", flown=1, waypoint_count=1)


def test_people_are_told_each_step_and_the_time_left_every_ten_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    with Flying() as console:
        tell_progress(console, 7, as_json=False)
        told = capsys.readouterr().out.splitlines()
        tell_progress(console, 7, as_json=True)
    assert [line.split("there in ")[-1] for line in told] == ["25 s", "15 s", "5 s", "done       1/1"]
    assert len(capsys.readouterr().out.splitlines()) == 26


def test_a_key_s_command_asks_the_console_that_the_environment_names(tmp_path: Path) -> None:
    told = {"SKYBEAT_URL": "http://127.0.0.1:9", "SKYBEAT_KEY": "skbk_x", "SKYBEAT_DATA_DIR": str(tmp_path)}
    said = CliRunner().invoke(skybeat, ["fly", "--to", "36.06,103.83"], env=told)
    assert "the console at http://127.0.0.1:9 does not answer" in str(said.exception)
