# SPDX-License-Identifier: Apache-2.0
"""The reducer: the state of the network as a pure function of chain events and the documents that they name.

Keepers, the API, ``inferix explain`` and ``inferix audit`` all run this same code, so whoever has the chain and storage
comes to the same state. Time is the block time of the event. Nothing here reads a clock, a chain or a disk.
"""

import heapq
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from inferix.errors import InferixError
from inferix.messages import Domain
from inferix.models.anchor import AccountsData
from inferix.models.event import ChainEvent
from inferix.models.parameters import Parameters
from inferix.models.roles import DisputeStatus, Lie, NodeStatus, Role, RosterKind
from inferix.replay import availability, balances, batches, cases, contradictions, disputes, jobs, objections, rosters
from inferix.replay.availability import Later
from inferix.replay.reputation import record
from inferix.replay.stake import StakeEvents
from inferix.replay.state import (
    Account,
    AccountsRoot,
    Anchor,
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
    RootDispute,
    TakeOver,
    TaskState,
)

Documents = Mapping[bytes, bytes]


class Network(StakeEvents):
    """The state. ``genesis``: start of epoch 0 (``BurnMintWork.genesis``); ``later``: what is known of anchors from
    events to come. ``is_stale``: such an event has come, and the state was made without it: replay with ``later``."""

    def __init__(self, domain: Domain, genesis: int, documents: Documents, later: Later | None = None) -> None:
        self.later = later or Later()
        self.is_stale = False
        self.domain = domain
        self.genesis = genesis
        self.documents = documents
        self.missing: set[bytes] = set()
        self.time = 0
        self.block = 0
        self.parameters = Parameters()
        self.nodes: dict[int, Node] = {}
        self.delegations: dict[tuple[int, str], int] = {}
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
        self.former_leaves: rosters.Former = deque()
        self.posted_rosters: dict[tuple[int, int], FinalRoster] = {}
        self.rosters: dict[RosterKind, list[FinalRoster]] = {kind: [] for kind in RosterKind}
        self.lanes: dict[int, Lane] = {}
        self.jobs: dict[bytes, Job] = {}
        self.taken: dict[tuple[bytes, int], TakeOver] = {}  # by job and its order's manager
        self.tasks: dict[bytes, TaskState] = {}
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
        self.running: set[bytes] = set()  # tasks that a worker may have in its hands
        self.fines: list[Fine] = []  # since the pool last handed over what it held
        self.epochs: list[Epoch] = []
        self.accounts_roots: list[AccountsRoot] = []
        self.claimed: dict[int, int] = {}
        self.balance_claims: dict[int, BalanceClaim] = {}
        self.refusals: list[str] = []
        self._timers: list[tuple[int, int, Callable[[], None]]] = []
        self._timer_count = 0

    # -- what drives it

    def apply(self, event: ChainEvent) -> None:
        """Takes the next event, in chain order. Unknown events are none of the reducer's business."""
        self.tick(event.timestamp)
        self.block = event.block
        if event.name in rosters.CHANGES:
            rosters.remember(self, event)
        handler = getattr(self, f"_on_{event.name}", None)
        if handler is not None:
            handler(event, event.args)

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

    def document(self, digest: bytes) -> bytes | None:
        """A document's bytes; what is not to be had is remembered in ``missing``: replay again when it arrives."""
        body = self.documents.get(digest)
        if body is None:
            self.missing.add(digest)
        return body

    # -- questions

    def lane(self, manager: int) -> Lane:
        """A manager's lane."""
        return self.lanes.setdefault(manager, Lane(manager))

    def roster_at(self, kind: RosterKind, time: int) -> FinalRoster | None:
        """The newest roster of a kind that was final at ``time``."""
        return next((item for item in reversed(self.rosters[kind]) if item.final_at <= time), None)

    def hearing(self, id: bytes) -> Hearing:
        """The case, objection or contradiction of this id."""
        return self.objections.get(id) or self.contradictions.get(id) or self.cases[id]

    def node_of(self, operator: str) -> Node | None:
        """The node whose hot key this is."""
        return self.nodes.get(self.operators.get(operator, 0))

    def final_accounts(self) -> AccountsRoot | None:
        """The newest final accounts root."""
        return next((root for root in reversed(self.accounts_roots) if root.final_at), None)

    def epoch_at(self, time: int) -> int:
        """The epoch that a time is in."""
        return (time - self.genesis) // self.parameters["epoch_length"]

    def epoch_end(self, epoch: int) -> int:
        """The cut-off of an epoch."""
        return self.genesis + (epoch + 1) * self.parameters["epoch_length"]

    # -- parameters, nodes, stake

    def _on_ParameterSet(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.parameters.set(args["name"], args["value"])

    def _on_NodeRegistered(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        node = Node(
            id=args["node"],
            owner=args["owner"],
            operator=args["operator"],
            role=Role(args["role"]),
            licence=args["licence"],
            sealing_key=args["sealing_key"],
            price=args["price"],
            registered_at=event.timestamp,
        )
        self.nodes[node.id] = node
        self.operators[node.operator] = node.id

    def _on_OperatorChanged(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        node = self.nodes[args["node"]]
        self.operators.pop(node.operator, None)
        node.former.append(node.operator)
        node.operator = args["operator"]
        self.operators[node.operator] = node.id

    def _on_SealingKeyChanged(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.nodes[args["node"]].sealing_key = args["sealing_key"]

    def _on_PriceChanged(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.nodes[args["node"]].price = args["price"]

    def _on_BenchmarkAttested(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        node = self.nodes[args["node"]]
        if node.ib:
            node.measured_by = 0
        node.ib, node.device_class = args["ib"], args["device_class"]

    def _on_BenchmarkRequested(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        node = self.nodes[args["node"]]
        node.measured_by, node.asked_at = args["manager"], event.timestamp

    def _on_StatusChanged(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.nodes[args["node"]].status = NodeStatus(args["status"])

    # -- clients' money

    def _on_CoinAdded(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.coins[args["index"]] = args["coin"]

    def _on_ToppedUp(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        account = self.accounts.setdefault(
            args["account"],
            Account(id=args["account"], owner=args["owner"], coin=args["coin"], opened_at=event.timestamp),
        )
        account.credit += args["credit"]

    def _on_WithdrawalRequested(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.accounts[args["account"]].requested += args["amount"]

    def _on_RequestCancelled(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.accounts[args["account"]].requested -= args["amount"]

    def _on_Withdrawn(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        account = self.accounts[args["account"]]
        account.credit -= args["amount"]
        account.requested -= min(account.requested, args["amount"])

    def _on_BalanceClaimed(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        balances.claimed(self, event, args)

    def _on_ClaimPaid(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        balances.paid(self, event, args)

    def _on_ClaimFell(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        balances.ended(self, event, args)

    _on_ClaimDropped = _on_ClaimFell

    def _on_Released(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.released[args["coin"]] = self.released.get(args["coin"], 0) + args["amount"]

    def _on_LeasePaid(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.paid_leases.add(args["task"])

    # -- fees, and the pools where they buy IFX

    def _on_Collected(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        share = args["amount"] - args["foundation"] - args["managers"]
        self.to_burn[args["coin"]] = self.to_burn.get(args["coin"], 0) + share
        self.collected_at[args["coin"]] = event.timestamp

    def _on_FeesBurned(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.to_burn[args["coin"]] -= args["spent"]
        self.bought_at[args["coin"]] = event.timestamp

    def _on_PoolAdded(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.observed[args["coin"]] = event.timestamp
        self.rolled = event.timestamp // self.parameters["epoch_length"]

    def _on_PoolRemoved(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.observed.pop(args["coin"], None)

    def _on_Observed(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.observed[args["coin"]] = event.timestamp

    def _on_PriceRolled(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.rolled = args["epoch"]

    # -- orders and lanes

    def _on_OrdersPosted(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        jobs.post_orders(self, event, args["records"])

    def _on_OrderCancelled(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        jobs.cancel_order(self, args["account"], args["nonce"])

    def _on_JobTakenOver(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        taken = TakeOver(args["by_manager"], args["from_anchors"], args["by_anchors"])
        jobs.take_over(self, event, args["job"], args["from_manager"], taken)

    def _on_ManagerCalledOut(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        lane = self.lane(args["manager"])
        lane.called_at, lane.called_anchors = event.timestamp, args["anchors"]

    def _on_Anchored(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        anchor = Anchor(args["index"], event.block, event.timestamp, args["root"], args["data"], armed_at=event.block)
        self.lane(args["manager"]).anchors[anchor.index] = anchor
        jobs.anchored(self, args["manager"], anchor)

    def _on_Rearmed(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.lane(args["manager"]).anchors[args["index"]].armed_at = args["block"]

    def _on_Sealed(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        anchor = self.lane(args["manager"]).anchors[args["index"]]
        anchor.seed, anchor.sealed_at = args["seed"], event.timestamp
        jobs.sealed(self, args["manager"], anchor)

    # -- rosters

    def _on_RosterPosted(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        rosters.posted(self, event, args)

    def _on_RosterFinalized(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        posted = self.posted_rosters[args["kind"], args["index"]]
        posted.final_at = event.timestamp
        self.rosters[RosterKind(args["kind"])].append(posted)

    def _on_RosterCancelled(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.posted_rosters.pop((args["kind"], args["index"]), None)

    # -- batches

    def _on_Proposed(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        batches.proposed(self, event, args)

    def _on_Escaped(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        batches.escaped(self, event, args)

    def _on_EscapeClosed(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        batches.escape_closed(self, event, args)

    def _on_BatchFinalized(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        batches.finalized(self, event, args)

    def _on_BatchCancelled(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        batches.cancelled(self, event, args)

    def _on_LeafVoided(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        batches.voided(self, event, args)

    # -- disputes about data

    def _on_RootDisputed(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        availability.disputed(self, event, args)

    def _on_RootServed(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        disputes.ended(self.root_disputes[args["id"]], event, DisputeStatus.ANSWERED)

    def _on_RootDisputeUpheld(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        disputes.ended(self.root_disputes[args["id"]], event, DisputeStatus.UPHELD)

    def _on_RootDisputeDropped(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        disputes.ended(self.root_disputes[args["id"]], event, DisputeStatus.DROPPED)

    def _on_AnchorCancelled(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        availability.told(self, event)

    _on_MessagesPosted = _on_AnchorCancelled

    # -- disputes about batches

    def _on_DisputeOpened(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        disputes.opened(self, event, args)

    def _on_DisputeAnswered(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        disputes.ended(self.disputes[args["id"]], event, DisputeStatus.ANSWERED)

    def _on_DisputeUpheld(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        disputes.ended(self.disputes[args["id"]], event, DisputeStatus.UPHELD)

    def _on_DisputeDropped(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        disputes.ended(self.disputes[args["id"]], event, DisputeStatus.DROPPED)

    def _on_LieProven(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.batches[args["commitment"]].lie = Lie(args["kind"])

    def _on_EquivocationProven(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.equivocations.add((args["task"], args["attempt"], args["node"]))

    # -- epochs and accounts

    def _on_EpochClosed(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        amounts = {name: args[name] for name in ("work", "charge", "burned", "minted", "pooled")}
        amounts |= {name: self.parameters[name] for name in ("matured_bps", "poc_bps", "worker_vesting")}
        fines = tuple(self.fines) if args["pooled"] else ()
        found = record(self, args["epoch"])
        self.epochs.append(Epoch(args["epoch"], closed_at=event.timestamp, fines=fines, record=found, **amounts))
        if args["pooled"]:
            self.fines.clear()

    def _on_AccountsPosted(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        root = AccountsRoot(
            epoch=args["epoch"],
            cut_off=self.epoch_end(args["epoch"]),
            posted_at=event.timestamp,
            data=args["data"],
            accounts_root=args["accounts_root"],
            nodes_root=args["nodes_root"],
            index=args["index"],
            manager=args["manager"],
        )
        self.accounts_roots.append(root)

    def _on_AccountsCancelled(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.accounts_roots = [root for root in self.accounts_roots if root.epoch != args["epoch"] or root.final_at]

    def _on_AccountsFinalized(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        root = next(item for item in reversed(self.accounts_roots) if item.epoch == args["epoch"])
        root.final_at = event.timestamp
        body = self.document(root.data)
        if body is None:
            return
        try:
            leaves = AccountsData.decode(body, root.data).accounts
        except InferixError:
            return  # who made it final has still to answer; nobody else's replay shall end with it
        for leaf in leaves:
            account = self.accounts.get(leaf.account)
            if account is not None:
                account.spent, account.reserved = leaf.spent, leaf.reserved
        for account in self.accounts.values():
            account.caps = [(posted, cap) for posted, cap in account.caps if posted > root.cut_off]

    def _on_Claimed(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.claimed[args["node"]] = self.claimed.get(args["node"], 0) + args["amount"]

    # What a banned node loses counts as claimed, as in the contract: it is never paid out.
    _on_Forfeited = _on_Claimed

    # -- slashing cases

    def _on_CaseFrozen(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        cases.frozen(self, event, args)

    def _on_CaseCharged(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        cases.charged(self, event, args)

    def _on_CaseAppealed(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        cases.appealed(self, event, args)

    def _on_LatePenalised(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.late_penalised.add(args["case"])

    def _on_CaseCleared(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        cases.ended(self, event, args, slashed=False)

    def _on_CaseSlashed(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        cases.ended(self, event, args, slashed=True)

    # -- objections

    def _on_OutcomesObjected(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        objections.to_outcomes(self, event, args)

    def _on_LeafObjected(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        objections.to_leaf(self, event, args)

    def _on_ObjectionReferred(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.objections[args["id"]].is_referred = True

    def _on_ObjectionClosed(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        objections.closed(self, event, args)

    # -- contradicted votes

    def _on_VoteContradicted(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        contradictions.opened(self, event, args)

    def _on_ContradictionReferred(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.contradictions[args["id"]].is_referred = True

    def _on_ContradictionClosed(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        contradictions.closed(self, event, args)

    # -- panels, of cases, objections and contradictions alike: the id tells which

    def _on_PanelSealed(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.hearing(args["case"]).seed = args["seed"]

    def _on_PanelSeated(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.hearing(args["case"]).seats.append(args["node"])

    def _on_PanelRearmed(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.hearing(args["case"]).asked_block = args["block"]

    def _on_PanelCompleted(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.hearing(args["case"]).complete_at = event.timestamp

    def _on_PanelVoted(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.hearing(args["case"]).votes[args["node"]] = args["upheld"]
