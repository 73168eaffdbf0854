# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
"""
@title Buyback
@license AGPL-3.0-only
@author Inferix
@notice Buys sold licences back, in one window of 7 days, half a year after TGE. For owners who took part in more than 66.7 % of the epochs, are
        not banned, and have retired the licence's nodes: option 1, all that was paid, in IFX over 30 days from the settlement on;
        option 2, 80 % of it at once in wrapped native at the rate of the claim. A licence that was given away is not bought. A licence
        that is offered waits here, and can be taken back until something was paid for it; then it is the treasury's, which may burn it.
        Two days after the window, in which proceeds can be exchanged for wrapped native, anybody settles: where a pool is short, each
        request has its part of it in proportion to what was paid for the licence, whoever claims first.
@custom:security Participation is the governor's list, a Merkle root with the document that anybody recomputes from the anchored probes; it stands
                 a week before the window or counts for nothing: without it nobody is asked. A stake may still be
                 unbonding when a licence is offered: a ban ends its owner's claims, not the node's case.
@custom:kill None: what is offered can be taken back, what is settled is paid.
"""

from ethereum.ercs import IERC20
from ethereum.ercs import IERC721
from ..interfaces import IBuyback
from ..interfaces import IIFX
from ..interfaces import IMarket
from ..interfaces import INodeLicence
from ..interfaces import INodeRegistry
from ..interfaces import INodeSale
from ..modules import governed
from ..modules import merkle_proof
from ..modules import payments

implements: IBuyback
initializes: governed


exports: governed.parameters


IN_IFX: constant(uint8) = 1
IN_NATIVE: constant(uint8) = 2
RETIRED: constant(uint8) = 5

BPS: constant(uint256) = 10_000
NATIVE_BPS: public(constant(uint256)) = 8_000
# More than this share of the epochs since the purchase
PARTICIPATION_BPS: public(constant(uint256)) = 6_670
# Half of 365 days
DELAY: public(constant(uint256)) = 15_768_000
WINDOW: public(constant(uint256)) = 7 * 86400
# How long before the window the list of participations must stand, so that it can be recomputed
NOTICE: public(constant(uint256)) = 7 * 86400
# From the window's end to the settlement
EXCHANGE_TERM: public(constant(uint256)) = 2 * 86400
LINEAR: public(constant(uint256)) = 30 * 86400
# From the settlement to the sweep
CLAIM_TERM: public(constant(uint256)) = 90 * 86400


_SALE: immutable(INodeSale)
_LICENCES: immutable(INodeLicence)
_REGISTRY: immutable(INodeRegistry)
_IFX: immutable(IIFX)
_NATIVE: immutable(IERC20)
treasury: public(immutable(address))
opens_at: public(immutable(uint256))


market: public(IMarket)
participation_root: public(bytes32)

# option => nano-USD that were paid for the licences offered; fixed by the settlement
wanted: public(HashMap[uint8, uint256])
# option => wei that the settlement set aside
pool: public(HashMap[uint8, uint256])
settled_at: public(uint256)
_requests: HashMap[uint256, IBuyback.Request]


event MarketSet:
    market: indexed(address)


@deploy
def __init__(
    parameters: address,
    sale: address,
    licences: address,
    registry: address,
    ifx: address,
    market_: address,
    treasury_: address,
    tge: uint256,
):
    """
    @notice Any IFX sent here is for option 1, any wrapped native for option 2.
    @param tge The window opens half a year after this second.
    """
    governed.__init__(parameters)
    assert empty(address) not in [sale, licences, registry, ifx, treasury_], "Buyback: empty address"
    assert tge != 0, "Buyback: no TGE"
    _SALE = INodeSale(sale)
    _LICENCES = INodeLicence(licences)
    _REGISTRY = INodeRegistry(registry)
    _IFX = IIFX(ifx)
    _NATIVE = IERC20(staticcall INodeSale(sale).native())
    treasury = treasury_
    opens_at = tge + DELAY
    self._set_market(market_)


@external
def set_market(market_: address):
    """
    @notice Whose price of IFX counts at the settlement. Governor only.
    """
    governed._check_governor()
    self._set_market(market_)


@external
def post_participation(root: bytes32, data: bytes32):
    """
    @notice Posts the list of participations, or another in its place, until a week before the window. Governor only.
    @param root Of OpenZeppelin's StandardMerkleTree over (uint256 licence, uint256 basis points): the share of the epochs since its
                purchase in which at least 90 % of the probes were answered.
    @param data Digest of the document that holds the list.
    """
    governed._check_governor()
    assert block.timestamp + NOTICE <= opens_at, "Buyback: less than a week before the window"
    self.participation_root = root
    log IBuyback.ParticipationPosted(root=root, data=data)


@external
@nonreentrant
def request(licence: uint256, option: uint8, participation: uint256, proof: DynArray[bytes32, 32]):
    """
    @notice Offers a licence, which moves here: approve it first. Its owner, in the window.
    @param option 1 all that was paid, in IFX over 30 days; 2 80 % of it at once in wrapped native.
    @param participation Basis points, as in the list.
    @param proof Of the leaf (licence, participation); none is asked for where no list was posted.
    """
    assert block.timestamp >= opens_at and block.timestamp < opens_at + WINDOW, "Buyback: not in the window"
    assert option in [IN_IFX, IN_NATIVE], "Buyback: no such option"
    assert staticcall _LICENCES.ownerOf(licence) == msg.sender, "Buyback: not the licence's owner"
    paid: uint256 = staticcall _LICENCES.paid(licence)
    assert paid != 0, "Buyback: given away"
    self._check_participation(licence, participation, proof)
    self._check_not_banned(msg.sender, licence)
    self._check_retired(licence)
    self._requests[licence] = IBuyback.Request(owner=msg.sender, option=option, paid=paid, received=0)
    self.wanted[option] += paid
    extcall IERC721(_LICENCES.address).transferFrom(msg.sender, self, licence)
    log IBuyback.Requested(licence=licence, owner=msg.sender, option=option, paid=paid)


@external
@nonreentrant
def take_back(licence: uint256):
    """
    @notice Returns a licence for which nothing was paid yet, for good when the window is over. Whoever offered it.
    """
    request: IBuyback.Request = self._requests[licence]
    assert msg.sender == request.owner, "Buyback: not who offered it"
    assert request.received == 0, "Buyback: paid for"
    self._requests[licence] = empty(IBuyback.Request)
    # What a settlement gave to others stays theirs: nobody's part depends on who leaves after it.
    if self.settled_at == 0:
        self.wanted[request.option] -= request.paid
    extcall IERC721(_LICENCES.address).transferFrom(self, msg.sender, licence)
    log IBuyback.TakenBack(licence=licence, owner=msg.sender)


@external
@nonreentrant
def settle():
    """
    @notice Fixes the price of IFX and both pools; the sale's proceeds are the treasury's from now on. From two days after the window on.
            Anybody, once.
    """
    assert self.settled_at == 0, "Buyback: settled before"
    assert block.timestamp >= opens_at + WINDOW + EXCHANGE_TERM, "Buyback: too early"
    self.settled_at = block.timestamp
    # For 80 % of what was paid, all of it is set aside: the rate may fall by a fifth until the claim.
    extcall _SALE.fund_buyback(self.wanted[IN_NATIVE])
    self.pool[IN_NATIVE] = staticcall _NATIVE.balanceOf(self)
    price: uint256 = 0
    if self.wanted[IN_IFX] != 0:
        price = staticcall self.market.price()
        self.pool[IN_IFX] = min(self.wanted[IN_IFX] * 10**18 // price, staticcall _IFX.balanceOf(self))
    log IBuyback.Settled(ifx=self.pool[IN_IFX], native=self.pool[IN_NATIVE], price=price)


@external
@nonreentrant
def claim(licence: uint256) -> uint256:
    """
    @notice Pays whoever offered a licence what is due: of IFX what the 30 days have freed, of wrapped native everything, once. With the
            first payment the licence is the treasury's. Anybody, until 90 days after the settlement.
    @return Wei paid.
    """
    settled_at: uint256 = self.settled_at
    assert settled_at != 0, "Buyback: not settled"
    assert block.timestamp < settled_at + CLAIM_TERM, "Buyback: claims over"
    request: IBuyback.Request = self._requests[licence]
    assert request.owner != empty(address), "Buyback: not offered"
    is_first: bool = request.received == 0
    # Once paid for, what becomes of the licence is no longer its old owner's affair.
    self._check_not_banned(request.owner, licence if is_first else 0)
    amount: uint256 = self._due(request, settled_at)
    assert amount != 0, "Buyback: nothing to claim"
    self._requests[licence].received = request.received + amount
    if is_first:
        extcall IERC721(_LICENCES.address).transferFrom(self, treasury, licence)
    payments._pay(_IFX.address if request.option == IN_IFX else _NATIVE.address, request.owner, amount)
    log IBuyback.BoughtBack(licence=licence, owner=request.owner, amount=amount)
    return amount


@external
@nonreentrant
def sweep():
    """
    @notice Pays the treasury what nobody claimed within 90 days of the settlement; licences that nothing was paid for can still be taken
            back. Anybody.
    """
    assert self.settled_at != 0, "Buyback: not settled"
    assert block.timestamp >= self.settled_at + CLAIM_TERM, "Buyback: claims open"
    ifx: uint256 = staticcall _IFX.balanceOf(self)
    native: uint256 = staticcall _NATIVE.balanceOf(self)
    payments._pay(_IFX.address, treasury, ifx)
    payments._pay(_NATIVE.address, treasury, native)
    log IBuyback.Swept(ifx=ifx, native=native)


@external
@view
def settled() -> bool:
    """
    @notice Whether the window is over and what each request gets is fixed.
    """
    return self.settled_at != 0


@external
@view
def offered(licence: uint256) -> IBuyback.Request:
    """
    @notice The request of a licence; empty when there is none.
    """
    return self._requests[licence]


@external
@view
def claimable(licence: uint256) -> uint256:
    """
    @notice What `claim` would pay now if nobody is banned [wei]; 0 before the settlement.
    """
    request: IBuyback.Request = self._requests[licence]
    if self.settled_at == 0 or request.owner == empty(address):
        return 0
    return self._due(request, self.settled_at)


@internal
def _set_market(market_: address):
    assert staticcall IMarket(market_).price() != 0, "Buyback: no price"
    self.market = IMarket(market_)
    log MarketSet(market=market_)


@internal
@view
def _check_participation(licence: uint256, participation: uint256, proof: DynArray[bytes32, 32]):
    # A governor who stays silent takes no right away.
    root: bytes32 = self.participation_root
    if root == empty(bytes32):
        return
    assert merkle_proof._holds(
        root, keccak256(abi_encode(licence, participation)), proof
    ), "Buyback: not in the list of participations"
    assert participation > PARTICIPATION_BPS, "Buyback: too little participation"


@internal
@view
def _check_not_banned(owner: address, licence: uint256):
    assert not staticcall _REGISTRY.is_banned(owner), "Buyback: owner banned"
    assert not staticcall _REGISTRY.is_licence_banned(licence), "Buyback: licence banned"


@internal
@view
def _check_retired(licence: uint256):
    # Else its nodes would work on, on a licence that is sold.
    for node: uint32 in staticcall _REGISTRY.nodes_of(licence):
        assert (staticcall _REGISTRY.terms(node)).status == RETIRED, "Buyback: retire its nodes first"


@internal
@view
def _due(request: IBuyback.Request, settled_at: uint256) -> uint256:
    part: uint256 = self.pool[request.option] * request.paid // self.wanted[request.option]
    if request.option == IN_IFX:
        return part * min(block.timestamp - settled_at, LINEAR) // LINEAR - request.received
    if request.received != 0:
        return 0
    return min(part, staticcall _SALE.native_for(request.paid * NATIVE_BPS // BPS))
