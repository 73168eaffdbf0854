# SPDX-License-Identifier: Apache-2.0
"""Figures stand beside bounds and peers; what is malformed is refused."""

import json

import pytest

from benchmarks import gas, sale
from inferix.errors import Corrupt
from keepers.anchor import MESSAGES_AT_ONCE
from tests.gas.bounds import BOUNDS, Bound
from tests.gas.scenario import all_in, all_in_parts

SNAPSHOT = json.loads(gas.SNAPSHOT.read_text())
ROW = "iExec,Boost,2,760709,a signature,somebody/something abc1234"
HEAD = "network,path,transactions,gas,buys,source"


def test_every_peer_has_gas_and_a_commit_that_it_was_measured_at() -> None:
    peers = gas.load_peers(gas.PEERS.read_text())
    assert {peer.network for peer in peers} == {"iExec", "Infernet", "Livepeer"}
    for peer in peers:
        assert peer.gas > 21_000 * 1 and 1 <= peer.transactions < 20
        assert "/" in peer.source.split()[0] and len(peer.source.split()[1].strip(",")) == 7


def test_comments_and_empty_lines_are_no_peers() -> None:
    found = gas.load_peers(f"# SPDX\n\n{HEAD}\n# more\n{ROW}\n")
    assert found == [gas.Peer("iExec", "Boost", 2, 760_709, "a signature", "somebody/something abc1234")]


@pytest.mark.parametrize("text", [f"{HEAD}\niExec,Boost,2,many,x,y", f"{HEAD}\niExec,Boost,2", "network,gas\niExec,5"])
def test_a_malformed_table_of_peers_is_refused(text: str) -> None:
    with pytest.raises(Corrupt, match=r"peers\.csv"):
        gas.load_peers(text)


def test_a_call_stands_beside_its_bound_by_the_unit() -> None:
    figures = {"propose": 100, "orders": 500, "free": 7}
    bounds = [Bound("orders", 50, 9, 1, "signatures"), Bound("propose", 1, 120)]
    propose, orders, free = gas.calls(figures, {"propose": 100, "orders": 499}, bounds)
    assert (propose.over, orders.over, free.over) == (-20, 1, None)
    assert (propose.committed, orders.committed, free.committed) == (100, 499, None)
    rows = gas.call_rows([propose, orders, free])
    assert rows[0] == ("propose", "100", "same", "1", "100", "120", "-20")
    assert rows[1] == ("orders", "500", "499", "50", "10.0", "9", "+1")
    assert rows[2] == ("free", "7", "none", "1", "7", "-", "-")


@pytest.mark.parametrize(("used", "over"), [(449, 0), (450, 0), (451, 1), (500, 1), (501, 2), (400, -1), (399, -1)])
def test_what_is_over_is_rounded_up_to_a_unit_of_gas(used: int, over: int) -> None:
    assert gas.CallGas("x", used, None, units=50, limit=9).over == over


def test_a_bound_of_no_call_is_refused() -> None:
    assert len(gas.calls(SNAPSHOT, SNAPSHOT, BOUNDS)) == len(SNAPSHOT)
    with pytest.raises(Corrupt, match="propose"):
        gas.calls({"seal": 1}, {}, BOUNDS)


def test_a_snapshot_gives_a_task_its_gas() -> None:
    parts = all_in_parts(SNAPSHOT, 5)
    assert round(sum(parts.values())) == all_in(SNAPSHOT, 5)
    assert parts["order"] == pytest.approx(40 * all_in_parts(SNAPSHOT, 200)["order"])
    assert {name: gas for name, gas in parts.items() if name != "order"} == {
        name: gas for name, gas in all_in_parts(SNAPSHOT, 200).items() if name != "order"
    }


def test_what_keepers_send_differs_from_the_design_in_anchors() -> None:
    designed, sent = all_in_parts(SNAPSHOT, 5), gas.steady_state(5)
    assert gas.messages_a_task() == 7  # acceptance, receipt, five votes
    assert gas.tasks_an_anchor() == MESSAGES_AT_ONCE // 7
    assert sent["anchor"] == SNAPSHOT["anchor and seal"] / gas.tasks_an_anchor()
    assert {**sent, "anchor": 0} == {**designed, "anchor": 0}


@pytest.mark.parametrize("tasks", gas.JOBS)
def test_a_task_takes_a_hundredth_of_the_gas_of_every_peer_that_verifies(tasks: int) -> None:
    ours = sum(gas.steady_state(tasks).values())
    verified = [
        peer
        for peer in gas.load_peers(gas.PEERS.read_text())
        if peer.network in ("iExec", "Infernet") and "no proof" not in peer.path
    ]
    assert len(verified) == 13
    assert min(peer.gas for peer in verified) > 100 * ours


def test_steps_are_shown_with_their_shares_and_sum() -> None:
    rows = [row for row in gas.step_rows([{"order": 30.0, "anchor": 10.0}, {"order": 1.0, "anchor": 99.0}]) if row]
    assert [cell.split() for cell in rows[0][1:]] == [["30.0", "75.0", "%"], ["1.0", "1.00", "%"]]
    assert [cell.strip() for cell in rows[-1]] == ["all in", "40", "100"]


def test_peers_are_multiples_of_ours() -> None:
    peer = gas.Peer("N", "p", 1, 5_000, "payment", "a/b 1234567")
    assert gas.peer_rows([peer], [2_500.0, 20.0]) == [("N", "p", "5,000", "2.00x", "250x", "payment")]


def test_a_purchase_stands_beside_a_peer_s_without_its_mint() -> None:
    sold = [sale.Sold("plain", 200, "one", "a/b 1234567"), sale.Sold("listed", 150, "one", "a/b 1234567")]
    assert sale.sale_rows({"one": 300, "two": 9}, {"one": 100, "two": 4}, sold) == [
        ("one", "300", "100", "plain", "200", "50.0 %"),
        ("one", "300", "100", "listed", "150", "66.7 %"),
        ("two", "9", "4", "-", "-", "-"),
    ]
    with pytest.raises(Corrupt, match="three"):
        sale.sale_rows({}, {}, [sale.Sold("plain", 1, "three", "a/b 1234567")])


def test_the_peer_s_purchases_have_gas_and_a_commit_and_stand_beside_what_is_measured() -> None:
    sold = sale.load_sales(sale.PEERS.read_text())
    assert {peer.ours for peer in sold} <= SNAPSHOT.keys()
    assert all(21_000 < peer.gas < 10**6 and len(peer.source.split()[1]) == 7 for peer in sold)


@pytest.mark.parametrize("text", ["purchase,gas,ours,source\nplain,many,one,x", "purchase,gas\nplain,5"])
def test_a_malformed_table_of_purchases_is_refused(text: str) -> None:
    with pytest.raises(Corrupt, match=r"sales\.csv"):
        sale.load_sales(text)
