# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title pools
@license AGPL-3.0-only
@author Inferix
@notice The books of Delegation at work: a node's pool of shares, who holds them, and what each share has earned. Shares that came
        in an epoch wait until the first claim by a root of that epoch or a later one, and earn from that claim on; then
        `_joins` keeps what a share had earned by then, so that each holder is settled when it next moves.
        Epochs are counted from 1 here, so that 0 is none.
@custom:kill Books only.
"""


# A node's shares: last << 232 | first << 208 | active << 104 | shares
struct Pool:
    # All that are at work, and those of them that earn
    shares: uint256
    active: uint256
    # Oldest and newest epoch whose joins wait
    first: uint256
    last: uint256


# A node's terms and earnings: limit << 160 is apart; since << 192 | next << 176 | share << 160 | sum
struct Rewards:
    # What one active share has earned so far, in 10**-18 wei
    sum: uint256
    # The delegators' part [basis points, 0: the default], the next one, and the first epoch whose root it counts for
    share: uint256
    next: uint256
    since: uint256


# epoch << 208 | pending << 104 | active, and credit << 160 | mark
struct Position:
    active: uint256
    # Shares that joined in `epoch` and wait
    pending: uint256
    epoch: uint256
    # The sum up to which `credit` [wei] counts
    mark: uint256
    credit: uint256


SCALE: constant(uint256) = 10**18
# Epochs whose joins one claim lets in; the rest are let in by the next
MOST_EPOCHS: constant(uint256) = 16
_SHARES: constant(uint256) = 2**104 - 1
_EPOCH: constant(uint256) = 2**24 - 1
_LOW_16: constant(uint256) = 2**16 - 1
_SUM: constant(uint256) = 2**160 - 1
_LET_IN: constant(uint256) = 2**255


_pools: HashMap[uint32, uint256]
_rewards: HashMap[uint32, uint256]
# node => epoch => next epoch with joins << 104 | shares that wait; once let in: _LET_IN | sum
_joins: HashMap[uint32, HashMap[uint256, uint256]]
_holdings: HashMap[uint32, HashMap[address, uint256]]
_incomes: HashMap[uint32, HashMap[address, uint256]]


@internal
@view
def _read_pool(node: uint32) -> Pool:
    word: uint256 = self._pools[node]
    return Pool(
        shares=word & _SHARES,
        active=word >> 104 & _SHARES,
        first=word >> 208 & _EPOCH,
        last=word >> 232,
    )


@internal
def _write_pool(node: uint32, pool: Pool):
    assert pool.shares <= _SHARES and pool.last <= _EPOCH, "pools: too much"
    self._pools[node] = pool.last << 232 | pool.first << 208 | pool.active << 104 | pool.shares


@internal
@view
def _read_rewards(node: uint32) -> Rewards:
    word: uint256 = self._rewards[node]
    return Rewards(
        sum=word & _SUM, share=word >> 160 & _LOW_16, next=word >> 176 & _LOW_16, since=word >> 192
    )


@internal
def _write_rewards(node: uint32, rewards: Rewards):
    assert rewards.sum <= _SUM, "pools: too much"
    self._rewards[node] = rewards.since << 192 | rewards.next << 176 | rewards.share << 160 | rewards.sum


@internal
@view
def _settled(node: uint32, holder: address) -> Position:
    # A position with all that it has earned and with its pending shares active, where they were let in.
    word: uint256 = self._holdings[node][holder]
    income: uint256 = self._incomes[node][holder]
    sum: uint256 = self._rewards[node] & _SUM
    position: Position = Position(
        active=word & _SHARES,
        pending=word >> 104 & _SHARES,
        epoch=word >> 208,
        mark=sum,
        credit=income >> 160,
    )
    position.credit += position.active * (sum - (income & _SUM)) // SCALE
    if position.pending != 0:
        join: uint256 = self._joins[node][position.epoch]
        if join & _LET_IN != 0:
            position.credit += position.pending * (sum - (join & _SUM)) // SCALE
            position.active += position.pending
            position.pending = 0
    return position


@internal
def _write_position(node: uint32, holder: address, position: Position):
    epoch: uint256 = position.epoch if position.pending != 0 else 0
    self._holdings[node][holder] = epoch << 208 | position.pending << 104 | position.active
    self._incomes[node][holder] = position.credit << 160 | position.mark


@internal
def _join(node: uint32, pool: Pool, position: Position, shares: uint256, epoch: uint256) -> (Pool, Position):
    """
    @dev Shares that wait from this epoch on; what waited from an earlier one waits with them.
    """
    joined: Pool = pool
    held: Position = position
    if held.pending != 0 and held.epoch != epoch:
        self._joins[node][held.epoch] -= held.pending
    else:
        held.pending = 0
    # What moves here from an earlier epoch, and what is new.
    moved: uint256 = held.pending + shares
    if joined.last != epoch:
        if joined.last == 0:
            joined.first = epoch
        else:
            self._joins[node][joined.last] |= epoch << 104
        joined.last = epoch
    self._joins[node][epoch] += moved
    joined.shares += shares
    held.pending = position.pending + shares
    held.epoch = epoch
    return joined, held


@internal
def _leave(node: uint32, pool: Pool, position: Position, shares: uint256) -> (Pool, Position):
    """
    @dev Shares that go; those that wait go first.
    """
    assert shares <= position.active + position.pending, "Delegation: more than delegated"
    left: Pool = pool
    held: Position = position
    waiting: uint256 = min(shares, held.pending)
    if waiting != 0:
        self._joins[node][held.epoch] -= waiting
        held.pending -= waiting
    held.active -= shares - waiting
    left.active -= shares - waiting
    left.shares -= shares
    return left, held


@internal
def _let_in(node: uint32, pool: Pool, sum: uint256, root: uint256) -> Pool:
    """
    @dev Joins of epochs up to the root's earn from here on.
    """
    opened: Pool = pool
    for _: uint256 in range(MOST_EPOCHS):
        if opened.first == 0 or opened.first > root:
            break
        join: uint256 = self._joins[node][opened.first]
        self._joins[node][opened.first] = _LET_IN | sum
        opened.active += join & _SHARES
        opened.first = join >> 104
    if opened.first == 0:
        opened.last = 0
    return opened
