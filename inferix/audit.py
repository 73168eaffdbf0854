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

from inferix.errors import InferixError
from inferix.messages import outcome_record
from inferix.models.anchor import AccountsData, RosterLeaf
from inferix.models.event import ChainEvent
from inferix.models.roles import BatchStatus, Outcome, RosterKind
from inferix.replay import Network
from inferix.replay.accounting import accounts_data, accounts_tree, final_leaves, nodes_tree, roster_leaves
from inferix.replay.settlement import commitment_of, outcome_leaf
from inferix.replay.state import Batch
from inferix.trees import split

RECENT = 64  # a roster may be computed some events before it is mined
KINDS = ("anchors", "seeds", "draws", "votes", "rosters", "batches", "leaves", "accounts", "epochs")


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
        self._rosters: deque[dict[RosterKind, list[RosterLeaf]]] = deque(maxlen=RECENT)
        self._probes: dict[int, dict[int, int]] = {}
        self._live_before: set[tuple[bytes, int]] = set()

    def run(self, events: Iterable[ChainEvent]) -> Report:
        """Replays everything; the report."""
        for event in events:
            before = getattr(self, f"_before_{event.name}", None)
            if before is not None:
                before(event)
            self.network.apply(event)
            self._rosters.append({kind: roster_leaves(self.network, kind) for kind in RosterKind})
            after = getattr(self, f"_after_{event.name}", None)
            if after is not None:
                after(event)
        self._count_decisions()
        return self.report

    def _after_Anchored(self, event: ChainEvent) -> None:
        lane, index = event.args["manager"], event.args["index"]
        self._pending[lane] = (event.block, event.args["root"])
        anchor = self.network.lane(lane).anchors[index]
        self.report.check("anchors", not anchor.problem, f"anchor {lane}/{index}: {anchor.problem}")

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

    def _after_RosterPosted(self, event: ChainEvent) -> None:
        kind, index = RosterKind(event.args["kind"]), event.args["index"]
        posted = self.network.posted_rosters[event.args["kind"], index]
        leaves = list(posted.roster.leaves.values()) if posted.roster else None
        true = any(leaves == recent[kind] for recent in self._rosters)
        self.report.check("rosters", true, f"{kind.name.lower()} roster {index} is not what the registry gives")

    def _before_Proposed(self, event: ChainEvent) -> None:
        """Before the batch marks its attempts, so that a second leaf of one attempt shows."""
        live = {(leaf.task, leaf.attempt) for batch in self._live() for leaf in batch.leaves}
        self._live_before = live

    def _after_Proposed(self, event: ChainEvent) -> None:
        batch = self.network.batches[event.args["commitment"]]
        name = f"batch {batch.manager}/{batch.sequence}"
        true = not batch.problem and commitment_of(batch.header) == batch.commitment
        self.report.check("batches", true, f"{name}: {batch.problem or 'its commitment is not that of its header'}")
        records = b"".join(outcome_record(leaf.task, leaf.node, leaf.charge, leaf.outcome) for leaf in batch.leaves)
        if batch.leaves:
            true = keccak(records) == batch.header["records"]
            self.report.check("batches", true, f"{name}: its records are not those of its leaves")
        for leaf in batch.leaves:
            self._check_leaf(name, leaf.task, leaf.attempt, leaf)

    def _check_leaf(self, name: str, task: bytes, number: int, leaf: object) -> None:
        where = f"{name}: task {task.hex()[:12]} attempt {number}"
        state = self.network.tasks.get(task)
        if state is None or number >= len(state.attempts) or state.attempts[number].outcome is None:
            self.report.check("leaves", False, f"{where} has no outcome")
            return
        expected = outcome_leaf(self.network, state, state.attempts[number])
        difference = [k for k in type(expected).model_fields if getattr(expected, k) != getattr(leaf, k)]
        twice = (task, number) in self._live_before
        says = "is settled twice" if twice else f"differs in {', '.join(difference)}"
        self.report.check("leaves", not difference and not twice, f"{where} {says}")

    def _after_AccountsPosted(self, event: ChainEvent) -> None:
        epoch = event.args["epoch"]
        body = self.network.document(event.args["data"])
        if body is None:
            self.report.check("accounts", False, f"epoch {epoch}: its data is not served")
            return
        try:
            data = AccountsData.decode(body, event.args["data"])
        except InferixError as error:
            self.report.check("accounts", False, f"epoch {epoch}: {error}")
            return
        self._probes[epoch] = {row[0]: row[1] for row in data.probes}
        right = accounts_data(self.network, epoch, self._probes)
        self._check_rows(epoch, "account", data.accounts, right.accounts)
        self._check_rows(epoch, "node", data.nodes, right.nodes)
        accounts, nodes = accounts_tree(data).root, nodes_tree(data).root
        args = event.args
        roots = (accounts.hash, nodes.hash) == (args["accounts_root"], args["nodes_root"])
        sums = split(accounts.sum) == (args["spent"], args["reserved"])
        sums = sums and split(nodes.sum) == (args["matured"], args["vesting"])
        self.report.check("accounts", roots and sums, f"epoch {epoch}: its roots are not those of its leaves")

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

    def _live(self) -> list[Batch]:
        return [batch for batch in self.network.batches.values() if batch.status is not BatchStatus.CANCELLED]

    def _count_decisions(self) -> None:
        """Draws and votes that counted; the reducer let them count only because they are right."""
        for state in self.network.tasks.values():
            for attempt in state.attempts:
                self.report.checked["draws"] += 1 if attempt.node else 0
                self.report.checked["votes"] += len(attempt.votes)
                if attempt.outcome is Outcome.ACCEPTED and not attempt.votes:
                    self.report.problems.append(f"votes: task {state.task.id.hex()[:12]} was accepted without votes")
        for text in self.network.refusals:
            if text.startswith("anchor "):
                self.report.problems.append(f"anchors: a message that does not count was anchored: {text}")


class Lookup(Mapping[bytes, bytes]):
    """Documents fetched when they are asked for, each once; what is not to be had is absent."""

    def __init__(self, fetch: Callable[[bytes], bytes]) -> None:
        self._fetch = fetch
        self._known: dict[bytes, bytes | None] = {}

    def __getitem__(self, digest: bytes) -> bytes:
        if digest not in self._known:
            try:
                self._known[digest] = self._fetch(digest)
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
