# SPDX-License-Identifier: Apache-2.0
"""trees.json is what OpenZeppelin's package makes today."""

import subprocess

from deploy.packages import MODULES
from tests.contracts.merkle.lists import TREES

ROOT = MODULES.parents[2]


def test_trees_are_what_the_package_makes() -> None:
    assert (MODULES / "@openzeppelin/merkle-tree").is_dir(), "run `make setup`, which installs it"
    made = subprocess.run(
        [ROOT / ".venv/bin/node", TREES.with_name("trees.mjs")], capture_output=True, text=True, check=True
    )
    assert made.stdout == TREES.read_text()
