# SPDX-License-Identifier: Apache-2.0
"""A verifier's decisions: what it votes, and when it gives up.

A vote says what was found, and is committed to before anybody shows one. ``unserved``: data or key could not be had in
half of the time that was left when the work was first seen. ``void``: this node's own engine, reader or disk failed it,
or the job is for another engine. Both are contrary to acceptance, and blame nobody.
"""

import logging

from inferix.errors import InferixError, NotFound, Unavailable
from inferix.messages import PanelVote, Vote, VoteCommitment
from inferix.models.result import Measurement
from inferix.models.roles import Outcome
from inferix.models.work import ObjectionDuty, PanelDuty, Verify, Work
from inferix.sealing import SealError
from node.assignment import WrongEngine, check_engine, open_assignment
from node.checks import Checker, Finding
from node.engines import EngineStopped
from node.executor import Later
from node.judge import UNDECIDED, Judge
from node.parts import Parts, key_of
from node.replay import OwnReplay
from node.vault import BadFile

log = logging.getLogger(__name__)

ABSTAINS = (
    "this verifier has no endpoint of the chain of its own and abstains: it judges by nobody's word. Silence on a "
    "panel costs 5 % of its bond: start it with --rpc"
)
GAVE_UP = "the panel's time is over: this verifier abstains, what it waited for did not come"


class Verifier:
    """Handles verify, panel and objection; the loop reveals votes.

    ``replay``: what objections are judged by; without one the node abstains.
    """

    def __init__(self, parts: Parts, checker: Checker, replay: OwnReplay | None = None) -> None:
        self._parts = parts
        self._checker = checker
        self._judge = Judge(parts.identity.node, replay, self._find) if replay is not None else None
        self._abstained: set[bytes] = set()
        self._waits: dict[bytes, str] = {}  # why there is no verdict yet, by objection
        self._patience: dict[str, int] = {}

    def wants(self, item: Work, busy: bool) -> bool:
        """Whether there is something to do for an item now; a verifier does not choose: busy or not."""
        match item:
            case Verify():
                entry = self._parts.signer.about(VoteCommitment, item.task.id, item.attempt)
            case PanelDuty():
                entry = self._parts.signer.signed(PanelVote, item.case)
            case ObjectionDuty():
                entry = self._parts.signer.signed(PanelVote, item.objection)
                if entry is None and self._judge is None:
                    self._abstain(item, ABSTAINS)
                    return False
                if entry is None and self._parts.clock.now() >= item.deadline and item.objection in self._waits:
                    self._abstain(item, f"{GAVE_UP}: {self._waits[item.objection]}")
            case _:
                return False
        if entry is not None:
            self._parts.signer.send_again(entry, self._parts.resend_after())
        return entry is None and self._parts.clock.now() < item.deadline

    def do(self, item: Work) -> None:
        """Check an attempt, or judge an objection, and sign what was found."""
        if isinstance(item, ObjectionDuty):
            self._vote_on_objection(item)
            return
        assert isinstance(item, Verify | PanelDuty)
        finding, measurement = self._find(item)
        if self._parts.clock.now() >= item.deadline or not self._parts.listing.has(key_of(item)):
            log.warning("task %s/%d: checked too late, not voting", item.task.id.hex()[:8], item.attempt)
            return
        if isinstance(item, Verify):
            self._vote(item, finding, measurement)
        elif finding.outcome not in UNDECIDED:
            self._vote_in_panel(item, finding, measurement)
        else:
            raise Later(f"no verdict in the panel yet: {finding.reason}")

    def _abstain(self, item: ObjectionDuty, why: str) -> None:
        if item.objection not in self._abstained:
            self._abstained.add(item.objection)
            log.warning("objection %s: %s", item.objection.hex()[:8], why)

    def _vote_on_objection(self, item: ObjectionDuty) -> None:
        assert self._judge is not None
        try:
            found = self._judge.judge(item)
        except Later as error:
            self._waits[item.objection] = str(error)
            raise
        self._waits.pop(item.objection, None)
        if self._parts.clock.now() >= item.deadline or not self._parts.listing.has(key_of(item)):
            log.warning("objection %s: judged too late, not voting", item.objection.hex()[:8])
            return
        node = self._parts.identity.node
        measured = found.document.digest()
        vote = PanelVote(dispute=item.objection, node=node, upheld=found.upheld, measured=measured)
        self._parts.signer.sign(vote, found.document)
        log.info("objection %s: %s, %s", item.objection.hex()[:8], "upheld" if found.upheld else "rejected", found.says)

    def _find(self, item: Verify | PanelDuty) -> tuple[Finding, Measurement]:
        """The finding, or what giving up means; raises Later while there is time to try again."""
        parts = self._parts
        started = parts.clock.now()
        give_up = self._patience.setdefault(key_of(item), started + max(0, item.deadline - started) // 2)
        try:
            assignment = open_assignment(item, parts.identity, parts.vault)
            check_engine(assignment, parts.engine)
            parts.progress.begin(assignment)
            finding = self._checker.check(assignment)
        except WrongEngine as error:
            finding = Finding(Outcome.VOID, str(error))
        except EngineStopped as error:
            parts.sessions.drop(item.task.job)
            finding = self._given_up(Outcome.VOID, f"this node's engine failed: {error}", give_up)
        except (NotFound, Unavailable, SealError, BadFile) as error:
            finding = self._given_up(Outcome.UNSERVED, str(error), give_up)
        except (InferixError, OSError) as error:
            finding = self._given_up(Outcome.VOID, f"this node could not check it: {error}", give_up)
        return finding, self._checker.measurement(item, finding)

    def _given_up(self, outcome: Outcome, reason: str, give_up: int) -> Finding:
        if self._parts.clock.now() < give_up:
            raise Later(reason)
        return Finding(outcome, reason)

    def _vote(self, item: Verify, finding: Finding, measurement: Measurement) -> None:
        vote = Vote(
            task=item.task.id,
            attempt=item.attempt,
            node=self._parts.identity.node,
            result=item.result,
            outcome=finding.outcome,
            measured=measurement.digest(),
        )
        self._parts.signer.commit_vote(vote, measurement)
        log.info(
            "task %s/%d: %s, %s; committed",
            item.task.id.hex()[:8],
            item.attempt,
            finding.outcome.name.lower(),
            finding.reason,
        )

    def _vote_in_panel(self, item: PanelDuty, finding: Finding, measurement: Measurement) -> None:
        upheld = finding.outcome == item.outcome
        node = self._parts.identity.node
        vote = PanelVote(dispute=item.case, node=node, upheld=upheld, measured=measurement.digest())
        self._parts.signer.sign(vote, measurement)
        log.info("case %s: %s, %s", item.case.hex()[:8], "upheld" if upheld else "reversed", finding.reason)
