# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
"""
@title Delegation
@license AGPL-3.0-only
@author Inferix
@notice Stake behind another's node. A node's owner says how much it takes and what share of the rewards it leaves; who
        delegates holds shares of the delegated stake, which Staking keeps, slashes and freezes with the owner's own in
        proportion. A claim of the node is divided by what earns at work; shares earn from the first claim by a root whose
        epoch they were there at the end of. Leaving takes the unbonding time, slashable and without rewards.
@custom:kill None: leaving and claiming must always work. Nobody but the delegator moves a delegation.
"""

from ..interfaces import IAccounts
from ..interfaces import IBurnMintWork
from ..interfaces import IDelegation
from ..interfaces import IIFX
from ..interfaces import INodeRegistry
from ..interfaces import IStaking
from ..modules import governed
from ..modules import leaving
from ..modules import pools

implements: IDelegation
initializes: governed
initializes: leaving
initializes: pools


exports: (governed.parameters, governed.wired, leaving.exit_count)


ACTIVE: constant(uint8) = 1
# Its open batches hold a manager's stake all the time: nobody could leave
MANAGER: constant(uint8) = 3
BPS: constant(uint256) = 10_000

# Wei that a delegation is at least
MINIMUM: public(constant(uint256)) = 10**18
# The delegators' part of what delegated stake stands for [basis points]
DEFAULT_SHARE: public(constant(uint256)) = 5_000
LOWEST_SHARE: public(constant(uint256)) = 1_000
HIGHEST_SHARE: public(constant(uint256)) = 9_000
# No delegation to a pool of which a slash has left less than this part, so that shares never outgrow their word
SPENT: constant(uint256) = 1_000


_REGISTRY: immutable(INodeRegistry)
_STAKING: immutable(IStaking)
_IFX: immutable(IIFX)
_EPOCHS: immutable(IBurnMintWork)


accounts: public(address)
_limits: HashMap[uint32, uint256]
# node => delegator => votes that Staking counts for it [wei]
_votes: HashMap[uint32, HashMap[address, uint256]]


@deploy
def __init__(parameters: address, registry: address, staking: address, ifx: address, epochs: address):
    """
    @notice Starts without delegations.
    @param epochs BurnMintWork, whose epochs count.
    """
    governed.__init__(parameters)
    assert empty(address) not in [registry, staking, ifx, epochs], "Delegation: empty address"
    _REGISTRY = INodeRegistry(registry)
    _STAKING = IStaking(staking)
    _IFX = IIFX(ifx)
    _EPOCHS = IBurnMintWork(epochs)


@external
def wire(accounts: address):
    """
    @notice Names who pays nodes. The deployer, once.
    """
    governed._wire_once()
    assert accounts != empty(address), "Delegation: empty address"
    self.accounts = accounts


@external
def set_limit(node: uint32, limit: uint256):
    """
    @notice How much delegated stake a node takes [wei], at first none: it divides the rewards. What is there stays. The node's owner.
    """
    self._check_owner(node)
    assert (staticcall _REGISTRY.terms(node)).role != MANAGER, "Delegation: a manager takes none"
    self._limits[node] = limit
    log IDelegation.LimitSet(node=node, limit=limit)


@external
def set_share(node: uint32, share: uint256):
    """
    @notice Notice of another share of the delegators [basis points], 1000 to 9000: it counts for roots of the epoch after the
            next and later ones, so that a whole epoch passes in which everybody can read it. The node's owner.
    """
    self._check_owner(node)
    assert share >= LOWEST_SHARE and share <= HIGHEST_SHARE, "Delegation: share out of bounds"
    rewards: pools.Rewards = pools._read_rewards(node)
    epoch: uint256 = self._epoch()
    if rewards.since != 0 and epoch >= rewards.since:
        # The one before is replaced once no claim can ask for it any more.
        root: IAccounts.Root = staticcall IAccounts(self.accounts).newest()
        assert root.index != 0 and convert(root.epoch, uint256) + 1 >= rewards.since, "Delegation: a change waits"
        rewards.share = rewards.next
    rewards.next = share
    rewards.since = epoch + 2
    pools._write_rewards(node, rewards)
    log IDelegation.ShareNoticed(node=node, share=share, since=rewards.since - 1)


@external
@nonreentrant
def delegate(node: uint32, amount: uint256) -> uint256:
    """
    @notice Puts IFX behind a node, from the caller's allowance. It earns from the first claim by a root of this epoch or a later
            one; what still waits from an earlier epoch waits with it.
    @return Shares: a wei each, until a slash has made them cheaper.
    """
    assert amount >= MINIMUM, "Delegation: under the minimum"
    assert (staticcall _REGISTRY.terms(node)).status == ACTIVE, "Delegation: node not active"
    delegated: uint256 = staticcall _STAKING.delegated(node)
    assert delegated + amount <= self._limits[node], "Delegation: over the node's limit"
    pool: pools.Pool = pools._read_pool(node)
    shares: uint256 = amount
    if pool.shares != 0:
        assert delegated * SPENT >= pool.shares, "Delegation: slashed to nothing"
        shares = amount * pool.shares // delegated
    else:
        extcall IAccounts(self.accounts).set_shared(node, True)
    position: pools.Position = pools._settled(node, msg.sender)
    epoch: uint256 = self._epoch()
    pool, position = pools._join(node, pool, position, shares, epoch)
    pools._write_pool(node, pool)
    pools._write_position(node, msg.sender, position)
    assert extcall _IFX.transferFrom(msg.sender, _STAKING.address, amount), "Delegation: transfer failed"
    extcall _STAKING.bond_delegated(node, amount)
    self._count_votes(node, msg.sender, position, pool, delegated + amount)
    log IDelegation.Delegated(node=node, delegator=msg.sender, amount=amount, shares=shares, epoch=epoch - 1)
    return shares


@external
@nonreentrant
def undelegate(node: uint32, shares: uint256) -> uint256:
    """
    @notice Takes shares of the caller out of work: they earn no more, and what they are worth can be withdrawn after the unbonding
            time. Each call is an exit of its own. Those that wait go first.
    @return Id of the exit; 0 where a slash has left nothing of it.
    """
    assert shares != 0, "Delegation: nothing to undelegate"
    pool: pools.Pool = pools._read_pool(node)
    position: pools.Position = pools._settled(node, msg.sender)
    delegated: uint256 = staticcall _STAKING.delegated(node)
    out: uint256 = staticcall _STAKING.delegated_unbonding(node)
    all: uint256 = pool.shares
    pool, position = pools._leave(node, pool, position, shares)
    amount: uint256 = delegated * shares // all
    pools._write_pool(node, pool)
    pools._write_position(node, msg.sender, position)
    if pool.shares == 0:
        extcall IAccounts(self.accounts).set_shared(node, False)
    self._count_votes(node, msg.sender, position, pool, delegated - amount)
    exit: uint256 = 0
    free_at: uint256 = block.timestamp + governed._parameter(keccak256("unbonding"))
    if amount != 0:
        extcall _STAKING.unbond_delegated(node, amount)
        exit = leaving._open(node, msg.sender, amount, out, free_at)
    log IDelegation.Undelegated(
        node=node, delegator=msg.sender, exit=exit, amount=amount, shares=shares, free_at=free_at
    )
    return exit


@external
@nonreentrant
def withdraw(exit: uint256) -> uint256:
    """
    @notice Pays an exit that has finished unbonding to its delegator, less what slashes took of it. Anybody, while nothing of the
            node is held or frozen.
    """
    found: leaving.Exit = leaving._read_exit(exit)
    assert found.delegator != empty(address), "Delegation: no such exit"
    assert block.timestamp >= found.free_at, "Delegation: still unbonding"
    amount: uint256 = leaving._value(found, staticcall _STAKING.delegated_unbonding(found.node))
    leaving._close(exit, found)
    extcall _STAKING.pay_delegated(found.node, found.delegator, amount)
    log IDelegation.ExitWithdrawn(exit=exit, node=found.node, delegator=found.delegator, amount=amount)
    return amount


@external
@nonreentrant
def claim(node: uint32, delegator: address) -> uint256:
    """
    @notice Pays a delegator what its shares of a node have earned. Anybody.
    """
    position: pools.Position = pools._settled(node, delegator)
    amount: uint256 = position.credit
    assert amount != 0, "Delegation: nothing to claim"
    position.credit = 0
    pools._write_position(node, delegator, position)
    assert extcall _IFX.transfer(delegator, amount), "Delegation: transfer failed"
    log IDelegation.RewardsClaimed(node=node, delegator=delegator, amount=amount)
    return amount


@external
@nonreentrant
def poke(node: uint32, delegator: address):
    """
    @notice Counts a delegator's votes anew, which are those of its last own act until then: at most what slashes have taken
            since is too much. Anybody.
    """
    self._count_votes(
        node,
        delegator,
        pools._settled(node, delegator),
        pools._read_pool(node),
        staticcall _STAKING.delegated(node),
    )


@external
@nonreentrant
def share_out(node: uint32, amount: uint256, epoch: uint32) -> uint256:
    """
    @notice Credits the delegators their part of what a node claims by the root of this epoch. Accounts, which then transfers it.
    @return That part [wei].
    """
    assert msg.sender == self.accounts, "Delegation: not Accounts"
    root: uint256 = convert(epoch, uint256) + 1
    before: pools.Pool = pools._read_pool(node)
    rewards: pools.Rewards = pools._read_rewards(node)
    pool: pools.Pool = pools._let_in(node, before, rewards.sum, root)
    if pool.active != before.active or pool.first != before.first:
        pools._write_pool(node, pool)
    if pool.active == 0:
        return 0
    own: uint256 = 0
    delegated: uint256 = 0
    own, delegated = staticcall _STAKING.parts(node)
    earning: uint256 = delegated * pool.active // pool.shares
    if earning == 0:
        return 0
    part: uint256 = amount * earning * self._share_at(rewards, root) // ((own + earning) * BPS)
    rewards.sum += part * pools.SCALE // pool.active
    pools._write_rewards(node, rewards)
    log IDelegation.RewardsShared(node=node, epoch=epoch, amount=part)
    return part


@external
@view
def terms(node: uint32) -> IDelegation.Terms:
    """
    @notice On what terms a node takes delegations.
    """
    rewards: pools.Rewards = pools._read_rewards(node)
    share: uint256 = rewards.share if rewards.share != 0 else DEFAULT_SHARE
    return IDelegation.Terms(
        share=share,
        next_share=rewards.next if rewards.since != 0 else share,
        since=max(rewards.since, 1) - 1,
        limit=self._limits[node],
    )


@external
@view
def pool(node: uint32) -> IDelegation.Pool:
    """
    @notice What was delegated to a node.
    """
    found: pools.Pool = pools._read_pool(node)
    return IDelegation.Pool(
        delegated=staticcall _STAKING.delegated(node),
        shares=found.shares,
        earning=found.active,
        unbonding=staticcall _STAKING.delegated_unbonding(node),
    )


@external
@view
def position(node: uint32, delegator: address) -> IDelegation.Position:
    """
    @notice What a delegator has at work with a node.
    """
    found: pools.Position = pools._settled(node, delegator)
    return IDelegation.Position(
        shares=found.active + found.pending,
        waiting=found.pending,
        epoch=found.epoch - 1 if found.pending != 0 else 0,
        value=self._value(found, pools._read_pool(node), staticcall _STAKING.delegated(node)),
        rewards=found.credit,
        votes=self._votes[node][delegator],
    )


@external
@view
def exit(id: uint256) -> IDelegation.Exit:
    """
    @notice What is on its way out; empty once it was withdrawn.
    """
    found: leaving.Exit = leaving._read_exit(id)
    return IDelegation.Exit(
        delegator=found.delegator,
        node=found.node,
        free_at=found.free_at,
        value=leaving._value(found, staticcall _STAKING.delegated_unbonding(found.node)),
    )


@internal
@view
def _check_owner(node: uint32):
    assert msg.sender == staticcall _REGISTRY.owner_of(node), "Delegation: not the node's owner"


@internal
@view
def _epoch() -> uint256:
    # From 1, as pools counts them.
    return staticcall _EPOCHS.epoch() + 1


@internal
@pure
def _share_at(rewards: pools.Rewards, root: uint256) -> uint256:
    if rewards.since != 0 and root >= rewards.since:
        return rewards.next
    return rewards.share if rewards.share != 0 else DEFAULT_SHARE


@internal
@pure
def _value(position: pools.Position, pool: pools.Pool, delegated: uint256) -> uint256:
    return delegated * (position.active + position.pending) // max(pool.shares, 1)


@internal
def _count_votes(
    node: uint32, delegator: address, position: pools.Position, pool: pools.Pool, delegated: uint256
):
    votes: uint256 = self._value(position, pool, delegated)
    before: uint256 = self._votes[node][delegator]
    if votes != before:
        self._votes[node][delegator] = votes
        extcall _STAKING.count_votes(delegator, before, votes)
