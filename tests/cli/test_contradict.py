# SPDX-License-Identifier: Apache-2.0
"""``contradict`` says what it costs and what can be won or lost before it sends anything."""

from pathlib import Path
from typing import Any

from inferix.models.objection import VoteClaim
from inferix.storage.documents import get_document
from inferix.storage.embedded import EmbeddedStore
from tests.api.conftest import Api
from tests.cli.conftest import Commands, refused
from tests.replay.chain import WORKERS
from tests.replay.objecting import contradict, propose_all


def test_contradict__asks_first_then_stores_the_reason_and_sends_the_vote_once_its_leaf_is_final(
    run: Commands, api: Api, sent: list[Any], tmp_path: Path
) -> None:
    chain = api.chain
    state = chain.state(chain.order(), 0)
    task = state.task.id.hex()
    refused(run("contradict", "00" * 32, "5"), 4, "no order has a task")
    refused(run("contradict", task, "5"), 4, "has not voted")
    chain.run(state)
    vote, signature = min(state.attempts[0].votes.items())[1]
    words = ("contradict", task, str(vote.node), "--storage", (tmp_path / "documents").as_uri())
    refused(run(*words, "--yes"), 3, "not final yet")
    commitment = propose_all(chain)
    chain.wait(86_400)
    chain.emit("BatchFinalized", commitment=commitment, epoch=0)
    refused(run("contradict", task, str(WORKERS[0])), 4, "has not voted")
    asked = run(*words, typed="n\n")
    assert (asked.exit_code, sent) == (130, [])
    for text in ("voted accepted on attempt 0", "bond 5 IFX", "the bond comes back", "half for the verifier's owner"):
        assert text in asked.stdout
    done = run(*words, "--reason", "it is black", "--yes")
    assert done.exit_code == 0, done.stderr
    ((bond, signed, final, reason),) = sent
    assert (bond, signed, final["leaf"]["task"]) == (5 * 10**18, (vote, signature), state.task.id)
    said = get_document(EmbeddedStore(tmp_path / "documents"), VoteClaim, reason)
    assert (said.vote, said.says) == (vote.digest(chain.network.domain), "it is black")
    contradict(chain, vote)
    refused(run(*words, "--yes"), 3, "contradicted before")
