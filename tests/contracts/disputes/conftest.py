# SPDX-License-Identifier: Apache-2.0
"""One populated deployment a session, rolled back after each test."""

from collections.abc import Iterator
from copy import copy

import boa
import pytest

from tests.contracts.disputes.court import Court
from tests.contracts.system import own_time


@pytest.fixture(scope="session")
def populated() -> Court:
    with own_time():
        court = Court()
        court.populate()
        court.remember()
    return court


@pytest.fixture
def court(populated: Court) -> Iterator[Court]:
    with boa.env.anchor():
        populated.resume()
        fresh = copy(populated)
        fresh.nodes = dict(populated.nodes)
        fresh.received = {}
        yield fresh
