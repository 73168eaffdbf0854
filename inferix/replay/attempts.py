# SPDX-License-Identifier: Apache-2.0
"""What anchored messages do to an attempt: rules 3, 4, 5 and 8 of docs/protocol.md, section 5."""

from collections import Counter
from collections.abc import Iterable, Iterator

from inferix.draws import Drawn, committee, draws
from inferix.errors import InferixError
from inferix.messages import Acceptance, Anchored, CanaryOpening, OfTask, Probe, Receipt, Vote
from inferix.models.anchor import RosterLeaf, SignedMessage
from inferix.models.roles import Draw, NodeStatus, Outcome, Role, RosterKind, TaskKind
from inferix.models.work import Named
from inferix.replay import anchors, canaries, jobs, probes
from inferix.replay.contradictions import seed_of
from inferix.replay.network import Network
from inferix.replay.settlement import votes_needed
from inferix.replay.state import Anchor, Attempt, AttemptStatus, Job, Node, Refused, Seat, TaskState

NO_TASK = "no such task"
NOT_OPEN = "this attempt is not open"
NOT_ITS = "another node, or none, has accepted this attempt"
PAST = "the attempt's deadline is past"
OPEN_JOBS = ("posted", "running")
GRACE = 600
"""Seconds after an attempt's deadline in which its lane may still anchor a receipt that was posted on chain in time."""


def take_messages(network: Network, manager: int, anchor: Anchor) -> None:
    """Applies the messages behind an anchor's root; a false or missing document changes nothing."""
    try:
        messages = [(item, message) for item, message, _ in anchors.read(network, manager, anchor)]
    except InferixError as error:
        anchor.problem = str(error)
        return
    anchor.messages = len(messages)
    voted: dict[bytes, None] = {}
    for item, message in messages:
        if isinstance(message, CanaryOpening):  # which waits for votes that decide
            _decide_all(network, voted, anchor)
        reason = take(network, manager, anchor, item, message)
        if isinstance(message, Vote) and not reason:
            voted[message.task] = None
        if reason:
            task = bytes(32) if isinstance(message, Probe) else message.task
            anchor.refused.append(Refused(item.kind, message.node, task, reason))
            network.refuse(f"anchor {manager}/{anchor.index}: {item.kind} of node {message.node}: {reason}")
    _decide_all(network, voted, anchor)
    receipts = network.lane(manager).receipts
    for _, message in messages:
        if isinstance(message, Receipt):
            receipts.setdefault((message.task, message.attempt, message.node), anchor.index)


def _decide_all(network: Network, voted: dict[bytes, None], anchor: Anchor) -> None:
    """Votes that come together decide together: none of them is over before another is heard."""
    for state in [network.tasks[task] for task in voted]:
        attempt = state.current
        if attempt is None or attempt.status is not AttemptStatus.RECEIVED:
            continue  # its job has ended with another task
        outcome = decide(network, state, attempt)
        if outcome is not None:
            canaries.decided(network, state, attempt, outcome, anchor)
    voted.clear()


def take(network: Network, manager: int, anchor: Anchor, item: SignedMessage, message: Anchored) -> str:
    """Applies one message at an anchor; says why not, or nothing."""
    if isinstance(message, Probe):
        return probes.take(network, item, message, anchor.timestamp)
    reason = why_not(network, manager, item, message, anchor.timestamp)
    if reason:
        return reason
    state = network.tasks[message.task]
    attempt = state.attempts[message.attempt]
    if isinstance(message, Acceptance):
        _accept(network, state, attempt, message, anchor)
        attempt.acceptance = item.signature
    elif isinstance(message, Receipt):
        is_lease = attempt.status is AttemptStatus.LEASED
        attempt.status = AttemptStatus.RECEIVED
        attempt.result, attempt.received_at = message.result, anchor.timestamp
        attempt.receipt_anchor, attempt.canary = anchor.index, message.canary
        if is_lease:  # there is nothing to vote on
            jobs.end_attempt(network, state, Outcome.LEASED, anchor.timestamp, anchor.index)
    elif isinstance(message, CanaryOpening):
        canaries.opened(network, manager, state, attempt, message, anchor)
    else:
        attempt.votes[message.node] = (message, item.signature)
        attempt.voted_at = anchor.timestamp
        attempt.silent.discard(message.node)  # late is not silent
    return ""


def why_not(network: Network, manager: int, item: SignedMessage, message: OfTask, time: int) -> str:
    """Why a message of an attempt would have no effect if it were anchored at ``time``; empty when it would."""
    state = network.tasks.get(message.task)
    if state is None:
        return NO_TASK
    if isinstance(message, CanaryOpening):
        return canaries.why_not(network, state, item, message, time)
    job = network.jobs[state.task.job]
    attempt = state.current
    if attempt is None or attempt.number != message.attempt or attempt.status is AttemptStatus.ENDED:
        return NOT_OPEN
    if attempt.lane != manager:
        return "the job runs in another manager's lane"
    reason = why_not_signed(network, item, message)
    if reason:
        return reason
    if isinstance(message, Acceptance):
        return _why_not_accept(network, job, state, attempt, message, time)
    if isinstance(message, Receipt):
        if attempt.status not in (AttemptStatus.ACCEPTED, AttemptStatus.LEASED) or attempt.node != message.node:
            return NOT_ITS
        if (message.task, message.attempt, message.node) in network.lane(manager).receipts:
            return "an earlier anchor of the lane has a receipt of it: that was the one to count"
        is_posted = attempt.posted is not None and attempt.posted[0] == message
        return "" if time <= attempt.deadline + GRACE * is_posted else PAST
    return _why_not_vote(network, job, state, attempt, message, time)


def why_not_signed(network: Network, item: SignedMessage, message: OfTask) -> str:
    """Why this is no message of the node that it names; empty when it is."""
    node = network.nodes.get(message.node)
    if node is None:
        return "no such node"
    try:
        is_signed = message.signer(network.domain, item.signature) == node.operator
    except InferixError as error:
        return str(error)
    return "" if is_signed else "not signed by the node's operator"


def _why_not_accept(
    network: Network, job: Job, state: TaskState, attempt: Attempt, message: Acceptance, time: int
) -> str:
    if job.status not in OPEN_JOBS:
        return f"the job is {job.status}"
    if attempt.status is not AttemptStatus.DRAWING:
        return "the attempt is not being drawn"
    for drawn in open_draws(network, state, attempt, time):
        if drawn.index == message.draw:
            if drawn.leaf.node != message.node:
                return "another node holds this draw"
            return misfit_worker(network, job, state, drawn.leaf)
    return "this draw is not open yet"


def _accept(network: Network, state: TaskState, attempt: Attempt, message: Acceptance, anchor: Anchor) -> None:
    job = network.jobs[state.task.job]
    assert job.spec is not None
    note_draws(network, state, attempt, message.node, anchor.timestamp)
    drawn = next(item for item in open_draws(network, state, attempt, anchor.timestamp) if item.index == message.draw)
    attempt.status = AttemptStatus.ACCEPTED
    attempt.node, attempt.draw, attempt.price = message.node, message.draw, drawn.leaf.price
    attempt.device_class = drawn.leaf.device_class
    attempt.accepted_at = anchor.timestamp
    attempt.deadline = anchor.timestamp + job.spec.seconds_for(state.task.kind)
    network.at(attempt.deadline, lambda: _late(network, state, attempt))


def _late(network: Network, state: TaskState, attempt: Attempt) -> None:
    if attempt.status is AttemptStatus.ACCEPTED and attempt.posted is None:
        jobs.end_attempt(network, state, Outcome.LATE, attempt.deadline, None)


# -- draws


def open_draws(network: Network, state: TaskState, attempt: Attempt, time: int) -> Iterator[Drawn]:
    """The draws of an attempt whose turn has come by ``time``, misfits among them."""
    if attempt.seed_anchor is None:
        return
    anchor = network.lane(attempt.lane).anchors[attempt.seed_anchor]
    roster = network.roster_at(RosterKind.WORKERS, anchor.sealed_at)
    if anchor.seed is None or roster is None or roster.roster is None:
        return
    for drawn in draws(roster.roster, anchor.seed, state.task.id, Draw.WORKER, attempt.number):
        if anchor.sealed_at + drawn.index * network.parameters["accept_window"] > time:
            return
        yield drawn


def note_draws(network: Network, state: TaskState, attempt: Attempt, node: int, time: int) -> None:
    """Before an acceptance counts: who was drawn for this attempt and let its turn pass, and who took it.

    A turn is only held against a node that fits the task, has no other in its hands, and had its whole time.
    """
    job = network.jobs[state.task.job]
    window = network.parameters["accept_window"]
    passed: set[int] = set()
    for drawn in open_draws(network, state, attempt, time - window):
        if drawn.leaf.node != node and not misfit_worker(network, job, state, drawn.leaf):
            passed.add(drawn.leaf.node)
    tally = network.drawn.setdefault(network.epoch_at(time), {})
    for other in passed - _busy(network):
        tally.setdefault(other, [0, 0])[0] += 1
    own = tally.setdefault(node, [0, 0])
    own[0] += 1
    own[1] += 1
    network.running.add(state.task.id)


def _busy(network: Network) -> set[int]:
    """Nodes with an accepted attempt that is not delivered; forgets those that are."""
    found = set()
    for task in list(network.running):
        attempt = network.tasks[task].current
        if attempt is None or attempt.status is not AttemptStatus.ACCEPTED or attempt.posted is not None:
            network.running.discard(task)
        else:
            found.add(attempt.node)
    return found


def misfit_worker(network: Network, job: Job, state: TaskState, leaf: RosterLeaf) -> str:
    """Why a drawn node may not take this task; empty when it may."""
    node = network.nodes[leaf.node]
    if node.role is not Role.WORKER:
        return "it is not a worker"
    if node.status is not NodeStatus.ACTIVE:
        return f"it is {node.status.name.lower()}"
    if leaf.price > job.order.price:
        return "its price is above the order's"
    if node.owner == job.client:
        return "its owner is the client"
    earlier = (other.node for other in state.attempts if other.node and not other.is_canary)
    if any(network.nodes[other].owner == node.owner for other in earlier):
        return "its owner had an earlier attempt"
    return ""


def misfit_verifier(network: Network, job: Job, worker: Node, leaf: RosterLeaf) -> str:
    """Why a drawn verifier may not vote on this attempt; empty when it may."""
    node = network.nodes[leaf.node]
    if node.role is not Role.VERIFIER:
        return "it is not a verifier"
    if node.status is not NodeStatus.ACTIVE:
        return f"it is {node.status.name.lower()}"
    if node.owner in (job.client, worker.owner):
        return "its owner is a party"
    return ""


# -- votes


def seats(network: Network, state: TaskState, attempt: Attempt) -> list[Seat]:
    """The committee of a received attempt and from when each may vote; empty until the seed is sealed, or of leases."""
    anchor = network.lane(attempt.lane).anchors.get(attempt.receipt_anchor)
    if attempt.node == 0 or state.task.kind is TaskKind.LEASE or anchor is None or anchor.seed is None:
        return []
    roster = network.roster_at(RosterKind.VERIFIERS, anchor.sealed_at)
    if roster is None or roster.roster is None:
        return []
    job, worker = network.jobs[state.task.job], network.nodes[attempt.node]
    size = 1 if state.task.kind is TaskKind.ASSEMBLE else network.parameters["committee"]
    drawn = committee(
        roster.roster,
        anchor.seed,
        state.task.id,
        Draw.VERIFIER,
        attempt.number,
        2 * size,
        lambda leaf: not misfit_verifier(network, job, worker, leaf),
    )
    window = network.parameters["vote_window"]
    return [Seat(leaf, anchor.sealed_at + window * (at // size)) for at, leaf in enumerate(drawn)]


def watch_votes(network: Network, state: TaskState, attempt: Attempt, anchor: Anchor) -> None:
    """Two draws of voters, then void: nobody pays for a check that did not come about. Of each, who is silent."""
    window = network.parameters["vote_window"]
    drawn = seats(network, state, attempt)
    attempt.first = frozenset(seat.leaf.node for seat in drawn if seat.from_time == anchor.sealed_at)
    for start in (anchor.sealed_at, anchor.sealed_at + window):
        seated = {seat.leaf.node for seat in drawn if seat.from_time == start}
        _note_silence_at(network, state, attempt, seated, start + window)
    give_up_at(network, state, attempt, anchor.sealed_at + 2 * window)


def _note_silence_at(network: Network, state: TaskState, attempt: Attempt, seated: set[int], last: int) -> None:
    """At the end of a window who of its seats has not voted, where nothing is decided yet.

    Nothing on chain shows who got the job's key: silence counts where the manager let another's vote through in that
    window. Seats that came into being meanwhile, as somebody else became a misfit, had no whole window.
    """
    start = last - network.parameters["vote_window"]

    def note() -> None:
        if attempt.status is AttemptStatus.RECEIVED and attempt.decided is None and attempt.voted_at > start:
            fit = {seat.leaf.node for seat in seats(network, state, attempt)}
            attempt.silent |= (seated & fit) - attempt.votes.keys()

    network.at(last, note)


def give_up_at(network: Network, state: TaskState, attempt: Attempt, last: int) -> None:
    """Void when it is still checked at ``last``."""

    def give_up() -> None:
        if attempt.status is AttemptStatus.RECEIVED and attempt.decided is None:
            jobs.end_attempt(network, state, Outcome.VOID, last, None)

    network.at(last, give_up)


def _why_not_vote(network: Network, job: Job, state: TaskState, attempt: Attempt, message: Vote, time: int) -> str:
    if attempt.status is not AttemptStatus.RECEIVED:
        return "there is no receipt to vote on"
    if attempt.decided is not None:
        return "the votes have decided"
    if message.result != attempt.result:
        return "it is about another result"
    if message.node in attempt.votes:
        return "this node has voted"
    if message.outcome not in (1, 2, 4, 5, 6):
        return "no such outcome"
    seat = next((item for item in seats(network, state, attempt) if item.leaf.node == message.node), None)
    if seat is None:
        return "this node has no seat in the committee"
    return "" if time >= seat.from_time else "this seat may not vote yet"


def decide(network: Network, state: TaskState, attempt: Attempt, more: Iterable[Vote] = ()) -> Outcome | None:
    """What the votes of an attempt, and these, come to; None while they decide nothing.

    An acceptance that a seat of the first draw rejects is the second draw's to decide, which looks at the tiles of that
    rejection too: of a frame forged in part most see nothing. Where votes that come together are enough for two
    outcomes most of them decide, and as many for either blame nobody.
    """
    needed = votes_needed(network, state)
    votes = [*(vote for vote, _ in attempt.votes.values()), *more]
    first = contested(network, state, attempt, votes)
    counts = Counter(vote.outcome for vote in votes if vote.node not in first)
    counts[Outcome.VOID] += counts.pop(Outcome.UNSERVED, 0)
    enough = {Outcome(outcome): count for outcome, count in counts.items() if count >= needed}
    most = [outcome for outcome, count in enough.items() if count == max(enough.values())]
    return most[0] if len(most) == 1 else Outcome.VOID if most else None


def contested(network: Network, state: TaskState, attempt: Attempt, votes: Iterable[Vote]) -> frozenset[int]:
    """The first draw's nodes, where enough of these votes accept, one of those nodes rejects, and others are seated who
    can decide. That draw is what it was as its seed was sealed: who retires moves all that are seated after it."""
    needed, votes, first = votes_needed(network, state), list(votes), attempt.first
    accept = sum(vote.outcome == Outcome.ACCEPTED for vote in votes)
    if accept < needed or not any(vote.outcome == Outcome.REJECTED and vote.node in first for vote in votes):
        return frozenset()
    others = sum(seat.leaf.node not in first for seat in seats(network, state, attempt))
    return first if others >= needed else frozenset()


def rejections(network: Network, attempt: Attempt) -> list[Named]:
    """The votes of an attempt that reject it, by node: whoever looks at it later looks at their tiles too."""
    seed = seed_of(network, attempt)
    if seed is None:
        return []
    cast = [vote for _, (vote, _) in sorted(attempt.votes.items()) if vote.outcome == Outcome.REJECTED]
    return [Named(verifier=vote.node, measured=vote.measured, seed=seed) for vote in cast]
