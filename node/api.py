# SPDX-License-Identifier: Apache-2.0
"""The network's HTTP interface as a node uses it (docs/protocol.md, section 7)."""

import json
import logging
import threading
from typing import Annotated, Any, Final, TypeVar

import httpx
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from inferix.errors import Unavailable
from inferix.messages import Domain, Message
from inferix.models.work import Work
from node.identity import Identity
from node.transport import BlockClock, Connection

log = logging.getLogger(__name__)
Model = TypeVar("Model", bound=BaseModel)

_WORK: Final[TypeAdapter[Work]] = TypeAdapter(Annotated[Work, Field(discriminator="kind")])


class _Domain(BaseModel):
    verifying_contract: str


class NetworkInfo(BaseModel):
    """``GET /network``. ``domain``: of signatures; ``parameters``: governable numbers; ``time``: block clock."""

    chain_id: int
    domain: _Domain
    contracts: dict[str, str] = {}
    parameters: dict[str, int] = {}
    block: int = 0
    time: Annotated[int, Field(ge=0, lt=2**40)]

    def signing_domain(self) -> Domain:
        """The EIP-712 domain."""
        return Domain(chain_id=self.chain_id, contract=self.domain.verifying_contract)


class NodeInfo(BaseModel):
    """``GET /nodes/{id}``. ``ib`` micro-IB, ``price`` nano-USD per IBM, ``bonded`` wei; ``drawable``: may get work."""

    id: int
    owner: str
    operator: str
    role: str
    status: str
    licence: int | None = None
    ib: int = 0
    device_class: str = ""
    price: int = 0
    sealing_key: str = ""
    bonded: str = "0"
    frozen: str = "0"
    qualified: bool | None = None
    drawable: bool | None = None


class Api:
    """The network at ``url``. Without an identity only what is public can be asked.

    ``stop`` ends every wait; ``attempts``: tries of what is asked for once.
    """

    def __init__(
        self,
        url: str,
        *,
        identity: Identity | None = None,
        transport: httpx.BaseTransport | None = None,
        clock: BlockClock | None = None,
        stop: threading.Event | None = None,
        attempts: int = 6,
    ) -> None:
        self.clock = clock or BlockClock()
        self._attempts = attempts
        self._connection = Connection(url, self.clock, identity=identity, transport=transport, stop=stop)
        self._call = self._connection.call

    @property
    def url(self) -> str:
        """Where the network is, without a slash at the end."""
        return self._connection.url

    @property
    def client(self) -> httpx.Client:
        """The signing client, for storage behind the same address."""
        return self._connection.client

    def network(self, *, attempts: int | None = None) -> NetworkInfo:
        """Chain, contracts, parameters, block clock."""
        info = _parse(NetworkInfo, self._call("GET", "/network", signed=False, attempts=attempts or self._attempts))
        self.clock.set(info.time)
        return info

    def deployment(self) -> bytes:
        """Addresses and ABIs of the contracts, in the form of a deployment file."""
        return json.dumps(self._call("GET", "/deployment", signed=False, attempts=self._attempts)).encode()

    def node(self, node: int) -> NodeInfo:
        """What the network knows of a node. Raises NotFound."""
        return _parse(NodeInfo, self._call("GET", f"/nodes/{node}", signed=False, attempts=self._attempts))

    def node_of(self, operator: str) -> NodeInfo | None:
        """The node whose operator has this address; None when no node is registered under it."""
        listed = self._call("GET", "/nodes", signed=False, attempts=self._attempts)
        nodes = [_parse(NodeInfo, item) for item in listed if isinstance(item, dict)]
        return next((node for node in nodes if node.operator.lower() == operator.lower()), None)

    def work(self) -> list[Work]:
        """What this node may do now; one try. Items that this version does not know are left out."""
        answer = self._call("GET", "/node/work")
        try:
            now = int(answer["time"])
            if not 0 <= now < 2**40:
                raise ValueError("no request could be signed at that time")
            listed = list(answer["work"])
        except (TypeError, LookupError, ValueError, OverflowError) as error:
            raise Unavailable(
                f"{self.url}/node/work does not answer with time and work; is this its address?"
            ) from error
        self.clock.set(now)
        return [item for item in map(_work_item, listed) if item is not None]

    def send(self, message: Message, signature: bytes, salt: bytes = b"") -> None:
        """Hands in a signed message; again is no error. One try: whoever calls keeps it until this returns."""
        body: dict[str, Any] = {"kind": message.kind, "body": _hex(message.body()), "signature": _hex(signature)}
        if salt:
            body["salt"] = _hex(salt)
        self._call("POST", "/node/messages", body)

    def progress(self, task: bytes, attempt: int, frame: int, permille: int, preview: str | None = None) -> None:
        """Live progress of a frame; ``preview``: CID of a sealed quick look. One try."""
        body = {"task": _hex(task), "attempt": attempt, "frame": frame, "permille": permille, "preview": preview}
        self._call("POST", "/node/progress", body)

    def close(self) -> None:
        """Closes the connections."""
        self._connection.client.close()


def _parse(kind: type[Model], answer: Any) -> Model:
    try:
        return kind.model_validate(answer)
    except ValidationError as error:
        problem = error.errors()[0]
        field = ".".join(map(str, problem["loc"]))
        raise Unavailable(
            f"the network's answer lacks a proper {field} ({problem['msg']}): update this program"
        ) from error


def _work_item(item: Any) -> Work | None:
    try:
        return _WORK.validate_json(json.dumps(item))
    except (ValueError, RecursionError) as error:
        kind = item.get("kind") if isinstance(item, dict) else None
        says = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        log.warning("work of kind %.40r is left out: %.200s", kind if isinstance(kind, str) else None, says)
        return None


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
