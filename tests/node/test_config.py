# SPDX-License-Identifier: Apache-2.0
"""A home keeps its settings, its network, and everybody else out."""

import subprocess
import sys
from pathlib import Path

import pytest

from inferix.errors import Conflict, Misconfigured
from inferix.messages import Domain
from node.config import Home, NodeConfig, only_process
from tests.node.network import DOMAIN


def test_settings__saved__come_back(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert home.load() == NodeConfig()
    config = NodeConfig(api="http://a.test", role="verifier", node=9).pinned(DOMAIN)
    home.save(config)
    assert Home(tmp_path / "home").load() == config
    assert home.path.stat().st_mode & 0o77 == 0


@pytest.mark.parametrize("text", ["{", '{"role": "king"}', '{"unknown": 1}'])
def test_settings__malformed__say_which_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "node.json").write_text(text)
    with pytest.raises(Misconfigured, match=r"node\.json"):
        Home(tmp_path).load()


def test_pinned__another_network__refused(tmp_path: Path) -> None:
    config = NodeConfig().pinned(DOMAIN)
    assert config.pinned(DOMAIN) == config
    for other in (Domain(chain_id=1, contract=DOMAIN.contract), Domain(chain_id=31337, contract="0x" + "22" * 20)):
        with pytest.raises(Misconfigured, match="another --home"):
            config.pinned(other)


def test_only_process__a_second_one_is_refused__until_the_first_ends(tmp_path: Path) -> None:
    file = tmp_path / "keystore.json"
    code = (
        "import sys; from pathlib import Path; from node.config import only_process\n"
        f"with only_process(Path({str(file)!r})): print('locked', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "locked\n"
    with pytest.raises(Conflict, match="stop it first"), only_process(tmp_path / "other", file):
        pytest.fail("both run")
    holder.kill()
    holder.communicate()
    with only_process(tmp_path / "other", file):
        assert Path(f"{file}.lock").exists()
