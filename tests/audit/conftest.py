# SPDX-License-Identifier: Apache-2.0
"""A small story that a manager settles, and what a stranger's audit says about it."""

from typing import Any

import pytest

from inferix.audit import Audit, Report
from inferix.models.anchor import AccountsData
from inferix.models.event import ChainEvent
from inferix.models.roles import Outcome
from inferix.replay import Network
from inferix.replay.accounting import accounts_data
from inferix.replay.settlement import BatchDraft, draft_batches
from inferix.replay.state import TaskState
from tests.replay.chain import DOMAIN, GENESIS, MANAGER, Chain, block_hash

MINTED = 1_000_000_007


def audit(chain: Chain) -> Report:
    """What a stranger finds who has the chain's events and its documents."""
    return Audit(Network(DOMAIN, GENESIS, chain.documents), block_hash).run(chain.events)


def problem(chain: Chain) -> str:
    """The one thing that is false."""
    (found,) = audit(chain).problems
    return found


def late(chain: Chain, state: TaskState) -> None:
    """An attempt whose worker accepts and is not heard of again."""
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    chain.wait(61)
    chain.anchor()


@pytest.fixture
def chain() -> Chain:
    """A job with an accepted, a rejected and a late attempt, of which nothing is settled yet."""
    chain = Chain()
    chain.start()
    job = chain.order()
    chain.run(chain.state(job, 0), Outcome.REJECTED)
    late(chain, chain.state(job, 1))
    for state in chain.network.jobs[job].tasks:
        chain.run(state)
    return chain


@pytest.fixture
def draft(chain: Chain) -> BatchDraft:
    """The batch of that job."""
    (found,) = draft_batches(chain.network, MANAGER)
    return found


@pytest.fixture
def closed(chain: Chain) -> Chain:
    """The same, with its batch final and the epoch closed."""
    chain.settle()
    chain.close_epoch(MINTED)
    return chain


@pytest.fixture
def accounts(closed: Chain) -> AccountsData:
    """The accounts of that epoch."""
    return accounts_data(closed.network, 0)


def forge_last(chain: Chain, name: str, **changes: Any) -> None:
    """The newest event of a name says something else."""
    at = max(index for index, event in enumerate(chain.events) if event.name == name)
    event = chain.events[at]
    args = {**event.args, **changes}
    chain.events[at] = ChainEvent(event.block, event.log_index, event.timestamp, event.contract, name, args)
