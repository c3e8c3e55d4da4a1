"""A wrong setting or a folder that cannot be used is one line: what, which value, what is allowed, what to do."""

import sys
from pathlib import Path

import pytest

from console import cli
from console.patrols.terrain import KeptGround, check_terrain
from infra.disk import DiskError
from infra.errors import SettingsError
from infra.settings import Settings, check_certificate, default_data_dir, load_settings
from infra.vault import Vault
from telemetry.model.errors import UnavailableError


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("SKYBEAT_PORT", "abc", "valid integer"),
        ("SKYBEAT_PORT", "70000", "less than or equal to 65535"),
        ("SKYBEAT_LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("SKYBEAT_BEHIND_PROXY", "maybe", "valid boolean"),
        ("SKYBEAT_JOURNAL_MAX_BYTES", "5", "greater than or equal to 16777216"),
    ],
)
def test_a_wrong_setting_names_its_variable_its_value_and_what_is_allowed(
    name: str, value: str, allowed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert f"{name}={value!r}" in str(caught.value)
    assert allowed in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SKYBEAT_DATA_DIR", "SKYBEAT_DATABASE_URL", "SKYBEAT_PORT"):
        monkeypatch.setenv(name, "")
    settings = load_settings()
    assert settings.data_dir == default_data_dir()
    assert settings.database_url is None


def test_a_log_level_may_be_written_in_capitals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKYBEAT_LOG_LEVEL", "INFO")
    assert load_settings().log_level == "info"


def test_a_file_in_the_place_of_the_data_folder_is_told_and_not_thrown(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match=r"cannot use the vault's key .*file.*SKYBEAT_DATA_DIR"):
        Vault.open(tmp_path / "file")


def test_a_certificate_that_is_not_there_is_told_before_anything_starts(tmp_path: Path) -> None:
    settings = Settings.model_validate({"tls_cert": tmp_path / "no.pem", "tls_key": tmp_path / "no.key"})
    with pytest.raises(SettingsError, match=r"SKYBEAT_TLS_CERT=.*no\.pem.*No such file"):
        check_certificate(settings)


def test_a_report_that_could_not_be_written_is_told_before_the_demo_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("SKYBEAT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(sys, "argv", ["skybeat", "demo", "--report", str(tmp_path / "no" / "report.json")])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert "cannot use the report" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("variable", "value"),
    [("SKYBEAT_PORT", "abc"), ("SKYBEAT_MAVLINK_LINKS", "nonsense"), ("SKYBEAT_LOG_LEVEL", "loud")],
)
def test_the_command_ends_with_status_1_and_one_line(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("SKYBEAT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr(sys, "argv", ["skybeat", "serve"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith("skybeat: ")
    assert value in said[0]
    assert not (tmp_path / "data").exists()


def test_a_terrain_that_cannot_be_used_stops_the_start_and_names_its_variable_and_file(tmp_path: Path) -> None:
    wrong = tmp_path / "dem.asc"
    wrong.write_text("no raster")
    for path, words in ((wrong, "ncols"), (tmp_path / "none.npz", "is no file")):
        with pytest.raises(SettingsError, match=words) as caught:
            check_terrain(Settings(terrain=path))
        assert f"SKYBEAT_TERRAIN={path}" in str(caught.value)
    assert check_terrain(Settings()).is_flat


def test_without_the_terrain_that_is_set_nothing_is_planned_and_people_are_told_why(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="nothing is planned without the terrain") as caught:
        KeptGround(tmp_path / "gone.asc").read()
    assert "gone.asc" in caught.value.zh
    assert KeptGround(None).read().is_flat
