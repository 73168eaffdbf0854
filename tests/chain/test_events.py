# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from inferix.chain.abi import Interface
from inferix.chain.client import Header, RawLog
from inferix.chain.deployment import Contract, Deployment
from inferix.chain.events import decode_logs

ADDRESS = "0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB"


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
