# SPDX-License-Identifier: Apache-2.0
"""What shows that a leaf or a chunk's leaves are right, as Disputes takes it. Pure, but for the hash of a block.

Committees walks the draws from the seed on. Each hit takes a seat, of which there are twice the committee; only a node
that is shown as a member is known to have been hit before, or to be a misfit today. So the voters are shown, and of the
others those whom the walk would else count too often.
"""

from collections import Counter, deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode as abi_encode

from inferix.draws import Roster, draws
from inferix.errors import NotFound
from inferix.messages import compact, pack_votes, unpack_voters, votes_hash
from inferix.models.anchor import BatchLeaf
from inferix.models.roles import Draw, NodeStatus, Outcome, RosterKind, TaskKind
from inferix.replay import Network
from inferix.replay.receipts import BlockHash, found_at
from inferix.replay.settlement import CHUNK, HEADER, earlier_rejections, rests_on_earlier, standing_votes
from inferix.replay.state import Attempt, Batch, TaskState
from inferix.trees import BATCH_TYPE, ROSTER_TYPE, Tree, batch_leaf, flat

MAX_MEMBERS = 12  # as in Committees
TREES_KEPT = 16  # of 1,000 leaves: half a megabyte each


def _types(type_string: str) -> str:
    fields = type_string[type_string.index("(") + 1 : -1].split(",")
    return f"({','.join(field.split(' ')[0] for field in fields)})"


INCLUSION = f"(({','.join(HEADER.values())}),{_types(BATCH_TYPE)},uint256,bytes32[])"
MEMBER = f"({_types(ROSTER_TYPE)},bytes32[])"
VOTES = f"(bytes,uint32,{MEMBER}[],bytes,uint32,bytes32[2],bytes32,bytes32,(bytes32,uint256,bytes32[]),{INCLUSION}[])"
EARLIER = "(bytes32,bytes32,(bytes32,uint256,bytes32[]))"


@dataclass(frozen=True)
class Committee:
    """Whom a seed draws. ``index``: of the roster; ``seats``: of both draws; ``needed``: equal votes that decide."""

    index: int
    roster: Roster
    seed: bytes
    seats: int
    needed: int


def committee_behind(network: Network, manager: int, leaf: BatchLeaf) -> Committee | None:
    """The committee of a leaf's anchor in a lane; None while seed or roster are not to be had."""
    lane = network.lanes.get(manager)
    anchor = lane.anchors.get(leaf.anchor) if lane else None
    if anchor is None or anchor.seed is None:
        return None
    final = network.roster_at(RosterKind.VERIFIERS, anchor.sealed_at)
    if final is None or final.roster is None:
        return None
    state = network.tasks.get(leaf.task)
    seats, needed = network.parameters["committee"], network.parameters["votes_needed"]
    if state is not None and state.task.kind is TaskKind.ASSEMBLE:
        seats = needed = 1
    return Committee(final.index, final.roster, anchor.seed, 2 * seats, needed)


def members(network: Network, leaf: BatchLeaf, committee: Committee) -> list[int] | None:
    """Whom to show, the voters first; None when Committees could not be shown that each voter has a seat."""
    voters = unpack_voters(leaf.voters)
    hits, missing = Counter[int](), set(voters)
    for drawn in draws(committee.roster, committee.seed, leaf.task, Draw.VERIFIER, leaf.attempt):
        if not missing:
            break
        hits[drawn.leaf.node] += 1
        missing.discard(drawn.leaf.node)
    fit = {node for node in hits if _fits(network, leaf, node, voters)}
    if not fit.issuperset(voters):
        return None
    others = {node: count for node, count in hits.items() if node not in voters}
    taken = len(voters) + sum(others.values())
    saved = {node: count - (node in fit) for node, count in others.items()}
    shown = list(voters)
    for node in sorted(saved, key=lambda node: -saved[node]):
        if taken <= committee.seats or len(shown) == MAX_MEMBERS:
            break
        shown.append(node)
        taken -= saved[node]
    return shown if taken <= committee.seats else None


def _fits(network: Network, leaf: BatchLeaf, node: int, voters: Collection[int]) -> bool:
    """As Committees sees it now: whoever voted was active then, of the others the present status counts."""
    found, account, worker = network.nodes.get(node), network.accounts.get(leaf.account), network.nodes.get(leaf.node)
    if found is None or (account and found.owner == account.owner) or (worker and found.owner == worker.owner):
        return False
    return node in voters or found.status is NodeStatus.ACTIVE


def votes_answer(network: Network, batch: Batch, index: int, block_hash: BlockHash) -> dict[str, Any]:
    """``Committees.Votes`` of a leaf. NotFound where this state holds no votes or receipt that it follows from; a lease
    has no votes."""
    leaf = batch.leaves[index]
    state = network.tasks.get(leaf.task)
    if state is None or leaf.attempt >= len(state.attempts):
        raise NotFound("there is no such attempt")
    attempt = state.attempts[leaf.attempt]
    if leaf.outcome is Outcome.LEASED:
        return _papers(network, batch, leaf, state, block_hash)
    standing = standing_votes(network, state, attempt)
    if not standing or votes_hash(standing) != leaf.votes:
        raise NotFound("the anchored votes are not those of the leaf")
    committee = committee_behind(network, batch.manager, leaf)
    shown = members(network, leaf, committee) if committee else None
    if committee is None or shown is None:
        raise NotFound("the seed's draws give its voters no seats")
    roster = committee.roster
    return _papers(network, batch, leaf, state, block_hash) | {
        "votes": pack_votes(standing),
        "roster": committee.index,
        "members": [
            {"leaf": roster.leaves[node].model_dump(), "proof": flat(roster.tree.proof(node))} for node in shown
        ],
        "earlier": _earlier(network, state, attempt),
    }


def _papers(network: Network, batch: Batch, leaf: BatchLeaf, state: TaskState, block_hash: BlockHash) -> dict[str, Any]:
    """What every answer shows, in the order of `VOTES`: order and receipt. Of a lease that is all."""
    job = network.jobs[state.task.job]
    return {
        "votes": b"",
        "roster": 0,
        "members": [],
        "order": job.order.record(job.signature),
        "task_index": state.task.index,
        **_receipt(network, batch.manager, leaf, state.attempts[leaf.attempt], block_hash),
        "earlier": [],
    }


def _receipt(
    network: Network, manager: int, leaf: BatchLeaf, attempt: Attempt, block_hash: BlockHash
) -> dict[str, Any]:
    """The worker's signature, what opens the receipt's canary, and where in the leaf's anchor the receipt is."""
    found = found_at(network, manager, leaf.anchor, leaf)
    if found.receipt.result != leaf.result:
        raise NotFound("the anchored receipt is of another result")
    packed = compact(found.signature)
    return {
        "receipt": [packed[:32], packed[32:]],
        "canary": found.receipt.canary,
        "salt": attempt.salt,
        "place": found.place(block_hash),
    }


def _earlier(network: Network, state: TaskState, attempt: Attempt) -> list[dict[str, Any]]:
    """Where rejections make a client_fault: the leaf of another owner's rejected attempt."""
    if not rests_on_earlier(network, state, attempt):
        return []
    found = next(earlier_rejections(network, state, attempt), None)
    if found is None:
        raise NotFound("the earlier rejection that it rests on is in no batch")
    return [inclusion(*found)]


_trees: deque[tuple[list[BatchLeaf], Tree]] = deque(maxlen=TREES_KEPT)


def _tree_of(batch: Batch) -> Tree:
    """The tree of a batch's leaves; the last few are kept, as one of 1,000 leaves takes a tenth of a second. A list of
    leaves is known by its identity: batches get another one, and never change it."""
    leaves = batch.leaves
    for known, tree in list(_trees):
        if known is leaves:
            return tree
    tree = Tree([batch_leaf(leaf) for leaf in leaves])
    _trees.append((leaves, tree))
    return tree


def inclusion(batch: Batch, index: int) -> dict[str, Any]:
    """A leaf with its proof, as Panels takes it."""
    leaf, proof = batch.leaves[index].model_dump(), _tree_of(batch).proof(index)
    return {"header": batch.header, "leaf": leaf, "index": index, "proof": flat(proof)}


def earlier_receipt(network: Network, manager: int, anchor: int, leaf: BatchLeaf, block_hash: BlockHash) -> bytes:
    """``abi.encode`` of ``Committees.Earlier``: the receipt of the leaf's attempt in this anchor. Raises NotFound."""
    found = found_at(network, manager, anchor, leaf)
    place = _values(found.place(block_hash))
    return abi_encode([EARLIER], [(found.receipt.result, found.receipt.canary, place)])


def encode_votes(answer: dict[str, Any]) -> bytes:
    """``abi.encode`` of what ``votes_answer`` returns, as Disputes passes it on."""
    return abi_encode([VOTES], [_values(answer)])


def _values(item: Any) -> Any:
    if isinstance(item, dict):
        return tuple(_values(value) for value in item.values())
    return [_values(value) for value in item] if isinstance(item, list) else item


def arguments_of(batch: Batch, index: int) -> tuple[object, ...]:
    """Header, leaf, index and proof: the first arguments of most calls about a leaf."""
    parts = inclusion(batch, index)
    return parts["header"], parts["leaf"], parts["index"], parts["proof"]


def data_answer(batch: Batch, chunk: int) -> tuple[object, ...]:
    """A chunk, its leaves, and the proof from its subtree up. The batch's leaves are those of its root."""
    tree = _tree_of(batch)
    height = min(CHUNK.bit_length() - 1, len(tree.levels) - 1)
    proof = [level[(chunk >> depth) ^ 1] for depth, level in enumerate(tree.levels[height:-1])]
    leaves = [leaf.model_dump() for leaf in batch.leaves[chunk * CHUNK :][:CHUNK]]
    return chunk, leaves, flat(proof)
