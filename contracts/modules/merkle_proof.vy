# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title merkle_proof
@license AGPL-3.0-only
@author Inferix
@notice Proofs of OpenZeppelin's StandardMerkleTree: a leaf is `keccak256(keccak256(abi.encode(fields...)))`, a parent the hash
        of its two children in ascending order. Leaves are hashed twice, so that no parent passes for one. These are lists that
        somebody writes down; what the network computes stands in Merkle-sum trees.
@custom:kill None: pure functions.
"""


@internal
@pure
def _holds(root: bytes32, leaf: bytes32, proof: DynArray[bytes32, 32]) -> bool:
    """
    @dev Whether a tree with this root has this leaf. No proof holds against an empty root.
    @param leaf Hash of the fields; hashed once more here.
    """
    if root == empty(bytes32):
        return False
    node: bytes32 = keccak256(leaf)
    for sibling: bytes32 in proof:
        if convert(node, uint256) < convert(sibling, uint256):
            node = keccak256(concat(node, sibling))
        else:
            node = keccak256(concat(sibling, node))
    return node == root
