# SPDX-License-Identifier: Apache-2.0
"""Which block is final, by an endpoint that answers now and then."""

from types import SimpleNamespace

import pytest

from inferix.chain.errors import ChainUnavailable, RpcError
from inferix.errors import Misconfigured
from keepers.mirror import Finality


class Answers:
    """An endpoint that says which block is final as long as ``fails`` is empty."""

    fails: Exception | None = None

    def header(self, block: str) -> SimpleNamespace:
        if self.fails is not None:
            raise self.fails
        return SimpleNamespace(number=7)


def test_one_bad_answer_about_finality_ends_no_keeper() -> None:
    """A chain that never said what is final is a wrong setting; one that did answers again."""
    client = Answers()
    finality = Finality(client)  # type: ignore[arg-type]
    client.fails = RpcError(-32603, "internal error")
    with pytest.raises(Misconfigured, match="confirmations"):
        finality.head()
    client.fails = None
    assert finality.head() == 7
    client.fails = RpcError(-32603, "internal error")
    with pytest.raises(ChainUnavailable, match="now which block is final"):
        finality.head()
