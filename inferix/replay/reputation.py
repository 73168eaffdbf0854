# SPDX-License-Identifier: Apache-2.0
"""What a node's record is worth: reputation, who turned down too many tasks, how well the network was used. Pure.

Fixed at the close of each epoch (``record``), so that nothing learned later changes what was shared.
"""

from collections import Counter
from collections.abc import Iterator

from inferix.messages import unpack_voters
from inferix.models.anchor import BatchLeaf
from inferix.models.job import case_id
from inferix.models.roles import BatchStatus, CaseStatus, NodeStatus, Outcome, Role
from inferix.replay.network import Network
from inferix.replay.state import Batch, Node, Presence, Record

FULL_REPUTATION = 1_000
"""Per mille: of a node without a fault, and of a new one; the least is half of it."""

WINDOW = 10
"""Epochs that reputation looks back on."""

TAKEN_BPS = 9_000
"""Of the tasks drawn for it, a worker has to accept so many to be paid for its presence."""

FAULTS = frozenset({Outcome.REJECTED, Outcome.LATE})


def final_leaves(network: Network, epoch: int) -> Iterator[tuple[Batch, BatchLeaf]]:
    """The leaves that became final in an epoch and were not voided."""
    for batch in network.batches.values():
        if batch.status is BatchStatus.FINAL and batch.epoch == epoch:
            for index, leaf in enumerate(batch.leaves):
                if index not in batch.voided:
                    yield batch, leaf


def record(network: Network, epoch: int) -> Record:
    """What the close of an epoch fixes."""
    reputation = {}
    for node, (accepted, faults) in {**_outcomes(network, epoch), **_checks(network, epoch)}.items():
        reputation[node] = FULL_REPUTATION // 2 + FULL_REPUTATION // 2 * accepted // (accepted + faults)
    tally = network.drawn.get(epoch, {})
    absent = frozenset(node for node, (drawn, taken) in tally.items() if taken * 10_000 < drawn * TAKEN_BPS)
    apparent = sum(_apparent(network, node, epoch) for node in network.nodes.values())
    return Record(reputation, absent, apparent, network.present.pop(epoch, Presence()))


def _outcomes(network: Network, epoch: int) -> dict[int, tuple[int, int]]:
    """Accepted tasks and faults of each worker in final leaves, up to an epoch; a case that was won is no fault."""
    found: dict[int, tuple[int, int]] = {}
    for index in range(max(0, epoch - WINDOW + 1), epoch + 1):
        for _, leaf in final_leaves(network, index):
            accepted, faults = found.get(leaf.node, (0, 0))
            case = network.cases.get(case_id(leaf.task, leaf.attempt))
            cleared = case is not None and case.status is CaseStatus.CLEARED
            if leaf.outcome is Outcome.ACCEPTED:
                found[leaf.node] = accepted + 1, faults
            elif leaf.outcome in FAULTS and not cleared:
                found[leaf.node] = accepted, faults + 1
    return found


def _checks(network: Network, epoch: int) -> dict[int, tuple[int, int]]:
    """Votes that stand and faults of each verifier that has one, in final leaves up to an epoch.

    A fault is a canary that it missed, or a committee in which it was silent.
    """
    stood, faults = Counter[int](), Counter[int]()
    for index in range(max(0, epoch - WINDOW + 1), epoch + 1):
        for _, leaf in final_leaves(network, index):
            stood.update(unpack_voters(leaf.voters))
            state = network.tasks.get(leaf.task)
            if state is None or leaf.attempt >= len(state.attempts):
                continue
            attempt = state.attempts[leaf.attempt]
            faults.update(attempt.silent)
            if leaf.outcome is Outcome.VOID:
                faults.update(attempt.missed.keys())
    return {node: (stood[node], count) for node, count in faults.items()}


def _apparent(network: Network, node: Node, epoch: int) -> int:
    """Nano-IBM that a worker's speed would have come to in its time in the epoch."""
    if node.role is not Role.WORKER or node.status is not NodeStatus.ACTIVE or not node.qualified:
        return 0
    start = max(network.epoch_end(epoch - 1), node.registered_at)
    return max(0, network.epoch_end(epoch) - start) * node.ib * 1_000 // 60
