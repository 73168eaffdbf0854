# SPDX-License-Identifier: Apache-2.0
"""How a panel's member judges objections and contradicted votes: by its own replay, and by what it renders again.

Upheld: what the objection names is false. Of outcomes that is so when each of those that the panel's seed draws is
false; one that is right rejects it. Where the manager is said to have written what no vote says, the rules alone tell.
What cannot be had here decides nothing: the member waits, and abstains.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from inferix.errors import InferixError
from inferix.machines import from_bytes32
from inferix.messages import Vote
from inferix.models.anchor import BatchLeaf
from inferix.models.document import Document
from inferix.models.objection import MAX_SAYS, Checked, LeafClaim, OutcomesFinding
from inferix.models.result import Measurement
from inferix.models.roles import ObjectionKind, Outcome
from inferix.models.work import Named, ObjectionDuty, PanelDuty
from inferix.proofs.rerun import is_contradicted
from inferix.replay import Network
from inferix.replay.attempts import rejections
from inferix.replay.contradictions import attempt_of, heard_by_id, seed_of
from inferix.replay.jobs import accepted_results
from inferix.replay.leaves import is_managers, why_false, why_unknown
from inferix.replay.objections import checked_again
from inferix.replay.roots import leaf_at
from inferix.replay.settlement import standing_votes
from inferix.replay.state import Attempt, Batch, Contradiction, Objection, TaskState
from node.checks import Finding
from node.executor import Later
from node.replay import OwnReplay
from node.rerun import Rerun

UNCHECKED = (Outcome.LATE, Outcome.VOID)
"""Outcomes without pixels: the rules alone give them."""
UNDECIDED = (Outcome.VOID, Outcome.UNSERVED)

Find = Callable[[PanelDuty], tuple[Finding, Measurement]]


@dataclass(frozen=True, slots=True)
class Judgement:
    """``document``: what the vote rests on, published with it."""

    upheld: bool
    document: Document
    says: str


class Judge:
    """One node's. ``find``: checks an attempt again, as for an appeal."""

    def __init__(self, node: int, replay: OwnReplay, find: Find) -> None:
        self._node = node
        self._replay = replay
        self._find = find

    def judge(self, duty: ObjectionDuty) -> Judgement:
        """The verdict of this node. Raises Later while it has none."""
        network = self._replay.network()
        objection = heard_by_id(network, duty.objection)
        if objection is None or objection.seed is None or self._node not in objection.seats:
            raise Later("this node's own endpoint does not show it a seat in that panel yet")
        if isinstance(objection, Contradiction):
            return self._vote(network, objection, duty)
        if objection.kind is ObjectionKind.OUTCOMES:
            return self._outcomes(network, objection, objection.seed, duty)
        return _leaf(network, objection)

    def _vote(self, network: Network, found: Contradiction, duty: ObjectionDuty) -> Judgement:
        """Upheld where the tiles of the vote, rendered again here, say otherwise. A doubt acquits."""
        finding, measurement = self._find(_rerun(network, found, duty))
        if finding.outcome is Outcome.UNSERVED:
            raise Later(f"no verdict in the panel yet: {finding.reason}")
        said = Outcome(found.vote.outcome)
        says = f"it said {said.name.lower()}; here: {finding.reason}"
        return Judgement(is_contradicted(said, finding.outcome), measurement, says)

    def _outcomes(self, network: Network, objection: Objection, seed: bytes, duty: ObjectionDuty) -> Judgement:
        batch = network.batches[objection.subject]
        _check_served(network, batch, objection)
        if not _is_of_one_job(network, batch, objection):
            finding = OutcomesFinding(objection=objection.id, checked=[])
            return Judgement(False, finding, "it names outcomes of several jobs")
        checked: list[Checked] = []
        for place in checked_again(objection.places, seed):
            by_rules = objection.is_managers
            checked.append(
                _by_rules(network, batch, place) if by_rules else self._check(network, batch, place, seed, duty)
            )
            if not checked[-1].is_false:
                break  # one that is right is enough
        upheld = all(item.is_false for item in checked)
        finding = OutcomesFinding(objection=objection.id, checked=checked)
        return Judgement(upheld, finding, "; ".join(f"{item.place}: {item.says}" for item in checked))

    def _check(self, network: Network, batch: Batch, place: int, seed: bytes, duty: ObjectionDuty) -> Checked:
        leaf = batch.leaves[place]
        says = why_false(network, batch, leaf)
        if says:
            return Checked(place=place, is_false=True, says=says[:MAX_SAYS], measurement=None)
        if leaf.outcome in UNCHECKED:
            return Checked(place=place, is_false=False, says="it is what the rules give", measurement=None)
        finding, measurement = self._find(_panel_duty(network, leaf, seed, duty))
        if finding.outcome in UNDECIDED:
            raise Later(f"no verdict in the panel yet: {finding.reason}")
        is_false = finding.outcome not in _consistent(network, leaf)
        return Checked(place=place, is_false=is_false, says=finding.reason[:MAX_SAYS], measurement=measurement)


def _leaf(network: Network, objection: Objection) -> Judgement:
    name, place = objection.root, objection.places[0]
    try:
        right, is_false = leaf_at(network, name, place)
    except InferixError as error:
        raise Later(f"the root cannot be compared here: {error}") from error
    document = LeafClaim(kind=name.kind, of=name.of, index=name.index, root=name.root, place=place, right=right)
    words = "another than the chain gives" if is_false else "the one that the chain gives"
    return Judgement(is_false, document, f"the leaf at {place} is {words}")


def _check_served(network: Network, batch: Batch, objection: Objection) -> None:
    """What only this node does not have makes nobody a liar. It waits for what the named leaves rest on, no more: who
    withholds something else must not silence it."""
    why = why_unknown(network, batch, objection.places) if batch.leaves else f"the batch: {batch.problem}"
    if why:
        raise Later(why)


def _by_rules(network: Network, batch: Batch, place: int) -> Checked:
    """Whether a leaf is false in what its manager alone writes; nothing is rendered for it."""
    leaf = batch.leaves[place]
    is_false = is_managers(network, batch, leaf)
    says = why_false(network, batch, leaf) or "it is what the rules give"
    if not is_false:
        says = f"not the manager's word: {says}"
    return Checked(place=place, is_false=is_false, says=says[:MAX_SAYS], measurement=None)


def _is_of_one_job(network: Network, batch: Batch, objection: Objection) -> bool:
    return len(set(_jobs(network, batch, objection))) == 1


def _jobs(network: Network, batch: Batch, objection: Objection) -> Iterator[bytes | None]:
    for place in objection.places:
        state = network.tasks.get(batch.leaves[place].task)
        yield state.task.job if state is not None else None


def _rerun(network: Network, found: Contradiction, duty: ObjectionDuty) -> Rerun:
    """What is rendered again of a vote, by this node's own replay. Raises Later where that does not know of it."""
    vote, attempt = found.vote, attempt_of(network, found)
    seed = seed_of(network, attempt) if attempt is not None else None
    if attempt is None or seed is None or attempt.result != vote.result:
        raise Later("the vote is on no result that this node's own endpoint and storage show")
    state = network.tasks[vote.task]
    return Rerun(
        **_of_task(network, state, duty),
        attempt=vote.attempt,
        machine=from_bytes32(attempt.device_class),
        case=found.id,
        worker=attempt.node,
        result=vote.result,
        seed=seed,
        outcome=Outcome(vote.outcome),
        verifier=vote.node,
        measured=vote.measured,
        named=_others(network, attempt, vote),
    )


def _others(network: Network, attempt: Attempt, vote: Vote) -> list[Named]:
    """What a rejection may rest on beside its own tiles: those of the rejections before it. An acceptance rests on its
    own alone: nobody knows whether its verifier could have the others' measurements."""
    if vote.outcome != Outcome.REJECTED:
        return []
    return [item for item in rejections(network, attempt) if item.verifier != vote.node]


def _panel_duty(network: Network, leaf: BatchLeaf, seed: bytes, duty: ObjectionDuty) -> PanelDuty:
    """What is checked again, by this node's own replay."""
    state = network.tasks[leaf.task]
    attempt = state.attempts[leaf.attempt]
    return PanelDuty(
        **_of_task(network, state, duty),
        attempt=leaf.attempt,
        machine=from_bytes32(attempt.device_class),
        case=duty.objection,
        worker=leaf.node,
        result=leaf.result,
        seed=seed,
        outcome=leaf.outcome,
        named=rejections(network, attempt),
    )


def _of_task(network: Network, state: TaskState, duty: ObjectionDuty) -> dict[str, Any]:
    """What both kinds of duty say of the task, and of what this node was handed for it."""
    return {
        "task": state.task,
        "spec": network.jobs[state.task.job].order.spec,
        "deadline": duty.deadline,
        "sealed_key": duty.sealed_key,
        "results": accepted_results(network, state.task),
    }


def _consistent(network: Network, leaf: BatchLeaf) -> set[Outcome]:
    """What a check may come to where the outcome is right; a second rejection counts as the client's fault."""
    state = network.tasks[leaf.task]
    votes = standing_votes(network, state, state.attempts[leaf.attempt])
    rejected = leaf.outcome is Outcome.CLIENT_FAULT and any(vote.outcome == Outcome.REJECTED for vote, _ in votes)
    return {leaf.outcome, Outcome.REJECTED} if rejected else {leaf.outcome}
