# SPDX-License-Identifier: Apache-2.0
"""A stranger's check of everything that was decided, with nothing but chain, storage and what was published there.

Replays the chain and, at every event that carries a claim of a manager, compares the claim with what the rules give:
anchors, seeds, rosters, batches leaf by leaf, accounts leaf by leaf, the sums of epochs. Draws, committees, deadlines
and signatures are checked by the reducer itself, which lets nothing else count.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak

from inferix.errors import InferixError, Unavailable
from inferix.messages import outcome_record
from inferix.models.anchor import AccountsData, BatchLeaf
from inferix.models.event import ChainEvent
from inferix.models.roles import NodeStatus, ObjectionKind, ObjectionStatus, Outcome, RootKind, RosterKind
from inferix.replay import Network
from inferix.replay.accounting import accounts_data, accounts_tree, nodes_tree
from inferix.replay.leaves import is_managers, why_false
from inferix.replay.reputation import final_leaves
from inferix.replay.roots import knows, probes_asked, served, wrong_leaves, wrong_rows
from inferix.replay.rosters import RECENT
from inferix.replay.settlement import coin_index, commitment_of, outcome_leaf
from inferix.replay.state import Batch, Objection, Refused
from inferix.trees import split

KINDS = (
    *("anchors", "seeds", "draws", "votes", "rosters", "batches", "leaves"),
    *("leases", "accounts", "epochs", "verdicts"),
)
LATE = (
    "this attempt is not open",
    "the attempt is not being drawn",
    "the votes have decided",
    "this attempt is over",
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
        self._standing_changed = -RECENT
        self._is_right: dict[bytes, bool] = {}  # of objections, by their id, where the rules alone tell

    def run(self, events: Iterable[ChainEvent]) -> Report:
        """Replays everything; the report."""
        for event in events:
            self.network.apply(event)
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
        nodes = ", ".join(map(str, sorted(posted.wrong)))
        self.report.check("rosters", not posted.wrong, f"{name} is not what the registry gives: of node {nodes}")

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
        return "" if batch.coin == coin_index(self.network, leaf) else "is paid in another coin"

    # -- leases

    def _after_LeasePaid(self, event: ChainEvent) -> None:
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

    # -- objections

    def _after_LeafObjected(self, event: ChainEvent) -> None:
        objection = self.network.objections[event.args["id"]]
        try:
            wrong = wrong_leaves(self.network, objection.root)
        except InferixError:
            return  # named with the root itself
        self._is_right[objection.id] = any(row.place in objection.places for row in wrong)

    def _after_OutcomesObjected(self, event: ChainEvent) -> None:
        """Pixels are for panels; what the rules alone show to be false, no panel may let stand. Nor may one punish a
        manager where all that it alone wrote is right."""
        objection = self.network.objections[event.args["id"]]
        batch = self.network.batches[objection.subject]
        if not objection.places or not batch.leaves:
            return
        false = [self._is_false(objection, batch, place) for place in objection.places]
        if all(false):
            self._is_right[objection.id] = True
        elif objection.is_managers and not any(false):
            self._is_right[objection.id] = False

    def _is_false(self, objection: Objection, batch: Batch, place: int) -> bool:
        if place >= len(batch.leaves):
            return False
        judged = is_managers if objection.is_managers else why_false
        return bool(judged(self.network, batch, batch.leaves[place]))

    def _after_ObjectionClosed(self, event: ChainEvent) -> None:
        objection = self.network.objections[event.args["id"]]
        verdicts = {ObjectionStatus.UPHELD: True, ObjectionStatus.REJECTED: False}
        right = self._is_right.get(objection.id)
        if right is None or objection.status not in verdicts:
            return
        status = objection.status.name.lower()
        says = f"the objection to {self._named(objection)} is {'right' if right else 'wrong'}, and was {status}"
        self.report.check("verdicts", verdicts[objection.status] is right, says)

    def _named(self, objection: Objection) -> str:
        if objection.kind is ObjectionKind.OUTCOMES:
            batch = self.network.batches[objection.subject]
            return f"batch {batch.manager}/{batch.sequence}"
        return f"leaf {objection.places[0]} of {objection.kind.name.lower()} root {objection.index}"

    # -- accounts and epochs

    def _after_AccountsPosted(self, event: ChainEvent) -> None:
        args, epoch = event.args, event.args["epoch"]
        root = self.network.accounts_roots[-1]
        try:
            data = served(self.network, root)
        except InferixError as error:
            self.report.check("accounts", False, f"epoch {epoch}: {error}")
            return
        self._check_probes(data)
        self._check_rows(data)
        right = accounts_data(self.network, epoch, {}).apparent
        self.report.check("accounts", data.apparent == right, f"epoch {epoch}: its apparent work is another")
        if not knows(self.network, data):
            return  # named above; an id far away would be a tree of billions of places
        of_accounts, of_nodes = accounts_tree(data).root, nodes_tree(data).root
        roots = (of_accounts.hash, of_nodes.hash) == (args["accounts_root"], args["nodes_root"])
        sums = split(of_accounts.sum) == (args["spent"], args["reserved"])
        sums = sums and split(of_nodes.sum) == (args["matured"], args["vesting"])
        self.report.check("accounts", roots and sums, f"epoch {epoch}: its roots are not those of its leaves")

    def _check_probes(self, data: AccountsData) -> None:
        """Who answered is the manager's word; how many there were to answer is not."""
        asked = probes_asked(self.network, data.epoch)
        for node, answered in sorted(data.probes):
            says = f"epoch {data.epoch}: node {node} has answered {answered} probes of {asked}"
            self.report.check("accounts", answered <= asked, says)

    def _check_rows(self, data: AccountsData) -> None:
        wrong = wrong_rows(self.network, data)
        self.report.checked["accounts"] += len(data.accounts) + len(data.nodes) - len(wrong)
        for row in wrong:
            what = "node" if row.kind is RootKind.NODES else "account"
            self.report.check(
                "accounts", False, f"epoch {data.epoch}: {what} {row.place} has another leaf than its sum"
            )

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
