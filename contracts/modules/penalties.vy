# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title penalties
@license AGPL-3.0-only
@author Inferix
@notice What a false root costs whoever put it up: a dispute bond, a share of the required stake, and the right to go on until
        the governor says otherwise.
@custom:kill None.
"""

from ..interfaces import IDisputes
from ..interfaces import INodeRegistry
from ..interfaces import IStaking
from . import bonds
from . import governed

uses: bonds
uses: governed


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
    share: uint256 = governed._parameter(keccak256("slash_failed_bps"))
    fine: uint256 = staticcall _STAKING.required(proposer) * share // BPS
    taken: uint256 = bonds._slash(proposer, fine, reporter)
    extcall _REGISTRY.set_status(proposer, JAILED)
    log IDisputes.ProposerPunished(manager=proposer, amount=taken, reporter=reporter)
