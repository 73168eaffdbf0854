# SPDX-License-Identifier: Apache-2.0
"""Slashing, step by step: every step is a crank that anybody may turn; this keeper turns those that are due.

Rejected -> frozen at once; redone by another and accepted, both final -> charged; nobody appealed in time -> slashed;
appealed -> a panel is sealed, seated, heard and resolved. Only leaves that the rules themselves lead to count here: a
false leaf is for Disputes to cancel, not for this keeper to act on.
"""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlmodel import select

from inferix.chain.deployment import Contracts
from inferix.draws import Roster, draws
from inferix.messages import PanelVote
from inferix.models.anchor import BatchLeaf, RosterLeaf
from inferix.models.job import case_id
from inferix.models.roles import BatchStatus, CaseStatus, Draw, Outcome, RosterKind
from inferix.replay import Network
from inferix.replay.answers import arguments_of, inclusion
from inferix.replay.hearings import DECISION_TERM, REDO_TERM
from inferix.replay.settlement import outcome_leaf
from inferix.replay.state import AttemptStatus, Batch, Case, Hearing
from inferix.storage.database import Database
from inferix.storage.tables import Message
from inferix.trees import flat
from keepers.desk import MONEY, Desk, Due, Step
from keepers.strikes import decide_notes, decide_strikes, suspects

log = logging.getLogger(__name__)

SEAL_AFTER = 2  # blocks
MEMBERS_AT_ONCE = 16

Place = tuple[Batch, int]
"""A batch and the index of a leaf in it."""


def confirmed(network: Network, leaf: BatchLeaf) -> bool:
    """Whether a leaf is the one that the rules give."""
    state = network.tasks.get(leaf.task)
    if state is None or leaf.attempt >= len(state.attempts):
        return False
    attempt = state.attempts[leaf.attempt]
    return attempt.status is AttemptStatus.ENDED and outcome_leaf(network, state, attempt) == leaf


def _places(
    network: Network, *outcomes: Outcome, tasks: Collection[bytes] | None = None
) -> Iterator[tuple[Batch, int, BatchLeaf]]:
    """The confirmed leaves of live batches with these outcomes; of these tasks, or of all."""
    for batch in network.batches.values():
        if batch.status is BatchStatus.CANCELLED:
            continue
        for index, leaf in enumerate(batch.leaves):
            if leaf.outcome not in outcomes or index in batch.voided or (tasks is not None and leaf.task not in tasks):
                continue
            if confirmed(network, leaf):
                yield batch, index, leaf


def decide_opening(network: Network) -> list[Due]:
    """Rejected leaves without a case: freeze; late leaves in final batches: their small slash."""
    steps: list[Due] = []
    for batch, index, leaf in _places(network, Outcome.REJECTED, Outcome.LATE):
        case = case_id(leaf.task, leaf.attempt)
        if leaf.outcome is Outcome.REJECTED:
            known = network.cases.get(case)
            fell = known is not None and known.status is CaseStatus.CLEARED and known.ended_at < batch.proposed_at
            if known is None or fell:
                key = f"freeze:{case.hex()}:{batch.commitment.hex()}"
                steps.append((key, "freeze", partial(arguments_of, batch, index)))
        elif batch.status is BatchStatus.FINAL and case not in network.late_penalised:
            attempt = network.tasks[leaf.task].attempts[leaf.attempt]
            shown = partial(_accepted, batch, index, attempt.draw, attempt.acceptance)
            steps.append((f"late:{case.hex()}", "penalise_late", shown))
    return steps


def _accepted(batch: Batch, index: int, *acceptance: object) -> tuple[object, ...]:
    return (*arguments_of(batch, index), *acceptance)


def decide_progress(network: Network) -> list[Step]:
    """Cases that can be charged, cleared or executed now."""
    outcomes = (Outcome.REJECTED, Outcome.ACCEPTED, Outcome.CLIENT_FAULT)
    frozen = {case.task for case in network.cases.values() if case.status is CaseStatus.FROZEN}
    final = {
        (leaf.task, leaf.attempt): (batch, index)
        for batch, index, leaf in (_places(network, *outcomes, tasks=frozen) if frozen else ())
        if batch.status is BatchStatus.FINAL
    }
    steps: list[Step] = []
    for case in network.cases.values():
        if case.status is CaseStatus.FROZEN:
            steps += _end_of_wait(network, case, final)
        over = network.passed(case.charged_at) > network.parameters["appeal_window"]
        if case.status is CaseStatus.SLASHABLE and over:
            steps.append((f"execute:{case.id.hex()}", "execute", (case.id,)))
    return steps


def _end_of_wait(network: Network, case: Case, final: Mapping[tuple[bytes, int], Place]) -> list[Step]:
    """How a frozen case goes on, if it does."""
    name = f"{case.id.hex()}:{case.opened_at}"
    state = network.tasks.get(case.task)
    attempt = state.attempts[case.attempt] if state is not None and case.attempt < len(state.attempts) else None
    if attempt is not None and attempt.voided_at:
        return [(f"clear:{name}", "clear", (case.id,))]
    rejected, redone = final.get((case.task, case.attempt)), _redone(network, case, final)
    if redone is not None:
        if redone[0].leaves[redone[1]].outcome is not Outcome.ACCEPTED:
            return [(f"clear:{name}", "clear_redone", (case.id, inclusion(*redone)))]
        if rejected is not None:
            return [(f"charge:{name}", "charge", (inclusion(*rejected), inclusion(*redone)))]
        return []
    if attempt is None or attempt.batch is None or network.passed(case.opened_at) > REDO_TERM:
        return [(f"clear:{name}", "clear", (case.id,))]
    return []


def _redone(network: Network, case: Case, final: Mapping[tuple[bytes, int], Place]) -> Place | None:
    """The final leaf of a later attempt by another owner that says how the task was redone."""
    accused = network.nodes.get(case.node)
    for (task, attempt), (batch, index) in sorted(final.items(), key=lambda item: item[0]):
        worker = network.nodes.get(batch.leaves[index].node)
        if task != case.task or attempt <= case.attempt or worker is None or accused is None:
            continue
        if worker.owner != accused.owner:
            return batch, index
    return None


def next_members(roster: Roster, seed: bytes, case: bytes, drawn: int, seats: int) -> list[RosterLeaf]:
    """The next nodes that draws from ``drawn`` on hit for the first time: no more than there are seats to fill."""
    met: set[int] = set()
    members: list[RosterLeaf] = []
    for item in draws(roster, seed, case, Draw.PANEL, 0):
        if item.leaf.node in met:
            continue
        met.add(item.leaf.node)
        if item.index >= drawn and len(members) < min(seats, MEMBERS_AT_ONCE):
            members.append(item.leaf)
    return members


def decide_panel(
    network: Network, hearing: Hearing, panel: Mapping[str, Any], is_referred: bool, head: int
) -> list[Step]:
    """The next step of what a panel hears. ``panel``, ``is_referred``: as its contract says in block ``head``, with
    ``seated_at`` on the protocol's clock."""
    name, asked = hearing.id.hex(), network.passed(hearing.asked_at)
    if is_referred:
        over = asked > DECISION_TERM
        return [(f"resolve:{name}:governor", "resolve", (hearing.id,))] if over else []
    window = network.parameters["panel_window"]
    if panel["seated_at"]:
        done = panel["voted"] == panel["seats"] or network.clock(network.time) > panel["seated_at"] + window
        return [(f"resolve:{name}:panel", "resolve", (hearing.id,))] if done else []
    if asked > window:
        return [(f"resolve:{name}:panel", "resolve", (hearing.id,))]
    if panel["seed"] == bytes(32):
        due = head >= panel["block"] + SEAL_AFTER
        return [(f"panel-seal:{name}:{panel['block']}", "seal", (hearing.id,))] if due else []
    final = next((item for item in network.rosters[RosterKind.VERIFIERS] if item.root == panel["root"]), None)
    if final is None or final.roster is None:
        return []
    seats = network.parameters["panel"] - panel["seats"]
    members = next_members(final.roster, panel["seed"], hearing.id, panel["drawn"], seats)
    proofs = [flat(final.roster.tree.proof(leaf.node)) for leaf in members]
    return [(f"seat:{name}:{panel['drawn']}", "seat", (hearing.id, [leaf.model_dump() for leaf in members], proofs))]


@dataclass(frozen=True)
class Sitting:
    """A panel as its contract has it in block ``head``."""

    panel: Mapping[str, Any]
    is_referred: bool
    head: int


def sittings(contracts: Contracts, contract: str, view: str, ids: Sequence[bytes]) -> dict[bytes, Sitting]:
    """The panels of Panels or Objections, now. ``view``: which says of an id whether it is the governor's."""
    head = contracts.client.header("latest").number if ids else 0
    return {
        id: Sitting(
            contracts.read(contract, "panel", id, block=head),
            contracts.read(contract, view, id, block=head)["is_referred"],
            head,
        )
        for id in ids
    }


def panel_steps(network: Network, database: Database, hearing: Hearing, sitting: Sitting) -> list[Step]:
    """What is due now, and the signed votes of seats that are not on chain yet."""
    steps = decide_panel(network, hearing, sitting.panel, sitting.is_referred, sitting.head)
    if sitting.is_referred or not sitting.panel["seated_at"] or sitting.panel["voted"] == sitting.panel["seats"]:
        return steps
    with database.reading() as session:
        rows = session.exec(select(Message).where(Message.kind == "PanelVote", Message.task == hearing.id)).all()
    for row in rows:
        vote = PanelVote.from_body(row.body)
        if vote.node in hearing.seats and vote.node not in hearing.votes:
            arguments = (hearing.id, vote.node, vote.upheld, vote.measured, row.signature)
            steps.append((f"panel-vote:{hearing.id.hex()}:{vote.node}", "vote", arguments))
    return steps


@dataclass
class Courts:
    """``contracts`` reads a panel as it is now."""

    desk: Desk
    contracts: Contracts

    def cycle(self) -> None:
        """Turns what is due; what there may be thousands of comes last."""
        with self.desk.follower.reading() as network:
            appealed = [case.id for case in network.cases.values() if case.status is CaseStatus.APPEALED]
        panels = sittings(self.contracts, "Panels", "case", appealed)
        with self.desk.follower.reading() as network:
            opening, steps = decide_opening(network), decide_progress(network)
            for case, sitting in panels.items():
                if case in network.cases:
                    steps += panel_steps(network, self.desk.database, network.cases[case], sitting)
            notes, known = list(decide_notes(network)), suspects(network)
        ids = [case.id for cases in known.values() for case in cases]
        charged = {id: self.contracts.read("Panels", "case", id)["charged_at"] for id in ids}
        show, turn = self.desk.try_due, self._turn
        self.desk.try_each(
            [
                *(partial(turn, "Panels", step) for step in steps),
                *(partial(show, MONEY, "Panels", due) for due in opening),
                *(partial(show, MONEY, "Strikes", due) for due in notes),
                *(partial(turn, "Strikes", step) for step in decide_strikes(known, charged)),
            ]
        )

    def _turn(self, contract: str, step: Step) -> None:
        key, function, arguments = step
        self.desk.try_send(MONEY, key, contract, function, *arguments)
