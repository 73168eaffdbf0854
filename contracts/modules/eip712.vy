# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title eip712
@license AGPL-3.0-only
@author Inferix
@notice The protocol's EIP-712 domain, ("Inferix", "1", chain id, NodeRegistry), and recovery of signers. One domain for all
        contracts: a node signs a message without knowing which contract will read it; the type hash keeps them apart.
@custom:kill Stateless.
"""


_DOMAIN_TYPEHASH: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_NAME_HASH: constant(bytes32) = keccak256("Inferix")
_VERSION_HASH: constant(bytes32) = keccak256("1")

# Half of secp256k1's order: of the two valid `s` only the low one counts, so a signature has one form (EIP-2).
_MAX_S: constant(uint256) = 57896044618658097711785492504343953926418782139537452191302581570759080747168
_LOW_255: constant(uint256) = max_value(uint256) >> 1


_REGISTRY: immutable(address)
_CHAIN_ID: immutable(uint256)
_SEPARATOR: immutable(bytes32)


@deploy
def __init__(registry: address):
    assert registry != empty(address), "eip712: no registry"
    _REGISTRY = registry
    _CHAIN_ID = chain.id
    _SEPARATOR = self._build_separator(registry)


@internal
@view
def _build_separator(registry: address) -> bytes32:
    return keccak256(abi_encode(_DOMAIN_TYPEHASH, _NAME_HASH, _VERSION_HASH, chain.id, registry))


@internal
@view
def _domain_separator() -> bytes32:
    # Built anew after a chain split, so that a message for one chain does not count on the other.
    if chain.id == _CHAIN_ID:
        return _SEPARATOR
    return self._build_separator(_REGISTRY)


@internal
@view
def _digest(struct_hash: bytes32) -> bytes32:
    return keccak256(concat(b"\x19\x01", self._domain_separator(), struct_hash))


@internal
@view
def _recover(struct_hash: bytes32, signature: Bytes[65]) -> address:
    # 65 bytes: r, s, v. 64 bytes: r, vs (EIP-2098). Reverts rather than return the zero address.
    if len(signature) == 65:
        return self._signer(
            self._digest(struct_hash),
            convert(slice(signature, 64, 1), uint256),
            convert(slice(signature, 0, 32), bytes32),
            convert(slice(signature, 32, 32), uint256),
        )
    assert len(signature) == 64, "eip712: signature length"
    return self._recover_packed(
        struct_hash, convert(slice(signature, 0, 32), bytes32), convert(slice(signature, 32, 32), bytes32)
    )


@internal
@view
def _recover_packed(struct_hash: bytes32, r: bytes32, vs: bytes32) -> address:
    # EIP-2098: the top bit of vs is v - 27.
    packed: uint256 = convert(vs, uint256)
    return self._signer(self._digest(struct_hash), (packed >> 255) + 27, r, packed & _LOW_255)


@internal
@pure
def _signer(digest: bytes32, v: uint256, r: bytes32, s: uint256) -> address:
    assert s <= _MAX_S, "eip712: high s"
    signer: address = ecrecover(digest, v, convert(r, uint256), s)
    assert signer != empty(address), "eip712: invalid signature"
    return signer
