# SPDX-License-Identifier: Apache-2.0
"""What must be the same everywhere of the two exits without a manager: bonds of batches alone, claims to a balance."""

from typing import Any

from inferix.replay import Network as Mirror
from tests.stateful.model.whole import Model
from tests.stateful.world import World

NOBODY = "0x" + 40 * "0"


def of_model(model: Model) -> dict[tuple[Any, ...], Any]:
    """Who stands behind each batch alone with how much [wei], and each account's claim, as the contracts hold them."""
    found: dict[tuple[Any, ...], Any] = {}
    for key, batch in model.work.batches.items():
        if batch.is_alone:
            bond = model.escapes.bonds.get(key)
            found["escape", key] = (bond.proposer, bond.amount) if bond else (NOBODY, 0)
    for id in model.credit.accounts:
        claim = model.claims.standing.get(id)
        fields = (claim.left, claim.since, claim.requested_at, claim.claimed_at, claim.bond) if claim else (0,) * 5
        found["claim", id] = fields
    return found


def read(world: World, key: tuple[Any, ...]) -> Any:
    """The same fact as the contracts have it."""
    if key[0] == "escape":
        return world.read("escape", "proposer", key[1]), world.read("escape", "bond_of", key[1])
    claim = world.read("balance_claims", "claim_of", key[1])
    return tuple(claim[name] for name in ("left", "since", "requested_at", "claimed_at", "bond"))


def of_mirror(mirror: Mirror) -> dict[tuple[Any, ...], Any]:
    """What the keepers' mirror has of them: wei, and what of a claim is left, since which epoch, on what bond."""
    found: dict[tuple[Any, ...], Any] = {
        ("escape", key): batch.bond for key, batch in mirror.batches.items() if batch.is_alone
    }
    for id, claim in mirror.balance_claims.items():
        found["claim", id] = (claim.left, claim.since, claim.bond)
    return found


def in_its_terms(model: Model) -> dict[tuple[Any, ...], Any]:
    """The model's, likewise."""
    bonds = {key: bond.amount for key, bond in model.escapes.bonds.items()}
    found: dict[tuple[Any, ...], Any] = {
        ("escape", key): bonds.get(key, 0) for key, batch in model.work.batches.items() if batch.is_alone
    }
    for id, claim in model.claims.standing.items():
        found["claim", id] = (claim.left, claim.since, claim.bond)
    return found


def check(model: Model) -> None:
    """Each contract holds its bonds, what is the foundation's of lost ones, and nothing else."""
    ground, own, accounts = model.ground, model.ground.own, model.credit.accounts
    assert ground.ifx.of(own["escape"]) == sum(bond.amount for bond in model.escapes.bonds.values())
    for coin in model.credit.coins.values():
        bonds = [claim.bond for id, claim in model.claims.standing.items() if accounts[id].coin == coin.address]
        due = model.work.due.get(("balance_claims", coin.address), 0)
        assert ground.coins[coin.address].of(own["balance_claims"]) == sum(bonds) + due
