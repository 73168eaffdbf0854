# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
# pragma nonreentrancy on
"""
@title Leases
@license AGPL-3.0-only
@author Inferix
@notice Pays for leases out of IfxDollar, leaf by leaf, once their batch is final: the owner of the machine gets most of the
        charge, `lease_fee_bps` of it is kept for the foundation. Nothing is bought, burned or minted for a lease, and no
        manager has a share.
@custom:security A client's signature under the order is checked once more when money leaves: a lease that nobody ordered is
                 paid to nobody, even if its batch stood unseen. So is one of another coin than the account's, or beyond
                 what the account paid in: no contract knows what of that is spent on work, but more than all there never is.
@custom:kill None: what is final is paid.
"""

from ethereum.ercs import IERC20
from ..interfaces import IBatches
from ..interfaces import ICommittees
from ..interfaces import IIfxDollar
from ..interfaces import ILeases
from ..interfaces import INodeRegistry
from ..modules import foundation_part
from ..modules import governed
from ..modules import lease

implements: ILeases
initializes: foundation_part
initializes: governed


exports: (
    governed.parameters,
    foundation_part.foundation,
    foundation_part.foundation_due,
    foundation_part.pay_foundation,
)


FINAL: constant(uint8) = 2
BPS: constant(uint256) = 10_000


_REGISTRY: immutable(INodeRegistry)
_IFX_DOLLAR: immutable(IIfxDollar)
_BATCHES: immutable(IBatches)
_COMMITTEES: immutable(ICommittees)


# task => whether it was paid
is_paid: public(HashMap[bytes32, bool])
# account => charges of its leases that were paid [nano-USD]
paid_by: public(HashMap[uint32, uint256])


@deploy
def __init__(
    parameters: address,
    registry: address,
    ifx_dollar: address,
    batches: address,
    committees: address,
    foundation_: address,
):
    """
    @notice Needs no wiring.
    """
    governed.__init__(parameters)
    assert empty(address) not in [registry, ifx_dollar, batches, committees, foundation_], "Leases: empty address"
    _REGISTRY = INodeRegistry(registry)
    _IFX_DOLLAR = IIfxDollar(ifx_dollar)
    _BATCHES = IBatches(batches)
    _COMMITTEES = ICommittees(committees)
    foundation_part.__init__(foundation_)


@external
def pay(item: IBatches.Inclusion, order: Bytes[135]) -> uint256:
    """
    @notice Pays for a lease whose batch is final. Anybody, once a lease.
    @param item Its leaf.
    @param order The order's record, as it was posted.
    @return Units of the coin that the owner of the node got.
    """
    self._check_final(item)
    leaf: IBatches.BatchLeaf = item.leaf
    assert not self.is_paid[leaf.task], "Leases: paid before"
    assert staticcall _COMMITTEES.check_lease(item.header.manager, leaf, order), "Leases: no lease"
    index: uint8 = lease._coin(item.header.coin)
    coin: address = staticcall _IFX_DOLLAR.coin_at(index)
    account: IIfxDollar.Account = staticcall _IFX_DOLLAR.account(leaf.account)
    assert account.coin == coin, "Leases: not the account's coin"
    spent: uint256 = self.paid_by[leaf.account] + convert(leaf.charge, uint256)
    assert spent <= convert(account.credit, uint256), "Leases: over the account's credit"
    owner: address = staticcall _REGISTRY.owner_of(leaf.node)
    assert owner != empty(address), "Leases: no such node"
    self.is_paid[leaf.task] = True
    self.paid_by[leaf.account] = spent
    # The two parts are the charge; each is rounded down to units of the coin.
    kept: uint256 = convert(leaf.charge, uint256) * governed._parameter(keccak256("lease_fee_bps")) // BPS
    due: uint256 = convert(leaf.charge, uint256) - kept
    provided: uint256 = extcall _IFX_DOLLAR.release_lease(index, owner, convert(due, uint96))
    given: uint256 = self._keep(index, coin, kept)
    log ILeases.LeasePaid(
        task=leaf.task,
        node=leaf.node,
        owner=owner,
        coin=coin,
        charge=leaf.charge,
        provided=provided,
        foundation=given,
    )
    return provided


@internal
def _keep(index: uint8, coin: address, amount: uint256) -> uint256:
    # What arrived is the foundation's: a coin may keep a fee.
    before: uint256 = staticcall IERC20(coin).balanceOf(self)
    extcall _IFX_DOLLAR.release_lease(index, self, convert(amount, uint96))
    units: uint256 = staticcall IERC20(coin).balanceOf(self) - before
    foundation_part._keep(coin, units)
    return units


@internal
@view
def _check_final(item: IBatches.Inclusion):
    # A leaf that counts, of a batch whose charges count as those of leases.
    assert item.header.coin >= lease.MARK, "Leases: not a batch of leases"
    commitment: bytes32 = keccak256(abi_encode(item.header))
    assert (staticcall _BATCHES.batch(commitment)).status == FINAL, "Leases: not final"
    assert staticcall _BATCHES.verify(item.header, item.leaf, item.index, item.proof), "Leases: no such leaf"
    assert not staticcall _BATCHES.is_void(commitment, item.index), "Leases: leaf void"
