# SPDX-License-Identifier: Apache-2.0
"""Keystores: what goes in comes out with the right password, and every other case says what is wrong."""

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from inferix import keystore
from inferix.errors import InvalidInput
from inferix.models.document import canonical
from inferix.sealing import sealing_public_key

PASSWORD = "correct horse battery"
WORK = 2**4


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "keystore.json"


def _rewrite(path: Path, change: Any, *, sign: bool = True) -> None:
    body = json.loads(path.read_bytes())
    change(body)
    if sign:
        body.pop("checksum")
        body["checksum"] = hashlib.sha256(canonical(body)).hexdigest()
    path.write_text(json.dumps(body))


def test_load__right_password__same_keys(path: Path) -> None:
    keys = keystore.create(path, PASSWORD, work=WORK)
    assert keystore.load(path, PASSWORD) == keys
    assert keystore.public_parts(path) == (keys.address, sealing_public_key(keys.sealing))


def test_load__wrong_password__says_so(path: Path) -> None:
    keystore.create(path, PASSWORD, work=WORK)
    with pytest.raises(keystore.WrongPassword, match="does not open"):
        keystore.load(path, PASSWORD + "!")


@pytest.mark.parametrize("at", [0.1, 0.4, 0.7, 0.95])
def test_load__any_damaged_place__is_damage_and_not_a_wrong_password(path: Path, at: float) -> None:
    keystore.create(path, PASSWORD, work=WORK)
    data = bytearray(path.read_bytes())
    place = int(len(data) * at)
    data[place] = ord("7") if data[place] != ord("7") else ord("8")
    path.write_bytes(data)
    with pytest.raises(keystore.KeystoreDamaged):
        keystore.load(path, PASSWORD)


def test_load__cut_off__is_damage(path: Path) -> None:
    keystore.create(path, PASSWORD, work=WORK)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(keystore.KeystoreDamaged, match="not JSON"):
        keystore.load(path, PASSWORD)


def test_load__sealing_box_of_another_key__is_damage(path: Path, tmp_path: Path) -> None:
    keystore.create(path, PASSWORD, work=WORK)
    other = tmp_path / "other.json"
    keystore.create(other, PASSWORD, work=WORK)
    foreign = json.loads(other.read_bytes())["sealing"]
    _rewrite(path, lambda body: body.update(sealing=foreign))
    with pytest.raises(keystore.KeystoreDamaged, match="sealing key does not open"):
        keystore.load(path, PASSWORD)


def test_load__address_of_another_key__is_damage(path: Path) -> None:
    keystore.create(path, PASSWORD, work=WORK)
    _rewrite(path, lambda body: body["operator"].update(address="00" * 20))
    with pytest.raises(keystore.KeystoreDamaged, match="another one"):
        keystore.load(path, PASSWORD)


def test_load__newer_version__says_update(path: Path) -> None:
    keystore.create(path, PASSWORD, work=WORK)
    _rewrite(path, lambda body: body.update(version=2))
    with pytest.raises(keystore.KeystoreDamaged, match="version 2"):
        keystore.load(path, PASSWORD)


def test_load__no_file__names_the_command_that_makes_one(path: Path) -> None:
    with pytest.raises(keystore.KeystoreMissing, match="inferix node init"):
        keystore.load(path, PASSWORD)


def test_create__is_private_and_never_overwrites(path: Path) -> None:
    keys = keystore.create(path, PASSWORD, work=WORK)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(keystore.KeystoreExists):
        keystore.create(path, PASSWORD, work=WORK)
    assert keystore.load(path, PASSWORD) == keys


def test_create__short_password__refused_before_anything_is_written(path: Path) -> None:
    with pytest.raises(InvalidInput, match="8 characters"):
        keystore.create(path, "seven77", work=WORK)
    assert not path.exists()


def test_secrets__are_in_neither_file_nor_repr(path: Path) -> None:
    keys = keystore.create(path, PASSWORD, work=WORK)
    text = path.read_text() + repr(keys) + str(keys)
    for secret in (keys.operator, keys.sealing):
        assert secret.hex() not in text
        assert repr(secret) not in text


def test_load_account__plain_wallet_file_and_ours(path: Path, tmp_path: Path) -> None:
    keys = keystore.create(path, PASSWORD, work=WORK)
    assert keystore.load_account(path, PASSWORD) == keys.operator
    account = Account.create()
    plain = tmp_path / "wallet.json"
    plain.write_text(json.dumps(Account.encrypt(account.key, PASSWORD, kdf="scrypt", iterations=WORK)))
    assert keystore.load_account(plain, PASSWORD) == bytes(account.key)
    with pytest.raises(keystore.WrongPassword):
        keystore.load_account(plain, "something else")


def test_read_password__file_before_environment_before_prompt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "password"
    file.write_text("from the file\nsecond line\n")
    file.chmod(0o600)
    monkeypatch.setenv("TEST_PASSWORD", "from outside")
    assert keystore.read_password(file, "TEST_PASSWORD", lambda: "asked") == "from the file"
    assert keystore.read_password(None, "TEST_PASSWORD", lambda: "asked") == "from outside"
    monkeypatch.delenv("TEST_PASSWORD")
    assert keystore.read_password(None, "TEST_PASSWORD", lambda: "asked") == "asked"


def test_read_password__nothing_or_empty__refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_PASSWORD", raising=False)
    with pytest.raises(keystore.WrongPassword, match="--password-file, or set TEST_PASSWORD"):
        keystore.read_password(None, "TEST_PASSWORD", None)
    empty = tmp_path / "password"
    empty.write_text("")
    with pytest.raises(keystore.WrongPassword, match="empty"):
        keystore.read_password(empty, "TEST_PASSWORD", None)
    with pytest.raises(keystore.WrongPassword, match="cannot be read"):
        keystore.read_password(tmp_path / "nowhere", "TEST_PASSWORD", None)


def test_read_password__file_for_all_eyes__warns(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "password"
    file.write_text("from the file")
    file.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        keystore.read_password(file, "TEST_PASSWORD", None)
    assert "chmod 600" in caplog.text
    assert "from the file" not in caplog.text
