# SPDX-License-Identifier: Apache-2.0
"""What a dispute of one leaf costs, in an environment of its own: measuring fixes storage for good.

In steady state: who gets a bond has had one before. The bound that was set for a dispute with its answer is 200,000; it
costs two and a half times that. An answer shows order and receipt too, which is 84,000: two signatures, the lane, the
anchor and whether it was served, their calldata, and bytes that Committees takes apart. Without these, of an answer with
the bond in IFX, 254,000: the transaction and its calldata 50,000; what contracts
ask each other of parameters, batch, seed, roster and account 58,000; three votes, each a signature, the voter's keys and
owner and its place in the roster, 42,000; the bond, half burned and half paid in a token with votes, 35,000; memory of two
contracts for twelve members with proofs of 32 levels 24,000; draws, and taking that calldata apart twice, the rest.
A bond lost out of stake takes its owner's votes along, 15,000.

Eight members would save 8,000, proofs of at most 24 levels 6,000: both would leave honest leaves without an answer
some day. That it is no lease is seen in 1,000 more. To look no further than the last voter in `Committees._is_voter` saves nothing.
"""

import boa
import pytest

from inferix.models.roles import Outcome
from tests.contracts.disputes.court import Court
from tests.gas.meter import transaction_gas
from tests.gas.scenario import START

BOUND = 200_000


@pytest.fixture(scope="module")
def figures() -> dict[str, int]:
    """Gas of challenge and answer about one leaf of a hundred; the bond in IFX, and out of stake."""
    figures = {}
    with boa.swap_env(boa.Env()):
        boa.env.evm.patch.timestamp = START  # who is drawn, and so what it costs, hangs on the time
        court = Court()
        court.populate()
        verifier = court.verifiers[0]
        for name, node, sender in [("ifx", 0, court.challenger), ("stake", verifier.id, verifier.operator)] * 2:
            label = f"{name} {len(figures)}"
            ballot = court.ballot(label)
            late = [court.ballot(f"{label} {i}", outcome=Outcome.LATE, voters=[]).leaf for i in range(99)]
            batch = court.batch([ballot.leaf, *late])
            challenge, answer = court.disputes.challenge_votes, court.disputes.answer_votes
            figures[f"challenge, bond in {name}"] = transaction_gas(challenge, *batch.item(0), node, sender=sender)
            arguments = (*batch.item(0), ballot.encoded())
            figures[f"answer, bond in {name}"] = transaction_gas(answer, *arguments, sender=court.keeper.operator)
    return figures


@pytest.mark.parametrize(
    ("name", "ceiling"),
    [
        ("challenge, bond in ifx", 153_000),
        ("answer, bond in ifx", 339_000),
        ("challenge, bond in stake", 136_000),
        ("answer, bond in stake", 421_000),
    ],
)
def test_a_dispute_of_one_leaf_stays_under_its_ceiling(figures: dict[str, int], name: str, ceiling: int) -> None:
    assert ceiling * 0.97 < figures[name] <= ceiling


@pytest.mark.parametrize(("bond", "over"), [("ifx", 289_000), ("stake", 354_000)])
def test_a_dispute_with_its_answer_is_over_its_bound_by_no_more_than_is_known(
    figures: dict[str, int], bond: str, over: int
) -> None:
    both = figures[f"challenge, bond in {bond}"] + figures[f"answer, bond in {bond}"]
    assert 0 < both - BOUND <= over
