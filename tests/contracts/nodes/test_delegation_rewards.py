# SPDX-License-Identifier: Apache-2.0
"""What delegators get of a node's claims: their part to the wei, from which root on, by which share."""

import boa
import pytest

from tests.contracts.nodes.backing import DUST, OWN, Backing
from tests.contracts.system import BANNED, FROZEN, IFX, VERIFIER, acting, key

EARNED = 10**18 + 7


def test_half_of_what_delegated_stake_stands_for_is_the_delegators(backing: Backing) -> None:
    who = backing.delegate(OWN // 4)
    books = backing.root(EARNED)
    owner = backing.balance(backing.node.owner)
    part = backing.part(EARNED, OWN // 4)
    assert part == EARNED // 10
    assert backing.claim(books) == EARNED
    logs = {type(log).__name__: log for log in backing.network.accounts.get_logs()}
    assert (logs["Claimed"].owner, logs["Claimed"].amount) == (backing.node.owner.address, EARNED)
    assert backing.balance(backing.node.owner) - owner == EARNED - part
    assert backing.network.accounts.claimed(backing.node.id) == EARNED
    assert 0 <= part - backing.rewards(who) <= DUST
    backing.check_books()


def test_anybody_claims_for_a_delegator_to_its_own_address_once(backing: Backing) -> None:
    who = backing.delegate(OWN)
    backing.pay(EARNED)
    due = backing.rewards(who)
    with acting(key("anybody")):
        assert backing.delegation.claim(backing.node.id, who.address) == due == backing.balance(who)
    with boa.reverts("Delegation: nothing to claim"):
        backing.delegation.claim(backing.node.id, who.address)
    with boa.reverts("Delegation: nothing to claim"):
        backing.delegation.claim(backing.node.id, key("stranger").address)
    backing.pay(EARNED)
    assert abs(backing.delegation.claim(backing.node.id, who.address) - due) <= DUST
    backing.check_books()


def test_delegators_share_by_their_shares(backing: Backing) -> None:
    small, large = backing.delegate(100 * IFX), backing.delegate(300 * IFX)
    backing.pay(EARNED)
    assert abs(backing.rewards(large) - 3 * backing.rewards(small)) <= DUST
    assert 0 <= backing.part(EARNED, 400 * IFX) - backing.rewards(small) - backing.rewards(large) <= DUST


def test_who_joined_in_an_epoch_takes_part_from_its_root_on(backing: Backing) -> None:
    early = backing.delegate(OWN)
    before = backing.close(EARNED)
    late = backing.delegate(OWN)  # after the cut-off, before the root is final
    assert backing.position(late).epoch == before.epoch + 1
    backing.ledger.publish(before)
    backing.claim(before)
    assert backing.rewards(late) == 0
    # What waits is not in the count either: the early one gets its part as if it were not there.
    assert 0 <= backing.part(EARNED, OWN) - backing.rewards(early) <= DUST
    assert (backing.position(early).waiting, backing.position(late).waiting) == (0, OWN)
    first = backing.rewards(early)
    backing.pay(EARNED)
    assert backing.position(late).waiting == 0
    assert 0 <= backing.part(EARNED, 2 * OWN) // 2 - backing.rewards(late) <= DUST
    assert 0 <= backing.part(EARNED, 2 * OWN) // 2 + first - backing.rewards(early) <= DUST


def test_adding_while_a_join_waits_makes_both_wait(backing: Backing) -> None:
    other, who = backing.delegate(OWN), backing.delegate(OWN)
    books = backing.close(EARNED)
    backing.delegate(IFX, who)
    backing.ledger.publish(books)
    backing.claim(books)
    assert (backing.rewards(who), backing.position(who).waiting) == (0, OWN + IFX)
    assert 0 <= backing.part(EARNED, OWN) - backing.rewards(other) <= DUST
    backing.pay(EARNED)
    assert backing.rewards(who) > 0


def test_adding_once_it_earns_leaves_the_earlier_stake_earning(backing: Backing) -> None:
    who = backing.delegate(OWN)
    backing.pay(EARNED)
    books = backing.close(EARNED)
    backing.delegate(OWN, who)
    backing.ledger.publish(books)
    before = backing.rewards(who)
    backing.claim(books)
    assert 0 <= backing.part(EARNED, OWN) - (backing.rewards(who) - before) <= DUST


def test_joins_of_a_long_silence_are_let_in_sixteen_epochs_at_a_time(backing: Backing) -> None:
    people = []
    for _ in range(17):
        people.append(backing.delegate(IFX))
        backing.ledger.close_epoch()
    assert backing.delegation.pool(backing.node.id).earning == 0
    books = backing.root(EARNED)
    backing.claim(books)
    assert [backing.position(who).waiting for who in people] == [0] * 16 + [IFX]
    backing.pay(EARNED)
    assert backing.position(people[-1]).waiting == 0
    backing.check_books()


def test_who_leaves_takes_part_in_no_later_claim_but_keeps_what_was_credited(backing: Backing) -> None:
    who, other = backing.delegate(OWN), backing.delegate(OWN)
    backing.pay(EARNED)
    due = backing.rewards(who)
    backing.undelegate(who)
    backing.pay(EARNED)
    assert backing.rewards(who) == due > 0
    assert backing.rewards(other) > due
    assert backing.delegation.claim(backing.node.id, who.address) == due


def test_what_waits_leaves_first(backing: Backing) -> None:
    who = backing.delegate(10 * IFX)
    backing.pay(EARNED)
    backing.delegate(5 * IFX, who)
    backing.undelegate(who, 7 * IFX)
    position = backing.position(who)
    assert (position.shares, position.waiting) == (8 * IFX, 0)
    assert backing.delegation.pool(backing.node.id).earning == 8 * IFX


def test_a_node_without_delegators_is_paid_as_ever(backing: Backing) -> None:
    who = backing.delegate(IFX)
    backing.undelegate(who)
    before = backing.balance(backing.node.owner)
    backing.pay(EARNED)
    assert backing.balance(backing.node.owner) - before == EARNED
    assert backing.balance(backing.delegation) == 0


def test_an_owner_without_stake_still_has_its_share(backing: Backing) -> None:
    who = backing.delegate(OWN)
    with acting(backing.node.owner):
        backing.staking.unbond(backing.node.id, OWN)
    before = backing.balance(backing.node.owner)
    backing.pay(EARNED)
    assert backing.balance(backing.node.owner) - before == EARNED - EARNED // 2
    assert 0 <= EARNED // 2 - backing.rewards(who) <= DUST


def test_claims_of_many_are_shared_too(backing: Backing) -> None:
    who, accounts = backing.delegate(OWN), backing.network.accounts
    books = backing.root(EARNED)
    leaf, proof = books.claim(backing.node.id)
    assert accounts.claim_many([leaf], [proof]) == EARNED
    first = backing.rewards(who)
    books = backing.root(EARNED)
    height = (len(books.node_tree.proof(backing.node.id))).bit_length()
    start = backing.node.id >> height << height
    accounts.claim_chunk(*books.chunk(start, height))
    assert first > 0
    assert abs(backing.rewards(who) - 2 * first) <= DUST


def test_a_banned_node_s_delegators_keep_what_was_credited(backing: Backing) -> None:
    who = backing.delegate(OWN)
    backing.pay(EARNED)
    due = backing.rewards(who)
    backing.slash(10**30)
    with acting(backing.network.panels):
        backing.network.registry.set_status(backing.node.id, BANNED)
    backing.ledger.close_epoch()
    start = int(backing.network.accounts.cut_off())
    leaves = {backing.node.id: (backing.earned, 10**15, 10**15 * (start + 10**8))}
    books = backing.ledger.publish(backing.ledger.books(leaves))
    before = backing.balance(backing.network.penalty_pool)
    assert backing.claim(books) == 0
    assert backing.balance(backing.network.penalty_pool) - before == 10**15
    assert backing.delegation.claim(backing.node.id, who.address) == due


def test_a_frozen_node_s_delegators_wait_with_it(backing: Backing) -> None:
    backing.delegate(OWN)
    books = backing.root(EARNED)
    with acting(backing.network.panels):
        backing.network.registry.set_status(backing.node.id, FROZEN)
    with boa.reverts("claims: node frozen"):
        backing.claim(books)


def test_another_share_counts_for_the_epoch_after_the_next(backing: Backing) -> None:
    who = backing.delegate(OWN)
    backing.pay(EARNED)
    backing.set_share(2_000)
    terms, epoch = backing.delegation.terms(backing.node.id), backing.network.burn_mint_work.epoch()
    assert (terms.share, terms.next_share, terms.since) == (5_000, 2_000, epoch + 2)
    before, gains = backing.rewards(who), []
    for _ in range(3):
        books = backing.root(EARNED)
        backing.claim(books)
        gains.append((books.epoch - epoch, backing.rewards(who) - before))
        before = backing.rewards(who)
    for later, gain in gains:
        share = 2_000 if later >= 2 else 5_000
        assert 0 <= backing.part(EARNED, OWN, share=share) - gain <= DUST, later


def test_a_notice_can_be_replaced_until_it_counts_and_again_once_no_older_root_is_left(backing: Backing) -> None:
    backing.delegate(OWN)
    backing.pay(EARNED)
    backing.set_share(2_000)
    backing.set_share(6_000)
    assert backing.delegation.terms(backing.node.id).share == 5_000
    for _ in range(2):
        backing.ledger.close_epoch()
    with boa.reverts("Delegation: a change waits"):
        backing.set_share(7_000)
    backing.root(EARNED)
    assert backing.network.accounts.newest().epoch >= backing.delegation.terms(backing.node.id).since
    backing.set_share(7_000)
    terms = backing.delegation.terms(backing.node.id)
    assert (terms.share, terms.next_share) == (6_000, 7_000)


@pytest.mark.parametrize("share", [0, 999, 9_001, 10_000])
def test_shares_are_bounded_and_the_owner_s_to_say(backing: Backing, share: int) -> None:
    with boa.reverts("Delegation: share out of bounds"):
        backing.set_share(share)
    with acting(key("thief")), boa.reverts("Delegation: not the node's owner"):
        backing.delegation.set_share(backing.node.id, 5_000)


def test_each_node_s_delegators_have_a_pool_of_their_own(backing: Backing) -> None:
    other = backing.network.bonded(VERIFIER)
    backing.set_limit(OWN, other)
    who = backing.delegate(OWN, node=other)
    backing.delegate(OWN)
    backing.pay(EARNED)
    assert backing.delegation.position(other.id, who.address).rewards == 0
