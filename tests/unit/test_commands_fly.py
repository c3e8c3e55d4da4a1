"""`skybeat fly`: what is told on the way to a place, for people and for programs."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from console.cli import skybeat
from console.commands.fly import Teller, tell_flight
from mission.script import Console, Flight, Progress
from telemetry.model.errors import UnavailableError


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
        Teller(as_json=False).follow(console, 7)
        told = capsys.readouterr().out.splitlines()
        Teller(as_json=True).follow(console, 7)
    assert [line.split("there in ")[-1] for line in told] == ["25 s", "15 s", "5 s", "done       1/1"]
    assert len(capsys.readouterr().out.splitlines()) == 26


def test_who_stays_at_the_place_is_there_and_not_about_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    teller = Teller(as_json=False)
    for left_s in (4.0, None, None):
        arrived_us = 1_790_000_000_000_000 if left_s is None else None
        teller.tell(Progress(unit_id=7, step="flying", arrive_s=left_s, arrived_us=arrived_us, waypoint_count=1))
    first, there = capsys.readouterr().out.splitlines()
    assert first == "flying     0/1  there in 4 s"
    assert re.fullmatch(r"flying     0/1  there since \d\d:\d\d:\d\d", there)


def test_a_search_says_how_likely_it_finds_who_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    plain = Flight(unit_id=7, name="Hawk", arrive_s=80.0, battery_at_scene_ratio=0.9, return_ratio=0.4)
    tell_flight(plain, as_json=False)
    tell_flight(msgspec.structs.replace(plain, detection_ratio=0.78), as_json=False)
    told = capsys.readouterr().out.splitlines()
    assert [line.partition("with 40%")[2] for line in told] == ["", "; its search finds who is there with 78%"]


def test_whom_a_plan_needs_is_said_beside_who_goes(capsys: pytest.CaptureFixture[str]) -> None:
    flight = Flight(
        unit_id=7, name="Hawk", arrive_s=80.0, battery_at_scene_ratio=0.9, return_ratio=0.4,
        warnings=("flies sortie 2 of plan 1 at 19:16, and is back at 19:31 (R-32): send one that is free",),
    )  # fmt: skip
    tell_flight(flight, as_json=False)
    assert capsys.readouterr().out.splitlines()[1] == f"  {flight.warnings[0]}"


class Waiting(Flying):
    """A console whose drone must be charged before it takes its sortie."""

    def progress(self, unit_id: int, *, every_s: float | None = None) -> Iterator[Progress]:
        """Give a battery that is too low, twice, then a sortie that failed."""
        del every_s
        yield Progress(unit_id=unit_id, step="handed", text="45 % of the battery, this sortie needs 60 %")
        yield Progress(unit_id=unit_id, step="handed", text="45 % of the battery, this sortie needs 60 %")
        yield Progress(unit_id=unit_id, step="failed", text="it could not be launched")


def test_what_a_sortie_waits_for_before_its_start_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with Waiting() as console, pytest.raises(UnavailableError, match="it could not be launched"):
        console._start_when_ready(7, Teller(as_json=False).tell)
    told = capsys.readouterr().out.splitlines()
    assert told == [
        "handed     0/0  45 % of the battery, this sortie needs 60 %",
        "failed     0/0  it could not be launched",
    ]


def test_a_key_s_command_asks_the_console_that_the_environment_names(tmp_path: Path) -> None:
    told = {"SKYBEAT_URL": "http://127.0.0.1:9", "SKYBEAT_KEY": "skbk_x", "SKYBEAT_DATA_DIR": str(tmp_path)}
    said = CliRunner().invoke(skybeat, ["fly", "--to", "36.06,103.83"], env=told)
    assert "the console at http://127.0.0.1:9 does not answer" in str(said.exception)
