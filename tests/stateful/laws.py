# SPDX-License-Identifier: Apache-2.0
"""What is true of the contracts whatever the model says: their own logs in order, what leaves stand behind roots, and views."""

from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from inferix.models.anchor import BatchData
from inferix.models.event import ChainEvent

Charge = tuple[bytes, int, int]  # of a task on an account, nano-USD


class Views(Protocol):
    """What the laws see beside the logs: views, and documents by their digests."""

    documents: dict[bytes, bytes]

    def read(self, name: str, function: str, *arguments: int) -> int:
        """A view."""


class Laws:
    """Stake and charges as the logs tell them. Each law raises AssertionError where a log breaks it."""

    def __init__(self, views: Views) -> None:
        self.views = views
        self.stake: Counter[int] = Counter()  # all that a slash can reach, by node
        self.frozen: Counter[int] = Counter()
        self.open: dict[bytes, int] = {}  # cases and contradictions, and against which node
        self.headers: dict[bytes, tuple[int, bytes]] = {}  # of batches: coin, digest of the leaves
        self.alone: dict[bytes, list[Charge]] = {}  # the one leaf of a batch that Escape proposed, which its log has
        self.voided: dict[bytes, set[int]] = {}
        self.paid_in: Counter[int] = Counter()  # by account: topped up, less withdrawn
        self.charged: dict[bytes, int] = {}  # by task, finally
        self.spent: Counter[int] = Counter()  # by account
        self.final: Counter[int] = Counter()  # by coin
        self.leased: set[bytes] = set()

    def read(self, events: Iterable[ChainEvent]) -> None:
        """Goes on over these logs; then the views have to say the same."""
        touched = set()
        for event in events:
            args = event.args
            match event.contract:
                case "staking" if "node" in args:
                    self._stake(event.name, args["node"], args.get("amount", 0))
                    touched.add(args["node"])
                case "panels" | "contradictions":
                    self._case(event)
                case "batches":
                    self._batch(event)
                case "escape" if event.name == "Escaped":
                    leaf = args["leaf"]
                    self.alone[args["commitment"]] = [(leaf["task"], leaf["account"], leaf["charge"])]
                case "ifx_dollar" if event.name == "ToppedUp":
                    self.paid_in[args["account"]] += args["credit"]
                case "ifx_dollar" if event.name == "Withdrawn":
                    self.paid_in[args["account"]] -= args["amount"]
                    self._check_credit(args["account"])
                case "leases" if event.name == "LeasePaid":
                    assert args["task"] not in self.leased, "a lease paid twice"
                    assert self.charged.get(args["task"]) == args["charge"], "a lease paid that was not charged"
                    self.leased.add(args["task"])
        for node in touched:
            assert self.views.read("staking", "frozen", node) == self.frozen[node], "frozen, and no log of it"
        for coin, charge in self.final.items():
            assert self.views.read("batches", "final_charge", coin) == charge, "charged otherwise than leaf by leaf"

    # -- no stake leaves while it may be taken

    def _stake(self, name: str, node: int, amount: int) -> None:
        match name:
            case "Staked" | "DelegatedBonded":
                self.stake[node] += amount
            case "Frozen":
                self.frozen[node] += amount
            case "Unfrozen":
                self.frozen[node] -= amount
            case "Slashed":
                self.stake[node] -= amount
                self.frozen[node] = min(self.frozen[node], self.stake[node])
            case "StakeWithdrawn" | "DelegatedPaid":
                assert node not in self.open.values(), "stake left while a case was open"
                self.stake[node] -= amount
                assert self.stake[node] >= self.frozen[node], "frozen stake left"
                assert name == "StakeWithdrawn" or not self.frozen[node], "a delegator left while stake was frozen"

    def _case(self, event: ChainEvent) -> None:
        args = event.args
        match event.name:
            case "CaseFrozen":
                self.open[args["case"]] = args["node"]
            case "VoteContradicted":
                self.open[args["id"]] = args["verifier"]
            case "CaseCleared" | "CaseSlashed":
                del self.open[args["case"]]
            case "ContradictionClosed":
                del self.open[args["id"]]

    # -- no task is both charged and given back

    def _batch(self, event: ChainEvent) -> None:
        commitment = event.args.get("commitment", b"")
        match event.name:
            case "Proposed":
                header = event.args["header"]
                self.headers[commitment] = (header["coin"], header["data"])
            case "LeafVoided":
                assert commitment in self.headers, "a leaf given back of a batch that is final or fell"
                self.voided.setdefault(commitment, set()).add(event.args["index"])
            case "BatchCancelled":
                assert self.headers.pop(commitment, None), "a batch fell that was final"
            case "BatchFinalized":
                coin, data = self.headers.pop(commitment)
                leaves = self.alone.get(commitment) or self._leaves(data)
                void = self.voided.get(commitment, set())
                self._charge(coin, [leaf for at, leaf in enumerate(leaves) if at not in void])

    def _leaves(self, digest: bytes) -> list[Charge]:
        first = BatchData.decode(self.views.documents[digest], digest)
        more = [BatchData.decode(self.views.documents[chunk], chunk) for chunk in first.chunks]
        return [(leaf.task, leaf.account, leaf.charge) for data in (first, *more) for leaf in data.leaves]

    def _charge(self, coin: int, leaves: list[Charge]) -> None:
        self.final[coin] += 0  # where every leaf is void, the contract has to say so too
        for task, account, charge in (leaf for leaf in leaves if leaf[2]):
            assert task not in self.charged, "a task charged twice"
            self.charged[task] = charge
            self.spent[account] += charge
            self.final[coin] += charge
            self._check_credit(account)

    def _check_credit(self, account: int) -> None:
        assert self.spent[account] <= self.paid_in[account], "money charged, and paid back to its client"
