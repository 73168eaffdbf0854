# SPDX-License-Identifier: Apache-2.0
"""The chain that the reducer's tests write by hand."""

import pytest

from tests.replay.chain import Chain


@pytest.fixture
def chain() -> Chain:
    """A dev network that has just started."""
    chain = Chain()
    chain.start()
    return chain
