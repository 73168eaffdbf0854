# SPDX-License-Identifier: Apache-2.0
"""Orders: who may post, cancel and take over; what is logged is what was given."""

from collections.abc import Callable

import boa
import pytest
from eth_utils import keccak

from inferix.messages import Cancel, Domain, Order, Probe, Receipt
from tests.contracts.system import JAILED, MANAGER, VERIFIER, WORKER, Node, acting, advance, key, now
from tests.contracts.work.network import Network

RECORD = 135
JOB = keccak(text="job")
CLIENT = key("ordering client")


def anchor(network: Network, manager: Node) -> None:
    """A sign of life."""
    advance(60)
    with acting(manager.operator):
        network.batches.anchor(manager.id, keccak(text="root"), bytes(32))


def record(network: Network, account: int, nonce: int = 1) -> bytes:
    """A signed order of the client."""
    order = Order(
        account=account,
        nonce=nonce,
        manager=network.manager.id,
        spec=keccak(text=f"spec {nonce}"),
        cap=10**9,
        price=16_000_000,
        attempts=3,
        deadline=now() + 86400,
        post_by=now() + 600,
    )
    return order.record(order.sign(domain(network), bytes(CLIENT.key)))


def domain(network: Network) -> Domain:
    return Domain(chain_id=network.registry.eip712Domain()[3], contract=network.registry.address)


@pytest.fixture
def account(network: Network) -> int:
    return network.top_up(CLIENT, 10**8)


@pytest.mark.parametrize("count", [1, 2, 50])
def test_manager_posts_orders_as_they_were_given(network: Network, account: int, count: int) -> None:
    records = b"".join(record(network, account, nonce) for nonce in range(count))
    operator = network.manager.operator
    with acting(operator):
        network.orders.post(records)
    (event,) = network.orders.get_logs()
    assert (type(event).__name__, event.poster, bytes(event.records)) == ("OrdersPosted", operator.address, records)
    assert Order.from_record(bytes(event.records[-RECORD:]))[0].nonce == count - 1


@pytest.mark.parametrize("length", [0, 1, RECORD - 1, RECORD + 1, 3 * RECORD - 1])
def test_records_have_their_length(network: Network, length: int) -> None:
    with acting(network.manager.operator), boa.reverts("Orders: length of records"):
        network.orders.post(bytes(length))


def test_client_posts_one_of_its_own(network: Network, account: int) -> None:
    mine = record(network, account)
    with acting(CLIENT):
        network.orders.post(mine)
        (event,) = network.orders.get_logs()
        assert (event.poster, bytes(event.records)) == (CLIENT.address, mine)
        with boa.reverts("managers: not the operator"):
            network.orders.post(mine + record(network, account, 2))
    with acting(key("somebody else")), boa.reverts("managers: not the operator"):
        network.orders.post(mine)
    other = network.top_up(key("other client"), 10**6)
    with acting(CLIENT), boa.reverts("managers: not the operator"):
        network.orders.post(record(network, other))
    with acting(CLIENT), boa.reverts("managers: not the operator"):
        network.orders.post(record(network, 0))


def test_only_bonded_managers_post_for_others(network: Network, account: int) -> None:
    records = record(network, account, 1) + record(network, account, 2)
    for role in (WORKER, VERIFIER):
        with acting(network.bonded(role).operator), boa.reverts("managers: not a manager"):
            network.orders.post(records)
    with acting(network.register(MANAGER).operator), boa.reverts("managers: not bonded"):
        network.orders.post(records)
    with acting(network.panels):
        network.registry.set_status(network.manager.id, JAILED)
    with acting(network.manager.operator), boa.reverts("managers: not active"):
        network.orders.post(records)


def test_former_operator_posts_nothing(network: Network, account: int) -> None:
    manager, successor = network.second_manager(), key("next operator")
    with acting(manager.owner):
        network.registry.set_operator(manager.id, successor.address)
    with acting(manager.operator), boa.reverts("managers: not the operator"):
        network.orders.post(record(network, account))
    with acting(successor):
        network.orders.post(record(network, account))


def test_pause_stops_orders_and_not_cancelling(network: Network, account: int) -> None:
    with acting(network.guardian):
        network.parameters.pause()
    for who in (CLIENT, network.manager.operator):
        with acting(who), boa.reverts("governed: paused"):
            network.orders.post(record(network, account))
    with acting(CLIENT):
        network.orders.cancel(account, 1)
    network.orders.cancel_signed(account, 2, signature(network, account, 2))
    network.take_over(JOB, network.second_manager(), network.manager)


def test_owner_cancels(network: Network, account: int) -> None:
    with acting(CLIENT):
        network.orders.cancel(account, 7)
    (event,) = network.orders.get_logs()
    assert (type(event).__name__, event.account, event.nonce) == ("OrderCancelled", account, 7)
    with acting(network.manager.operator), boa.reverts("Orders: not the account's owner"):
        network.orders.cancel(account, 7)
    with acting(CLIENT), boa.reverts("Orders: not the account's owner"):
        network.orders.cancel(account + 1, 7)


def signature(network: Network, account: int, nonce: int, signer: Callable[[], bytes] = lambda: CLIENT.key) -> bytes:
    return Cancel(account=account, nonce=nonce).sign(domain(network), bytes(signer()))


def test_anybody_carries_a_signed_cancellation(network: Network, account: int) -> None:
    signed = signature(network, account, 7)
    with acting(key("anybody")):
        network.orders.cancel_signed(account, 7, signed)
        (event,) = network.orders.get_logs()
        assert (event.account, event.nonce) == (account, 7)
        with boa.reverts("Orders: not signed by the account's owner"):
            network.orders.cancel_signed(account, 8, signed)
        with boa.reverts("Orders: not signed by the account's owner"):
            network.orders.cancel_signed(account, 7, signature(network, account, 7, lambda: key("other client").key))
        with boa.reverts("Orders: no such account"):
            network.orders.cancel_signed(account + 1, 7, signed)
        with boa.reverts("eip712: signature length"):
            network.orders.cancel_signed(account, 7, signed[:-2])


def test_bonded_manager_takes_a_job_over(network: Network) -> None:
    manager, other = network.manager, network.second_manager()
    assert network.orders.taken_over(JOB, manager.id).manager == 0
    anchor(network, other)
    with acting(other.operator):
        network.orders.call_out(manager.id, other.id)
        (event,) = network.orders.get_logs()
        assert (type(event).__name__, event.manager, event.by_manager) == ("ManagerCalledOut", manager.id, other.id)
        assert tuple(network.orders.called_out(manager.id)) == (now(), 0)
        advance(network.window("takeover_after"))
        network.orders.take_over(JOB, manager.id, other.id)
    (event,) = network.orders.get_logs()
    assert type(event).__name__ == "JobTakenOver"
    assert (bytes(event.job), event.from_manager, event.by_manager) == (JOB, manager.id, other.id)
    assert (event.from_anchors, event.by_anchors) == (0, 1) == tuple(network.orders.taken_over(JOB, manager.id))[1:]
    assert network.orders.taken_over(JOB, manager.id).manager == other.id
    assert network.orders.taken_over(keccak(text="another job"), manager.id).manager == 0
    assert network.orders.taken_over(JOB, other.id).manager == 0


def test_a_manager_that_anchors_loses_no_job(network: Network) -> None:
    manager, other = network.manager, network.second_manager()
    with acting(other.operator):
        with boa.reverts("Orders: not called out"):
            network.orders.take_over(JOB, manager.id, other.id)
        network.orders.call_out(manager.id, other.id)
    anchor(network, manager)
    advance(network.window("takeover_after"))
    with acting(other.operator):
        with boa.reverts("Orders: not called out"):
            network.orders.take_over(JOB, manager.id, other.id)
        network.orders.call_out(manager.id, other.id)
        with boa.reverts("Orders: called out a moment ago"):
            network.orders.take_over(JOB, manager.id, other.id)
        advance(network.window("takeover_after") - 1)
        with boa.reverts("Orders: called out a moment ago"):
            network.orders.take_over(JOB, manager.id, other.id)
        advance(1)
        network.orders.take_over(JOB, manager.id, other.id)


def test_a_further_call_does_not_begin_the_time_anew(network: Network) -> None:
    manager, other = network.manager, network.second_manager()
    with acting(other.operator):
        network.orders.call_out(manager.id, other.id)
        advance(network.window("takeover_after") - 1)
        with boa.reverts("Orders: called out already"):
            network.orders.call_out(manager.id, other.id)


def test_an_attempt_is_in_the_lane_in_which_its_receipt_was_anchored_in_time(network: Network) -> None:
    manager, other = network.manager, network.second_manager()
    is_in_lane = network.orders.is_in_lane
    assert [is_in_lane(JOB, manager.id, who, 9) for who in (manager.id, other.id)] == [True, False]
    for who, count in ((manager, 2), (other, 1)):
        for _ in range(count):
            anchor(network, who)
    network.take_over(JOB, manager, other)
    assert [is_in_lane(JOB, manager.id, manager.id, at) for at in (0, 1, 2, 3)] == [True, True, True, False]
    assert [is_in_lane(JOB, manager.id, other.id, at) for at in (0, 1, 2, 3)] == [True, False, True, True]
    assert not is_in_lane(JOB, manager.id, other.id + 1, 0)
    assert [is_in_lane(JOB, other.id, who, 9) for who in (manager.id, other.id)] == [False, True]


def test_take_over_refusals(network: Network) -> None:
    manager, other = network.manager, network.second_manager()
    with acting(manager.operator), boa.reverts("managers: not the operator"):
        network.orders.take_over(JOB, manager.id, other.id)
    with acting(other.operator), boa.reverts("Orders: the same manager"):
        network.orders.take_over(JOB, other.id, other.id)
    poor = network.register(MANAGER)
    with acting(poor.operator), boa.reverts("managers: not bonded"):
        network.orders.take_over(JOB, manager.id, poor.id)
    with acting(poor.operator), boa.reverts("managers: not bonded"):
        network.orders.call_out(manager.id, poor.id)
    network.take_over(JOB, manager, other)
    third = network.second_manager()
    with acting(third.operator), boa.reverts("Orders: taken over before"):
        network.orders.take_over(JOB, manager.id, third.id)


@pytest.mark.parametrize(("kind", "length"), [(2, 160), (5, 128)])
@pytest.mark.parametrize("paused", [False, True])
def test_anybody_puts_a_receipt_or_a_probe_on_chain(network: Network, kind: int, length: int, paused: bool) -> None:
    body, signed = bytes(range(length)), bytes(range(65))
    if paused:
        with acting(network.guardian):
            network.parameters.pause()
    with acting(key("anybody")):
        network.orders.post_message(kind, body, signed)
    (event,) = network.orders.get_logs()
    assert type(event).__name__ == "MessagePosted"
    assert (event.kind, bytes(event.body), bytes(event.signature)) == (kind, body, signed)


def test_bodies_are_those_of_the_messages(network: Network) -> None:
    receipt = Receipt(task=JOB, attempt=255, node=2**32 - 1, result=JOB)
    probe = Probe(manager=2**32 - 1, anchor=2**32 - 1, node=2**32 - 1, seed=JOB)
    for kind, message in ((2, receipt), (5, probe)):
        network.orders.post_message(kind, message.body(), bytes(65))
        (event,) = network.orders.get_logs()
        assert type(message).from_body(bytes(event.body)) == message


@pytest.mark.parametrize("kind", [0, 1, 3, 4, 6, 255])
def test_no_other_message_is_put_on_chain(network: Network, kind: int) -> None:
    for length in (128, 160):
        with boa.reverts("Orders: no receipt or probe"):
            network.orders.post_message(kind, bytes(length), bytes(65))


@pytest.mark.parametrize(("kind", "length"), [(2, 0), (2, 128), (2, 159), (5, 0), (5, 127), (5, 129), (5, 160)])
def test_a_message_has_the_length_of_its_kind(network: Network, kind: int, length: int) -> None:
    with boa.reverts("Orders: length of the body"):
        network.orders.post_message(kind, bytes(length), bytes(65))


@pytest.mark.parametrize("length", [0, 64])
def test_a_signature_has_its_length(network: Network, length: int) -> None:
    with boa.reverts("Orders: length of the signature"):
        network.orders.post_message(2, bytes(160), bytes(length))
    with boa.reverts():
        network.orders.post_message(2, bytes(160), bytes(66))
