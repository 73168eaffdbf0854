# SPDX-License-Identifier: Apache-2.0
"""A worker's items, and what it made of them."""

import hashlib
from typing import Any

from inferix.messages import Receipt
from inferix.models.result import FileRef, Result
from inferix.models.work import Offer, Run
from inferix.sealing import JobKey, open_stream
from inferix.storage.cid import Cid, Codec
from tests.node.network import Job, Network
from tests.node.running import Node


def offer(job: Job, node: Node, task: int = 0, draw: int = 0, **changes: Any) -> Offer:
    return Offer(**{**job.fields(node.keys.sealing_public, task), "draw": draw, **changes})


def run(job: Job, node: Node, task: int = 0, **changes: Any) -> Run:
    return Run(**{**job.fields(node.keys.sealing_public, task), **changes})


def accept_and_run(job: Job, node: Node, task: int = 0, **changes: Any) -> Receipt:
    """The receipt of a task that was offered and done."""
    node.run(offer(job, node, task))
    node.run(run(job, node, task, **changes))
    receipt = node.network.of(Receipt)[-1].message
    assert isinstance(receipt, Receipt)
    return receipt


def result_of(network: Network, receipt: Receipt) -> Result:
    return Result.decode(network.store.get_block(Cid(Codec.RAW, receipt.result)), receipt.result)


def plain(network: Network, ref: FileRef, key: JobKey) -> bytes:
    data = b"".join(open_stream(key, network.store.open(Cid.parse(ref.cid), 10**8)))
    assert hashlib.sha256(data).digest() == ref.sha256
    assert len(data) == ref.size
    return data
