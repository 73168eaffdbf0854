# SPDX-License-Identifier: Apache-2.0
"""What keepers do about a client's claim to its balance: they show what it leaves out, and settle it when its time has come."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from inferix.chain.abi import Interface
from inferix.chain.errors import GivenUp
from inferix.models.roles import Outcome
from inferix.money import OnChain, holdings
from inferix.replay.balances import entry
from inferix.replay.settlement import draft_batches
from inferix.replay.state import Batch
from keepers.claims import ClaimKeeper, decide_claims
from keepers.desk import Step
from tests.keepers.bare import Outbox, bare_desk
from tests.replay.chain import COIN, MANAGER, Chain, address

WEEK = 7 * 86_400
NOBODY = "0x" + 40 * "0"


@pytest.fixture
def chain() -> Chain:
    found = Chain()
    found.start()
    return found


@pytest.fixture
def encoded(interface: Callable[[str], Interface]) -> Callable[[Sequence[Step]], list[str]]:
    """The functions of BalanceClaims in steps, whose arguments are encoded as the contract takes them."""

    def names(steps: Sequence[Step]) -> list[str]:
        for _, function, arguments in steps:
            assert interface("BalanceClaims").encode(function, arguments)
        return [function for _, function, _ in steps]

    return names


def charged(chain: Chain) -> Batch:
    """A proposed batch that charges account 1."""
    state = chain.state(chain.order(), 0)
    chain.run(state)
    assert state.attempts[0].outcome is Outcome.ACCEPTED
    (found,) = draft_batches(chain.network, MANAGER)
    for document in found.documents:
        chain.store(document)
    chain.emit("Proposed", commitment=found.commitment, header=found.header)
    return chain.network.batches[found.commitment]


def make_final(chain: Chain, batch: Batch) -> None:
    chain.emit("BatchFinalized", commitment=batch.commitment, epoch=3)


def claim(chain: Chain, *counted: bytes, **changes: Any) -> None:
    chain.wait(60)
    until = chain.network.clock(chain.time) + WEEK
    fields = {"account": 1, "amount": 10**9, "since": 3, "bond": 50_000, "until": until}
    chain.emit("BalanceClaimed", counted=list(counted), **(fields | changes))
    chain.wait(60)


def test_a_charge_that_is_left_out_is_shown(chain: Chain, encoded: Callable[[Sequence[Step]], list[str]]) -> None:
    batch = charged(chain)
    claim(chain)
    (step,) = decide_claims(chain.network)
    assert encoded([step]) == ["prove_charge"]
    assert step[2][2]["header"] == batch.header  # type: ignore[index]
    chain.emit("ClaimFell", account=1, task=bytes(32), attempt=0, winner=address(5))
    assert decide_claims(chain.network) == []


def test_an_honest_claim_is_left_alone_and_then_settled(
    chain: Chain, encoded: Callable[[Sequence[Step]], list[str]]
) -> None:
    batch = charged(chain)
    make_final(chain, batch)
    claim(chain, entry(batch.leaves[0]))
    assert decide_claims(chain.network) == []
    chain.wait(WEEK)
    chain.network.tick(chain.time)
    assert encoded(decide_claims(chain.network)) == ["settle"]
    chain.emit("ClaimPaid", account=1, paid=10**8, left=9 * 10**8)
    assert encoded(decide_claims(chain.network)) == ["settle"], "the rest in a later epoch"
    chain.emit("ClaimPaid", account=1, paid=9 * 10**8, left=0)
    assert decide_claims(chain.network) == []


@pytest.mark.parametrize("changes", [{"since": 4}, {"account": 2}])
def test_what_does_not_count_is_not_shown(chain: Chain, changes: dict[str, int]) -> None:
    batch = charged(chain)
    make_final(chain, batch)
    claim(chain, **changes)
    assert decide_claims(chain.network) == []


def test_what_was_proposed_after_the_claim_counts_once_it_is_final(chain: Chain) -> None:
    claim(chain)
    batch = charged(chain)
    assert decide_claims(chain.network) == []
    make_final(chain, batch)
    (after,) = decide_claims(chain.network)
    assert after[1] == "prove_charge"
    chain.emit("ClaimFell", account=1, task=bytes(32), attempt=0, winner=NOBODY)
    assert decide_claims(chain.network) == [], "it fell, and its bond waits"
    chain.emit("ClaimDropped", account=1)
    claim(chain, since=4)
    batch.voided.add(0)
    assert decide_claims(chain.network) == []


def test_what_takes_its_bond_is_shown_first_and_though_the_claim_fell(chain: Chain) -> None:
    """As its own step: a journal sends none twice."""
    before = charged(chain)
    claim(chain)
    make_final(chain, charged(chain))
    make_final(chain, before)
    (step,) = decide_claims(chain.network)
    assert step[2][2]["header"] == before.header  # type: ignore[index]
    before.voided.add(0)
    (after,) = decide_claims(chain.network)
    before.voided.clear()
    chain.emit("ClaimFell", account=1, task=bytes(32), attempt=0, winner=NOBODY)
    assert decide_claims(chain.network) == [step]
    assert step[0] != after[0]
    chain.emit("ClaimFell", account=1, task=bytes(32), attempt=0, winner=address(5))
    assert decide_claims(chain.network) == []


def test_what_is_not_final_yet_is_shown_once_and_again_when_it_takes_the_bond(chain: Chain) -> None:
    batch = charged(chain)
    claim(chain)
    (step,) = decide_claims(chain.network)
    chain.emit("ClaimFell", account=1, task=bytes(32), attempt=0, winner=NOBODY)
    assert decide_claims(chain.network) == [], "it fell, and the batch may fall too"
    make_final(chain, batch)
    (again,) = decide_claims(chain.network)
    assert again[1:] == step[1:] and again[0] != step[0], "a journal sends none twice"
    chain.emit("ClaimFell", account=1, task=bytes(32), attempt=0, winner=address(5))
    assert decide_claims(chain.network) == []


def test_attack_a_proof_that_was_made_to_fail_counts_against_no_other(chain: Chain) -> None:
    """A journal gives a key up: what was shown is void in front of its proof, again and again, and another is left."""
    first, other = charged(chain), charged(chain)
    claim(chain)
    (step,) = decide_claims(chain.network)
    first.voided.add(0)
    (next_step,) = decide_claims(chain.network)
    assert next_step[2][2]["header"] == other.header  # type: ignore[index]
    assert next_step[0] != step[0]


def test_what_is_final_is_shown_before_what_may_fall(chain: Chain) -> None:
    charged(chain)
    claim(chain)
    after = charged(chain)
    make_final(chain, after)
    (step,) = decide_claims(chain.network)
    assert step[2][2]["header"] == after.header  # type: ignore[index]


def test_a_step_that_was_given_up_holds_up_no_other_claim(chain: Chain) -> None:
    charged(chain)
    claim(chain)
    claim(chain, account=2)
    chain.wait(WEEK)
    chain.network.tick(chain.time)

    def refuse(key: str) -> None:
        if key.startswith("claim:1:"):
            raise GivenUp(key)

    outbox = Outbox(refuse)
    with pytest.raises(GivenUp, match="claim:1:"):
        ClaimKeeper(bare_desk(chain.network, outbox)).cycle()
    assert [key.split(":")[1] for key in outbox.sent] == ["2"]


def test_regression_a_false_claim_is_shown_to_be_one_after_a_pause_too(chain: Chain) -> None:
    """Its end is told on the protocol's clock: by block time keepers took each claim for one whose window was over."""
    chain.emit("Paused", until=chain.time + WEEK)
    chain.wait(WEEK)
    charged(chain)
    claim(chain)
    assert [step[1] for step in decide_claims(chain.network)] == ["prove_charge"]
    claimed_at = chain.network.balance_claims[1].claimed_at
    (row,) = [row for row in holdings(chain.network, address(0), OnChain(), None) if "BalanceClaims" in row.where]
    assert row.free_at == claimed_at + WEEK
    for early, function in [(1, "prove_charge"), (0, "settle")]:
        chain.network.tick(claimed_at + WEEK - early)
        assert [step[1] for step in decide_claims(chain.network)] == [function]


def test_a_claims_bond_is_among_its_owners_money_until_it_is_back(chain: Chain) -> None:
    claim(chain)
    rows = [row for row in holdings(chain.network, address(0), OnChain(), None) if "BalanceClaims" in row.where]
    assert [(row.amount, row.unit, row.state) for row in rows] == [(50_000, COIN, "bonded")]
    chain.emit("ClaimDropped", account=1)
    rows = [row for row in holdings(chain.network, address(0), OnChain(), None) if "BalanceClaims" in row.where]
    assert rows == []
