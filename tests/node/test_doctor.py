# SPDX-License-Identifier: Apache-2.0
"""Each finding is a plain sentence, and says how to mend what is wrong."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from inferix import keystore
from node import doctor
from node.api import Api, NodeInfo
from node.config import NodeConfig
from node.gpu import Gpu, GpuReport
from tests.node.network import DOMAIN, Network

PASSWORD = "correct horse battery"
H200 = Gpu(0, "NVIDIA H200", "h200", 141 * 2**30, "570.1")


class Probe:
    """Says what it was told."""

    def __init__(self, report: GpuReport) -> None:
        self._report = report

    def report(self) -> GpuReport:
        return self._report


@pytest.mark.parametrize(
    ("errors", "text", "mend"),
    [
        (
            "ImportError: libXrender.so.1: cannot open shared object file: No such file or directory",
            "libXrender.so.1",
            "apt-get install libxrender1",
        ),
        ("ImportError: libodd.so.9: cannot open shared object file: No such", "libodd.so.9", "the package that has"),
        ("ModuleNotFoundError: No module named 'bpy'", "not installed", "tools/setup.py node"),
        ("boom\nSegmentation fault", "Segmentation fault", "reinstall"),
        ("", "without a word", "reinstall"),
    ],
)
def test_engine__blender_does_not_import__names_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, errors: str, text: str, mend: str
) -> None:
    def run(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 1, "", errors)

    monkeypatch.setattr(doctor.subprocess, "run", run)
    check = doctor.check_engine("blender", unsafe=False)
    assert check.ok is False
    assert text in check.text
    assert mend in check.mend


def test_engine__unknown_plug_in__named() -> None:
    check = doctor.check_engine("nowhere:Engine", unsafe=False)
    assert (check.ok, "nowhere" in check.text) == (False, True)


def test_gpu__found_or_not__said_plainly() -> None:
    none = Probe(GpuReport((), "no GPU: the NVIDIA driver is not installed"))
    some = Probe(GpuReport((H200,)))
    found = doctor.check_gpu("auto", none)
    assert found.ok is None
    assert "device class cpu" in found.text
    assert doctor.check_gpu("gpu", none).ok is False
    assert doctor.check_gpu("auto", some).ok is True
    assert "NVIDIA H200, 141 GiB" in doctor.check_gpu("auto", some).text
    assert "not used" in doctor.check_gpu("cpu", some).text


def test_keystore__good_missing_wrong_password_and_open_to_all(tmp_path: Path) -> None:
    path = tmp_path / "keystore.json"
    assert doctor.check_keystore(path, None).ok is False
    keys = keystore.create(path, PASSWORD, work=2**4)
    good = doctor.check_keystore(path, PASSWORD)
    assert (good.ok, good.text) == (True, f"operator {keys.address}")
    assert "no password was given" in doctor.check_keystore(path, None).text
    assert doctor.check_keystore(path, "wrong password").ok is False
    path.chmod(0o644)
    assert doctor.check_keystore(path, PASSWORD).mend == f"chmod 600 {path}"


def test_disk__little_room__says_how_much_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: _Usage(2**30))
    check = doctor.check_disk(tmp_path)
    assert (check.ok, check.text[:10]) == (False, "1 GiB free")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: _Usage(200 * 2**30))
    assert doctor.check_disk(tmp_path).ok is True


class _Usage:
    def __init__(self, free: int) -> None:
        self.free = free


def test_network__other_chain_than_pinned_or_away__fails(tmp_path: Path) -> None:
    network = Network(tmp_path)
    api = Api("http://network.test", transport=network.transport(), attempts=1)
    checks = list(doctor.check_network(api, NodeConfig().pinned(DOMAIN)))
    assert [check.ok for check in checks] == [True, None]
    assert "ahead of the chain" in checks[1].text
    (other,) = doctor.check_network(api, NodeConfig(chain_id=1, registry=DOMAIN.contract))
    assert other.ok is False


def _node(**fields: Any) -> NodeInfo:
    info = {"id": 7, "owner": "0x1", "operator": "0x2", "role": "worker", "status": "active", "ib": 5}
    return NodeInfo(**{**info, "qualified": True, "drawable": True, "bonded": str(10**18), **fields})


@pytest.mark.parametrize(
    ("step", "wrong", "mend"),
    [
        (doctor._standing, {"status": "jailed"}, "cases"),
        (doctor._stake, {"qualified": False}, "inferix node stake"),
        (doctor._speed, {"ib": 0}, "leave it running"),
        (doctor._roster, {"drawable": False}, "next roster"),
    ],
)
def test_registration__each_step__good_and_wrong(step: Any, wrong: dict[str, Any], mend: str) -> None:
    assert step(_node()).ok is True
    check = step(_node(**wrong))
    assert check.ok is False
    assert mend in check.mend
