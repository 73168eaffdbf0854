# SPDX-License-Identifier: Apache-2.0
"""What a dispute of one leaf costs, in an environment of its own: measuring fixes storage for good."""

import boa
import pytest

from inferix.models.roles import Outcome
from tests.contracts.disputes.court import Court
from tests.gas.meter import transaction_gas


@pytest.fixture(scope="module")
def figures() -> dict[str, int]:
    """Gas of challenge and answer about one leaf of a hundred; the bond in IFX, and out of stake."""
    figures = {}
    with boa.swap_env(boa.Env()):
        court = Court()
        court.populate()
        verifier = court.verifiers[0]
        for name, node, sender in [("ifx", 0, court.challenger), ("stake", verifier.id, verifier.operator)]:
            ballot = court.ballot(name)
            late = [court.ballot(f"{name} {i}", outcome=Outcome.LATE, voters=[]).leaf for i in range(99)]
            batch = court.batch([ballot.leaf, *late])
            challenge, answer = court.disputes.challenge_votes, court.disputes.answer_votes
            figures[f"challenge, bond in {name}"] = transaction_gas(challenge, *batch.item(0), node, sender=sender)
            arguments = (*batch.item(0), ballot.values())
            figures[f"answer, bond in {name}"] = transaction_gas(answer, *arguments, sender=court.keeper.operator)
    return figures


@pytest.mark.parametrize(
    ("name", "ceiling"),
    [
        ("challenge, bond in ifx", 155_000),
        ("answer, bond in ifx", 250_000),
        ("challenge, bond in stake", 140_000),
        ("answer, bond in stake", 300_000),
    ],
)
def test_a_dispute_of_one_leaf_stays_under_its_ceiling(figures: dict[str, int], name: str, ceiling: int) -> None:
    assert ceiling * 0.9 < figures[name] <= ceiling
