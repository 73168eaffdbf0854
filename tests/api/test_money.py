# SPDX-License-Identifier: Apache-2.0
"""``GET /money/{address}``: the state and the contracts together, in one answer."""

from tests.api.conftest import Api, code
from tests.replay.chain import COIN, MANAGER, address


def rows(api: Api, who: int) -> dict[tuple[str, str], str]:
    view = api.http.get(f"/money/{address(who)}").json()
    return {(row["where"], row["state"]): row["amount"] for row in view["holdings"]}


def test_a_clients_wallet_and_credit(api: Api) -> None:
    api.ledger.answers = {("IFX", "balanceOf", address(0)): 5, ("DevUSD", "balanceOf", address(0)): 7}
    api.chain.order(cap=40 * 10**9)
    api.chain.emit("WithdrawalRequested", account=1, amount=10 * 10**9)
    view = api.http.get(f"/money/{address(0).lower()}").json()
    assert view["address"] == address(0)
    assert view["accounts"] == [{"id": 1, "coin": COIN, "credit": 100 * 10**9, "free": 50 * 10**9}]
    assert {(row["state"], row["unit"]): row["amount"] for row in view["holdings"]} == {
        ("free", "ifx"): "5",
        ("free", COIN): "7",
        ("free", "ifxDollar"): str(50 * 10**9),
        ("reserved", "ifxDollar"): str(40 * 10**9),
        ("waiting", "ifxDollar"): str(10 * 10**9),
    }


def test_a_managers_stake_and_fees(api: Api) -> None:
    owner = 100 + MANAGER
    api.chain.emit("Unbonding", node=MANAGER, amount=10**19, free_at=77)
    api.ledger.answers = {("Staking", "free_at", MANAGER): 77, ("FeeBurner", "claim_manager", MANAGER, COIN): 9}
    found = rows(api, owner)
    assert found["Staking, node 1 (manager)", "bonded"] == str(9 * 10**19)
    assert found["Staking, node 1 (manager)", "unbonding"] == str(10**19)
    assert found["FeeBurner, node 1 (manager)", "claimable"] == "9"


def test_a_delegator_s_stake_and_exits_are_read_from_the_chain_and_the_node_lists_its_terms(api: Api) -> None:
    who = address(77)
    api.chain.emit("LimitSet", node=2, limit=10**21)
    api.chain.emit("ShareNoticed", node=2, share=6_000, since=4)
    api.chain.emit("DelegatedBonded", node=2, amount=9)
    api.chain.emit("Delegated", node=2, delegator=who, amount=9, shares=9, epoch=0)
    api.chain.emit("DelegatedUnbonding", node=2, amount=4)
    api.chain.emit("Undelegated", node=2, delegator=who, exit=1, amount=4, shares=4, free_at=99)
    api.ledger.answers = {
        ("Delegation", "position", 2, who): {"value": 5, "rewards": 3},
        ("Delegation", "exit", 1): {"value": 4},
    }
    assert rows(api, 77) == {
        ("Delegation, node 2", "bonded"): "5",
        ("Delegation, node 2", "claimable"): "3",
        ("Delegation, node 2, exit 1", "unbonding"): "4",
    }
    node = api.http.get("/nodes/2").json()
    names = ("delegated", "limit", "share_bps", "next_share_bps", "next_share_since")
    assert [node[name] for name in names] == ["5", str(10**21), 5_000, 6_000, 4]


def test_a_stranger_has_nothing(api: Api) -> None:
    assert api.http.get(f"/money/{address(55)}").json()["holdings"] == []


def test_what_is_no_address_is_refused(api: Api) -> None:
    for text in ("0x00", "nonsense", "0x" + "zz" * 20):
        status, says = code(api.http.get(f"/money/{text}"))
        assert status == 422
        assert "40 hex digits" in says
