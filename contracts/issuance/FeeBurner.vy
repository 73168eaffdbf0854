# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
"""
@title FeeBurner
@license AGPL-3.0-only
@author Inferix
@notice Takes the charges of final batches out of IfxDollar, coin by coin: most of it buys IFX, which is burned; of the rest a
        part is kept for the managers, in proportion to the final charges of their lanes, and what remains for the
        foundation. What the market does not sell at once for waits here, and whoever calls next goes on with it.
@custom:security Anybody may collect, so a purchase never pays more than `swap_slippage_bps` over the market's mean price, nor
                 more in one call than the market offers.
@custom:kill The governor names another market; what waits is spent there. Coins that arrive otherwise than by `collect` stay
             here.
"""

from ethereum.ercs import IERC20

from ..interfaces import IBatches
from ..interfaces import IFeeBurner
from ..interfaces import IIFX
from ..interfaces import IIfxDollar
from ..interfaces import IMarket
from ..interfaces import INodeRegistry
from ..modules import foundation_part
from ..modules import governed
from ..modules import payments

implements: IFeeBurner
initializes: foundation_part
initializes: governed


exports: (
    governed.parameters,
    foundation_part.foundation,
    foundation_part.foundation_due,
    foundation_part.pay_foundation,
)


BPS: constant(uint256) = 10_000
BANNED: constant(uint8) = 4


_IFX: immutable(IIFX)
_IFX_DOLLAR: immutable(IIfxDollar)
_BATCHES: immutable(IBatches)
_REGISTRY: immutable(INodeRegistry)


market: public(IMarket)
# Wei burned so far
burned: public(uint256)
# coin => units that wait to buy IFX
to_burn: public(HashMap[address, uint256])
# coin => units collected so far, units kept for managers so far, and units of these not yet paid
collected: public(HashMap[address, uint256])
kept: public(HashMap[address, uint256])
unpaid: public(HashMap[address, uint256])
# manager => coin => units paid so far
paid: public(HashMap[uint32, HashMap[address, uint256]])


event MarketSet:
    market: indexed(address)


@deploy
def __init__(
    parameters: address,
    ifx: address,
    ifx_dollar: address,
    batches: address,
    registry: address,
    market: address,
    foundation_: address,
):
    """
    @notice Starts empty.
    """
    governed.__init__(parameters)
    assert empty(address) not in [ifx, ifx_dollar, batches, registry, foundation_], "FeeBurner: empty address"
    _IFX = IIFX(ifx)
    _IFX_DOLLAR = IIfxDollar(ifx_dollar)
    _BATCHES = IBatches(batches)
    _REGISTRY = INodeRegistry(registry)
    foundation_part.__init__(foundation_)
    self._set_market(market)


@external
def set_market(market: address):
    """
    @notice Where IFX is bought: the reference market first, a pool later. Governor only.
    """
    governed._check_governor()
    self._set_market(market)


@external
@nonreentrant
def collect(coin: address) -> uint256:
    """
    @notice Takes the final charges in a coin that were not taken yet, keeps the foundation's part, and buys IFX, which is burned, for as
            much of what waits as the market offers now. Anybody; refused when there is nothing to take nor to buy.
    @return Wei burned.
    """
    terms: IIfxDollar.Coin = staticcall _IFX_DOLLAR.coin(coin)
    assert terms.index != 0, "FeeBurner: no such coin"
    before: uint256 = staticcall IERC20(coin).balanceOf(self)
    extcall _IFX_DOLLAR.release(coin)
    amount: uint256 = staticcall IERC20(coin).balanceOf(self) - before
    share: uint256 = amount * governed._parameter(keccak256("burn_bps")) // BPS
    waiting: uint256 = self.to_burn[coin]
    offered: uint256 = 0
    price: uint256 = 0
    offered, price = staticcall self.market.offer(self, coin)
    spent: uint256 = min(waiting + share, offered)
    if amount == 0:
        assert waiting != 0, "FeeBurner: nothing to collect"
        assert spent != 0, "FeeBurner: the market sells nothing now"
    if share != spent:
        self.to_burn[coin] = waiting + share - spent
    if amount != 0:
        self._divide(coin, amount, amount - share)
    bought: uint256 = 0
    if spent != 0:
        bought = self._burn(coin, spent, spent * 10**27 // (terms.scale * price))
    return bought


@external
@nonreentrant
def claim_manager(manager: uint32, coin: address) -> uint256:
    """
    @notice Pays a manager's owner its part of what was kept in a coin: as much of it as its lane's final charges are of what
            was collected. Charges that were not collected yet count as soon as there is money. Anybody; not for a
            banned manager.
    @return Units of the coin paid.
    """
    owner: address = staticcall _REGISTRY.owner_of(manager)
    assert owner != empty(address), "FeeBurner: no such manager"
    assert (staticcall _REGISTRY.terms(manager)).status != BANNED, "FeeBurner: manager banned"
    terms: IIfxDollar.Coin = staticcall _IFX_DOLLAR.coin(coin)
    assert self.collected[coin] != 0, "FeeBurner: nothing collected"
    charged: uint256 = staticcall _BATCHES.final_charge_of(manager, terms.index) * terms.scale // 10**9
    earned: uint256 = charged * self.kept[coin] // self.collected[coin]
    before: uint256 = self.paid[manager][coin]
    assert earned > before, "FeeBurner: nothing to claim"
    amount: uint256 = min(earned - before, self.unpaid[coin])
    assert amount != 0, "FeeBurner: collect first"
    self.paid[manager][coin] = before + amount
    self.unpaid[coin] -= amount
    payments._pay(coin, owner, amount)
    log IFeeBurner.ManagerPaid(manager=manager, coin=coin, amount=amount)
    return amount


@internal
def _set_market(market: address):
    assert staticcall IMarket(market).price() != 0, "FeeBurner: no price"
    self.market = IMarket(market)
    log MarketSet(market=market)


@internal
def _divide(coin: address, amount: uint256, rest: uint256):
    # Of what was collected, the rest is the managers' and the foundation's.
    managers: uint256 = amount * governed._parameter(keccak256("manager_fee_bps")) // BPS
    self.collected[coin] += amount
    self.kept[coin] += managers
    self.unpaid[coin] += managers
    foundation_part._keep(coin, rest - managers)
    log IFeeBurner.Collected(coin=coin, amount=amount, foundation=rest - managers, managers=managers)


@internal
def _burn(coin: address, amount: uint256, expected: uint256) -> uint256:
    # Measured, and held to the market's mean price: whoever calls `collect` may be out to move a pool. Not a unit more
    # than was to be spent leaves: what else is here is the managers'.
    minimum: uint256 = expected * (BPS - governed._parameter(keccak256("swap_slippage_bps"))) // BPS
    coins: uint256 = staticcall IERC20(coin).balanceOf(self)
    before: uint256 = staticcall _IFX.balanceOf(self)
    assert extcall IERC20(coin).approve(
        self.market.address, amount, default_return_value=True
    ), "FeeBurner: approval failed"
    extcall self.market.buy(coin, amount, minimum)
    bought: uint256 = staticcall _IFX.balanceOf(self) - before
    assert bought != 0 and bought >= minimum, "FeeBurner: bought too little"
    assert staticcall IERC20(coin).balanceOf(self) + amount == coins, "FeeBurner: not what was to be spent"
    extcall _IFX.burn(bought)
    self.burned += bought
    log IFeeBurner.FeesBurned(coin=coin, spent=amount, burned=bought)
    return bought
