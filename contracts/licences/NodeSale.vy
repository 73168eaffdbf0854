# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
"""
@title NodeSale
@license AGPL-3.0-only
@author Inferix
@notice Sells worker and verifier licences in tiers of rising price: first to those on the whitelist, one a tier, then to anybody, within a
        tier's cap per wallet. All tiers are open at once; what the whitelist leaves goes to the public sale. The buyer is the caller, who
        gets the licences, locked for a year. A code gives the buyer a rebate and its owner a commission: a partner's, set by the governor,
        or the address of a wallet that has a licence. Amounts round against the buyer. Proceeds wait for the buyback.
@custom:security A wallet costs nothing, so caps, and referring oneself by a second wallet, are bounded by gas alone: two
                 licences' gas against 10 % of a price.
@custom:kill Guardian: `Parameters.pause` stops sales; the governor ends them by `set_times`. Commissions are always paid.
"""

from ..interfaces import IBuyback
from ..interfaces import INodeLicence
from ..interfaces import INodeSale
from ..modules import governed
from ..modules import merkle_proof
from ..modules import proceeds

implements: INodeSale
initializes: governed
initializes: proceeds[governed := governed]


exports: (
    governed.parameters,
    governed.wired,
    proceeds.native,
    proceeds.treasury,
    proceeds.buyback,
    proceeds.rate_setter,
    proceeds.commission,
    proceeds.owed,
    proceeds.released,
    proceeds.accept_coin,
    proceeds.set_rate_setter,
    proceeds.set_rate,
    proceeds.claim_commission,
    proceeds.release,
    proceeds.exchange,
    proceeds.fund_buyback,
    proceeds.native_for,
    proceeds.coin,
    proceeds.held,
)


interface IBalances:
    def balanceOf(owner: address) -> uint256: view


WORKER: constant(uint8) = 1
VERIFIER: constant(uint8) = 2
TIERS: constant(uint256) = 30

BPS: constant(uint256) = 10_000
PARTNER_REBATE_BPS: public(constant(uint256)) = 1_000
WALLET_REBATE_BPS: public(constant(uint256)) = 500
WALLET_COMMISSION_BPS: public(constant(uint256)) = 500
MAX_COMMISSION_BPS: public(constant(uint256)) = 2_000

# A tier's word: whitelisted_sold << 104 | sold << 80 | whitelisted << 56 | licences << 32 | cap << 24 | price
_LANE: constant(uint256) = 2**24 - 1
_ONE_SOLD: constant(uint256) = 1 << 80
_ONE_WHITELISTED: constant(uint256) = 1 << 104
# A buyer's word of a role: a bit for each tier's whitelisted licence << 210, seven bits for each tier's count
_COUNT_BITS: constant(uint256) = 7
_COUNT: constant(uint256) = 2**7 - 1
_FLAGS: constant(uint256) = 210
_TIME: constant(uint256) = 2**40 - 1
_ADDRESS: constant(uint256) = 2**160 - 1


_LICENCES: immutable(INodeLicence)


whitelist_root: public(bytes32)
# ends_at << 80 | public_at << 40 | whitelist_at
_times: uint256
_tiers: HashMap[uint8, HashMap[uint256, uint256]]
_bought: HashMap[uint8, HashMap[address, uint256]]
# code => commission_bps << 160 | owner
_partners: HashMap[bytes32, uint256]


@deploy
def __init__(
    parameters: address,
    licences: address,
    native_: address,
    treasury_: address,
    worker: DynArray[INodeSale.TierTerms, TIERS],
    verifier: DynArray[INodeSale.TierTerms, TIERS],
):
    """
    @notice Starts closed: the governor sets times, coins and the whitelist.
    @param worker Tiers of the worker licences, from the first.
    @param verifier Tiers of the verifier licences.
    """
    governed.__init__(parameters)
    proceeds.__init__(native_, treasury_)
    assert licences != empty(address), "NodeSale: empty address"
    _LICENCES = INodeLicence(licences)
    self._set_tiers(WORKER, worker)
    self._set_tiers(VERIFIER, verifier)


@external
def wire(buyback: address):
    """
    @notice Names the buyback. The deployer, once.
    """
    governed._wire_once()
    assert buyback != empty(address), "NodeSale: empty address"
    proceeds.buyback = IBuyback(buyback)


@external
@nonreentrant
def buy(
    role: uint8, tier: uint256, count: uint256, coin: address, maximum: uint256, code: bytes32 = empty(bytes32)
) -> uint256:
    """
    @notice Buys licences of a tier in the public sale, for the caller, who has approved the coin.
    @param maximum Units of the coin; a higher price is refused.
    @param code A partner's code, a wallet's address (left-padded), or none.
    @return Id of the first licence; the others follow it.
    """
    times: uint256 = self._times
    assert block.timestamp >= times >> 40 & _TIME and block.timestamp < times >> 80, "NodeSale: public sale closed"
    assert count != 0, "NodeSale: count"
    word: uint256 = self._open_tier(role, tier, count)
    self._tiers[role][tier] = word + count * _ONE_SOLD
    cap: uint256 = word >> 24 & 255
    if cap != 0:
        offset: uint256 = _COUNT_BITS * (tier - 1)
        bought: uint256 = self._bought[role][msg.sender]
        assert count <= cap and (bought >> offset & _COUNT) + count <= cap, "NodeSale: over the wallet's cap"
        self._bought[role][msg.sender] = bought + (count << offset)
    return self._sell(role, tier, word & _LANE, count, coin, maximum, code)


@external
@nonreentrant
def buy_whitelisted(
    role: uint8,
    tier: uint256,
    coin: address,
    maximum: uint256,
    proof: DynArray[bytes32, 32],
    code: bytes32 = empty(bytes32),
) -> uint256:
    """
    @notice Buys the one licence of a tier that the whitelist gives the caller. It does not count for the cap of the public sale.
    @param proof Of the leaf (address buyer, uint256 role, uint256 tier).
    @return The licence's id.
    """
    times: uint256 = self._times
    assert (
        block.timestamp >= times & _TIME and block.timestamp < times >> 40 & _TIME
    ), "NodeSale: whitelist sale closed"
    leaf: bytes32 = keccak256(abi_encode(msg.sender, convert(role, uint256), tier))
    assert merkle_proof._holds(self.whitelist_root, leaf, proof), "NodeSale: not on the whitelist"
    word: uint256 = self._open_tier(role, tier, 1)
    assert word >> 104 < word >> 56 & _LANE, "NodeSale: whitelisted licences sold out"
    self._tiers[role][tier] = word + _ONE_SOLD + _ONE_WHITELISTED
    flag: uint256 = 1 << _FLAGS + tier - 1
    bought: uint256 = self._bought[role][msg.sender]
    assert bought & flag == 0, "NodeSale: one of a whitelisted tier"
    self._bought[role][msg.sender] = bought | flag
    return self._sell(role, tier, word & _LANE, 1, coin, maximum, code)


@external
def set_times(whitelist_at: uint256, public_at: uint256, ends_at: uint256):
    """
    @notice Sets when the whitelist sale starts, when the public sale follows it, and when that ends [s]. Governor only.
    """
    governed._check_governor()
    assert whitelist_at <= public_at and public_at <= ends_at and ends_at <= _TIME, "NodeSale: times out of order"
    self._times = ends_at << 80 | public_at << 40 | whitelist_at
    log INodeSale.TimesSet(whitelist_at=whitelist_at, public_at=public_at, ends_at=ends_at)


@external
def set_whitelist(root: bytes32, data: bytes32):
    """
    @notice Sets who may buy in the whitelist sale. Governor only.
    @param root Of OpenZeppelin's StandardMerkleTree over (address buyer, uint256 role, uint256 tier).
    @param data Digest of the document that holds the list.
    """
    governed._check_governor()
    self.whitelist_root = root
    log INodeSale.WhitelistSet(root=root, data=data)


@external
def set_partner(code: bytes32, owner: address, commission_bps: uint256):
    """
    @notice Gives a partner a code, or with the zero address ends it; what it has earned stays its owner's. Governor only.
    @param code keccak256 of its text: one that could be an address is refused.
    @param commission_bps Share of what a buyer pays, at most 2,000.
    """
    governed._check_governor()
    assert convert(code, uint256) > _ADDRESS, "NodeSale: code of a wallet"
    assert commission_bps <= MAX_COMMISSION_BPS, "NodeSale: commission too high"
    self._partners[code] = 0 if owner == empty(address) else commission_bps << 160 | convert(owner, uint256)
    log INodeSale.PartnerSet(code=code, owner=owner, commission_bps=commission_bps)


@external
@view
def tier(role: uint8, number: uint256) -> INodeSale.Tier:
    """
    @notice A tier; empty when there is none.
    """
    word: uint256 = self._tiers[role][number]
    return INodeSale.Tier(
        price=word & _LANE,
        cap=word >> 24 & 255,
        licences=word >> 32 & _LANE,
        whitelisted=word >> 56 & _LANE,
        sold=word >> 80 & _LANE,
        whitelisted_sold=word >> 104,
    )


@external
@view
def bought(role: uint8, tier: uint256, buyer: address) -> (uint256, bool):
    """
    @notice What a wallet bought of a tier with a cap in the public sale, and whether it had its whitelisted licence.
    """
    word: uint256 = self._bought[role][buyer]
    if tier == 0 or tier > TIERS:
        return 0, False
    return word >> _COUNT_BITS * (tier - 1) & _COUNT, word >> _FLAGS + tier - 1 & 1 == 1


@external
@view
def times() -> (uint256, uint256, uint256):
    """
    @notice When the whitelist sale starts, when the public sale does, and when that ends [s].
    """
    return self._times & _TIME, self._times >> 40 & _TIME, self._times >> 80


@external
@view
def referral(code: bytes32, buyer: address) -> INodeSale.Referral:
    """
    @notice What a code would give this buyer and its owner; reverts when it would be refused.
    """
    return self._referral(code, buyer)


@external
@view
def quote(role: uint8, tier: uint256, count: uint256, coin: address, code: bytes32, buyer: address) -> uint256:
    """
    @notice What licences of a tier cost now [units of the coin].
    """
    return proceeds._due(
        coin, self._price(self._open_tier(role, tier, count) & _LANE, self._referral(code, buyer)) * count
    )


@internal
def _set_tiers(role: uint8, tiers: DynArray[INodeSale.TierTerms, TIERS]):
    licences: uint256 = 0
    for i: uint256 in range(len(tiers), bound=TIERS):
        terms: INodeSale.TierTerms = tiers[i]
        assert terms.price != 0 and terms.price <= _LANE, "NodeSale: price"
        assert terms.cap <= _COUNT, "NodeSale: cap"
        assert terms.licences <= _LANE and terms.whitelisted <= terms.licences, "NodeSale: licences"
        licences += terms.licences
        self._tiers[role][i + 1] = terms.whitelisted << 56 | terms.licences << 32 | terms.cap << 24 | terms.price
    assert licences <= staticcall _LICENCES.cap(role), "NodeSale: more than the role's licences"


@internal
@view
def _open_tier(role: uint8, tier: uint256, count: uint256) -> uint256:
    word: uint256 = self._tiers[role][tier]
    assert word != 0, "NodeSale: no such tier"
    assert count <= _LANE and (word >> 80 & _LANE) + count <= word >> 32 & _LANE, "NodeSale: sold out"
    return word


@internal
@view
def _referral(code: bytes32, buyer: address) -> INodeSale.Referral:
    if code == empty(bytes32):
        return empty(INodeSale.Referral)
    owner: address = empty(address)
    rebate: uint256 = WALLET_REBATE_BPS
    commission: uint256 = WALLET_COMMISSION_BPS
    if convert(code, uint256) <= _ADDRESS:
        owner = convert(convert(code, uint160), address)
        assert staticcall IBalances(_LICENCES.address).balanceOf(owner) != 0, "NodeSale: referrer has no licence"
    else:
        word: uint256 = self._partners[code]
        assert word != 0, "NodeSale: no such code"
        owner = convert(convert(word & _ADDRESS, uint160), address)
        rebate = PARTNER_REBATE_BPS
        commission = word >> 160
    # Neither as a wallet nor as the partner that it may be too
    assert owner != buyer, "NodeSale: own code"
    return INodeSale.Referral(owner=owner, rebate_bps=rebate, commission_bps=commission)


@internal
@pure
def _price(cents: uint256, referral: INodeSale.Referral) -> uint256:
    # Of one licence, rounded up to the cent
    return (cents * (BPS - referral.rebate_bps) + BPS - 1) // BPS


@internal
def _sell(
    role: uint8, tier: uint256, cents: uint256, count: uint256, coin: address, maximum: uint256, code: bytes32
) -> uint256:
    governed._check_running()
    referral: INodeSale.Referral = self._referral(code, msg.sender)
    price: uint256 = self._price(cents, referral)
    units: uint256 = proceeds._due(coin, price * count)
    assert units <= maximum, "NodeSale: over the maximum"
    if referral.owner != empty(address):
        proceeds._owe(referral.owner, coin, units * referral.commission_bps // BPS)
    proceeds._take(coin, units)
    first: uint256 = extcall _LICENCES.mint_sold(msg.sender, role, count, price)
    log INodeSale.Sold(
        buyer=msg.sender, coin=coin, code=code, tier=tier, first=first, count=count, units=units
    )
    return first
