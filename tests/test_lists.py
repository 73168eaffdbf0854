# SPDX-License-Identifier: Apache-2.0
"""Lists against what OpenZeppelin's own package made of them (tests/contracts/merkle)."""

import json

import pytest
from eth_utils.crypto import keccak

from inferix.errors import InvalidInput
from inferix.lists import StandardTree
from tests.contracts.merkle.lists import TREES

PLAIN = [
    name for name, tree in json.loads(TREES.read_text()).items() if name != "whitelist"
]  # not all leaves are shown


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("turned", [False, True], ids=["in its order", "turned round"])
def test_root_and_proofs_are_those_of_the_package(name: str, turned: bool) -> None:
    made = json.loads(TREES.read_text())[name]
    leaves = made["leaves"][:: -1 if turned else 1]
    rows = [[word if word.startswith("0x") else int(word) for word in leaf["value"]] for leaf in leaves]
    tree = StandardTree(made["types"], rows)
    assert "0x" + tree.root.hex() == made["root"]
    for at, leaf in enumerate(leaves):
        assert ["0x" + word.hex() for word in tree.proof(at)] == leaf["proof"]


def test_a_list_without_rows_is_refused() -> None:
    with pytest.raises(InvalidInput, match="one row at least"):
        StandardTree(["uint256"], [])


def test_each_proof_leads_to_the_root_whatever_the_number_of_rows() -> None:
    for count in range(1, 40):
        tree = StandardTree(["uint256"], [[row] for row in range(count)])
        for row in range(count):
            node = keccak(keccak(row.to_bytes(32, "big")))
            for sibling in tree.proof(row):
                node = keccak(b"".join(sorted((node, sibling))))
            assert node == tree.root
