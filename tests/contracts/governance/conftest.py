# SPDX-License-Identifier: Apache-2.0
"""One council a module; titanoboa's plug-in rolls back what a test does to it."""

import pytest

from tests.contracts.governance.council import Council


@pytest.fixture(scope="module")
def convened() -> Council:
    return Council()


@pytest.fixture
def council(convened: Council) -> Council:
    return convened
