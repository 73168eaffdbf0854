# SPDX-License-Identifier: Apache-2.0
"""Documents behind the roots that managers post: anchors, batches, rosters, accounts."""

from typing import Annotated, Literal

from pydantic import Field

from inferix.models.document import Bytes32, Document, HexBytes, Signature, Value
from inferix.models.job import U32, U64
from inferix.models.roles import Outcome

U96 = Annotated[int, Field(ge=0, lt=2**96)]


class SignedMessage(Value):
    """One anchored message: ``body`` is its ABI-encoded fields (see ``inferix.messages``)."""

    kind: Literal["Acceptance", "Receipt", "Vote", "CanaryOpening", "Probe"]
    body: HexBytes
    signature: Signature


class AnchorData(Document):
    """The messages of an anchor in the order of its tree."""

    manager: U32
    messages: list[SignedMessage]


class BatchLeaf(Value):
    """The outcome of one attempt. ``charge`` nano-USD, ``work`` nano-IBM; ``anchor``: of the receipt, 0 without one."""

    task: Bytes32
    attempt: Annotated[int, Field(ge=0, le=255)]
    node: U32
    account: U32
    work: U64
    charge: U64
    outcome: Outcome
    result: Bytes32
    votes: Bytes32
    voters: Bytes32
    anchor: U32


class BatchData(Document):
    """One chunk of a batch: at most 64 leaves; ``chunks`` (in the first) names the digests of the others."""

    manager: U32
    sequence: U32
    leaves: list[BatchLeaf]
    chunks: list[Bytes32] = []


class RosterLeaf(Value):
    """A node that can be drawn. ``ib`` micro-IB, ``price`` nano-USD per IBM, ``device_class`` as ASCII in 32 bytes."""

    node: U32
    ib: U32
    price: U64
    device_class: Bytes32
    weight: U96


class RosterData(Document):
    """The leaves of a roster; a node id that is absent has an empty leaf."""

    kind: Annotated[int, Field(ge=1, le=2)]
    leaves: list[RosterLeaf]


class AccountLeaf(Value):
    """A client's account up to the cut-off, nano-USD."""

    account: U32
    spent: U96
    reserved: U96


class NodeLeaf(Value):
    """A node's cumulative reward in wei; ``start`` = sum of each vesting grant times its start."""

    node: U32
    matured: U96
    vesting: U96
    start: Annotated[int, Field(ge=0, lt=2**256)]


class AccountsData(Document):
    """An epoch's accounts: cumulative leaves of clients and nodes, sorted by id.

    ``apparent``: what the active workers' speed came to in their time, nano-IBM; the final work over it is the IBME.
    """

    epoch: U32
    accounts: list[AccountLeaf]
    nodes: list[NodeLeaf]
    apparent: Annotated[int, Field(ge=0, lt=2**96)] = 0
