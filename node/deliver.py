# SPDX-License-Identifier: Apache-2.0
"""Puts a receipt that this node has signed on chain, where its manager does not anchor it.

Nothing is signed here: what goes out is what the journal holds. Whether it counts, the node's own replay says, so no
manager's word is needed. The owner's wallet pays the gas: a hot key holds no money.
"""

from collections.abc import Callable

from inferix.chain.transact import transact
from inferix.cli.replayed import date_of, task_digest
from inferix.errors import InvalidInput, NotFound, Refused
from inferix.messages import Receipt
from inferix.models.anchor import SignedMessage
from inferix.replay import Network, posted
from inferix.replay.attempts import GRACE
from inferix.replay.state import Attempt, AttemptStatus
from inferix.storage import open_store
from node.api import Api
from node.config import Home, NodeConfig
from node.journal import Journal, owner_of
from node.replay import OwnReplay, own_contracts
from node.signer import about_attempt


def deliver(
    home: Home, config: NodeConfig, operator: str, documents: str, task: str, wallet: Callable[[], bytes]
) -> str:
    """Posts the receipt of this node's newest attempt of ``task`` and says until when its lane may anchor it.

    ``config.rpc``: the endpoint; ``documents``: a store, empty for the settings' or the network's; ``wallet``: the key
    that pays, asked for once all is checked. Raises NotFound, Refused, and what the endpoint has against it.
    """
    digest = task_digest(task)
    if not config.node or not config.registry or not config.api:
        raise InvalidInput("this home has no node yet: run `inferix node init` and `inferix node register`")
    contracts = own_contracts(home, config, Api(config.api, attempts=1).deployment)
    network = OwnReplay(contracts, open_store(documents or config.store or config.api)).network()
    attempt = own_attempt(network, digest, config.node)
    item = signed_receipt(home, owner_of(operator, network.domain), digest, attempt.number)
    check(network, item, attempt)
    kind = next(number for number, name in posted.KINDS.items() if name == item.kind)
    call = contracts.deployment.call("Orders", "post_message", kind, item.body, item.signature)
    receipt = transact(contracts.client, wallet(), call)
    if contracts.client.header(receipt.block).timestamp > attempt.deadline:
        raise Refused(f"block {receipt.block} came after the deadline: the receipt is on chain, and the node is late")
    end = date_of(attempt.deadline + GRACE)
    return (
        f"the receipt of attempt {attempt.number} is on chain, block {receipt.block}: the node is not late. "
        f"Manager {attempt.lane} may anchor it until {end}; if it does not, the attempt is void"
    )


def own_attempt(network: Network, task: bytes, node: int) -> Attempt:
    """The newest attempt of a task that a node has accepted."""
    state = network.tasks.get(task)
    if state is None:
        raise NotFound(f"no task {task.hex()} on this chain")
    for attempt in reversed(state.attempts):
        if attempt.node == node:
            return attempt
    raise Refused(f"node {node} has accepted no attempt of task {task.hex()}, or its acceptance is not anchored yet")


def signed_receipt(home: Home, owner: str, task: bytes, attempt: int) -> SignedMessage:
    """The receipt that the node's program signed. Raises NotFound."""
    found = None
    if home.journal.exists():
        journal = Journal(home.journal, owner)
        found = journal.find(Receipt.kind, about_attempt(task, attempt))
        journal.close()
    if found is None:
        raise NotFound(f"this node has signed no receipt of attempt {attempt} of task {task.hex()}: it is not done")
    return SignedMessage(kind="Receipt", body=found.body, signature=found.signature)


def check(network: Network, item: SignedMessage, attempt: Attempt) -> None:
    """Refuses what would save nobody from being late."""
    if attempt.status is AttemptStatus.ENDED:
        outcome = attempt.outcome.name.lower() if attempt.outcome else ""
        raise Refused(f"attempt {attempt.number} ended {outcome}; its deadline was {date_of(attempt.deadline)}")
    reason = posted.why_not(network, item, Receipt.from_body(item.body), network.time)
    if reason:
        raise Refused(f"attempt {attempt.number}: {reason}")
