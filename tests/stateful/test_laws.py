# SPDX-License-Identifier: Apache-2.0
"""Each law is broken by logs that a contract with a hole could have written, and by none that an honest one writes."""

from typing import Any

import pytest

from inferix.models.anchor import BatchData, BatchLeaf
from inferix.models.event import ChainEvent
from tests.contracts.work.network import batch_leaf
from tests.stateful.laws import Laws

NODE, ACCOUNT, COIN = 7, 3, 1
CASE, BATCH, LATER = b"case", b"batch", b"later batch"
Log = tuple[str, str, dict[str, Any]]


class Chain:
    """Documents, and views that say what the laws have counted themselves."""

    def __init__(self) -> None:
        self.documents: dict[bytes, bytes] = {}
        self.laws = Laws(self)

    def read(self, name: str, function: str, *arguments: int) -> int:
        """Of frozen stake and of final charges."""
        return (self.laws.frozen if function == "frozen" else self.laws.final)[arguments[0]]

    def logged(self, *logs: Log) -> Laws:
        """The laws after these."""
        self.laws.read([ChainEvent(1, at, 1, contract, name, args) for at, (contract, name, args) in enumerate(logs)])
        return self.laws

    def proposed(self, commitment: bytes, *leaves: BatchLeaf) -> Log:
        """A batch whose leaves are there for everybody to see."""
        data = BatchData(manager=1, sequence=1, leaves=list(leaves))
        self.documents[data.digest()] = data.encode()
        return "batches", "Proposed", {"commitment": commitment, "header": {"coin": COIN, "data": data.digest()}}


@pytest.fixture
def chain() -> Chain:
    """A node with 100 wei at stake, and an account with 50 nano-USD."""
    chain = Chain()
    chain.logged(staked("Staked", 100), ("ifx_dollar", "ToppedUp", {"account": ACCOUNT, "credit": 50}))
    return chain


def staked(name: str, amount: int) -> Log:
    return "staking", name, {"node": NODE, "amount": amount}


def final(commitment: bytes) -> Log:
    return "batches", "BatchFinalized", {"commitment": commitment}


def leaf(task: int = 1, charge: int = 20) -> BatchLeaf:
    return batch_leaf(task, charge=charge, account=ACCOUNT)


FROZEN: Log = "panels", "CaseFrozen", {"case": CASE, "node": NODE}
CLEARED: Log = "panels", "CaseCleared", {"case": CASE}
DOUBTED: Log = "contradictions", "VoteContradicted", {"id": CASE, "verifier": NODE}
DECIDED: Log = "contradictions", "ContradictionClosed", {"id": CASE}
VOIDED: Log = "batches", "LeafVoided", {"commitment": BATCH, "index": 0}
PAID_BACK: Log = "ifx_dollar", "Withdrawn", {"account": ACCOUNT, "amount": 31}
LEASED: Log = "leases", "LeasePaid", {"task": leaf().task, "charge": 20}


@pytest.mark.parametrize(("opened", "closed"), [(FROZEN, CLEARED), (DOUBTED, DECIDED)])
@pytest.mark.parametrize("way", ["StakeWithdrawn", "DelegatedPaid"])
def test_no_stake_leaves_while_a_case_is_open(chain: Chain, opened: Log, closed: Log, way: str) -> None:
    chain.logged(opened, closed, staked(way, 1), opened)
    with pytest.raises(AssertionError, match="while a case was open"):
        chain.logged(staked(way, 1))


def test_no_frozen_stake_leaves(chain: Chain) -> None:
    chain.logged(staked("Frozen", 60), staked("StakeWithdrawn", 40))
    with pytest.raises(AssertionError, match="frozen stake left"):
        chain.logged(staked("StakeWithdrawn", 1))


def test_no_delegator_leaves_while_anything_is_frozen(chain: Chain) -> None:
    chain.logged(staked("Frozen", 60), staked("Unfrozen", 60), staked("DelegatedPaid", 40), staked("Frozen", 1))
    with pytest.raises(AssertionError, match="a delegator left"):
        chain.logged(staked("DelegatedPaid", 1))


def test_a_slash_leaves_no_more_frozen_than_there_is(chain: Chain) -> None:
    assert chain.logged(staked("Frozen", 60), staked("Slashed", 70)).frozen[NODE] == 30


def test_what_is_frozen_has_a_log(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "read", lambda *_: 1)
    with pytest.raises(AssertionError, match="no log of it"):
        chain.logged(staked("Staked", 1))


def test_no_task_is_charged_twice(chain: Chain) -> None:
    chain.logged(chain.proposed(BATCH, leaf()), final(BATCH), chain.proposed(LATER, leaf(2), leaf()))
    with pytest.raises(AssertionError, match="a task charged twice"):
        chain.logged(final(LATER))


def test_what_is_given_back_is_not_charged(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    assert chain.logged(chain.proposed(BATCH, leaf(), leaf(2)), VOIDED, final(BATCH)).charged == {leaf(2).task: 20}
    monkeypatch.setattr(chain, "read", lambda *_: 40)
    with pytest.raises(AssertionError, match="otherwise than leaf by leaf"):
        chain.logged()


def test_what_is_given_back_whole_is_looked_at_too(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    chain.logged(chain.proposed(BATCH, leaf()), VOIDED)
    monkeypatch.setattr(chain, "read", lambda *_: 20)
    with pytest.raises(AssertionError, match="otherwise than leaf by leaf"):
        chain.logged(final(BATCH))


def test_what_is_charged_is_not_given_back(chain: Chain) -> None:
    chain.logged(chain.proposed(BATCH, leaf()), final(BATCH))
    with pytest.raises(AssertionError, match="given back of a batch that is final"):
        chain.logged(VOIDED)
    with pytest.raises(AssertionError, match="a batch fell that was final"):
        chain.logged(("batches", "BatchCancelled", {"commitment": BATCH}))


def test_money_is_not_both_charged_and_paid_back(chain: Chain) -> None:
    chain.logged(chain.proposed(BATCH, leaf()), final(BATCH))
    with pytest.raises(AssertionError, match="paid back to its client"):
        chain.logged(PAID_BACK)


def test_money_that_was_paid_back_is_not_charged(chain: Chain) -> None:
    chain.logged(PAID_BACK, chain.proposed(BATCH, leaf()))
    with pytest.raises(AssertionError, match="paid back to its client"):
        chain.logged(final(BATCH))


def test_a_batch_that_stands_alone_charges_the_leaf_of_its_log(chain: Chain) -> None:
    alone: Log = "batches", "Proposed", {"commitment": BATCH, "header": {"coin": COIN, "data": bytes(32)}}
    shown: Log = "escape", "Escaped", {"commitment": BATCH, "leaf": leaf().model_dump()}
    assert chain.logged(alone, shown, final(BATCH)).charged == {leaf().task: 20}
    chain.logged(chain.proposed(LATER, leaf()))
    with pytest.raises(AssertionError, match="a task charged twice"):
        chain.logged(final(LATER))


def test_a_lease_is_paid_once_and_as_it_was_charged(chain: Chain) -> None:
    with pytest.raises(AssertionError, match="that was not charged"):
        chain.logged(LEASED)
    chain.logged(chain.proposed(BATCH, leaf()), final(BATCH), LEASED)
    with pytest.raises(AssertionError, match="paid twice"):
        chain.logged(LEASED)
