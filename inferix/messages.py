# SPDX-License-Identifier: Apache-2.0
"""What programs sign and send each other: EIP-712 typed data, one class a type.

A message's fields, in order, with their Solidity types, are its EIP-712 type string; ``digest`` is what is signed,
``body`` its ABI-encoded fields as they travel in an anchor's document. Signatures are 65 bytes (r, s, v), low s.
Source: EIP-712, EIP-2, EIP-2098.
"""

from functools import cache
from typing import Annotated, Any, ClassVar, Self

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_account import Account
from eth_keys.datatypes import Signature as KeySignature
from eth_keys.exceptions import BadSignature
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError
from pydantic import Field

from inferix.errors import Corrupt, InvalidInput
from inferix.models.document import Bytes32, Value
from inferix.models.roles import Outcome

_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


class _Abi:
    """The Solidity type of a field."""

    def __init__(self, name: str) -> None:
        self.name = name


U8 = Annotated[int, Field(ge=0, lt=2**8), _Abi("uint8")]
U16 = Annotated[int, Field(ge=0, lt=2**16), _Abi("uint16")]
U32 = Annotated[int, Field(ge=0, lt=2**32), _Abi("uint32")]
U40 = Annotated[int, Field(ge=0, lt=2**40), _Abi("uint40")]
U64 = Annotated[int, Field(ge=0, lt=2**64), _Abi("uint64")]
B32 = Annotated[Bytes32, _Abi("bytes32")]
Bool = Annotated[bool, _Abi("bool")]


class Domain(Value):
    """The EIP-712 domain of one network. ``contract``: the NodeRegistry's address."""

    chain_id: int
    contract: str

    def separator(self) -> bytes:
        """``keccak256(abi.encode(TYPEHASH, name, version, chainId, verifyingContract))``."""
        return _separator(self.chain_id, self.contract)


@cache
def _separator(chain_id: int, contract: str) -> bytes:
    typehash = keccak(text="EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
    fields = [typehash, keccak(text="Inferix"), keccak(text="1"), chain_id, contract]
    return keccak(abi_encode(["bytes32", "bytes32", "bytes32", "uint256", "address"], fields))


class Message(Value):
    """Base of the signed types."""

    kind: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.kind = cls.__name__

    @classmethod
    def abi_types(cls) -> list[str]:
        """The Solidity types of the fields in order."""
        return [_abi_name(field.metadata) for field in cls.model_fields.values()]

    @classmethod
    def type_string(cls) -> str:
        """``Name(type name,...)`` of EIP-712; names in camelCase."""
        pairs = zip(cls.abi_types(), cls.model_fields, strict=True)
        return f"{cls.kind}({','.join(f'{kind} {_camel(name)}' for kind, name in pairs)})"

    def body(self) -> bytes:
        """``abi.encode(fields...)``."""
        return abi_encode(self.abi_types(), [getattr(self, name) for name in type(self).model_fields])

    @classmethod
    def from_body(cls, body: bytes) -> Self:
        """The message of ABI-encoded fields; Corrupt when they are malformed or not canonical."""
        try:
            values = abi_decode(cls.abi_types(), body)
            message = cls(**dict(zip(cls.model_fields, values, strict=True)))
        except Exception as error:  # eth_abi and pydantic each have their own tree of errors
            raise Corrupt(f"malformed {cls.kind}: {error}") from error
        if message.body() != body:
            raise Corrupt(f"a {cls.kind} that is not in canonical form")
        return message

    def struct_hash(self) -> bytes:
        """EIP-712 hashStruct; every field is of a static type."""
        return keccak(keccak(text=self.type_string()) + self.body())

    def digest(self, domain: Domain) -> bytes:
        """The 32 bytes that are signed."""
        return keccak(b"\x19\x01" + domain.separator() + self.struct_hash())

    def sign(self, domain: Domain, private_key: bytes) -> bytes:
        """A 65-byte signature (r, s, v)."""
        signed = Account.unsafe_sign_hash(self.digest(domain), private_key)
        return bytes(signed.signature)

    def signer(self, domain: Domain, signature: bytes) -> str:
        """The checksummed address that signed; InvalidInput when the signature is malformed or has a high s."""
        return recover(self.digest(domain), signature)

    def typed_data(self, domain: Domain) -> dict[str, Any]:
        """The ``eth_signTypedData_v4`` object for wallets."""
        fields = zip(self.abi_types(), type(self).model_fields, strict=True)
        return {
            "types": {
                "EIP712Domain": [
                    {"name": "name", "type": "string"},
                    {"name": "version", "type": "string"},
                    {"name": "chainId", "type": "uint256"},
                    {"name": "verifyingContract", "type": "address"},
                ],
                self.kind: [{"name": _camel(name), "type": kind} for kind, name in fields],
            },
            "primaryType": self.kind,
            "domain": {
                "name": "Inferix",
                "version": "1",
                "chainId": domain.chain_id,
                "verifyingContract": domain.contract,
            },
            "message": {_camel(name): value for name, value in self.model_dump(mode="json").items()},
        }


class Order(Message):
    """A client's order. ``spec``: digest of the JobSpec; ``cap`` and ``price`` (per IBM) in nano-USD."""

    account: U32
    nonce: U32
    manager: U32
    spec: B32
    cap: U64
    price: U64
    attempts: U8
    deadline: U40
    post_by: U40

    def record(self, signature: bytes) -> bytes:
        """The 135 bytes of this order on chain."""
        packed = b"".join(
            value.to_bytes(size, "big") for value, size in ((self.account, 4), (self.nonce, 4), (self.manager, 4))
        )
        packed += self.spec
        packed += b"".join(
            value.to_bytes(size, "big")
            for value, size in (
                (self.cap, 8),
                (self.price, 8),
                (self.attempts, 1),
                (self.deadline, 5),
                (self.post_by, 5),
            )
        )
        return packed + compact(signature)

    @classmethod
    def from_record(cls, record: bytes) -> "tuple[Order, bytes]":
        """The order and its 65-byte signature; Corrupt unless 135 bytes."""
        if len(record) != ORDER_RECORD:
            raise Corrupt(f"an order record has {ORDER_RECORD} bytes, not {len(record)}")

        def number(start: int, size: int) -> int:
            return int.from_bytes(record[start : start + size], "big")

        order = cls(
            account=number(0, 4),
            nonce=number(4, 4),
            manager=number(8, 4),
            spec=record[12:44],
            cap=number(44, 8),
            price=number(52, 8),
            attempts=number(60, 1),
            deadline=number(61, 5),
            post_by=number(66, 5),
        )
        return order, expand(record[71:135])


ORDER_RECORD = 135
MAX_VOTERS = 8


class Cancel(Message):
    """A client takes an order back before or while it runs."""

    account: U32
    nonce: U32


class Quote(Message):
    """A manager's price of a QuoteRequest, by its digest; ``work`` nano-IBM a frame; prices nano-USD per IBM."""

    manager: U32
    request: B32
    work: U64
    low_price: U64
    high_price: U64
    expires: U40


class Acceptance(Message):
    """A drawn worker takes an attempt; it has fetched and decrypted the input."""

    task: B32
    attempt: U8
    node: U32
    draw: U16


class Receipt(Message):
    """A worker's commitment to a result; ``result``: digest of the Result document; ``canary``: whether the result was
    ordered to be bad, as ``inferix.canaries.commitment`` has it, or zero: it was not."""

    task: B32
    attempt: U8
    node: U32
    result: B32
    canary: B32 = bytes(32)


class CanaryOpening(Message):
    """What a receipt's ``canary`` is the hash of, but for its worker. ``node``: the order's manager, who gave it to the
    worker; signed with the key of the job's quote."""

    task: B32
    attempt: U8
    node: U32
    is_canary: Bool
    salt: B32


class VoteCommitment(Message):
    """A verifier's commitment before any vote is shown: ``keccak256(vote digest + 32 B salt)``."""

    task: B32
    attempt: U8
    node: U32
    commitment: B32


class Vote(Message):
    """A verifier's signature on a result; ``measured``: digest of the Measurement document."""

    task: B32
    attempt: U8
    node: U32
    result: B32
    outcome: U8
    measured: B32


class PanelVote(Message):
    """A panel member's verdict in a case."""

    dispute: B32
    node: U32
    upheld: Bool
    measured: B32


class Probe(Message):
    """A node is alive at the seed of an anchor."""

    manager: U32
    anchor: U32
    node: U32
    seed: B32


class Benchmark(Message):
    """A worker's result of a benchmark challenge; ``result``: digest of a Result document."""

    challenge: B32
    node: U32
    result: B32


class Request(Message):
    """Authenticates one HTTP request of a node; ``content`` is ``request_content`` of it, ``time`` the block clock."""

    node: U32
    content: B32
    time: U40


OfTask = Acceptance | Receipt | Vote | CanaryOpening
"""What an anchor may say of an attempt."""
Anchored = OfTask | Probe

ANCHORED: dict[str, type[Acceptance] | type[Receipt] | type[Vote] | type[CanaryOpening] | type[Probe]] = {
    "Acceptance": Acceptance,
    "Receipt": Receipt,
    "Vote": Vote,
    "CanaryOpening": CanaryOpening,
    "Probe": Probe,
}

KINDS: dict[str, type[Message]] = {
    kind.__name__: kind
    for kind in (Acceptance, Receipt, VoteCommitment, Vote, CanaryOpening, PanelVote, Probe, Benchmark)
}


def request_content(method: str, path: str, body: bytes) -> bytes:
    """What ``Request.content`` holds for an HTTP request; ``path`` includes the query."""
    return keccak(f"{method.upper()} {path}\n".encode() + body)


def vote_commitment(digest: bytes, salt: bytes) -> bytes:
    """``keccak256(vote digest + salt)``; the salt is 32 random bytes."""
    return keccak(digest + salt)


def votes_hash(votes: "list[tuple[Vote, bytes]]") -> bytes:
    """A leaf's ``votes``: over (vote, signature) sorted by node; zero without votes."""
    return keccak(pack_votes(votes)) if votes else bytes(32)


def pack_votes(votes: "list[tuple[Vote, bytes]]") -> bytes:
    """What ``votes_hash`` hashes: 101 bytes a vote, by node."""
    return b"".join(
        vote.node.to_bytes(4, "big") + bytes([vote.outcome]) + vote.measured + compact(signature)
        for vote, signature in sorted(votes, key=lambda pair: pair[0].node)
    )


def pack_voters(nodes: list[int]) -> bytes:
    """A leaf's ``voters``: at most `MAX_VOTERS` ids ascending, 4 bytes each from the left."""
    if len(nodes) > MAX_VOTERS:
        raise InvalidInput(f"at most {MAX_VOTERS} voters stand in a leaf")
    return b"".join(node.to_bytes(4, "big") for node in sorted(nodes)).ljust(32, b"\0")


def unpack_voters(voters: bytes) -> list[int]:
    """The ids in a leaf's ``voters``."""
    ids = [int.from_bytes(voters[at : at + 4], "big") for at in range(0, 32, 4)]
    return [node for node in ids if node]


def outcome_record(task: bytes, node: int, charge: int, outcome: Outcome) -> bytes:
    """The 12 bytes of a leaf in calldata: node 4, charge 5, outcome 1, last 2 bytes of the task.

    A charge over 5 bytes runs into the node, as it does where Disputes compares the two: it is never an error.
    """
    return (node << 64 | charge << 24 | outcome << 16 | int.from_bytes(task[-2:], "big")).to_bytes(12, "big")


def recover(digest: bytes, signature: bytes) -> str:
    """The checksummed signer of a digest; InvalidInput for a malformed or malleable signature."""
    if len(signature) != 65 or signature[64] not in (27, 28):
        raise InvalidInput("a signature has 65 bytes and ends with 27 or 28")
    if int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
        raise InvalidInput("a signature with a high s is refused (EIP-2): sign again")
    try:
        key = KeySignature(signature[:64] + bytes([signature[64] - 27])).recover_public_key_from_msg_hash(digest)
    except (BadSignature, ValidationError) as error:
        raise InvalidInput("this signature belongs to no key") from error
    return to_checksum_address(key.to_address())


def compact(signature: bytes) -> bytes:
    """The 64 bytes of EIP-2098."""
    parity = (signature[64] - 27) << 7
    return signature[:32] + bytes([signature[32] | parity]) + signature[33:64]


def expand(packed: bytes) -> bytes:
    """The 65 bytes of a compact signature."""
    return packed[:32] + bytes([packed[32] & 0x7F]) + packed[33:64] + bytes([27 + (packed[32] >> 7)])


def _abi_name(metadata: list[Any]) -> str:
    return next(item.name for item in metadata if isinstance(item, _Abi))


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)
