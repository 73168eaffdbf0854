# SPDX-License-Identifier: Apache-2.0
"""What is sent about a case, an objection and a contradiction: by who brings it, by who judges it, and to end it.

Each twice, and the second time counts: who is paid has been paid before. The roster has a thousand rows, panels have the
seats of the defaults. A juror's vote is a transaction of its own, whoever sends it.
"""

from collections.abc import Callable
from typing import Any

from inferix.messages import unpack_voters
from inferix.models.roles import Outcome
from tests.contracts.disputes.contradicting import Doubted, accused, settled, signed
from tests.contracts.disputes.court import Court
from tests.contracts.disputes.leasing import final as final_leases
from tests.contracts.disputes.leasing import leased
from tests.contracts.disputes.objecting import REASON, Heard
from tests.contracts.disputes.shown import accounted
from tests.contracts.disputes.test_panels import Trial
from tests.contracts.disputes.test_strikes import Record
from tests.contracts.system import VERIFIER, Node, advance
from tests.gas.meter import transaction_gas

LEAVES = 100
ROWS = 1_000
FEW, SEATS = 3, 15  # of a panel; the first time they are few to be done with it
AT_ONCE = 16  # nodes that one call shows
TIMES = ("first", "second")


class Chamber:
    """A court whose panels are drawn from a roster of a thousand rows; `figures` maps a transaction to its gas."""

    def __init__(self, figures: dict[str, int]) -> None:
        self.figures = figures
        self.court = court = Court()
        court.populate()
        court.verifiers += [court.bonded(VERIFIER, times=2) for _ in range(16)]
        court.nodes |= {node.id: node for node in court.verifiers}
        weights = dict.fromkeys(range(1, ROWS), 0) | {node.id: 100 + node.id for node in court.verifiers}
        court.roster = court.post_roster(weights)
        court.anchor_index = court.seal_anchor(court.keeper)

    def measure(self, name: str, call: Any, *args: Any, sender: Any = None) -> None:
        """Record one transaction."""
        self.figures[name] = transaction_gas(call, *args, sender=sender or self.court.challenger)

    def hear(
        self, name: str, contract: Any, id: bytes, met: Callable[[], list[Node]], fits: Callable[[Node], bool]
    ) -> None:
        """A panel of one mind, from its seal to its end: it upholds what it was asked."""
        advance(60)
        self.measure(f"seal a panel, {name}", contract.seal, id)
        shown: list[Node] = []
        seats: list[Node] = []
        for node in met():
            shown.append(node)
            if fits(node):
                seats.append(node)
            if len(seats) == self.court.window("panel"):
                break
        for at in range(0, len(shown), AT_ONCE):
            members = self.court.members(shown[at : at + AT_ONCE])
            arguments = (id, [leaf for leaf, _ in members], [proof for _, proof in members])
            if at == 0:
                self.measure(f"seat the first sixteen, {name}", contract.seat, *arguments)
            else:
                contract.seat(*arguments)
        for seat in seats:
            vote = self.court.panel_vote(seat, id, True)
            self.measure(f"vote of a juror, {name}", contract.vote, id, *vote, sender=seat.operator)


class Cases(Chamber):
    """A worker's rejected results: slashed, appealed, struck out; a late one."""

    def run(self) -> None:
        """Three slashes of one worker, and two appeals of another."""
        self._strike_out()
        for seats in (FEW, SEATS):
            self.court.set_parameter("panel", seats)
            self._appeal(Record(self.court, at=1))
        for time in TIMES:
            self._late(time)

    def _try(self, record: Record) -> Trial:
        court, panels = self.court, self.court.panels
        batch = court.batch(list(record.deliver()))
        rejected = next(at for at, leaf in enumerate(batch.leaves) if leaf.outcome == Outcome.REJECTED)
        trial = Trial(court, batch, rejected, 1 - rejected)
        record.trials.append(trial)
        self.measure("freeze for a rejected leaf", panels.freeze, *batch.item(rejected))
        court.make_final(batch)
        self.measure("charge a case", panels.charge, batch.item(rejected), batch.item(1 - rejected))
        return trial

    def _strike_out(self) -> None:
        record = Record(self.court)
        for _ in range(3):
            trial = self._try(record)
            self.measure("note a delivery", self.court.strikes.note, trial.batch.item(trial.rejected))
            advance(self.court.window("appeal_window") + 1)
            self.measure("execute a case", self.court.panels.execute, trial.id)
        self.measure("strike a worker out", self.court.strikes.strike_out, record.ids)

    def _appeal(self, record: Record) -> None:
        court, trial = self.court, self._try(record)
        self.measure("appeal", court.panels.appeal, trial.id, sender=record.worker.owner)
        self.hear(
            "case",
            court.panels,
            trial.id,
            lambda: court.met(trial.id),
            lambda node: court.fits_panel(trial.id, node),
        )
        self.measure("resolve an appeal", court.panels.resolve, trial.id)

    def _late(self, time: str) -> None:
        court, worker = self.court, self.court.workers[2]
        leaf = court.ballot(f"late {time}", outcome=Outcome.LATE, voters=[], worker=worker).leaf
        batch = court.make_final(court.batch([leaf]))
        self.measure(
            "penalise a late attempt", court.panels.penalise_late, *batch.item(0), *court.acceptance(leaf, worker)
        )


class Hearings(Chamber):
    """Objections to an outcome and to accounts, contradictions of a vote, all upheld, the bond in IFX; a lease that is paid."""

    def run(self) -> None:
        """Twice each."""
        for time, seats in zip(TIMES, (FEW, SEATS), strict=True):
            self.court.set_parameter("panel", seats)
            self._outcome(time)
            self._accounts()
            self._contradiction(time)
            self._lease(time)

    def _bring(self, name: str, call: Any, *args: Any) -> bytes:
        self.measure(name, call, *args)
        return bytes(call.contract.get_logs()[-1].id)

    def _end(self, name: str, heard: Heard) -> None:
        self.hear(name, heard.contract, heard.id, heard.met, heard.fits)
        self.measure(f"resolve, {name}", heard.contract.resolve, heard.id)

    def _outcome(self, time: str) -> None:
        court, objections = self.court, self.court.objections
        objected = court.ballot(f"objected {time}").leaf
        others = [court.ballot(f"{time} {at}", outcome=Outcome.LATE, voters=[]).leaf for at in range(LEAVES - 1)]
        batch = court.batch([objected, *others])
        at = batch.leaves.index(objected)
        header, leaf, _, proof = batch.item(at)
        arguments = (header, leaf, proof, [at], False, 0, REASON)
        id = self._bring("object to an outcome", objections.object_outcomes, *arguments)
        parties = {court.client.address, court.challenger.address}
        parties |= {court.workers[0].owner.address, court.keeper.owner.address}
        self._end("objection to an outcome", Heard(court, id, parties, set(unpack_voters(objected.voters))))
        self.measure("void a leaf", objections.void, id, header, leaf, 0, proof, [at])
        advance(court.window("batch_window"))
        court.batches.finalize(header)

    def _accounts(self) -> None:
        court, ids = self.court, range(1, ROWS)
        shown, _ = accounted(court, nodes=ids, reserved=dict.fromkeys(ids, 10**10))
        id = self._bring("object to accounts", court.objections.object_leaf, *shown.root(), 3, 0, REASON)
        self._end("objection to accounts", Heard(court, id, {court.keeper.owner.address, court.challenger.address}))
        court.set_active(court.keeper)

    def _contradiction(self, time: str) -> None:
        court, batch = self.court, settled(self.court, f"contradicted {time}")
        verifier, leaf = accused(court, batch), batch.leaves[0]
        arguments = (*signed(court, batch, verifier), batch.item(0), 0, REASON)
        id = self._bring("contradict a vote", court.contradictions.contradict, *arguments)
        parties = {court.client.address, court.challenger.address}
        parties |= {court.workers[0].owner.address, verifier.owner.address}
        self._end("contradiction", Doubted(court, id, parties, set(unpack_voters(leaf.voters))))

    def _lease(self, time: str) -> None:
        court, ballot = self.court, leased(self.court, f"lease {time}")
        batch = final_leases(court, ballot)
        self.measure("pay a lease", court.leases.pay, batch.item(0), ballot.order, sender=court.workers[0].owner)
