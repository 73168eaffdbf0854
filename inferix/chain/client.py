# SPDX-License-Identifier: Apache-2.0
"""Reads from the chain as plain values."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from inferix.chain.errors import BlockUnknown, CallReverted, ChainUnavailable, RangeTooLarge, RpcError
from inferix.chain.rpc import Rpc, Wait, too_large
from inferix.errors import NotFound

log = logging.getLogger(__name__)

HEADERS_PER_REQUEST = 100
_REVERT_CODE = 3
_ERROR_STRING = keccak(text="Error(string)")[:4]
_START_WAIT = 3.0


@dataclass(frozen=True, slots=True)
class Header:
    """A block's header. ``bloom``: 256 bytes, of the addresses and topics of its logs."""

    number: int
    hash: bytes
    parent: bytes
    timestamp: int
    bloom: bytes

    def may_have_logs_of(self, address: str) -> bool:
        """False only when no log of this address is in the block (yellow paper, section 4.3.1)."""
        digest = keccak(hexstr=address)
        bits = int.from_bytes(self.bloom, "big")
        return all(bits >> (int.from_bytes(digest[at : at + 2], "big") & 2047) & 1 for at in (0, 2, 4))


@dataclass(frozen=True, slots=True)
class RawLog:
    """A log as the chain has it; ``index`` within its block."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    block: int
    block_hash: bytes
    index: int
    transaction: bytes


@dataclass(frozen=True, slots=True)
class ChainReceipt:
    """What became of a transaction. ``price``: wei per gas that was paid; ``to``: empty where it made a contract."""

    block: int
    succeeded: bool
    gas_used: int
    price: int
    transaction: bytes = b""
    to: str = ""


class ChainClient:
    """One chain through ``rpc``. Numbers are in wei and seconds; addresses checksummed."""

    def __init__(self, rpc: Rpc) -> None:
        self.rpc = rpc
        self.chain_id = rpc.chain_id

    def wait_ready(self, wait: Wait = time.sleep) -> None:
        """Waits until an endpoint answers, saying what for; WrongChain when one serves another chain.

        ``wait`` sleeps; when it returns True the program is stopping and ChainUnavailable is raised.
        """
        while True:
            try:
                self.block_number()
                return
            except ChainUnavailable as error:
                log.warning("waiting for an endpoint of chain %d: %s", self.chain_id, error)
                if wait(_START_WAIT) is True:
                    raise

    # -- blocks and logs

    def block_number(self) -> int:
        """The newest block's number."""
        return int(self.rpc.request("eth_blockNumber"), 16)

    def header(self, block: int | str) -> Header:
        """A header by number or tag (``latest``, ``finalized``). Raises BlockUnknown."""
        return _header(self.rpc.request("eth_getBlockByNumber", [_tag(block), False]), block)

    def headers(self, start: int, end: int) -> list[Header]:
        """The headers from ``start`` to ``end``, both included. Raises BlockUnknown when the endpoint lacks one."""
        found: list[Header] = []
        for first in range(start, end + 1, HEADERS_PER_REQUEST):
            numbers = range(first, min(end, first + HEADERS_PER_REQUEST - 1) + 1)
            calls = [("eth_getBlockByNumber", [hex(number), False]) for number in numbers]
            try:
                answers = self.rpc.batch(calls)
            except RpcError:  # some endpoints take no batches
                answers = [self.rpc.request(*call) for call in calls]
            found += [_header(answer, number) for answer, number in zip(answers, numbers, strict=True)]
        return found

    def logs(self, addresses: Sequence[str], start: int, end: int) -> list[RawLog]:
        """The logs of contracts in blocks ``start`` to ``end``, both included, in order. Raises RangeTooLarge."""
        return self._logs({"address": list(addresses), "fromBlock": hex(start), "toBlock": hex(end)})

    def logs_of_block(self, addresses: Sequence[str], block_hash: bytes) -> list[RawLog]:
        """The logs of contracts in one block, by its hash: an endpoint that lacks the block says so (EIP-234)."""
        return self._logs({"address": list(addresses), "blockHash": "0x" + block_hash.hex()})

    def _logs(self, question: dict[str, Any]) -> list[RawLog]:
        try:
            answer = self.rpc.request("eth_getLogs", [question])
        except RpcError as error:
            if too_large(error.text):
                raise RangeTooLarge(f"the endpoint refuses this range of logs: {error.text}") from error
            raise
        return sorted((_log(item) for item in answer or []), key=lambda item: (item.block, item.index))

    # -- state

    def call(self, to: str, data: bytes, *, sender: str | None = None, block: int | str = "latest") -> bytes:
        """What a contract returns. Raises CallReverted with its reason."""
        transaction = {"to": to, "data": "0x" + data.hex()}
        if sender is not None:
            transaction["from"] = sender
        try:
            return _bytes(self.rpc.request("eth_call", [transaction, _tag(block)]))
        except RpcError as error:
            raise _reverted(error) from error

    def estimate_gas(self, to: str, data: bytes, sender: str, value: int = 0) -> int:
        """Gas that a transaction would use on the newest block, whatever else is pending. Raises CallReverted."""
        transaction = {"to": to, "data": "0x" + data.hex(), "from": sender, "value": hex(value)}
        try:
            return int(self.rpc.request("eth_estimateGas", [transaction, "latest"]), 16)
        except RpcError as error:
            raise _reverted(error) from error

    def nonce(self, address: str, block: str = "latest") -> int:
        """How many transactions of an account are mined (``latest``) or known (``pending``)."""
        return int(self.rpc.request("eth_getTransactionCount", [address, block]), 16)

    def balance(self, address: str) -> int:
        """Wei of the chain's own coin."""
        return int(self.rpc.request("eth_getBalance", [address, "latest"]), 16)

    def base_fee(self) -> int:
        """Wei per gas of the newest block; 0 on a chain without EIP-1559."""
        block = self.rpc.request("eth_getBlockByNumber", ["latest", False])
        return int(block.get("baseFeePerGas") or "0x0", 16)

    def priority_fee(self) -> int:
        """Wei per gas that the endpoint suggests as a tip; 1 gwei where it makes no suggestions."""
        try:
            return int(self.rpc.request("eth_maxPriorityFeePerGas"), 16)
        except RpcError:
            return 10**9

    def send_raw(self, raw: bytes) -> None:
        """Hands over a signed transaction. Raises RpcError with the endpoint's reason."""
        self.rpc.request("eth_sendRawTransaction", ["0x" + raw.hex()])

    def input_of(self, transaction: bytes) -> bytes:
        """The calldata of a transaction. Raises NotFound when the endpoint does not have it (any more)."""
        answer = self.rpc.request("eth_getTransactionByHash", ["0x" + transaction.hex()])
        if not answer:
            raise NotFound(f"the endpoint has no transaction 0x{transaction.hex()}: name one that keeps them")
        return _bytes(answer["input"])

    def receipt(self, transaction: bytes) -> ChainReceipt | None:
        """What became of a transaction; None while it is not mined."""
        answer = self.rpc.request("eth_getTransactionReceipt", ["0x" + transaction.hex()])
        if not answer or answer.get("blockNumber") is None:
            return None
        return ChainReceipt(
            block=int(answer["blockNumber"], 16),
            succeeded=int(answer["status"], 16) == 1,
            gas_used=int(answer["gasUsed"], 16),
            price=int(answer.get("effectiveGasPrice") or "0x0", 16),
            transaction=transaction,
            to=to_checksum_address(answer["to"]) if answer.get("to") else "",
        )


def _tag(block: int | str) -> str:
    return hex(block) if isinstance(block, int) else block


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _header(answer: Any, block: int | str) -> Header:
    if not answer or answer.get("hash") is None:
        raise BlockUnknown(f"the endpoint has no block {block} yet: ask again later")
    return Header(
        number=int(answer["number"], 16),
        hash=_bytes(answer["hash"]),
        parent=_bytes(answer["parentHash"]),
        timestamp=int(answer["timestamp"], 16),
        bloom=_bytes(answer["logsBloom"]),
    )


def _log(item: dict[str, Any]) -> RawLog:
    return RawLog(
        address=to_checksum_address(item["address"]),
        topics=tuple(_bytes(topic) for topic in item["topics"]),
        data=_bytes(item["data"]),
        block=int(item["blockNumber"], 16),
        block_hash=_bytes(item["blockHash"]),
        index=int(item["logIndex"], 16),
        transaction=_bytes(item["transactionHash"]),
    )


def _reverted(error: RpcError) -> CallReverted | RpcError:
    """The contract's own refusal, if that is what an endpoint's error says."""
    if error.code != _REVERT_CODE and "revert" not in error.text.lower():
        return error
    data = error.data if isinstance(error.data, str) and error.data.startswith("0x") else ""
    raw = _bytes(data)
    if raw[:4] == _ERROR_STRING:
        try:
            return CallReverted(str(abi_decode(["string"], raw[4:])[0]))
        except Exception:  # a contract may put anything there
            return CallReverted(raw.hex())
    text = error.text.split("execution reverted", 1)[-1].lstrip(": ")
    return CallReverted(text or raw.hex())
