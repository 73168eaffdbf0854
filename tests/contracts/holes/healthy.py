# SPDX-License-Identifier: Apache-2.0
"""Imported by the process that those of the rows are forked from: there every contract is compiled once, for all of them."""

import gc

from tests.contracts.system import CONTRACTS, STAND_INS, deployer

for root in (CONTRACTS, STAND_INS):
    for file in sorted(root.rglob("*.vy")):
        if root == STAND_INS or file.relative_to(root).parts[0] not in ("interfaces", "modules"):
            deployer(str(file.relative_to(root)), root)
gc.freeze()
