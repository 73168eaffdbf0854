# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title managers
@license AGPL-3.0-only
@author Inferix
@notice Who may act as a manager: the present operator of an active manager whose bond stands.
@custom:kill A frozen, jailed or banned manager, or one whose bond fell, is refused from that block on.
"""

from ..interfaces import INodeRegistry
from ..interfaces import IStaking


MANAGER: constant(uint8) = 3
ACTIVE: constant(uint8) = 1


_REGISTRY: immutable(INodeRegistry)
_STAKING: immutable(IStaking)


@deploy
def __init__(registry: address, staking: address):
    assert registry != empty(address), "managers: no registry"
    assert staking != empty(address), "managers: no staking"
    _REGISTRY = INodeRegistry(registry)
    _STAKING = IStaking(staking)


@internal
@view
def _check_active(manager: uint32):
    # The caller is the present operator of this manager, which nothing suspends.
    assert manager != 0 and msg.sender == staticcall _REGISTRY.operator_of(manager), "managers: not the operator"
    terms: INodeRegistry.Terms = staticcall _REGISTRY.terms(manager)
    assert terms.role == MANAGER, "managers: not a manager"
    assert terms.status == ACTIVE, "managers: not active"


@internal
@view
def _is_manager(node: uint32) -> bool:
    # Of a bonded node: that it is active was looked at with its bond.
    return (staticcall _REGISTRY.terms(node)).role == MANAGER


@internal
@view
def _check_bonded(node: uint32):
    assert staticcall _STAKING.is_bonded(node), "managers: not bonded"


@internal
@view
def _check_manager(manager: uint32):
    self._check_active(manager)
    self._check_bonded(manager)


@internal
@view
def _check_caller() -> uint32:
    # The bonded manager whose operator the caller is.
    manager: uint32 = staticcall _REGISTRY.node_of_operator(msg.sender)
    self._check_manager(manager)
    return manager


@internal
@view
def _check_any_caller() -> uint32:
    # The bonded node, of whatever role, whose operator the caller is.
    node: uint32 = staticcall _REGISTRY.node_of_operator(msg.sender)
    assert node != 0 and msg.sender == staticcall _REGISTRY.operator_of(node), "managers: not the operator"
    self._check_bonded(node)
    return node
