# SPDX-License-Identifier: Apache-2.0
"""What panels of verifiers hear, on world and model alike: objections and contradictions, from the bond to the end."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from eth_abi.abi import encode as abi_encode
from eth_utils import keccak

from inferix.draws import draws
from inferix.messages import PanelVote, Vote
from inferix.models.roles import Draw, RosterKind
from keepers.courts import next_members
from tests.contracts.work.network import flat
from tests.stateful.model.contradictions import Contradiction
from tests.stateful.model.objections import Objection
from tests.stateful.model.panel import OPEN
from tests.stateful.model.roots import Name
from tests.stateful.model.stake import ACTIVE
from tests.stateful.model.work import PROPOSED, Batch

if TYPE_CHECKING:
    from tests.stateful.docket import Docket

REASON = keccak(text="what is wrong")
Place = tuple[str, bytes]
"""The contract that hears it, and its id."""


class Hearings:
    """Objections by the challenger, by people who may not, and out of stakes; their panels."""

    def __init__(self, docket: "Docket") -> None:
        self.docket = docket
        self.bench = docket.bench

    # -- opening

    def object_outcomes(
        self, batch: Batch, places: Sequence[int], is_managers: bool, node: int = 0, who: Any = None
    ) -> bool:
        """Names leaves of a batch."""
        named = [bytes([0] * 31 + [1]), bytes([0] * 31 + [is_managers])]
        digest = keccak(abi_encode(["uint16[]"], [list(places)]))
        id = keccak(b"".join([batch.commitment, *named, digest]))
        first = places[0] if places and places[0] < len(batch.leaves) else 0
        header, leaf, _, proof = self.docket.item(batch, first).values()
        who, courts = self._challenger(node, who), self.bench.model.objections
        ask = lambda: courts.to_outcomes(who.address, id, batch, list(places), is_managers, node)  # noqa: E731
        arguments = (header, leaf, proof, list(places), is_managers, node, REASON)
        return self.bench.both(who, ask, "objections", "object_outcomes", *arguments)

    def object_leaf(self, name: Name, place: int, node: int = 0, who: Any = None) -> bool:
        """Names a leaf of a root."""
        types = ["uint8", "uint8", "uint32", "bytes32", "uint32"]
        id = keccak(abi_encode(types, [*name.values, place]))
        who, courts = self._challenger(node, who), self.bench.model.objections
        ask = lambda: courts.to_leaf(who.address, id, name, place, node)  # noqa: E731
        arguments = (*name.values, place, node, REASON)
        return self.bench.both(who, ask, "objections", "object_leaf", *arguments)

    def contradict(self, batch: Batch, index: int, vote: Vote, node: int = 0, who: Any = None) -> bool:
        """Names a vote that its verifier signed, about a leaf of a batch."""
        world, leaf = self.bench.world, batch.leaves[index]
        who, courts = self._challenger(node, who), self.bench.model.contradictions
        signature = vote.sign(world.domain, bytes(world.nodes[vote.node].operator.key))
        id = vote.digest(world.domain)
        ask = lambda: courts.contradict(who.address, id, vote, (batch, leaf), node)  # noqa: E731
        values = tuple(getattr(vote, name) for name in Vote.model_fields)
        arguments = (values, signature, self.docket.item(batch, index), node, REASON)
        return self.bench.both(who, ask, "contradictions", "contradict", *arguments)

    def _challenger(self, node: int, who: Any) -> Any:
        world = self.bench.world
        return who or (world.nodes[node].operator if node else world.challenger)

    # -- what there is

    def items(self) -> dict[Place, Objection | Contradiction]:
        """All that were ever opened."""
        model = self.bench.model
        found: dict[Place, Objection | Contradiction] = {
            ("objections", id): i for id, i in model.objections.items.items()
        }
        return found | {("contradictions", id): item for id, item in model.contradictions.items.items()}

    def item(self, place: Place) -> Objection | Contradiction:
        """One of them."""
        return self.items()[place]

    def open(self) -> list[Place]:
        """Those that something waits for: a word on them, or their leaves to be voided."""
        return [place for place, item in self.items().items() if item.status == OPEN or self.unvoided(place)]

    def unvoided(self, place: Place) -> list[int]:
        """Which of the leaves named are still to be voided."""
        item = self.item(place)
        return sorted(item.unvoided) if isinstance(item, Objection) else []

    # -- the panel

    def seat(self, place: Place) -> None:
        """Seals and seats the panel."""
        world, (court, id) = self.bench.world, place
        for _ in range(2):
            if world.read(court, "panel", id)["seed"] == bytes(32):
                world.wait(60)
                assert world.send(world.stranger, court, "seal", id).done
        panel = world.read(court, "panel", id)
        final = next(item for item in world.mirror.rosters[RosterKind.VERIFIERS] if item.root == panel["root"])
        assert final.roster is not None
        while not panel["seated_at"]:
            wanted = world.mirror.parameters["panel"] - panel["seats"]
            members = next_members(final.roster, panel["seed"], id, panel["drawn"], wanted)
            proofs = [flat(final.roster.tree.proof(leaf.node)) for leaf in members]
            terms = [leaf.model_dump() for leaf in members]
            assert world.send(world.stranger, court, "seat", id, terms, proofs).done
            panel = world.read(court, "panel", id)
        item = self.item(place)
        item.panel.seated_at = self.bench.sync().ground.clock.protocol
        found = dict.fromkeys(drawn.leaf.node for drawn in draws(final.roster, panel["seed"], id, Draw.PANEL, 0))
        nodes = [self.bench.model.stakes.nodes[node] for node in found if node not in item.panel.voters]
        fit = [node.id for node in nodes if node.status == ACTIVE and node.owner not in item.panel.parties]
        item.panel.seats = fit[: world.mirror.parameters["panel"]]

    def vote(self, place: Place, node: int, upheld: bool) -> bool:
        """A seat's signed vote, or that of somebody without one."""
        world, (court, id) = self.bench.world, place
        signature = PanelVote(dispute=id, node=node, upheld=upheld, measured=bytes(32)).sign(
            world.domain, bytes(world.nodes[node].operator.key)
        )
        ask = lambda: self._court(court).vote(self.item(place), node, upheld)  # noqa: E731
        return self.bench.both(world.stranger, ask, court, "vote", id, node, upheld, bytes(32), signature)

    def hear(self, place: Place, votes: Sequence[bool]) -> None:
        """Seats the panel where that is to be done; so many of its members vote."""
        item = self.item(place)
        if item.status == OPEN and not item.panel.seated_at:
            self.seat(place)
        for node, upheld in zip(item.panel.seats, votes, strict=False):
            self.vote(place, node, upheld)

    # -- its end

    def resolve(self, place: Place) -> bool:
        """Anybody."""
        court, id = place
        ask = lambda: self._court(court).resolve(self.item(place))  # noqa: E731
        return self.bench.both(self.bench.world.stranger, ask, court, "resolve", id)

    def decide(self, place: Place, upheld: bool, who: Any = None) -> bool:
        """The governor's word, or somebody's who has none."""
        (court, id), governor = place, self.bench.world.governor
        ask = lambda: self._court(court).decide(self.item(place), upheld, who is None)  # noqa: E731
        return self.bench.both(who or governor, ask, court, "decide", id, upheld)

    def void(self, place: Place, at: int) -> bool:
        """Anybody, of the leaf at one of the places named; not while a lie repeats it: it would be none any more."""
        item = self.item(place)
        assert isinstance(item, Objection) and item.batch is not None
        lane = self.bench.model.work.lane(item.batch.manager).waiting
        if at >= len(item.places) or any(self.docket.lies.get(batch.commitment) == "twice" for batch in lane):
            return False
        header, leaf, _, proof = self.docket.item(item.batch, item.places[at]).values()
        ask = lambda: self.bench.model.objections.void(item, at)  # noqa: E731
        arguments = (place[1], header, leaf, at, proof, item.places)
        return self.bench.both(self.bench.world.stranger, ask, "objections", "void", *arguments)

    def turn(self) -> None:
        """What is due; of every other objection nobody shows the leaves that are to be voided."""
        for place in self.open():
            if place[1][0] % 2:
                for at in self.unvoided(place):
                    self.void(place, at)
            self.resolve(place)

    def objectionable(self) -> list[Batch]:
        """Honest batches of lanes that wait."""
        live = [batch for batch in self.docket.live() if batch.is_honest and batch.status == PROPOSED]
        return [batch for batch in live if batch.sequence]

    def _court(self, name: str) -> Any:
        return getattr(self.bench.model, name)
