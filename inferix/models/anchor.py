# SPDX-License-Identifier: Apache-2.0
"""Documents behind the roots that managers post: anchors, batches, rosters, accounts."""

from collections.abc import Callable
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from inferix.errors import Corrupt, InvalidInput
from inferix.models.document import Bytes32, Document, HexBytes, Signature, Value
from inferix.models.job import U32, U64
from inferix.models.roles import Outcome

LEAVES_A_CHUNK = 64
MAX_MORE_CHUNKS = 15
"""Of a batch, beside the first: 1,000 leaves fit into 16."""
ROWS_A_CHUNK = 1_024
"""At most 256 bytes a row: a chunk of any row fits into one block."""
MAX_CHUNKS = 1_024
"""A million rows, and what a false one costs its readers: a quarter of a GiB at most."""

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
    leaves: Annotated[list[BatchLeaf], Field(max_length=LEAVES_A_CHUNK)]
    chunks: Annotated[list[Bytes32], Field(max_length=MAX_MORE_CHUNKS)] = []


class Chunked(Document):
    """Rows that may not fit into one block: ``chunks`` (in the first, which has no rows then) names the digests of
    those that hold them, in order."""

    ROWS: ClassVar[tuple[str, ...]]
    """Names of its lists of rows."""

    chunks: Annotated[list[Bytes32], Field(max_length=MAX_CHUNKS)] = []

    def cut(self) -> list[Self]:
        """What is stored: this alone, or the first, which names the others, and them.

        :raises InvalidInput: there are more rows than the first can name chunks of.
        """
        if sum(len(getattr(self, name)) for name in self.ROWS) <= ROWS_A_CHUNK:
            return [self]
        bare = self.model_copy(update={name: [] for name in self.ROWS})
        chunks = [
            bare.model_copy(update={name: rows[at : at + ROWS_A_CHUNK]})
            for name in self.ROWS
            for rows in [getattr(self, name)]
            for at in range(0, len(rows), ROWS_A_CHUNK)
        ]
        if len(chunks) > MAX_CHUNKS:
            raise InvalidInput(
                f"{type(self).__name__} has {len(chunks)} chunks of rows; at most {MAX_CHUNKS} are named"
            )
        return [bare.model_copy(update={"chunks": [chunk.digest() for chunk in chunks]}), *chunks]

    @classmethod
    def read(cls, digest: bytes, fetch: Callable[[bytes], bytes | None]) -> Self | None:
        """The whole that a first document begins; None while ``fetch`` lacks one, of which it was asked for all.

        :raises Corrupt: one is malformed, too long, named twice, or another's chunk.
        """
        body = fetch(digest)
        if body is None:
            return None
        first = cls._part(body, digest)
        if not first.chunks:
            return first
        if any(getattr(first, name) for name in cls.ROWS):
            raise Corrupt(f"a {cls.__name__} has rows beside its chunks")
        if len(set(first.chunks)) < len(first.chunks):
            raise Corrupt(f"a {cls.__name__} names a chunk twice")
        bodies = [fetch(chunk) for chunk in first.chunks]
        if None in bodies:
            return None
        parts = [cls._part(body, chunk) for body, chunk in zip(bodies, first.chunks, strict=True) if body is not None]
        bare = first.model_copy(update={"chunks": []})
        if any(bare != part.model_copy(update={name: [] for name in cls.ROWS}) for part in parts):
            raise Corrupt(f"a chunk of this {cls.__name__} is another's")
        return bare.model_copy(
            update={name: [row for part in parts for row in getattr(part, name)] for name in cls.ROWS}
        )

    @classmethod
    def _part(cls, body: bytes, digest: bytes) -> Self:
        part = cls.decode(body, digest)
        if sum(len(getattr(part, name)) for name in cls.ROWS) > ROWS_A_CHUNK:
            raise Corrupt(f"a {cls.__name__} has more than {ROWS_A_CHUNK} rows in one document")
        return part

    @classmethod
    def is_away(cls, digest: bytes, fetch: Callable[[bytes], bytes | None]) -> bool:
        """Whether ``fetch`` lacks a part of it; what is malformed is there."""
        try:
            return cls.read(digest, fetch) is None
        except Corrupt:
            return False


class RosterLeaf(Value):
    """A node that can be drawn. ``ib`` micro-IB, ``price`` nano-USD per IBM, ``device_class`` as ASCII in 32 bytes."""

    node: U32
    ib: U32
    price: U64
    device_class: Bytes32
    weight: U96


class RosterData(Chunked):
    """The leaves of a roster; a node id that is absent has an empty leaf."""

    ROWS = ("leaves",)

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


class AccountsData(Chunked):
    """An epoch's accounts: cumulative leaves of clients and nodes, sorted by id.

    ``apparent``: what the active workers' speed came to in their time, nano-IBM; the final work over it is the IBME.
    """

    ROWS = ("accounts", "nodes")

    epoch: U32
    accounts: list[AccountLeaf]
    nodes: list[NodeLeaf]
    apparent: Annotated[int, Field(ge=0, lt=2**96)] = 0
