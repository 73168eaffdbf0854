# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title Recovery
@notice Test only: shows the internals of the module eip712.
"""

from contracts.modules import eip712

initializes: eip712


@deploy
def __init__(registry: address):
    eip712.__init__(registry)


@external
@view
def domain_separator() -> bytes32:
    return eip712._domain_separator()


@external
@view
def recover(struct_hash: bytes32, signature: Bytes[65]) -> address:
    return eip712._recover(struct_hash, signature)


@external
@view
def recover_packed(struct_hash: bytes32, r: bytes32, vs: bytes32) -> address:
    return eip712._recover_packed(struct_hash, r, vs)
