# SPDX-License-Identifier: Apache-2.0
"""What a deployment must look like on the chain, as its settings and its plan say; pure.

Code and immutables are compared with what a contract's own constructor returns for the plan's arguments
(scripts/deploy.py asks the chain to run it); everything that is stored is read by views, which stand here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak

from deploy.plan import Call, Plan, Ref, resolve
from deploy.settings import DEPLOYER, TIMELOCK, Settings
from inferix.models.parameters import DEFAULTS

# The views that show what `wire` was told, in the order of its arguments
WIRES = {
    "IFX": ("minter",),
    "Vesting": ("ifx", "wallet_code"),
    "CommunityFund": ("ifx",),
    "NodeLicence": ("registry", "sale", "buyback"),
    "NodeSale": ("buyback",),
    "NodeRegistry": ("licences", "staking", "is_court"),
    "Staking": ("registry", "market", "penalty_pool", "batches", "delegation", "is_court"),
    "PenaltyPool": ("burn_mint_work", "accounts"),
    "IfxDollar": ("batches", "accounts", "fee_burner", "claims", "leases"),
    "Batches": ("disputes", "objections", "escape"),
    "Rosters": ("is_court",),
    "Accounts": ("is_court",),
    "Delegation": ("accounts",),
    "BurnMintWork": ("accounts", "fee_burner", "penalty_pool"),
}
COURT = "is_court"
NOBODY = "0x" + "00" * 20
ADMIN = bytes(32)
ROLES = {role: keccak(text=role) for role in ("PROPOSER_ROLE", "CANCELLER_ROLE", "EXECUTOR_ROLE")}
# Calls whose effect is used up later, or which the wires and the governor's own expectation show more exactly
PASSING = {"approve", "grant", "mint", "transfer", "wire", "propose_governor", "accept_governor"}
ANEW = "it is wired for good: do not use this deployment, deploy anew"
VOTED = "if a vote changed it, write the new value into the settings; if not, the governor sets it back"
Read = Callable[[str, str, tuple[Any, ...]], Any]
"""The value of a view: contract, name, arguments."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A view and its value. remedy: what to do where it differs; instead: a view that may show the value as well."""

    contract: str
    view: str
    arguments: tuple[Any, ...]
    value: Any
    remedy: str
    instead: str = ""
    # What is read, in words, where the arguments say little
    name: str = ""

    def differs(self, read: Read, addresses: Mapping[str, str]) -> str:
        """What is wrong and what to do, in words; empty when it is as expected."""
        arguments, wanted = resolve(self.arguments, addresses), resolve(self.value, addresses)
        found = read(self.contract, self.view, arguments)
        if found == wanted or (self.instead and read(self.contract, self.instead, arguments) == wanted):
            return ""
        what = self.name or ", ".join(str(each) for each in self.arguments)
        return f"{self.contract}.{self.view}({what}) is {found}, expected {wanted}: {self.remedy}"


def code_differs(contract: str, code: bytes, expected: bytes, runtime: int) -> str:
    """What is wrong with the code at an address; empty when it is what the constructor returns for its arguments.

    runtime: bytes of compiled code, behind which immutables stand.
    """
    if code == expected:
        return ""
    if len(code) != len(expected) or code[:runtime] != expected[:runtime]:
        return f"{contract} is not what this source compiles to: check out its source, or deploy anew"
    at = next(at for at in range(runtime, len(code), 32) if code[at : at + 32] != expected[at : at + 32])
    found, wanted = code[at : at + 32].hex(), expected[at : at + 32].hex()
    return (
        f"{contract} was made with other arguments: its immutable {(at - runtime) // 32} is 0x{found}, "
        f"expected 0x{wanted}: correct the settings, or deploy anew"
    )


def expectations(plan: Plan, settings: Settings, deployer: str) -> list[Expected]:
    """Everything that the settings say of what is stored on the chain."""
    return [*_wires(plan, deployer), *_parameters(settings), *_government(settings, deployer), *_votes(settings)]


def undone(plan: Plan, holds: Callable[[Call], bool]) -> list[str]:
    """Calls of the plan whose lasting effect does not show, in words."""
    lasting = [call for call in plan.calls if call.function not in PASSING]
    return [f"{call} has no effect (see {call.done.view}): {VOTED}" for call in lasting if not holds(call)]


def _wires(plan: Plan, deployer: str) -> list[Expected]:
    later = {(call.contract, "market") for call in plan.calls if call.function == "set_market"}
    found: list[Expected] = []
    for call in plan.calls:
        if call.function != "wire" or call.contract not in WIRES:
            continue
        for view, told in zip(WIRES[call.contract], call.arguments, strict=True):
            if view == COURT:
                found += _courts(plan, call.contract, told, deployer)
            elif (call.contract, view) not in later:
                found.append(Expected(call.contract, view, (), told, VOTED if view == "market" else ANEW))
    return found


def _courts(plan: Plan, contract: str, courts: tuple[Any, ...], deployer: str) -> list[Expected]:
    """Those named are courts; no other contract is one, nor is who deployed."""
    others = [Ref(creation.contract) for creation in plan.creations if Ref(creation.contract) not in courts]
    asked: list[tuple[Any, bool]] = [(court, True) for court in courts]
    asked += [(other, False) for other in (*others, deployer)]
    return [
        Expected(contract, COURT, (who,), value, ANEW, name=who.contract if isinstance(who, Ref) else "deployer")
        for who, value in asked
    ]


def _parameters(settings: Settings) -> list[Expected]:
    values = DEFAULTS | settings.parameters
    return [
        Expected("Parameters", "get", (keccak(text=name),), value, VOTED, name=name) for name, value in values.items()
    ]


def _government(settings: Settings, deployer: str) -> list[Expected]:
    def who(address: str) -> Any:
        return {DEPLOYER: deployer, TIMELOCK: Ref("Timelock")}.get(address, address)

    taking = "" if settings.governor in (DEPLOYER, TIMELOCK, deployer) else "proposed_governor"
    remedy = "whoever governs calls Parameters.propose_governor, unless a vote chose it: then correct the settings"
    replaced = "the governor calls Parameters.set_guardian, unless a vote chose it: then correct the settings"
    return [
        Expected("Parameters", "governor", (), who(settings.governor), remedy, instead=taking),
        Expected("Parameters", "guardian", (), who(settings.guardian), replaced),
    ]


def _votes(settings: Settings) -> list[Expected]:
    """The rules of votes, and who has which role in the timelock."""
    rules = settings.voting
    stored = {
        ("Governor", "votingDelay"): rules.delay,
        ("Governor", "votingPeriod"): rules.period,
        ("Governor", "proposalThreshold"): rules.threshold,
        ("Governor", "quorumNumerator"): rules.quorum_bps,
        ("Timelock", "getMinDelay"): rules.timelock,
    }
    holders = {"PROPOSER_ROLE": Ref("Governor"), "CANCELLER_ROLE": Ref("Governor"), "EXECUTOR_ROLE": NOBODY}
    return [
        *(Expected(contract, view, (), value, VOTED) for (contract, view), value in stored.items()),
        *(
            Expected("Timelock", "hasRole", (ROLES[role], holder), True, VOTED, name=role)
            for role, holder in holders.items()
        ),
        Expected("Timelock", "hasRole", (ADMIN, Ref("Timelock")), True, ANEW, name="its own administrator"),
    ]
