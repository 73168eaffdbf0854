# SPDX-License-Identifier: Apache-2.0
"""The claims of managers, one after the other, and the parts that check those of others.

Replays the chain and, at every event that carries a claim of a manager, compares the claim with what the rules give:
anchors, seeds, rosters, batches leaf by leaf, accounts leaf by leaf, the sums of epochs; and what panels decided.
Draws, committees, deadlines and signatures are checked by the reducer itself, which lets nothing else count.
"""

from collections.abc import Callable, Iterable

from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak

from inferix.audit.contradictions import Contradictions
from inferix.audit.measured import read_document
from inferix.audit.objections import Objections
from inferix.audit.report import Report
from inferix.errors import InferixError
from inferix.machines import from_bytes32, machine_name
from inferix.messages import outcome_record
from inferix.models.anchor import AccountsData, BatchLeaf, RosterData
from inferix.models.event import ChainEvent
from inferix.models.result import Result
from inferix.models.roles import NodeStatus, Outcome, RootKind, RosterKind
from inferix.replay import Network, apply
from inferix.replay.accounting import accounts_data, accounts_tree, nodes_tree
from inferix.replay.availability import withheld
from inferix.replay.probes import ANSWERED, OVER
from inferix.replay.reputation import final_leaves
from inferix.replay.roots import knows, served, wrong_rows
from inferix.replay.rosters import RECENT
from inferix.replay.settlement import coin_index, commitment_of, outcome_leaf
from inferix.replay.state import Batch, Refused, TaskState
from inferix.trees import split

LATE = (
    "this attempt is not open",
    "the attempt is not being drawn",
    "the votes have decided",
    "this attempt is over",
    "the attempt's deadline is past",
    "this node has voted",
    "the job runs in another manager's lane",
    "the job is ",
    ANSWERED,
    OVER,
)
"""Why a message may not count although it did when its manager took it: another came first, or its time was over."""
STANDING = (
    "not signed by the node's operator",
    "this node has no seat in the committee",
    *(f"it is {status.name.lower()}" for status in NodeStatus),
)
"""Why not after somebody's key or standing changed."""


class Audit:
    """Takes the events of a chain in order. ``block_hash(number)``: from the chain, for the seeds."""

    def __init__(self, network: Network, block_hash: Callable[[int], bytes]) -> None:
        self.network = network
        self.report = Report()
        self._block_hash = block_hash
        self._pending: dict[int, tuple[int, bytes]] = {}  # lane -> (block of its anchor, root)
        self._seeds: dict[int, bytes] = {}
        self._standing_changed = -RECENT
        self._machines: dict[int, set[bytes]] = {}  # node -> whatever its benchmarks called its machine
        self._contradictions = Contradictions(network, self.report, block_hash)
        self._parts = (self, Objections(network, self.report), self._contradictions)

    def run(self, events: Iterable[ChainEvent]) -> Report:
        """Replays everything; the report."""
        for event in events:
            apply(self.network, event)
            for part in self._parts:
                after = getattr(part, f"after_{event.name}", None)
                if after is not None:
                    after(event)
        for state in self.network.tasks.values():
            for attempt in state.attempts:  # the reducer let them count only because they are right
                self.report.checked["draws"] += 1 if attempt.node else 0
                self.report.checked["votes"] += len(attempt.votes)
            self._check_machines(state)
        self._contradictions.end()
        return self.report

    # -- machines

    def after_BenchmarkAttested(self, event: ChainEvent) -> None:
        self._machines.setdefault(event.args["node"], set()).add(event.args["device_class"])

    def _check_machines(self, state: TaskState) -> None:
        """What was accepted was compared by what it names, which has to be what its worker was measured as."""
        for attempt in state.attempts:
            if attempt.outcome is not Outcome.ACCEPTED or not any(attempt.device_class):
                continue
            result = read_document(self.network, Result, attempt.result)
            if result is None:
                continue  # the client has it, and nobody keeps it for ever
            name = machine_name(result.device_class, result.kernel)
            says = (
                f"{state.task.id.hex()[:12]} attempt {attempt.number}: node {attempt.node} never was measured as {name}"
            )
            known = {from_bytes32(value) for value in self._machines.get(attempt.node, set())}
            self.report.check("machines", name in known, says)

    # -- anchors and seeds

    def after_Anchored(self, event: ChainEvent) -> None:
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

    def after_OperatorChanged(self, event: ChainEvent) -> None:
        self._standing_changed = event.timestamp

    after_StatusChanged = after_OperatorChanged

    def after_Rearmed(self, event: ChainEvent) -> None:
        lane = event.args["manager"]
        self._pending[lane] = (event.args["block"], self._pending[lane][1])

    def after_Sealed(self, event: ChainEvent) -> None:
        lane, index = event.args["manager"], event.args["index"]
        block, root = self._pending[lane]
        previous = self._seeds.get(lane, lane.to_bytes(32, "big"))
        seed = keccak(abi_encode(["bytes32", "bytes32", "bytes32"], [previous, self._block_hash(block + 1), root]))
        self.report.check("seeds", seed == event.args["seed"], f"seed {lane}/{index} is not that of its block and root")
        self._seeds[lane] = event.args["seed"]

    # -- rosters

    def after_RosterPosted(self, event: ChainEvent) -> None:
        args, kind = event.args, RosterKind(event.args["kind"])
        name, posted = f"{kind.name.lower()} roster {args['index']}", self.network.posted_rosters[kind, args["index"]]
        if posted.roster is None:
            is_away = RosterData.is_away(args["data"], self.network.document)
            says = "its data is not served" if is_away else "its root or total is not that of its leaves"
            self.report.check("rosters", False, f"{name}: {says}")
            return
        leaves = posted.roster.leaves
        count = max(leaves, default=0) + 1 == args["count"]
        self.report.check("rosters", count, f"{name}: its count is not that of its leaves")
        nodes = ", ".join(map(str, sorted(posted.wrong)))
        self.report.check("rosters", not posted.wrong, f"{name} is not what the registry gives: of node {nodes}")

    # -- batches

    def after_Proposed(self, event: ChainEvent) -> None:
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

    after_Escaped = after_Proposed

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
        return "" if batch.coin == coin_index(self.network, leaf) else "is paid in another coin"

    # -- leases

    def after_LeasePaid(self, event: ChainEvent) -> None:
        """Paid is what a client ordered and a final batch has, to the owner of its machine."""
        task, node = event.args["task"], self.network.nodes.get(event.args["node"])
        state = self.network.tasks.get(task)
        attempt = state.current if state is not None else None
        says = f"lease {task.hex()[:12]}"
        if state is None or attempt is None or attempt.outcome is not Outcome.LEASED:
            self.report.check("leases", False, f"{says}: paid without an order or a receipt")
            return
        right = outcome_leaf(self.network, state, attempt)
        paid = (event.args["node"], event.args["charge"], event.args["owner"])
        due = (right.node, right.charge, node.owner if node else "")
        self.report.check("leases", paid == due, f"{says}: paid as {paid}, due is {due}")

    # -- accounts and epochs

    def after_AccountsPosted(self, event: ChainEvent) -> None:
        args, epoch = event.args, event.args["epoch"]
        root = self.network.accounts_roots[-1]
        try:
            data = served(self.network, root)
        except InferixError as error:
            self.report.check("accounts", False, f"epoch {epoch}: {error}")
            return
        if any(withheld(self.network, self.network.epoch_end(epoch))):
            return  # what is to be in them is not known yet; the anchor is named by itself
        self._check_rows(data)
        right = accounts_data(self.network, epoch).apparent
        self.report.check("accounts", data.apparent == right, f"epoch {epoch}: its apparent work is another")
        if not knows(self.network, data):
            return  # named above; an id far away would be a tree of billions of places
        of_accounts, of_nodes = accounts_tree(data).root, nodes_tree(data).root
        roots = (of_accounts.hash, of_nodes.hash) == (args["accounts_root"], args["nodes_root"])
        sums = split(of_accounts.sum) == (args["spent"], args["reserved"])
        sums = sums and split(of_nodes.sum) == (args["matured"], args["vesting"])
        self.report.check("accounts", roots and sums, f"epoch {epoch}: its roots are not those of its leaves")

    def _check_rows(self, data: AccountsData) -> None:
        wrong = wrong_rows(self.network, data)
        self.report.checked["accounts"] += len(data.accounts) + len(data.nodes) - len(wrong)
        for row in wrong:
            what = "node" if row.kind is RootKind.NODES else "account"
            self.report.check(
                "accounts", False, f"epoch {data.epoch}: {what} {row.place} has another leaf than its sum"
            )

    def after_EpochClosed(self, event: ChainEvent) -> None:
        epoch = event.args["epoch"]
        leaves = [leaf for _, leaf in final_leaves(self.network, epoch)]
        charge, work = sum(leaf.charge for leaf in leaves), sum(leaf.work for leaf in leaves)
        true = (charge, work) == (event.args["charge"], event.args["work"])
        self.report.check("epochs", true, f"epoch {epoch}: its sums are not those of its final leaves")
