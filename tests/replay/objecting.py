# SPDX-License-Identifier: Apache-2.0
"""Objections on the chain that the reducer's tests write by hand."""

from eth_utils.crypto import keccak

from inferix.messages import Vote
from inferix.models.roles import ObjectionKind, RootKind
from inferix.replay.settlement import draft_batches
from inferix.replay.state import Contradiction, Hearing, Objection, RootName
from tests.replay.chain import MANAGER, Chain

SEED = b"\x05" * 32
REASON = b"\x07" * 32


def propose_all(chain: Chain) -> bytes:
    """A batch of all that has ended."""
    (draft,) = draft_batches(chain.network, MANAGER)
    return chain.propose(draft)


def object_to_outcomes(
    chain: Chain, commitment: bytes, *places: int, node: int = 0, challenger: str = "0xc11e", is_managers: bool = False
) -> Objection:
    """An objection to these leaves of a batch."""
    id = keccak(commitment + bytes([is_managers, *places]))
    fields = {"challenger": challenger, "reason": REASON, "node": node, "bond": 50, "block": chain.block}
    named = {"places": list(places), "is_managers": is_managers}
    chain.emit("OutcomesObjected", id=id, commitment=commitment, **named, **fields)
    return chain.network.objections[id]


def object_to_leaf(chain: Chain, name: RootName, place: int, node: int = 0) -> Objection:
    """An objection to a leaf of a root."""
    kind = ObjectionKind(int(name.kind))
    id = keccak(bytes([kind, place]) + name.root)
    fields = {"challenger": "0xc11e", "reason": REASON, "node": node, "bond": 50, "block": chain.block}
    named = {"kind": int(kind), "of": name.of, "index": name.index, "root": name.root, "place": place}
    chain.emit("LeafObjected", id=id, **named, **fields)
    return chain.network.objections[id]


def contradict(chain: Chain, vote: Vote, node: int = 0, challenger: str = "0xc11e", share: int = 100) -> Contradiction:
    """A contradicted vote."""
    fields = {name: getattr(vote, name) for name in ("task", "attempt", "result", "outcome", "measured")}
    said = {"challenger": challenger, "reason": REASON, "share": share, "node": node, "bond": 50, "block": chain.block}
    id = vote.digest(chain.network.domain)
    chain.emit("VoteContradicted", id=id, verifier=vote.node, **fields, **said)
    return chain.network.contradictions[id]


def seat(chain: Chain, objection: Hearing, *nodes: int) -> None:
    """Its panel, sealed and complete."""
    chain.emit("PanelSealed", case=objection.id, seed=SEED)
    for node in nodes:
        chain.emit("PanelSeated", case=objection.id, node=node)
    chain.emit("PanelCompleted", case=objection.id, seats=len(nodes))


def close(chain: Chain, objection: Objection, status: int) -> None:
    chain.emit("ObjectionClosed", id=objection.id, status=status)


def newest_roots(chain: Chain) -> tuple[RootName, RootName]:
    """The two trees of the newest accounts."""
    root = chain.network.accounts_roots[-1]
    return (
        RootName(RootKind.ACCOUNTS, 0, root.index, root.accounts_root),
        RootName(RootKind.NODES, 0, root.index, root.nodes_root),
    )
