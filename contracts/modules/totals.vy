# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title totals
@license AGPL-3.0-only
@author Inferix
@notice What became final: charges by coin and by manager, cumulative; charges and work by epoch. Epochs are counted from a
        genesis by the block's clock: an epoch that is over gains nothing any more, whenever it is closed. Charges of leases
        count under their coin's marked index, as if of another coin: nobody has to tell them from others later.
@custom:kill None: it only counts.
"""

from . import governed
from . import lease
from . import merkle_sum

uses: governed


_LOW_24: constant(uint256) = 2**24 - 1
_LOW_64: constant(uint256) = 2**64 - 1
_LOW_96: constant(uint256) = 2**96 - 1
_WORK_BITS: constant(uint256) = 72


genesis: public(immutable(uint256))
epoch_length: public(immutable(uint256))


# A coin, one word: work of its epoch << 184 | charge of its epoch << 120 | epoch << 96 | charge, cumulative
struct Total:
    charge: uint256
    # The newest epoch in which a batch in this coin became final
    epoch: uint256
    epoch_charge: uint256
    epoch_work: uint256


_coins: HashMap[uint8, uint256]
# coin => a past epoch => charge << 128 | work
_past: HashMap[uint8, HashMap[uint256, uint256]]
# manager => coin => charge, cumulative
_charges: HashMap[uint32, HashMap[uint8, uint256]]
# Highest coin that a final batch ever named, marked or not
_coin_count: uint8


@deploy
def __init__(genesis_: uint256):
    genesis = genesis_
    # Fixed for good: an epoch's index must always mean the same seconds.
    epoch_length = governed._parameter(keccak256("epoch_length"))
    assert genesis_ % epoch_length == 0, "totals: genesis not aligned"
    assert genesis_ <= block.timestamp and block.timestamp < genesis_ + epoch_length, "totals: now is not in epoch 0"


@external
@view
def final_charge(coin: uint8) -> uint256:
    """
    @notice Charges of final batches in this coin, less void leaves, cumulative [nano-USD]; of a marked index, of leases.
    """
    return self._coins[coin] & _LOW_96


@external
@view
def final_charge_of(manager: uint32, coin: uint8) -> uint256:
    """
    @notice A manager's part of `final_charge`.
    """
    return self._charges[manager][coin]


@external
@view
def epoch_totals(epoch: uint32) -> (uint256, uint256):
    """
    @notice Charges [nano-USD] and work [nano-IBM] of the batches, of all coins, that became final in an epoch.
    """
    charge: uint256 = 0
    work: uint256 = 0
    at: uint256 = convert(epoch, uint256)
    for i: uint256 in range(convert(self._coin_count, uint256), bound=127):
        coin: uint8 = convert(i + 1, uint8)
        sums: uint256 = self._sums_of(coin, at)
        # Leases are no work.
        leases: uint256 = self._sums_of(coin | lease.MARK, at)
        charge += merkle_sum._high(sums) + merkle_sum._high(leases)
        work += merkle_sum._low(sums)
    return charge, work


@internal
@view
def _epoch() -> uint256:
    return (block.timestamp - genesis) // epoch_length


@internal
def _count(manager: uint32, coin: uint8, epoch: uint256, charge: uint256, work: uint256):
    # Counts a batch that becomes final now.
    total: Total = self._read_total(coin)
    if total.epoch != epoch:
        # The first one of an epoch puts the totals of the epoch before away; epochs without a batch stay 0.
        self._past[coin][total.epoch] = merkle_sum._pack(total.epoch_charge, total.epoch_work)
        total.epoch = epoch
        total.epoch_charge = 0
        total.epoch_work = 0
    total.charge += charge
    total.epoch_charge += charge
    total.epoch_work += work
    assert total.charge <= _LOW_96 and total.epoch_charge <= _LOW_64, "totals: charges too large to count"
    assert total.epoch_work < 1 << _WORK_BITS, "totals: work too large to count"
    if total.charge == charge and lease._coin(coin) > self._coin_count:
        self._coin_count = lease._coin(coin)
    self._coins[coin] = total.epoch_work << 184 | total.epoch_charge << 120 | epoch << 96 | total.charge
    self._charges[manager][coin] += charge


@internal
@view
def _sums_of(coin: uint8, epoch: uint256) -> uint256:
    # Charge and work of an epoch.
    total: Total = self._read_total(coin)
    if total.epoch == epoch:
        return merkle_sum._pack(total.epoch_charge, total.epoch_work)
    return self._past[coin][epoch]


@internal
@view
def _read_total(coin: uint8) -> Total:
    word: uint256 = self._coins[coin]
    return Total(
        charge=word & _LOW_96,
        epoch=word >> 96 & _LOW_24,
        epoch_charge=word >> 120 & _LOW_64,
        epoch_work=word >> 184,
    )
