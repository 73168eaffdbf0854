# SPDX-License-Identifier: Apache-2.0
"""``object`` says what it costs and what can be won or lost before it sends anything."""

from pathlib import Path
from typing import Any

import pytest

from inferix.cli.replayed import date_of
from inferix.models.objection import OutcomesClaim
from inferix.replay.availability import NOT_SERVED
from inferix.replay.settlement import draft_batch, draft_batches
from inferix.storage.documents import get_document
from inferix.storage.embedded import EmbeddedStore
from tests.api.conftest import Api
from tests.cli.conftest import Commands, refused
from tests.replay.chain import MANAGER
from tests.replay.objecting import propose_all

DAY = 86_400


def test_object__asks_first_then_stores_the_reason_and_sends(
    run: Commands, api: Api, sent: list[Any], tmp_path: Path
) -> None:
    state = api.chain.state(api.chain.order(), 0)
    task = state.task.id.hex()
    refused(run("object", task), 4, "nothing is charged so far")
    api.chain.run(state)
    commitment = propose_all(api.chain)
    storage = ("--storage", (tmp_path / "documents").as_uri())
    asked = run("object", task, *storage, typed="n\n")
    assert (asked.exit_code, sent) == (130, [])
    for text in ("accepted, work of node", "bond 5 IFX", "the bond is lost, half of it burned", "the bond comes back"):
        assert text in asked.stdout
    done = run("object", task, "--reason", "it is black", "--yes", *storage)
    assert done.exit_code == 0, done.stderr
    ((place, bond, by_manager, reason),) = sent
    assert (place[0].commitment, bond, by_manager) == (commitment, 5 * 10**18, False)
    assert "is punished" not in asked.stdout
    said = get_document(EmbeddedStore(tmp_path / "documents"), OutcomesClaim, reason)
    assert (said.batch, said.places, said.says) == (commitment, [place[1]], "it is black")


def test_object__while_the_protocol_is_paused__says_when_the_window_ends_after_it(
    run: Commands, api: Api, sent: list[Any], tmp_path: Path
) -> None:
    chain = api.chain
    state = chain.state(chain.order(), 0)
    chain.run(state)
    batch = chain.network.batches[propose_all(chain)]
    window, told = chain.network.parameters["batch_window"], ("--storage", (tmp_path / "documents").as_uri())
    chain.wait(60)
    chain.emit("Paused", until=chain.time + 7 * DAY)
    until = chain.time + 7 * DAY
    for seconds in (0, 3 * DAY, 4 * DAY):
        chain.wait(seconds)
        chain.network.tick(chain.time)
        asked = run("object", state.task.id.hex(), *told, typed="n\n")
        assert f"it can be objected to until {date_of(batch.proposed_at + window + 7 * DAY)}" in asked.stdout
    chain.network.tick(until + window)
    refused(run("object", state.task.id.hex(), *told), 3, f"until {date_of(batch.proposed_at + window + 7 * DAY)}")
    assert sent == []


@pytest.mark.parametrize("is_served", [True, False])
def test_object__where_chain_and_storage_show_the_managers_own_lie__says_so_before_it_asks(
    run: Commands, api: Api, sent: list[Any], tmp_path: Path, is_served: bool
) -> None:
    chain = api.chain
    state = chain.state(chain.order(), 0)
    chain.run(state)
    (draft,) = draft_batches(chain.network, MANAGER)
    leaves = [leaf.model_copy(update={"charge": leaf.charge - 1}) for leaf in draft.leaves]
    chain.propose(draft_batch(MANAGER, draft.header["sequence"], 0, leaves, draft.header["previous"]))
    if not is_served:
        chain.network.lane(MANAGER).anchors[state.attempts[0].receipt_anchor].problem = NOT_SERVED
    done = run("object", state.task.id.hex(), "--yes", "--storage", (tmp_path / "documents").as_uri())
    assert done.exit_code == 0, done.stderr
    ((_, _, by_manager, _),) = sent
    assert by_manager is is_served
    for text in ("the outcome has another charge", f"manager {MANAGER} is punished"):
        assert (text in done.stdout) is is_served
