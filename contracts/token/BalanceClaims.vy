# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title BalanceClaims
@license AGPL-3.0-only
@author Inferix
@notice A client's way out while nobody posts accounts. Whoever requested a withdrawal long enough ago says what is left of its
        credit and lists every charge that the newest final root does not know; a claim that leaves one out falls to
        whoever shows it, with a bond in the coin. What stood for a week is paid, within the coin's allowance.
@custom:security The bond is new money. Out of the credit, of which a liar has spent everything, it would be paid by others.
                 Only a final charge, or one that was proposed before the claim, ends it: else anybody with a lane could
                 stop a client by proposing false ones. The bond goes by a charge that is both: one that its owner could
                 not know, or that is never final, is no lie of its owner's. The bond stays where it is all the same, for
                 who shows one that is: else a liar would take the claim out of the way by a charge in a lane of its own.
                 `settle` gives no bond back within the window, whatever becomes of request and root: who sees a proof
                 coming could change the request first.
@custom:kill None: an exit.
"""

from ethereum.ercs import IERC20
from ..interfaces import IAccounts
from ..interfaces import IBalanceClaims
from ..interfaces import IBatches
from ..interfaces import IIfxDollar
from ..modules import foundation_part
from ..modules import governed
from ..modules import payments

implements: IBalanceClaims
initializes: foundation_part
initializes: governed


exports: (
    governed.parameters,
    foundation_part.foundation,
    foundation_part.foundation_due,
    foundation_part.pay_foundation,
)


interface Epochs:
    def genesis() -> uint256: view


# No root became final for this long, on the protocol's clock [s]: in a pause nobody can post one
SILENCE: public(constant(uint256)) = 21 * 86_400
# Age of the request [s]: an order lives for 30 days of block time. Its last batch comes within three more on the protocol's
# clock, as in Escape. With the window they leave it seven: it is final a day later, and one that fell has five to be
# proposed anew.
REQUEST_AGE: public(constant(uint256)) = 30 * 86_400
UNPROPOSED_AFTER: public(constant(uint256)) = 72 * 3_600
# How long a claim stands before it is paid, on the protocol's clock [s]
WINDOW: public(constant(uint256)) = 7 * 86_400
BOND_BPS: public(constant(uint256)) = 500
BPS: constant(uint256) = 10_000
NANO: constant(uint256) = 10**9

PROPOSED: constant(uint8) = 1
FINAL: constant(uint8) = 2
_LOW_64: constant(uint256) = 2**64 - 1


_IFX_DOLLAR: immutable(IIfxDollar)
_ACCOUNTS: immutable(IAccounts)
_BATCHES: immutable(IBatches)


_claims: HashMap[uint32, IBalanceClaims.Claim]


@deploy
def __init__(parameters: address, ifx_dollar: address, accounts: address, batches: address, foundation_: address):
    """
    @notice Needs no wiring.
    @param foundation_ Gets the half of a lost bond that is not the winner's: a coin cannot be burned.
    """
    governed.__init__(parameters)
    assert empty(address) not in [ifx_dollar, accounts, batches, foundation_], "BalanceClaims: empty address"
    _IFX_DOLLAR = IIfxDollar(ifx_dollar)
    _ACCOUNTS = IAccounts(accounts)
    _BATCHES = IBatches(batches)
    foundation_part.__init__(foundation_)


@external
def claim(
    account: uint32,
    amount: uint96,
    spent: uint96,
    reserved: uint96,
    proof: DynArray[bytes32, 64],
    counted: DynArray[bytes32, 1000],
):
    """
    @notice Claims `amount` [nano-USD] of what was requested, and takes the bond, by allowance. The account's owner.
    @param spent As the newest final root says with `reserved` and `proof`; without a proof `counted` lists all charges ever.
    @param counted Charges: 24 bytes of keccak256(abi.encode(task, attempt)), then nano-USD in 8.
    """
    held: IIfxDollar.Account = staticcall _IFX_DOLLAR.account(account)
    assert msg.sender == held.owner, "BalanceClaims: not the account's owner"
    assert self._claims[account].claimed_at == 0, "BalanceClaims: claimed already"
    assert amount != 0 and amount <= held.requested, "BalanceClaims: nothing, or more than was requested"
    root: IAccounts.Root = staticcall _ACCOUNTS.newest()
    newest_at: uint256 = max(convert(root.final_at, uint256), staticcall Epochs(_BATCHES.address).genesis())
    assert governed._passed(newest_at) >= SILENCE, "BalanceClaims: roots come"
    # Counted from the end of the 30 days: the clock is exact for terms no longer than the time between two pauses.
    old_at: uint256 = convert(held.requested_at, uint256) + REQUEST_AGE
    assert governed._passed(old_at) >= UNPROPOSED_AFTER, "BalanceClaims: request too young"
    since: uint32 = 0
    if len(proof) != 0:
        assert staticcall _ACCOUNTS.verify_account(account, spent, reserved, proof), "BalanceClaims: not in the root"
        since = root.epoch + 1
    else:
        assert spent == 0, "BalanceClaims: not in the root"
    used: uint256 = convert(spent, uint256)
    for charge: bytes32 in counted:
        used += convert(charge, uint256) & _LOW_64
    assert used + convert(amount, uint256) <= convert(held.credit, uint256), "BalanceClaims: over what is left"
    self._claims[account] = IBalanceClaims.Claim(
        left=amount,
        used=convert(used, uint96),
        since=since,
        root=root.index,
        requested_at=held.requested_at,
        claimed_at=convert(governed._clock(), uint40),
        bond=self._take(held.coin, amount),
        counted=keccak256(abi_encode(counted)),
    )
    log IBalanceClaims.BalanceClaimed(
        account=account,
        amount=amount,
        since=since,
        bond=self._claims[account].bond,
        until=convert(governed._clock() + WINDOW, uint40),
        counted=counted,
    )


@external
def prove_charge(account: uint32, counted: DynArray[bytes32, 1000], item: IBatches.Inclusion):
    """
    @notice Shows a charge of this account that its claim leaves out, within the window: it falls. Anybody. By a charge that
            was proposed after it, or is not final yet, it pays nothing any more, but its bond waits for the window's end:
            until then the charge may be shown again, once it is final.
    @param counted The claim's list, as it was logged.
    """
    claim: IBalanceClaims.Claim = self._claims[account]
    assert claim.claimed_at != 0, "BalanceClaims: no claim"
    assert keccak256(abi_encode(counted)) == claim.counted, "BalanceClaims: not the claim's list"
    claimed_at: uint256 = convert(claim.claimed_at, uint256)
    assert governed._clock() < claimed_at + WINDOW, "BalanceClaims: window over"
    assert item.leaf.account == account and item.leaf.charge != 0, "BalanceClaims: not a charge of this account"
    takes_bond: bool = self._check_counts(item, convert(claim.since, uint256), claimed_at)
    key: uint256 = convert(keccak256(abi_encode(item.leaf.task, item.leaf.attempt)), uint256)
    charge: bytes32 = convert(key & ~_LOW_64 | convert(item.leaf.charge, uint256), bytes32)
    for listed: bytes32 in counted:
        assert listed != charge, "BalanceClaims: counted"
    winner: address = empty(address)
    if not takes_bond:
        # Once its bond is back, its owner claims again, with this one counted if it became final.
        assert claim.left != 0, "BalanceClaims: fell already"
        self._claims[account].left = 0
    else:
        winner = msg.sender
        self._claims[account] = empty(IBalanceClaims.Claim)
        held: IIfxDollar.Account = staticcall _IFX_DOLLAR.account(account)
        foundation_part._keep(held.coin, claim.bond - claim.bond // 2)
        payments._pay(held.coin, winner, claim.bond // 2)
    log IBalanceClaims.ClaimFell(
        account=account, task=item.leaf.task, attempt=item.leaf.attempt, winner=winner
    )


@external
def settle(account: uint32) -> uint96:
    """
    @notice Pays a claim that stood for the window, to the owner: the bond and what the coin's allowance of this epoch lets
            go; call it again in later ones. Where a newer root is final, the request is another, or nothing is left since
            it fell, or was withdrawn by the newest root, drops it: the bond alone goes back. Anybody.
    @return nano-USD paid.
    """
    claim: IBalanceClaims.Claim = self._claims[account]
    assert claim.claimed_at != 0, "BalanceClaims: no claim"
    assert governed._clock() >= convert(claim.claimed_at, uint256) + WINDOW, "BalanceClaims: window not over"
    held: IIfxDollar.Account = staticcall _IFX_DOLLAR.account(account)
    # What was withdrawn by the newest root since it was claimed is not there twice.
    left: uint96 = min(min(claim.left, held.requested), held.credit - min(claim.used, held.credit))
    is_other: bool = (staticcall _ACCOUNTS.newest()).index != claim.root or held.requested_at != claim.requested_at
    if left == 0 or is_other:
        self._claims[account] = empty(IBalanceClaims.Claim)
        payments._pay(held.coin, held.owner, claim.bond)
        log IBalanceClaims.ClaimDropped(account=account)
        return 0
    paid: uint96 = extcall _IFX_DOLLAR.pay_claim(account, left)
    bond: uint256 = claim.bond
    claim.bond = 0
    claim.left = left - paid
    self._claims[account] = claim if claim.left != 0 else empty(IBalanceClaims.Claim)
    payments._pay(held.coin, held.owner, bond)
    log IBalanceClaims.ClaimPaid(account=account, paid=paid, left=claim.left)
    return paid


@external
@view
def claim_of(account: uint32) -> IBalanceClaims.Claim:
    """
    @notice A claim; empty when there is none.
    """
    return self._claims[account]


@external
@view
def bond(coin: address, amount: uint96) -> uint256:
    """
    @notice What stands behind a claim of `amount` nano-USD [units of the coin, rounded up].
    """
    return self._bond(coin, amount)


@internal
@view
def _check_counts(item: IBatches.Inclusion, since: uint256, claimed_at: uint256) -> bool:
    # A charge that the root of the claim does not know: final since, or on its way when it was claimed. Whether both, which
    # takes the bond: what is on its way may be invented, and fall.
    assert staticcall _BATCHES.verify(item.header, item.leaf, item.index, item.proof), "BalanceClaims: no such leaf"
    commitment: bytes32 = keccak256(abi_encode(item.header))
    assert not staticcall _BATCHES.is_void(commitment, item.index), "BalanceClaims: leaf void"
    batch: IBatches.Batch = staticcall _BATCHES.batch(commitment)
    is_before: bool = convert(batch.proposed_at, uint256) <= claimed_at
    if batch.status == FINAL:
        assert staticcall _BATCHES.final_epoch(commitment) >= since, "BalanceClaims: the root counts it"
        return is_before
    assert batch.status == PROPOSED and is_before, "BalanceClaims: not final"
    return False


@internal
@view
def _bond(coin: address, amount: uint96) -> uint256:
    scale: uint256 = (staticcall _IFX_DOLLAR.coin(coin)).scale
    return (convert(amount, uint256) * BOND_BPS * scale + BPS * NANO - 1) // (BPS * NANO)


@internal
def _take(coin: address, amount: uint96) -> uint256:
    # What arrived is the bond: a coin may keep a fee.
    units: uint256 = self._bond(coin, amount)
    before: uint256 = staticcall IERC20(coin).balanceOf(self)
    assert extcall IERC20(coin).transferFrom(
        msg.sender, self, units, default_return_value=True
    ), "BalanceClaims: transfer failed"
    return staticcall IERC20(coin).balanceOf(self) - before
