"""`skybeat user add`: an empty list of stations is a mistake, never the whole force."""

import pytest
from click.testing import CliRunner

from console.commands.user import command


@pytest.mark.parametrize("stations", ["", " ", ","])
def test_an_empty_list_of_stations_gives_nobody_the_whole_force(stations: str) -> None:
    done = CliRunner().invoke(command, ["add", "wang", "--role", "operator", "--stations", stations])
    assert done.exit_code != 0
    assert "names no station" in f"{done.output} {done.exception}"
