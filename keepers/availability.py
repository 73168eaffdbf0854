# SPDX-License-Identifier: Apache-2.0
"""Data of anchors, rosters and accounts: shows what is asked for, ends what nobody showed, asks for what is hidden.

As with batches, a keeper answers for its own roots at once and for any other when half of the answer's window is over,
never asks for or ends its own, and puts up few bonds. Why: docs/decisions/018-data-behind-every-root.md.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from inferix.chain.client import ChainClient
from inferix.errors import InferixError
from inferix.models.anchor import AccountsData, RosterData
from inferix.models.roles import DisputeStatus, RootKind, RosterKind
from inferix.replay import Network
from inferix.replay.availability import NOT_SERVED
from inferix.replay.settlement import CHUNK
from inferix.replay.state import RootDispute, RootName
from keepers.chunks import proposer, shelf, waiting_roster
from keepers.desk import MONEY, WORK, Desk, Step
from keepers.objections import bonds_left

log = logging.getLogger(__name__)

ANSWERS = {
    RootKind.ANCHOR: "answer_anchor",
    RootKind.ROSTER: "answer_roster",
    RootKind.ACCOUNTS: "answer_accounts",
    RootKind.NODES: "answer_nodes",
}


@dataclass(frozen=True)
class Demand:
    """A chunk to ask for, and why. ``sealed_by``: the block whose hash is in an anchor's seed, 0 for other roots."""

    name: RootName
    chunk: int
    says: str
    sealed_by: int = 0

    @property
    def key(self) -> str:
        """What the action is known by."""
        name = self.name
        return f"demand:{int(name.kind)}:{name.of}:{name.index}:{name.root.hex()}:{self.chunk}"


def values(name: RootName) -> dict[str, object]:
    """A root as Availability takes it."""
    return {"kind": int(name.kind), "of": name.of, "index": name.index, "root": name.root}


def _open(network: Network) -> Iterator[RootDispute]:
    return (dispute for dispute in network.root_disputes.values() if dispute.status is DisputeStatus.OPEN)


def decide_answers(network: Network, manager: int) -> tuple[list[Step], dict[bytes, str]]:
    """(answers due now, this manager's first; why there is none, by dispute about a root of this manager)."""
    steps: list[tuple[bool, Step]] = []
    silent: dict[bytes, str] = {}
    for dispute in _open(network):
        by = proposer(network, dispute.name)
        is_due = by == manager or network.time >= dispute.opened_at + network.parameters["answer_window"] // 2
        if by is None or not is_due:
            continue
        try:
            shown = shelf(network, dispute.name).chunk(dispute.chunk)
        except InferixError as error:
            if by == manager:
                silent[dispute.id] = str(error)
            continue
        key = f"answer-root:{dispute.id.hex()}"
        steps.append((by == manager, (key, ANSWERS[dispute.name.kind], (values(dispute.name), *shown))))
    return [step for _, step in sorted(steps, key=lambda item: not item[0])], silent


def decide_expiry(network: Network, manager: int) -> list[Step]:
    """Disputes that are over: unanswered in time, about others' roots, or about one that fell otherwise."""
    steps: list[Step] = []
    for dispute in _open(network):
        by = proposer(network, dispute.name)
        if by is None or (network.clock(network.time) > dispute.until and by != manager):
            key = f"expire-root:{dispute.id.hex()}:{'gone' if by is None else 'late'}"
            steps.append((key, "expire", (values(dispute.name), dispute.chunk)))
    return steps


def decide_demands(network: Network, manager: int, patience: int) -> list[Demand]:
    """One chunk of each root of others whose data are not to be had after ``patience`` seconds, or are not those of the
    root; none of a root of which another chunk is asked for now."""
    asked = {dispute.name for dispute in _open(network)}
    found = [*_anchors(network, patience), *_rosters(network, patience), *_accounts(network, patience)]
    return [item for item in found if proposer(network, item.name) not in (None, manager) and item.name not in asked]


def decide_seals(network: Network, manager: int, patience: int) -> list[tuple[str, int]]:
    """(key, manager) of lanes of others whose last anchor is not sealed after ``patience`` seconds. Its manager knows
    the seed by then: it could wait for another roster or, once the block's hash is forgotten, for another seed."""
    seals: list[tuple[str, int]] = []
    for of, lane in network.lanes.items():
        anchor = next(reversed(lane.anchors.values()), None)
        if of == manager or anchor is None or anchor.sealed_at:
            continue
        if anchor.timestamp + patience <= network.time:
            seals.append((f"seal:{of}:{anchor.index}:{anchor.armed_at}", of))
    return seals


def _anchors(network: Network, patience: int) -> Iterator[Demand]:
    for manager, lane in network.lanes.items():
        for anchor in lane.anchors.values():
            in_window = anchor.sealed_at > 0 and network.time < anchor.sealed_at + network.parameters["batch_window"]
            if anchor.problem != NOT_SERVED or not in_window or network.time < anchor.timestamp + patience:
                continue
            place = (manager, anchor.index)
            posted = network.later.posted.get(place, {})
            chunks = range(network.later.chunks.get(place, 1))
            chunk = next((at for at in chunks if at not in posted), None)
            if chunk is not None:
                name = RootName(RootKind.ANCHOR, manager, anchor.index, anchor.root)
                yield Demand(name, chunk, f"anchor {manager}/{anchor.index}: {anchor.problem}", anchor.armed_at + 1)


def _rosters(network: Network, patience: int) -> Iterator[Demand]:
    for kind in RosterKind:
        roster = waiting_roster(network, kind)
        if roster is None or network.passed(roster.posted_at) >= network.parameters["roster_window"]:
            continue
        name = RootName(RootKind.ROSTER, int(kind), roster.index, roster.root)
        yield from _first(network, name, roster.data, roster.posted_at + patience, max(network.nodes, default=0))


def _accounts(network: Network, patience: int) -> Iterator[Demand]:
    root = network.waiting_accounts()
    if root is None or network.passed(root.posted_at) >= network.parameters["accounts_window"]:
        return
    trees = (
        (RootKind.ACCOUNTS, root.accounts_root, max(network.accounts, default=0)),
        (RootKind.NODES, root.nodes_root, max(network.nodes, default=0)),
    )
    for kind, hash, last in trees:
        yield from _first(network, RootName(kind, 0, root.index, hash), root.data, root.posted_at + patience, last)


def _first(network: Network, name: RootName, data: bytes, due: int, last: int) -> Iterator[Demand]:
    """The first chunk up to the one of id ``last`` that nobody has asked for, where the leaves are not to be had."""
    try:
        shelf(network, name)
        return
    except InferixError as error:
        says = f"{name.kind.name.lower()} root {name.index}: {error}"
    kind = RosterData if name.kind is RootKind.ROSTER else AccountsData
    if kind.is_away(data, network.document) and network.time < due:
        return
    asked = {dispute.chunk for dispute in network.root_disputes.values() if dispute.name == name}
    chunk = next((at for at in range(last // CHUNK + 1) if at not in asked), None)
    if chunk is not None:
        yield Demand(name, chunk, says)


@dataclass
class Availability:
    """``stake``: whether bonds may be put up at all; ``patience``: how long documents may be on their way, seconds."""

    desk: Desk
    client: ChainClient
    stake: bool
    patience: int

    def cycle(self) -> None:
        """Answers first: silence costs most."""
        with self.desk.follower.reading() as network:
            steps, silent = decide_answers(network, self.desk.manager)
            steps += decide_expiry(network, self.desk.manager)
            demands = decide_demands(network, self.desk.manager, self.patience)
            left = bonds_left(network, self.desk.manager) if self.stake else 0
            seals = decide_seals(network, self.desk.manager, self.patience)
        for key, manager in seals:
            self.desk.try_send(MONEY, key, "Batches", "seal", manager)
        for dispute, reason in silent.items():
            self.desk.warn_once(log, f"dispute {dispute.hex()[:12]} about this manager's root has no answer: {reason}")
        for demand in demands[left:]:
            why = "enough bonds are at stake" if self.stake else "no bond is put up for it"
            self.desk.warn_once(log, f"{demand.says}: {why}")
        self.desk.try_each([partial(self._turn, step) for step in steps])
        self._ask(demands[:left])

    def _ask(self, demands: Sequence[Demand]) -> None:
        for demand in demands:
            sealed_by = self.client.header(demand.sealed_by).hash if demand.sealed_by else bytes(32)
            arguments = (values(demand.name), demand.chunk, self.desk.manager, sealed_by)
            is_new = not self.desk.sender.done(demand.key)
            # Only the manager's operator may put up its stake.
            if self._turn((demand.key, "challenge", arguments), WORK) and is_new:
                log.warning("challenge: %s, with a bond", demand.says, extra={"key": demand.key})

    def _turn(self, step: Step, lane: str = MONEY) -> bool:
        key, function, arguments = step
        return self.desk.try_send(lane, key, "Availability", function, *arguments)
