# SPDX-License-Identifier: Apache-2.0
"""``shadow`` counts what a tried calibration would have decided, and says what it could not read."""

import json
from pathlib import Path

import pytest

from inferix.cli import shadow as command
from inferix.models.result import Measurement, ShadowResult
from inferix.storage.documents import put_document
from inferix.storage.embedded import EmbeddedStore
from tests.api.conftest import Api
from tests.cli.conftest import Commands


def measured(rule: str) -> Measurement:
    row = ShadowResult(rule=rule, frame=1, tiles=4, failed=3, verdict="rejected")
    return Measurement(
        task=bytes(32), attempt=0, node=5, build="", device_class="cpu", method="tiles", reason="", shadow=[row]
    )


def test_shadow__counts_over_all_votes_and_names_what_is_missing(
    run: Commands, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "replayed", lambda *_: (None, api.chain.network))
    storage = ("--storage", (tmp_path / "documents").as_uri())
    assert "no verifier tries a calibration" in run("shadow", *storage).stdout
    state = api.chain.state(api.chain.order(), 0)
    api.chain.run(state)
    votes = [vote for vote, _ in state.attempts[0].votes.values()]
    told = run("shadow", *storage)
    assert f"{len(votes)} measurements are not to be had" in told.stdout
    digest = put_document(EmbeddedStore(tmp_path / "documents"), measured("tolerance 12345678"))
    state.attempts[0].votes = {
        vote.node: (vote.model_copy(update={"measured": digest}), signature)
        for vote, signature in state.attempts[0].votes.values()
    }
    told = run("shadow", *storage)
    assert told.exit_code == 0, told.stderr
    assert "tolerance 12345678" in told.stdout
    assert f"accepted frames  {len(votes):6}, of which it rejects {len(votes)}" in told.stdout
    (row,) = json.loads(run("shadow", *storage, "--json").stdout)["rules"]
    assert (row["accepted"], row["accepted_it_rejects"], row["rejected"]) == (len(votes), len(votes), 0)
