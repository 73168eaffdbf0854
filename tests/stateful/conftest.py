# SPDX-License-Identifier: Apache-2.0
"""One world for all tests of a file: each run of the machine leaves it as it was."""

from collections.abc import Iterator

import boa
import pytest

from tests.stateful.life import Watched


@pytest.fixture(scope="module")
def world() -> Iterator[Watched]:
    """Deployed, with people and money, on a chain of its own."""
    with boa.swap_env(boa.Env()):
        yield Watched()
