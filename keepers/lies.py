# SPDX-License-Identifier: Apache-2.0
"""What is false in a batch, and what can be done about it. Pure.

Proofs show a lie at once and cost nothing. A *doubt* is a leaf whose votes, or a chunk whose leaves, nobody honest can
show: to ask for them costs the bond if somebody can. What neither decides is *beyond* the contracts: how much work it
was, a charge below the order's price, or that an attempt came to nothing, do not follow from order, receipt and votes.
What of that its manager alone wrote is for a panel; the rest is only said.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from eth_utils.crypto import keccak

from inferix.errors import InferixError, NotFound
from inferix.messages import Order, outcome_record, unpack_voters
from inferix.models.anchor import BatchLeaf
from inferix.models.roles import DisputeKind, Lie, Outcome, RosterKind, TaskKind
from inferix.replay import Network
from inferix.replay.answers import arguments_of, committee_behind, earlier_receipt, inclusion, members
from inferix.replay.availability import CANCELLED, NOT_SERVED
from inferix.replay.batches import given
from inferix.replay.leaves import UNPAID, is_managers, why_false
from inferix.replay.orders import is_in_lane
from inferix.replay.receipts import BlockHash, found_at
from inferix.replay.settlement import CHUNK, LEASES, cannot_stand, outcome_leaf, place_of
from inferix.replay.state import Batch
from inferix.trees import Sum, Tree, batch_leaf
from inferix.units import NanoIbm, NanoUsd, fee_of

RECORD_BYTES = 12
MAX_PROOFS = 3  # one does; another is there where it is refused, by a pause in between for one
SEEN_AFTER = 3_600  # seconds, as Disputes has it
NO_ORDER = dict.fromkeys(Order.model_fields, 0) | {"spec": bytes(32)}
BY_VOTES = (Outcome.ACCEPTED, Outcome.REJECTED, Outcome.CLIENT_FAULT)


@dataclass(frozen=True)
class Proof:
    """A call of Disputes that shows the lie."""

    lie: Lie
    says: str
    function: str
    arguments: tuple[object, ...]


@dataclass(frozen=True)
class Doubt:
    """A place to ask for. ``sure``: no answer can exist, whatever this program has not seen yet."""

    kind: DisputeKind
    place: int
    says: str
    sure: bool


@dataclass(frozen=True)
class Beyond:
    """What no contract decides. ``place``: of a leaf that by all rules is its manager's lie, else None."""

    says: str
    place: int | None = None


@dataclass
class Findings:
    """What is false in one batch."""

    proofs: list[Proof] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    beyond: list[Beyond] = field(default_factory=list)

    @property
    def is_enough(self) -> bool:
        """Whether to look no further: the batch falls by one of these."""
        return len(self.proofs) >= MAX_PROOFS or any(doubt.sure for doubt in self.doubts)


def examine(network: Network, batch: Batch, block_hash: BlockHash, records: bytes | None = None) -> Findings:
    """Compares a batch with the rules. ``records``: those posted with it, where ``has_false_records`` says so."""
    found = Findings()
    if batch.problem:
        _examine_data(network, batch, found)
        return found
    if has_false_records(batch):
        _examine_records(batch, records, found)
    for index, leaf in enumerate(batch.leaves):
        if found.is_enough:
            break
        if index in batch.voided:
            continue
        if index and not _key(batch.leaves[index - 1]) < _key(leaf):
            found.proofs.append(_duplicate((batch, index - 1), (batch, index), "its leaves are not in order"))
        reason = why_false(network, batch, leaf)
        if reason:
            says = f"task {leaf.task.hex()[:12]} attempt {leaf.attempt} {reason}"
            _examine_leaf(network, batch, index, says, block_hash, found)
    found.doubts.sort(key=lambda doubt: not doubt.sure)
    return found


def _key(leaf: BatchLeaf) -> tuple[bytes, int]:
    return leaf.task, leaf.attempt


# -- the data behind the root


def _examine_data(network: Network, batch: Batch, found: Findings) -> None:
    """A batch without leaves: one chunk or another of it has no answer."""
    data, count = given(network, batch), int(batch.header["count"])
    last = ((1 << max(0, count - 1).bit_length()) - 1) // CHUNK
    chunks, sure = range(min(data.broken or 0, last), last + 1), data.problem != NOT_SERVED
    tree = _tree(data.leaves) if data.broken is None else None
    if tree is not None and tree.root.hash == batch.root:
        if len(data.leaves) == count and count > 1:
            left, right = tree.levels[-2]
            arguments: tuple[object, ...] = (batch.header, _node(left), _node(right), 0, [])
            found.proofs.append(Proof(Lie.WRONG_SUM, data.problem, "prove_wrong_sum", arguments))
        at = min(len(data.leaves), count) // CHUNK
        chunks = range(min(at, last), min(at, last) + 1)
    found.doubts += [Doubt(DisputeKind.DATA, chunk, data.problem, sure) for chunk in chunks]


def _tree(leaves: list[BatchLeaf]) -> Tree | None:
    try:
        return Tree([batch_leaf(leaf) for leaf in leaves])
    except InferixError:
        return None


def _node(value: Sum) -> dict[str, object]:
    return {"hash": value.hash, "sum": value.sum}


def _records(batch: Batch) -> bytes:
    return b"".join(outcome_record(leaf.task, leaf.node, leaf.charge, leaf.outcome) for leaf in batch.leaves)


def has_false_records(batch: Batch) -> bool:
    """Whether the 12 bytes a leaf that were posted are not those of the leaves; with ``root_only`` there are none."""
    posted = batch.header["records"]
    return bool(batch.leaves) and posted != bytes(32) and posted != keccak(_records(batch))


def _examine_records(batch: Batch, records: bytes | None, found: Findings) -> None:
    says, right = "its records are not those of its leaves", _records(batch)
    if records is None or keccak(records) != batch.header["records"]:
        found.beyond.append(Beyond(f"{says}, and the records themselves are not to be had"))
        return
    at = next(
        at for at in range(0, len(right), RECORD_BYTES) if records[at:][:RECORD_BYTES] != right[at:][:RECORD_BYTES]
    )
    header, *place = arguments_of(batch, at // RECORD_BYTES)
    arguments = (header, records, *place)
    found.proofs.append(Proof(Lie.RECORD, says, "prove_record", arguments))


# -- a leaf


def _examine_leaf(
    network: Network, batch: Batch, index: int, says: str, block_hash: BlockHash, found: Findings
) -> None:
    proofs = [
        *_order_proofs(network, batch, index, says),
        *_duplicate_proofs(network, batch, index, says),
        *_anchor_proofs(network, batch, index, says, block_hash),
    ]
    doubt = _doubt(network, batch, index, says)
    found.proofs += proofs
    if doubt is not None:
        found.doubts.append(doubt)
    elif not proofs:
        found.beyond.append(Beyond(says, index if is_managers(network, batch, batch.leaves[index]) else None))


def _order_proofs(network: Network, batch: Batch, index: int, says: str) -> Iterator[Proof]:
    leaf, state = batch.leaves[index], network.tasks.get(batch.leaves[index].task)
    if state is None:
        return
    job = network.jobs[state.task.job]
    order = job.order
    fair = leaf.account == order.account and leaf.attempt <= order.attempts != 0 and leaf.charge <= order.cap
    account = network.accounts.get(leaf.account)
    fair = fair and account is not None and network.coins.get(batch.coin % LEASES) == account.coin
    if leaf.outcome is Outcome.ACCEPTED:
        fair = fair and leaf.charge <= fee_of(NanoIbm(leaf.work), NanoUsd(order.price))
    if not fair or not is_in_lane(job, batch.manager, leaf.anchor):
        arguments = (*arguments_of(batch, index), order.model_dump(), state.task.index)
        yield Proof(Lie.ORDER, says, "prove_order", arguments)


def _duplicate_proofs(network: Network, batch: Batch, index: int, says: str) -> Iterator[Proof]:
    """Beside an earlier leaf of the lane with which this one cannot stand; of two lanes, the order decides, or
    which was there long before, where a job was taken over and both may have it."""
    leaf, state = batch.leaves[index], network.tasks.get(batch.leaves[index].task)
    for attempt in state.attempts if state else ():
        other = network.batches.get(attempt.batch or b"")
        at = place_of(other, leaf.task, attempt.number) if other else None
        if other is None or at is None or at in other.voided or not cannot_stand(other.leaves[at], leaf):
            continue  # beside what is void anything can stand
        if (batch.is_alone or other.is_alone) and {leaf.outcome, other.leaves[at].outcome} & set(UNPAID):
            continue  # nor do late and void leaves stop who proposes alone
        if other.manager != batch.manager:
            assert state is not None
            job = network.jobs[state.task.job]
            if is_in_lane(job, batch.manager, leaf.anchor) and batch.proposed_at >= other.proposed_at + SEEN_AFTER:
                yield _duplicate((other, at), (batch, index), says, job.order, state.task.index)
                return
        elif (batch.is_alone and other is not batch) or (other.sequence, at) < (batch.sequence, index):
            yield _duplicate((other, at), (batch, index), says)
            return


def _anchor_proofs(network: Network, batch: Batch, index: int, says: str, block_hash: BlockHash) -> Iterator[Proof]:
    """An earlier anchor of the lane has a receipt of the attempt: its seed drew the voters, whatever the leaf names."""
    leaf, first = batch.leaves[index], _first_anchor(network, batch, batch.leaves[index])
    if first is None:
        return
    try:
        shown = earlier_receipt(network, batch.manager, first, leaf, block_hash)
    except NotFound:
        return  # its document was there, and is no more
    yield Proof(Lie.ANCHOR, says, "prove_anchor", (inclusion(batch, index), first, shown))


def _first_anchor(network: Network, batch: Batch, leaf: BatchLeaf) -> int | None:
    """The anchor that a leaf ought to name, where that is earlier than the one it names."""
    first = network.lane(batch.manager).receipts.get((leaf.task, leaf.attempt, leaf.node))
    return None if first is None or first >= leaf.anchor else first


def _duplicate(
    first: tuple[Batch, int], second: tuple[Batch, int], says: str, order: Order | None = None, task_index: int = 0
) -> Proof:
    arguments = (inclusion(*first), inclusion(*second), order.model_dump() if order else NO_ORDER, task_index)
    return Proof(Lie.DUPLICATE, says, "prove_duplicate", arguments)


def _doubt(network: Network, batch: Batch, index: int, says: str) -> Doubt | None:
    """Whether votes for a leaf are worth asking for."""
    leaf = batch.leaves[index]
    if leaf.outcome in UNPAID and not leaf.charge and not leaf.work:
        return None  # Disputes asks for no votes that nobody is paid for
    if is_unanswerable(network, batch.manager, leaf):
        return Doubt(DisputeKind.VOTES, index, says, sure=True)
    if _first_anchor(network, batch, leaf) is not None:
        return None  # there may be votes by the later seed's committee
    state = network.tasks.get(leaf.task)
    attempt = state.attempts[leaf.attempt] if state and leaf.attempt < len(state.attempts) else None
    if state is not None and attempt is not None and attempt.outcome is not None and attempt.lane == batch.manager:
        right = outcome_leaf(network, state, attempt)
        if all(getattr(leaf, name) == getattr(right, name) for name in ("outcome", "result", "anchor", "node")):
            return None  # the votes that there are answer for it, whatever else is false
        if attempt.decided is leaf.outcome and (attempt.is_canary is None or leaf.outcome is Outcome.REJECTED):
            return None  # they do, too, where what says that it was a canary, or the opening that lacks, is not asked
    return Doubt(DisputeKind.VOTES, index, says, sure=False)


def is_unanswerable(network: Network, manager: int, leaf: BatchLeaf) -> bool:
    """Whether no votes whatsoever can stand for a leaf: by itself, its anchor, its seed and its roster alone. Of a
    lease: no order and receipt."""
    if leaf.outcome is Outcome.LEASED:
        shape = (leaf.attempt, leaf.work, leaf.votes, leaf.voters) != (0, 0, bytes(32), bytes(32))
        return shape or _is_no_lease(network, leaf) or _lacks_receipt(network, manager, leaf)
    if leaf.outcome not in BY_VOTES or (leaf.work and leaf.outcome is not Outcome.ACCEPTED):
        return True
    if leaf.charge and leaf.outcome is Outcome.REJECTED:
        return True
    if _lacks_receipt(network, manager, leaf):
        return True
    committee = committee_behind(network, manager, leaf)
    if committee is None:
        lane = network.lanes.get(manager)
        anchor = lane.anchors.get(leaf.anchor) if lane else None
        return anchor is None or anchor.seed is None or not network.rosters[RosterKind.VERIFIERS]
    # An order that is not known here may yet be one of an assemble task, which a single vote decides.
    needed = committee.needed if leaf.task in network.tasks else 1
    return len(unpack_voters(leaf.voters)) < needed or members(network, leaf, committee) is None


def _is_no_lease(network: Network, leaf: BatchLeaf) -> bool:
    """Whether the task is known not to be that of a lease, or the lease to cost something else."""
    state = network.tasks.get(leaf.task)
    if state is None:
        return False
    return state.task.kind is not TaskKind.LEASE or leaf.charge != network.jobs[state.task.job].order.cap


def _lacks_receipt(network: Network, manager: int, leaf: BatchLeaf) -> bool:
    """Whether the leaf's anchor is known not to have the worker's receipt, or none that counts."""
    anchor = network.lane(manager).anchors.get(leaf.anchor)
    if anchor is None or anchor.problem:
        return anchor is not None and anchor.problem == CANCELLED
    try:
        return found_at(network, manager, leaf.anchor, leaf).receipt.result != leaf.result
    except NotFound:
        return True
