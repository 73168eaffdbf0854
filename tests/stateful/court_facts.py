# SPDX-License-Identifier: Apache-2.0
"""What must be the same everywhere of objections, contradictions and disputes about data: as facts.py, for these."""

from typing import Any

from inferix.models.roles import RosterKind
from inferix.replay import Network as Mirror
from inferix.replay.availability import CANCELLED
from tests.stateful.model.panel import OPEN, Panel
from tests.stateful.model.whole import Model
from tests.stateful.world import World

NAMES = ("objection", "contradiction", "root dispute", "panel", "roster", "books", "undecided", "anchor")
Facts = dict[tuple[Any, ...], Any]


def facts(model: Model) -> Facts:
    """Everything that the model says of these contracts' state."""
    found: Facts = {}
    for id, item in model.objections.items.items():
        left = len(item.unvoided)
        found["objection", id] = (item.status, item.manager, item.bond.amount, item.panel.is_referred, left)
        found["panel", "objections", id, *item.panel.seats] = _panel(item.panel)
    for id, doubt in model.contradictions.items.items():
        found["contradiction", id] = (doubt.status, doubt.share, doubt.bond.amount, doubt.panel.is_referred)
        found["panel", "contradictions", id, *doubt.panel.seats] = _panel(doubt.panel)
    for id, dispute in model.availability.disputes.items():
        found["root dispute", id] = (dispute.status, dispute.bond.amount if dispute.status == OPEN else 0)
        if dispute.name.kind == 1:
            found["anchor", *dispute.name.values[1:]] = dispute.name in model.roots.fallen
    for kind in RosterKind:
        waiting = model.roots.rosters.get(kind)
        found["roster", int(kind)] = (waiting.index, waiting.disputes) if waiting else (0, 0)
    books = model.books.pending
    found["books",] = (books.index, books.manager, books.disputes) if books else (0, 0, 0)
    for index in range(max(1, model.books.posted - 3), model.books.posted + 1):
        found["undecided", index] = index in model.books.overtaken or (books is not None and index == books.index)
    return found


def _panel(panel: Panel) -> Any:
    # A ballot is 1 silent, 2 upheld, 3 reversed.
    ballots = [{None: 1, True: 2, False: 3}[panel.votes.get(node)] for node in panel.seats]
    return (panel.seated_at, len(panel.seats), sum(panel.votes.values()), ballots)


def read(world: World, key: tuple[Any, ...]) -> Any:
    """The same fact as the contracts have it."""
    match key:
        case ("objection", id):
            found = world.read("objections", "objection", id)
            return tuple(found[name] for name in ("status", "manager", "bond", "is_referred", "unvoided"))
        case ("contradiction", id):
            found = world.read("contradictions", "contradiction", id)
            return tuple(found[name] for name in ("status", "share", "bond", "is_referred"))
        case ("root dispute", id):
            found = world.read("availability", "dispute", id)
            return found["status"], found["bond"]
        case ("panel", court, id, *seats):
            found = world.read(court, "panel", id)
            return (
                found["seated_at"],
                found["seats"],
                found["upheld"],
                [world.read(court, "ballot", id, n) for n in seats],
            )
        case ("roster", kind):
            found = world.read("rosters", "pending", kind)
            return found["index"], found["disputes"]
        case ("books",):
            found = world.read("accounts", "pending")
            return found["index"], found["manager"], found["disputes"]
        case ("undecided", index):
            return world.read("accounts", "is_undecided", index)
        case ("anchor", manager, index, root):
            return world.read("availability", "is_cancelled", manager, index, root)
    raise AssertionError(key)


def mirrored(mirror: Mirror) -> Facts:
    """The mirror's facts."""
    found: Facts = {}
    for id, item in mirror.objections.items():
        said = (int(item.status), item.bond, item.node, item.is_referred, item.seats, item.votes)
        found["objection", id] = (*said, item.manager, list(item.places), item.is_managers)
    for id, doubt in mirror.contradictions.items():
        said = (int(doubt.status), doubt.bond, doubt.node, doubt.is_referred, doubt.seats, doubt.votes)
        found["contradiction", id] = (*said, doubt.vote, doubt.share)
    for id, dispute in mirror.root_disputes.items():
        said = (int(dispute.status), dispute.bond, dispute.node, dispute.until, dispute.chunk)
        found["root dispute", id] = (*said, dispute.name.root)
    found |= {("voids", key): batch.voided for key, batch in mirror.batches.items() if batch.voided}
    found |= {("roster", int(k), at): r.manager for (k, at), r in mirror.posted_rosters.items() if not r.final_at}
    found |= {("books", root.index): root.manager for root in mirror.accounts_roots if not root.final_at}
    for manager, lane in mirror.lanes.items():
        fallen = [anchor for anchor in lane.anchors.values() if anchor.problem == CANCELLED]
        found |= {("anchor", manager, anchor.index): anchor.root for anchor in fallen}
    found["fines",] = [fine.amount for fine in mirror.fines]
    return found


def in_its_terms(model: Model) -> Facts:
    """The model's in the same terms."""
    found: Facts = {}
    for id, item in model.objections.items.items():
        said = (
            item.status,
            item.bond.amount,
            item.bond.node,
            item.panel.is_referred,
            item.panel.seats,
            item.panel.votes,
        )
        found["objection", id] = (*said, item.manager, item.places, item.is_managers)
    for id, doubt in model.contradictions.items.items():
        panel = doubt.panel
        said = (doubt.status, doubt.bond.amount, doubt.bond.node, panel.is_referred, panel.seats, panel.votes)
        found["contradiction", id] = (*said, doubt.vote, doubt.share)
    for id, dispute in model.availability.disputes.items():
        said = (dispute.status, dispute.bond.amount, dispute.bond.node, dispute.until, dispute.chunk)
        found["root dispute", id] = (*said, dispute.name.root)
    found |= {("voids", key): set(batch.voids) for key, batch in model.work.batches.items() if batch.voids}
    found |= {("roster", int(kind), roster.index): roster.manager for kind, roster in model.roots.rosters.items()}
    waiting = [model.books.pending] if model.books.pending else []
    found |= {("books", root.index): root.manager for root in [*waiting, *model.books.overtaken.values()]}
    found |= {("anchor", name.of, name.index): name.root for name in model.roots.fallen}
    found["fines",] = [fine.amount for fine in model.stakes.fines]
    return found


def check_laws(model: Model) -> None:
    """Each of these contracts has what open bonds put into it, to the wei; holds and disputes are those of what is open."""
    items = (model.objections.items, model.contradictions.items, model.availability.disputes)
    for court, found in zip(("objections", "contradictions", "availability"), items, strict=True):
        bonds = sum(item.bond.amount for item in found.values() if item.status == OPEN and not item.bond.node)
        assert model.ground.ifx.of(model.ground.own[court]) == bonds, f"{court} does not have its open bonds"
    for batch in model.work.batches.values():
        assert batch.voided[0] <= batch.charge and batch.voided[1] <= batch.work
