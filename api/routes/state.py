# SPDX-License-Identifier: Apache-2.0
"""The state of the network, for everybody."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlmodel import select

from api.context import Context
from api.deps import ContextDep
from api.hearings import contradiction_view, objection_view
from api.holds import holds
from api.managers import managers_here
from api.values import digest_of, hexed
from api.views import (
    batch_view,
    case_view,
    dispute_view,
    epoch_view,
    node_view,
    proof_view,
    root_dispute_view,
    task_view,
)
from inferix.errors import NotFound
from inferix.models.anchor import AccountsData
from inferix.models.roles import Role
from inferix.replay.accounting import accounts_tree, claimable, eligible, nodes_tree
from inferix.replay.explain import explain_task
from inferix.replay.record import record_of
from inferix.replay.state import AccountsRoot, JobStatus
from inferix.storage.tables import NodeSeen

router = APIRouter(tags=["state"])


@router.get("/network")
async def network(context: ContextDep) -> dict[str, Any]:
    """Chain, contracts, parameters and managers; ``time`` is the newest mirrored block's; ``manager``: the one whose
    keepers work here, to which quotes and orders of this API go, None before they first started."""
    state = await context.network()
    own = next(iter(await context.read(lambda session: managers_here(session, state))), None)
    managers = [node for node in state.nodes.values() if node.role is Role.MANAGER]
    contracts = context.deployment.contracts
    record = record_of(state)
    return {
        "chain_id": context.settings.chain_id,
        "block": state.block,
        "time": state.time,
        "contracts": {name: contract.address for name, contract in contracts.items()},
        "domain": {"name": "Inferix", "version": "1", "verifying_contract": state.domain.contract},
        "genesis": state.genesis,
        "parameters": dict(state.parameters),
        "coins": {str(index): address for index, address in state.coins.items()},
        "manager": {"id": own.id, "operator": own.operator} if own is not None else None,
        "managers": [
            {
                "id": node.id,
                "operator": node.operator,
                "sealing_key": hexed(node.sealing_key),
                "bonded": eligible(node),
            }
            for node in managers
        ],
        "totals": {
            "nodes": len(state.nodes),
            "jobs": len(state.jobs),
            "running": sum(job.status is JobStatus.RUNNING for job in state.jobs.values()),
            "tasks": len(state.tasks),
            "batches": len(state.batches),
            "epochs": len(state.epochs),
            "charged": sum(epoch.charge for epoch in state.epochs),
            "burned": str(sum(epoch.burned for epoch in state.epochs)),
            "minted": str(sum(epoch.minted for epoch in state.epochs)),
        },
        "verification": {**asdict(record), "false_ppm": record.false_ppm[0], "false_at_most_ppm": record.false_ppm[1]},
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
async def nodes(context: ContextDep) -> list[dict[str, Any]]:
    """Every registered node."""
    seen = await context.read(lambda session: {row.node: row.seen_at for row in session.exec(select(NodeSeen))})
    state = await context.network()
    held = holds(state)
    return [node_view(state, node, seen.get(node.id), held.get(node.id, [])) for node in state.nodes.values()]


@router.get("/nodes/{node_id}")
async def node(node_id: int, context: ContextDep) -> dict[str, Any]:
    """One node."""
    if node_id not in (await context.network()).nodes:  # before the database, whose integers end
        raise NotFound(f"no node {node_id} is registered")
    row = await context.read(lambda session: session.get(NodeSeen, node_id))
    state = await context.network()
    found = state.nodes.get(node_id)
    if found is None:  # taken back meanwhile
        raise NotFound(f"no node {node_id} is registered")
    return node_view(state, found, row.seen_at if row else None, holds(state).get(node_id, []))


@router.get("/tasks/{task}")
async def task(task: str, context: ContextDep) -> dict[str, Any]:
    """One task: its attempts, and all that was objected to them or contradicts their votes."""
    wanted = digest_of(task)
    state = await context.network()
    found = state.tasks.get(wanted)
    if found is None:
        raise NotFound(f"no order has a task {task}")
    return task_view(state, found, committees=True)


@router.get("/rosters")
async def rosters(context: ContextDep) -> dict[str, Any]:
    """The newest final rosters: who can be drawn, with which weight."""
    state = await context.network()
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
async def batches(context: ContextDep, limit: Annotated[int, Query(ge=1, le=1_000)] = 100) -> list[dict[str, Any]]:
    """The newest batches without their leaves, newest last."""
    state = await context.network()
    return [batch_view(state, batch) for batch in list(state.batches.values())[-limit:]]


@router.get("/batches/{commitment}")
async def batch(commitment: str, context: ContextDep) -> dict[str, Any]:
    """One batch and its leaves."""
    wanted = digest_of(commitment)
    state = await context.network()
    found = state.batches.get(wanted)
    if found is None:
        raise NotFound(f"no batch {commitment} was proposed")
    return {**batch_view(state, found), "leaves": [leaf.model_dump(mode="json") for leaf in found.leaves]}


@router.get("/disputes")
async def disputes(context: ContextDep) -> list[dict[str, Any]]:
    """Disputes about batches, in the order of their opening."""
    state = await context.network()
    return [dispute_view(state, dispute) for dispute in state.disputes.values()]


@router.get("/disputes/roots")
async def root_disputes(context: ContextDep) -> list[dict[str, Any]]:
    """Disputes about the data of anchors, rosters and accounts, in the order of their opening."""
    state = await context.network()
    return [root_dispute_view(state, dispute) for dispute in state.root_disputes.values()]


@router.get("/objections")
async def objections(context: ContextDep) -> list[dict[str, Any]]:
    """Objections to outcomes, rosters and accounts, in the order of their opening."""
    state = await context.network()
    return [objection_view(state, objection) for objection in state.objections.values()]


@router.get("/objections/{id}")
async def objection(id: str, context: ContextDep) -> dict[str, Any]:
    """One objection."""
    wanted = digest_of(id)
    state = await context.network()
    found = state.objections.get(wanted)
    if found is None:
        raise NotFound(f"no objection {id} was opened")
    return objection_view(state, found)


@router.get("/contradictions")
async def contradictions(context: ContextDep) -> list[dict[str, Any]]:
    """Contradicted votes, in the order of their opening."""
    state = await context.network()
    return [contradiction_view(state, found) for found in state.contradictions.values()]


@router.get("/contradictions/{id}")
async def contradiction(id: str, context: ContextDep) -> dict[str, Any]:
    """One contradicted vote."""
    wanted = digest_of(id)
    state = await context.network()
    found = state.contradictions.get(wanted)
    if found is None:
        raise NotFound(f"no contradiction {id} was opened")
    return contradiction_view(state, found)


@router.get("/epochs")
async def epochs(context: ContextDep) -> list[dict[str, Any]]:
    """The closed epochs."""
    state = await context.network()
    return [epoch_view(state, epoch) for epoch in state.epochs]


@router.get("/cases")
async def cases(context: ContextDep) -> list[dict[str, Any]]:
    """Slashing cases."""
    state = await context.network()
    return [case_view(case) for case in state.cases.values()]


@router.get("/explain/{task}")
async def explain(task: str, context: ContextDep) -> dict[str, Any]:
    """Why this worker, why not that one: the draws of a task, recomputed."""
    wanted = digest_of(task)
    return explain_task(await context.network(), wanted)


@router.get("/claims/{node_id}")
async def claims(node_id: int, context: ContextDep) -> dict[str, Any]:
    """A node's leaf in the newest final accounts, with its proof and what can be claimed now."""
    root, data = await _final_accounts(context)
    leaf = next((item for item in data.nodes if item.node == node_id), None)
    if leaf is None:
        raise NotFound(f"node {node_id} has earned nothing up to epoch {root.epoch}")
    proof = (await context.tree(nodes_tree, data)).proof(node_id)
    state = await context.network()
    time = min(state.time, root.cut_off + state.parameters["claim_horizon"])
    total = claimable(leaf, time, state.parameters["worker_vesting"])
    claimed = state.claimed.get(node_id, 0)
    return {
        "epoch": root.epoch,
        "leaf": {name: str(value) for name, value in leaf.model_dump().items()},
        "claimable": str(max(0, total - claimed)),
        "claimed": str(claimed),
        "proof": proof_view(proof),
        "call": "Accounts.claim(leaf, proof)",
    }


@router.get("/accounts/{account_id}/proof")
async def account_proof(account_id: int, context: ContextDep) -> dict[str, Any]:
    """A client's leaf in the newest final accounts, as IfxDollar.withdraw wants it."""
    root, data = await _final_accounts(context)
    leaf = next((item for item in data.accounts if item.account == account_id), None)
    if leaf is None:
        raise NotFound(f"account {account_id} was opened after epoch {root.epoch}: wait for the next accounts")
    proof = (await context.tree(accounts_tree, data)).proof(account_id)
    return {
        "epoch": root.epoch,
        "spent": leaf.spent,
        "reserved": leaf.reserved,
        "proof": proof_view(proof),
        "call": "IfxDollar.withdraw(account, spent, reserved, proof)",
    }


async def _final_accounts(context: Context) -> tuple[AccountsRoot, AccountsData]:
    root = (await context.network()).final_accounts()
    data = await context.accounts_data(root) if root else None
    if root is None or data is None:
        raise NotFound("no accounts are final yet: wait for the end of the first epoch and of its window")
    return root, data
