"""The vault seals what must be read back and refuses what does not fit."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import SecretError
from infra.vault import Vault

KEY = bytes(range(32))


@given(st.binary(max_size=200))
def test_what_is_sealed_comes_back_and_never_looks_the_same_twice(secret: bytes) -> None:
    vault = Vault(KEY)
    assert vault.unseal(vault.seal(secret)) == secret
    assert vault.seal(secret) != vault.seal(secret)


@given(st.data())
def test_a_changed_or_cut_seal_is_refused(data: st.DataObject) -> None:
    sealed = Vault(KEY).seal(b"a key of thirty-two bytes.......")
    place = data.draw(st.integers(0, len(sealed) - 1))
    changed = sealed[:place] + bytes([sealed[place] ^ data.draw(st.integers(1, 255))]) + sealed[place + 1 :]
    for wrong in (changed, sealed[:place]):
        with pytest.raises(SecretError, match=r"vault\.key"):
            Vault(KEY).unseal(wrong)


def test_the_key_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    sealed = Vault.open(tmp_path).seal(b"secret")
    assert (tmp_path / "vault.key").stat().st_mode & 0o777 == 0o600
    assert Vault.open(tmp_path).unseal(sealed) == b"secret"


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    Vault.open(tmp_path)
    (tmp_path / "vault.key").chmod(0o644)
    with pytest.raises(SecretError, match="mode 644"):
        Vault.open(tmp_path)


def test_a_key_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(SecretError, match="5 bytes, 32 are needed"):
        Vault(b"short")
