# SPDX-License-Identifier: Apache-2.0
"""Cases against workers and disputes about batches, as far as they move money or stop it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from inferix.messages import Order
from inferix.models.anchor import BatchLeaf
from inferix.models.job import case_id
from inferix.models.roles import CaseStatus, Outcome
from tests.stateful.model.basics import BPS, DAY, NANO, Ground, need, up
from tests.stateful.model.escape import Escapes
from tests.stateful.model.lanes import Lanes
from tests.stateful.model.stake import ACTIVE, FROZEN, JAILED, Node, Stakes
from tests.stateful.model.work import CANCELLED, FINAL, LEASES, PROPOSED, Batch, Work

REDO_TERM, DECISION_TERM = 40 * DAY, 14 * DAY
SILENCE_BPS = 500
OPEN, ANSWERED, UPHELD, DROPPED = 1, 2, 3, 4


@dataclass
class Case:
    """A rejected attempt under judgement; times are the protocol's. ``amount``: what it costs [wei], ``frozen``: what of that
    was free to be frozen."""

    id: bytes
    leaf: BatchLeaf
    batch: Batch
    amount: int
    frozen: int
    frozen_at: int
    status: int = CaseStatus.FROZEN
    charged_at: int = 0
    redone_by: int = 0
    appealed_at: int = 0
    bond: int = 0
    seats: list[int] = field(default_factory=list)
    seated_at: int = 0
    votes: dict[int, bool] = field(default_factory=dict)
    is_referred: bool = False
    delivered_at: int = 0
    is_counted: bool = False


@dataclass
class Dispute:
    """A question about a batch. ``node``: whose stake is the bond, 0 the challenger's own IFX."""

    batch: Batch
    place: int
    kind: int
    challenger: str
    node: int
    bond: int
    until: int
    status: int = OPEN


@dataclass
class Courts:
    """Both courts."""

    ground: Ground
    stakes: Stakes
    work: Work
    cases: dict[bytes, Case] = field(default_factory=dict)
    disputes: dict[tuple[bytes, int, int], Dispute] = field(default_factory=dict)
    penalised: set[bytes] = field(default_factory=set)
    escapes: Escapes = field(kw_only=True)
    lanes: Lanes = field(kw_only=True)

    # -- cases

    def freeze(self, batch: Batch, leaf: BatchLeaf) -> Case:
        """A rejected leaf: part of the stake is frozen, the node waits."""
        need(batch.status in (PROPOSED, FINAL) and leaf.outcome is Outcome.REJECTED, "cancelled, or not rejected")
        need(not batch.is_void(leaf), "leaf void")
        id = case_id(leaf.task, leaf.attempt)
        old = self.cases.get(id)
        fell = old is not None and old.status == CaseStatus.CLEARED and old.batch.status == CANCELLED
        need(old is None or fell, "frozen before")
        node = self.stakes.nodes[leaf.node]
        share = min(self.stakes.required(node) * self.ground.parameters["slash_failed_bps"] // BPS, 2**96 - 1)
        first = not self.open_cases(node.id)
        case = Case(id, leaf, batch, share, self.stakes.freeze(node, share), self.ground.clock.protocol)
        self.cases[id] = case
        self.work.cleared.discard(id)
        node.holds += 1
        if first:
            self.stakes.judge(node, FROZEN)
        return case

    def open_cases(self, node: int) -> int:
        """Neither slashed nor cleared."""
        ended = (CaseStatus.SLASHED, CaseStatus.CLEARED)
        return sum(case.leaf.node == node and case.status not in ended for case in self.cases.values())

    def charge(self, rejected: tuple[Batch, BatchLeaf], redone: tuple[Batch, BatchLeaf]) -> None:
        """Redone by another and accepted, both final: slashable."""
        batch, leaf = rejected
        case = self.cases.get(case_id(leaf.task, leaf.attempt))
        need(batch.status == FINAL and not batch.is_void(leaf), "not final, or void")
        if case is not None:
            need(case.status == CaseStatus.FROZEN and case.batch is batch, "not frozen by this batch")
        self._check_redone(leaf, *redone)
        need(redone[1].outcome is Outcome.ACCEPTED and redone[1].attempt > leaf.attempt, "not accepted later")
        case = case or self.freeze(batch, leaf)
        case.status, case.charged_at = CaseStatus.SLASHABLE, self.ground.clock.protocol
        case.redone_by = redone[1].node

    def clear(self, case: Case) -> None:
        """The batch fell, or the leaf is void, or nobody redid the task for forty days."""
        need(case.status == CaseStatus.FROZEN, "not frozen")
        fell = case.batch.status == CANCELLED or case.batch.is_void(case.leaf)
        need(fell or self._is_over(case.frozen_at, REDO_TERM), "may still be redone")
        self._end(case, CaseStatus.CLEARED)

    def clear_redone(self, case: Case, redone: tuple[Batch, BatchLeaf]) -> None:
        """Rejected from other hands too: it was the task."""
        need(case.status == CaseStatus.FROZEN, "not frozen")
        self._check_redone(case.leaf, *redone)
        need(redone[1].outcome in (Outcome.REJECTED, Outcome.CLIENT_FAULT), "not rejected again")
        self._end(case, CaseStatus.CLEARED)

    def penalise_late(self, batch: Batch, leaf: BatchLeaf) -> None:
        """The small slash, once an attempt."""
        id = case_id(leaf.task, leaf.attempt)
        need(batch.status == FINAL and leaf.outcome is Outcome.LATE and id not in self.penalised, "not late and final")
        need(not batch.is_void(leaf), "leaf void")
        self.penalised.add(id)
        node = self.stakes.nodes[leaf.node]
        amount = self.stakes.required(node) * self.ground.parameters["slash_late_bps"] // BPS
        self.stakes.slash(node, amount, 0, "")

    def execute(self, case: Case) -> None:
        """Nobody appealed in time."""
        need(case.status == CaseStatus.SLASHABLE and self._is_appeal_over(case), "not yet")
        self._convict(case)

    def appeal(self, who: str, case: Case) -> None:
        """The owner's, with a bond out of the stake."""
        node = self.stakes.nodes[case.leaf.node]
        need(case.status == CaseStatus.SLASHABLE and who == node.owner, "not slashable, or not the owner")
        need(not self._is_appeal_over(case), "too late")
        bond = self.ground.dispute_bond
        need(node.total - node.frozen >= bond, "stake too small for the bond")
        self.stakes.freeze(node, bond)
        case.status, case.appealed_at, case.bond = CaseStatus.APPEALED, self.ground.clock.protocol, bond

    def resolve(self, case: Case) -> None:
        """By the panel; where there is none, the governor; where he is silent, for the accused, who is jailed."""
        need(case.status == CaseStatus.APPEALED, "not appealed")
        if case.is_referred:
            need(self._is_over(case.appealed_at, DECISION_TERM), "the governor may still decide")
            self.stakes.judge(self.stakes.nodes[case.leaf.node], JAILED)
            self._end(case, CaseStatus.CLEARED)
        elif not case.seated_at:
            need(self._is_over(case.appealed_at, self.ground.parameters["panel_window"]), "may still be seated")
            case.is_referred = True
        elif len(case.seats) < self.ground.parameters["panel_minimum"]:
            case.is_referred = True
        else:
            over = self._is_over(case.seated_at, self.ground.parameters["panel_window"])
            need(over or len(case.votes) == len(case.seats), "voting goes on")
            self._count(case)

    def decide(self, case: Case, upheld: bool) -> None:
        """The governor, of a referred case, in time."""
        need(case.status == CaseStatus.APPEALED and case.is_referred, "not referred")
        need(not self._is_over(case.appealed_at, DECISION_TERM), "too late")
        self._judge(case, upheld)

    def note(self, case: Case, sealed_at: int) -> None:
        """When the result was delivered, by the seal of its receipt's anchor; once."""
        need(case.delivered_at == 0 and sealed_at, "noted, or forgotten")
        case.delivered_at = self.ground.clock.protocol - (self.ground.clock.now - sealed_at)

    def strike_out(self, cases: Sequence[Case]) -> None:
        """False three times within thirty days, each delivered a week after the one before was charged: all; then it is banned."""
        node = self.stakes.nodes[cases[0].leaf.node]
        need(len({case.id for case in cases}) == len(cases), "one counts once")
        need(
            all(case.status == CaseStatus.SLASHED and not case.is_counted for case in cases), "not slashed, or counted"
        )
        need(all(case.leaf.node == node.id and case.delivered_at for case in cases), "of two workers, or not noted")
        for before, case in pairwise(cases):
            need(case.delivered_at > before.charged_at + 7 * DAY, "not a time of its own")
        need(cases[-1].delivered_at <= cases[0].delivered_at + 30 * DAY, "too long ago")
        for case in cases:
            case.is_counted = True
        if self.stakes.slash(node, node.total, 0, ""):
            fine = self.stakes.fines[-1]
            fine.tasks, fine.seats = {case.leaf.task for case in cases}, [id for case in cases for id in case.seats]

    def _count(self, case: Case) -> None:
        if 2 * len(case.votes) <= len(case.seats):
            case.is_referred = True
            return
        for id in case.seats:
            if id not in case.votes:
                silent = self.stakes.nodes[id]
                self.stakes.slash(silent, self.stakes.required(silent) * SILENCE_BPS // BPS, 0, "")
        self._judge(case, 2 * sum(case.votes.values()) > len(case.votes))

    def _judge(self, case: Case, upheld: bool) -> None:
        if upheld:
            self._convict(case)
        else:
            self._end(case, CaseStatus.CLEARED)
            self.work.restored.setdefault(self.ground.epoch, []).append((case.leaf.node, case.leaf.task))

    def _convict(self, case: Case) -> None:
        self._end(case, CaseStatus.SLASHED)
        if self.stakes.slash(self.stakes.nodes[case.leaf.node], case.amount + case.bond, 0, ""):
            self.stakes.fines[-1].tasks, self.stakes.fines[-1].seats = {case.leaf.task}, case.seats

    def _end(self, case: Case, status: int) -> None:
        if status == CaseStatus.CLEARED:
            self.work.cleared.add(case.id)
        case.status = status
        node = self.stakes.nodes[case.leaf.node]
        self.stakes.unfreeze(node, case.frozen + case.bond)
        node.holds -= 1
        if not self.open_cases(node.id):
            self.stakes.judge(node, ACTIVE)

    def _check_redone(self, leaf: BatchLeaf, batch: Batch, redone: BatchLeaf) -> None:
        need(batch.status == FINAL and not batch.is_void(redone), "not final, or void")
        need(redone.task == leaf.task and redone.attempt != leaf.attempt, "not the task redone")
        owners = [self.stakes.nodes[item.node].owner for item in (leaf, redone)]
        need(owners[0] != owners[1], "the same owner")

    def _is_over(self, since: int, term: int) -> bool:
        return self.ground.clock.protocol > since + term

    def _is_appeal_over(self, case: Case) -> bool:
        return self._is_over(case.charged_at, self.ground.parameters["appeal_window"])

    # -- disputes

    def challenge(self, who: str, batch: Batch, kind: int, place: int, node: int, needs_votes: bool = True) -> None:
        """Asks, with a bond, within the batch's window."""
        need(needs_votes and (batch.commitment, kind, place) not in self.disputes, "no votes needed, or asked before")
        bond = up(self.ground.dispute_bond, NANO) * NANO
        open_until = batch.proposed_at + self.ground.parameters["batch_window"]
        need(batch.status == PROPOSED and self.ground.clock.protocol < open_until, "not proposed, or too late")
        if node:
            party = self.stakes.nodes[node]
            need(who in (party.owner, party.operator), "not the owner or operator")
            need(party.total - party.frozen >= bond, "stake too small for the bond")
            self.stakes.freeze(party, bond)
            who = party.owner
        else:
            self.ground.ifx.move(who, self.ground.own["disputes"], bond)
        until = self.ground.clock.protocol + self.ground.parameters["answer_window"]
        self.disputes[batch.commitment, kind, place] = Dispute(batch, place, kind, who, node, bond, until)
        batch.disputes += 1

    def answer(self, dispute: Dispute) -> None:
        """The challenger's bond: half burned, half to the manager's owner."""
        need(dispute.status == OPEN and self.ground.clock.protocol <= dispute.until, "not open, or too late")
        need(dispute.batch.status == PROPOSED, "not proposed")
        dispute.status = ANSWERED
        dispute.batch.disputes -= 1
        winner = self._proposer(dispute.batch)
        if dispute.node:
            party = self.stakes.nodes[dispute.node]
            self.stakes.unfreeze(party, dispute.bond)
            self.stakes.slash(party, dispute.bond, BPS // 2, winner)
        else:
            own = self.ground.own["disputes"]
            self.ground.ifx.burn(own, dispute.bond - dispute.bond // 2)
            self.ground.ifx.move(own, winner, dispute.bond // 2)

    def expire(self, dispute: Dispute) -> None:
        """Unanswered: the bond back, the batch cancelled; cancelled otherwise: the bond back."""
        need(dispute.status == OPEN, "not open")
        fell = dispute.batch.status == CANCELLED
        need(fell or self.ground.clock.protocol > dispute.until, "answer window open")
        dispute.status = DROPPED if fell else UPHELD
        dispute.batch.disputes -= 1
        if dispute.node:
            self.stakes.unfreeze(self.stakes.nodes[dispute.node], dispute.bond)
        else:
            self.ground.ifx.move(self.ground.own["disputes"], dispute.challenger, dispute.bond)
        if not fell:
            self.punish(dispute.batch, dispute.challenger)

    def punish(self, batch: Batch, reporter: str) -> None:
        """A batch that lied: cancelled, its proposer fined and jailed; of one that stands alone the bond is lost."""
        self.work.cancel(batch)
        if batch.is_alone:
            self.escapes.close(batch, reporter)
            return
        node: Node = self.stakes.nodes[batch.manager]
        bond = self.ground.dispute_bond
        fine = self.stakes.required(node) * self.ground.parameters["slash_failed_bps"] // BPS
        self.stakes.slash(node, bond + fine, BPS // 2 * bond // (bond + fine), reporter)
        self.stakes.judge(node, JAILED)

    def prove_order(self, who: str, batch: Batch, leaf: BatchLeaf, job: bytes, order: Order, *, is_its: bool) -> None:
        """A leaf that its order contradicts, shown with this order; ``is_its``: the task is of this order."""
        need(batch.status == PROPOSED and is_its, "not proposed, or another order")
        need(not self.is_as_ordered(batch, leaf, job, order), "as ordered")
        self.punish(batch, who)

    def is_as_ordered(self, batch: Batch, leaf: BatchLeaf, job: bytes, order: Order) -> bool:
        """Account, coin, attempts, cap, price of what was accepted, and lane."""
        most = min(order.cap, up(leaf.work * order.price, NANO)) if leaf.outcome is Outcome.ACCEPTED else order.cap
        account = self.work.credit.accounts.get(leaf.account)
        if account is None or leaf.account != order.account or leaf.charge > most:
            return False
        in_coin = self.work.credit.coins[account.coin].index == batch.coin % LEASES
        # One attempt more than ordered, in place of one that was no work.
        in_number = leaf.attempt <= order.attempts and order.attempts > 0
        return in_coin and in_number and self.lanes.has(batch.manager, job, order.manager, leaf.anchor)

    def prove_anchor(self, who: str, batch: Batch, leaf: BatchLeaf, anchor: int, *, is_received: bool) -> None:
        """A leaf whose attempt was delivered in this anchor, an earlier one than it names; what stands alone is not fined."""
        need(not batch.is_void(leaf), "leaf void")
        need(anchor < leaf.anchor and is_received, "no earlier receipt")
        if batch.is_alone:
            self.work.cancel(batch)
            self.escapes.close(batch, "")
        else:
            self.punish(batch, who)

    def settle_beside(self, alone: Batch, beside: Batch, reporter: str) -> Batch:
        """The same leaf alone and in another batch: one of them falls, with a fine where it is the lie; which one."""
        batch, is_lie = self.escapes.falls(alone, beside)
        if is_lie:
            self.punish(batch, reporter)
            return batch
        self.work.cancel(batch)
        if batch.is_alone:
            self.escapes.close(batch, "")
        return batch

    def _proposer(self, batch: Batch) -> str:
        if batch.is_alone:
            return self.escapes.bonds[batch.commitment].proposer
        return self.stakes.nodes[batch.manager].owner
