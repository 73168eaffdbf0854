# SPDX-License-Identifier: Apache-2.0
"""A dispute of one leaf with its answer, and a batch of one leaf.

In steady state: who gets a bond has had one before; who proposes alone has had IFX and an allowance.

Of a dispute, an answer shows order and receipt too, which is 84,000: two signatures, the lane, the anchor and whether it
was served, their calldata, and bytes that Committees takes apart. Without these, of an answer with the bond in IFX,
254,000: the transaction and its calldata 50,000; what contracts ask each other of parameters, batch, seed, roster and
account 58,000; three votes, each a signature, the voter's keys and owner and its place in the roster, 42,000; the bond,
half burned and half paid in a token with votes, 35,000; memory of two contracts for twelve members with proofs of 32 levels
24,000; draws, and taking that calldata apart twice, the rest. A bond lost out of stake takes its owner's votes along,
15,000. Eight members would save 8,000, proofs of at most 24 levels 6,000: both would leave honest leaves without an answer
some day.

Of a batch of one: the transaction and its calldata 52,000; the votes, as in an answer, 80,000; a word for the batch and one
for its bond, both new, 56,000 with what Batches and Parameters do on the way; the bond 19,000; three signatures with
account, coin and the worker's key 24,000; the receipt's place in the anchor 11,000; price, window and an earlier try of the
same leaf 20,000; the order, memory and the log the rest. Without the word a batch an old task could be charged again.
"""

from typing import Any

import boa

from inferix.models.roles import Outcome
from tests.contracts.disputes.court import Court
from tests.contracts.disputes.worker import alone, delivered, fund
from tests.contracts.system import advance
from tests.gas.meter import transaction_gas

LEAVES = 100


class Disputes:
    """Measures challenge and answer about one leaf of a hundred; the bond in IFX, and out of stake."""

    def __init__(self, figures: dict[str, int]) -> None:
        self.figures = figures
        self.court = Court()
        self.court.populate()

    def run(self) -> None:
        """Twice: the second time all that is paid has been paid before."""
        verifier = self.court.verifiers[0]
        for time in ("first", "second"):
            self._measure("IFX", time, 0, self.court.challenger)
            self._measure("stake", time, verifier.id, verifier.operator)

    def _measure(self, bond: str, time: str, node: int, sender: Any) -> None:
        court, label = self.court, f"{bond} {time}"
        ballot = court.ballot(label)
        late = [court.ballot(f"{label} {i}", outcome=Outcome.LATE, voters=[]).leaf for i in range(LEAVES - 1)]
        item = court.batch([ballot.leaf, *late]).item(0)
        asked = transaction_gas(court.disputes.challenge_votes, *item, node, sender=sender)
        arguments = (*item, ballot.encoded())
        answered = transaction_gas(court.disputes.answer_votes, *arguments, sender=court.keeper.operator)
        self.figures[f"challenge of a leaf, bond in {bond}"] = asked
        self.figures[f"answer about a leaf, bond in {bond}"] = answered
        self.figures[f"dispute with its answer, bond in {bond}"] = asked + answered


class Escapes:
    """Measures what a worker pays whose manager fell silent."""

    def __init__(self, figures: dict[str, int]) -> None:
        self.figures = figures
        self.court = Court()
        self.court.populate()

    def run(self) -> None:
        """Twice, as above."""
        court, owner = self.court, self.court.workers[0].owner
        fund(court, owner)
        for name in ("first", "second"):
            case = delivered(court, name)
            self.figures["batch of one"] = transaction_gas(court.escape.propose, *case.arguments(), sender=owner)
            batch = alone(case.manager, case.leaf)
            advance(court.window("batch_window"))
            ended = transaction_gas(court.batches.finalize, batch.header.values(), sender=owner)
            self.figures["finalize a batch of one"] = ended
            freed = transaction_gas(court.escape.release, batch.commitment, sender=owner)
            self.figures["release the bond of a batch of one"] = freed


if __name__ == "__main__":
    found: dict[str, int] = {}
    for part in (Disputes, Escapes):
        with boa.swap_env(boa.Env()):
            part(found).run()
    for figure, gas in found.items():
        print(f"{figure:40} {gas:9,}")
