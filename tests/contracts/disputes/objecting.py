# SPDX-License-Identifier: Apache-2.0
"""Objections of the court's challenger, and the panel that hears one."""

from dataclasses import dataclass, field
from typing import Any

from eth_utils import keccak

from inferix.draws import draws
from inferix.messages import unpack_voters
from inferix.models.roles import Draw
from tests.contracts.disputes.court import Batch, Court
from tests.contracts.disputes.shown import Shown
from tests.contracts.system import ACTIVE, Node, acting, advance

OPEN, UPHELD, REJECTED, UNDECIDED, DROPPED = 1, 2, 3, 4, 5
SEATS = 3
REASON = keccak(text="what is wrong")


@dataclass
class Heard:
    """An objection, and who has no seat on its panel."""

    court: Court
    id: bytes
    owners: set[str]
    voters: set[int] = field(default_factory=set)
    batch: Batch | None = None
    places: list[int] = field(default_factory=list)

    @property
    def contract(self) -> Any:
        """Who hears it."""
        return self.court.objections

    def info(self) -> Any:
        """As the contract has it."""
        return self.contract.objection(self.id)

    def status(self) -> int:
        """1 open, 2 upheld, 3 rejected, 4 undecided, 5 dropped."""
        return int(self.info().status)

    def met(self) -> list[Node]:
        """Everybody whom the draws of the sealed panel hit, in the order of the first time."""
        seed = bytes(self.contract.panel(self.id).seed)
        found = draws(self.court.roster, seed, self.id, Draw.PANEL, 0)
        return list({drawn.leaf.node: self.court.nodes[drawn.leaf.node] for drawn in found}.values())

    def fits(self, node: Node) -> bool:
        """Whether this node may sit."""
        active = self.court.registry.node(node.id).status == ACTIVE
        return active and node.id not in self.voters and node.owner.address not in self.owners

    def seat(self, nodes: list[Node]) -> None:
        """Show these nodes as the next draws."""
        for at in range(0, len(nodes), 16):
            members = self.court.members(nodes[at : at + 16])
            self.contract.seat(self.id, [leaf for leaf, _ in members], [proof for _, proof in members])

    def fill(self) -> list[Node]:
        """Seal and seat the panel; the seats in the order of the draws."""
        for _ in range(2):
            # The first seal of a panel that was forgotten takes another block.
            advance(60)
            self.contract.seal(self.id)
            if bytes(self.contract.panel(self.id).seed) != bytes(32):
                break
        wanted, seats, shown = self.court.window("panel"), [], []
        for node in self.met():
            if len(seats) == wanted:
                break
            shown.append(node)
            if self.fits(node):
                seats.append(node)
        self.seat(shown)
        return seats

    def vote(self, node: Node, upheld: bool) -> None:
        """A seat's vote."""
        self.contract.vote(self.id, *self.court.panel_vote(node, self.id, upheld))

    def hear(self, *votes: bool) -> list[Node]:
        """A panel of as many seats as there are votes, all cast."""
        self.court.set_parameter("panel", len(votes))
        seats = self.fill()
        for seat, upheld in zip(seats, votes, strict=True):
            self.vote(seat, upheld)
        return seats

    def resolve(self) -> None:
        """By anybody."""
        self.contract.resolve(self.id)

    def decided(self, upheld: bool) -> "Heard":
        """Heard and resolved by a panel of three of one mind."""
        self.hear(*[upheld] * SEATS)
        self.resolve()
        return self

    def refer(self) -> None:
        """No panel comes about."""
        advance(self.court.window("panel_window") + 1)
        self.resolve()

    def void(
        self, at: int, batch: Batch | None = None, places: list[int] | None = None, index: int | None = None
    ) -> None:
        """Void the leaf at this place."""
        batch, places = batch or self.batch, places or self.places
        assert batch is not None
        header, leaf, _, proof = batch.item(places[at] if index is None else index)
        self.contract.void(self.id, header, leaf, at, proof, places)


def outcomes(
    court: Court,
    batch: Batch,
    places: list[int],
    node: Node | None = None,
    first: int | None = None,
    is_managers: bool = False,
) -> Heard:
    """Object to outcomes; node: whose stake is the bond, by its operator; first: the leaf that is shown."""
    header, leaf, _, proof = batch.item(places[0] if first is None else first)
    challenger = node.operator if node else court.challenger
    with acting(challenger):
        bond = node.id if node else 0
        id = court.objections.object_outcomes(header, leaf, proof, places, is_managers, bond, REASON)
    shown = batch.leaves[places[0]]
    owners = {
        court.client.address,
        court.registry.owner_of(shown.node),
        court.registry.owner_of(batch.header.manager),
        court.escape.proposer(batch.commitment),
        node.owner.address if node else challenger.address,
    }
    return Heard(court, bytes(id), owners, set(unpack_voters(shown.voters)), batch, places)


def leaf(court: Court, shown: Shown, place: int = 3, node: Node | None = None, **changes: Any) -> Heard:
    """Object to a leaf of a root."""
    challenger = node.operator if node else court.challenger
    with acting(challenger):
        id = court.objections.object_leaf(*shown.root(**changes), place, node.id if node else 0, REASON)
    return Heard(court, bytes(id), {court.keeper.owner.address, node.owner.address if node else challenger.address})


def money(court: Court, who: Any) -> int:
    """IFX of somebody [wei]."""
    return int(court.ifx.balanceOf(getattr(who, "address", who)))
