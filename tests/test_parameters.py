# SPDX-License-Identifier: Apache-2.0
"""The parameters that programs start from are those of the contract, by name and value."""

import json
import re
from pathlib import Path

from eth_utils.crypto import keccak

from inferix.models.parameters import DEFAULTS, DEV_OVERRIDES, Parameters

ROOT = Path(__file__).parents[1]


def test_regression_every_parameter_of_the_contract_is_known_with_its_default() -> None:
    source = (ROOT / "contracts/governance/Parameters.vy").read_text()
    found = re.findall(r'_define\(keccak256\("(\w+)"\), ([\d *]+),', source)
    values = {name: eval(number) for name, number in found}
    assert values == DEFAULTS


def test_every_parameter_is_explained_with_its_source() -> None:
    text = (ROOT / "docs/economy.md").read_text()
    rows = "".join(line for line in text.splitlines() if line.startswith("| "))
    assert [name for name in DEFAULTS if f"`{name}`" not in rows] == []


def test_a_dev_network_overrides_what_its_deployment_does() -> None:
    assert json.loads((ROOT / "deploy/dev.json").read_text())["parameters"] == DEV_OVERRIDES


def test_a_set_parameter_is_in_force_and_one_of_a_later_version_is_kept_out() -> None:
    parameters = Parameters()
    parameters.set(keccak(text="root_only"), 1)
    parameters.set(keccak(text="colour"), 7)
    assert dict(parameters) == {**DEFAULTS, "root_only": 1}
