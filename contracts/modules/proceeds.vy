# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title proceeds
@license AGPL-3.0-only
@author Inferix
@notice The money of the licence sale: the coins it takes and at what rate, commissions, and what is held for the buyback. Stablecoins
        count as 1 USD, wrapped native at a rate that somebody sets and that is good for a day. Commissions are owed to their owners
        and lie apart from the proceeds, which are whatever else is here. A part of NodeSale, whose name its reasons bear.
@custom:kill The governor stops taking a coin; commissions are always paid.
"""

from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed
from ..interfaces import IBuyback
from ..interfaces import INodeSale
from . import governed
from . import payments

uses: governed


BPS: constant(uint256) = 10_000
NANO: constant(uint256) = 10**9
NANO_PER_CENT: constant(uint256) = 10**7
RATE_TERM: constant(uint256) = 86_400
# For whoever profits from a rate that is behind, it has to be fresher.
EXCHANGE_TERM: constant(uint256) = 3_600
# The setter moves the rate by at most a fifth, once an hour.
MOVE: constant(uint256) = 5
MOVE_BREAK: constant(uint256) = 3_600

# A coin's word: rated_at << 112 | rate << 16 | decimals << 8 | accepted
_RATE: constant(uint256) = 2**96 - 1
_TIME: constant(uint256) = 2**40 - 1
_BYTE: constant(uint256) = 2**8 - 1


native: public(immutable(address))
treasury: public(immutable(address))


buyback: public(IBuyback)
rate_setter: public(address)
# owner => coin => units owed to it, and coin => units owed in all
commission: public(HashMap[address, HashMap[address, uint256]])
owed: public(HashMap[address, uint256])
# coin => units paid to the treasury so far
released: public(HashMap[address, uint256])
_coins: HashMap[address, uint256]


@deploy
def __init__(native_: address, treasury_: address):
    assert empty(address) not in [native_, treasury_], "NodeSale: empty address"
    native = native_
    treasury = treasury_


@external
def accept_coin(coin: address, accepted: bool):
    """
    @notice Takes a coin in payment, or no longer: the wrapped native one at its rate, any other as 1 USD. Governor only.
    """
    governed._check_governor()
    word: uint256 = self._coins[coin]
    if word == 0:
        decimals: uint256 = convert(staticcall IERC20Detailed(coin).decimals(), uint256)
        assert decimals >= 2 and decimals <= 18, "NodeSale: decimals"
        word = decimals << 8
        if coin != native:
            word |= NANO << 16
    self._coins[coin] = (word | 1) if accepted else (word & ~convert(1, uint256))
    log INodeSale.CoinAccepted(coin=coin, accepted=accepted)


@external
def set_rate_setter(setter: address):
    """
    @notice Names who keeps the rate of wrapped native. Governor only.
    """
    governed._check_governor()
    self.rate_setter = setter
    log INodeSale.RateSetterSet(setter=setter)


@external
def set_rate(rate: uint256):
    """
    @notice Sets what a whole coin of wrapped native is worth [nano-USD]. The governor; or the rate setter, by at most a fifth and an
            hour after the last, so that a captured key cannot sell everything for nothing before the guardian notices.
    """
    word: uint256 = self._coins[native]
    assert word != 0, "NodeSale: unknown coin"
    assert rate != 0 and rate <= _RATE, "NodeSale: no rate"
    if msg.sender == self.rate_setter:
        last: uint256 = word >> 16 & _RATE
        assert last != 0, "NodeSale: the governor sets the first rate"
        assert block.timestamp >= (word >> 112) + MOVE_BREAK, "NodeSale: once an hour"
        assert (max(rate, last) - min(rate, last)) * MOVE <= last, "NodeSale: moves more than a fifth"
    else:
        governed._check_governor()
    self._coins[native] = block.timestamp << 112 | rate << 16 | word & (2**16 - 1)
    log INodeSale.RateSet(rate=rate)


@external
@nonreentrant
def claim_commission(owner: address, coin: address) -> uint256:
    """
    @notice Pays an owner of codes what it earned in a coin. Anybody.
    @return Units paid.
    """
    units: uint256 = self.commission[owner][coin]
    assert units != 0, "NodeSale: no commission"
    self.commission[owner][coin] = 0
    self.owed[coin] -= units
    payments._pay(coin, owner, units)
    log INodeSale.CommissionClaimed(owner=owner, coin=coin, units=units)
    return units


@external
@nonreentrant
def release(coin: address) -> uint256:
    """
    @notice Pays the treasury what is not held for the buyback: the rest of `buyback_bps` before its window, nothing while it runs,
            everything when it is settled. Anybody.
    @return Units paid.
    """
    units: uint256 = self._held(coin)
    if not staticcall self.buyback.settled():
        assert block.timestamp < staticcall self.buyback.opens_at(), "NodeSale: held for the buyback"
        before: uint256 = self.released[coin]
        free: uint256 = (units + before) * (BPS - governed._parameter(keccak256("buyback_bps"))) // BPS
        assert free > before, "NodeSale: held for the buyback"
        units = free - before
    assert units != 0, "NodeSale: nothing to release"
    self.released[coin] += units
    payments._pay(coin, treasury, units)
    log INodeSale.ProceedsReleased(coin=coin, units=units)
    return units


@external
@nonreentrant
def exchange(coin: address, native_: uint256, minimum: uint256) -> uint256:
    """
    @notice Gives proceeds in a coin for wrapped native at the rate, no older than an hour, from the opening of the buyback's window to its
            settlement and as far as the buyback wants wrapped native. Anybody.
    @param native_ Wei from the caller's allowance.
    @param minimum Units of the coin; less is refused.
    @return Units paid to the caller.
    """
    assert coin != native, "NodeSale: the same coin"
    assert block.timestamp >= staticcall self.buyback.opens_at(), "NodeSale: buyback not open"
    assert not staticcall self.buyback.settled(), "NodeSale: buyback settled"
    word: uint256 = self._coins[native]
    assert block.timestamp <= (word >> 112) + EXCHANGE_TERM, "NodeSale: rate too old"
    wanted: uint256 = self._units(word, staticcall self.buyback.wanted(2), False)
    assert self._held(native) + native_ <= wanted, "NodeSale: more than is wanted"
    # Rounded down twice, against the caller
    value_: uint256 = native_ * (word >> 16 & _RATE) // 10 ** (word >> 8 & _BYTE)
    units: uint256 = self._units(self._coins[coin], value_, False)
    assert units != 0 and units >= minimum, "NodeSale: less than the minimum"
    assert units <= self._held(coin), "NodeSale: not enough of the coin"
    self._take(native, native_)
    payments._pay(coin, msg.sender, units)
    log INodeSale.Exchanged(coin=coin, units=units, native=native_)
    return units


@external
@nonreentrant
def fund_buyback(value_: uint256) -> uint256:
    """
    @notice Takes wrapped native worth `value_` nano-USD, or all there is: also when the rate is too old to tell. Buyback only.
    @return Wei paid.
    """
    assert msg.sender == self.buyback.address, "NodeSale: not the buyback"
    units: uint256 = self._held(native)
    word: uint256 = self._coins[native]
    if value_ == 0:
        units = 0
    elif block.timestamp <= (word >> 112) + RATE_TERM:
        units = min(units, self._units(word, value_, False))
    payments._pay(native, msg.sender, units)
    log INodeSale.BuybackFunded(native=units)
    return units


@external
@view
def native_for(value_: uint256) -> uint256:
    """
    @notice Wrapped native worth `value_` nano-USD, rounded down [wei]; reverts when the rate is older than a day.
    """
    word: uint256 = self._coins[native]
    self._check_rate(word)
    return self._units(word, value_, False)


@external
@view
def coin(coin: address) -> INodeSale.Coin:
    """
    @notice A coin; empty when it was never accepted.
    """
    word: uint256 = self._coins[coin]
    return INodeSale.Coin(
        accepted=word & 1 == 1,
        decimals=convert(word >> 8 & _BYTE, uint8),
        rate=convert(word >> 16 & _RATE, uint96),
        rated_at=convert(word >> 112, uint40),
    )


@external
@view
def held(coin: address) -> uint256:
    """
    @notice Proceeds that are still here [units]: commissions are not.
    """
    return self._held(coin)


@internal
@view
def _held(coin: address) -> uint256:
    return staticcall IERC20(coin).balanceOf(self) - self.owed[coin]


@internal
@view
def _check_rate(word: uint256):
    assert block.timestamp <= (word >> 112) + RATE_TERM, "NodeSale: rate too old"


@internal
@view
def _due(coin: address, cents: uint256) -> uint256:
    # Units of the coin that are worth so many USD cents, rounded up
    word: uint256 = self._coins[coin]
    assert word & 1 == 1, "NodeSale: coin not accepted"
    if coin == native:
        self._check_rate(word)
    return self._units(word, cents * NANO_PER_CENT, True)


@internal
@pure
def _units(word: uint256, value_: uint256, up: bool) -> uint256:
    # Units of a coin worth `value_` nano-USD
    rate: uint256 = word >> 16 & _RATE
    assert rate != 0, "NodeSale: no rate"
    scaled: uint256 = value_ * 10 ** (word >> 8 & _BYTE)
    if up:
        scaled += rate - 1
    return scaled // rate


@internal
def _owe(owner: address, coin: address, units: uint256):
    self.commission[owner][coin] += units
    self.owed[coin] += units


@internal
def _take(coin: address, units: uint256):
    before: uint256 = staticcall IERC20(coin).balanceOf(self)
    assert extcall IERC20(coin).transferFrom(
        msg.sender, self, units, default_return_value=True
    ), "NodeSale: transfer failed"
    # The price is what arrives: a coin that keeps a fee would be a rebate.
    assert staticcall IERC20(coin).balanceOf(self) >= before + units, "NodeSale: less arrived than is due"
