# SPDX-License-Identifier: Apache-2.0
"""Keepers as programs on the contracts of a ``Live``: an endpoint without a socket, a mirrored database, a desk."""

from pathlib import Path
from typing import Any

import boa
from eth.exceptions import VMError
from eth_account import Account
from eth_account.typed_transactions import TypedTransaction
from eth_utils import keccak, to_checksum_address
from hexbytes import HexBytes

from inferix.chain.client import ChainClient
from inferix.chain.deployment import Contract, Deployment
from inferix.chain.errors import RpcError
from inferix.chain.sender import Sender
from inferix.storage.database import Database
from inferix.storage.embedded import EmbeddedStore
from inferix.storage.event_json import args_to_json
from inferix.storage.follower import Follower
from inferix.storage.journal import SqlJournal
from inferix.storage.tables import Block, Event, MirrorState, StoredDocument
from keepers.availability import Availability
from keepers.desk import MONEY, WORK, Desk
from keepers.disputes import Disputes
from tests.contracts.system import Node, block_hash, now
from tests.keepers.live import Live

NAMES = {
    "disputes": "Disputes",
    "batches": "Batches",
    "registry": "NodeRegistry",
    "availability": "Availability",
    "objections": "Objections",
    "contradictions": "Contradictions",
    "ifx": "IFX",
}
GAS = 20_000_000


class Endpoint:
    """What ``Rpc`` is to a chain, to titanoboa's: each transaction is a block."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.chain_id = live.domain.chain_id
        self.nonces: dict[str, int] = {}
        self.sent: dict[str, bytes] = {}

    def request(self, method: str, params: Any = ()) -> Any:
        """One call of JSON-RPC."""
        answer = getattr(self, f"_{method}", None)
        return answer(*params) if answer else {"eth_maxPriorityFeePerGas": "0x1", "eth_getBalance": hex(10**24)}[method]

    def _execute(self, call: Any, simulate: bool) -> Any:
        try:
            sender = call.get("from", boa.env.eoa)
            return boa.env.raw_call(call["to"], sender=sender, data=bytes.fromhex(call["data"][2:]), simulate=simulate)
        except VMError as error:
            data = error.args[0] if error.args and isinstance(error.args[0], bytes) else b""
            raise RpcError(3, "execution reverted", "0x" + data.hex()) from error

    def _eth_call(self, call: Any, block: str) -> str:
        return "0x" + bytes(self._execute(call, simulate=True).output).hex()

    def _eth_estimateGas(self, call: Any, block: str) -> str:
        return hex(self._execute(call, simulate=True).get_gas_used() + 100_000)

    def _eth_getTransactionCount(self, address: str, block: str) -> str:
        return hex(self.nonces.get(address, 0))

    def _eth_getBlockByNumber(self, block: str, full: bool) -> dict[str, str]:
        if block == "latest":
            return {"baseFeePerGas": "0x1"}
        number = int(block, 16)
        hashes = ["0x" + block_hash(at).hex() for at in (number, number - 1)]
        return {"number": block, "hash": hashes[0], "parentHash": hashes[1], "timestamp": "0x0", "logsBloom": "0x"}

    def _eth_sendRawTransaction(self, raw: str) -> str:
        fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
        sender, first = str(Account.recover_transaction(raw)), len(self.live.logs)
        data = "0x" + bytes(fields["data"]).hex()
        self._execute({"from": sender, "to": to_checksum_address(fields["to"]), "data": data}, simulate=False)
        self.nonces[sender] = self.nonces.get(sender, 0) + 1
        digest = keccak(hexstr=raw)
        self.sent["0x" + digest.hex()] = bytes(fields["data"])
        self.live.transactions |= dict.fromkeys(range(first, len(self.live.logs)), digest)
        return "0x" + digest.hex()

    def _eth_getTransactionByHash(self, transaction: str) -> dict[str, str] | None:
        found = self.sent.get(transaction)
        return None if found is None else {"input": "0x" + found.hex()}


class Program:
    """The disputes keeper of one manager."""

    def __init__(self, live: Live, manager: Node, folder: Path, endpoint: Endpoint, stake: bool = True) -> None:
        self.live, self.folder = live, folder
        self.database = Database(f"sqlite:///{folder}/{manager.id}.db")
        self.database.migrate()
        contracts = {
            name: Contract(
                name, str(getattr(live, attribute).address), live.interfaces[str(getattr(live, attribute).address)]
            )
            for attribute, name in NAMES.items()
        }
        client = ChainClient(endpoint)  # type: ignore[arg-type]
        money = live.fresh_key("crank")
        self.money = money.address
        self.sender = Sender(client, SqlJournal(self.database), {WORK: manager.operator, MONEY: money})
        self.deployment = Deployment(live.domain.chain_id, 0, contracts)
        follower = Follower(self.database, live.domain, live.genesis)
        store = EmbeddedStore(folder / "store", reserve=0)
        self.client = client
        keys = (bytes(manager.operator.key), bytes(32))
        self.desk = Desk(follower, self.database, store, self.deployment, self.sender, manager.id, *keys)
        self.keeper: Disputes | Availability = Disputes(self.desk, client, stake, 1_800)
        self._mirrored = 0
        with self.database.session() as session:
            session.add(MirrorState(chain_id=live.domain.chain_id, contract=live.domain.contract))

    def cycle(self) -> None:
        """What has happened is mirrored, then the keeper runs."""
        self.mirror()
        self.keeper.cycle()
        self.live.follow()

    def mirror(self) -> None:
        """As the mirror leaves the database."""
        events = list(self.live.events(self._mirrored))
        self._mirrored = len(self.live.logs)
        with self.database.session() as session:
            for event in events:
                session.add(
                    Event(
                        block=event.block, log_index=event.log_index, timestamp=event.timestamp, contract=event.contract,
                        name=event.name, args=args_to_json(event.args), transaction=event.transaction,
                    )
                )  # fmt: skip
            for digest, body in self.live.documents.items():
                if session.get(StoredDocument, digest) is None:
                    session.add(StoredDocument(digest=digest, body=body))
            number = int(boa.env.evm.patch.block_number)
            session.merge(Block(number=number, hash=bytes(32), parent=bytes(32), timestamp=now()))
