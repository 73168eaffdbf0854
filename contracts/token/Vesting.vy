# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize codesize
"""
@title Vesting
@license AGPL-3.0-only
@author Inferix
@notice The shares of seed, strategic, KOL and public investors and of the foundation, 350,000,000 IFX, each by terms that nobody can
        change. The foundation makes the schedules, once each and within the share; nobody takes one back. Each schedule's IFX lies in a
        wallet of its own that delegates in IFX, so that tokens vote while they vest and no governor need ask here.
@custom:kill None: nobody can stop, change or revoke a schedule.
"""

from ..interfaces import IIFX
from ..interfaces import IVesting
from ..interfaces import IVestingWallet

implements: IVesting


BPS: constant(uint256) = 10_000
IFX_WEI: constant(uint256) = 10**18
# A twelfth of 365 days
MONTH: public(constant(uint256)) = 2_628_000

# By share: none, seed, strategic, KOL, public, foundation
_LAST_SHARE: constant(uint8) = 5
_TOTALS: constant(uint256[6]) = [0, 80_000_000, 70_000_000, 25_000_000, 50_000_000, 125_000_000]
_TOTAL: constant(uint256) = 350_000_000
_TGE_BPS: constant(uint256[6]) = [0, 0, 0, 1_000, 1_000, 0]
_CLIFFS: constant(uint256[6]) = [0, 6, 6, 3, 3, 12]
_LINEARS: constant(uint256[6]) = [0, 12, 12, 15, 4, 24]


_DEPLOYER: immutable(address)
foundation: public(immutable(address))
# Token generation event: when the clock of every schedule starts [s]
tge: public(immutable(uint256))


ifx: public(IIFX)
wallet_code: public(address)

count: public(uint256)
proposed_beneficiary: public(HashMap[uint256, address])
_schedules: HashMap[uint256, IVesting.Schedule]
# Wei of a share for which there are schedules
_allocated: HashMap[uint8, uint256]


@deploy
def __init__(foundation_: address, tge_: uint256):
    """
    @notice Starts without schedules.
    @param tge_ Second at which every schedule's clock starts; may lie ahead.
    """
    assert foundation_ != empty(address), "Vesting: no foundation"
    assert tge_ != 0, "Vesting: no TGE"
    _DEPLOYER = msg.sender
    foundation = foundation_
    tge = tge_


@external
def wire(ifx_: address, wallet_code_: address):
    """
    @notice Names the token, which has minted the shares to this contract, and the wallets' code. The deployer, once.
    """
    assert msg.sender == _DEPLOYER, "Vesting: not the deployer"
    assert self.wallet_code == empty(address), "Vesting: wired already"
    assert wallet_code_ != empty(address), "Vesting: no wallet code"
    # A schedule that is made is covered: every share is here before the first.
    assert staticcall IIFX(ifx_).balanceOf(self) >= _TOTAL * IFX_WEI, "Vesting: shares not minted here"
    self.ifx = IIFX(ifx_)
    self.wallet_code = wallet_code_


@external
@nonreentrant
def create(share: uint8, beneficiaries: DynArray[address, 50], amounts: DynArray[uint256, 50]):
    """
    @notice Makes a schedule of `amounts` [wei] for each of `beneficiaries`, who vote with it from now on. For good. Foundation only.
    """
    assert msg.sender == foundation, "Vesting: not the foundation"
    assert share != 0 and share <= _LAST_SHARE, "Vesting: no such share"
    assert len(beneficiaries) == len(amounts), "Vesting: beneficiaries and amounts differ in number"
    for i: uint256 in range(len(beneficiaries), bound=50):
        self._create(share, beneficiaries[i], amounts[i])


@external
@nonreentrant
def claim(schedule: uint256) -> uint256:
    """
    @notice Pays the beneficiary what is free and was not paid yet. Anybody.
    @return Wei paid.
    """
    amount: uint256 = self._claimable(schedule)
    assert amount != 0, "Vesting: nothing to claim"
    self._schedules[schedule].claimed += amount
    beneficiary: address = self._schedules[schedule].beneficiary
    extcall IVestingWallet(self._schedules[schedule].wallet).pay(beneficiary, amount)
    log IVesting.VestedClaimed(schedule=schedule, beneficiary=beneficiary, amount=amount)
    return amount


@external
def delegate(schedule: uint256, delegatee: address):
    """
    @notice Lets `delegatee` vote with what the schedule still holds; the zero address: nobody. Beneficiary only.
    """
    self._check_beneficiary(schedule)
    extcall IVestingWallet(self._schedules[schedule].wallet).delegate(delegatee)


@external
def propose_beneficiary(schedule: uint256, beneficiary: address):
    """
    @notice Names who takes the schedule over by accepting; zero withdraws the proposal. Beneficiary only.
    """
    self._check_beneficiary(schedule)
    self.proposed_beneficiary[schedule] = beneficiary
    log IVesting.BeneficiaryProposed(schedule=schedule, beneficiary=beneficiary)


@external
def accept_beneficiary(schedule: uint256):
    """
    @notice Takes the schedule over, and its votes. The proposed beneficiary only.
    """
    assert msg.sender == self.proposed_beneficiary[schedule], "Vesting: not the proposed beneficiary"
    self.proposed_beneficiary[schedule] = empty(address)
    self._schedules[schedule].beneficiary = msg.sender
    log IVesting.BeneficiaryChanged(schedule=schedule, beneficiary=msg.sender)
    # Whomever the one before delegated to would otherwise go on voting with what is no longer theirs.
    extcall IVestingWallet(self._schedules[schedule].wallet).delegate(msg.sender)


@external
@view
def terms(share: uint8) -> IVesting.Terms:
    """
    @notice Terms of a share; empty when there is none.
    """
    if share > _LAST_SHARE:
        return empty(IVesting.Terms)
    return self._terms(share)


@external
@view
def unallocated(share: uint8) -> uint256:
    """
    @notice What schedules may still be made of [wei].
    """
    if share > _LAST_SHARE:
        return 0
    return self._terms(share).total - self._allocated[share]


@external
@view
def schedule(id: uint256) -> IVesting.Schedule:
    """
    @notice A schedule; empty when there is none.
    """
    return self._schedules[id]


@external
@view
def vested(id: uint256, at: uint256) -> uint256:
    """
    @notice What of a schedule is free at a second [wei], paid or not.
    """
    return self._vested(id, at)


@external
@view
def claimable(id: uint256) -> uint256:
    """
    @notice What `claim` would pay now [wei].
    """
    return self._claimable(id)


@internal
@view
def _check_beneficiary(schedule: uint256):
    assert msg.sender == self._schedules[schedule].beneficiary, "Vesting: not the beneficiary"


@internal
@pure
def _terms(share: uint8) -> IVesting.Terms:
    return IVesting.Terms(
        total=_TOTALS[share] * IFX_WEI,
        tge_bps=_TGE_BPS[share],
        cliff=_CLIFFS[share] * MONTH,
        linear=_LINEARS[share] * MONTH,
    )


@internal
def _create(share: uint8, beneficiary: address, amount: uint256):
    assert beneficiary != empty(address), "Vesting: no beneficiary"
    assert amount != 0, "Vesting: no amount"
    allocated: uint256 = self._allocated[share] + amount
    assert allocated <= _TOTALS[share] * IFX_WEI, "Vesting: over the share"
    self._allocated[share] = allocated
    id: uint256 = self.count + 1
    self.count = id
    wallet: address = create_minimal_proxy_to(self.wallet_code)
    self._schedules[id] = IVesting.Schedule(
        beneficiary=beneficiary, wallet=wallet, share=share, amount=amount, claimed=0
    )
    assert extcall self.ifx.transfer(wallet, amount), "Vesting: transfer failed"
    extcall IVestingWallet(wallet).delegate(beneficiary)
    log IVesting.ScheduleCreated(schedule=id, beneficiary=beneficiary, share=share, amount=amount, wallet=wallet)


@internal
@view
def _claimable(id: uint256) -> uint256:
    return self._vested(id, block.timestamp) - self._schedules[id].claimed


@internal
@view
def _vested(id: uint256, at: uint256) -> uint256:
    if at < tge:
        return 0
    terms: IVesting.Terms = self._terms(self._schedules[id].share)
    amount: uint256 = self._schedules[id].amount
    at_once: uint256 = amount * terms.tge_bps // BPS
    if at <= tge + terms.cliff:
        return at_once
    passed: uint256 = min(at - tge - terms.cliff, terms.linear)
    # No such schedule: no terms, and nothing to divide.
    return at_once + (amount - at_once) * passed // max(terms.linear, 1)
