# SPDX-License-Identifier: Apache-2.0
"""Slashing, step by step: every step is a crank that anybody may turn; this keeper turns those that are due.

Rejected -> frozen at once; redone by another and accepted, both final -> charged; nobody appealed in time -> slashed;
appealed -> a panel is sealed, seated, heard and resolved.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlmodel import select

from inferix.chain.deployment import Contracts
from inferix.draws import draws
from inferix.messages import PanelVote
from inferix.models.anchor import BatchLeaf
from inferix.models.job import case_id
from inferix.models.roles import BatchStatus, CaseStatus, Draw, Outcome, RosterKind
from inferix.replay import Network
from inferix.replay.state import Batch, Case
from inferix.storage.tables import Message
from inferix.trees import Tree, batch_leaf
from keepers.desk import Desk, flat

log = logging.getLogger(__name__)

SEAL_AFTER = 2  # blocks
REDO_OUTCOMES = (Outcome.CLIENT_FAULT, Outcome.REJECTED)

Step = tuple[str, str, tuple[object, ...]]
"""(key, function of Panels, arguments)"""


def _live(network: Network) -> Iterator[tuple[Batch, int, BatchLeaf]]:
    for batch in network.batches.values():
        if batch.status is not BatchStatus.CANCELLED:
            for index, leaf in enumerate(batch.leaves):
                yield batch, index, leaf


def inclusion(batch: Batch, index: int) -> dict[str, object]:
    """A leaf with its proof, as Panels takes it."""
    tree = Tree([batch_leaf(leaf) for leaf in batch.leaves])
    leaf = batch.leaves[index].model_dump()
    return {"header": batch.header, "leaf": leaf, "index": index, "proof": flat(tree.proof(index))}


def decide_opening(network: Network) -> list[Step]:
    """Rejected leaves without a case: freeze; late leaves in final batches: their small slash."""
    steps: list[Step] = []
    for batch, index, leaf in _live(network):
        case = case_id(leaf.task, leaf.attempt)
        found = (batch, index)
        if leaf.outcome is Outcome.REJECTED and case not in network.cases:
            steps.append((f"freeze:{case.hex()}:{batch.sequence}", "freeze", _arguments(*found)))
        final = batch.status is BatchStatus.FINAL
        if leaf.outcome is Outcome.LATE and final and case not in network.late_penalised:
            steps.append((f"late:{case.hex()}", "penalise_late", _arguments(*found)))
    return steps


def _arguments(batch: Batch, index: int) -> tuple[object, ...]:
    parts = inclusion(batch, index)
    return parts["header"], parts["leaf"], parts["index"], parts["proof"]


def decide_progress(network: Network) -> list[Step]:
    """Cases that can be charged, cleared or executed now."""
    final = {
        (leaf.task, leaf.attempt): (batch, index)
        for batch, index, leaf in _live(network)
        if batch.status is BatchStatus.FINAL
    }
    steps: list[Step] = []
    for case in network.cases.values():
        name = case.id.hex()
        if case.status is CaseStatus.FROZEN and (case.task, case.attempt) in final:
            redone = _redone(network, case, final)
            if redone is None:
                continue
            batch, index = redone
            accepted = batch.leaves[index].outcome is Outcome.ACCEPTED
            rejected = inclusion(*final[case.task, case.attempt])
            if accepted:
                steps.append((f"charge:{name}", "charge", (rejected, inclusion(batch, index))))
            else:
                steps.append((f"clear:{name}", "clear_redone", (case.id, inclusion(batch, index))))
        elif case.status is CaseStatus.SLASHABLE:
            if network.time >= case.charged_at + network.parameters["appeal_window"]:
                steps.append((f"execute:{name}", "execute", (case.id,)))
    return steps


def _redone(
    network: Network, case: Case, final: dict[tuple[bytes, int], tuple[Batch, int]]
) -> tuple[Batch, int] | None:
    """The final leaf of a later attempt by another owner that says how the task was redone."""
    owner = network.nodes[case.node].owner
    for (task, attempt), (batch, index) in sorted(final.items()):
        leaf = batch.leaves[index]
        known = leaf.outcome is Outcome.ACCEPTED or leaf.outcome in REDO_OUTCOMES
        if task == case.task and attempt > case.attempt and known and network.nodes[leaf.node].owner != owner:
            return batch, index
    return None


def next_member(network: Network, case: Case, drawn: int) -> Step | None:
    """The leaf that a panel's draw ``drawn`` hits, with its proof."""
    final = network.roster_at(RosterKind.VERIFIERS, case.appealed_at)
    if case.seed is None or final is None or final.roster is None:
        return None
    found = next((item for item in draws(final.roster, case.seed, case.id, Draw.PANEL, 0) if item.index == drawn), None)
    if found is None:
        return f"seat:{case.id.hex()}:{drawn}", "seat", (case.id, [], [])
    leaf = found.leaf.model_dump()
    proof = flat(final.roster.tree.proof(found.leaf.node))
    return f"seat:{case.id.hex()}:{drawn}", "seat", (case.id, [leaf], [proof])


@dataclass
class Courts:
    """``contracts`` reads a panel as it is now."""

    desk: Desk
    contracts: Contracts

    def cycle(self) -> None:
        """Turns what is due."""
        head = self.contracts.client.header("latest").number
        with self.desk.follower.reading() as network:
            steps = decide_opening(network) + decide_progress(network)
            appealed = [case for case in network.cases.values() if case.status is CaseStatus.APPEALED]
            for case in appealed:
                steps += self._panel(network, case, head)
        steps += self._votes({case.id: case for case in appealed})
        self.desk.try_each([self._action(step) for step in steps if not self.desk.sender.done(step[0])])

    def _action(self, step: Step) -> Callable[[], None]:
        key, function, arguments = step
        return lambda: self.desk.send("money", key, "Panels", function, *arguments)

    def _panel(self, network: Network, case: Case, head: int) -> list[Step]:
        name = case.id.hex()
        if case.seed is None:
            due = head >= case.appeal_block + SEAL_AFTER
            return [(f"panel-seal:{name}:{case.appeal_block}", "seal", (case.id,))] if due else []
        if not case.complete_at:
            panel = self.contracts.read("Panels", "panel", case.id)
            step = next_member(network, case, panel["drawn"])
            return [step] if step and not panel["seated_at"] else []
        over = network.time > case.complete_at + network.parameters["panel_window"]
        if len(case.votes) == len(case.seats) or over:
            return [(f"resolve:{name}", "resolve", (case.id,))]
        return []

    def _votes(self, cases: dict[bytes, Case]) -> list[Step]:
        if not cases:
            return []
        with self.desk.database.reading() as session:
            rows = session.exec(select(Message).where(Message.kind == "PanelVote")).all()
        steps: list[Step] = []
        for row in rows:
            vote = PanelVote.from_body(row.body)
            case = cases.get(vote.dispute)
            if case is not None and case.complete_at and vote.node not in case.votes:
                key = f"panel-vote:{vote.dispute.hex()}:{vote.node}"
                steps.append((key, "vote", (case.id, vote.node, vote.upheld, vote.measured, row.signature)))
        return steps
