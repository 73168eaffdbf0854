# SPDX-License-Identifier: Apache-2.0
"""Contradictions as a thief: paid for a friend's conviction, an honest verifier stopped, fined or held for dust, papers forged."""

import boa
import pytest
from eth_utils import keccak

from inferix.messages import Domain, Vote
from inferix.models.roles import Outcome
from tests.contracts.disputes.contradicting import OPEN, UPHELD, accused, contradict, settled, signed
from tests.contracts.disputes.court import Batch, Court
from tests.contracts.disputes.objecting import money
from tests.contracts.system import ACTIVE, BANNED, IFX, Node, acting, advance, key

N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.fixture
def batch(court: Court) -> Batch:
    return settled(court)


@pytest.fixture
def victim(court: Court, batch: Batch) -> Node:
    return accused(court, batch)


def test_attack_a_friends_conviction_brings_less_than_it_burns(court: Court, batch: Batch, victim: Node) -> None:
    """Verifier and challenger are one purse: what it wins is less than what it loses, and what is burned."""
    supply, had, stake = court.ifx.totalSupply(), money(court, court.challenger), court.staking.bonded(victim.id)
    contradict(court, batch, signed(court, batch, victim)).decided(True)
    won = money(court, court.challenger) - had
    lost = stake - court.staking.bonded(victim.id) - won
    assert 0 < won <= court.bond() // 2, "of the bond alone: nothing of the fine"
    assert supply - court.ifx.totalSupply() > won
    assert lost > won


def test_attack_an_acquitted_friend_costs_half_of_the_bond(court: Court, batch: Batch, victim: Node) -> None:
    """So that nobody has a vote contradicted by a friend first, with a panel of friends, to have it done with for nothing."""
    purse = money(court, court.challenger) + money(court, victim.owner)
    contradict(court, batch, signed(court, batch, victim)).decided(False)
    left = money(court, court.challenger) + money(court, victim.owner)
    assert purse - left == court.bond() - court.bond() // 2
    with boa.reverts("Contradictions: contradicted before"):
        contradict(court, batch, signed(court, batch, victim))


def test_attack_many_contradictions_put_no_honest_verifier_out_of_work(
    court: Court, batch: Batch, victim: Node
) -> None:
    stake = court.staking.bonded(victim.id)
    for at in range(12):
        vote = signed(court, batch, victim, measured=keccak(text=f"measured {at}"))
        contradict(court, batch, vote)
    assert court.staking.is_bonded(victim.id)
    assert court.registry.node(victim.id).status == ACTIVE
    assert (court.staking.bonded(victim.id), court.staking.frozen(victim.id)) == (stake, 0)
    assert money(court, court.contradictions) == 12 * court.bond()


def test_attack_without_the_bond_nobody_is_held(court: Court, batch: Batch, victim: Node) -> None:
    vote = signed(court, batch, victim)
    poor = key("poor challenger")
    with acting(poor), boa.reverts():
        court.contradictions.contradict(*vote, batch.item(0), 0, bytes(32))
    assert (court.staking.holds(victim.id), court.contradictions.panel(keccak(b"")).block) == (0, 0)
    assert contradict(court, batch, vote).status() == OPEN


def test_attack_a_vote_once_acquitted_is_never_contradicted_again(court: Court, batch: Batch, victim: Node) -> None:
    vote = signed(court, batch, victim)
    doubted = contradict(court, batch, vote)
    with boa.reverts("Contradictions: contradicted before"):
        contradict(court, batch, vote)
    doubted.decided(False)
    with boa.reverts("Contradictions: contradicted before"):
        contradict(court, batch, vote)
    with boa.reverts("Contradictions: contradicted before"):
        contradict(court, batch, (vote[0], vote[1][:32] + packed(vote[1])))


def packed(signature: bytes) -> bytes:
    """The second half of a signature's short form (EIP-2098)."""
    return (int.from_bytes(signature[32:64], "big") | (signature[64] - 27) << 255).to_bytes(32, "big")


def test_attack_a_forged_vote_convicts_nobody(court: Court, batch: Batch, victim: Node) -> None:
    other = next(node for node in court.verifiers if node.id != victim.id)
    for signer in (court.challenger, other.operator, victim.owner, court.nodes[batch.leaves[0].node].operator):
        with boa.reverts("Contradictions: not signed by the verifier"):
            contradict(court, batch, signed(court, batch, victim, signer))
    with boa.reverts("Contradictions: not signed by the verifier"):
        contradict(court, batch, signed(court, batch, Node(0, victim.owner, court.challenger)))
    values, signature = signed(court, batch, victim)
    for at, value in ((3, bytes(32)), (4, Outcome.REJECTED), (5, bytes(32))):
        changed = (*values[:at], value, *values[at + 1 :])
        with boa.reverts("Contradictions: not signed by the verifier"):
            contradict(court, batch, (changed, signature))


def test_attack_a_malleable_signature_contradicts_no_vote(court: Court, batch: Batch, victim: Node) -> None:
    values, signature = signed(court, batch, victim)
    high = (N - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big")
    with boa.reverts("eip712: high s"):
        contradict(court, batch, (values, signature[:32] + high + bytes([55 - signature[64]])))
    with boa.reverts("eip712: invalid signature"):
        contradict(court, batch, (values, bytes(64) + b"\x1b"))
    with boa.reverts("eip712: signature length"):
        contradict(court, batch, (values, signature[:63]))


@pytest.mark.parametrize("change", [{"chain_id": 2}, {"contract": "0x" + "11" * 20}])
def test_attack_a_vote_of_another_domain_is_nobodys_here(
    court: Court, batch: Batch, victim: Node, change: dict[str, object]
) -> None:
    domain = Domain(**({"chain_id": court.domain.chain_id, "contract": court.domain.contract} | change))  # type: ignore[arg-type]
    values, _ = signed(court, batch, victim)
    vote = Vote(**dict(zip(Vote.model_fields, values, strict=True)))
    with boa.reverts("Contradictions: not signed by the verifier"):
        contradict(court, batch, (values, vote.sign(domain, bytes(victim.operator.key))))


def test_attack_who_has_left_with_its_stake_cannot_be_held_for_dust(court: Court, batch: Batch, victim: Node) -> None:
    with acting(victim.owner):
        court.registry.retire(victim.id)
        court.staking.unbond(victim.id, court.staking.bonded(victim.id))
    advance(court.window("unbonding") - 60)
    with boa.env.anchor():
        # To the last second of the unbonding it answers for what it signed.
        assert contradict(court, batch, signed(court, batch, victim)).decided(True).status() == UPHELD
    advance(60)
    with acting(victim.owner):
        court.staking.withdraw(victim.id)
    with boa.reverts("Contradictions: no stake left"):
        contradict(court, batch, signed(court, batch, victim))
    court.give_ifx(court.challenger.address, IFX)
    with acting(court.challenger), boa.reverts("Staking: node banned or retired"):
        court.staking.stake(victim.id, 1)


def test_attack_what_is_left_of_a_stake_is_the_most_that_is_taken(court: Court, batch: Batch, victim: Node) -> None:
    first = contradict(court, batch, signed(court, batch, victim))
    with acting(court.disputes):
        court.staking.slash(victim.id, court.staking.bonded(victim.id) - 1, 0)
    before = money(court, court.challenger)
    first.decided(True)
    assert court.staking.bonded(victim.id) == 0
    assert money(court, court.challenger) - before == court.bond()


def test_attack_a_conviction_frees_nobody_of_a_ban(court: Court, batch: Batch, victim: Node) -> None:
    doubted = contradict(court, batch, signed(court, batch, victim))
    with acting(court.governor):
        court.registry.set_status(victim.id, BANNED)
    doubted.decided(True)
    assert court.registry.node(victim.id).status == BANNED


def test_attack_a_workers_signature_under_a_vote_is_no_verifiers(court: Court, batch: Batch) -> None:
    worker = court.nodes[batch.leaves[0].node]
    with boa.reverts("Contradictions: not a verifier"):
        contradict(court, batch, signed(court, batch, worker))


def test_attack_one_contradictions_bond_pays_no_other(court: Court, batch: Batch, victim: Node) -> None:
    votes = [signed(court, batch, victim, measured=keccak(text=f"measured {at}")) for at in range(3)]
    first, second, third = (contradict(court, batch, vote) for vote in votes)
    for doubted, upheld, left in ((first, True, 2), (second, False, 1)):
        doubted.decided(upheld)
        assert money(court, court.contradictions) == left * court.bond()
    third.refer()
    advance(15 * 86_400)
    third.resolve()
    assert (money(court, court.contradictions), court.staking.holds(victim.id)) == (0, 0)
