# SPDX-License-Identifier: Apache-2.0
"""A worker's decisions: which offers it takes, and when it puts its name under a result.

An offer is taken only when the job is for this engine, fits this machine and its time, and its input is here and
decrypted; otherwise the node stays silent and the next draw has its turn. The price needs no look: a worker is drawn,
and paid, at its own. One task at a time: a busy worker is silent.

With a task may come its manager's wish for a bad result, a canary's: the node renders with another seed. Who
does not, or whose receipt does not commit to it, is not anchored.

A package that decrypts but that the engine refuses is the client's fault. The worker then delivers a Result without
frames, which says just that; the committee opens the package, too, and votes client_fault, or rejected if it loads.
"""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from inferix.canaries import commitment_of
from inferix.errors import Conflict, LimitExceeded, Refused
from inferix.messages import Acceptance, Benchmark, Receipt
from inferix.models.result import Result
from inferix.models.roles import TaskKind
from inferix.models.work import BenchmarkDuty, Offer, Run, Work
from inferix.units import MicroIb, Seconds, work_of
from node.assignment import Assignment, check_engine, fetch_input, open_assignment
from node.engines import BadPackage, EngineStopped, Machine
from node.journal import Entry
from node.parts import Parts, key_of
from node.rendering import assemble_task, benchmark, benchmark_job, check_machine, render_task
from node.vault import FREE_BYTES

log = logging.getLogger(__name__)

SLOTS_LOST: Final = 3  # between the acceptance's anchor and the start, and between the end and the receipt's anchor


class Unfit(LimitExceeded):
    """The task needs more time or disk than this machine has."""


class Abandoned(Conflict):
    """The task is no longer this node's, or its deadline is past."""


class Worker:
    """Handles offer, run and benchmark. ``speed``: this node's attested speed in micro-IB, 0 if it is not measured."""

    def __init__(self, parts: Parts, home: Path, speed: Callable[[], int]) -> None:
        self._parts = parts
        self._home = home
        self._speed = speed
        self._machine: Machine | None = None
        self._pending: dict[tuple[bytes, int], int] = {}

    def wants(self, item: Work, busy: bool) -> bool:
        """Whether there is something to do for an item now; ``busy``: this node works already."""
        match item:
            case Offer():
                return self._wants_offer(item, busy)
            case Run():
                return self._wants_run(item)
            case BenchmarkDuty():
                return self._unsigned(self._parts.signer.signed(Benchmark, item.challenge))
        return False

    def do(self, item: Work) -> None:
        """The long part of an item."""
        match item:
            case Offer():
                self._accept(item)
            case Run():
                self._run(item)
            case BenchmarkDuty():
                self._benchmark(item)

    def _wants_offer(self, item: Offer, busy: bool) -> bool:
        entry = self._parts.signer.accepted(item.task.id, item.attempt, item.draw)
        now = self._parts.clock.now()
        self._pending = {key: until for key, until in self._pending.items() if until > now}
        if entry is not None:
            self._unsigned(entry)
            return False
        return not busy and not self._pending and now < item.deadline

    def _wants_run(self, item: Run) -> bool:
        self._pending.pop((item.task.id, item.attempt), None)
        if not self._unsigned(self._parts.signer.about(Receipt, item.task.id, item.attempt)):
            return False
        return self._parts.clock.now() < item.deadline

    def _unsigned(self, entry: Entry | None) -> bool:
        """True when nothing was signed; else sees to it that a lost message goes out again."""
        if entry is None:
            return True
        self._parts.signer.send_again(entry, self._parts.resend_after())
        return False

    def _accept(self, item: Offer) -> None:
        parts = self._parts
        assignment = open_assignment(item, parts.identity, parts.vault)
        check_engine(assignment, parts.engine)
        self._check_fits(assignment)
        fetch_input(assignment, parts.vault, parts.sessions)
        self._check_machine(assignment)
        if not parts.listing.has(key_of(item)):
            raise Abandoned("another worker was quicker: the input was fetched in vain")
        node = parts.identity.node
        parts.signer.sign(Acceptance(task=item.task.id, attempt=item.attempt, node=node, draw=item.draw))
        slot = parts.parameters["slot"]
        self._pending[item.task.id, item.attempt] = parts.clock.now() + 4 * slot + 10
        log.info("%s: input is here, accepting draw %d", assignment.label, item.draw)

    def _check_machine(self, assignment: Assignment) -> None:
        """The first time in this process the package is opened for it, which takes seconds."""
        if not assignment.item.machine:
            return
        if self._machine is None:
            sessions = self._parts.sessions
            try:
                self._machine = sessions.session(assignment.task.job, assignment.engine_choice()).machine()
            except BadPackage:
                return  # which is the client's fault: a result says so, by whatever machine
        check_machine(assignment, self._machine)

    def _check_fits(self, assignment: Assignment) -> None:
        given = assignment.spec.seconds_for(assignment.task.kind)
        # The clock runs from the acceptance's anchor to the receipt's: both are seen, and anchored, slots later.
        seconds = given - SLOTS_LOST * self._parts.parameters["slot"]
        speed = MicroIb(self._speed())
        if seconds <= 0 or (speed and work_of(speed, Seconds(seconds)) < assignment.task.work):
            raise Unfit(f"{assignment.label} is more work than this node does in the {given} s that it is given")
        needed = 3 * assignment.spec.request.input_bytes + FREE_BYTES
        free = shutil.disk_usage(self._home).free
        if free < needed:
            raise Unfit(f"{assignment.label} needs {needed:,} bytes of disk, {free:,} are free: free some")

    def _run(self, item: Run) -> None:
        parts = self._parts
        if not parts.signer.has_accepted(item.task.id, item.attempt):
            raise Refused(f"the network asks for {key_of(item)}, which this node has not accepted: not doing it")
        assignment = open_assignment(item, parts.identity, parts.vault)
        check_engine(assignment, parts.engine)
        parts.progress.begin(assignment)
        if assignment.is_canary:
            log.info("%s: a canary: its manager asks for a bad result, which nobody is paid for", assignment.label)

        def check() -> None:
            if not parts.listing.has(key_of(item)) or parts.clock.now() >= item.deadline:
                raise Abandoned(f"{assignment.label} is no longer this node's, or too late: stopping")

        try:
            result, afterwards = self._produce(assignment, check)
            check()
            parts.signer.sign_receipt(self._receipt(assignment, result), result, assignment.opening)
            log.info("%s: done, receipt signed", assignment.label)
            parts.journal.drop_frames(item.task.id, item.attempt)
            afterwards()
        except EngineStopped:
            parts.sessions.drop(item.task.job)
            raise

    def _receipt(self, assignment: Assignment, result: Result) -> Receipt:
        node = self._parts.identity.node
        canary = commitment_of(assignment.opening[0], node) if assignment.opening else bytes(32)
        task, attempt = assignment.task.id, assignment.attempt
        return Receipt(task=task, attempt=attempt, node=node, result=result.digest(), canary=canary)

    def _produce(self, assignment: Assignment, check: Callable[[], None]) -> tuple[Result, Callable[[], None]]:
        if assignment.task.kind is TaskKind.RENDER:
            return render_task(assignment, self._parts, check)
        return assemble_task(assignment, self._parts), lambda: None

    def _benchmark(self, item: BenchmarkDuty) -> None:
        parts = self._parts
        try:
            result = benchmark(item, parts)
        except EngineStopped:
            parts.sessions.drop(benchmark_job(item.scene))
            raise
        message = Benchmark(challenge=item.challenge, node=parts.identity.node, result=result.digest())
        parts.signer.sign(message, result)
