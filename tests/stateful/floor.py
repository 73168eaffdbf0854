# SPDX-License-Identifier: Apache-2.0
"""What happens between an order and a batch: anchors, draws, acceptances, receipts and signed votes, all real."""

from enum import Enum
from functools import partial
from typing import Any

from eth_utils import keccak

from inferix.canaries import commitment_of
from inferix.messages import Acceptance, CanaryOpening, Message, Order, Receipt, Vote
from inferix.models.anchor import AnchorData, SignedMessage
from inferix.models.job import JobSpec, LeaseSpec, QuoteRequest, RenderSettings
from inferix.models.roles import Outcome
from inferix.replay.attempts import GRACE, misfit_worker, open_draws, seats
from inferix.replay.jobs import quote_of, quoter
from inferix.replay.settlement import votes_needed
from inferix.replay.state import Attempt, AttemptStatus, TaskState
from inferix.trees import anchor_root
from tests.stateful.world import World

SLOT = 24
ATTEMPT = 600  # seconds to deliver in
DRAWS = 64  # that a worker is waited for


RECEIPT = 2  # of Orders.post_message


class Posted(Enum):
    """What becomes of a receipt on chain."""

    NOT = "it is not there"
    LATE = "anchored after the deadline"
    NEVER = "never anchored"


class Canary(Enum):
    """What a receipt commits to, and whether that is opened."""

    NOT = "nothing"
    WORK = "it was none"
    BAD = "it was one"
    KEPT = "it was none, and nobody opens it"


class Floor:
    """Moves attempts on through the managers' anchors."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._quoters: dict[str, Any] = {}  # keys that quotes were signed with

    def spec(self, manager: int, frames: int, work: int) -> JobSpec:
        """A job of this many frames of this work [nano-IBM], and one assemble task of a tenth."""
        request = QuoteRequest(
            manager=manager,
            input="b" * 50,
            input_bytes=1000,
            key=bytes(32),
            engine="blender",
            settings=RenderSettings(first_frame=1, last_frame=frames, width=64, height=64, samples=4),
        )
        spec = JobSpec(
            request=request,
            work=work,
            assemble_work=-(-work // 10),
            frames_per_task=1,
            attempt_seconds=ATTEMPT,
            quote_signature="0x" + "00" * 65,
            quote_expires=self.world.now + 600,
            low_price=8_000_000,
            high_price=32_000_000,
        )
        operator = self.world.nodes[manager].operator
        self._quoters[operator.address] = operator
        signed = quote_of(spec).sign(self.world.domain, bytes(operator.key))
        return spec.model_copy(update={"quote_signature": "0x" + signed.hex()})

    def post_order(self, poster: Any, order: Order, signer: Any) -> bool:
        """Whether the contract took the record; whether it counts is the mirror's to say."""
        record = order.record(order.sign(self.world.domain, bytes(signer.key)))
        self.world.wait(1)
        return self.world.send(poster, "orders", "post", record).done

    def anchor(self, manager: int, *messages: tuple[Message, bytes]) -> bool:
        """One anchor over these messages, sealed; whether the contract took it."""
        world = self.world
        self.seal(manager)
        signed = [SignedMessage(kind=m.kind, body=m.body(), signature=s) for m, s in messages]  # type: ignore[arg-type]
        root = anchor_root([message.digest(world.domain) for message, _ in messages])
        data = world.store(AnchorData(manager=manager, messages=signed))
        world.wait(SLOT)
        operator = world.nodes[manager].operator
        done = world.send(operator, "batches", "anchor", manager, root, data).done
        self.seal(manager)
        return done

    def seal(self, manager: int) -> None:
        """Anybody seals what waits in a lane, twice where the block hash was out of reach."""
        for _ in range(2):
            lane = self.world.read("batches", "lane", manager)
            if lane["anchors"] == lane["sealed"]:
                return
            self.world.wait(SLOT)
            assert self.world.send(self.world.stranger, "batches", "seal", manager).done

    def deliver(
        self,
        state: TaskState,
        outcome: Outcome,
        stop: int = 9,
        posted: Posted = Posted.NOT,
        canary: Canary = Canary.NOT,
    ) -> None:
        """Moves an attempt on towards this outcome; at most ``stop`` steps, no further than its manager can go.
        ``posted``: what its manager does with a receipt that its worker put on chain; ``canary``: what else it says."""
        receive = partial(self._receive, canary) if posted is Posted.NOT else partial(self._post, posted)
        for step in (self._draw, self._accept, receive, partial(self._vote, canary)):
            attempt = state.current
            if attempt is None or attempt.status is AttemptStatus.ENDED or stop == 0:
                return
            step(state, attempt, outcome)
            stop -= 1

    def _draw(self, state: TaskState, attempt: Attempt, outcome: Outcome) -> None:
        if attempt.status is AttemptStatus.WAITING:
            self.anchor(attempt.lane)

    def _accept(self, state: TaskState, attempt: Attempt, outcome: Outcome) -> None:
        if attempt.status is not AttemptStatus.DRAWING:
            return
        world = self.world
        job = world.mirror.jobs[state.task.job]
        world.wait(world.mirror.parameters["accept_window"] * DRAWS)
        for drawn in open_draws(world.mirror, state, attempt, world.now):
            if not misfit_worker(world.mirror, job, state, drawn.leaf):
                message = Acceptance(task=state.task.id, attempt=attempt.number, node=drawn.leaf.node, draw=drawn.index)
                self.anchor(attempt.lane, self._sign(message, drawn.leaf.node))
                return

    def _receive(self, canary: Canary, state: TaskState, attempt: Attempt, outcome: Outcome) -> None:
        if attempt.status not in (AttemptStatus.ACCEPTED, AttemptStatus.LEASED):
            return
        if outcome is Outcome.LATE:
            self.world.wait(ATTEMPT + 1)
            return
        is_work = attempt.status is AttemptStatus.ACCEPTED
        self.anchor(attempt.lane, self._receipt(state, attempt, canary if is_work else Canary.NOT))

    def _post(self, posted: Posted, state: TaskState, attempt: Attempt, outcome: Outcome) -> None:
        if attempt.status is not AttemptStatus.ACCEPTED:
            self._receive(Canary.NOT, state, attempt, outcome)  # of a lease nobody is late
            return
        world, (message, signature) = self.world, self._receipt(state, attempt)
        assert world.send(world.stranger, "orders", "post_message", RECEIPT, message.body(), signature).done
        world.wait(attempt.deadline + 1 - world.now)
        if posted is Posted.LATE:
            self.anchor(attempt.lane, (message, signature))
        else:
            world.wait(GRACE)
            assert attempt.outcome is Outcome.VOID

    def _receipt(self, state: TaskState, attempt: Attempt, canary: Canary = Canary.NOT) -> tuple[Message, bytes]:
        result, opening = bytes([attempt.number]) * 32, self._opening(state, attempt, is_canary=canary is Canary.BAD)
        said = bytes(32) if canary is Canary.NOT else commitment_of(opening, attempt.node)
        message = Receipt(task=state.task.id, attempt=attempt.number, node=attempt.node, result=result, canary=said)
        return self._sign(message, attempt.node)

    def _opening(self, state: TaskState, attempt: Attempt, *, is_canary: bool) -> CanaryOpening:
        manager, salt = self.world.mirror.jobs[state.task.job].order.manager, keccak(state.task.id)
        place = {"task": state.task.id, "attempt": attempt.number, "node": manager}
        return CanaryOpening(**place, is_canary=is_canary, salt=salt)

    def _open(self, state: TaskState, attempt: Attempt) -> None:
        """What its receipt commits to, signed with the key of the job's quote, whosever lane it is now."""
        both = (self._opening(state, attempt, is_canary=is_canary) for is_canary in (False, True))
        opening = next(each for each in both if commitment_of(each, attempt.node) == attempt.canary)
        spec = self.world.mirror.jobs[state.task.job].spec
        assert spec is not None and not isinstance(spec, LeaseSpec)
        key = self._quoters[quoter(self.world.domain, spec)]
        self.anchor(attempt.lane, (opening, opening.sign(self.world.domain, bytes(key.key))))

    def _vote(self, canary: Canary, state: TaskState, attempt: Attempt, outcome: Outcome) -> None:
        world = self.world
        if attempt.status is not AttemptStatus.RECEIVED:
            return
        if outcome is Outcome.VOID:
            world.wait(2 * world.mirror.parameters["vote_window"] + 1)
            return
        drawn = [seat.leaf.node for seat in seats(world.mirror, state, attempt) if seat.from_time <= world.now]
        voters = drawn[: votes_needed(world.mirror, state)]
        self.anchor(attempt.lane, *(self._sign(self._ballot(state, attempt, node, outcome), node) for node in voters))
        if attempt.canary == bytes(32):
            return
        if canary is Canary.KEPT:
            world.wait(2 * world.mirror.parameters["vote_window"] + 1)
        else:
            self._open(state, attempt)

    def _ballot(self, state: TaskState, attempt: Attempt, node: int, outcome: Outcome) -> Vote:
        return Vote(
            task=state.task.id,
            attempt=attempt.number,
            node=node,
            result=attempt.result,
            outcome=int(outcome),
            measured=bytes(32),
        )

    def _sign(self, message: Message, node: int) -> tuple[Message, bytes]:
        return message, message.sign(self.world.domain, bytes(self.world.nodes[node].operator.key))
