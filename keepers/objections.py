# SPDX-License-Identifier: Apache-2.0
"""Which steps to take against false batches of other lanes. Pure.

A proof where there is one; else votes or data are asked for with a bond out of the manager's stake, one place of a lane
at a time and never many bonds an epoch: whoever can answer after all wins half of each. What no contract decides, and
another manager alone wrote, goes to a panel, with such a bond too.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from inferix.models.roles import BatchStatus, DisputeKind, DisputeStatus, ObjectionStatus
from inferix.replay import Network
from inferix.replay.answers import arguments_of
from inferix.replay.contradictions import heard
from inferix.replay.disputes import dispute_id
from inferix.replay.leaves import why_unknown
from inferix.replay.objections import naming
from inferix.replay.state import AnyDispute, Batch
from keepers.desk import Step
from keepers.lies import Doubt, Findings

BONDS_AN_EPOCH = 3  # that may be open, or lost of late: 3 % of a manager's bond; against accounts up to 10 % each
MAX_PLACES = 64  # of one objection, as in Objections

Examine = Callable[[Batch], Findings]


@dataclass(frozen=True)
class Objection:
    """A step against a batch, and why. ``is_staked``: a bond of the manager stands behind it."""

    step: Step
    says: str
    is_staked: bool


def decide_objections(
    network: Network, manager: int, patience: int, stake: bool, look: Examine
) -> tuple[list[list[Objection]], dict[str, str]]:
    """(for each lane what to try in turn until one is taken, what is false and cannot be helped now, by its name).

    ``patience``: how long documents may be on their way, seconds; ``stake``: whether bonds may be put up at all.
    """
    found: list[list[Objection]] = []
    left = bonds_left(network, manager) if stake else 0
    told: dict[str, str] = {}
    for chain in _chains(network, manager):
        for commitment in chain:
            batch = network.batches[commitment]
            findings = look(batch) if batch.status is BatchStatus.PROPOSED else Findings()
            name = f"batch {batch.manager}/{batch.sequence}"
            only_said = [item.says for item in findings.beyond if item.place is None]
            told.update({f"{name}: {says}": "no contract decides it" for says in only_said})
            objections = [_proof(batch, at, findings) for at in range(len(findings.proofs))]
            is_waiting = _is_waiting(network, batch, findings)
            doubt = None if is_waiting else _next_doubt(network, batch, findings, patience)
            if doubt is not None and left:
                objections.append(_challenge(batch, doubt, manager))
            elif doubt is not None:
                told[f"{name}: {doubt.says}"] = "no bond is put up for it" if not stake else "enough bonds are at stake"
            if objections:
                left -= objections[-1].is_staked
                found.append(objections)
            if objections or is_waiting:
                break  # with this one all later ones of its chain fall
    return found, told


@dataclass(frozen=True)
class Fault:
    """Outcomes of one job in which what their manager alone wrote is false: for a panel, with a bond."""

    batch: Batch
    places: tuple[int, ...]
    says: str

    @property
    def step(self) -> Step:
        """The call of Objections, but for the bond's node and the reason's document."""
        header, leaf, _, proof = arguments_of(self.batch, self.places[0])
        key = f"object:{self.batch.commitment.hex()}:{','.join(map(str, self.places))}"
        return key, "object_outcomes", (header, leaf, proof, list(self.places), True)


def decide_faults(network: Network, manager: int, patience: int, look: Examine) -> list[Fault]:
    """What to take to a panel, each with a bond. Nothing of a batch that falls by a proof: its leaves go with it, as do
    all later ones of its chain."""
    found: list[Fault] = []
    for chain in _chains(network, manager):
        for batch in (network.batches[commitment] for commitment in chain):
            is_open = network.passed(batch.proposed_at) < network.parameters["batch_window"]
            findings = look(batch) if batch.status is BatchStatus.PROPOSED else Findings()
            if findings.is_enough or findings.proofs:
                break
            if is_open and batch.proposed_at + patience <= network.time:
                found += _faults(network, batch, findings)
    return found


def _faults(network: Network, batch: Batch, findings: Findings) -> Iterator[Fault]:
    """One fault a job, of leaves that no panel was asked about yet and that this state knows all about.

    A panel rejects an objection that names a right leaf too, or leaves of several jobs: one that does says nothing of
    the false ones, as a liar's friend may have raised it.
    """
    by_job: dict[bytes, dict[int, str]] = {}
    for item in findings.beyond:
        if item.place is not None:
            state = network.tasks.get(batch.leaves[item.place].task)
            by_job.setdefault(state.task.job if state is not None else b"", {})[item.place] = item.says
    for rows in by_job.values():
        raised = [item for place in rows for item in naming(network, batch.commitment, place) if item.is_managers]
        named = {place for item in raised if rows.keys() >= set(item.places) for place in item.places}
        places = tuple(place for place in rows if place not in named)[:MAX_PLACES]
        if places and not why_unknown(network, batch, places):
            yield Fault(batch, places, f"batch {batch.manager}/{batch.sequence}: {rows[places[0]]}")


def _chains(network: Network, manager: int) -> Iterator[list[bytes]]:
    """Batches of others that fall together: another's lane, and each that stands alone, in one's own lane too."""
    for lane in network.lanes.values():
        if lane.manager != manager:
            yield lane.batches
        yield from ([commitment] for commitment in lane.alone)


def bonds_left(network: Network, manager: int) -> int:
    """How many bonds the manager may still put up."""
    since = network.time - network.parameters["epoch_length"]
    disputes: list[AnyDispute] = [*network.disputes.values(), *network.root_disputes.values()]
    at_stake = sum(
        dispute.node == manager
        and (dispute.status is DisputeStatus.OPEN or dispute.opened_at > since)
        and dispute.status in (DisputeStatus.OPEN, DisputeStatus.ANSWERED)
        for dispute in disputes
    )
    at_stake += sum(
        objection.node == manager
        and (objection.status is ObjectionStatus.OPEN or objection.asked_at > since)
        and objection.status in (ObjectionStatus.OPEN, ObjectionStatus.REJECTED, ObjectionStatus.UNDECIDED)
        for objection in heard(network)
    )
    return max(0, BONDS_AN_EPOCH - at_stake)


def _next_doubt(network: Network, batch: Batch, findings: Findings, patience: int) -> Doubt | None:
    """The first doubt that nobody has raised yet; None while its documents may still be on their way."""
    found = (doubt for doubt in findings.doubts if _id(batch, doubt) not in network.disputes)
    doubt = next(found, None)
    is_due = doubt is not None and (doubt.sure or network.time >= batch.proposed_at + patience)
    return doubt if is_due else None


def _is_waiting(network: Network, batch: Batch, findings: Findings) -> bool:
    """Whether a doubt about the batch waits for its answer: its end decides whether another is needed."""
    raised = (network.disputes.get(_id(batch, doubt)) for doubt in findings.doubts)
    return any(dispute is not None and dispute.status is DisputeStatus.OPEN for dispute in raised)


def _id(batch: Batch, doubt: Doubt) -> bytes:
    return dispute_id(batch.commitment, doubt.kind, doubt.place)


def _proof(batch: Batch, at: int, findings: Findings) -> Objection:
    proof = findings.proofs[at]
    key = f"prove:{batch.commitment.hex()}:{proof.lie.name.lower()}:{at}"
    return Objection((key, proof.function, proof.arguments), proof.says, is_staked=False)


def _challenge(batch: Batch, doubt: Doubt, manager: int) -> Objection:
    function = "challenge_votes" if doubt.kind is DisputeKind.VOTES else "challenge_data"
    place = arguments_of(batch, doubt.place) if doubt.kind is DisputeKind.VOTES else (batch.header, doubt.place)
    key = f"challenge:{batch.commitment.hex()}:{int(doubt.kind)}:{doubt.place}"
    return Objection((key, function, (*place, manager)), doubt.says, is_staked=True)
