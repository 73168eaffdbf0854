# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
"""
@title Staking
@license AGPL-3.0-only
@author Inferix
@notice What a node puts at risk, in IFX. Bonded stake qualifies it; unbonding stake waits 90 days and can still be slashed and
        frozen, so nobody leaves before what was signed can be judged. Frozen is bookkeeping over both. A node qualifies
        at the whole required stake and stays in until a move of the price takes it under 80 %: a price never slashes.
        The owner's and the delegators' parts are kept apart and bear everything in proportion; whose is what among delegators
        is Delegation's to say. What is at work votes: the owner's for the owner, the rest for who delegated it.
@custom:kill None: leaving must always work. Courts slash; nobody redirects.
"""

from ..interfaces import IIFX
from ..interfaces import IMarket
from ..interfaces import INodeRegistry
from ..interfaces import IStaking
from ..modules import courts
from ..modules import governed
from ..modules import stake_votes
from ..modules import stakes

implements: IStaking
initializes: courts
initializes: governed
initializes: stakes
initializes: stake_votes


exports: (
    governed.parameters,
    governed.wired,
    courts.is_court,
    stakes.bonded,
    stakes.own,
    stakes.delegated,
    stakes.parts,
    stakes.unbonding,
    stakes.delegated_unbonding,
    stakes.free_at,
    stakes.frozen,
    stakes.holds,
    stake_votes.getVotes,
    stake_votes.getPastVotes,
)


WORKER: constant(uint8) = 1
VERIFIER: constant(uint8) = 2
MANAGER: constant(uint8) = 3
ACTIVE: constant(uint8) = 1
BANNED: constant(uint8) = 4
RETIRED: constant(uint8) = 5

BPS: constant(uint256) = 10_000
# A qualified node stays in while its stake is worth at least this much of what is required
KEEP_BPS: public(constant(uint256)) = 8_000
# The reporter never gets more than is burned, or a node would gain by reporting itself
MAX_REPORTER_BPS: public(constant(uint256)) = 5_000

IFX: immutable(IIFX)


registry: public(INodeRegistry)
market: public(IMarket)
penalty_pool: public(address)
batches: public(address)
delegation: public(address)


@deploy
def __init__(parameters: address, ifx: address):
    """
    @notice Starts without stakes.
    """
    governed.__init__(parameters)
    assert ifx != empty(address), "Staking: no IFX"
    IFX = IIFX(ifx)


@external
def wire(
    registry: address,
    market: address,
    penalty_pool: address,
    batches: address,
    delegation: address,
    courts_: DynArray[address, 8],
):
    """
    @notice Names the contracts that it works with. The deployer, once.
    """
    governed._wire_once()
    assert empty(address) not in [registry, market, penalty_pool, batches, delegation], "Staking: empty address"
    self.registry = INodeRegistry(registry)
    self.market = IMarket(market)
    self.penalty_pool = penalty_pool
    self.batches = batches
    self.delegation = delegation
    courts._name(courts_)


@external
def set_market(market: address):
    """
    @notice Where IFX is priced: the reference market first, a pool's mean price later. Governor only.
    """
    governed._check_governor()
    assert staticcall IMarket(market).price() != 0, "Staking: no price"
    self.market = IMarket(market)


@external
@nonreentrant
def stake(node: uint32, amount: uint256):
    """
    @notice Adds stake to a node, from the caller's allowance. It is the node's owner who may take it out again.
    """
    status: uint8 = (staticcall self.registry.terms(node)).status
    assert status != 0, "Staking: no such node"
    assert status not in [BANNED, RETIRED], "Staking: node banned or retired"
    assert amount != 0, "Staking: nothing to stake"
    stake: stakes.Stake = stakes._read_stake(node)
    exit: stakes.Exit = stakes._read_exit(node)
    stake.bonded += amount
    exit.own += amount
    stakes._write_exit(node, exit)
    stakes._write_stake(node, stake)
    stake_votes._move(staticcall self.registry.owner_of(node), 0, amount)
    assert extcall IFX.transferFrom(msg.sender, self, amount), "Staking: transfer failed"
    log IStaking.Staked(node=node, payer=msg.sender, amount=amount)
    self._qualify(node)


@external
@nonreentrant
def unbond(node: uint32, amount: uint256):
    """
    @notice Takes stake out of work; it can be withdrawn after the unbonding time, which a further call starts anew.
            Owner only.
    """
    self._check_owner(node)
    stake: stakes.Stake = stakes._read_stake(node)
    exit: stakes.Exit = stakes._read_exit(node)
    assert amount != 0, "Staking: nothing to unbond"
    assert amount <= exit.own, "Staking: more than bonded"
    stake.bonded -= amount
    exit.own -= amount
    exit.unbonding += amount
    exit.free_at = block.timestamp + governed._parameter(keccak256("unbonding"))
    stakes._write_exit(node, exit)
    stakes._write_stake(node, stake)
    stake_votes._move(msg.sender, amount, 0)
    log IStaking.Unbonding(node=node, amount=amount, free_at=exit.free_at)
    self._disqualify(node)


@external
@nonreentrant
def withdraw(node: uint32) -> uint256:
    """
    @notice Pays what has finished unbonding to the owner, but for what is frozen. Owner only, no hold left. Where others have
            delegated nothing leaves while anything is frozen: who leaves later would bear it alone.
    """
    self._check_owner(node)
    stake: stakes.Stake = stakes._read_stake(node)
    exit: stakes.Exit = stakes._read_exit(node)
    assert stake.holds == 0, "Staking: held by an open case or batch"
    assert exit.unbonding != 0, "Staking: nothing unbonding"
    assert block.timestamp >= exit.free_at, "Staking: still unbonding"
    total: uint256 = stakes._total(node, stake)
    amount: uint256 = min(exit.unbonding, total - stake.frozen)
    if total != exit.own + exit.unbonding and stake.frozen != 0:
        amount = 0
    assert amount != 0, "Staking: frozen"
    exit.unbonding -= amount
    if exit.unbonding == 0:
        exit.free_at = 0
    stakes._write_exit(node, exit)
    assert extcall IFX.transfer(msg.sender, amount), "Staking: transfer failed"
    log IStaking.StakeWithdrawn(node=node, owner=msg.sender, amount=amount)
    return amount


@external
def bond_delegated(node: uint32, amount: uint256):
    """
    @notice Books stake that Delegation has just paid in. Delegation.
    """
    self._check_delegation()
    stake: stakes.Stake = stakes._read_stake(node)
    stake.bonded += amount
    stakes._write_stake(node, stake)
    log IStaking.DelegatedBonded(node=node, amount=amount)
    self._qualify(node)


@external
def unbond_delegated(node: uint32, amount: uint256):
    """
    @notice Takes delegated stake out of work; it can be slashed until it is paid. Delegation.
    """
    self._check_delegation()
    assert amount <= stakes._delegated(node), "Staking: more than delegated"
    stake: stakes.Stake = stakes._read_stake(node)
    stake.bonded -= amount
    stakes._write_stake(node, stake)
    stakes.delegated_unbonding[node] += amount
    log IStaking.DelegatedUnbonding(node=node, amount=amount)
    self._disqualify(node)


@external
@nonreentrant
def pay_delegated(node: uint32, to: address, amount: uint256):
    """
    @notice Pays what has finished unbonding to a delegator; nothing while anything of the node is held or frozen. Delegation.
    """
    self._check_delegation()
    stake: stakes.Stake = stakes._read_stake(node)
    assert stake.holds == 0, "Staking: held by an open case or batch"
    assert stake.frozen == 0, "Staking: frozen"
    stakes.delegated_unbonding[node] -= amount
    assert extcall IFX.transfer(to, amount), "Staking: transfer failed"
    log IStaking.DelegatedPaid(node=node, delegator=to, amount=amount)


@external
def count_votes(delegator: address, before: uint256, now: uint256):
    """
    @notice Replaces votes that a delegator has by a node [wei]. Delegation.
    """
    self._check_delegation()
    stake_votes._move(delegator, before, now)


@external
def refresh(node: uint32):
    """
    @notice Weighs a node's stake by what is required now: it is out where that is worth less than 80 % of it, and in where
            it reaches it. Anybody; NodeRegistry, when a node's speed or price changes.
    """
    stake: stakes.Stake = stakes._read_stake(node)
    before: uint256 = stake.qualified
    if before != stakes.NOW:
        if self._is_enough(node, stake):
            stake.qualified = stakes.NOW
    elif not self._keeps(node, stake, staticcall self.registry.terms(node)):
        stake.qualified = stakes.ONCE
    if stake.qualified == stakes.ONCE and msg.sender == self.registry.address:
        # Its price or speed is new: that it could work on the one before says nothing of this one.
        stake.qualified = stakes.NEVER
    stakes._write_stake(node, stake)
    if (stake.qualified == stakes.NOW) != (before == stakes.NOW):
        log IStaking.Qualified(node=node, qualified=before != stakes.NOW)


@external
def freeze(node: uint32, amount: uint256) -> uint256:
    """
    @notice Freezes up to `amount` of what is not frozen yet. Courts.
    @return Wei frozen.
    """
    courts._check_court()
    stake: stakes.Stake = stakes._read_stake(node)
    taken: uint256 = min(amount, stakes._total(node, stake) - stake.frozen)
    stake.frozen += taken
    stakes._write_stake(node, stake)
    log IStaking.Frozen(node=node, amount=taken)
    return taken


@external
def unfreeze(node: uint32, amount: uint256):
    """
    @notice Gives frozen stake free again, at most what is frozen (a slash may have taken some). Courts.
    """
    courts._check_court()
    stake: stakes.Stake = stakes._read_stake(node)
    freed: uint256 = min(amount, stake.frozen)
    stake.frozen -= freed
    stakes._write_stake(node, stake)
    log IStaking.Unfrozen(node=node, amount=freed)


@external
@nonreentrant
def slash(node: uint32, amount: uint256, reporter_share_bps: uint256, reporter: address = msg.sender) -> uint256:
    """
    @notice Takes stake, own and delegated, bonded and unbonding in proportion: half is burned, the reporter's share comes out of
            the other half, the rest goes to the penalty pool. Courts.
    @param amount Wei; taken is at most what there is.
    @param reporter_share_bps Of the whole, at most 5000; and never more than half of what the owner lost.
    @return Wei taken.
    """
    courts._check_court()
    assert reporter_share_bps <= MAX_REPORTER_BPS, "Staking: reporter's share"
    own: uint256 = stakes._read_exit(node).own
    taken: uint256 = 0
    of_owner: uint256 = 0
    taken, of_owner = stakes._take(node, amount)
    if taken == 0:
        return 0
    own_left: uint256 = stakes._read_exit(node).own
    if own_left != own:
        stake_votes._move(staticcall self.registry.owner_of(node), own, own_left)
    # Else an owner would have itself reported, and be paid out of what others delegated.
    reward: uint256 = min(taken * reporter_share_bps // BPS, of_owner // 2)
    pooled: uint256 = taken // 2 - reward
    burned: uint256 = taken - pooled - reward
    extcall IFX.burn(burned)
    if pooled != 0:
        assert extcall IFX.transfer(self.penalty_pool, pooled), "Staking: transfer failed"
    if reward != 0:
        assert extcall IFX.transfer(reporter, reward), "Staking: transfer failed"
    log IStaking.Slashed(node=node, amount=taken, burned=burned, pooled=pooled)
    self._disqualify(node)
    return taken


@external
def hold(node: uint32):
    """
    @notice Blocks withdrawal until released as often. Courts, Batches.
    """
    self._check_holder()
    stake: stakes.Stake = stakes._read_stake(node)
    stake.holds += 1
    assert stake.holds <= stakes._HOLDS, "Staking: too many holds"
    stakes._write_stake(node, stake)
    log IStaking.Held(node=node, holds=stake.holds)


@external
def release_hold(node: uint32):
    """
    @notice Takes one hold back. Courts, Batches.
    """
    self._check_holder()
    stake: stakes.Stake = stakes._read_stake(node)
    assert stake.holds != 0, "Staking: no hold"
    stake.holds -= 1
    stakes._write_stake(node, stake)
    log IStaking.HoldReleased(node=node, holds=stake.holds)


@external
@view
def required(node: uint32) -> uint256:
    """
    @notice Stake that the node needs now [wei, rounded up]; 0 for a worker without a benchmark.
    """
    return self._required(node, staticcall self.registry.terms(node))


@external
@view
def could_work(node: uint32) -> bool:
    """
    @notice Whether the node was qualified at some time since its price and speed are what they are.
    """
    return stakes._read_stake(node).qualified != stakes.NEVER


@external
@view
def is_bonded(node: uint32) -> bool:
    """
    @notice Active, qualified, and bonded less frozen still worth 80 % of what is required now.
    """
    stake: stakes.Stake = stakes._read_stake(node)
    if stake.qualified != stakes.NOW:
        return False
    terms: INodeRegistry.Terms = staticcall self.registry.terms(node)
    return terms.status == ACTIVE and self._keeps(node, stake, terms)


@internal
@view
def _check_owner(node: uint32):
    assert msg.sender == staticcall self.registry.owner_of(node), "Staking: not the node's owner"


@internal
@view
def _check_delegation():
    assert msg.sender == self.delegation, "Staking: not Delegation"


@internal
@view
def _check_holder():
    assert courts.is_court[msg.sender] or msg.sender == self.batches, "Staking: not a court or Batches"


@internal
@view
def _required(node: uint32, terms: INodeRegistry.Terms) -> uint256:
    usd: uint256 = 0
    if terms.role == WORKER:
        # S = 2 x E x IB x P: twice what an epoch of full work would earn
        minutes: uint256 = governed._parameter(keccak256("epoch_length")) // 60
        price: uint256 = max(convert(terms.price, uint256), governed._parameter(keccak256("price_default")))
        usd = 2 * minutes * convert(terms.ib, uint256) * price // 10**6
        usd = max(usd, 2 * minutes * staticcall self.registry.dearest(node))
    elif terms.role == VERIFIER:
        usd = governed._parameter(keccak256("verifier_bond"))
    elif terms.role == MANAGER:
        usd = governed._parameter(keccak256("manager_bond"))
    ifx_price: uint256 = staticcall self.market.price()
    return (usd * 10**18 + ifx_price - 1) // ifx_price


@internal
@view
def _is_enough(node: uint32, stake: stakes.Stake) -> bool:
    terms: INodeRegistry.Terms = staticcall self.registry.terms(node)
    needed: uint256 = self._required(node, terms)
    return needed != 0 and stake.bonded >= needed + stake.frozen


@internal
@view
def _keeps(node: uint32, stake: stakes.Stake, terms: INodeRegistry.Terms) -> bool:
    if stake.bonded <= stake.frozen:
        return False
    return (stake.bonded - stake.frozen) * BPS >= self._required(node, terms) * KEEP_BPS


@internal
def _qualify(node: uint32):
    stake: stakes.Stake = stakes._read_stake(node)
    if stake.qualified != stakes.NOW and self._is_enough(node, stake):
        stake.qualified = stakes.NOW
        stakes._write_stake(node, stake)
        log IStaking.Qualified(node=node, qualified=True)


@internal
def _disqualify(node: uint32):
    # After stake was taken out or slashed: what is left has to be the whole again. Else 80 % keep a node in.
    stake: stakes.Stake = stakes._read_stake(node)
    if stake.qualified == stakes.NOW and not self._is_enough(node, stake):
        stake.qualified = stakes.ONCE
        stakes._write_stake(node, stake)
        log IStaking.Qualified(node=node, qualified=False)
