# SPDX-License-Identifier: Apache-2.0
"""No contract is deployed, or wired, with nobody in the place of another: what it is told then is for good."""

from typing import Any

import boa
import pytest
from eth_abi.abi import decode

from tests.contracts.disputes.court import Court
from tests.contracts.system import STAND_INS, Contract, acting, deployer, key

NOBODY = "0x" + "00" * 20
JUDGE = {"registry": "eip712: no registry", "staking": "bonds: no staking", "ifx": "bonds: no IFX"}
MANAGED = {"registry": "managers: no registry", "staking": "managers: no staking"}


def each(contract: str, *names: str) -> dict[str, str]:
    """The contract's own reason, for arguments that it checks together."""
    return dict.fromkeys(names, f"{contract}: empty address")


REASONS = {
    "accounts": {"registry": "bonds: no registry", "staking": "bonds: no staking", "ifx": "bonds: no IFX"}
    | each("Accounts", "epochs")
    | each("claims", "penalty_pool", "delegation"),
    "availability": JUDGE | each("Availability", "batches", "rosters", "accounts"),
    "balance_claims": each("BalanceClaims", "ifx_dollar", "accounts", "batches", "foundation_"),
    "batches": MANAGED,
    "burn_mint_work": each("BurnMintWork", "ifx"),
    "committees": {
        "registry": "eip712: no registry",
        "ifx_dollar": "Committees: no IfxDollar",
        "rosters": "Committees: no Rosters",
    }
    | each("evidence", "batches", "orders", "availability"),
    "contradictions": JUDGE | {"rosters": "verdicts: no Rosters"} | each("Contradictions", "ifx_dollar", "batches"),
    "delegation": each("Delegation", "registry", "staking", "ifx", "epochs"),
    "disputes": JUDGE
    | {"batches": "convictions: no Batches", "committees": "Disputes: no Committees"}
    | each("fraud_proofs", "orders", "ifx_dollar"),
    "escape": JUDGE | each("Escape", "ifx_dollar", "batches", "committees"),
    "fee_burner": each("FeeBurner", "ifx", "ifx_dollar", "batches", "registry", "foundation_"),
    "ifx_dollar": {},
    "leases": each("Leases", "registry", "ifx_dollar", "batches", "committees", "foundation_"),
    "licence": {},
    "market": each("ReferenceMarket", "ifx", "ifx_dollar", "treasury_"),
    "objections": JUDGE | {"rosters": "verdicts: no Rosters"} | each("Objections", "ifx_dollar", "batches", "accounts"),
    "orders": MANAGED | {"ifx_dollar": "Orders: no ifxDollar", "batches": "Orders: no Batches"},
    "panels": JUDGE
    | {
        "ifx_dollar": "appeals: no IfxDollar",
        "batches": "Panels: no Batches",
        "rosters": "verdicts: no Rosters",
    },
    "penalty_pool": {"ifx": "PenaltyPool: no IFX"},
    "registry": {},
    "rosters": MANAGED,
    "staking": {"ifx": "Staking: no IFX"},
    "strikes": each("Strikes", "registry", "staking", "batches", "panels"),
}


@pytest.fixture(scope="module")
def made() -> Court:
    return Court()


def arguments(contract: Contract) -> tuple[list[str], list[Any]]:
    """Names and values of what it was deployed with."""
    (inputs,) = [each["inputs"] for each in contract.abi if each["type"] == "constructor"]
    return [each["name"] for each in inputs], list(decode([each["type"] for each in inputs], contract.ctor_calldata))


@pytest.mark.parametrize("name", REASONS)
def test_nobody_in_the_place_of_another_contract_is_refused(made: Court, name: str) -> None:
    contract = getattr(made, name)
    names, values = arguments(contract)
    contract.deployer.deploy(*values)
    for argument, reason in (REASONS[name] | {"parameters": "governed: no parameters"}).items():
        with boa.reverts(reason):
            contract.deployer.deploy(
                *(NOBODY if at == argument else value for at, value in zip(names, values, strict=True))
            )


def test_parameters_need_a_governor() -> None:
    deploy, guardian = deployer("governance/Parameters.vy").deploy, key("guardian").address
    with boa.reverts("Parameters: no governor"):
        deploy(NOBODY, guardian, [], [])
    deploy(key("governor").address, guardian, [], [])


def test_a_market_without_a_price_burns_nothing(made: Court) -> None:
    names, values = arguments(made.fee_burner)
    market = deployer("Market.vy", STAND_INS).deploy(0)
    replaced = [market.address if name == "market" else value for name, value in zip(names, values, strict=True)]
    with boa.reverts("FeeBurner: no price"):
        made.fee_burner.deployer.deploy(*replaced)
    market.set_price(1)
    made.fee_burner.deployer.deploy(*replaced)


WIRINGS = {
    "batches": (3, "Batches: empty address"),
    "burn_mint_work": (3, "BurnMintWork: empty address"),
    "delegation": (1, "Delegation: empty address"),
    "ifx": (1, "IFX: no minter"),
    "licence": (3, "NodeLicence: empty address"),
    "penalty_pool": (2, "PenaltyPool: empty address"),
    "staking": (5, "Staking: empty address"),
}


@pytest.mark.parametrize("name", WIRINGS)
def test_nobody_is_wired(made: Court, name: str) -> None:
    count, reason = WIRINGS[name]
    _, values = arguments(getattr(made, name)) if name != "ifx" else ([], [[], []])
    who, others = key("deployer"), [key(f"other {at}").address for at in range(count)]
    courts = [[key("court").address]] if name == "staking" else []
    with acting(who):
        fresh = getattr(made, name).deployer.deploy(*values)
        for at in range(count):
            with boa.reverts(reason):
                fresh.wire(*others[:at], NOBODY, *others[at + 1 :], *courts)
        fresh.wire(*others, *courts)


@pytest.mark.parametrize("name", ["rosters", "accounts"])
def test_courts_are_named_when_it_is_wired(made: Court, name: str) -> None:
    court, values = key("court").address, arguments(getattr(made, name))[1]
    with acting(key("deployer")):
        fresh = getattr(made, name).deployer.deploy(*values)
        with boa.reverts("courts: none"):
            fresh.wire([])
        with boa.reverts("courts: empty address"):
            fresh.wire([court, NOBODY])
        fresh.wire([court])
