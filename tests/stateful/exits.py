# SPDX-License-Identifier: Apache-2.0
"""Escapes and claims to a balance, and what is said against them, on world and model alike."""

from collections.abc import Sequence
from typing import Any

from eth_utils import keccak

from inferix import escape
from inferix.errors import NotFound
from inferix.messages import outcome_record
from inferix.models.anchor import BatchLeaf
from inferix.replay.answers import votes_answer
from inferix.replay.balances import charges, entry
from inferix.replay.settlement import BatchDraft, commitment_of, draft_batch, outcome_leaf
from inferix.replay.state import Attempt, AttemptStatus, TaskState
from inferix.trees import Tree, batch_leaf
from tests.contracts.system import block_hash
from tests.stateful.docket import Docket
from tests.stateful.model.claims import WINDOW, Claim, charge_of
from tests.stateful.model.credit import Account
from tests.stateful.model.escape import PATIENCE, Papers
from tests.stateful.model.work import CANCELLED, FINAL, PROPOSED, Batch

BESIDE = "beside"  # the lie of a batch whose leaf is in another that counts
UNSHOWN = ("data", "sum")  # lies whose leaves nobody has, or can show
WRONG = ("acceptance", "result", "charge", "coin", "account", "node", "anchor")

Decided = tuple[TaskState, Attempt]


class Exits(Docket):
    """A docket that knows the ways out without a manager."""

    # -- escapes

    def decided(self, *, batched: bool | None = False) -> list[Decided]:
        """Attempts that votes decided, in a batch that stands or in none."""
        return [
            (state, attempt)
            for state in self.bench.world.mirror.tasks.values()
            for attempt in state.attempts
            if attempt.status is AttemptStatus.ENDED and attempt.outcome in escape.BY_VOTES and not attempt.voided_at
            if batched is None or (attempt.batch is not None) is batched
        ]

    def worker_of(self, decided: Decided) -> Any:
        """The key of its worker's owner."""
        return self.bench.world.nodes[decided[1].node].owner

    def escape(self, decided: Decided, who: Any, wrong: str = "") -> bool:
        """Proposes an attempt's leaf alone; ``wrong``: what of its papers is not so."""
        bench, mirror, (state, attempt) = self.bench, self.bench.world.mirror, decided
        leaf, model = outcome_leaf(mirror, state, attempt), bench.sync()
        try:
            votes = votes_answer(mirror, escape._batch(attempt.lane, 1, leaf), 0, block_hash)
        except NotFound:  # it rests on an earlier rejection that nobody has proposed yet
            return False
        coin = model.credit.coins[model.credit.accounts[leaf.account].coin].index
        papers = self._papers(leaf, coin, attempt, wrong)
        batch, draft = self._alone(attempt.lane, papers[1], papers[0])
        sealed_at = mirror.lane(attempt.lane).anchors[attempt.receipt_anchor].sealed_at
        deadline = mirror.jobs[state.task.job].order.deadline
        shown = Papers(leaf, sealed_at, deadline, not wrong)
        ask = lambda: model.escapes.propose(who.address, batch, shown)  # noqa: E731
        arguments = (attempt.lane, papers[1], papers[0].model_dump(), attempt.draw, papers[2], votes)
        done = bench.both(who, ask, "escape", "propose", *arguments)
        if done:
            self.drafts[batch.commitment] = draft
            if self.beside(batch):
                batch.is_honest, self.lies[batch.commitment] = False, BESIDE
        return done

    def _papers(self, leaf: BatchLeaf, coin: int, attempt: Attempt, wrong: str) -> tuple[BatchLeaf, int, bytes]:
        """The leaf, coin and acceptance that are shown."""
        changes: dict[str, dict[str, Any]] = {
            "result": {"result": keccak(leaf.result)},
            "charge": {"charge": leaf.charge + 10**12},
            "account": {"account": leaf.account % 2 + 1},
            "node": {"node": next(node.id for node in self.bench.world.workers if node.id != leaf.node)},
            "anchor": {"anchor": leaf.anchor - 1},
        }
        acceptance = attempt.acceptance if wrong != "acceptance" else attempt.acceptance[::-1]
        return leaf.model_copy(update=changes.get(wrong, {})), coin % 2 + 1 if wrong == "coin" else coin, acceptance

    def _header(self, manager: int, coin: int, leaf: BatchLeaf) -> dict[str, int | bytes]:
        record = outcome_record(leaf.task, leaf.node, leaf.charge, leaf.outcome)
        amounts: dict[str, int | bytes] = {"count": 1, "charge": leaf.charge, "work": leaf.work}
        hashes = {"root": batch_leaf(leaf).hash, "data": bytes(32), "records": keccak(record), "previous": bytes(32)}
        return {"manager": manager, "sequence": 0, "coin": coin} | amounts | hashes

    def _alone(self, manager: int, coin: int, leaf: BatchLeaf) -> tuple[Batch, BatchDraft]:
        """What fell is proposed again as the follower of what fell."""
        header, batches = self._header(manager, coin, leaf), self.bench.model.work.batches
        while (fell := batches.get(commitment_of(header))) is not None and fell.status == CANCELLED:
            header["previous"] = fell.commitment
        clock = self.bench.model.ground.clock
        sizes = (manager, 0, coin, leaf.charge, leaf.work)
        batch = Batch(commitment_of(header), *sizes, [leaf], clock.protocol, clock.now, True)
        return batch, BatchDraft(header, [leaf], b"", [], Tree([batch_leaf(leaf)]))

    def escape_all(self, *, funded: bool = False) -> None:
        """Each worker whose manager had its time; ``funded``: with the bond, whatever else it has."""
        model, world = self.bench.sync(), self.bench.world
        for decided in self.decided():
            state, attempt = decided
            anchor = world.mirror.lane(attempt.lane).anchors[attempt.receipt_anchor]
            bond = model.escapes.bond(outcome_leaf(world.mirror, state, attempt).charge)
            who = self.worker_of(decided)
            if funded and model.ground.ifx.of(who.address) < bond:
                world.give_ifx(who, bond)
                model.ground.ifx.move(world.foundation, who.address, bond)
            if model.ground.clock.running(anchor.sealed_at, world.now) >= PATIENCE:
                self.escape(decided, who)

    def release(self, batch: Batch) -> bool:
        """Anybody sends a bond back."""
        ask = lambda: self.bench.model.escapes.release(batch)  # noqa: E731
        return self.bench.both(self.bench.world.stranger, ask, "escape", "release", batch.commitment)

    def release_bonds(self) -> None:
        """All that are free."""
        for batch in self.alone(FINAL):
            if batch.commitment in self.bench.model.escapes.bonds:
                assert self.release(batch)

    def alone(self, *statuses: int) -> list[Batch]:
        """Batches that stand alone."""
        return [b for b in self.bench.model.work.batches.values() if b.is_alone and b.status in statuses]

    # -- against them

    def repeat(self, alone: Batch) -> Batch | None:
        """The lane proposes the leaf of a batch alone too."""
        lane = self.bench.model.work.lane(alone.manager).batches
        previous = lane[-1].commitment if lane else bytes(32)
        draft = draft_batch(alone.manager, len(lane) + 1, alone.coin, alone.leaves, previous)
        if not self.propose(draft):
            return None
        beside = self.bench.model.work.batches[draft.commitment]
        liar = alone if alone.status == PROPOSED else beside
        liar.is_honest, self.lies[liar.commitment] = False, BESIDE
        return beside

    def beside(self, batch: Batch) -> Batch | None:
        """Another batch of the lane, or alone, that stands and has the leaf of this one; the two can't both be final."""
        leaf = batch.leaves[0]
        for other in self.bench.model.work.batches.values():
            if other is not batch and other.manager == batch.manager and other.status in (PROPOSED, FINAL):
                found = any((each.task, each.attempt) == (leaf.task, leaf.attempt) for each in other.leaves)
                if found and (other.is_alone or batch.is_alone) and self.lies.get(other.commitment) not in UNSHOWN:
                    return other
        return None

    def convict(self, batch: Batch) -> None:
        """As any lie; of a leaf that stands alone and elsewhere, one falls, and what is left is right."""
        if self.lies.get(batch.commitment) != BESIDE or batch.status != PROPOSED:
            super().convict(batch)
            return
        other = self.beside(batch)
        if other is not None:
            self._part(*((batch, other) if batch.is_alone else (other, batch)))
        if batch.status == PROPOSED:
            batch.is_honest = True
            del self.lies[batch.commitment]

    def _part(self, alone: Batch, beside: Batch) -> None:
        bench, leaf = self.bench, alone.leaves[0]
        index = next(
            at for at, item in enumerate(beside.leaves) if (item.task, item.attempt) == (leaf.task, leaf.attempt)
        )
        no_order = (0, 0, 0, bytes(32), 0, 0, 0, 0, 0)
        items = [self.item(alone, 0), self.item(beside, index)]
        shown = items if bench.steps % 2 else items[::-1]
        ask = lambda: bench.model.courts.settle_beside(alone, beside, bench.world.stranger.address)  # noqa: E731
        assert bench.both(bench.world.stranger, ask, "disputes", "prove_duplicate", *shown, no_order, 0)

    # -- claims to a balance

    def owner_of(self, account: Account) -> Any:
        """The key of its client."""
        return next(client for client in self.bench.world.clients if client.address == account.owner)

    def left(self, id: int, leave_out: int = 0) -> int:
        """What of a request its owner may claim, were so many charges not there."""
        account, proof = self.bench.sync().credit.accounts[id], self.bench.account_proof(id)
        used = (proof[0].spent if proof else 0) + sum(leaf.charge for leaf in self.listed(id)[leave_out:])
        return max(0, min(account.requested, account.credit - used))

    def listed(self, id: int) -> list[BatchLeaf]:
        """The charges that a claim of now has to list: what the keepers' mirror would show, and no more can be."""
        model, newest = self.bench.sync(), self.bench.model.books.newest
        since = newest.epoch + 1 if newest and self.bench.account_proof(id) else 0
        found = [
            leaf for batch, leaf in model.claims.charges(id, since, model.ground.clock.protocol) if self._shows(batch)
        ]
        mirrored = [batch.leaves[at] for batch, at in charges(self.bench.world.mirror, id, since, self.bench.world.now)]
        assert sorted(map(charge_of, found)) == sorted(map(charge_of, mirrored))
        return found

    def _shows(self, batch: Batch) -> bool:
        return self.lies.get(batch.commitment) not in UNSHOWN

    def claim_balance(self, id: int, who: Any, amount: int | None = None, leave_out: int = 0, spent: int = 0) -> bool:
        """All that is left, or another amount; without so many charges, or with the newest root's word falsified."""
        bench, proof = self.bench, self.bench.account_proof(id)
        leaves = self.listed(id)[leave_out:]
        known = (proof[0].spent + spent, not spent) if proof else None
        amount = self.left(id, leave_out) if amount is None else amount
        counted = list(map(charge_of, leaves))
        ask = lambda: bench.model.claims.claim(who.address, id, amount, counted, known)  # noqa: E731
        shown = (known[0], proof[0].reserved, proof[1]) if proof and known else (0, 0, [])
        return bench.both(who, ask, "balance_claims", "claim", id, amount, *shown, list(map(entry, leaves)))

    def prove_charge(self, id: int, batch: Batch, leaf: BatchLeaf, *, is_list: bool = True) -> bool:
        """Shows a charge, whether or not the claim leaves it out; with the claim's list, or another."""
        bench, claim = self.bench, self.bench.model.claims.standing.get(id)
        counted = list(self._entries(id)) if claim else []
        counted = counted if is_list else [*counted, bytes(32)]
        ask = lambda: bench.model.claims.prove(bench.world.challenger.address, id, batch, leaf, is_list=is_list)  # noqa: E731
        item = self.item(batch, batch.leaves.index(leaf))
        return bench.both(bench.world.challenger, ask, "balance_claims", "prove_charge", id, counted, item)

    def _entries(self, id: int) -> Sequence[bytes]:
        return self.bench.world.mirror.balance_claims[id].counted

    def settle_claim(self, id: int) -> bool:
        """Anybody."""
        ask = lambda: self.bench.model.claims.settle(id)  # noqa: E731
        return self.bench.both(self.bench.world.stranger, ask, "balance_claims", "settle", id)

    def look_after_claims(self) -> None:
        """Batches that are due become final, and what a claim leaves out is shown while it stands."""
        model, clock = self.bench.sync(), self.bench.model.ground.clock
        for batch in self.live() if model.claims.standing else []:
            if batch.is_honest and not batch.disputes:
                self.finalize(batch)
        for id, claim in list(model.claims.standing.items()):
            left_out = self.left_out(id, claim)
            if left_out and clock.protocol < claim.claimed_at + WINDOW:
                assert self.prove_charge(id, *left_out[0])

    def left_out(self, id: int, claim: Claim) -> list[tuple[Batch, BatchLeaf]]:
        """Charges that it does not list, by which it falls: first those that take its bond."""
        claims = self.bench.model.claims
        found = claims.charges(id, claim.since, claim.claimed_at)
        found = [(batch, leaf) for batch, leaf in found if claim.left or claims.takes_bond(batch, claim)]
        found.sort(key=lambda item: not claims.takes_bond(item[0], claim))
        return [(batch, leaf) for batch, leaf in found if self._shows(batch) and charge_of(leaf) not in claim.counted]
