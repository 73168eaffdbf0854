# SPDX-License-Identifier: Apache-2.0
"""Every token an address has anywhere: amount, place, state, when it is free and by which call; hands add up."""

from collections.abc import Iterable

import pytest

from inferix.models.anchor import AccountsData, NodeLeaf
from inferix.models.roles import NodeStatus, Outcome
from inferix.money import Holding, OnChain, holdings
from inferix.replay.accounting import accounts_data
from tests.replay.chain import COIN, GENESIS, MANAGER, VERIFIERS, WORKERS, Chain, address
from tests.replay.objecting import close, contradict, object_to_outcomes, propose_all

MINTED = 37 * 10**18 + 7
CREDIT, STAKE = 100 * 10**9, 10**20
MONTH = 30 * 86_400


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    chain.start()
    return chain


def settled(chain: Chain) -> AccountsData:
    """A job whose accounts are final."""
    job = chain.order()
    chain.run(chain.state(job, 0), Outcome.REJECTED)
    for state in chain.network.jobs[job].tasks:
        chain.run(state)
    chain.settle()
    chain.close_epoch(MINTED)
    data = accounts_data(chain.network, 0)
    chain.post_accounts(data)
    chain.wait(86_400)
    chain.emit("AccountsFinalized", epoch=0)
    return data


def of(chain: Chain, who: int, now: OnChain | None = None, final: AccountsData | None = None) -> list[Holding]:
    return holdings(chain.network, address(who), now or OnChain(), final)


def owner(node: int) -> int:
    return 100 + node


def amount(rows: Iterable[Holding], unit: str, *states: str) -> int:
    return sum(row.amount for row in rows if row.unit == unit and (not states or row.state in states))


# -- clients


def test_a_clients_credit_is_free_reserved_or_waiting_and_adds_up(chain: Chain) -> None:
    chain.order(cap=40 * 10**9)
    chain.emit("WithdrawalRequested", account=1, amount=10 * 10**9)
    where = "IfxDollar account 1"
    free, reserved, waiting = of(chain, 0)
    assert free == Holding(where, 50 * 10**9, "ifxDollar", "free", 0, "IfxDollar.request_withdrawal")
    assert (reserved.amount, reserved.state, reserved.free_at) == (40 * 10**9, "reserved", None)
    assert reserved.call == "Accounts.finalize"
    assert "the accounts of the epoch they end in" in reserved.note
    assert (waiting.amount, waiting.state, waiting.call) == (10 * 10**9, "waiting", "IfxDollar.withdraw")
    assert amount([free, reserved, waiting], "ifxDollar") == CREDIT


def test_what_was_spent_is_nobodys_credit_any_more(chain: Chain) -> None:
    data = settled(chain)
    (row,) = of(chain, 0, final=data)
    charged = sum(leaf.spent for leaf in data.accounts)
    assert charged == 2 * 16_001 + 8_000
    assert row.amount == CREDIT - charged
    chain.emit("WithdrawalRequested", account=1, amount=row.amount)
    (waiting,) = of(chain, 0)
    assert (waiting.state, waiting.amount) == ("waiting", row.amount)
    chain.emit("Withdrawn", account=1, amount=row.amount)
    assert of(chain, 0) == []


def test_a_request_that_was_cancelled_is_free_again(chain: Chain) -> None:
    chain.emit("WithdrawalRequested", account=1, amount=CREDIT)
    assert [row.state for row in of(chain, 0)] == ["waiting"]
    chain.emit("RequestCancelled", account=1, amount=CREDIT)
    assert [(row.state, row.amount) for row in of(chain, 0)] == [("free", CREDIT)]


def test_a_wallets_tokens_and_accounts_in_two_coins_are_told_apart(chain: Chain) -> None:
    other = "0x" + "dd" * 20
    chain.emit("ToppedUp", account=2, owner=address(0), coin=other, amount=1, credit=7)
    rows = of(chain, 0, OnChain(wallet={"ifx": 3, COIN: 4, other: 0}))
    assert [(row.where, row.unit, row.amount, row.call) for row in rows] == [
        ("wallet", COIN, 4, "transfer"),
        ("wallet", "ifx", 3, "transfer"),
        ("IfxDollar account 1", "ifxDollar", CREDIT, "IfxDollar.request_withdrawal"),
        ("IfxDollar account 2", "ifxDollar", 7, "IfxDollar.request_withdrawal"),
    ]


def test_a_stranger_has_nothing(chain: Chain) -> None:
    assert of(chain, 55, final=settled(chain)) == []


# -- stake


def test_stake_is_bonded_unbonding_or_frozen_and_adds_up(chain: Chain) -> None:
    node = WORKERS[0]
    (whole,) = of(chain, owner(node))
    assert (whole.amount, whole.state, whole.call) == (STAKE, "bonded", "Staking.unbond")
    assert whole.free_at == chain.network.time + chain.network.parameters["unbonding"]
    assert whole.where == f"Staking, node {node} (worker)"
    chain.emit("Unbonding", node=node, amount=3 * 10**19, free_at=77)
    chain.emit("Frozen", node=node, amount=2 * 10**19)
    rows = of(chain, owner(node), OnChain(unbonding={node: 77}))
    found = {row.state: (row.amount, row.free_at, row.call) for row in rows}
    assert found["bonded"][0] == 5 * 10**19
    assert found["unbonding"] == (3 * 10**19, 77, "Staking.withdraw")
    assert found["frozen"] == (2 * 10**19, None, "Panels.appeal")
    assert amount(rows, "ifx") == STAKE


def test_more_frozen_than_is_bonded_is_taken_from_what_leaves(chain: Chain) -> None:
    node = WORKERS[0]
    chain.emit("Unbonding", node=node, amount=9 * 10**19, free_at=77)
    chain.emit("Frozen", node=node, amount=3 * 10**19)
    rows = of(chain, owner(node))
    assert {row.state: row.amount for row in rows} == {"unbonding": 7 * 10**19, "frozen": 3 * 10**19}
    assert amount(rows, "ifx") == STAKE


def test_a_slash_and_a_withdrawal_leave_what_is_left(chain: Chain) -> None:
    node = WORKERS[0]
    chain.emit("Frozen", node=node, amount=2 * 10**19)
    chain.emit("Unfrozen", node=node, amount=2 * 10**19)
    chain.emit("Slashed", node=node, amount=2 * 10**19, burned=10**19, pooled=10**19)
    chain.emit("Unbonding", node=node, amount=5 * 10**19, free_at=77)
    chain.emit("StakeWithdrawn", node=node, owner=address(owner(node)), amount=5 * 10**19)
    assert [(row.state, row.amount) for row in of(chain, owner(node))] == [("bonded", 3 * 10**19)]


def test_what_others_delegated_is_not_the_owner_s(chain: Chain) -> None:
    node = WORKERS[0]
    chain.emit("DelegatedBonded", node=node, amount=STAKE)
    chain.emit("DelegatedUnbonding", node=node, amount=STAKE // 2)
    chain.emit("Frozen", node=node, amount=STAKE // 2 + 1)
    rows = of(chain, owner(node))
    assert {row.state: row.amount for row in rows} == {"frozen": STAKE // 4 + 1, "bonded": STAKE * 3 // 4 - 1}


def test_a_delegator_s_stake_exits_and_rewards_are_listed_with_the_calls_that_free_them(chain: Chain) -> None:
    node, who = WORKERS[0], address(77)
    chain.emit("Delegated", node=node, delegator=who, amount=9, shares=9, epoch=0)
    for exit, shares in ((1, 4), (0, 2)):  # 0: worth nothing
        chain.emit("Undelegated", node=node, delegator=who, exit=exit, amount=shares, shares=shares, free_at=99)
    now = OnChain(delegated={node: (3, 2)}, exits={1: 4})
    where = f"Delegation, node {node}"
    bonded, rewards, leaving = of(chain, 77, now)
    assert bonded.free_at == chain.network.time + chain.network.parameters["unbonding"]
    assert (bonded.where, bonded.amount, bonded.state, bonded.call) == (where, 3, "bonded", "Delegation.undelegate")
    assert rewards == Holding(where, 2, "ifx", "claimable", 0, "Delegation.claim")
    assert leaving == Holding(f"{where}, exit 1", 4, "ifx", "unbonding", 99, "Delegation.withdraw")
    chain.emit("Frozen", node=node, amount=1)
    assert "frozen" in of(chain, 77, now)[-1].note
    assert of(chain, 78) == []
    chain.emit("ExitWithdrawn", exit=1, node=node, delegator=who, amount=4)
    assert [row.state for row in of(chain, 77, now)] == ["bonded", "claimable"]


def test_what_others_hold_is_not_shown(chain: Chain) -> None:
    assert {row.where for row in of(chain, owner(WORKERS[0]))} == {f"Staking, node {WORKERS[0]} (worker)"}
    assert {row.where for row in of(chain, WORKERS[0])} == set()  # its operator owns nothing


# -- rewards


def rewards(rows: Iterable[Holding]) -> dict[str, Holding]:
    return {row.state: row for row in rows if row.where.startswith("Accounts")}


def earner(data: AccountsData) -> NodeLeaf:
    """The leaf of a worker that has earned something."""
    return next(leaf for leaf in data.nodes if leaf.node in WORKERS and leaf.vesting)


def test_a_workers_rewards_are_a_quarter_at_once_and_stream_over_half_a_year(chain: Chain) -> None:
    data = settled(chain)
    leaf = earner(data)
    cut_off, vesting = chain.network.epoch_end(0), chain.network.parameters["worker_vesting"]
    found = rewards(of(chain, owner(leaf.node), final=data))
    streamed = leaf.vesting * (chain.network.time - cut_off) // vesting
    assert found["claimable"].amount == leaf.matured + streamed
    assert (found["claimable"].free_at, found["claimable"].call) == (0, "Accounts.claim")
    assert found["vesting"].amount == leaf.vesting - streamed
    assert found["vesting"].free_at == cut_off + vesting
    assert (leaf.matured + leaf.vesting) // 4 == leaf.matured


def test_a_root_streams_no_longer_than_its_horizon(chain: Chain) -> None:
    data = settled(chain)
    leaf = earner(data)
    chain.wait(chain.network.parameters["claim_horizon"])
    chain.network.tick(chain.time)
    then = rewards(of(chain, owner(leaf.node), final=data))["claimable"].amount
    chain.wait(MONTH)
    chain.network.tick(chain.time)
    assert rewards(of(chain, owner(leaf.node), final=data))["claimable"].amount == then


def test_what_was_claimed_is_not_shown_again(chain: Chain) -> None:
    data = settled(chain)
    leaf = earner(data)
    before = rewards(of(chain, owner(leaf.node), final=data))
    due = before["claimable"].amount
    chain.emit("Claimed", node=leaf.node, owner=address(owner(leaf.node)), amount=due)
    after = rewards(of(chain, owner(leaf.node), final=data))
    assert set(after) == {"vesting"}
    assert after["vesting"].amount == before["vesting"].amount


def test_verifiers_and_managers_are_paid_at_once(chain: Chain) -> None:
    data = settled(chain)
    for node in (MANAGER, *VERIFIERS):
        assert set(rewards(of(chain, owner(node), final=data))) <= {"claimable"}
    assert rewards(of(chain, owner(MANAGER), final=data))["claimable"].amount == MINTED // 37


def test_a_frozen_nodes_rewards_wait_whole(chain: Chain) -> None:
    data = settled(chain)
    leaf = earner(data)
    chain.emit("StatusChanged", node=leaf.node, status=int(NodeStatus.FROZEN))
    (row,) = rewards(of(chain, owner(leaf.node), final=data)).values()
    assert (row.amount, row.state, row.free_at) == (leaf.matured + leaf.vesting, "frozen", None)
    assert "while the node is frozen" in row.note


def test_regression_what_a_banned_node_has_forfeited_is_not_owed_to_it_later(chain: Chain) -> None:
    data = settled(chain)
    leaf = earner(data)
    chain.emit("StatusChanged", node=leaf.node, status=int(NodeStatus.BANNED))
    found = rewards(of(chain, owner(leaf.node), final=data))
    assert set(found) == {"claimable"}  # no vesting
    due = found["claimable"].amount
    chain.emit("Claimed", node=leaf.node, owner=address(owner(leaf.node)), amount=due)
    chain.emit("Forfeited", node=leaf.node, amount=leaf.matured + leaf.vesting - due)
    chain.wait(10 * 86_400)
    chain.network.tick(chain.time)
    assert rewards(of(chain, owner(leaf.node), final=data)) == {}


def test_before_the_first_accounts_nobody_has_rewards(chain: Chain) -> None:
    assert all(not rewards(of(chain, owner(node))) for node in (MANAGER, *WORKERS, *VERIFIERS))


def test_a_managers_fees_are_its_owners_and_no_other_nodes(chain: Chain) -> None:
    now = OnChain(fees={(MANAGER, COIN): 9, (99, COIN): 5})
    fees = [row for row in of(chain, owner(MANAGER), now) if row.where.startswith("FeeBurner")]
    where = f"FeeBurner, node {MANAGER} (manager)"
    assert fees == [Holding(where, 9, COIN, "claimable", 0, "FeeBurner.claim_manager")]
    assert all("FeeBurner" not in row.where for node in WORKERS for row in of(chain, owner(node), now))


def test_all_hands_together_hold_what_was_staked_minted_and_paid_in(chain: Chain) -> None:
    data = settled(chain)
    assert chain.time < GENESIS + 10 * 86_400
    chain.emit("Frozen", node=WORKERS[1], amount=10**18)
    chain.emit("Unbonding", node=VERIFIERS[0], amount=10**18, free_at=1)
    everybody = [row for who in (0, *map(owner, (MANAGER, *WORKERS, *VERIFIERS))) for row in of(chain, who, final=data)]
    nodes = len((MANAGER, *WORKERS, *VERIFIERS))
    dust = next(leaf for leaf in data.nodes if leaf.node == 0).matured
    assert amount(everybody, "ifx", "bonded", "unbonding", "frozen") == nodes * STAKE
    assert amount(everybody, "ifx", "claimable", "vesting") == MINTED - dust
    assert amount(everybody, "ifxDollar") == CREDIT - sum(leaf.spent for leaf in data.accounts)
    assert all(row.amount > 0 and row.call and row.where for row in everybody)


def test_a_bond_behind_an_objection_is_the_challengers_until_the_panel_has_decided(chain: Chain) -> None:
    chain.finish(chain.order())
    objection = object_to_outcomes(chain, propose_all(chain), 0, challenger=address(0))
    (row,) = [row for row in of(chain, 0) if row.where.startswith("Objections")]
    assert (row.amount, row.unit, row.state, row.call) == (50, "ifx", "bonded", "Objections.resolve")
    assert [row for row in of(chain, 1) if row.where.startswith("Objections")] == []
    close(chain, objection, 3)
    assert [row for row in of(chain, 0) if row.where.startswith("Objections")] == []


def test_a_bond_out_of_stake_is_shown_as_frozen_stake_alone(chain: Chain) -> None:
    chain.finish(chain.order())
    object_to_outcomes(chain, propose_all(chain), 0, node=MANAGER, challenger=address(0))
    assert [row for row in of(chain, 0) if row.where.startswith("Objections")] == []


def test_a_bond_behind_a_contradicted_vote_is_the_challengers_until_the_panel_has_decided(chain: Chain) -> None:
    state = chain.state(chain.order(), 0)
    chain.run(state)
    votes = [vote for vote, _ in state.attempts[0].votes.values()]
    found = contradict(chain, votes[0], challenger=address(0))
    contradict(chain, votes[1], node=MANAGER, challenger=address(0))
    (row,) = [row for row in of(chain, 0) if row.where.startswith("Contradictions")]
    assert (row.amount, row.unit, row.state, row.call) == (50, "ifx", "bonded", "Contradictions.resolve")
    assert [row for row in of(chain, 1) if row.where.startswith("Contradictions")] == []
    chain.emit("ContradictionClosed", id=found.id, status=3)
    assert [row for row in of(chain, 0) if row.where.startswith("Contradictions")] == []
