# SPDX-License-Identifier: Apache-2.0
"""State for everybody; proofs lead to the roots that are on chain, so nobody need believe the server."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api.routes import state as routes
from inferix.models.anchor import AccountLeaf, AccountsData, NodeLeaf
from inferix.models.roles import NodeStatus, Outcome, Role
from inferix.replay.accounting import accounts_data
from inferix.replay.settlement import draft_batches
from inferix.storage.tables import ManagerHere, Transaction
from inferix.trees import Sum, Tree, account_leaf, node_leaf, root_of
from tests.api.conftest import Api, code
from tests.replay.chain import DOMAIN, MANAGER, VERIFIERS, WORKERS, Chain, address
from tests.replay.objecting import contradict, seat

MINTED = 1_000_000_007


def settle(chain: Chain) -> bytes:
    """A job from order to final accounts."""
    job = chain.order()
    chain.run(chain.state(job, 0), Outcome.REJECTED)
    for state in chain.network.jobs[job].tasks:
        chain.run(state)
    chain.settle()
    chain.close_epoch(MINTED)
    chain.post_accounts(accounts_data(chain.network, 0))
    chain.wait(86_400)
    chain.emit("AccountsFinalized", epoch=0)
    return job


@pytest.fixture
def settled(api: Api) -> bytes:
    return settle(api.chain)


def proof_of(view: dict[str, Any]) -> list[Sum]:
    return [Sum(bytes.fromhex(item[0][2:]), int(item[1])) for item in view["proof"]]


def test_the_network_with_what_a_client_needs(api: Api) -> None:
    view = api.http.get("/network").json()
    assert (view["chain_id"], view["domain"]["verifying_contract"]) == (DOMAIN.chain_id, DOMAIN.contract)
    assert view["time"] == api.chain.network.time
    assert view["parameters"]["vote_window"] == 30
    (manager,) = view["managers"]
    assert (manager["id"], manager["operator"], manager["bonded"]) == (MANAGER, address(MANAGER), True)
    api.chain.emit("StatusChanged", node=MANAGER, status=int(NodeStatus.FROZEN))
    assert api.http.get("/network").json()["managers"][0]["bonded"] is False


def test_the_network_names_the_manager_whose_keepers_share_the_database(api: Api) -> None:
    fields = {"owner": address(100), "role": int(Role.MANAGER), "sealing_key": b"\1" * 32, "price": 0}
    api.chain.emit("NodeRegistered", node=50, operator=address(50), licence=50, **fields)
    assert api.http.get("/network").json()["manager"] is None
    works_here(api, 50, address(50))
    assert api.http.get("/network").json()["manager"] == {"id": 50, "operator": address(50)}


def test_attack_a_manager_that_names_an_account_of_keepers_elsewhere_as_its_operator_has_not_their_api(
    api: Api,
) -> None:
    """Any address can be named: what says whose keepers work here is their own row."""
    works_here(api, 50, address(50))  # registered anew since, by another key
    fields = {"owner": address(100), "role": int(Role.MANAGER), "sealing_key": b"\1" * 32, "price": 0}
    api.chain.emit("NodeRegistered", node=50, operator=address(51), licence=50, **fields)
    assert api.http.get("/network").json()["manager"] is None
    works_here(api, MANAGER, address(MANAGER))
    with api.database.session() as session:
        session.add(Transaction(key="1", lane=address(51)))
    assert api.http.get("/network").json()["manager"] == {"id": MANAGER, "operator": address(MANAGER)}


def works_here(api: Api, node: int, operator: str) -> None:
    """Its keepers have started."""
    with api.database.session() as session:
        session.merge(ManagerHere(operator=operator, node=node))


def test_nodes_and_who_can_be_drawn(api: Api) -> None:
    nodes = api.http.get("/nodes").json()
    assert [row["role"] for row in nodes] == ["manager", *["worker"] * 3, *["verifier"] * 3]
    assert api.http.get("/nodes/2").json() == nodes[1]
    assert nodes[1]["device_class"] == "cpu"
    assert nodes[1]["drawable"]
    assert api.http.get("/nodes/99").status_code == 404
    rosters = api.http.get("/rosters").json()
    assert set(rosters["workers"]["nodes"]) == {str(node) for node in WORKERS}
    assert set(rosters["verifiers"]["nodes"]) == {str(node) for node in VERIFIERS}


@pytest.mark.parametrize("number", [2**31, 2**63, 2**64, -(2**63) - 1, 10**30])
@pytest.mark.parametrize("path", ["/nodes/{}", "/claims/{}", "/accounts/{}/proof"])
def test_regression_a_number_that_no_database_holds_is_not_found(
    api: Api, settled: bytes, path: str, number: int
) -> None:
    assert api.http.get(path.format(1)).status_code == 200
    assert api.http.get(path.format(number)).status_code == 404


def test_a_nodes_claim_is_proven_against_the_root(api: Api, settled: bytes) -> None:
    root = api.chain.network.final_accounts()
    assert root is not None
    total = 0
    for node in (0, MANAGER, *WORKERS, *VERIFIERS):
        answer = api.http.get(f"/claims/{node}")
        if answer.status_code == 404:
            continue
        view = answer.json()
        leaf = NodeLeaf(**{name: int(value) for name, value in view["leaf"].items()})
        assert root_of(node_leaf(leaf), node, proof_of(view)).hash == root.nodes_root
        total += leaf.matured + leaf.vesting
        forged = leaf.model_copy(update={"matured": leaf.matured + 1})
        assert root_of(node_leaf(forged), node, proof_of(view)).hash != root.nodes_root
    assert total == MINTED


def test_a_claim_falls_by_what_was_claimed(api: Api, settled: bytes) -> None:
    view = api.http.get(f"/claims/{MANAGER}").json()
    claimable = int(view["claimable"])
    assert claimable > 0
    api.chain.emit("Claimed", node=MANAGER, owner=address(100 + MANAGER), amount=claimable)
    again = api.http.get(f"/claims/{MANAGER}").json()
    assert (again["claimable"], again["claimed"]) == ("0", str(claimable))


def test_an_account_is_proven_against_the_root(api: Api, settled: bytes) -> None:
    root = api.chain.network.final_accounts()
    assert root is not None
    view = api.http.get("/accounts/1/proof").json()
    leaf = AccountLeaf(account=1, spent=view["spent"], reserved=view["reserved"])
    assert leaf.spent == 2 * 16_001 + 8_000
    assert root_of(account_leaf(leaf), 1, proof_of(view)).hash == root.accounts_root
    assert api.http.get("/accounts/2/proof").status_code == 404


@pytest.mark.parametrize(("name", "path"), [("nodes_tree", "/claims/2"), ("accounts_tree", "/accounts/1/proof")])
def test_attack_many_proofs_of_the_same_accounts_make_one_tree(
    api: Api, settled: bytes, monkeypatch: pytest.MonkeyPatch, name: str, path: str
) -> None:
    planted: list[bytes] = []
    real = getattr(routes, name)

    def counted(data: AccountsData) -> Tree:
        tree: Tree = real(data)
        planted.append(tree.root.hash)
        return tree

    monkeypatch.setattr(routes, name, counted)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(api.http.get, [path] * 16))
    assert {answer.status_code for answer in answers} == {200}
    assert len(planted) == 1
    api.chain.close_epoch(MINTED)
    api.chain.post_accounts(accounts_data(api.chain.network, 1))
    api.chain.wait(86_400)
    api.chain.emit("AccountsFinalized", epoch=1)
    assert api.http.get(path).json()["epoch"] == 1
    root = api.chain.network.final_accounts()
    assert root is not None
    assert planted[1:] == [root.nodes_root if name == "nodes_tree" else root.accounts_root]


def test_before_the_first_accounts_there_is_nothing_to_prove(api: Api) -> None:
    for path in ("/claims/2", "/accounts/1/proof"):
        status, says = code(api.http.get(path))
        assert status == 404
        assert "first epoch" in says


def test_accounts_whose_document_is_not_here_prove_nothing(api: Api, settled: bytes) -> None:
    root = api.chain.network.final_accounts()
    assert root is not None
    del api.chain.documents[root.data]
    assert api.http.get("/claims/2").status_code == 404


def test_batches_and_epochs_and_cases(api: Api, settled: bytes) -> None:
    batch = only_batch(api)
    assert (batch["status"], batch["problem"], len(batch["leaves"])) == ("final", "", 4)
    assert api.http.get("/batches/0x" + "01" * 32).status_code == 404
    (epoch,) = api.http.get("/epochs").json()
    assert (epoch["charge"], epoch["minted"]) == (batch["charge"], str(MINTED))
    assert api.http.get("/cases").json() == []
    case = {"case": b"\x01" * 32, "task": bytes.fromhex(batch["leaves"][0]["task"][2:]), "attempt": 0}
    api.chain.emit("CaseFrozen", **case, node=2, amount=10**20)
    (view,) = api.http.get("/cases").json()
    assert (view["status"], view["amount"]) == ("frozen", str(10**20))


def only_batch(api: Api) -> dict[str, Any]:
    (row,) = api.http.get("/batches").json()
    found: dict[str, Any] = api.http.get(f"/batches/{row['commitment']}").json()
    return found


def test_regression_the_list_of_batches_tells_how_many_leaves_they_have_and_a_batch_which(
    api: Api, settled: bytes
) -> None:
    """A page that lists a hundred asked for a hundred thousand leaves every two seconds."""
    (row,) = api.http.get("/batches").json()
    batch = only_batch(api)
    assert batch == row | {"leaves": batch["leaves"]}
    assert (row["outcomes"], "leaves" in row) == (len(batch["leaves"]), False)


def test_an_epochs_ibme_is_its_work_over_what_the_workers_speed_came_to(api: Api, settled: bytes) -> None:
    """Three workers of 0.006 IB for all of an epoch but the ten seconds before they registered, and one job."""
    batch = only_batch(api)
    (epoch,) = api.http.get("/epochs").json()
    apparent = sum((259_200 - 10) * 6_000 * 1_000 // 60 for _ in WORKERS)
    work = sum(leaf["work"] for leaf in batch["leaves"])
    assert (epoch["work"], epoch["apparent_work"]) == (work, apparent)
    assert epoch["ibme_ppm"] == work * 10**6 // apparent > 0


def test_an_epoch_in_which_nobody_could_work_has_no_ibme(api: Api) -> None:
    for worker in WORKERS:
        api.chain.emit("StatusChanged", node=worker, status=int(NodeStatus.JAILED))
    api.chain.close_epoch(0)
    (epoch,) = api.http.get("/epochs").json()
    assert (epoch["work"], epoch["apparent_work"], epoch["ibme_ppm"]) == (0, 0, None)


def test_contradicted_votes_and_what_their_panel_says(api: Api) -> None:
    assert api.http.get("/contradictions").json() == []
    state = api.chain.state(api.chain.order(), 0)
    api.chain.run(state)
    vote = min(state.attempts[0].votes.items())[1][0]
    found = contradict(api.chain, vote)
    (view,) = api.http.get("/contradictions").json()
    assert (view["id"], view["verifier"], view["vote"]) == ("0x" + found.id.hex(), vote.node, "accepted")
    assert (view["status"], view["says"], view["share"]) == ("open", "contradicted, a panel is drawn", "100")
    seat(api.chain, found, 77, 78)
    api.chain.emit("PanelVoted", case=found.id, node=77, upheld=True, measured=bytes(32))
    (view,) = api.http.get("/contradictions").json()
    assert (view["says"], view["votes"]) == ("contradicted, panel votes: 1 of 2", {"77": "upheld"})
    api.chain.emit("ContradictionReferred", id=found.id)
    assert api.http.get("/contradictions").json()[0]["says"] == "contradicted, the governor decides"
    api.chain.emit("ContradictionClosed", id=found.id, status=4)
    assert api.http.get("/contradictions").json()[0]["says"] == "contradicted, undecided"


def test_disputes_and_the_lie_that_ended_a_batch(api: Api) -> None:
    assert api.http.get("/disputes").json() == []
    api.chain.run(api.chain.state(api.chain.order(), 0))
    commitment = api.chain.propose(draft_batches(api.chain.network, MANAGER)[0])
    opened = {"id": b"\1" * 32, "commitment": commitment, "challenger": address(0), "node": 5}
    api.chain.emit("DisputeOpened", **opened, kind=2, place=0, bond=10**20, until=api.chain.time + 21_600)
    (view,) = api.http.get("/disputes").json()
    assert (view["kind"], view["status"], view["node"], view["bond"]) == ("data", "open", 5, str(10**20))
    api.chain.emit("LieProven", commitment=commitment, kind=6, reporter=address(0))
    api.chain.emit("BatchCancelled", commitment=commitment)
    api.chain.emit("DisputeDropped", id=b"\1" * 32)
    assert api.http.get("/disputes").json()[0]["status"] == "dropped"
    assert api.http.get(f"/batches/0x{commitment.hex()}").json()["lie"] == "order"


def test_disputes_about_the_data_of_roots(api: Api) -> None:
    assert api.http.get("/disputes/roots").json() == []
    root = {"kind": 1, "of": MANAGER, "index": 3, "root": b"\2" * 32, "chunk": 1}
    opened = {"id": b"\1" * 32, "challenger": address(0), "node": 0, "bond": 10**20, "until": api.chain.time + 21_600}
    api.chain.emit("RootDisputed", **opened, **root)
    (view,) = api.http.get("/disputes/roots").json()
    assert (view["kind"], view["of"], view["index"], view["chunk"]) == ("anchor", MANAGER, 3, 1)
    assert (view["status"], view["node"], view["bond"]) == ("open", None, str(10**20))


def test_a_tasks_draws_are_explained(api: Api, settled: bytes) -> None:
    state = api.chain.state(settled, 0)
    view = api.http.get(f"/explain/0x{state.task.id.hex()}").json()
    assert [attempt["outcome"] for attempt in view["attempts"]] == ["rejected", "accepted"]
    for attempt, replayed in zip(view["attempts"], state.attempts, strict=True):
        assert attempt["draws"][-1] == {"draw": replayed.draw, "node": replayed.node, "says": "accepted"}
    assert api.http.get("/explain/0x" + "01" * 32).status_code == 404
    assert api.http.get("/explain/x").status_code == 422


def test_the_deployment_is_served_as_a_file(api: Api) -> None:
    view = api.http.get("/deployment").json()
    assert view["contracts"]["NodeRegistry"] == {"address": DOMAIN.contract, "abi": []}


def test_a_receipt_on_chain_is_shown_and_still_taken_after_the_deadline(api: Api) -> None:
    chain = api.chain
    state = chain.state(chain.order(), 0)
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    attempt, message = state.attempts[0], chain.receipt(state)

    def shown() -> tuple[Any, Any]:
        view = api.http.get(f"/tasks/{state.task.id.hex()}").json()["attempts"][0]
        return view["posted_at"], view["waits_for"]

    assert shown() == (None, f"the receipt of node {attempt.node}")
    chain.emit("MessagePosted", kind=2, body=message[0].body(), signature=message[1])
    assert shown() == (chain.time, f"an anchor with the receipt of node {attempt.node}")
    chain.network.tick(attempt.deadline + 600)
    other = chain.receipt(state, b"\x02" * 32)
    assert "deadline is past" in api.send(other).json()["error"]["message"]
    assert api.send(message).status_code == 202
    chain.network.tick(attempt.deadline + 601)
    assert shown() == (chain.time, None)
