# SPDX-License-Identifier: Apache-2.0
"""Nodes change their keys, and sign what convicts them: with the old one, the new one, or one of each."""

from typing import Any

from eth_utils import keccak
from hypothesis import strategies as st
from hypothesis.stateful import rule

from inferix.messages import Vote
from inferix.models.roles import Outcome
from tests.contracts.system import Node, key
from tests.stateful.model.stake import BANNED
from tests.stateful.stage import PICK, Stage

FLAWS = ("attempt", "result", "outcome", "node", "signature")
FLAWED = st.sampled_from([*FLAWS, *FLAWS, ""])
"""Of two votes; mostly they convict nobody: a ban is for ever."""


class KeyRules(Stage):
    """By owners, and by whoever else tries."""

    @rule(pick=PICK, by=PICK, used=st.sampled_from([False, False, False, True]))
    def change_key(self, pick: int, by: int, used: bool) -> None:
        """A fresh key, or one that somebody has or had."""
        node = self._node(pick)
        operator = self._of(list(self.world.nodes.values()), by).operator if used else self._fresh_key()
        self.set_operator(node, operator, self.world.stranger if by % 5 == 0 else node.owner)

    def _fresh_key(self) -> Any:
        return key(f"operator after {len(self.bench.model.keys.former)} others")

    def set_operator(self, node: Node, operator: Any, who: Any) -> bool:
        """What its node signs from here on, it signs with this key."""
        ask = lambda: self.bench.model.keys.change(who.address, node.id, operator.address)  # noqa: E731
        done = self.bench.both(who, ask, "registry", "set_operator", node.id, operator.address)
        if done:
            self.bench.former.setdefault(node.id, []).append(node.operator)
            self.world.change_key(node, operator)
        return done

    @rule(pick=PICK, by=PICK, flaw=FLAWED, keys=st.tuples(PICK, PICK), times=st.integers(1, 2))
    def equivocate(self, pick: int, by: int, flaw: str, keys: tuple[int, int], times: int) -> None:
        """Of whatever role: who signs two outcomes of one result has nothing left."""
        reporter = self.world.stranger if by % 2 else self.world.challenger
        for _ in range(times):
            self.prove_equivocation(self._node(pick), flaw, keys, by, reporter)

    def prove_equivocation(
        self, node: Node, flaw: str = "", keys: tuple[int, int] = (0, 0), task: int = 0, reporter: Any = None
    ) -> bool:
        """Two votes of a node on a task; ``flaw``: why they are no equivocation; ``keys``: which of its keys signed each."""
        reporter, model = reporter or self.world.challenger, self.bench.model
        own = [node.operator, *self.bench.former.get(node.id, [])]
        signers = [self._of(own, at) for at in keys]
        first = {"task": keccak(text=f"task {task}"), "attempt": 0, "node": node.id, "result": bytes(32)}
        first |= {"outcome": int(Outcome.ACCEPTED), "measured": bytes(32)}
        other = next(each for each in self.world.nodes.values() if each.id != node.id)
        changes: dict[str, dict[str, Any]] = {
            "attempt": {"attempt": 1},
            "result": {"result": b"\1" * 32},
            "outcome": {"outcome": int(Outcome.ACCEPTED), "measured": b"\1" * 32},
            "node": {"node": other.id},
        }
        second = first | {"outcome": int(Outcome.REJECTED)} | changes.get(flaw, {})
        signers[1] = other.operator if flaw in ("node", "signature") else signers[1]
        arguments: list[Any] = []
        for fields, signer in zip((first, second), signers, strict=True):
            vote = Vote(**fields)
            arguments += [vote.model_dump(), vote.sign(self.world.domain, bytes(signer.key))]

        def ask() -> None:
            convicted = model.stakes.nodes[node.id]
            model.keys.equivocate(reporter.address, node.id, (first["task"], 0), is_proof=not flaw)
            model.licences.set_status(convicted, BANNED)

        return self.bench.both(reporter, ask, "disputes", "prove_equivocation", *arguments)
