# SPDX-License-Identifier: Apache-2.0
"""Contradicted votes: who sat, what the members measured, what that comes to, and what it cost.

Windows stand still while the protocol is paused, which no event of theirs tells: that something ended before its time
is seen here, that it ended after it is not. A bond in IFX is the contract's to keep; what stake pays is checked.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak

from inferix.audit.measured import is_as_measured
from inferix.audit.report import Report
from inferix.draws import draws
from inferix.messages import unpack_voters
from inferix.models.anchor import BatchLeaf
from inferix.models.event import ChainEvent
from inferix.models.roles import BatchStatus, Draw, NodeStatus, ObjectionStatus, RosterKind
from inferix.replay import Network
from inferix.replay.hearings import due_at, majority, panel_due_at
from inferix.replay.state import Contradiction, FinalRoster

MAX_MET: Final = 64  # as in the contracts: so many different nodes a panel's draws may meet
UPHELD, REJECTED, UNDECIDED = ObjectionStatus.UPHELD, ObjectionStatus.REJECTED, ObjectionStatus.UNDECIDED


@dataclass
class _Panel:
    """What events tell of a panel beside the network's state. ``order``: the different nodes that its draws hit, None
    where the roster is not served; ``passed``: how many of them were met; ``away``: who was not active at some time
    since the seed; ``parties``: owners without a seat and nodes that voted, None where no leaf or several tell;
    ``told``: votes as measured; ``fined``: silent seats that paid; ``taken``: of the verifier's stake [wei]."""

    roster: FinalRoster | None
    order: list[int] | None = None
    passed: int = 0
    away: set[int] = field(default_factory=set)
    parties: tuple[set[str], set[int]] | None = None
    told: dict[int, bool] = field(default_factory=dict)
    fined: set[int] = field(default_factory=set)
    taken: int | None = None


class Contradictions:
    """Takes the events of contradictions in order, after the network has."""

    def __init__(self, network: Network, report: Report, block_hash: Callable[[int], bytes]) -> None:
        self._network = network
        self._report = report
        self._block_hash = block_hash
        self._panels: dict[bytes, _Panel] = {}
        self._slashed: ChainEvent | None = None
        self._lost: list[Contradiction] = []  # whose bond, a node's stake, is to be slashed in this transaction

    def end(self) -> None:
        """After the last event."""
        for found in self._lost:
            self._check(found, False, f"its bond, stake of node {found.node}, was not taken")

    def after_VoteContradicted(self, event: ChainEvent) -> None:
        """Its id is the vote's digest; its panel is drawn from the newest roster."""
        found, rosters = self._network.contradictions[event.args["id"]], self._network.rosters[RosterKind.VERIFIERS]
        is_named = found.vote.digest(self._network.domain) == found.id
        self._check(found, is_named, "its id is not the digest of the vote")
        self._panels[found.id] = _Panel(rosters[-1] if rosters else None)

    # -- seats

    def after_PanelSealed(self, event: ChainEvent) -> None:
        """The seed is that of the block after the opening."""
        found = self._found(event)
        if found is None or found.seed is None:
            return
        panel, nodes = self._panels[found.id], self._network.nodes.values()
        seed = keccak(abi_encode(["bytes32", "bytes32"], [found.id, self._block_hash(found.asked_block + 1)]))
        self._check(found, seed == found.seed, "the seed of its panel is not that of its block")
        roster = panel.roster.roster if panel.roster is not None else None
        if roster is not None:
            order = dict.fromkeys(drawn.leaf.node for drawn in draws(roster, found.seed, found.id, Draw.PANEL, 0))
            panel.order = list(order)[:MAX_MET]
        panel.away = {node.id for node in nodes if node.status is not NodeStatus.ACTIVE}
        panel.parties = self._parties(found)

    def after_StatusChanged(self, event: ChainEvent) -> None:
        """Who was not active when a draw hit it has no seat."""
        if event.args["status"] != NodeStatus.ACTIVE:
            for panel in self._panels.values():
                panel.away.add(event.args["node"])

    def after_PanelSeated(self, event: ChainEvent) -> None:
        """The next that the draws hit and that may sit, and nobody was left out before it."""
        found = self._found(event)
        if found is None:
            return
        panel, node = self._panels[found.id], event.args["node"]
        if panel.order is None:
            self._check(found, None, "the roster of its panel is not served")
            return
        if node not in panel.order[panel.passed :]:
            self._check(found, False, f"node {node} sits on its panel and was not drawn, or out of turn")
            return
        at = panel.order.index(node)
        left_out = [other for other in panel.order[panel.passed : at] if self._may_sit(panel, other)]
        panel.passed = at + 1
        self._check(
            found, not left_out, f"of its panel node {left_out[:1]} was left out, which was drawn before {node}"
        )
        is_active = self._network.nodes[node].status is NodeStatus.ACTIVE
        fits = is_active and not self._is_party(panel, node)
        self._check(found, fits, f"node {node} sits on its panel and is a party, voted, or is not active")

    def after_PanelCompleted(self, event: ChainEvent) -> None:
        """All seats are taken, or nobody is left to sit."""
        found = self._found(event)
        if found is None:
            return
        panel = self._panels[found.id]
        is_full = len(found.seats) >= self._network.parameters["panel"]
        left = [node for node in (panel.order or [])[panel.passed :] if self._may_sit(panel, node)]
        self._check(found, is_full or not left, f"its panel was closed before node {left[:1]}, which was drawn")

    def _may_sit(self, panel: _Panel, node: int) -> bool:
        """Whether it was fit all the time; of who was not for a while nobody can tell."""
        return node not in panel.away and panel.parties is not None and not self._is_party(panel, node)

    def _is_party(self, panel: _Panel, node: int) -> bool:
        if panel.parties is None:
            return False
        owners, voters = panel.parties
        return node in voters or self._network.nodes[node].owner in owners

    def _parties(self, found: Contradiction) -> tuple[set[str], set[int]] | None:
        leaves = list(self._leaves(found))
        if len(leaves) != 1:
            return None
        nodes, account = self._network.nodes, self._network.accounts.get(leaves[0].account)
        owners = {nodes[node].owner for node in (leaves[0].node, found.vote.node) if node in nodes}
        return owners | {found.challenger, account.owner if account else ""}, set(unpack_voters(leaves[0].voters))

    def _leaves(self, found: Contradiction) -> list[BatchLeaf]:
        """Of the vote's attempt, in final batches: one of them was shown."""
        final = [batch for batch in self._network.batches.values() if batch.status is BatchStatus.FINAL]
        name = (found.vote.task, found.vote.attempt)
        return [leaf for batch in final for leaf in batch.leaves if (leaf.task, leaf.attempt) == name]

    # -- votes

    def after_PanelVoted(self, event: ChainEvent) -> None:
        """A seat's vote is what its measurement comes to."""
        found = self._found(event)
        if found is None:
            return
        node, upheld, measured = (event.args[name] for name in ("node", "upheld", "measured"))
        self._check(found, node in found.seats, f"node {node} voted and has no seat")
        told = is_as_measured(self._network, found, node, upheld, measured)
        self._panels[found.id].told[node] = upheld if told.is_true is not False else not upheld
        self._check(found, told.is_true, f"node {node} of its panel voted {_word(upheld)}: {told.says}")

    def after_SilencePenalised(self, event: ChainEvent) -> None:
        """Silent seats pay; whether those and no others, its end tells."""
        found = self._found(event)
        if found is not None:
            self._panels[found.id].fined.add(event.args["node"])

    # -- what it comes to

    def after_ContradictionReferred(self, event: ChainEvent) -> None:
        """Only where the panel comes to nothing, and its time is over."""
        found = self._network.contradictions[event.args["id"]]
        is_none = majority(self._network, found, found.votes) is None
        too_few = bool(found.complete_at) and len(found.seats) < self._network.parameters["panel_minimum"]
        says = "it was referred to the governor, and its panel had come to a verdict, or had time left"
        self._check(found, is_none and (too_few or self._is_heard(found, event.timestamp)), says)

    def after_ContradictionClosed(self, event: ChainEvent) -> None:
        """The panel's majority, not before its time; and what it costs."""
        found, panel = self._network.contradictions[event.args["id"]], self._panels[event.args["id"]]
        status, word = found.status, found.status.name.lower()
        if not found.is_referred:
            verdicts = {True: UPHELD, False: REJECTED}
            given, measured = (majority(self._network, found, votes) for votes in (found.votes, panel.told))
            is_given = given is not None and verdicts[given] is status
            self._check(found, is_given, f"it was {word}, which is not the verdict of its panel")
            is_measured = measured is given
            self._check(found, is_measured, f"it was {word}, and what its panel measured comes to the contrary")
            is_heard = self._is_heard(found, event.timestamp)
            self._check(found, is_heard, f"it was {word} before its panel's time was over")
        elif status is UNDECIDED:
            is_over = event.timestamp > due_at(self._network, found)
            self._check(found, is_over, "it was given up before the governor's time was over")
        silent = set() if found.is_referred else set(found.seats) - set(found.votes)
        self._check(found, panel.fined == silent, f"fined for silence were {sorted(panel.fined)}, not {sorted(silent)}")
        self._check_price(found, panel)

    def _is_heard(self, found: Contradiction, time: int) -> bool:
        """Whether all seats have voted, or the panel's window is over."""
        return _all_voted(found) or time > panel_due_at(self._network, found)

    # -- what it costs

    def after_Slashed(self, event: ChainEvent) -> None:
        """Half of a lost bond burns."""
        self._slashed = event
        lost = next((found for found in self._lost if found.node == event.args["node"]), None)
        if lost is not None:
            self._lost.remove(lost)
            args, left = event.args, self._network.nodes[lost.node].staked
            is_all = args["amount"] == lost.bond or (args["amount"] < lost.bond and not left)
            says = f"of its bond of {lost.bond} wei {args['amount']} were lost, or not half of them burned"
            self._check(lost, is_all and _half_burned(event), says)

    def after_VerifierPunished(self, event: ChainEvent) -> None:
        """What a verdict took, as the stake's own event says it."""
        found, args = self._network.contradictions[event.args["id"]], event.args
        self._panels[found.id].taken = args["amount"]
        says = f"{args['amount']} wei were taken of its verifier, the stake says otherwise"
        slashed = self._slashed
        is_same = slashed is not None and (slashed.args["node"], slashed.args["amount"]) == (
            found.vote.node,
            args["amount"],
        )
        self._check(found, is_same or not args["amount"], says)

    def _check_price(self, found: Contradiction, panel: _Panel) -> None:
        if found.status is not UPHELD:
            self._check(found, panel.taken is None, "its verifier was punished without a verdict against it")
            if found.node and self._network.nodes[found.node].staked:
                self._lost.append(found)
            return
        node = self._network.nodes[found.vote.node]
        is_out = node.status in (NodeStatus.JAILED, NodeStatus.BANNED)
        self._check(found, is_out, "its verifier was convicted and not jailed")
        taken, left = panel.taken, node.staked
        is_paid = taken is not None and (taken > found.share or not left)
        self._check(
            found, is_paid, f"its verifier lost {taken} wei, less than its share of {found.share} wei and a bond"
        )
        if taken and left and self._slashed is not None:
            args = self._slashed.args
            reward = taken - args["burned"] - args["pooled"]
            is_right = _half_burned(self._slashed) and reward <= (taken - found.share) // 2
            self._check(found, is_right, f"its challenger got {reward} wei, or not half of all was burned")

    # -- helpers

    def _found(self, event: ChainEvent) -> Contradiction | None:
        """The contradiction that a panel's event is about; None of another court's panel."""
        return self._network.contradictions.get(event.args["case"])

    def _check(self, found: Contradiction, true: bool | None, says: str) -> None:
        vote = found.vote
        name = f"the contradiction of node {vote.node}'s vote on task {vote.task.hex()[:12]} attempt {vote.attempt}"
        self._report.check("verdicts", true, f"{name}: {says}")


def _all_voted(found: Contradiction) -> bool:
    return bool(found.complete_at) and len(found.votes) == len(found.seats)


def _half_burned(slashed: ChainEvent) -> bool:
    amount = slashed.args["amount"]
    return bool(slashed.args["burned"] == amount - amount // 2)


def _word(upheld: bool) -> str:
    return "upheld" if upheld else "rejected"
