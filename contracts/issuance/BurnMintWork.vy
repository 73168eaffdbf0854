# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
"""
@title BurnMintWork
@license AGPL-3.0-only
@author Inferix
@notice Closes epochs in order and mints for each, to Accounts, the lesser of an even share of what is left of the budgets
        and a multiple of what fees bought and burned and no epoch was minted for yet. An epoch without final work mints
        nothing, and what was burned until then counts for the next one with work; what is not minted stays in the
        budgets, and after the last epoch nothing more is minted. Where the multiple is one, no more is minted than fees
        paid for: doing work for oneself costs more than it brings, but to who also checks all of it and has its lane.
        What the penalty pool holds goes along to Accounts, for the epoch's verifiers: it is not minted, and no budget's.
        Epochs are those of Batches' clock. The budgets of workers, verifiers and managers are parts of one: 30 : 6 : 1.
@custom:kill Guardian: `Parameters.pause` stops `close_epoch`; epochs then are closed later, each with its own work.
"""

from ..interfaces import IBatches
from ..interfaces import IBurnMintWork
from ..interfaces import IFeeBurner
from ..interfaces import IIFX
from ..interfaces import IPenaltyPool
from ..modules import governed

implements: IBurnMintWork
initializes: governed


exports: (governed.parameters, governed.wired)


interface Epochs:
    def genesis() -> uint256: view
    def epoch_length() -> uint256: view


BUDGET: public(constant(uint256)) = 462_500_000 * 10**18
# Parts of what is minted: workers, verifiers, managers
WORKERS_PART: public(constant(uint256)) = 30
VERIFIERS_PART: public(constant(uint256)) = 6
MANAGERS_PART: public(constant(uint256)) = 1
_PARTS: constant(uint256) = 37

_LOW_96: constant(uint256) = 2**96 - 1
_LOW_128: constant(uint256) = 2**128 - 1


genesis: public(immutable(uint256))
epoch_length: public(immutable(uint256))
_IFX: immutable(IIFX)
_BATCHES: immutable(IBatches)


accounts: public(address)
fee_burner: public(IFeeBurner)
penalty_pool: public(IPenaltyPool)

# Epochs closed so far: the index of the next one to close
closed: public(uint256)
# Wei minted so far
minted: public(uint256)
# Wei that Accounts got so far: minted, and out of the penalty pool
rewards: public(uint256)
# What the FeeBurner had burned at the last close of an epoch with work [wei]
_burned: uint256

# epoch => closed_at << 192 | total_rewards << 96 | total_charge
_totals: HashMap[uint256, uint256]
# epoch => charge << 128 | work
_flows: HashMap[uint256, uint256]
# epoch => burned << 128 | minted
_mints: HashMap[uint256, uint256]


@deploy
def __init__(parameters: address, ifx: address, batches: address):
    """
    @notice Starts with no epoch closed.
    """
    governed.__init__(parameters)
    assert ifx != empty(address), "BurnMintWork: empty address"
    _IFX = IIFX(ifx)
    _BATCHES = IBatches(batches)
    genesis = staticcall Epochs(batches).genesis()
    epoch_length = staticcall Epochs(batches).epoch_length()


@external
def wire(accounts: address, fee_burner: address, penalty_pool: address):
    """
    @notice Names who is minted to, who burns, and who keeps what was slashed. The deployer, once.
    """
    governed._wire_once()
    assert empty(address) not in [accounts, fee_burner, penalty_pool], "BurnMintWork: empty address"
    self.accounts = accounts
    self.fee_burner = IFeeBurner(fee_burner)
    self.penalty_pool = IPenaltyPool(penalty_pool)


@external
def close_epoch() -> uint256:
    """
    @notice Closes the oldest open epoch that is over, and mints for it. Anybody, not while paused.
    @return Wei minted.
    """
    governed._check_running()
    index: uint256 = self.closed
    assert self.accounts != empty(address), "BurnMintWork: not wired"
    assert block.timestamp >= self._end(index), "BurnMintWork: epoch not over"
    charge: uint256 = 0
    work: uint256 = 0
    charge, work = staticcall _BATCHES.epoch_totals(convert(index, uint32))
    burned: uint256 = 0
    amount: uint256 = 0
    pooled: uint256 = 0
    if work != 0:
        # Fees are burned when the market sells: what came after the work it paid for is not lost in an epoch without any.
        burned_before: uint256 = self._burned
        self._burned = staticcall self.fee_burner.burned()
        burned = self._burned - burned_before
        amount = self._emission(index, burned)
        pooled = extcall self.penalty_pool.release()
    self.closed = index + 1
    self.minted += amount
    self.rewards += amount + pooled
    total_charge: uint256 = charge
    if index != 0:
        total_charge += self._totals[index - 1] & _LOW_96
    self._totals[index] = block.timestamp << 192 | self.rewards << 96 | total_charge
    self._flows[index] = charge << 128 | work
    self._mints[index] = burned << 128 | amount
    if amount != 0:
        extcall _IFX.mint(self.accounts, amount)
    log IBurnMintWork.EpochClosed(
        epoch=convert(index, uint32), work=work, charge=charge, burned=burned, minted=amount, pooled=pooled
    )
    return amount


@external
@view
def epoch() -> uint256:
    """
    @notice Index of the present epoch, from 0.
    """
    return (block.timestamp - genesis) // epoch_length


@external
@view
def epoch_end(epoch: uint256) -> uint256:
    """
    @notice First second after an epoch [s].
    """
    return self._end(epoch)


@external
@view
def totals_at(epoch: uint256) -> (uint256, uint256):
    """
    @notice Charges that became final [nano-USD] and wei that Accounts got, of all epochs up to this closed one.
    """
    assert epoch < self.closed, "BurnMintWork: epoch not closed"
    word: uint256 = self._totals[epoch]
    return word & _LOW_96, word >> 96 & _LOW_96


@external
@view
def epoch_info(epoch: uint256) -> IBurnMintWork.EpochInfo:
    """
    @notice What a closed epoch came to; empty before its close.
    """
    totals: uint256 = self._totals[epoch]
    work: uint256 = self._flows[epoch] & _LOW_128
    amount: uint256 = self._mints[epoch] & _LOW_128
    pooled: uint256 = 0
    if totals != 0:
        pooled = (totals >> 96 & _LOW_96) - amount
        if epoch != 0:
            pooled -= self._totals[epoch - 1] >> 96 & _LOW_96
    price: uint256 = 0
    if work != 0:
        price = amount * WORKERS_PART // _PARTS * 10**9 // work
    return IBurnMintWork.EpochInfo(
        work=work,
        charge=self._flows[epoch] >> 128,
        burned=self._mints[epoch] >> 128,
        minted=amount,
        pooled=pooled,
        price_of_work=price,
        total_charge=totals & _LOW_96,
        total_rewards=totals >> 96 & _LOW_96,
        closed_at=totals >> 192,
    )


@internal
@view
def _end(epoch: uint256) -> uint256:
    return genesis + (epoch + 1) * epoch_length


@internal
@view
def _emission(index: uint256, burned: uint256) -> uint256:
    # min(even share of what is left, multiple of what the whole fees bought would have been worth)
    epochs: uint256 = governed._parameter(keccak256("epochs"))
    if index >= epochs:
        return 0
    share: uint256 = (BUDGET - self.minted) // (epochs - index)
    multiple: uint256 = governed._parameter(keccak256("mint_multiple_bps"))
    paid: uint256 = burned * multiple // governed._parameter(keccak256("burn_bps"))
    return min(min(share, paid), staticcall _IFX.mintable())
