# SPDX-License-Identifier: Apache-2.0
"""From ended attempts to a batch: leaves, records, documents, tree. Pure; anybody comes to the same leaves."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak

from inferix.draws import draws
from inferix.messages import Vote, outcome_record, pack_voters, votes_hash
from inferix.models.anchor import LEAVES_A_CHUNK, BatchData, BatchLeaf
from inferix.models.roles import BatchStatus, Draw, Outcome, RosterKind, TaskKind
from inferix.replay.network import Network
from inferix.replay.shares import Waiting, in_turn
from inferix.replay.state import Attempt, AttemptStatus, Batch, TaskState
from inferix.trees import Tree, batch_leaf, split
from inferix.units import NanoIbm, NanoUsd, fee_of

CHUNK = LEAVES_A_CHUNK
MAX_LEAVES = 1_000
MAX_NAMED = 6
"""Voters that a leaf names, of the eight that it has room for: Committees is shown twelve of those that were drawn, and
has to see of each that has no seat, as a node of the client's, that it has none."""
UNLIMITED = 2**64 - 1  # the most that a lane's open batches can charge, nano-USD
# On the protocol's clock: in a pause no lane proposes. The deadline itself, which the client signed, is block time.
UNPROPOSED_AFTER = 72 * 3_600  # seconds after an order's deadline: later its reserve is free, and no leaf is due
NO_CANARY = bytes(32)  # the commitment of a receipt whose worker was asked for nothing
LEASES = 128  # added to the coin's index in the header of a batch of leases
PROPOSED_ANEW = 48 * 3_600  # seconds after a batch or false leaf fell, in which the right one may come all the same
HEADER = {
    "manager": "uint32",
    "sequence": "uint32",
    "coin": "uint8",
    "count": "uint32",
    "charge": "uint96",
    "work": "uint96",
    "root": "bytes32",
    "data": "bytes32",
    "records": "bytes32",
    "previous": "bytes32",
}


@dataclass(frozen=True)
class BatchDraft:
    """A batch ready to propose. ``documents``: the first holds the first 64 leaves and names the others."""

    header: dict[str, int | bytes]
    leaves: list[BatchLeaf]
    records: bytes
    documents: list[BatchData]
    tree: Tree

    @property
    def commitment(self) -> bytes:
        """``keccak256(abi.encode(header))``."""
        return commitment_of(self.header)


def commitment_of(header: dict[str, int | bytes]) -> bytes:
    """``keccak256(abi.encode(header))`` of a batch header."""
    return keccak(abi_encode(list(HEADER.values()), [header[name] for name in HEADER]))


def outcome_leaf(network: Network, state: TaskState, attempt: Attempt) -> BatchLeaf:
    """The one right leaf of an ended attempt."""
    assert attempt.outcome is not None
    job = network.jobs[state.task.job]
    accepted = attempt.outcome is Outcome.ACCEPTED
    charged = accepted or attempt.outcome is Outcome.CLIENT_FAULT
    charge = fee_of(NanoIbm(state.task.work), NanoUsd(attempt.price)) if charged else 0
    standing = standing_votes(network, state, attempt)
    return BatchLeaf(
        task=state.task.id,
        attempt=attempt.number,
        node=attempt.node,
        account=job.order.account,
        work=state.task.work if accepted else 0,
        charge=job.order.cap if attempt.outcome is Outcome.LEASED else charge,
        outcome=attempt.outcome,
        result=attempt.result,
        votes=votes_hash(standing),
        voters=pack_voters([vote.node for vote, _ in standing]),
        anchor=attempt.receipt_anchor,
    )


def coin_index(network: Network, leaf: BatchLeaf) -> int:
    """What the header of a batch with this leaf names: its account's coin, marked where it is a lease."""
    coin = network.accounts[leaf.account].coin
    index = next(index for index, address in network.coins.items() if address == coin)
    return index + LEASES if leaf.outcome is Outcome.LEASED else index


def standing_votes(network: Network, state: TaskState, attempt: Attempt) -> list[tuple[Vote, bytes]]:
    """The votes that decided, by node; of more than `MAX_NAMED` those drawn first."""
    deciding = {
        Outcome.ACCEPTED: {Outcome.ACCEPTED},
        Outcome.REJECTED: {Outcome.REJECTED},
        Outcome.CLIENT_FAULT: {Outcome.CLIENT_FAULT, Outcome.REJECTED},
        Outcome.VOID: {Outcome.VOID, Outcome.UNSERVED},
    }.get(attempt.outcome or Outcome.LATE, set())
    votes = [pair for _, pair in sorted(attempt.votes.items()) if Outcome(pair[0].outcome) in deciding]
    most = max(MAX_NAMED, votes_needed(network, state))
    if len(votes) <= most:
        return votes
    places = _places_of(network, state, attempt, {vote.node for vote, _ in votes})
    # A client's fault is shown by as many votes that say so or, with an earlier rejection, by as many that reject.
    is_said = sum(vote.outcome == attempt.outcome for vote, _ in votes) >= votes_needed(network, state)
    first = attempt.outcome if is_said else Outcome.REJECTED
    votes.sort(key=lambda pair: (pair[0].outcome != first, places[pair[0].node]))
    return sorted(votes[:most], key=lambda pair: pair[0].node)


def votes_needed(network: Network, state: TaskState) -> int:
    """Equal votes that decide."""
    return 1 if state.task.kind is TaskKind.ASSEMBLE else network.parameters["votes_needed"]


def _places_of(network: Network, state: TaskState, attempt: Attempt, nodes: Collection[int]) -> dict[int, int]:
    """The draw that met each of these nodes first. Who is a misfit by now changes nothing in it."""
    anchor = network.lane(attempt.lane).anchors[attempt.receipt_anchor]
    final = network.roster_at(RosterKind.VERIFIERS, anchor.sealed_at)
    if final is None or final.roster is None or anchor.seed is None:
        return dict.fromkeys(nodes, 0)  # never: they had seats
    places: dict[int, int] = {}
    for drawn in draws(final.roster, anchor.seed, state.task.id, Draw.VERIFIER, attempt.number):
        if len(places) == len(nodes):
            break
        if drawn.leaf.node in nodes:
            places.setdefault(drawn.leaf.node, drawn.index)
    return places


def ready(network: Network, manager: int) -> list[tuple[TaskState, Attempt]]:
    """Ended attempts of a lane that somebody had accepted and that are in no live batch."""
    return [
        (state, attempt)
        for state in network.tasks.values()
        for attempt in state.attempts
        if attempt.status is AttemptStatus.ENDED and attempt.node and attempt.batch is None and attempt.lane == manager
        if not attempt.voided_at and _in_time(network, state, attempt) and is_answerable(network, state, attempt)
        if not _is_in_the_other_lane(network, state, attempt)
    ]


def is_answerable(network: Network, state: TaskState, attempt: Attempt) -> bool:
    """Whether nobody can take from the manager what it answers a challenge with. A client's fault that rests on an
    earlier rejection is shown with the leaf of that: not before that is final may it be proposed. Its own manager may
    never propose it, and a panel may void it. Nor while the opening of a canary, which another manager may hold, would
    make a rejection void."""
    if may_be_saved(network, attempt, network.time):
        return False
    if not rests_on_earlier(network, state, attempt):
        return True
    return any(batch.status is BatchStatus.FINAL for batch, _ in earlier_rejections(network, state, attempt))


def may_be_saved(network: Network, attempt: Attempt, time: int) -> bool:
    """Whether a late opening still clears the worker, where it was asked for what was rejected: it was kept back."""
    is_unopened = attempt.outcome is Outcome.REJECTED and attempt.canary != NO_CANARY and attempt.is_canary is None
    return is_unopened and time <= attempt.ended_at + network.parameters["batch_window"]


def rests_on_earlier(network: Network, state: TaskState, attempt: Attempt) -> bool:
    """Whether an attempt is the client's fault by being rejected again, not by what its votes say."""
    if attempt.outcome is not Outcome.CLIENT_FAULT:
        return False
    votes = standing_votes(network, state, attempt)
    return sum(vote.outcome == Outcome.CLIENT_FAULT for vote, _ in votes) < votes_needed(network, state)


def earlier_rejections(network: Network, state: TaskState, attempt: Attempt) -> Iterator[tuple[Batch, int]]:
    """Where the rejections of this task before an attempt, by other owners, stand in live batches."""
    owner = network.nodes[attempt.node].owner
    for other in state.attempts[: attempt.number]:
        batch = network.batches.get(other.batch or b"")
        if other.outcome is not Outcome.REJECTED or batch is None or batch.status is BatchStatus.CANCELLED:
            continue
        index = place_of(batch, state.task.id, other.number)
        if index is not None and index not in batch.voided and network.nodes[other.node].owner != owner:
            yield batch, index


def place_of(batch: Batch, task: bytes, attempt: int) -> int | None:
    """The index of an attempt's first leaf in a batch."""
    found = (at for at, leaf in enumerate(batch.leaves) if leaf.task == task and leaf.attempt == attempt)
    return next(found, None)


def cannot_stand(first: BatchLeaf, second: BatchLeaf) -> bool:
    """Whether two leaves of one task exclude each other."""
    return first.attempt == second.attempt or first.outcome is second.outcome is Outcome.ACCEPTED


def _is_in_the_other_lane(network: Network, state: TaskState, attempt: Attempt) -> bool:
    """Of a job taken over: whether a live batch of the other lane holds what excludes this attempt. Right or wrong: who
    proposes beside what it has seen is the liar (Disputes.prove_duplicate). A wrong one falls by its votes first."""
    job = network.jobs[state.task.job]
    if job.taken is None:
        return False
    lane = network.lane(job.order.manager if attempt.lane == job.taken.manager else job.taken.manager)
    own = outcome_leaf(network, state, attempt)
    return any(
        leaf.task == own.task and cannot_stand(leaf, own) and index not in network.batches[commitment].voided
        for commitment in (*lane.batches, *lane.alone)
        for index, leaf in enumerate(network.batches[commitment].leaves)
    )


def _in_time(network: Network, state: TaskState, attempt: Attempt) -> bool:
    """What is proposed later finds its reserve paid back: it would be charged to other clients' credit."""
    end = network.ends_at(network.jobs[state.task.job].order.deadline, UNPROPOSED_AFTER)
    anew = network.ends_at(attempt.unbatched_at, PROPOSED_ANEW) if attempt.unbatched_at else 0
    return network.time < max(end, anew)


def unpaid_leases(network: Network) -> Iterator[tuple[Batch, int, BatchLeaf]]:
    """Leases that are final and that Leases has still to pay: (batch, index, leaf)."""
    for batch in network.batches.values():
        if batch.status is not BatchStatus.FINAL or batch.coin < LEASES:
            continue
        for index, leaf in enumerate(batch.leaves):
            state = network.tasks.get(leaf.task)
            is_lease = state is not None and state.task.kind is TaskKind.LEASE and leaf.outcome is Outcome.LEASED
            if is_lease and index not in batch.voided and leaf.task not in network.paid_leases:
                yield batch, index, leaf


def open_charges(network: Network, manager: int) -> Counter[int]:
    """Account -> nano-USD that the lane's open batches charge it."""
    batches = (network.batches[commitment] for commitment in network.lane(manager).batches)
    held: Counter[int] = Counter()
    for batch in batches:
        if batch.status is BatchStatus.PROPOSED:
            held.update(_charges(batch.leaves))
    return held


def _charges(leaves: list[BatchLeaf]) -> Counter[int]:
    charges: Counter[int] = Counter()
    for leaf in leaves:
        charges[leaf.account] += leaf.charge
    return charges


def draft_batches(network: Network, manager: int, cap: int | None = None) -> list[BatchDraft]:
    """What the lane can propose now, a batch a coin, and one of its leases; each builds on the one before.

    ``cap``: nano-USD that its open batches may charge, where it is to be shared among clients (see `in_turn`). Of more
    than a batch holds, what waits longest; the coin of the longest waiting first.
    """
    waiting = [
        Waiting(attempt.ended_at, outcome_leaf(network, state, attempt)) for state, attempt in ready(network, manager)
    ]
    turns = in_turn(waiting, open_charges(network, manager), UNLIMITED if cap is None else cap)
    by_coin: dict[int, list[BatchLeaf]] = {}
    for each in turns:
        by_coin.setdefault(coin_index(network, each.leaf), []).append(each.leaf)
    lane = network.lane(manager)
    sequence, previous = len(lane.batches), lane.batches[-1] if lane.batches else bytes(32)
    drafts = []
    for coin, leaves in by_coin.items():
        leaves = sorted(leaves[:MAX_LEAVES], key=lambda leaf: (leaf.task, leaf.attempt))
        sequence += 1
        draft = draft_batch(manager, sequence, coin, leaves, previous)
        drafts.append(draft)
        previous = draft.commitment
    return drafts


def draft_batch(manager: int, sequence: int, coin: int, leaves: list[BatchLeaf], previous: bytes) -> BatchDraft:
    """A batch of sorted leaves."""
    tree = Tree([batch_leaf(leaf) for leaf in leaves])
    records = b"".join(outcome_record(leaf.task, leaf.node, leaf.charge, leaf.outcome) for leaf in leaves)
    chunks = [
        BatchData(manager=manager, sequence=sequence, leaves=leaves[at : at + CHUNK])
        for at in range(0, len(leaves), CHUNK)
    ]
    first = chunks[0].model_copy(update={"chunks": [chunk.digest() for chunk in chunks[1:]]})
    charge, work = split(tree.root.sum)
    header: dict[str, int | bytes] = {
        "manager": manager,
        "sequence": sequence,
        "coin": coin,
        "count": len(leaves),
        "charge": charge,
        "work": work,
        "root": tree.root.hash,
        "data": first.digest(),
        "records": keccak(records),
        "previous": previous,
    }
    return BatchDraft(header, leaves, records, [first, *chunks[1:]], tree)
