# SPDX-License-Identifier: Apache-2.0
"""The state of the network, its time, and what can be asked of it; ``reducer`` takes events into it."""

import heapq
from collections import deque
from collections.abc import Callable, Mapping

from inferix.messages import Domain
from inferix.models.anchor import RosterLeaf
from inferix.models.event import NamedBy
from inferix.models.parameters import Parameters
from inferix.models.roles import RosterKind
from inferix.replay.later import Later
from inferix.replay.state import (
    Account,
    AccountsRoot,
    BalanceClaim,
    Batch,
    Case,
    Contradiction,
    Dispute,
    Epoch,
    Exit,
    FinalRoster,
    Fine,
    Hearing,
    Job,
    Lane,
    Node,
    Objection,
    Presence,
    RootDispute,
    TakeOver,
    TaskState,
)

Documents = Mapping[bytes, bytes]

BACKED, UNBACKED = NamedBy(), NamedBy(is_backed=False)

REFUSALS = 1_000
"""So many of the newest are told at least."""


class Network:
    """The state. ``genesis``: start of epoch 0 (``BurnMintWork.genesis``); ``later``: what is known of anchors from
    events to come. ``is_stale``: such an event has come, and the state was made without it: replay with ``later``."""

    def __init__(self, domain: Domain, genesis: int, documents: Documents, later: Later | None = None) -> None:
        self.later = later or Later()
        self.is_stale = False
        self.domain = domain
        self.genesis = genesis
        self.documents = documents
        self.missing: dict[bytes, NamedBy] = {}
        self.time = 0
        self.block = 0
        self.parameters = Parameters()
        self.nodes: dict[int, Node] = {}
        self.delegations: dict[tuple[int, str], int] = {}  # shares by (node, delegator), also when none is left
        self.exits: dict[int, Exit] = {}
        self.operators: dict[str, int] = {}
        self.accounts: dict[int, Account] = {}
        self.coins: dict[int, str] = {}
        self.released: dict[str, int] = {}
        self.paid_leases: set[bytes] = set()  # by task
        # By coin: units that wait to buy IFX, when fees were last taken and last spent, when its pool was last observed
        self.to_burn: dict[str, int] = {}
        self.collected_at: dict[str, int] = {}
        self.bought_at: dict[str, int] = {}
        self.observed: dict[str, int] = {}
        self.rolled = 0  # the epoch, counted from time 0, of the pools' price
        # When something of a node changed, the node, its leaf before
        self.former_leaves: deque[tuple[int, int, RosterLeaf | None]] = deque()
        self.posted_rosters: dict[tuple[int, int], FinalRoster] = {}
        self.rosters: dict[RosterKind, list[FinalRoster]] = {kind: [] for kind in RosterKind}
        self.lanes: dict[int, Lane] = {}
        self.jobs: dict[bytes, Job] = {}
        self.taken: dict[tuple[bytes, int], TakeOver] = {}  # by job and its order's manager
        self.tasks: dict[bytes, TaskState] = {}
        self.posted: set[bytes] = set()  # tasks whose receipt is on chain and may still be anchored
        self.orders_seen: set[tuple[int, int]] = set()
        self.batches: dict[bytes, Batch] = {}
        self.cases: dict[bytes, Case] = {}
        self.late_penalised: set[bytes] = set()
        self.disputes: dict[bytes, Dispute] = {}
        self.root_disputes: dict[bytes, RootDispute] = {}
        self.objections: dict[bytes, Objection] = {}
        self.contradictions: dict[bytes, Contradiction] = {}
        self.equivocations: set[tuple[bytes, int, int]] = set()
        self.drawn: dict[int, dict[int, list[int]]] = {}  # epoch -> worker -> turns that it had, tasks that it took
        self.sold: dict[int, int] = {}  # licence -> when
        self.present: dict[int, Presence] = {}  # by epoch that is not closed
        self.answered: dict[int, int] = {}  # licence -> the newest hour of which a node of it answered a probe
        self.seeds: dict[int, tuple[int, int]] = {}  # hour -> (manager, anchor) that was sealed last in it
        self.running: set[bytes] = set()  # tasks that a worker may have in its hands
        self.fines: list[Fine] = []  # since the pool last handed over what it held
        self.epochs: list[Epoch] = []
        self.accounts_roots: list[AccountsRoot] = []
        self.pauses: list[tuple[int, int]] = []  # from, until
        self.claimed: dict[int, int] = {}
        self.balance_claims: dict[int, BalanceClaim] = {}
        self.refusals: list[str] = []
        self._timers: list[tuple[int, int, Callable[[], None]]] = []
        self._timer_count = 0

    # -- what drives it

    def tick(self, time: int) -> None:
        """Lets block time pass: deadlines strictly before ``time`` take effect, in their order."""
        while self._timers and self._timers[0][0] < time:
            due, _, action = heapq.heappop(self._timers)
            self.time = max(self.time, due)
            action()
        self.time = max(self.time, time)

    def at(self, time: int, action: Callable[[], None]) -> None:
        """Runs ``action`` once block time has passed ``time``."""
        self._timer_count += 1
        heapq.heappush(self._timers, (time, self._timer_count, action))

    def document(self, digest: bytes, by: NamedBy = BACKED) -> bytes | None:
        """A document's bytes; what is not to be had is remembered in ``missing``: replay again when it arrives."""
        body = self.documents.get(digest)
        # An order that names what a bond stands behind takes nothing from it.
        if body is None and not self.missing.get(digest, UNBACKED).is_backed:
            self.missing[digest] = by
        return body

    # -- questions

    def lane(self, manager: int) -> Lane:
        """A manager's lane."""
        return self.lanes.setdefault(manager, Lane(manager))

    def roster_at(self, kind: RosterKind, time: int) -> FinalRoster | None:
        """The newest roster of a kind that was final before ``time``, of a seal: what its own block brings, as
        Committees has it, may have been chosen by the seed."""
        return next((item for item in reversed(self.rosters[kind]) if item.final_at < time), None)

    def hearing(self, id: bytes) -> Hearing:
        """The case, objection or contradiction of this id."""
        return self.objections.get(id) or self.contradictions.get(id) or self.cases[id]

    def node_of(self, operator: str) -> Node | None:
        """The node whose hot key this is."""
        return self.nodes.get(self.operators.get(operator, 0))

    def refuse(self, why: str) -> None:
        """Notes what counts for nothing; the newest of it: anybody may send such things."""
        self.refusals.append(why)
        if len(self.refusals) > 2 * REFUSALS:
            del self.refusals[:-REFUSALS]

    def clock(self, time: int) -> int:
        """Protocol time at a block time: less all pauses, as in Parameters [s]."""
        return time - sum(min(time, until) - at for at, until in self.pauses if at < time)

    def passed(self, since: int) -> int:
        """Protocol time from a block time until now: how much of a window is over [s]."""
        return self.clock(self.time) - self.clock(since)

    def ends_at(self, since: int, term: int) -> int:
        """The block time at which a term on the protocol's clock is over that began at a block time [s].

        A pause that is on counts up to its planned end. Whether the term is over at a time that has come depends on no
        later event: a pause moves only what had not ended when it began, and to after its own end.
        """
        end = since + term
        for at, until in self.pauses:
            if since < until and at < end:
                end += until - max(at, since)
        return end

    def last_second(self, since: int, term: int) -> int:
        """The last block time within such a term, as contracts compare: more than ``term`` ends it [s].

        ``since`` 0: of a time on the protocol's clock.
        """
        return self.ends_at(since, term + 1) - 1

    def final_accounts(self) -> AccountsRoot | None:
        """The newest final accounts root."""
        return next((root for root in reversed(self.accounts_roots) if root.final_at), None)

    def waiting_accounts(self) -> AccountsRoot | None:
        """The accounts root that is not final yet and may become so."""
        root = self.accounts_roots[-1] if self.accounts_roots else None
        return root if root is not None and not root.final_at and not root.is_overtaken else None

    def epoch_at(self, time: int) -> int:
        """The epoch that a time is in."""
        return (time - self.genesis) // self.parameters["epoch_length"]

    def epoch_end(self, epoch: int) -> int:
        """The cut-off of an epoch."""
        return self.genesis + (epoch + 1) * self.parameters["epoch_length"]
