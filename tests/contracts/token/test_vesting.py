# SPDX-License-Identifier: Apache-2.0
"""Vesting: each share's terms to the second, schedules for good, and votes for what still vests."""

from typing import Any

import boa
import pytest
from eth_account.signers.local import LocalAccount
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.system import DAY, IFX, Contract, acting, advance, deployer, key, now, set_time

SEED, STRATEGIC, KOL, PUBLIC, FOUNDATION = range(1, 6)
MONTH = 365 * DAY // 12
MILLION = 10**6 * IFX
# share -> total, per cent at TGE, months of cliff, months of linear part
TERMS = {
    SEED: (80 * MILLION, 0, 6, 12),
    STRATEGIC: (70 * MILLION, 0, 6, 12),
    KOL: (25 * MILLION, 10, 3, 15),
    PUBLIC: (50 * MILLION, 10, 3, 4),
    FOUNDATION: (125 * MILLION, 0, 12, 24),
}
# titanoboa takes a minimal proxy for the contract behind it
pytestmark = pytest.mark.filterwarnings("ignore:casted bytecode")
AMOUNT = 1_000_003  # wei; divides by nothing
ZERO = "0x" + "00" * 20


class Vault:
    """Vesting wired to IFX, of which it holds the shares; TGE lies 1000 s ahead."""

    def __init__(self, minted: int = 350 * MILLION) -> None:
        self.foundation = key("foundation")
        self.tge = now() + 1000
        with acting(key("deployer")):
            self.vesting = deployer("token/Vesting.vy").deploy(self.foundation.address, self.tge)
            self.ifx = deployer("token/IFX.vy").deploy([self.vesting.address], [minted])
            self.code = deployer("token/VestingWallet.vy").deploy(self.ifx, self.vesting)
            self.vesting.wire(self.ifx, self.code)

    def create(self, share: int, beneficiary: LocalAccount, amount: int = AMOUNT) -> int:
        with acting(self.foundation):
            self.vesting.create(share, [beneficiary.address], [amount])
        return int(self.vesting.count())


@pytest.fixture(scope="module")
def made() -> Vault:
    return Vault()


@pytest.fixture
def vault(made: Vault) -> Vault:
    return made


def names(contract: Contract) -> list[str]:
    return [type(event).__name__ for event in contract.get_logs()]


def test_shares_are_those_of_the_protocol(vault: Vault) -> None:
    for share, (total, percent, cliff, linear) in TERMS.items():
        terms = vault.vesting.terms(share)
        assert (terms.total, terms.tge_bps, terms.cliff, terms.linear) == (
            total,
            100 * percent,
            cliff * MONTH,
            linear * MONTH,
        )
        assert vault.vesting.unallocated(share) == total
    assert sum(total for total, *_ in TERMS.values()) == vault.ifx.balanceOf(vault.vesting)
    assert [tuple(vault.vesting.terms(share)) for share in (0, 6)] == [(0, 0, 0, 0)] * 2
    assert [vault.vesting.unallocated(share) for share in (0, 6)] == [0, 0]


@pytest.mark.parametrize("share", TERMS)
def test_every_boundary_second(vault: Vault, share: int) -> None:
    _, percent, months, linear_months = TERMS[share]
    beneficiary = key("investor")
    schedule = vault.create(share, beneficiary)
    at_once = AMOUNT * percent // 100
    cliff, length = vault.tge + months * MONTH, linear_months * MONTH
    end = cliff + length
    moments = {
        vault.tge - 1: 0,
        vault.tge: at_once,
        vault.tge + 1: at_once,
        cliff - 1: at_once,
        cliff: at_once,
        cliff + 1: at_once + (AMOUNT - at_once) // length,
        cliff + 3600: at_once + (AMOUNT - at_once) * 3600 // length,
        end - 1: at_once + (AMOUNT - at_once) * (length - 1) // length,
        end: AMOUNT,
        end + 1: AMOUNT,
    }
    assert moments[end - 1] == AMOUNT - 1
    paid = 0
    for moment, vested in moments.items():
        set_time(moment)
        assert vault.vesting.vested(schedule, moment) == vested
        assert vault.vesting.claimable(schedule) == vested - paid
        if vested == paid:
            with boa.reverts("Vesting: nothing to claim"):
                vault.vesting.claim(schedule)
        else:
            assert vault.vesting.claim(schedule) == vested - paid
        paid = vested
        assert vault.ifx.balanceOf(beneficiary.address) == paid
    assert vault.ifx.balanceOf(vault.vesting.schedule(schedule).wallet) == 0


@settings(max_examples=30)
@given(
    seconds=st.lists(st.integers(0, 40 * MONTH), max_size=12),
    share=st.sampled_from(sorted(TERMS)),
    amount=st.integers(1, 2**80),
)
def test_claims_at_any_times_pay_the_whole_and_never_early(
    made: Vault, seconds: list[int], share: int, amount: int
) -> None:
    with boa.env.anchor():
        beneficiary = key("patient investor")
        schedule = made.create(share, beneficiary, amount)
        last = 0
        for moment in [*sorted(seconds), 40 * MONTH]:
            set_time(max(now(), made.tge + moment))
            free = made.vesting.vested(schedule, now())
            assert last <= free <= amount
            if free > last:
                made.vesting.claim(schedule)
            last = free
            assert made.ifx.balanceOf(beneficiary.address) == free
        assert last == amount


def test_anybody_claims_and_the_beneficiary_is_paid(vault: Vault) -> None:
    investor, stranger = key("investor"), key("stranger")
    schedule = vault.create(PUBLIC, investor)
    set_time(vault.tge)
    with acting(stranger):
        assert vault.vesting.claim(schedule) == AMOUNT // 10
        assert names(vault.vesting) == ["Transfer", "DelegateVotesChanged", "VestedClaimed"]
        with boa.reverts("Vesting: nothing to claim"):
            vault.vesting.claim(schedule)
        for unknown in (0, schedule + 1):
            with boa.reverts("Vesting: nothing to claim"):
                vault.vesting.claim(unknown)
    assert vault.ifx.balanceOf(investor.address) == AMOUNT // 10
    assert vault.ifx.balanceOf(stranger.address) == 0


def test_foundation_creates_within_the_share_and_nobody_else(vault: Vault) -> None:
    investors = [key(f"investor {index}") for index in range(3)]
    addresses = [each.address for each in investors]
    with acting(vault.foundation):
        vault.vesting.create(KOL, addresses, [10 * MILLION, 10 * MILLION, 5 * MILLION])
        assert vault.vesting.unallocated(KOL) == 0
        with boa.reverts("Vesting: over the share"):
            vault.vesting.create(KOL, addresses[:1], [1])
        with boa.reverts("Vesting: over the share"):
            vault.vesting.create(PUBLIC, addresses[:2], [50 * MILLION, 1])
        with boa.reverts("Vesting: beneficiaries and amounts differ in number"):
            vault.vesting.create(PUBLIC, addresses, [1, 1])
        with boa.reverts("Vesting: no beneficiary"):
            vault.vesting.create(PUBLIC, [ZERO], [1])
        with boa.reverts("Vesting: no amount"):
            vault.vesting.create(PUBLIC, addresses[:1], [0])
        for unknown in (0, 6, 255):
            with boa.reverts("Vesting: no such share"):
                vault.vesting.create(unknown, addresses[:1], [1])
    for other in (key("deployer"), investors[0]):
        with acting(other), boa.reverts("Vesting: not the foundation"):
            vault.vesting.create(SEED, [other.address], [1])
    schedule = vault.vesting.schedule(1)
    assert (schedule.beneficiary, schedule.share, schedule.amount, schedule.claimed) == (
        investors[0].address,
        KOL,
        10 * MILLION,
        0,
    )


def test_nothing_takes_a_schedule_back(vault: Vault) -> None:
    calls = {
        entry["name"] for entry in vault.vesting.abi if entry.get("stateMutability") == "nonpayable" and "name" in entry
    }
    assert calls == {"wire", "create", "claim", "delegate", "propose_beneficiary", "accept_beneficiary"}
    wallet = deployer("token/VestingWallet.vy").at(vault.vesting.schedule(vault.create(SEED, key("investor"))).wallet)
    for other in (vault.foundation, key("deployer"), key("investor")):
        with acting(other):
            with boa.reverts("VestingWallet: not Vesting"):
                wallet.pay(other.address, 1)
            with boa.reverts("VestingWallet: not Vesting"):
                wallet.delegate(other.address)


def test_a_full_hand_of_schedules_at_once(vault: Vault) -> None:
    people = [key(f"public {index}").address for index in range(50)]
    with acting(vault.foundation):
        vault.vesting.create(PUBLIC, people, [MILLION] * 50)
    assert (vault.vesting.count(), vault.vesting.unallocated(PUBLIC)) == (50, 0)
    assert len({vault.vesting.schedule(index + 1).wallet for index in range(50)}) == 50


def test_tokens_vote_while_they_vest_and_once_only(vault: Vault) -> None:
    investor, friend = key("investor"), key("friend").address
    schedule = vault.create(PUBLIC, investor)
    assert vault.ifx.getVotes(investor.address) == AMOUNT
    with acting(investor):
        vault.vesting.delegate(schedule, friend)
    assert (vault.ifx.getVotes(investor.address), vault.ifx.getVotes(friend)) == (0, AMOUNT)
    set_time(vault.tge)
    vault.vesting.claim(schedule)
    free = AMOUNT // 10
    assert (vault.ifx.getVotes(investor.address), vault.ifx.getVotes(friend)) == (0, AMOUNT - free)
    with acting(investor):
        vault.ifx.delegate(investor.address)
        assert vault.ifx.getVotes(investor.address) == free
        vault.vesting.delegate(schedule, ZERO)
    assert vault.ifx.getVotes(friend) == 0
    for other in (vault.foundation, key("friend")):
        with acting(other), boa.reverts("Vesting: not the beneficiary"):
            vault.vesting.delegate(schedule, other.address)


def test_what_no_schedule_holds_does_not_vote(vault: Vault) -> None:
    assert vault.ifx.delegates(vault.vesting) == ZERO
    vault.create(SEED, key("investor"), 7)
    advance(1)
    assert vault.ifx.getPastVotes(key("investor").address, now() - 1) == 7


def test_beneficiary_hands_over_in_two_steps_with_its_votes(vault: Vault) -> None:
    old, new, friend = key("old"), key("new"), key("friend")
    schedule = vault.create(PUBLIC, old)
    with acting(new), boa.reverts("Vesting: not the beneficiary"):
        vault.vesting.propose_beneficiary(schedule, new.address)
    with acting(old):
        vault.vesting.delegate(schedule, friend.address)
        vault.vesting.propose_beneficiary(schedule, new.address)
        assert names(vault.vesting) == ["BeneficiaryProposed"]
        with boa.reverts("Vesting: not the proposed beneficiary"):
            vault.vesting.accept_beneficiary(schedule)
    assert vault.vesting.schedule(schedule).beneficiary == old.address
    with acting(new):
        vault.vesting.accept_beneficiary(schedule)
        with boa.reverts("Vesting: not the proposed beneficiary"):
            vault.vesting.accept_beneficiary(schedule)
    assert vault.vesting.schedule(schedule).beneficiary == new.address
    assert (vault.ifx.getVotes(friend.address), vault.ifx.getVotes(new.address)) == (0, AMOUNT)
    set_time(vault.tge)
    vault.vesting.claim(schedule)
    assert (vault.ifx.balanceOf(old.address), vault.ifx.balanceOf(new.address)) == (0, AMOUNT // 10)
    with acting(old), boa.reverts("Vesting: not the beneficiary"):
        vault.vesting.delegate(schedule, old.address)


def test_a_withdrawn_proposal_is_not_accepted(vault: Vault) -> None:
    old, new = key("old"), key("new")
    schedule = vault.create(SEED, old)
    with acting(old):
        vault.vesting.propose_beneficiary(schedule, new.address)
        vault.vesting.propose_beneficiary(schedule, ZERO)
    with acting(new), boa.reverts("Vesting: not the proposed beneficiary"):
        vault.vesting.accept_beneficiary(schedule)


def test_wired_once_by_the_deployer_when_the_shares_are_there(vault: Vault) -> None:
    with boa.reverts("Vesting: shares not minted here"):
        Vault(minted=350 * MILLION - 1)
    with acting(key("deployer")):
        with boa.reverts("Vesting: wired already"):
            vault.vesting.wire(vault.ifx, vault.code)
        fresh = deployer("token/Vesting.vy").deploy(vault.foundation.address, vault.tge)
        with boa.reverts("Vesting: no wallet code"):
            fresh.wire(vault.ifx, ZERO)
    with acting(vault.foundation), boa.reverts("Vesting: not the deployer"):
        fresh.wire(vault.ifx, vault.code)


def test_empty_arguments_are_refused(vault: Vault) -> None:
    refusals: list[tuple[str, tuple[Any, ...], str]] = [
        ("token/Vesting.vy", (ZERO, 1), "Vesting: no foundation"),
        ("token/Vesting.vy", (vault.foundation.address, 0), "Vesting: no TGE"),
        ("token/VestingWallet.vy", (ZERO, vault.vesting), "VestingWallet: empty address"),
        ("token/VestingWallet.vy", (vault.ifx, ZERO), "VestingWallet: empty address"),
    ]
    for path, arguments, reason in refusals:
        with boa.reverts(reason):
            deployer(path).deploy(*arguments)
