# SPDX-License-Identifier: Apache-2.0
"""Objections that a panel hears: raises one where another manager's roster or accounts are false, turns all cranks.

What is false is what this keeper's own replay does not give, leaf by leaf. One leaf is enough: the root falls with it.
A bond stands behind each, so it is few, and one at a time about a root.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from weakref import ReferenceType, ref

from inferix.chain.deployment import Contracts
from inferix.errors import InferixError
from inferix.models.objection import LeafClaim
from inferix.models.roles import BatchStatus, DisputeStatus, ObjectionKind, ObjectionStatus, RootKind, RosterKind
from inferix.replay import Network
from inferix.replay.answers import arguments_of
from inferix.replay.roots import WrongLeaf, wrong_leaves
from inferix.replay.state import Objection, RootName
from inferix.storage.documents import put_document
from keepers.chunks import proposer, waiting_roster
from keepers.courts import panel_steps, sittings
from keepers.desk import MONEY, WORK, Desk, Step
from keepers.objections import bonds_left

log = logging.getLogger(__name__)

VOID_TERM = 28 * 86_400  # as in Objections: so long may leaves be voided

Examine = Callable[[RootName], list[WrongLeaf]]


def claim_of(name: RootName, row: WrongLeaf) -> LeafClaim:
    """The right leaf at a place, as a document."""
    return LeafClaim(kind=name.kind, of=name.of, index=name.index, root=name.root, place=row.place, right=row.right)


def waiting_roots(network: Network) -> Iterator[tuple[RootName, int]]:
    """Roots that may be objected to now, with who put them up."""
    for kind in RosterKind:
        roster = waiting_roster(network, kind)
        if roster is not None and network.passed(roster.posted_at) < network.parameters["roster_window"]:
            yield RootName(RootKind.ROSTER, int(kind), roster.index, roster.root), roster.manager
    root = network.waiting_accounts()
    if root is not None and network.passed(root.posted_at) < network.parameters["accounts_window"]:
        yield RootName(RootKind.ACCOUNTS, 0, root.index, root.accounts_root), root.manager
        yield RootName(RootKind.NODES, 0, root.index, root.nodes_root), root.manager


def decide_objections(network: Network, manager: int, look: Examine) -> list[tuple[RootName, WrongLeaf]]:
    """A false leaf of each root of another manager, where nobody names one now, and that no panel let stand before."""
    found: list[tuple[RootName, WrongLeaf]] = []
    for name, by in waiting_roots(network):
        raised = [item for item in network.objections.values() if item.of == name.of and item.index == name.index]
        about = [item for item in raised if _is_of(item, name)]
        if by == manager or any(item.status is ObjectionStatus.OPEN and _is_right(item, look) for item in about):
            continue
        named = {place for item in about if item.subject == name.root for place in item.places}
        row = next((row for row in look(name) if row.place not in named), None)
        if row is not None and not any(_falls_with(name, other) for other, _ in found):
            found.append((name, row))
    return found


def _is_right(objection: Objection, look: Examine) -> bool:
    """Whether what an objection names is false. One that is not says nothing: a liar's friend may have raised it."""
    return any(row.place in objection.places for row in look(objection.root))


def _is_of(objection: Objection, name: RootName) -> bool:
    """Whether an objection is to a leaf of this root, or of the other tree of the same accounts."""
    is_roster = objection.kind is ObjectionKind.ROSTER
    return objection.kind is not ObjectionKind.OUTCOMES and is_roster is (name.kind is RootKind.ROSTER)


def _falls_with(name: RootName, other: RootName) -> bool:
    return RootKind.ROSTER not in (name.kind, other.kind) and name.index == other.index


def decide_end(network: Network, objection: Objection) -> list[Step]:
    """What is about something that fell otherwise is over."""
    if objection.kind is ObjectionKind.OUTCOMES:
        is_gone = network.batches[objection.subject].status is BatchStatus.CANCELLED
    elif objection.kind is ObjectionKind.ROSTER:
        is_gone = proposer(network, objection.root) is None
    else:  # who put up what was overtaken meanwhile answers for it all the same
        is_gone = all(root.index != objection.index or root.final_at for root in network.accounts_roots)
    return [(f"resolve:{objection.id.hex()}:gone", "resolve", (objection.id,))] if is_gone else []


def falling(network: Network) -> list[Objection]:
    """Objections, right or undecided, to outcomes of batches that wait until the leaves are void."""
    return [
        item
        for item in network.objections.values()
        if item.kind is ObjectionKind.OUTCOMES
        and item.status in (ObjectionStatus.UPHELD, ObjectionStatus.UNDECIDED)
        and network.batches[item.subject].status is BatchStatus.PROPOSED
    ]


def decide_voids(network: Network, objection: Objection) -> list[Step]:
    """Each leaf is voided by itself, and the batch waits for all; what nobody shows for so long stands."""
    batch, name = network.batches[objection.subject], objection.id.hex()
    if network.passed(objection.asked_at) > VOID_TERM:
        return [(f"resolve:{name}:late", "resolve", (objection.id,))]
    steps: list[Step] = []
    for at, place in enumerate(objection.places):
        if place < len(batch.leaves):
            header, leaf, _, proof = arguments_of(batch, place)
            arguments = (objection.id, header, leaf, at, proof, list(objection.places))
            steps.append((f"void:{name}:{at}", "void", arguments))
    return steps


@dataclass
class Hearings:
    """``stake``: whether bonds may be put up at all."""

    desk: Desk
    contracts: Contracts
    stake: bool
    _seen: dict[tuple[RootName, int], list[WrongLeaf]] = field(default_factory=dict)
    _seen_in: ReferenceType[Network] | None = None

    def cycle(self) -> None:
        """Turns what is due, then objects."""
        with self.desk.follower.reading() as network:
            heard = [item.id for item in network.objections.values() if item.status is ObjectionStatus.OPEN]
            upheld = [item.id for item in falling(network)]
        read = partial(self.contracts.read, "Objections", "objection")
        unvoided = {id for id in upheld if read(id)["unvoided"]}
        panels = sittings(self.contracts, "Objections", "objection", heard)
        with self.desk.follower.reading() as network:
            steps = [step for item in falling(network) if item.id in unvoided for step in decide_voids(network, item)]
            for id, sitting in panels.items():
                objection = network.objections.get(id)
                if objection is not None and objection.status is ObjectionStatus.OPEN:
                    gone = decide_end(network, objection)
                    steps += gone or panel_steps(network, self.desk.database, objection, sitting)
            found = decide_objections(network, self.desk.manager, partial(self._look, network))
            left = bonds_left(network, self.desk.manager) if self.stake else 0
        for name, row in found[left:]:
            why = "enough bonds are at stake" if self.stake else "no bond is put up for it"
            self.desk.warn_once(log, f"{_words(name, row)}: {why}")
        turns = [partial(self._turn, step) for step in steps]
        self.desk.try_each([*turns, *(partial(self._object, name, row) for name, row in found[:left])])

    def _turn(self, step: Step) -> bool:
        key, function, arguments = step
        return self.desk.try_send(MONEY, key, "Objections", function, *arguments)

    def _object(self, name: RootName, row: WrongLeaf) -> None:
        # A root that fell may be put up again.
        key = f"object:{int(name.kind)}:{name.of}:{name.index}:{name.root.hex()}:{row.place}"
        if self.desk.sender.done(key):
            return
        reason = put_document(self.desk.store, claim_of(name, row))
        root = (int(name.kind), name.of, name.index, name.root)
        arguments = (*root, row.place, self.desk.manager, reason)
        # Only the manager's operator may put up its stake.
        if self.desk.try_send(WORK, key, "Objections", "object_leaf", *arguments):
            log.warning("object_leaf: %s, with a bond", _words(name, row), extra={"key": key})

    def _look(self, network: Network, name: RootName) -> list[WrongLeaf]:
        """``wrong_leaves``, once a root and answer about it: else nothing of it changes within one replay."""
        if self._seen_in is None or self._seen_in() is not network:
            self._seen, self._seen_in = {}, ref(network)
        told = sum(
            dispute.name == name and dispute.status is not DisputeStatus.OPEN
            for dispute in network.root_disputes.values()
        )
        if (name, told) not in self._seen:
            try:
                self._seen[name, told] = wrong_leaves(network, name)
            except InferixError as error:
                self.desk.warn_once(log, f"{name.kind.name.lower()} root {name.index} cannot be compared: {error}")
                return []
        return self._seen[name, told]


def _words(name: RootName, row: WrongLeaf) -> str:
    return f"{name.kind.name.lower()} root {name.index}: the leaf at {row.place} is false"
