# SPDX-License-Identifier: Apache-2.0
"""What a proposal would do, from its calldata alone: its words are the proposer's, and prove nothing; pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak

from deploy.proposal import Proposal, Step, Target, plan_step
from inferix.errors import Corrupt, InvalidInput
from inferix.models.parameters import DEFAULTS

# Functions that set one value, and the views that show the one in force
SETTERS = {
    "Parameters.set_guardian": "guardian",
    "Parameters.propose_governor": "proposed_governor",
    "ReferenceMarket.set_price": "price",
    "Staking.set_market": "market",
    "FeeBurner.set_market": "market",
    "Buyback.set_market": "market",
    "Governor.setVotingDelay": "votingDelay",
    "Governor.setVotingPeriod": "votingPeriod",
    "Governor.setProposalThreshold": "proposalThreshold",
    "Governor.updateQuorumNumerator": "quorumNumerator",
    "Timelock.updateDelay": "getMinDelay",
}
NAMES = {keccak(text=name): name for name in DEFAULTS}
Ask = Callable[[str, int, bytes], tuple[bytes, str]]
"""What a call of the timelock returns now: target, wei, calldata -> what it returned, or why it failed."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One call in words, and what is wrong with it; empty: nothing."""

    what: str
    wrong: str = ""


def preview(proposal: Proposal, targets: Mapping[str, Target], ask: Ask) -> list[Effect]:
    """Each call as the chain stands now; a call may succeed only after those before it, which are not made here."""
    return [_effect(call, targets, ask) for call in proposal.calls]


def _effect(call: Step, targets: Mapping[str, Target], ask: Ask) -> Effect:
    contract = next((name for name, each in targets.items() if each.address.lower() == call.target.lower()), None)
    data = bytes.fromhex(call.calldata[2:])
    if contract is None:
        return Effect(f"0x{data.hex()} to {call.target}", "no contract of this deployment")
    try:
        function, arguments = targets[contract].interface.decode_call(data)
    except Corrupt as error:
        return Effect(f"0x{data.hex()} to {contract}", str(error))
    name = f"{contract}.{function}"
    shown = ", ".join(f"{key}={_word(value)}" for key, value in arguments.items())
    paid = f" with {call.value} wei" if call.value else ""
    what, wrong = _change(name, targets[contract], arguments, ask)
    if not wrong and not _says(call, targets):
        wrong = f"its words are of another call: {call.what!r}"
    if not wrong:
        _, failed = ask(call.target, call.value, data)
        wrong = failed and f"it would fail now: {failed}"
    return Effect(f"{name}({shown}){paid}{what}", wrong)


def _change(name: str, target: Target, arguments: dict[str, Any], ask: Ask) -> tuple[str, str]:
    """The value in force and the one to come, and what is wrong with that."""
    values = list(arguments.values())
    if name == "Parameters.set":
        if values[0] not in NAMES:
            return "", "no parameter that this version knows"
        old, (low, high) = (_read(target, view, [values[0]], ask) for view in ("get", "bounds"))
        wrong = "" if low <= values[1] <= high else f"out of bounds, {low} to {high}"
        return f": {NAMES[values[0]]} {old} -> {values[1]} (bounds {low} to {high})", wrong
    if name in SETTERS:
        view = SETTERS[name]
        return f": {view} {_read(target, view, [], ask)} -> {_word(values[0])}", ""
    return "", ""


def _read(target: Target, view: str, arguments: list[Any], ask: Ask) -> Any:
    returned, failed = ask(target.address, 0, target.interface.encode(view, arguments))
    if failed:
        raise InvalidInput(f"{target.interface.contract}.{view} cannot be read: {failed}")
    return target.interface.decode(view, len(arguments), returned)


def _says(call: Step, targets: Mapping[str, Target]) -> bool:
    """Whether the call's words, read as `propose` reads them, are this calldata."""
    function, _, words = call.what.partition(" ")
    try:
        step = plan_step(targets, function, words)
    except InvalidInput:
        return False
    return (step.target.lower(), step.calldata) == (call.target.lower(), call.calldata)


def _word(value: Any) -> str:
    if isinstance(value, bytes):
        return NAMES.get(value, "0x" + value.hex())
    return str(value)
