# SPDX-License-Identifier: Apache-2.0
"""A stranger's check of everything that was decided, with nothing but chain, storage and what was published there.

Replays the chain and, at every event that carries a claim of a manager, compares the claim with what the rules give:
anchors, seeds, rosters, batches leaf by leaf, accounts leaf by leaf, the sums of epochs. Draws, committees, deadlines
and signatures are checked by the reducer itself, which lets nothing else count.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak

from inferix.errors import InferixError, Unavailable
from inferix.messages import outcome_record
from inferix.models.anchor import AccountsData, BatchLeaf, RosterLeaf
from inferix.models.event import ChainEvent
from inferix.models.roles import NodeStatus, RosterKind
from inferix.models.work import PROBE_EVERY
from inferix.replay import Network
from inferix.replay.accounting import accounts_data, accounts_tree, nodes_tree, roster_leaves
from inferix.replay.reputation import final_leaves
from inferix.replay.settlement import commitment_of, outcome_leaf
from inferix.replay.state import Batch, Refused
from inferix.trees import split

RECENT = 3_600  # seconds from the block that a keeper decides by to the one that its transaction is in
KINDS = ("anchors", "seeds", "draws", "votes", "rosters", "batches", "leaves", "accounts", "epochs")
ROSTER_EVENTS = (
    "ParameterSet", "NodeRegistered", "PriceChanged", "BenchmarkAttested", "StatusChanged", "Qualified", "EpochClosed",
)  # fmt: skip
LATE = (
    "this attempt is not open",
    "the attempt is not being drawn",
    "the attempt's deadline is past",
    "this node has voted",
    "the job runs in another manager's lane",
    "the job is ",
)
"""Why a message may not count although it did when its manager took it: another came first, or its time was over."""
STANDING = (
    "not signed by the node's operator",
    "this node has no seat in the committee",
    *(f"it is {status.name.lower()}" for status in NodeStatus),
)
"""Why not after somebody's key or standing changed."""


@dataclass
class Report:
    """How many claims of each kind were checked and what was false."""

    checked: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    problems: list[str] = field(default_factory=list)

    def check(self, kind: str, true: bool, says: str) -> None:
        """Counts one claim."""
        self.checked[kind] += 1
        if not true:
            self.problems.append(f"{kind}: {says}")


class Audit:
    """Takes the events of a chain in order. ``block_hash(number)``: from the chain, for the seeds."""

    def __init__(self, network: Network, block_hash: Callable[[int], bytes]) -> None:
        self.network = network
        self.report = Report()
        self._block_hash = block_hash
        self._pending: dict[int, tuple[int, bytes]] = {}  # lane -> (block of its anchor, root)
        self._seeds: dict[int, bytes] = {}
        self._rosters: deque[tuple[int, dict[RosterKind, list[RosterLeaf]]]] = deque()  # with the time since when
        self._probes: dict[int, dict[int, int]] = {}
        self._opened: dict[int, int] = {}  # account -> time of its first top-up
        self._standing_changed = -RECENT

    def run(self, events: Iterable[ChainEvent]) -> Report:
        """Replays everything; the report."""
        for event in events:
            self.network.apply(event)
            self._keep_rosters(event)
            after = getattr(self, f"_after_{event.name}", None)
            if after is not None:
                after(event)
        for state in self.network.tasks.values():
            for attempt in state.attempts:  # the reducer let them count only because they are right
                self.report.checked["draws"] += 1 if attempt.node else 0
                self.report.checked["votes"] += len(attempt.votes)
        return self.report

    # -- anchors and seeds

    def _after_Anchored(self, event: ChainEvent) -> None:
        lane, index = event.args["manager"], event.args["index"]
        self._pending[lane] = (event.block, event.args["root"])
        anchor = self.network.lane(lane).anchors[index]
        self.report.check("anchors", not anchor.problem, f"anchor {lane}/{index}: {anchor.problem}")
        for refused in anchor.refused:
            says = f"{refused.kind} of node {refused.node} for task {refused.task.hex()[:12]}: {refused.reason}"
            self.report.check("anchors", self._excused(refused, event), f"anchor {lane}/{index}: {says}")

    def _excused(self, refused: Refused, event: ChainEvent) -> bool:
        """Whether an honest manager may have taken a message that does not count."""
        if refused.reason.startswith(LATE):
            return True
        if refused.reason.startswith(STANDING):
            return event.timestamp - self._standing_changed <= RECENT
        state = self.network.tasks.get(refused.task)
        attempts = state.attempts if state and refused.kind == "Receipt" else []
        return any(attempt.node == refused.node for attempt in attempts)  # its second receipt

    def _after_OperatorChanged(self, event: ChainEvent) -> None:
        self._standing_changed = event.timestamp

    _after_StatusChanged = _after_OperatorChanged

    def _after_Rearmed(self, event: ChainEvent) -> None:
        lane = event.args["manager"]
        self._pending[lane] = (event.args["block"], self._pending[lane][1])

    def _after_Sealed(self, event: ChainEvent) -> None:
        lane, index = event.args["manager"], event.args["index"]
        block, root = self._pending[lane]
        previous = self._seeds.get(lane, lane.to_bytes(32, "big"))
        seed = keccak(abi_encode(["bytes32", "bytes32", "bytes32"], [previous, self._block_hash(block + 1), root]))
        self.report.check("seeds", seed == event.args["seed"], f"seed {lane}/{index} is not that of its block and root")
        self._seeds[lane] = event.args["seed"]

    # -- rosters

    def _keep_rosters(self, event: ChainEvent) -> None:
        """What the registry gave until an hour ago."""
        if event.name in ROSTER_EVENTS or not self._rosters:
            now = {kind: roster_leaves(self.network, kind) for kind in RosterKind}
            self._rosters.append((event.timestamp, now))
        while len(self._rosters) > 1 and self._rosters[1][0] < event.timestamp - RECENT:
            self._rosters.popleft()

    def _after_RosterPosted(self, event: ChainEvent) -> None:
        args, kind = event.args, RosterKind(event.args["kind"])
        name, posted = f"{kind.name.lower()} roster {args['index']}", self.network.posted_rosters[kind, args["index"]]
        if posted.roster is None:
            served = self.network.document(args["data"]) is not None
            says = "its root is not that of its leaves" if served else "its data is not served"
            self.report.check("rosters", False, f"{name}: {says}")
            return
        leaves = posted.roster.leaves
        counts = (posted.roster.total, max(leaves, default=0) + 1) == (args["total"], args["count"])
        self.report.check("rosters", counts, f"{name}: its total or count is not that of its leaves")
        recent = [{leaf.node: leaf for leaf in rosters[kind]} for _, rosters in self._rosters]
        wrong = [node for node in recent[-1].keys() | leaves.keys() if recent[-1].get(node) != leaves.get(node)]
        nodes = ", ".join(map(str, sorted(wrong)))
        self.report.check("rosters", leaves in recent, f"{name} is not what the registry gives: of node {nodes}")

    # -- batches

    def _after_Proposed(self, event: ChainEvent) -> None:
        batch = self.network.batches[event.args["commitment"]]
        if event.name == "Proposed" and batch.is_alone:
            return  # its leaf follows in a log of its own
        where = f"outside its lane by {batch.proposer}" if batch.is_alone else f"{batch.sequence}"
        name = f"batch {batch.manager}/{where}"
        true = not batch.problem and commitment_of(batch.header) == batch.commitment
        self.report.check("batches", true, f"{name}: {batch.problem or 'its commitment is not that of its header'}")
        if batch.problem:
            return
        keys = [(leaf.task, leaf.attempt) for leaf in batch.leaves]
        count = batch.header["count"] == len(keys)
        self.report.check("batches", count, f"{name}: its count is not that of its leaves")
        self.report.check("batches", keys == sorted(keys), f"{name}: its leaves are out of order")
        self.report.check("batches", self._has_its_records(batch), f"{name}: its records are not those of its leaves")
        for index, leaf in enumerate(batch.leaves):
            twice = index > 0 and keys[index] == keys[index - 1]
            wrong = "is settled twice" if twice else self._why_not(batch, leaf)
            where = f"{name}: task {leaf.task.hex()[:12]} attempt {leaf.attempt}"
            self.report.check("leaves", not wrong, f"{where} {wrong}")

    _after_Escaped = _after_Proposed

    def _has_its_records(self, batch: Batch) -> bool:
        records = b"".join(outcome_record(leaf.task, leaf.node, leaf.charge, leaf.outcome) for leaf in batch.leaves)
        left_out = self.network.parameters["root_only"] == 1 and batch.header["records"] == bytes(32)
        return left_out or keccak(records) == batch.header["records"]

    def _why_not(self, batch: Batch, leaf: BatchLeaf) -> str:
        """What is wrong with a leaf, nothing if it is the one that its attempt gives."""
        state = self.network.tasks.get(leaf.task)
        if state is None or leaf.attempt >= len(state.attempts) or state.attempts[leaf.attempt].outcome is None:
            return "has no outcome"
        attempt = state.attempts[leaf.attempt]
        expected = outcome_leaf(self.network, state, attempt)
        different = [name for name in BatchLeaf.model_fields if getattr(expected, name) != getattr(leaf, name)]
        if different:
            return f"differs in {', '.join(different)}"
        if attempt.lane != batch.manager:
            return "belongs to another manager's lane"
        if attempt.batch != batch.commitment:
            return "is settled twice"
        coin = self.network.accounts[leaf.account].coin
        return "" if self.network.coins.get(batch.coin) == coin else "is paid in another coin"

    # -- accounts and epochs

    def _after_ToppedUp(self, event: ChainEvent) -> None:
        self._opened.setdefault(event.args["account"], event.timestamp)

    def _after_AccountsPosted(self, event: ChainEvent) -> None:
        args, epoch = event.args, event.args["epoch"]
        body = self.network.document(args["data"])
        if body is None:
            self.report.check("accounts", False, f"epoch {epoch}: its data is not served")
            return
        try:
            data = AccountsData.decode(body, args["data"])
        except InferixError as error:
            self.report.check("accounts", False, f"epoch {epoch}: {error}")
            return
        self._probes[epoch] = {row[0]: row[1] for row in data.probes}
        self._check_probes(epoch)
        right = accounts_data(self.network, epoch, self._probes)
        cut_off = self.network.epoch_end(epoch)
        young = {account for account, opened in self._opened.items() if opened > cut_off}  # may be in it or not
        accounts = [row for row in right.accounts if row.account not in young or row in data.accounts]
        self._check_rows(epoch, "account", data.accounts, accounts)
        self._check_rows(epoch, "node", data.nodes, right.nodes)
        self.report.check("accounts", data.apparent == right.apparent, f"epoch {epoch}: its apparent work is another")
        if not self._knows(data):
            return  # named above; an id far away would be a tree of billions of places
        of_accounts, of_nodes = accounts_tree(data).root, nodes_tree(data).root
        roots = (of_accounts.hash, of_nodes.hash) == (args["accounts_root"], args["nodes_root"])
        sums = split(of_accounts.sum) == (args["spent"], args["reserved"])
        sums = sums and split(of_nodes.sum) == (args["matured"], args["vesting"])
        self.report.check("accounts", roots and sums, f"epoch {epoch}: its roots are not those of its leaves")

    def _knows(self, data: AccountsData) -> bool:
        accounts, nodes = {row.account for row in data.accounts}, {row.node for row in data.nodes}
        return accounts <= self.network.accounts.keys() and nodes <= {0, *self.network.nodes}

    def _check_probes(self, epoch: int) -> None:
        """Who answered is the manager's word; how many there were to answer is not."""
        start, end = self.network.epoch_end(epoch - 1), self.network.epoch_end(epoch)
        asked = sum(
            start <= anchor.sealed_at < end and anchor.index % PROBE_EVERY == 0
            for lane in self.network.lanes.values()
            for anchor in lane.anchors.values()
        )
        for node, answered in sorted(self._probes[epoch].items()):
            says = f"epoch {epoch}: node {node} has answered {answered} probes of {asked}"
            self.report.check("accounts", answered <= asked, says)

    def _check_rows(self, epoch: int, what: str, given: Iterable[object], right: Iterable[object]) -> None:
        expected = {getattr(row, what): row for row in right}
        found = {getattr(row, what): row for row in given}
        for number in sorted(expected.keys() | found.keys()):
            true = expected.get(number) == found.get(number)
            self.report.check("accounts", true, f"epoch {epoch}: {what} {number} has another leaf than its sum")

    def _after_EpochClosed(self, event: ChainEvent) -> None:
        epoch = event.args["epoch"]
        leaves = [leaf for _, leaf in final_leaves(self.network, epoch)]
        charge, work = sum(leaf.charge for leaf in leaves), sum(leaf.work for leaf in leaves)
        true = (charge, work) == (event.args["charge"], event.args["work"])
        self.report.check("epochs", true, f"epoch {epoch}: its sums are not those of its final leaves")


class Lookup(Mapping[bytes, bytes]):
    """Documents fetched when they are asked for, each once; what is not in storage is absent.

    A storage that does not answer says nothing about anybody: its Unavailable passes through.
    """

    def __init__(self, fetch: Callable[[bytes], bytes]) -> None:
        self._fetch = fetch
        self._known: dict[bytes, bytes | None] = {}

    def __getitem__(self, digest: bytes) -> bytes:
        if digest not in self._known:
            try:
                self._known[digest] = self._fetch(digest)
            except Unavailable:
                raise
            except InferixError:
                self._known[digest] = None
        found = self._known[digest]
        if found is None:
            raise KeyError(digest)
        return found

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
