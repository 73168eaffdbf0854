# SPDX-License-Identifier: Apache-2.0
"""CommunityFund: grants of the governor, and airdrops that pay whoever is listed, once, until a deadline."""

import boa
import pytest
from eth_utils import keccak

from tests.contracts.merkle.lists import List, listed, load
from tests.contracts.system import DAY, IFX, Contract, System, acting, deployer, key, now, set_time

FUND = 141_000_000 * IFX
PROMISED = 15_000 * IFX  # 1, 2, 3, 4 and 5 thousand
WEEK, YEAR = 7 * DAY, 365 * DAY
ZERO = "0x" + "00" * 20


@pytest.fixture
def fund(system: System) -> Contract:
    with acting(system.deployer):
        made = deployer("token/CommunityFund.vy").deploy(system.parameters)
        made.wire(system.ifx)
    system.give_ifx(made.address, FUND)
    return made


def open_airdrop(
    system: System, fund: Contract, name: str = "airdrop", amount: int = PROMISED, term: int = WEEK
) -> int:
    with acting(system.governor):
        return int(fund.open_airdrop(load(name).root, bytes(32), amount, now() + term))


def claim(fund: Contract, airdrop: int, index: int, list_: List | None = None, amount: int = 0) -> None:
    account = listed(index).address
    amount = amount or (index + 1) * 1000 * IFX
    fund.claim(airdrop, account, amount, (list_ or load("airdrop"))[account, amount])


def test_every_listed_account_is_paid_once_by_anybody(system: System, fund: Contract) -> None:
    airdrop = open_airdrop(system, fund)
    for index in range(5):
        claim(fund, airdrop, index)
        assert system.ifx.balanceOf(listed(index).address) == (index + 1) * 1000 * IFX
        assert fund.is_claimed(airdrop, listed(index).address)
        with boa.reverts("CommunityFund: claimed before"):
            claim(fund, airdrop, index)
    assert (fund.airdrop(airdrop).left, fund.reserved(), fund.available()) == (0, 0, FUND - PROMISED)


def test_another_amount_account_or_proof_is_not_listed(system: System, fund: Contract) -> None:
    airdrop, proofs = open_airdrop(system, fund), load("airdrop")
    account, amount = listed(0).address, 1000 * IFX
    proof = proofs[account, amount]
    wrong = [
        (account, amount + 1, proof),
        (key("stranger").address, amount, proof),
        (account, amount, proof[:-1]),
        (account, amount, [*proof, bytes(32)]),
        (account, amount, proofs[listed(1).address, 2000 * IFX]),
        (account, amount, []),
    ]
    for arguments in wrong:
        with boa.reverts("CommunityFund: not listed"):
            fund.claim(airdrop, *arguments)
    fund.claim(airdrop, account, amount, proof)


def test_attack_an_inner_node_is_no_leaf_of_a_list(system: System, fund: Contract) -> None:
    """An account and its amount are 64 bytes, as the two hashes of a parent are."""
    account, amount = listed(0).address, 1000 * IFX
    fields = bytes.fromhex(account[2:]).rjust(32, b"\0") + amount.to_bytes(32, "big")
    beside = keccak(text="beside")

    def drop(node: bytes) -> int:
        root = keccak(b"".join(sorted((node, beside))))
        with acting(system.governor):
            return int(fund.open_airdrop(root, bytes(32), amount, now() + WEEK))

    parent = keccak(fields)
    with boa.reverts("CommunityFund: not listed"):
        fund.claim(drop(parent), account, amount, [beside])
    fund.claim(drop(keccak(parent)), account, amount, [beside])
    assert system.ifx.balanceOf(account) == amount


def test_a_list_of_one_has_an_empty_proof(system: System, fund: Contract) -> None:
    airdrop = open_airdrop(system, fund, "single", amount=1)
    claim(fund, airdrop, 0, load("single"), amount=1)
    assert system.ifx.balanceOf(listed(0).address) == 1


def test_claims_end_and_the_sweep_begins_at_the_deadline(system: System, fund: Contract) -> None:
    until = now() + WEEK
    airdrop = open_airdrop(system, fund)
    set_time(until - 1)
    claim(fund, airdrop, 4)
    with boa.reverts("CommunityFund: airdrop open"):
        fund.sweep(airdrop)
    set_time(until)
    with boa.reverts("CommunityFund: airdrop over"):
        claim(fund, airdrop, 3)
    assert fund.available() == FUND - PROMISED
    assert fund.sweep(airdrop) == 10_000 * IFX
    assert (fund.available(), fund.reserved()) == (FUND - 5000 * IFX, 0)
    with boa.reverts("CommunityFund: nothing left"):
        fund.sweep(airdrop)
    with boa.reverts("CommunityFund: nothing left"):
        fund.sweep(airdrop + 1)
    with boa.reverts("CommunityFund: airdrop over"):
        claim(fund, airdrop + 1, 0)


def test_a_list_over_what_was_set_aside_takes_nothing_from_another(system: System, fund: Contract) -> None:
    other = open_airdrop(system, fund)
    short = open_airdrop(system, fund, amount=5_999 * IFX)
    claim(fund, short, 4)
    with boa.reverts("CommunityFund: airdrop used up"):
        claim(fund, short, 0)
    for index in range(5):
        claim(fund, other, index)


def test_the_governor_grants_what_no_airdrop_holds(system: System, fund: Contract) -> None:
    open_airdrop(system, fund)
    receiver = key("receiver").address
    with acting(system.governor):
        with boa.reverts("CommunityFund: over what is available"):
            fund.grant(receiver, FUND - PROMISED + 1)
        fund.grant(receiver, FUND - PROMISED)
        with boa.reverts("CommunityFund: over what is available"):
            fund.open_airdrop(load("airdrop").root, bytes(32), 1, now() + WEEK)
    assert system.ifx.balanceOf(receiver) == FUND - PROMISED
    claim(fund, 1, 0)


def test_nobody_else_grants_or_opens(system: System, fund: Contract) -> None:
    for other in (system.foundation, system.guardian):
        with acting(other):
            with boa.reverts("governed: not the governor"):
                fund.grant(other, 1)
            with boa.reverts("governed: not the governor"):
                fund.open_airdrop(load("airdrop").root, bytes(32), 1, now() + WEEK)


@pytest.mark.parametrize("term", [WEEK - 1, YEAR + 1])
def test_deadlines_out_of_bounds_are_refused(system: System, fund: Contract, term: int) -> None:
    with boa.reverts("CommunityFund: deadline"):
        open_airdrop(system, fund, term=term)
    open_airdrop(system, fund, term=min(max(term, WEEK), YEAR))


def test_an_airdrop_has_a_root_and_money(system: System, fund: Contract) -> None:
    with acting(system.governor):
        with boa.reverts("CommunityFund: no root"):
            fund.open_airdrop(bytes(32), bytes(32), 1, now() + WEEK)
        with boa.reverts("CommunityFund: over what is available"):
            fund.open_airdrop(load("airdrop").root, bytes(32), 0, now() + WEEK)


def test_the_deployer_names_the_token_once(system: System, fund: Contract) -> None:
    with acting(system.deployer):
        with boa.reverts("governed: wired already"):
            fund.wire(system.ifx)
        fresh = deployer("token/CommunityFund.vy").deploy(system.parameters)
        with boa.reverts("CommunityFund: no token"):
            fresh.wire(ZERO)
    with acting(system.governor), boa.reverts("governed: not the deployer"):
        fresh.wire(system.ifx)
