# SPDX-License-Identifier: Apache-2.0
"""What modules pack into words by hand: at its edges it reads back as it was written, and one more is refused."""

from pathlib import Path
from typing import Any

import boa
import pytest

from tests.contracts.system import deployer, slot

U16, U24, U32, U40, U64, U92, U96 = (2**bits - 1 for bits in (16, 24, 32, 40, 64, 92, 96))
ENTRY = {
    "manager": U32,
    "sequence": U32,
    "proposed_at": U40,
    "charge": U96,
    "disputes": U16,
    "has_voids": True,
    "is_cancelled": True,
    "epoch": U24,
}
STATE = {
    "newest": U32,
    "pending": U32,
    "count": U32,
    "final_at": U40,
    "posted_at": U40,
    "disputes": U16,
    "place": 1,
}
STREAM = {"matured": U92, "vesting": U92, "until": U40, "vesting_time": U32}
LEDGER = {"spent": U96, "reserved": U96, "epoch": U32, "manager": U32}
SHARES = 2**104 - 1
POOL = {"shares": SHARES, "active": SHARES, "first": U24, "last": U24}
REWARDS = {"sum": 2**160 - 1, "share": U16, "next": U16, "since": U24}
WORDS = {"entry": ENTRY, "state": STATE, "stream": STREAM, "ledger": LEDGER, "pool": POOL, "rewards": REWARDS}
GUARDS = [
    ("entry", "disputes", "lanes: too many disputes"),
    ("entry", "epoch", "lanes: epoch too large"),
    ("state", "count", "roots: too many"),
    ("state", "disputes", "roots: too many"),
    ("stream", "matured", "roots: more than was ever minted"),
    ("stream", "vesting", "roots: more than was ever minted"),
    ("stream", "until", "roots: beyond the calendar"),
    ("stream", "vesting_time", "roots: beyond the calendar"),
    ("pool", "shares", "pools: too much"),
    ("pool", "last", "pools: too much"),
    ("rewards", "sum", "pools: too much"),
]


@pytest.fixture(scope="session")
def words() -> Any:
    return deployer("Words.vy", Path(__file__).parent).deploy()


@pytest.mark.parametrize("name", WORDS)
def test_all_that_a_word_holds_is_read_as_it_was_written(words: Any, name: str) -> None:
    fields = WORDS[name]
    assert tuple(getattr(words, name)(tuple(fields.values()))) == tuple(fields.values())
    for alone in fields:
        # Of one field the others' bits stay empty.
        values = tuple(value if field == alone else type(value)(0) for field, value in fields.items())
        assert tuple(getattr(words, name)(values)) == values, alone


@pytest.mark.parametrize(("name", "field", "reason"), GUARDS)
def test_one_more_than_a_word_holds_is_refused(words: Any, name: str, field: str, reason: str) -> None:
    fields = WORDS[name]
    with boa.reverts(reason):
        getattr(words, name)(tuple((fields | {field: int(fields[field]) + 1}).values()))


def test_exits_start_anew_as_often_as_a_word_can_count(words: Any) -> None:
    """A slash that leaves nothing of those who leave begins a round."""
    place = slot(words, "leaving._out", 1)
    for rounds in (U24 - 2, U24 - 1):
        boa.env.set_storage(words.address, place, rounds << 224 | 10**24)
        exit = words.leave(7, 10**17, U40)
        assert (exit.round, exit.shares, exit.free_at, exit.node) == (rounds + 1, 7, U40, 1)
    boa.env.set_storage(words.address, place, U24 << 224 | 10**24)
    with boa.reverts("leaving: too many rounds"):
        words.leave(7, 10**17, U40)
    assert words.leave(7, 10**18, U40).round == U24
