# SPDX-License-Identifier: Apache-2.0
"""Votes that somebody says are false."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from inferix.messages import Vote, unpack_voters
from inferix.models.anchor import BatchLeaf
from inferix.models.roles import Outcome
from tests.stateful.model.basics import DAY
from tests.stateful.model.work import FINAL, Batch
from tests.stateful.objection_rules import VOTES, ObjectionRules
from tests.stateful.stage import PICK

SAID = st.sampled_from([*[Outcome.ACCEPTED] * 3, Outcome.REJECTED, Outcome.CLIENT_FAULT])


class ContradictionRules(ObjectionRules):
    """A verifier that signed anything about an attempt answers for it, once its leaf is final."""

    def _judged(self, *statuses: int) -> list[tuple[Batch, int, BatchLeaf]]:
        """Leaves with voters, of honest batches."""
        batches = [batch for batch in self.bench.model.work.batches.values() if batch.is_honest]
        found = [(b, at, leaf) for b in batches for at, leaf in enumerate(b.leaves) if unpack_voters(leaf.voters)]
        return [item for item in found if not statuses or item[0].status in statuses]

    def _vote(self, leaf: BatchLeaf, node: int, said: Outcome, attempt: int = 0) -> Vote:
        fields = {"task": leaf.task, "attempt": leaf.attempt + attempt, "node": node, "result": leaf.result}
        return Vote(**fields, outcome=int(said), measured=bytes(32))

    @precondition(lambda self: self._judged())
    @rule(pick=PICK, voter=PICK, said=SAID, bond=PICK, off=st.integers(0, 6), times=st.integers(1, 2))
    def contradict(self, pick: int, voter: int, said: Outcome, bond: int, off: int, times: int) -> None:
        final = self._judged(FINAL) if pick % 4 else []
        batch, index, leaf = self._of(final or self._judged(), pick)
        node = self._node(voter).id if off == 6 else self._of(unpack_voters(leaf.voters), voter)
        who = self.world.stranger if off == 5 else None
        for _ in range(times):
            vote = self._vote(leaf, node, said, attempt=int(off == 4))
            self.docket.hearings.contradict(batch, index, vote, self._node(bond).id if bond % 2 else 0, who)

    @precondition(lambda self: self._judged(FINAL))
    @rule(pick=PICK, said=SAID, bond=PICK, votes=VOTES, upheld=st.booleans())
    def contradicted_days(self, pick: int, said: Outcome, bond: int, votes: list[bool], upheld: bool) -> None:
        """All who voted on an attempt are contradicted; heard, decided, ended."""
        batch, index, leaf = self._of(self._judged(FINAL), pick)
        for node in unpack_voters(leaf.voters):
            backed = self._node(bond).id if bond % 2 else 0
            self.docket.hearings.contradict(batch, index, self._vote(leaf, node, said), backed)
        self._heard(votes)
        self._pass(DAY)
        for place in self.docket.hearings.open():
            self.docket.hearings.decide(place, upheld)
