"""The embedded server's keys: what is missing or damaged is said with the way out, and never a key."""

from pathlib import Path

import pytest

from infra.errors import ServerError
from infra.postgres_cluster import BOOTSTRAP_ROLE, ROLES, Layout, saved_access, url_for

PASSWORDS = ", ".join(f'"{role}": "p/w {role}"' for role in (BOOTSTRAP_ROLE, *ROLES))


def layout_with(folder: Path, text: str) -> Layout:
    (folder / "postgres.json").write_text(text)
    return Layout(folder)


def test_a_saved_port_leads_to_loopback_and_none_to_the_socket(tmp_path: Path) -> None:
    by_port = layout_with(tmp_path, f'{{"passwords": {{{PASSWORDS}}}, "port": 5433}}')
    assert url_for(by_port, ROLES[0]) == "postgresql://skybeat_owner:p%2Fw%20skybeat_owner@127.0.0.1:5433/skybeat"
    by_socket = layout_with(tmp_path, f'{{"passwords": {{{PASSWORDS}}}, "port": null}}')
    assert url_for(by_socket, ROLES[0]).endswith("%2Fpostgres%2Fsocket")


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "{}", '{"passwords": {"skybeat_owner": "secret"}, "port": null}'])
def test_damaged_keys_are_told_with_the_way_out(tmp_path: Path, text: str) -> None:
    with pytest.raises(ServerError, match=r"postgres\.json are damaged: restore that file") as told:
        saved_access(layout_with(tmp_path, text))
    assert "secret" not in str(told.value)


def test_missing_keys_are_told_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="keys are missing"):
        saved_access(Layout(tmp_path))
