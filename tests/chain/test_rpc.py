# SPDX-License-Identifier: Apache-2.0
"""Endpoints that fail: what limits, dies, lies about its chain or lags is waited for or passed over."""

import json
import time
from typing import Any

import pytest

from devnet.anvil import Anvil
from devnet.processes import free_port
from inferix.chain.errors import ChainUnavailable, RpcError, WrongChain
from inferix.chain.rpc import Rpc

pytestmark = pytest.mark.integration


def error(code: int, message: str) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, json.dumps({"jsonrpc": "2.0", "id": 0, "error": {"code": code, "message": message}}).encode()


@pytest.mark.parametrize(
    "reply",
    [
        (429, {}, b"slow down"),
        (503, {}, b""),
        (200, {}, b"<html>a gateway's page</html>"),
        error(-32005, "daily request count exceeded, request rate limited"),
        error(-32000, "header not found"),
    ],
)
def test_request__first_endpoint_fails__second_answers(chain: Anvil, proxy: Any, reply: Any) -> None:
    proxy.answer = lambda method: reply
    rpc = Rpc([proxy.url, chain.rpc_url], chain.chain_id)
    assert int(rpc.request("eth_blockNumber"), 16) == 0
    asked = len(proxy.methods)
    rpc.request("eth_blockNumber")
    assert len(proxy.methods) == asked, "an endpoint that rests is left alone"


def test_request__retry_after__waited_for_never_a_crash(chain: Anvil, proxy: Any) -> None:
    replies = [(429, {"Retry-After": "1"}, b"")]
    proxy.answer = lambda method: replies.pop() if replies else None
    started = time.monotonic()
    assert int(Rpc([proxy.url], chain.chain_id).request("eth_blockNumber"), 16) == 0
    assert 1 <= time.monotonic() - started < 3


def test_request__all_dead__unavailable_within_the_patience_and_no_key_in_the_text(chain: Anvil) -> None:
    rpc = Rpc([f"http://127.0.0.1:{free_port()}/v1/secret-key"], chain.chain_id, patience=1.0)
    started = time.monotonic()
    with pytest.raises(ChainUnavailable) as caught:
        rpc.request("eth_blockNumber")
    assert time.monotonic() - started < 3
    assert "secret-key" not in str(caught.value)


def test_request__slower_than_the_time_limit__passed_over(chain: Anvil, proxy: Any) -> None:
    proxy.slow = 2.0
    rpc = Rpc([proxy.url, chain.rpc_url], chain.chain_id, timeout=0.3)
    started = time.monotonic()
    rpc.request("eth_blockNumber")
    assert time.monotonic() - started < 1.5


def test_request__an_endpoint_of_another_chain__refused(chain: Anvil) -> None:
    with pytest.raises(WrongChain, match="serves chain 1337, not 1"):
        Rpc([chain.rpc_url], 1).request("eth_blockNumber")


def test_request__an_error_of_the_call_itself__not_tried_elsewhere(chain: Anvil, proxy: Any) -> None:
    with pytest.raises(RpcError):
        Rpc([chain.rpc_url, proxy.url], chain.chain_id).request("no_such_method")
    assert proxy.methods == []


def test_request__stopping__gives_up_at_once(chain: Anvil) -> None:
    rpc = Rpc([f"http://127.0.0.1:{free_port()}"], chain.chain_id, patience=60.0, wait=lambda seconds: True)
    started = time.monotonic()
    with pytest.raises(ChainUnavailable, match="stopping"):
        rpc.request("eth_blockNumber")
    assert time.monotonic() - started < 1


def test_batch__one_request__answers_in_order(chain: Anvil, proxy: Any) -> None:
    rpc = Rpc([proxy.url], chain.chain_id)
    rpc.request("eth_chainId")
    proxy.methods.clear()
    answers = rpc.batch([("eth_chainId", []), ("eth_blockNumber", [])])
    assert [int(answer, 16) for answer in answers] == [1337, 0]
    assert len(proxy.methods) == 1


def test_batch__refused_as_a_whole__an_error(chain: Anvil, proxy: Any) -> None:
    proxy.answer = lambda method: error(-32600, "batches are not supported") if len(proxy.methods) > 1 else None
    rpc = Rpc([proxy.url], chain.chain_id)
    with pytest.raises(RpcError, match="not supported"):
        rpc.batch([("eth_chainId", []), ("eth_blockNumber", [])])
