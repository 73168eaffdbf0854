# SPDX-License-Identifier: Apache-2.0
"""The reducer's tables of handlers in one."""

import pytest

from inferix.replay.handlers import joined
from inferix.replay.panels import EVENTS as PANELS
from inferix.replay.reducer import HANDLERS
from inferix.replay.stake import EVENTS as STAKE


def test_joined__tables_of_different_events__all_of_both() -> None:
    assert joined(PANELS, STAKE) == {**PANELS, **STAKE}
    assert PANELS.items() <= HANDLERS.items()


def test_joined__an_event_in_two_tables__refused() -> None:
    with pytest.raises(AssertionError):
        joined(STAKE, {"Staked": PANELS["PanelVoted"]})
