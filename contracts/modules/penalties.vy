# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title penalties
@license AGPL-3.0-only
@author Inferix
@notice What a false root costs whoever put it up: a dispute bond, a share of the required stake (of who is no manager at
        least `root_bond`), and the right to go on until the governor says otherwise.
@custom:kill None.
"""

from ..interfaces import IDisputes
from ..interfaces import INodeRegistry
from ..interfaces import IStaking
from . import bonds
from . import governed

uses: bonds
uses: governed


MANAGER: constant(uint8) = 3
JAILED: constant(uint8) = 3
BPS: constant(uint256) = 10_000


_REGISTRY: immutable(INodeRegistry)
_STAKING: immutable(IStaking)


@deploy
def __init__(registry: address, staking: address):
    _REGISTRY = INodeRegistry(registry)
    _STAKING = IStaking(staking)


@internal
def _punish(proposer: uint32, reporter: address):
    """
    @dev A manager, as who else proposes nothing but accounts.
    """
    self._fine(proposer, self._share(proposer), reporter)


@internal
def _punish_poster(proposer: uint32, reporter: address):
    """
    @dev A manager, or who posted accounts when none did: a small node's share would be no reason to be right.
    """
    fine: uint256 = self._share(proposer)
    if (staticcall _REGISTRY.terms(proposer)).role != MANAGER:
        fine = max(fine, bonds._in_ifx(governed._parameter(keccak256("root_bond"))))
    self._fine(proposer, fine, reporter)


@internal
@view
def _share(proposer: uint32) -> uint256:
    share: uint256 = governed._parameter(keccak256("slash_failed_bps"))
    return staticcall _STAKING.required(proposer) * share // BPS


@internal
def _fine(proposer: uint32, fine: uint256, reporter: address):
    taken: uint256 = bonds._slash(proposer, fine, reporter)
    extcall _REGISTRY.set_status(proposer, JAILED)
    log IDisputes.ProposerPunished(manager=proposer, amount=taken, reporter=reporter)
