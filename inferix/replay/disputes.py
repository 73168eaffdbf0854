# SPDX-License-Identifier: Apache-2.0
"""Disputes and proofs as the Disputes contract reports them."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak

from inferix.models.event import ChainEvent
from inferix.models.roles import DisputeKind, DisputeStatus, Lie
from inferix.replay.handlers import Handlers
from inferix.replay.network import Network
from inferix.replay.state import AnyDispute, Dispute


def dispute_id(commitment: bytes, kind: DisputeKind, place: int) -> bytes:
    """``keccak256(abi.encode(bytes32 commitment, uint8 kind, uint256 place))``: the one dispute about a place."""
    return keccak(abi_encode(["bytes32", "uint8", "uint256"], [commitment, int(kind), place]))


def opened(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """Somebody asks for votes or data; the batch waits for the answer."""
    kind = DisputeKind(args["kind"])
    network.disputes[args["id"]] = Dispute(
        commitment=args["commitment"], kind=kind, place=args["place"], **opening(event, args)
    )


def opening(event: ChainEvent, args: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that an event of any dispute's opening gives."""
    names = ("id", "challenger", "node", "bond", "until")
    return {name: args[name] for name in names} | {"opened_at": event.timestamp}


def end(dispute: AnyDispute, event: ChainEvent, status: DisputeStatus) -> None:
    """It was answered, or not, or what it is about fell otherwise."""
    dispute.status, dispute.ended_at = status, event.timestamp


def _ended(network: Network, event: ChainEvent, args: Mapping[str, Any], *, status: DisputeStatus) -> None:
    end(network.disputes[args["id"]], event, status)


def _lie(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.batches[args["commitment"]].lie = Lie(args["kind"])


def _equivocation(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.equivocations.add((args["task"], args["attempt"], args["node"]))


EVENTS: Handlers = {
    "DisputeOpened": opened,
    "DisputeAnswered": partial(_ended, status=DisputeStatus.ANSWERED),
    "DisputeUpheld": partial(_ended, status=DisputeStatus.UPHELD),
    "DisputeDropped": partial(_ended, status=DisputeStatus.DROPPED),
    "LieProven": _lie,
    "EquivocationProven": _equivocation,
}
