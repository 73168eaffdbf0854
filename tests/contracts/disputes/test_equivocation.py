# SPDX-License-Identifier: Apache-2.0
"""A verifier that signs two outcomes of one result loses all and is banned; nothing less convicts it."""

from typing import Any

import boa
import pytest
from eth_utils import keccak

from inferix.messages import Vote
from inferix.models.roles import Outcome
from tests.contracts.disputes.court import Court
from tests.contracts.system import BANNED, Node, acting, advance, key

TASK, RESULT = keccak(text="task"), keccak(text="result")


def signed(court: Court, node: Node, outcome: int, signer: Any = None, **changes: Any) -> tuple[Any, bytes]:
    fields = {"task": TASK, "attempt": 0, "node": node.id, "result": RESULT, "outcome": outcome, "measured": bytes(32)}
    vote = Vote(**(fields | changes))
    signature = vote.sign(court.domain, bytes((signer or node.operator).key))
    return tuple(getattr(vote, name) for name in Vote.model_fields), signature


def test_two_outcomes_cost_the_whole_stake_and_the_licence(court: Court) -> None:
    node = court.verifiers[0]
    half = court.staking.bonded(node.id) // 2
    with acting(node.owner):
        court.staking.unbond(node.id, half)
    stake, supply = court.staking.bonded(node.id) + court.staking.unbonding(node.id), court.ifx.totalSupply()
    balance = court.ifx.balanceOf(court.challenger.address)
    votes = (*signed(court, node, Outcome.ACCEPTED), *signed(court, node, Outcome.REJECTED))
    with acting(court.challenger):
        court.disputes.prove_equivocation(*votes)
    assert court.staking.bonded(node.id) == court.staking.unbonding(node.id) == 0
    burned, reward = supply - court.ifx.totalSupply(), court.ifx.balanceOf(court.challenger.address) - balance
    assert burned == stake - stake // 2
    assert 0 < reward == stake // 10 < burned
    assert court.registry.node(node.id).status == BANNED
    with boa.reverts("Disputes: punished already"):
        court.disputes.prove_equivocation(*votes)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"attempt": 1}, "Disputes: votes on two attempts"),
        ({"task": bytes(32)}, "Disputes: votes on two attempts"),
        ({"result": bytes(32)}, "Disputes: votes on two results"),
        ({"outcome": Outcome.ACCEPTED, "measured": b"\1" * 32}, "Disputes: the same outcome"),
    ],
)
def test_two_votes_that_may_both_be_true(court: Court, changes: dict[str, Any], reason: str) -> None:
    node = court.verifiers[0]
    second = signed(court, node, **({"outcome": Outcome.REJECTED} | changes))
    with boa.reverts(reason):
        court.disputes.prove_equivocation(*signed(court, node, Outcome.ACCEPTED), *second)
    assert court.staking.bonded(node.id) > 0


def test_equivocation_of_two_different_verifiers(court: Court) -> None:
    first, second = court.verifiers[:2]
    with boa.reverts("Disputes: votes of two verifiers"):
        court.disputes.prove_equivocation(
            *signed(court, first, Outcome.ACCEPTED), *signed(court, second, Outcome.REJECTED)
        )
    # The same in disguise: the second's vote under the first's name.
    with boa.reverts("Disputes: not signed by the verifier"):
        court.disputes.prove_equivocation(
            *signed(court, first, Outcome.ACCEPTED), *signed(court, first, Outcome.REJECTED, second.operator)
        )


def test_a_new_key_does_not_hide_what_the_old_one_signed(court: Court) -> None:
    node = court.verifiers[0]
    votes = (*signed(court, node, Outcome.ACCEPTED), *signed(court, node, Outcome.REJECTED))
    fresh = key("fresh operator")
    with acting(node.owner):
        court.registry.set_operator(node.id, fresh.address)
    court.disputes.prove_equivocation(*votes)
    assert court.registry.node(node.id).status == BANNED


def test_old_and_new_key_together_convict(court: Court) -> None:
    node, fresh = court.verifiers[0], key("fresh operator")
    first = signed(court, node, Outcome.ACCEPTED)
    with acting(node.owner):
        court.registry.set_operator(node.id, fresh.address)
    court.disputes.prove_equivocation(*first, *signed(court, node, Outcome.REJECTED, fresh))
    assert court.staking.bonded(node.id) == 0


def test_a_verifier_that_left_is_caught_while_its_stake_waits(court: Court) -> None:
    node = court.verifiers[0]
    with acting(node.owner):
        court.registry.retire(node.id)
        court.staking.unbond(node.id, court.staking.bonded(node.id))
    advance(court.window("unbonding") - 60)
    votes = (*signed(court, node, Outcome.ACCEPTED), *signed(court, node, Outcome.REJECTED))
    court.disputes.prove_equivocation(*votes)
    assert court.staking.unbonding(node.id) == 0
    with boa.reverts("Staking: nothing unbonding"), acting(node.owner):
        court.staking.withdraw(node.id)


def test_a_malleable_signature_convicts_nobody(court: Court) -> None:
    node = court.verifiers[0]
    vote, signature = signed(court, node, Outcome.ACCEPTED)
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high = (order - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big")
    twin = signature[:32] + high + bytes([55 - signature[64]])
    with boa.reverts("eip712: high s"):
        court.disputes.prove_equivocation(vote, twin, *signed(court, node, Outcome.REJECTED))
