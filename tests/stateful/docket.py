# SPDX-License-Identifier: Apache-2.0
"""Batches and what is said against them: proposals, lies, disputes, cases, on world and model alike."""

from typing import Any

from eth_utils import keccak

from inferix.draws import draws
from inferix.errors import NotFound
from inferix.messages import PanelVote, outcome_record
from inferix.models.anchor import BatchLeaf
from inferix.models.roles import CaseStatus, Draw, Outcome, RosterKind
from inferix.replay.answers import data_answer, encode_votes, votes_answer
from inferix.replay.settlement import BatchDraft, commitment_of, draft_batch, draft_batches
from keepers.courts import next_members
from tests.contracts.system import block_hash
from tests.contracts.work.network import flat
from tests.stateful.archive import Archive
from tests.stateful.bench import Bench
from tests.stateful.hearings import Hearings
from tests.stateful.misfits import LATER, MISORDERED, UNVOTED, Misfits
from tests.stateful.model.courts import OPEN, Case, Dispute
from tests.stateful.model.stake import ACTIVE, BANNED
from tests.stateful.model.work import FINAL, LEASES, PROPOSED, Batch
from tests.stateful.trading import Trading

VOTES, DATA = 1, 2
LIES = ("data", "votes", "record", "sum", "twice")


class Docket:
    """Drafts by commitment, and which lie each false batch tells."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.drafts: dict[bytes, BatchDraft] = {}
        self.lies: dict[bytes, str] = {}
        self.hearings = Hearings(self)
        self.archive = Archive(self)
        self.misfits = Misfits(self)
        self.trading = Trading(bench)

    # -- proposing

    def settle(self, manager: int, lie: str = "", charge: int = 0, **changes: Any) -> bool:
        """Proposes what has ended in a lane, a lie about it, or a header with other fields, that must be refused."""
        draft = self._lie(manager, lie, charge) if lie else self._honest(manager)
        return draft is not None and self.propose(draft, lie, **changes)

    def propose(self, draft: BatchDraft, lie: str = "", **changes: Any) -> bool:
        """One draft, as its manager's operator."""
        bench, world = self.bench, self.bench.world
        header = draft.header | changes
        if lie != "data":
            for document in draft.documents:
                world.store(document)
        clock = bench.sync().ground.clock
        sizes = [int(header[name]) for name in ("manager", "sequence", "coin", "charge", "work")]
        batch = Batch(commitment_of(header), *sizes, draft.leaves, clock.protocol, clock.now, not lie)
        previous = header["previous"]
        assert isinstance(previous, bytes)
        operator = world.nodes[batch.manager].operator
        ask = lambda: bench.model.work.propose(batch, previous)  # noqa: E731
        done = bench.both(operator, ask, "batches", "propose", header, draft.records)
        if done:
            self.drafts[batch.commitment] = BatchDraft(header, draft.leaves, draft.records, draft.documents, draft.tree)
            if lie:
                self.lies[batch.commitment] = lie
        return done

    def _honest(self, manager: int) -> BatchDraft | None:
        drafts = draft_batches(self.bench.world.mirror, manager)
        return drafts[0] if drafts else None

    def _lie(self, manager: int, lie: str, charge: int) -> BatchDraft | None:
        live = self.bench.model.work.lane(manager).batches
        # Of a tree whose sum is wrong no leaf can be shown, and what is void repeats nothing.
        shown = [batch.leaves for batch in live if self.lies.get(batch.commitment) != "sum" and not batch.voids]
        earlier = shown[-1] if shown else []
        if lie == "twice" and not earlier:
            return None
        leaves = list(earlier) if lie == "twice" else [self._invented(at, charge) for at in range(2)]
        leaves = sorted(leaves, key=lambda leaf: (leaf.task, leaf.attempt))
        previous = live[-1].commitment if live else bytes(32)
        coin = live[-1].coin if live else 1
        coin = coin if lie == "twice" else coin % LEASES  # what is invented is work
        draft = draft_batch(manager, len(live) + 1, coin, leaves, previous)
        header, records = dict(draft.header), draft.records
        if lie == "record":
            records = outcome_record(leaves[0].task, leaves[0].node, charge + 1, leaves[0].outcome) + records[12:]
            header["records"] = keccak(records)
        if lie == "sum":
            header["charge"] = int(header["charge"]) + 1
        return BatchDraft(header, draft.leaves, records, draft.documents, draft.tree)

    def _invented(self, index: int, charge: int) -> BatchLeaf:
        names = f"{self.bench.steps} {index}"
        return BatchLeaf(
            task=keccak(text=f"invented {names}"),
            attempt=0,
            node=self.bench.world.workers[index].id,
            account=1,
            work=10**9,
            charge=charge,
            outcome=Outcome.ACCEPTED,
            result=keccak(text=f"nothing {names}"),
            votes=bytes(32),
            voters=bytes(32),
            anchor=0,
        )

    def live(self) -> list[Batch]:
        """Batches that are proposed and not final."""
        return [batch for batch in self.bench.model.work.batches.values() if batch.status == PROPOSED]

    def finalize(self, batch: Batch) -> bool:
        """Anybody; a lie is not let through to here: `convict` comes first."""
        work = self.bench.model.work
        header = self.drafts[batch.commitment].header
        return self.bench.both(self.bench.world.stranger, lambda: work.finalize(batch), "batches", "finalize", header)

    def pay_lease(self, batch: Batch, leaf: BatchLeaf, *, is_signed: bool = True) -> bool:
        """Anybody; the record is the client's, or signed by the lane's manager."""
        work, world = self.bench.model.work, self.bench.world
        job = world.mirror.jobs[world.mirror.tasks[leaf.task].task.job]
        forged = job.order.sign(world.domain, bytes(world.nodes[batch.manager].operator.key))
        record = job.order.record(job.signature if is_signed else forged)
        ask = lambda: work.pay_lease(batch, leaf, is_signed=is_signed)  # noqa: E731
        item = self.item(batch, batch.leaves.index(leaf))
        return self.bench.both(world.stranger, ask, "leases", "pay", item, record)

    def pay_leases(self) -> None:
        """All that are final."""
        for batch, leaf in self.bench.model.work.leases():
            if batch.status == FINAL and leaf.task not in self.bench.model.work.paid_leases:
                assert self.pay_lease(batch, leaf)

    # -- against batches

    def item(self, batch: Batch, index: int) -> dict[str, Any]:
        """An Inclusion."""
        draft = self.drafts[batch.commitment]
        leaf = draft.leaves[index].model_dump()
        return {"header": draft.header, "leaf": leaf, "index": index, "proof": flat(draft.tree.proof(index))}

    def challenge(self, batch: Batch, kind: int, index: int, node: int = 0) -> bool:
        """Asks for the votes of a leaf or the data of the batch's one chunk."""
        bench, world = self.bench, self.bench.world
        item, leaf, courts = self.item(batch, index), batch.leaves[index], bench.model.courts
        who = world.nodes[node].operator if node else world.challenger
        if kind == DATA:
            ask = lambda: courts.challenge(who.address, batch, DATA, 0, node)  # noqa: E731
            return bench.both(who, ask, "disputes", "challenge_data", item["header"], 0, node)
        paid = leaf.outcome not in (Outcome.LATE, Outcome.VOID) or leaf.charge or leaf.work
        paid = paid and self.lies.get(batch.commitment) != "sum"  # of whose tree no leaf can be shown
        ask = lambda: courts.challenge(who.address, batch, VOTES, index, node, bool(paid))  # noqa: E731
        return bench.both(who, ask, "disputes", "challenge_votes", *item.values(), node)

    def answer(self, dispute: Dispute) -> bool:
        """What keepers answer with, where they can; a lie has no answer."""
        bench = self.bench
        mirrored = bench.world.mirror.batches[dispute.batch.commitment]
        if (dispute.batch.commitment in self.lies and dispute.kind == VOTES) or mirrored.problem:
            return False
        ask = lambda: bench.model.courts.answer(dispute)  # noqa: E731
        item = self.item(dispute.batch, dispute.place)
        if dispute.kind == DATA:
            answer = data_answer(mirrored, dispute.place)
            return bench.both(bench.world.stranger, ask, "disputes", "answer_data", item["header"], *answer[-3:])
        try:
            votes = encode_votes(votes_answer(bench.world.mirror, mirrored, dispute.place, block_hash))
        except NotFound:
            return False
        return bench.both(bench.world.stranger, ask, "disputes", "answer_votes", *item.values(), votes)

    def expire(self, dispute: Dispute) -> bool:
        """Anybody."""
        header = self.drafts[dispute.batch.commitment].header
        ask = lambda: self.bench.model.courts.expire(dispute)  # noqa: E731
        arguments = (header, dispute.kind, dispute.place)
        return self.bench.both(self.bench.world.stranger, ask, "disputes", "expire", *arguments)

    def open_disputes(self) -> list[Dispute]:
        """Those that wait."""
        return [dispute for dispute in self.bench.model.courts.disputes.values() if dispute.status == OPEN]

    def convict(self, batch: Batch) -> None:
        """Shows a lie by its proof, or asks what nobody can answer; one that fell with an earlier one is over."""
        if batch.status != PROPOSED:
            return
        lie, world = self.lies[batch.commitment], self.bench.world
        if self.misfits.convict(batch):
            return
        if lie in ("data", UNVOTED, MISORDERED, LATER):
            kind, place = (DATA, 0) if lie == "data" else (VOTES, self.misfits.at.get(batch.commitment, 0))
            if (batch.commitment, kind, place) not in self.bench.model.courts.disputes:
                self.challenge(batch, kind, place)
            return
        draft, item = self.drafts[batch.commitment], self.item(batch, 0)
        if lie == "record":
            function, arguments = "prove_record", (draft.header, draft.records, *list(item.values())[1:])
        elif lie == "sum":
            left, right = ({"hash": node.hash, "sum": node.sum} for node in draft.tree.levels[-2])
            function, arguments = "prove_wrong_sum", (draft.header, left, right, 0, [])
        else:
            lane = self.bench.model.work.lane(batch.manager).batches
            first = next(b for b in lane if batch.leaves[0] in b.leaves and self.lies.get(b.commitment) != "sum")
            place = first.leaves.index(batch.leaves[0])
            no_order = (0, 0, 0, bytes(32), 0, 0, 0, 0, 0)
            function, arguments = "prove_duplicate", (self.item(first, place), item, no_order, 0)
        ask = lambda: self.bench.model.courts.punish(batch, world.stranger.address)  # noqa: E731
        assert self.bench.both(world.stranger, ask, "disputes", function, *arguments)

    # -- against workers

    def leaves(self, *outcomes: Outcome) -> list[tuple[Batch, int, BatchLeaf]]:
        """Leaves of honest batches that have not fallen, with these outcomes."""
        batches = [b for b in self.bench.model.work.batches.values() if b.is_honest and b.status != 3]
        return [(b, at, leaf) for b in batches for at, leaf in enumerate(b.leaves) if leaf.outcome in outcomes]

    def freeze(self, batch: Batch, index: int) -> bool:
        """Opens a case."""
        ask = lambda: self.bench.model.courts.freeze(batch, batch.leaves[index])  # noqa: E731
        return self._panels(ask, "freeze", *self.item(batch, index).values())

    def late(self, batch: Batch, index: int) -> bool:
        """The small slash."""
        ask = lambda: self.bench.model.courts.penalise_late(batch, batch.leaves[index])  # noqa: E731
        leaf = batch.leaves[index]
        attempt = self.bench.world.mirror.tasks[leaf.task].attempts[leaf.attempt]
        shown = (*self.item(batch, index).values(), attempt.draw, attempt.acceptance)
        return self._panels(ask, "penalise_late", *shown)

    def redone(self, case: Case, batch: Batch, index: int) -> bool:
        """Shows how the task went in other hands: charged where it was accepted, else cleared."""
        courts, other = self.bench.model.courts, (batch, batch.leaves[index])
        if other[1].outcome is not Outcome.ACCEPTED:
            ask = lambda: courts.clear_redone(case, other)  # noqa: E731
            return self._panels(ask, "clear_redone", case.id, self.item(batch, index))
        rejected = self.item(case.batch, case.batch.leaves.index(case.leaf))
        ask = lambda: courts.charge((case.batch, case.leaf), other)  # noqa: E731
        return self._panels(ask, "charge", rejected, self.item(batch, index))

    def go_on(self, case: Case) -> None:
        """A frozen case, as soon as another's attempt at its task is final."""
        node = self.bench.model.stakes.nodes
        for batch, index, leaf in self.leaves(Outcome.ACCEPTED, Outcome.REJECTED, Outcome.CLIENT_FAULT):
            other = leaf.attempt > case.leaf.attempt and node[leaf.node].owner != node[case.leaf.node].owner
            if leaf.task == case.leaf.task and other and case.status == CaseStatus.FROZEN:
                self.redone(case, batch, index)

    def clear(self, case: Case) -> bool:
        """A case that can't go on."""
        return self._panels(lambda: self.bench.model.courts.clear(case), "clear", case.id)

    def execute(self, case: Case) -> bool:
        """A case that nobody appealed."""
        return self._panels(lambda: self.bench.model.courts.execute(case), "execute", case.id)

    def note(self, case: Case) -> bool:
        """When the result of a case was delivered."""
        world, leaf = self.bench.world, case.leaf
        sealed_at = world.read("batches", "sealed_at", case.batch.manager, leaf.anchor)
        item = self.item(case.batch, case.batch.leaves.index(leaf))
        return self.bench.both(
            world.stranger, lambda: self.bench.model.courts.note(case, sealed_at), "strikes", "note", item
        )

    def strike_out(self, case: Case) -> bool:
        """The last three cases of a case's worker, or this one thrice."""
        found = [other for other in self.cases(CaseStatus.SLASHED) if other.leaf.node == case.leaf.node][-3:]
        shown = found if len(found) == 3 else [case] * 3
        model = self.bench.model

        def ask() -> None:
            model.courts.strike_out(shown)
            model.licences.set_status(model.stakes.nodes[case.leaf.node], BANNED)

        ids = [item.id for item in shown]
        return self.bench.both(self.bench.world.stranger, ask, "strikes", "strike_out", ids)

    def resolve(self, case: Case) -> bool:
        """The end of an appeal."""
        return self._panels(lambda: self.bench.model.courts.resolve(case), "resolve", case.id)

    def appeal(self, case: Case, who: Any) -> bool:
        """The accused's owner asks for a panel."""
        ask = lambda: self.bench.model.courts.appeal(who.address, case)  # noqa: E731
        return self._panels(ask, "appeal", case.id, who=who)

    def decide(self, case: Case, upheld: bool) -> bool:
        """The governor's word."""
        ask = lambda: self.bench.model.courts.decide(case, upheld)  # noqa: E731
        return self._panels(ask, "decide", case.id, upheld, who=self.bench.world.governor)

    def seat(self, case: Case) -> None:
        """Seals and seats the panel of an appeal."""
        world = self.bench.world
        for _ in range(2):
            if world.read("panels", "panel", case.id)["seed"] == bytes(32):
                world.wait(60)
                assert world.send(world.stranger, "panels", "seal", case.id).done
        panel = world.read("panels", "panel", case.id)
        final = next(item for item in world.mirror.rosters[RosterKind.VERIFIERS] if item.root == panel["root"])
        assert final.roster is not None
        while not panel["seated_at"]:
            wanted = world.mirror.parameters["panel"] - panel["seats"]
            members = next_members(final.roster, panel["seed"], case.id, panel["drawn"], wanted)
            proofs = [flat(final.roster.tree.proof(leaf.node)) for leaf in members]
            terms = [leaf.model_dump() for leaf in members]
            assert world.send(world.stranger, "panels", "seat", case.id, terms, proofs).done
            panel = world.read("panels", "panel", case.id)
        case.seated_at, case.seats = panel["seated_at"], self._expected_seats(case, final.roster, panel)

    def _expected_seats(self, case: Case, roster: Any, panel: Any) -> list[int]:
        """Who must sit: the first fitting ones that the draws hit."""
        model, world = self.bench.model, self.bench.world
        parties = {model.stakes.nodes[id].owner for id in (case.leaf.node, case.redone_by)}
        parties.add(model.credit.accounts[case.leaf.account].owner)
        found = dict.fromkeys(drawn.leaf.node for drawn in draws(roster, panel["seed"], case.id, Draw.PANEL, 0))
        voters = [int.from_bytes(case.leaf.voters[at : at + 4], "big") for at in range(0, 32, 4)]
        nodes = [model.stakes.nodes[id] for id in found if id not in voters]
        fit = [node.id for node in nodes if node.status == ACTIVE and node.owner not in parties]
        return fit[: world.mirror.parameters["panel"]]

    def vote(self, case: Case, node: int, upheld: bool) -> None:
        """A seat's signed vote, in time."""
        world = self.bench.world
        over = self.bench.sync().ground.clock.protocol > case.seated_at + world.mirror.parameters["panel_window"]
        signature = PanelVote(dispute=case.id, node=node, upheld=upheld, measured=bytes(32)).sign(
            world.domain, bytes(world.nodes[node].operator.key)
        )
        allowed = node in case.seats and node not in case.votes and not over
        done = world.send(world.stranger, "panels", "vote", case.id, node, upheld, bytes(32), signature).done
        assert done is allowed
        if done:
            case.votes[node] = upheld

    def cases(self, *statuses: CaseStatus) -> list[Case]:
        """Cases that stand so."""
        return [case for case in self.bench.model.courts.cases.values() if case.status in statuses]

    def _panels(self, ask: Any, function: str, *arguments: Any, who: Any = None) -> bool:
        return self.bench.both(who or self.bench.world.stranger, ask, "panels", function, *arguments)
