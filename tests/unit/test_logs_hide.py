"""A log line has no place and no secret in it."""

import json

import pytest

from infra.logs import configure_logs, get_logger


@pytest.mark.parametrize("field", ["lat_deg", "lon_e7", "token", "positions", "bbox", "signing_key", "password"])
def test_a_field_that_speaks_of_a_place_or_a_secret_is_hidden(field: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info")
    get_logger("test").info("something_happened", **{field: "36.06"})
    line = json.loads(capsys.readouterr().err)
    assert line[field] == "(hidden)"
    assert line["event"] == "something_happened"


def test_other_fields_are_written_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info")
    get_logger("test").info("link_lost", device_id=7, latency_s=0.2, keyboard=1)
    line = json.loads(capsys.readouterr().err)
    assert (line["device_id"], line["latency_s"], line["keyboard"], line["room"]) == (7, 0.2, 1, "test")


def test_an_unknown_level_is_refused_with_those_allowed() -> None:
    with pytest.raises(ValueError, match=r"'loud'.*debug, info, warning or error"):
        configure_logs("loud")
