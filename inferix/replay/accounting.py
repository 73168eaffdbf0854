# SPDX-License-Identifier: Apache-2.0
"""What everybody has at the end of an epoch: clients' accounts, nodes' rewards, rosters. Pure; integers only.

Rewards: an epoch's mint is split workers : verifiers : managers = 30 : 6 : 1. Workers share by proof of delivery
(fees of accepted tasks, and of those that a panel says they did right) and, ``poc_bps`` of it, by proof of capacity
(IB x answered probes, of those that take the tasks drawn for them), both times reputation; verifiers by the work they
checked; managers by the fees of their lanes. What the penalty pool hands over is the verifiers', by the same work; a
fine never goes to who judged it. Shares round down; the dust is leaf 0's, which the penalty pool owns.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from inferix.models.anchor import AccountLeaf, AccountsData, NodeLeaf, RosterLeaf
from inferix.models.roles import BatchStatus, ClearedBy, NodeStatus, Outcome, Role, RosterKind
from inferix.replay.network import Network
from inferix.replay.reputation import FULL_REPUTATION, final_leaves
from inferix.replay.settlement import PROPOSED_ANEW, UNPROPOSED_AFTER
from inferix.replay.state import Epoch, Fine, Job, Node, Record
from inferix.trees import Tree, account_leaf, node_leaf
from inferix.units import mul_div_down

SHARES = {Role.WORKER: 30, Role.VERIFIER: 6, Role.MANAGER: 1}
BPS = 10_000


@dataclass
class Reward:
    """A node's cumulative reward, wei."""

    matured: int = 0
    vesting: int = 0
    start: int = 0


@dataclass
class EpochRewards:
    """What one epoch's mint and fines gave to whom, wei; ``dust`` to the penalty pool.

    ``waiting``: fines that everybody who checked had judged: they come back with the dust, still not for these.
    """

    workers: dict[int, int] = field(default_factory=dict)
    verifiers: dict[int, int] = field(default_factory=dict)
    managers: dict[int, int] = field(default_factory=dict)
    dust: int = 0
    waiting: tuple[Fine, ...] = ()


def epoch_rewards(network: Network, epoch: Epoch, waiting: tuple[Fine, ...] = ()) -> EpochRewards:
    """How the mint of a closed epoch is shared, and what the penalty pool handed over.

    ``waiting``: fines of earlier epochs.
    """
    fees: dict[int, int] = {}
    checked: dict[int, int] = {}
    lanes: dict[int, int] = {}
    for batch, leaf in final_leaves(network, epoch.index):
        if leaf.outcome is Outcome.ACCEPTED:
            fees[leaf.node] = fees.get(leaf.node, 0) + leaf.charge
        if leaf.outcome is not Outcome.LEASED:  # a lease is no work: nothing is minted for it
            lanes[batch.manager] = lanes.get(batch.manager, 0) + leaf.charge
        state = network.tasks.get(leaf.task)
        for at in range(0, 32, 4):
            voter = int.from_bytes(leaf.voters[at : at + 4], "big")
            if voter and state is not None:
                checked[voter] = checked.get(voter, 0) + state.task.work
    for node, charge in restored(network, epoch.index):
        fees[node] = fees.get(node, 0) + charge
    capacity = {
        node: speed for node, speed in epoch.record.presence.capacity.items() if node not in epoch.record.absent
    }
    fees, capacity = (_weighed(weights, epoch.record) for weights in (fees, capacity))
    total = sum(SHARES.values())
    part = {role: epoch.minted * share // total for role, share in SHARES.items()}
    for_capacity = part[Role.WORKER] * epoch.poc_bps // BPS if sum(capacity.values()) else 0
    delivered = _share(part[Role.WORKER] - for_capacity, fees)
    present = _share(for_capacity, capacity)
    rewards = EpochRewards(
        workers={node: delivered.get(node, 0) + present.get(node, 0) for node in {*delivered, *present}},
        verifiers=_share(part[Role.VERIFIER], checked),
        managers=_share(part[Role.MANAGER], lanes),
    )
    fines, rewards.waiting = _share_pool(epoch, checked, waiting)
    rewards.verifiers = _added(rewards.verifiers, fines)
    paid = (sum(group.values()) for group in (rewards.workers, rewards.verifiers, rewards.managers))
    rewards.dust = epoch.minted + epoch.pooled - sum(paid)
    return rewards


def restored(network: Network, epoch: int) -> Iterator[tuple[int, int]]:
    """Workers whose appeals were won in an epoch, and the fee of each frame: as much as whoever redid it.

    The client paid once, to that one; what is minted for the epoch is shared with this one too.
    """
    won = [
        case
        for case in network.cases.values()
        if case.reason is ClearedBy.PANEL_REVERSED and network.epoch_at(case.ended_at) == epoch
    ]
    tasks = {case.task for case in won}
    charges = dict.fromkeys(tasks, 0)
    for index in range(epoch + 1 if tasks else 0):
        for _, leaf in final_leaves(network, index):
            if leaf.task in tasks and leaf.outcome is Outcome.ACCEPTED:
                charges[leaf.task] += leaf.charge
    yield from ((case.node, charges[case.task]) for case in won)


def _weighed(weights: Mapping[int, int], record: Record) -> dict[int, int]:
    """Times reputation, per mille."""
    return {node: weight * record.reputation.get(node, FULL_REPUTATION) for node, weight in weights.items()}


def _share_pool(
    epoch: Epoch, checked: Mapping[int, int], waiting: tuple[Fine, ...]
) -> tuple[dict[int, int], tuple[Fine, ...]]:
    """Each fine among those who did not judge it, the rest (dust, forfeits, gifts) among all who checked."""
    shares: dict[int, int] = {}
    left, unpaid = epoch.pooled, []
    for fine in (*waiting, *epoch.fines):
        allowed = {node: work for node, work in checked.items() if node not in fine.barred}
        shares = _added(shares, _share(min(fine.amount, left), allowed))
        left -= min(fine.amount, left)
        if not allowed or not epoch.pooled:
            unpaid.append(fine)
    return _added(shares, _share(left, checked)), tuple(unpaid)


def _added(left: Mapping[int, int], right: Mapping[int, int]) -> dict[int, int]:
    return {node: left.get(node, 0) + right.get(node, 0) for node in {*left, *right}}


def _share(amount: int, weights: Mapping[int, int]) -> dict[int, int]:
    total = sum(weights.values())
    return {node: mul_div_down(amount, weight, total) for node, weight in weights.items() if weight} if total else {}


def node_rewards(network: Network, epoch: int) -> dict[int, Reward]:
    """Cumulative rewards of every node up to an epoch's cut-off; node 0 holds the dust.

    A grant matures at the first cut-off that its time has come by, as the vesting time was then, and stays so: what has
    matured never becomes less, or Accounts would refuse every later root.
    """
    rewards: dict[int, Reward] = {0: Reward()}
    closed = network.epochs[: epoch + 1]
    waiting: tuple[Fine, ...] = ()
    for at, item in enumerate(closed):
        start = network.epoch_end(item.index)
        shared = epoch_rewards(network, item, waiting)
        waiting = shared.waiting
        rewards[0].matured += shared.dust
        for group in (shared.verifiers, shared.managers):
            for node, amount in group.items():
                rewards.setdefault(node, Reward()).matured += amount
        is_over = any(start + later.worker_vesting <= network.epoch_end(later.index) for later in closed[at:])
        for node, amount in shared.workers.items():
            reward = rewards.setdefault(node, Reward())
            at_once = amount if is_over else amount * item.matured_bps // BPS
            reward.matured += at_once
            reward.vesting += amount - at_once
            reward.start += (amount - at_once) * start
    return rewards


def claimable(leaf: NodeLeaf, time: int, vesting_time: int) -> int:
    """``a + clamp((t * P - start) / vesting time, 0, P)`` in wei; the contract subtracts what was claimed."""
    streamed = (time * leaf.vesting - leaf.start) // vesting_time
    return leaf.matured + max(0, min(streamed, leaf.vesting))


def reserved(network: Network, job: Job, epoch: int, charged: int) -> int:
    """What an order still holds at a cut-off: its cap less the final charges, until all its leaves are final."""
    cut_off = network.epoch_end(epoch)
    if job.posted_at > cut_off or job.status == "void":
        return 0
    if job.ended_at and job.ended_at <= cut_off and _settled(network, job, epoch):
        return 0
    end = network.ends_at(job.order.deadline, UNPROPOSED_AFTER)
    if cut_off >= end and not _in_progress(network, job, cut_off):  # which looks at every batch: few get this far
        return 0
    return max(0, job.order.cap - charged)


def _in_progress(network: Network, job: Job, cut_off: int) -> bool:
    """Whether at the cut-off a batch waited that charges the order, or leaves may be proposed anew since one fell."""
    tasks = {state.task.id for state in job.tasks}
    for batch in network.batches.values():
        is_open = batch.proposed_at <= cut_off and not 0 < batch.final_at <= cut_off
        if batch.cancelled_at:
            is_open = is_open and cut_off < network.ends_at(batch.cancelled_at, PROPOSED_ANEW)
        if is_open and any(leaf.task in tasks for leaf in batch.leaves):
            return True
        for index, time in batch.freed.items():
            if batch.leaves[index].task in tasks and time <= cut_off < network.ends_at(time, PROPOSED_ANEW):
                return True
    return False


def _settled(network: Network, job: Job, epoch: int) -> bool:
    for state in job.tasks:
        for attempt in state.attempts:
            batch = network.batches.get(attempt.batch or b"")
            if 0 < attempt.voided_at <= network.epoch_end(epoch):
                continue
            if attempt.node and (batch is None or batch.status is not BatchStatus.FINAL or batch.epoch > epoch):
                return False
    return True


def accounts_data(network: Network, epoch: int) -> AccountsData:
    """The accounts of a closed epoch: cumulative leaves of all clients and nodes."""
    spent: dict[int, int] = {}
    by_job: dict[bytes, int] = {}
    for index in range(epoch + 1):
        for _, leaf in final_leaves(network, index):
            spent[leaf.account] = spent.get(leaf.account, 0) + leaf.charge
            state = network.tasks.get(leaf.task)
            if state is not None:
                by_job[state.task.job] = by_job.get(state.task.job, 0) + leaf.charge
    held: dict[int, int] = {}
    for job in network.jobs.values():
        amount = reserved(network, job, epoch, by_job.get(job.id, 0))
        held[job.order.account] = held.get(job.order.account, 0) + amount
    rewards = node_rewards(network, epoch)
    return AccountsData(
        epoch=epoch,
        accounts=[
            AccountLeaf(account=account, spent=spent.get(account, 0), reserved=held.get(account, 0))
            for account in sorted(network.accounts)
        ],
        nodes=[
            NodeLeaf(node=node, matured=reward.matured, vesting=reward.vesting, start=reward.start)
            for node, reward in sorted(rewards.items())
        ],
        apparent=sum(item.record.apparent for item in network.epochs[epoch : epoch + 1]),
    )


def accounts_tree(data: AccountsData) -> Tree:
    """Leaf index = account id; place 0 is empty."""
    return clients_tree(data.accounts)


def clients_tree(accounts: Iterable[AccountLeaf]) -> Tree:
    """That of these accounts."""
    leaves = {leaf.account: account_leaf(leaf) for leaf in accounts}
    return Tree([leaves.get(at) for at in range(max(leaves, default=0) + 1)])


def nodes_tree(data: AccountsData) -> Tree:
    """Leaf index = node id; place 0 is the dust's."""
    leaves = {leaf.node: node_leaf(leaf) for leaf in data.nodes}
    return Tree([leaves.get(at) for at in range(max(leaves, default=0) + 1)])


def roster_leaves(network: Network, kind: RosterKind) -> list[RosterLeaf]:
    """Who can be drawn now."""
    role = Role.WORKER if kind is RosterKind.WORKERS else Role.VERIFIER
    nodes = sorted(node.id for node in network.nodes.values() if node.role is role)
    return [leaf for node in nodes if (leaf := roster_leaf(network, node)) is not None]


def roster_leaf(network: Network, id: int) -> RosterLeaf | None:
    """A node's leaf in the roster of its role; None when it cannot be drawn. A worker weighs its IB times its
    reputation, a verifier the same as any other."""
    node = network.nodes.get(id)
    if node is None or node.role is Role.MANAGER or not eligible(node):
        return None
    reputation = network.epochs[-1].record.reputation if network.epochs else {}
    is_worker = node.role is Role.WORKER
    return RosterLeaf(
        node=node.id,
        ib=node.ib,
        price=max(node.price, network.parameters["price_floor"]) if is_worker else 0,
        device_class=node.device_class,
        weight=(node.ib if is_worker else 1) * reputation.get(node.id, FULL_REPUTATION),
    )


def eligible(node: Node) -> bool:
    """Active, bonded and, for a worker, measured."""
    return node.status is NodeStatus.ACTIVE and node.qualified and (node.ib > 0 or node.role is not Role.WORKER)
