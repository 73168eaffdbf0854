# SPDX-License-Identifier: Apache-2.0
"""The state of the network, for everybody."""

from typing import Any

from fastapi import APIRouter
from sqlmodel import select

from api.deps import ContextDep, DatabaseDep, NetworkDep
from api.views import batch_view, case_view, epoch_view, hexed, node_view
from inferix.errors import InvalidInput, NotFound
from inferix.models.anchor import AccountsData
from inferix.models.roles import Role
from inferix.replay.accounting import accounts_tree, claimable, nodes_tree
from inferix.replay.explain import explain_task
from inferix.storage.tables import NodeSeen

router = APIRouter(tags=["state"])


def digest_of(text: str) -> bytes:
    """32 bytes of a path's hex. Raises InvalidInput."""
    try:
        value = bytes.fromhex(text.removeprefix("0x"))
    except ValueError as error:
        raise InvalidInput(f"{text[:80]!r} is not hex: give 0x and 64 hex digits") from error
    if len(value) != 32:
        raise InvalidInput(f"an id has 32 bytes, not {len(value)}: give 0x and 64 hex digits")
    return value


@router.get("/network")
async def network(state: NetworkDep, context: ContextDep) -> dict[str, Any]:
    """Chain, contracts, parameters and managers; ``time`` is the newest mirrored block's."""
    contracts = context.deployment.contracts
    managers = [node for node in state.nodes.values() if node.role is Role.MANAGER]
    return {
        "chain_id": context.settings.chain_id,
        "block": state.block,
        "time": state.time,
        "contracts": {name: contract.address for name, contract in contracts.items()},
        "domain": {"name": "Inferix", "version": "1", "verifying_contract": state.domain.contract},
        "genesis": state.genesis,
        "parameters": dict(state.parameters),
        "coins": {str(index): address for index, address in state.coins.items()},
        "managers": [
            {"id": node.id, "operator": node.operator, "sealing_key": hexed(node.sealing_key)} for node in managers
        ],
        "totals": {
            "nodes": len(state.nodes),
            "jobs": len(state.jobs),
            "tasks": len(state.tasks),
            "batches": len(state.batches),
            "epochs": len(state.epochs),
            "charged": sum(epoch.charge for epoch in state.epochs),
            "burned": str(sum(epoch.burned for epoch in state.epochs)),
            "minted": str(sum(epoch.minted for epoch in state.epochs)),
        },
        "readers": "A job's input and results can be read by the client, its manager, the drawn workers and verifiers.",
    }


@router.get("/deployment")
async def deployment(context: ContextDep) -> dict[str, Any]:
    """Addresses and ABIs, in the form of a deployment file."""
    found = context.deployment
    return {
        "chain_id": found.chain_id,
        "block": found.block,
        "contracts": {
            name: {"address": contract.address, "abi": contract.interface.abi}
            for name, contract in found.contracts.items()
        },
    }


@router.get("/nodes")
async def nodes(state: NetworkDep, database: DatabaseDep) -> list[dict[str, Any]]:
    """Every registered node."""
    with database.reading() as session:
        seen = {row.node: row.seen_at for row in session.exec(select(NodeSeen))}
    return [node_view(state, node, seen.get(node.id)) for node in state.nodes.values()]


@router.get("/nodes/{node_id}")
async def node(node_id: int, state: NetworkDep, database: DatabaseDep) -> dict[str, Any]:
    """One node."""
    found = state.nodes.get(node_id)
    if found is None:
        raise NotFound(f"no node {node_id} is registered")
    with database.reading() as session:
        row = session.get(NodeSeen, node_id)
    return node_view(state, found, row.seen_at if row else None)


@router.get("/rosters")
async def rosters(state: NetworkDep) -> dict[str, Any]:
    """The newest final rosters: who can be drawn, with which weight."""
    answer: dict[str, Any] = {}
    for kind, finals in state.rosters.items():
        newest = finals[-1] if finals else None
        leaves = newest.roster.leaves if newest and newest.roster else {}
        answer[kind.name.lower()] = {
            "index": newest.index if newest else 0,
            "total": str(newest.total) if newest else "0",
            "nodes": {str(node): str(leaf.weight) for node, leaf in leaves.items()},
        }
    return answer


@router.get("/batches")
async def batches(state: NetworkDep) -> list[dict[str, Any]]:
    """Every batch, newest last."""
    return [batch_view(batch) for batch in state.batches.values()]


@router.get("/batches/{commitment}")
async def batch(commitment: str, state: NetworkDep) -> dict[str, Any]:
    """One batch."""
    found = state.batches.get(digest_of(commitment))
    if found is None:
        raise NotFound(f"no batch {commitment} was proposed")
    return batch_view(found)


@router.get("/epochs")
async def epochs(state: NetworkDep) -> list[dict[str, Any]]:
    """The closed epochs."""
    return [epoch_view(state, epoch) for epoch in state.epochs]


@router.get("/cases")
async def cases(state: NetworkDep) -> list[dict[str, Any]]:
    """Slashing cases."""
    return [case_view(case) for case in state.cases.values()]


@router.get("/explain/{task}")
async def explain(task: str, state: NetworkDep) -> dict[str, Any]:
    """Why this worker, why not that one: the draws of a task, recomputed."""
    return explain_task(state, digest_of(task))


@router.get("/claims/{node_id}")
async def claims(node_id: int, state: NetworkDep) -> dict[str, Any]:
    """A node's leaf in the newest final accounts, with its proof and what can be claimed now."""
    root = state.final_accounts()
    body = state.document(root.data) if root else None
    if root is None or body is None:
        raise NotFound("no accounts are final yet: rewards can be claimed after the first epoch's window")
    data = AccountsData.decode(body, root.data)
    leaf = next((item for item in data.nodes if item.node == node_id), None)
    if leaf is None:
        raise NotFound(f"node {node_id} has earned nothing up to epoch {root.epoch}")
    time = min(state.time, root.cut_off + state.parameters["claim_horizon"])
    total = claimable(leaf, time, state.parameters["worker_vesting"])
    return {
        "epoch": root.epoch,
        "leaf": {name: str(value) for name, value in leaf.model_dump().items()},
        "claimable": str(total - state.claimed.get(node_id, 0)),
        "claimed": str(state.claimed.get(node_id, 0)),
        "proof": [[hexed(item.hash), str(item.sum)] for item in nodes_tree(data).proof(node_id)],
        "call": "Accounts.claim(leaf, proof)",
    }


@router.get("/accounts/{account_id}/proof")
async def account_proof(account_id: int, state: NetworkDep) -> dict[str, Any]:
    """A client's leaf in the newest final accounts, as IfxDollar.withdraw wants it."""
    root = state.final_accounts()
    body = state.document(root.data) if root else None
    if root is None or body is None:
        raise NotFound("no accounts are final yet: withdraw after the first epoch's window")
    data = AccountsData.decode(body, root.data)
    leaf = next((item for item in data.accounts if item.account == account_id), None)
    if leaf is None:
        raise NotFound(f"account {account_id} was opened after epoch {root.epoch}: wait for the next accounts")
    proof = accounts_tree(data).proof(account_id)
    return {
        "epoch": root.epoch,
        "spent": leaf.spent,
        "reserved": leaf.reserved,
        "proof": [[hexed(item.hash), str(item.sum)] for item in proof],
        "call": "IfxDollar.withdraw(account, spent, reserved, proof)",
    }
