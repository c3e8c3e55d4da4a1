"""`skybeat plan`, `fly` and `search`: a mission file is planned without a server; what is no place or sortie is said in words."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.commands.fly import command as fly
from console.commands.fly import parse_place, parse_sortie
from console.commands.plan import command as plan
from console.commands.search import command as search
from telemetry.model.errors import InputError
from tests.conftest import PROJECT

DAY = str(PROJECT / "examples" / "day.yaml")
QUICK = ("--day", "2027-05-01", "--iterations", "3")


def run(*words: str) -> Result:
    return CliRunner().invoke(plan, words, catch_exceptions=True)


def test_a_mission_file_is_planned_and_saved_without_a_server(tmp_path: Path) -> None:
    done = run(DAY, *QUICK, "--out", str(tmp_path / "day.kml"), "--out", str(tmp_path / "day.plan"))
    assert done.exit_code == 0, done.output
    assert "Wetland" in done.output
    assert "0 refusals" in done.output
    assert (tmp_path / "day.kml").stat().st_size > 1000
    assert json.loads((tmp_path / "day.plan").read_text())["fileType"] == "Plan"


def test_the_same_file_seed_and_iterations_give_the_same_plan_as_json() -> None:
    one, other = (json.loads(run("make", DAY, *QUICK, "--json").output) for _ in range(2))
    assert one["sorties"] == other["sorties"]
    assert one["sorties"]


def test_what_cannot_be_done_ends_with_status_two_and_says_why(tmp_path: Path) -> None:
    far = tmp_path / "far.yaml"
    far.write_text(Path(DAY).read_text(encoding="utf-8").replace("103.8335", "113.8335"), encoding="utf-8")
    done = run(str(far), *QUICK)
    assert done.exit_code == 2
    assert "not done: School gate" in done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((DAY, "--day", "tomorrow"), "write it like 2026-09-19"),
        ((DAY, *QUICK, "--out", "x.doc"), "plans are saved as"),
        (("publish", "7"), "who asks?"),
    ],
)
def test_what_is_wrong_is_said_in_words(words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SKYBEAT_KEY", raising=False)
    done = run(*words)
    assert done.exit_code != 0
    assert said in f"{done.output} {done.exception}"


def test_places_and_sorties_are_read_strictly() -> None:
    assert parse_place("36.0655, 103.834") == (36.0655, 103.834)
    assert parse_sortie("12/3") == (12, 3)
    for text in ("36.0655", "103.834,36.0655", "nan,0", "a,b", ""):
        with pytest.raises(InputError, match="is no place"):
            parse_place(text)
    for text in ("12", "12/", "a/b", "-1/2"):
        with pytest.raises(InputError, match="is no sortie"):
            parse_sortie(text)


def test_fly_wants_a_place_or_a_sortie_and_search_a_place() -> None:
    for words in ([], ["12/3", "--to", "36,103"]):
        done = CliRunner().invoke(fly, words)
        assert "give either --to LAT,LON or a sortie" in str(done.exception)
    assert CliRunner().invoke(search, ["--radius", "100"]).exit_code == 2
