# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title leaving
@license AGPL-3.0-only
@author Inferix
@notice The books of Delegation on the way out: each exit is a record of its own with a clock of its own, and holds shares of what
        delegators of its node have unbonding, so that a slash on the way takes from all of them in proportion.
@custom:kill Books only.
"""


# who << 96 | node << 64 | round << 40 | free_at, and shares
struct Exit:
    delegator: address
    node: uint32
    # A node's exits start anew when a slash has left nothing of them: those of an earlier round are worth nothing
    round: uint256
    free_at: uint256
    shares: uint256


# A round is over when less than this part of what went into it is left
WORTHLESS: constant(uint256) = 10**6
_LOW_24: constant(uint256) = 2**24 - 1
_LOW_32: constant(uint256) = 2**32 - 1
_LOW_40: constant(uint256) = 2**40 - 1
_LOW_224: constant(uint256) = 2**224 - 1


exit_count: public(uint256)
_exits: HashMap[uint256, uint256]
_exit_shares: HashMap[uint256, uint256]
# node => round << 224 | shares
_out: HashMap[uint32, uint256]


@internal
def _open(node: uint32, delegator: address, amount: uint256, unbonding: uint256, free_at: uint256) -> uint256:
    """
    @dev An exit of `amount`; `unbonding`: wei of the node's delegators that are leaving without it. Returns its id.
    """
    word: uint256 = self._out[node]
    round: uint256 = word >> 224
    all: uint256 = word & _LOW_224
    shares: uint256 = amount
    if unbonding * WORTHLESS < all:
        round += 1
        all = 0
    elif all != 0:
        shares = amount * all // unbonding
    assert round <= _LOW_24, "leaving: too many rounds"
    self._out[node] = round << 224 | all + shares
    id: uint256 = self.exit_count + 1
    self.exit_count = id
    self._exits[id] = (
        convert(delegator, uint256) << 96 | convert(node, uint256) << 64 | round << 40 | free_at
    )
    self._exit_shares[id] = shares
    return id


@internal
@view
def _read_exit(id: uint256) -> Exit:
    word: uint256 = self._exits[id]
    return Exit(
        delegator=convert(word >> 96, address),
        node=convert(word >> 64 & _LOW_32, uint32),
        round=word >> 40 & _LOW_24,
        free_at=word & _LOW_40,
        shares=self._exit_shares[id],
    )


@internal
@view
def _value(exit: Exit, unbonding: uint256) -> uint256:
    """
    @dev What an exit is worth [wei]; `unbonding`: of all exits of its node.
    """
    word: uint256 = self._out[exit.node]
    if exit.shares == 0 or word >> 224 != exit.round:
        return 0
    return unbonding * exit.shares // (word & _LOW_224)


@internal
def _close(id: uint256, exit: Exit):
    word: uint256 = self._out[exit.node]
    if word >> 224 == exit.round:
        self._out[exit.node] = word - exit.shares
    self._exits[id] = 0
    self._exit_shares[id] = 0
