# SPDX-License-Identifier: Apache-2.0
"""The end of an epoch: fees collected and burned, the epoch closed, accounts posted and made final, rewards claimed.

Every step is a permissionless crank or the manager's duty, each done once; a keeper that was away catches up in order.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import groupby
from typing import Any

from sqlmodel import select

from inferix.errors import InferixError
from inferix.models.anchor import AccountsData, NodeLeaf
from inferix.models.roles import BatchStatus, NodeStatus, ObjectionKind, ObjectionStatus
from inferix.replay import Network
from inferix.replay.accounting import accounts_data, accounts_tree, claimable, nodes_tree
from inferix.replay.answers import inclusion
from inferix.replay.availability import withheld
from inferix.replay.settlement import CHUNK, LEASES, unpaid_leases
from inferix.replay.state import AccountsRoot, Batch, Job
from inferix.storage.documents import put_chunked
from inferix.storage.tables import Event
from inferix.trees import flat, split
from keepers.chunks import NO_REWARD
from keepers.desk import MONEY, WORK, Desk, Due

log = logging.getLogger(__name__)

DIVIDING = ("FeeBurner", "Leases", "BalanceClaims")
"""Where a part of the coins waits for the foundation."""
CLAIMS_AT_ONCE = 50
PAID_ONE_IN = 4
"""Of a chunk's rows, at least, for it to be claimed as one: the others cost calldata and hashes."""
LEASES_AT_ONCE = 4
"""Leases are paid while fewer transactions than that wait in the lane: what has its hour finds a place beside them."""
LEASES_LOOKED_AT = 64
"""Of those that are to be paid, in a cycle."""
CLOSE_ANYWAY = 6 * 3_600
COLLECT_EVERY = 86_400
COIN_UNIT = 1_000  # nano-USD of a 6-decimals coin


def uncollected(network: Network) -> list[str]:
    """Coins with final charges that are not collected."""
    charged: Counter[int] = Counter()
    for batch in network.batches.values():
        if batch.status is BatchStatus.FINAL and batch.coin < LEASES:
            voided = sum(leaf.charge for index, leaf in enumerate(batch.leaves) if index in batch.voided)
            charged[batch.coin] += batch.charge - voided
    return [
        network.coins[coin]
        for coin, amount in sorted(charged.items())
        if amount - network.released.get(network.coins[coin], 0) >= COIN_UNIT
    ]


def decide_collect(network: Network) -> list[str]:
    """Coins to collect: those with charges once a day and when the epoch is over, and those of which some waits to be
    burned after each pause that a pool asks for."""
    over = network.time >= network.epoch_end(len(network.epochs))
    pause = network.parameters["swap_interval"]
    charged = [
        coin
        for coin in uncollected(network)
        if over or network.time >= network.collected_at.get(coin, 0) + COLLECT_EVERY
    ]
    waiting = [
        coin
        for coin, units in sorted(network.to_burn.items())
        if units and coin not in charged and network.time >= network.bought_at.get(coin, 0) + pause
    ]
    return charged + waiting


def decide_close(network: Network) -> int | None:
    """The epoch to close: over, and its fees are burned; or they cannot be, and nobody shall wait for that for ever."""
    epoch = len(network.epochs)
    over = network.time - network.epoch_end(epoch)
    burned = not uncollected(network) and not any(network.to_burn.values())
    return epoch if over >= 0 and (over >= CLOSE_ANYWAY or burned) else None


def decide_post(network: Network) -> int | None:
    """The closed epoch whose accounts are to be posted: the newest of which no anchor is withheld, when something has
    changed since the last final root. None while one waits, but for one that is held up beyond a panel's time."""
    waiting, final = network.waiting_accounts(), network.final_accounts()
    if not network.epochs or (waiting is not None and not is_held_up(network, waiting)):
        return None
    posted = final.epoch if final is not None else -1
    newest = len(network.epochs) - 1
    hidden = min((anchor.timestamp for _, anchor in withheld(network, network.epoch_end(newest))), default=None)
    if hidden is not None:
        newest = network.epoch_at(hidden - 1) - 1
    if waiting is not None and newest < waiting.epoch:
        return None  # only accounts of its epoch or a later one overtake it
    changed = any(epoch.charge or epoch.minted or epoch.pooled for epoch in network.epochs[posted + 1 : newest + 1])
    return newest if changed else None


def is_held_up(network: Network, root: AccountsRoot) -> bool:
    """Whether the next accounts may overtake this root: every panel about it could have decided."""
    term = sum(network.parameters[name] for name in ("accounts_window", "answer_window", "panel_window"))
    about = (item for item in network.objections.values() if item.status is ObjectionStatus.OPEN)
    kinds = (ObjectionKind.ACCOUNT, ObjectionKind.NODE)
    is_open = any(item.kind in kinds and item.index == root.index for item in about)
    return is_open and network.passed(root.posted_at) >= term


def decide_final(network: Network) -> AccountsRoot | None:
    """The waiting root whose window is over."""
    root = network.waiting_accounts()
    if root is None or network.passed(root.posted_at) < network.parameters["accounts_window"]:
        return None
    return root


def decide_claims(network: Network, root: AccountsRoot, data: AccountsData) -> list[NodeLeaf]:
    """Leaves with something to pay out, of nodes that may be paid."""
    time = min(network.time, root.cut_off + network.parameters["claim_horizon"])
    found = []
    for leaf in data.nodes:
        node = network.nodes.get(leaf.node)
        frozen = node is not None and node.status in (NodeStatus.FROZEN, NodeStatus.BANNED)
        earned = claimable(leaf, time, network.parameters["worker_vesting"])
        if not frozen and earned > network.claimed.get(leaf.node, 0):
            found.append(leaf)
    return found


def claim_calls(
    data: AccountsData, leaves: list[NodeLeaf], done: Callable[[int], bool] = lambda _: False
) -> Iterator[tuple[int, str, list[Any]]]:
    """(first node, function, arguments) that pay these leaves: neighbours under one proof, a third cheaper, where
    enough of a chunk are paid; the others each with its own. ``done``: whose call, by its first node, is made already:
    for that nothing is worked out."""
    if not leaves:
        return
    rows, apart = {row.node: row for row in data.nodes}, list[NodeLeaf]()
    tree = cache(lambda: nodes_tree(data))
    height = min(CHUNK.bit_length() - 1, max(rows).bit_length())
    for number, group in groupby(leaves, key=lambda leaf: leaf.node >> height):
        part, first = list(group), number << height
        places = [rows.get(at) for at in range(first, min(first + (1 << height), max(rows) + 1))]
        if len(part) == 1 or len(part) * PAID_ONE_IN < sum(place is not None for place in places):
            apart += part
            continue
        if done(first):
            continue
        values = [place.model_dump() if place else NO_REWARD for place in places]
        yield first, "claim_chunk", [first, height, values, flat(tree().proof(first)[height:])]
    for at in range(0, len(apart), CLAIMS_AT_ONCE):
        part = apart[at : at + CLAIMS_AT_ONCE]
        if done(part[0].node):
            continue
        proofs = [flat(tree().proof(leaf.node)) for leaf in part]
        yield part[0].node, "claim_many", [[leaf.model_dump() for leaf in part], proofs]


def decide_leases(network: Network, manager: int) -> list[Due]:
    """Each final lease of a lane that was not paid yet."""
    return [
        (
            f"lease:{leaf.task.hex()}",
            "pay",
            partial(_lease, batch, index, network.jobs[network.tasks[leaf.task].task.job]),
        )
        for batch, index, leaf in unpaid_leases(network)
        if batch.manager == manager
    ]


def _lease(batch: Batch, index: int, job: Job) -> tuple[object, ...]:
    """The leaf as an Inclusion, and the order's record."""
    return inclusion(batch, index), job.order.record(job.signature)


@dataclass
class EpochKeeper:
    """One step a cycle and kind, but for leases; ``_last_lease``: key of the one that was looked at last."""

    desk: Desk
    _final: tuple[bytes, AccountsData] | None = field(default=None, init=False)
    _last_lease: str = field(default="", init=False)

    def cycle(self) -> None:
        """Does what is due, leases last: there may be thousands."""
        with self.desk.follower.reading() as network:
            coins = [(coin, network.to_burn.get(coin, 0)) for coin in decide_collect(network)]
            close, final = decide_close(network), decide_final(network)
            charged = sum(batch.charge for batch in network.batches.values() if batch.status is BatchStatus.FINAL)
            post = decide_post(network)
            leases = decide_leases(network, self.desk.manager)
            held = network.waiting_accounts()
            over = held.index if held is not None else 0
            key = f"accounts:{post}:{self._cancelled()}:{over}" if post is not None else ""
            wanted = post is not None and not self.desk.sender.done(key)
            data = accounts_data(network, post) if wanted and post is not None else None
        send = partial(self.desk.try_send, MONEY)
        turns: list[Callable[[], object]] = [
            partial(send, f"collect:{coin}:{charged}:{left}", "FeeBurner", "collect", coin) for coin, left in coins
        ]
        if close is not None:
            turns.append(partial(send, f"close:{close}", "BurnMintWork", "close_epoch"))
        if data is not None:
            turns.append(partial(self._try_post, key, data))
        if final is not None:
            name = f"accounts-final:{final.epoch}:{final.posted_at}"
            turns.append(partial(send, name, "Accounts", "finalize"))
        self.desk.try_each([*turns, self._claim, partial(self._pay_leases, leases)])

    def _pay_leases(self, leases: list[Due]) -> None:
        """A few, each in its turn: those that Leases refuses, or that are on their way, keep no other waiting."""
        room, due = LEASES_AT_ONCE - self.desk.sender.waiting(MONEY), list[Due]()
        in_turn = sorted(leases, key=lambda lease: (lease[0] <= self._last_lease, lease[0]))
        for lease in in_turn[:LEASES_LOOKED_AT]:
            if len(due) >= room:
                break
            self._last_lease = lease[0]
            if not self.desk.sender.done(lease[0]):
                due.append(lease)
        self.desk.try_each([partial(self.desk.try_due, MONEY, "Leases", lease) for lease in due])

    def _cancelled(self) -> int:
        """How many roots were cancelled: what is posted after one, or over one that is held up, is another action."""
        with self.desk.database.reading() as session:
            return len(session.exec(select(Event.id).where(Event.name == "AccountsCancelled")).all())

    def _try_post(self, key: str, data: AccountsData) -> None:
        try:
            self._post(key, data)
        except InferixError as error:  # no reason for all else to rest
            log.error("the accounts of epoch %d cannot be posted: %s", data.epoch, error)

    def _post(self, key: str, data: AccountsData) -> None:
        accounts, nodes = accounts_tree(data).root, nodes_tree(data).root
        digest = put_chunked(self.desk.store, data)
        (spent, reserved), (matured, vesting) = split(accounts.sum), split(nodes.sum)
        roots = (accounts.hash, spent, reserved, nodes.hash, matured, vesting)
        if self.desk.try_send(WORK, key, "Accounts", "post", data.epoch, *roots, digest):
            counts = len(data.accounts), len(data.nodes)
            log.info("posted the accounts of epoch %d: %d accounts, %d nodes", data.epoch, *counts)

    def _final_data(self, network: Network, digest: bytes) -> AccountsData | None:
        """The final accounts, opened once: they may be large."""
        if self._final is None or self._final[0] != digest:
            data = AccountsData.read(digest, network.document)
            self._final = (digest, data) if data is not None else None
        return self._final[1] if self._final is not None else None

    def _claim(self) -> None:
        with self.desk.follower.reading() as network:
            root = network.final_accounts()
            data = self._final_data(network, root.data) if root else None
            if root is None or data is None:
                return
            leaves = decide_claims(network, root, data)
            shares = [(lane, coin) for lane in sorted(network.lanes) for coin in sorted(network.released)]
            known = [network.coins[index] for index in sorted(network.coins)]
        epoch, sender = root.epoch, self.desk.sender
        for first, function, arguments in claim_calls(data, leaves, lambda at: sender.done(f"claim:{epoch}:{at}")):
            self.desk.try_send(MONEY, f"claim:{epoch}:{first}", "Accounts", function, *arguments)
        for lane, coin in shares:
            key = f"claim-manager:{root.epoch}:{lane}:{coin}"
            self.desk.try_send(MONEY, key, "FeeBurner", "claim_manager", lane, coin)
        self.desk.try_each([partial(self._pay_foundation, epoch, place, coin) for place in DIVIDING for coin in known])

    def _pay_foundation(self, epoch: int, place: str, coin: str) -> None:
        self.desk.try_send(MONEY, f"foundation:{epoch}:{place}:{coin}", place, "pay_foundation", coin)
