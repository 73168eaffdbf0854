# SPDX-License-Identifier: Apache-2.0
"""The end of the demo: a table of who earned, burned, minted and lost how much, and the same facts as JSON.

Every wei of IFX and every unit of the stablecoin that exists is in somebody's hands before and after; the table shows
all hands and must add up, or the demo fails.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from demo.people import Machine
from demo.places import OUT, PEOPLE
from demo.say import chapters, elapsed
from demo.services import Services, write_json
from demo.story import Order
from inferix import jobkeys
from inferix.errors import Corrupt
from inferix.proofs.rendering import frame_seed
from inferix.storage.documents import document_cid
from inferix.units import IFX_DECIMALS, format_decimal

HOLDERS = (
    "Staking",
    "Delegation",
    "PenaltyPool",
    "Accounts",
    "ReferenceMarket",
    "IfxDollar",
    "FeeBurner",
    "Disputes",
    "Availability",
    "Panels",
    "Escape",
    "BalanceClaims",
    "Leases",
)


@dataclass(frozen=True)
class Balances:
    """All hands at one moment: IFX in wei, the stablecoin in its units, and what was ever minted."""

    ifx: dict[str, int]
    coin: dict[str, int]
    ifx_supply: int
    coin_supply: int
    minted: int


def balances(run: Services) -> Balances:
    """Reads every hand from the chain; everything else of the supply is 'others'."""
    deployment = run.contracts.deployment
    hands = {person.name: person.address for person in PEOPLE}
    hands |= {name: deployment[name].address for name in HOLDERS if name in deployment.contracts}
    hands["pool"] = run.contracts.read("PoolMarket", "pool", deployment["DevUSD"].address)["pair"]
    found: dict[str, dict[str, int]] = {}
    for token in ("IFX", "DevUSD"):
        found[token] = {name: int(run.contracts.read(token, "balanceOf", at)) for name, at in hands.items()}
    supply = {token: int(run.contracts.read(token, "totalSupply")) for token in found}
    for token, amounts in found.items():
        amounts["others"] = supply[token] - sum(amounts.values())
    minted = int(run.contracts.read("IFX", "minted"))
    return Balances(found["IFX"], found["DevUSD"], supply["IFX"], supply["DevUSD"], minted)


def reconcile(before: Balances, after: Balances, run: Services) -> dict[str, int]:
    """The supply equations, to the wei. Raises Corrupt when one does not hold."""
    minted = after.minted - before.minted
    burned = before.ifx_supply + minted - after.ifx_supply
    epochs = run.get("/epochs")
    fees_burned = sum(int(epoch["burned"]) for epoch in epochs)
    slashed_burned = sum(int(event["burned"]) for event in slashes(run))
    pooled = sum(int(event["pooled"]) for event in slashes(run))
    released = sum(int(epoch["pooled"]) for epoch in epochs)
    work_minted = sum(int(epoch["minted"]) for epoch in epochs)
    equations = {
        "minted for work": (minted, work_minted),
        "burned by fees and slashes": (burned, fees_burned + slashed_burned),
        "into the penalty pool": (_gain(before, after, "PenaltyPool") - _dust(run) + released, pooled),
        "IFX in all hands": (sum(after.ifx.values()), after.ifx_supply),
        "stablecoin in all hands": (sum(after.coin.values()), after.coin_supply),
    }
    for name, (left, right) in equations.items():
        if left != right:
            raise Corrupt(f"the demo's money does not add up: {name}: {left} is not {right}")
    return {"minted": minted, "burned_by_fees": fees_burned, "burned_by_slashing": slashed_burned, "pooled": pooled}


def _gain(before: Balances, after: Balances, name: str) -> int:
    return after.ifx.get(name, 0) - before.ifx.get(name, 0)


def _dust(run: Services) -> int:
    """What leaf 0 has been paid: rounding dust of the rewards."""
    return int(run.contracts.read("Accounts", "claimed", 0))


def slashes(run: Services) -> list[dict[str, Any]]:
    """Every slash as the chain logged it."""
    deployment = run.contracts.deployment
    staking = deployment["Staking"]
    client = run.contracts.client
    found = []
    for log in client.logs([staking.address], deployment.block, client.block_number()):
        event = staking.interface.event(log.topics, log.data)
        if event is not None and event[0] == "Slashed":
            found.append({**event[1], "transaction": "0x" + log.transaction.hex()})
    return found


def table(before: Balances, after: Balances, sums: dict[str, int]) -> None:
    """Who has how much more or less than before."""
    console = Console(width=140, highlight=False)
    rows = Table(title="Every hand, to the last wei (IFX, and units of the stablecoin, a millionth of a USD)")
    rows.add_column("hands", no_wrap=True)
    for name in ("IFX before", "IFX after", "change", "stablecoin"):
        rows.add_column(name, justify="right", no_wrap=True)
    for name in after.ifx:
        change = after.ifx[name] - before.ifx.get(name, 0)
        coin = after.coin[name] - before.coin.get(name, 0)
        if change or coin or after.ifx[name]:
            rows.add_row(name, _ifx(before.ifx.get(name, 0)), _ifx(after.ifx[name]), _signed(change), f"{coin:+,}")
    total = sum(after.ifx.values()) - sum(before.ifx.values())
    rows.add_section()
    rows.add_row("all hands", _ifx(before.ifx_supply), _ifx(after.ifx_supply), _signed(total), "")
    console.print(rows)
    for name, amount in sums.items():
        console.print(f"  {name.replace('_', ' '):>20}  {_ifx(amount)} IFX")
    console.print(f"  {'check':>20}  minted - burned = {_signed(total)} IFX = change of all hands, to the wei")


def _ifx(amount: int) -> str:
    return format_decimal(amount, IFX_DECIMALS)


def _signed(amount: int) -> str:
    return ("+" if amount >= 0 else "") + _ifx(amount)


def write(
    run: Services, order: Order, machines: list[Machine], before: Balances, after: Balances, facts: dict[str, Any]
) -> None:
    """``out/demo/report.json``: the same facts with hashes, CIDs, draws, seeds, gas and timings."""
    job = order.view()
    report = {
        "job": job,
        "input": order.file.input,
        "results": results(run, order),
        "frame_seeds": frame_seeds(order, job),
        "draws": [run.get(f"/explain/{task['id']}") for task in job["tasks"]],
        "nodes": {machine.name: {"id": machine.node, "owner": machine.owner.address} for machine in machines},
        "batches": [run.get(f"/batches/{batch['commitment']}") for batch in run.get("/batches")],
        "cases": run.get("/cases"),
        "epochs": run.get("/epochs"),
        "slashes": [{**row, "amount": str(row["amount"]), "burned": str(row["burned"]), "pooled": str(row["pooled"])}
                    for row in slashes(run)],
        "balances": {
            "before": {"ifx": _texts(before.ifx), "stablecoin": _texts(before.coin)},
            "after": {"ifx": _texts(after.ifx), "stablecoin": _texts(after.coin)},
        },
        "frames_sha256": {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((OUT / "frames").glob("*.png"))
        },
        "transactions": gas(run),
        "seconds": {"all": round(elapsed(), 1), "chapter": {name: round(at, 1) for name, at in chapters().items()}},
        **facts,
    }  # fmt: skip
    write_json(OUT / "report.json", report)


def results(run: Services, order: Order) -> list[dict[str, Any]]:
    """What was accepted, with the documents that name every file by CID and SHA-256."""
    rows = run.get(f"/jobs/0x{order.file.job}/results")["results"]
    return [{**row, "document": run.get(f"/blocks/{document_cid(bytes.fromhex(row['result'][2:]))}")} for row in rows]


def frame_seeds(order: Order, job: dict[str, Any]) -> list[dict[str, Any]]:
    """Seed of every frame of every attempt that a worker took: the client's secret, told here because it is a demo."""
    seeds = []
    for task in (task for task in job["tasks"] if task["kind"] == "render"):
        key = jobkeys.task_key(order.file.job_key, bytes.fromhex(task["id"][2:]))
        for attempt in (attempt for attempt in task["attempts"] if attempt["node"]):
            number, node = attempt["number"], attempt["node"]
            seeds += [
                {"frame": frame, "attempt": number, "node": node, "seed": frame_seed(key, number, node, frame)}
                for frame in range(task["first_frame"], task["last_frame"] + 1)
            ]
    return seeds


def _texts(amounts: dict[str, int]) -> dict[str, str]:
    return {name: str(amount) for name, amount in amounts.items()}


def gas(run: Services) -> list[dict[str, Any]]:
    """Every transaction that touched the protocol: what logged, block, gas."""
    client, deployment = run.contracts.client, run.contracts.deployment
    addresses = [contract.address for contract in deployment.contracts.values()]
    seen: dict[bytes, str] = {}
    for log in client.logs(addresses, deployment.block, client.block_number()):
        contract = deployment.at(log.address)
        event = contract.interface.event(log.topics, log.data) if contract else None
        if contract and event:
            seen.setdefault(log.transaction, f"{contract.name}.{event[0]}")
    rows = []
    for transaction, name in seen.items():
        receipt = client.receipt(transaction)
        if receipt is not None:
            rows.append({"transaction": "0x" + transaction.hex(), "first_event": name, "block": receipt.block,
                         "gas": receipt.gas_used})  # fmt: skip
    return rows
