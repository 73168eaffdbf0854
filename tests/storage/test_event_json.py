# SPDX-License-Identifier: Apache-2.0
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferix.errors import Corrupt
from inferix.storage.event_json import args_from_json, args_to_json

ADDRESS = "0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB"
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**255), 2**256 - 1),
    st.binary(max_size=140),
    st.binary(min_size=20, max_size=20),
    st.text(max_size=50),
    st.just(ADDRESS),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(tuple), st.dictionaries(st.from_regex("[a-z_]{1,8}", fullmatch=True), inner)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.from_regex("[a-z_]{1,8}", fullmatch=True), VALUES, max_size=5))
def test_args__through_json__the_same_values_of_the_same_types(args: dict[str, Any]) -> None:
    back = args_from_json(json.loads(json.dumps(args_to_json(args))))
    assert back == args
    assert repr(back) == repr(args)  # True is not 1


def test_args_from_json__what_we_never_wrote__corrupt() -> None:
    with pytest.raises(Corrupt):
        args_from_json({"a": 1.5})
    with pytest.raises(Corrupt):
        args_from_json({"a": "plain words"})
