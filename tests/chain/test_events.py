# SPDX-License-Identifier: Apache-2.0
import json
from collections.abc import Callable
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from inferix.chain.abi import Interface
from inferix.chain.client import Header, RawLog
from inferix.chain.deployment import Contract, Deployment
from inferix.chain.events import args_from_json, args_to_json, decode_logs
from inferix.errors import Corrupt

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


def log(address: str, topics: list[bytes], data: bytes, index: int) -> RawLog:
    return RawLog(address, tuple(topics), data, 5, b"h" * 32, index, b"t" * 32)


def test_decode_logs__ours_in_order_others_left_out(interface: Callable[[str], Interface]) -> None:
    deployment = Deployment(1, 0, {"Orders": Contract("Orders", ADDRESS, interface("Orders"))})
    posted = [keccak(text="OrdersPosted(address,bytes)"), bytes(12) + b"\xab" * 20]
    logs = [
        log(ADDRESS, posted, encode(["bytes"], [b"x" * 135]), 0),
        log("0x" + "11" * 20, posted, b"", 1),
        log(ADDRESS, [keccak(text="Other()")], b"", 2),
    ]
    headers = {5: Header(5, b"h" * 32, b"p" * 32, 77, bytes(256))}
    (event,) = decode_logs(deployment, logs, headers)
    assert (event.block, event.log_index, event.timestamp, event.contract, event.name) == (
        5,
        0,
        77,
        "Orders",
        "OrdersPosted",
    )
    assert event.args == {"poster": ADDRESS, "records": b"x" * 135}
