# SPDX-License-Identifier: Apache-2.0
"""Every reason for which a contract refuses is named by a test of the contracts, or stands here with why nothing reaches it."""

import re
from pathlib import Path

from tests.contracts.system import CONTRACTS

TESTS = Path(__file__).parent
ALWAYS_TRUE = "IFX moves or reverts; it never answers with false"
EARLIER = "another module of the same contract refuses the same empty address before"
ANSWERS = "Committees reverts, or answers with how many votes stand"
UNREACHED = {
    "CommunityFund: transfer failed": ALWAYS_TRUE,
    "Delegation: transfer failed": ALWAYS_TRUE,
    "PenaltyPool: transfer failed": ALWAYS_TRUE,
    "Staking: transfer failed": ALWAYS_TRUE,
    "Vesting: transfer failed": ALWAYS_TRUE,
    "VestingWallet: transfer failed": ALWAYS_TRUE,
    "bonds: transfer failed": ALWAYS_TRUE,
    "claims: transfer failed": ALWAYS_TRUE,
    "FeeBurner: approval failed": "a coin that refuses an approval sells nothing: its fees wait",
    "IFX: invalid signature": "snekmate's ecdsa refuses it before",
    "cases: no registry": EARLIER,
    "cases: no staking": EARLIER,
    "seats: no registry": EARLIER,
    "Committees: no seed": "a receipt is found only in an anchor that has a seed",
    "Disputes: no votes": ANSWERS,
    "Escape: no votes": ANSWERS,
    "Leases: no lease": ANSWERS,
}


def reasons() -> dict[str, list[str]]:
    """Reason -> where it stands. Contracts of the development network are not deployed elsewhere."""
    found: dict[str, list[str]] = {}
    for path in sorted(CONTRACTS.rglob("*.vy")):
        if "dev" not in path.parts:
            text = re.sub(r'"""[\s\S]*?"""|^ *#.*$', "", path.read_text(), flags=re.MULTILINE)
            for reason in re.findall(r'"([A-Za-z]\w*: [^"\n]+)"', text):
                found.setdefault(reason, []).append(str(path.relative_to(CONTRACTS)))
    return found


def is_named(reason: str, text: str) -> bool:
    """As it is, or without its contract where a test puts that in front."""
    own = reason.split(": ", 1)[1]
    return any(form in text for form in (f'"{reason}"', f'"{own}"', f'}}: {own}"'))


def test_every_reason_of_a_contract_is_named_by_a_test() -> None:
    text = "\n".join(path.read_text() for path in sorted(TESTS.rglob("*.py")) if path != Path(__file__))
    known = reasons()
    assert len(known) > 600, "contracts with reasons"
    unnamed = {reason: paths for reason, paths in known.items() if not is_named(reason, text)}
    assert {reason: unnamed[reason] for reason in unnamed.keys() - UNREACHED.keys()} == {}
    assert UNREACHED.keys() - unnamed.keys() == set(), "they are reached, or are no more"


def test_what_no_test_names_is_seen() -> None:
    text = 'with boa.reverts("Panels: not appealed"):\n    reasons = ("not over", f"{contract}: no seat")'
    assert is_named("Panels: not appealed", text)
    assert is_named("Panels: not over", text) and is_named("Panels: no seat", text)
    assert not is_named("Panels: not appealed yet", text)
    assert not is_named("Panels: not", text)
