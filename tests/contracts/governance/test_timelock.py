# SPDX-License-Identifier: Apache-2.0
"""Timelock: what waits, who may, to the second; whole or not at all; and how it becomes the governor."""

from typing import Any

import boa
import pytest
from eth_abi import encode
from eth_utils import keccak

from tests.contracts.governance.council import DELAY, GRACE, PERIOD, QUORUM_BPS, THRESHOLD, WAIT, Council, Proposal
from tests.contracts.system import DAY, STAND_INS, Contract, acting, advance, deployer, key, now, parameter, set_time

NONE = bytes(32)
SALT = keccak(text="salt")


def set_slot(council: Council, value: int = 31) -> tuple[str, int, bytes]:
    return council.parameters.address, 0, council.parameters.set.prepare_calldata(parameter("slot"), value)


def schedule(council: Council, call: tuple[str, int, bytes], before: bytes = NONE, delay: int = WAIT) -> bytes:
    with acting(council.governor):
        council.timelock.schedule(*call, before, SALT, delay)
    return bytes(council.timelock.hashOperation(*call, before, SALT))


def status(council: Council, id: bytes) -> list[bool]:
    lock = council.timelock
    views = (lock.isOperation, lock.isOperationPending, lock.isOperationReady, lock.isOperationDone)
    return [view(id) for view in views]


def test_a_call_waits_is_ready_and_is_executed_once(council: Council) -> None:
    call = set_slot(council)
    lock = council.timelock
    id = bytes(lock.hashOperation(*call, NONE, SALT))
    assert id == keccak(encode(["address", "uint256", "bytes", "bytes32", "bytes32"], [*call, NONE, SALT]))
    assert status(council, id) == [False] * 4
    start = now()
    assert schedule(council, call) == id
    assert lock.getTimestamp(id) == start + WAIT
    set_time(start + WAIT - 1)
    assert status(council, id) == [True, True, False, False]
    with boa.reverts("timelock_controller: operation is not ready"):
        lock.execute(*call, NONE, SALT)
    advance(1)
    assert status(council, id) == [True, True, True, False]
    with acting(key("anybody")):
        lock.execute(*call, NONE, SALT)
    assert council.parameters.get(parameter("slot")) == 31
    assert (status(council, id), lock.getTimestamp(id)) == ([True, False, False, True], 1)
    with boa.reverts("timelock_controller: operation is not ready"):
        lock.execute(*call, NONE, SALT)
    with boa.reverts("timelock_controller: operation already scheduled"):
        schedule(council, call)


def test_grace_period_to_the_second(council: Council) -> None:
    call = set_slot(council)
    id = schedule(council, call)
    set_time(council.timelock.getTimestamp(id) + GRACE - 1)
    assert status(council, id) == [True, True, True, False]
    with boa.env.anchor():
        council.timelock.execute(*call, NONE, SALT)
    advance(1)
    assert status(council, id) == [True, False, False, False]
    with boa.reverts("Timelock: expired"):
        council.timelock.execute(*call, NONE, SALT)
    with acting(council.governor), boa.reverts("Timelock: nothing to cancel"):
        council.timelock.cancel(id)


def test_only_the_governor_schedules_and_cancels(council: Council) -> None:
    call = set_slot(council)
    lists = [call[0]], [call[1]], [call[2]]
    lock = council.timelock
    id = schedule(council, call)
    for other in (key("deployer"), council.guardian, council.alice, lock):
        with acting(other):
            with boa.reverts("access_control: account is missing role"):
                lock.schedule(*call, NONE, NONE, WAIT)
            with boa.reverts("access_control: account is missing role"):
                lock.scheduleBatch(*lists, NONE, NONE, WAIT)
            with boa.reverts("access_control: account is missing role"):
                lock.cancel(id)
    with acting(council.governor):
        lock.cancel(id)
        assert status(council, id) == [False] * 4
        with boa.reverts("Timelock: nothing to cancel"):
            lock.cancel(id)
    advance(WAIT)
    with boa.reverts("timelock_controller: operation is not ready"):
        lock.execute(*call, NONE, SALT)


def test_delays_of_operations_are_bounded(council: Council) -> None:
    call = set_slot(council)
    with boa.reverts("timelock_controller: insufficient delay"):
        schedule(council, call, delay=WAIT - 1)
    with boa.reverts("Timelock: delay out of bounds"):
        schedule(council, call, delay=30 * DAY + 1)
    schedule(council, call, delay=30 * DAY)


def test_an_operation_waits_for_the_one_before_it(council: Council) -> None:
    first, second = set_slot(council, 31), set_slot(council, 32)
    before = schedule(council, first)
    schedule(council, second, before)
    advance(WAIT)
    with boa.reverts("timelock_controller: missing dependency"):
        council.timelock.execute(*second, before, SALT)
    council.timelock.execute(*first, NONE, SALT)
    council.timelock.execute(*second, before, SALT)
    assert council.parameters.get(parameter("slot")) == 32


def batch(council: Council, *values: int) -> tuple[list[str], list[int], list[bytes]]:
    calls = [set_slot(council, value) for value in values]
    return [each[0] for each in calls], [each[1] for each in calls], [each[2] for each in calls]


def schedule_batch(council: Council, lists: Any) -> bytes:
    with acting(council.governor):
        council.timelock.scheduleBatch(*lists, NONE, SALT, WAIT)
    advance(WAIT)
    return bytes(council.timelock.hashOperationBatch(*lists, NONE, SALT))


def test_a_batch_is_made_in_its_order_and_no_other(council: Council) -> None:
    lists = batch(council, 31, 32)
    id = schedule_batch(council, lists)
    kinds = ["address[]", "uint256[]", "bytes[]", "bytes32", "bytes32"]
    assert id == keccak(encode(kinds, [*lists, NONE, SALT]))
    for other in (batch(council, 32, 31), batch(council, 31), batch(council, 31, 33)):
        with boa.reverts("timelock_controller: operation is not ready"):
            council.timelock.executeBatch(*other, NONE, SALT)
    with boa.reverts("timelock_controller: operation is not ready"):
        council.timelock.executeBatch(*lists, NONE, NONE)
    council.timelock.executeBatch(*lists, NONE, SALT)
    executed = [each for each in council.timelock.get_logs() if type(each).__name__ == "CallExecuted"]
    assert [(each.id, each.index, each.data) for each in executed] == [(id, i, lists[2][i]) for i in (0, 1)]
    assert council.parameters.get(parameter("slot")) == 32


def test_a_failing_call_reverts_the_whole_batch_with_its_reason(council: Council) -> None:
    lists = batch(council, 31, 10**9)
    id = schedule_batch(council, lists)
    with boa.reverts("Parameters: out of bounds"):
        council.timelock.executeBatch(*lists, NONE, SALT)
    assert council.parameters.get(parameter("slot")) == 30
    assert status(council, id) == [True, True, True, False]


def test_lists_of_a_batch_must_match(council: Council) -> None:
    targets, values, payloads = batch(council, 31)
    with acting(council.governor):
        for wrong in ((targets, [], payloads), (targets, values, [])):
            with boa.reverts("Timelock: lists differ in length"):
                council.timelock.scheduleBatch(*wrong, NONE, SALT, WAIT)
            with boa.reverts("Timelock: lists differ in length"):
                council.timelock.executeBatch(*wrong, NONE, SALT)


def test_a_call_of_an_address_without_code_is_refused(council: Council) -> None:
    nowhere = key("nowhere").address
    call = (nowhere, 0, b"\x12\x34\x56\x78")
    schedule(council, call)
    advance(WAIT)
    with boa.reverts("Timelock: no code at the target"):
        council.timelock.execute(*call, NONE, SALT)


def test_the_chain_s_coin_leaves_by_an_operation_only(council: Council) -> None:
    payee = key("payee").address
    boa.env.set_balance(council.alice.address, 10)
    with acting(council.alice):
        boa.env.raw_call(council.timelock.address, value=10)
    call = (payee, 10, b"")
    schedule(council, call)
    with boa.reverts("timelock_controller: operation is not ready"):
        council.timelock.execute(*call, NONE, SALT)
    advance(WAIT)
    council.timelock.execute(*call, NONE, SALT)
    assert boa.env.get_balance(payee) == 10


def test_only_an_operation_changes_the_delay_within_bounds(council: Council) -> None:
    lock = council.timelock
    assert lock.getMinDelay() == WAIT
    for other in (council.governor, key("deployer"), council.alice):
        with acting(other), boa.reverts("Timelock: not the timelock"):
            lock.updateDelay(3 * DAY)
    council.enact(Proposal([council.call(lock, "updateDelay", 3 * DAY)]))
    assert lock.getMinDelay() == 3 * DAY
    with acting(lock):
        for value in (DAY, 30 * DAY):
            lock.updateDelay(value)
        for value in (DAY - 1, 30 * DAY + 1):
            with boa.reverts("Timelock: delay out of bounds"):
                lock.updateDelay(value)


def test_only_an_operation_gives_and_takes_roles(council: Council) -> None:
    lock, successor = council.timelock, key("a new governor").address
    role = lock.PROPOSER_ROLE()
    for other in (key("deployer"), council.governor, council.guardian):
        assert not lock.hasRole(lock.DEFAULT_ADMIN_ROLE(), getattr(other, "address", other))
        with acting(other), boa.reverts("access_control: account is missing role"):
            lock.grantRole(role, successor)
    calls = [council.call(lock, "grantRole", role, successor)]
    calls.append(council.call(lock, "revokeRole", role, council.governor.address))
    council.enact(Proposal(calls))
    assert lock.hasRole(role, successor)
    assert not lock.hasRole(role, council.governor)
    council.pass_vote(again := council.setting("slot", 31))
    with boa.reverts("access_control: account is missing role"):
        council.governor.queue(*again.key)


@pytest.fixture
def unwired(council: Council) -> Contract:
    with acting(key("deployer")):
        return deployer("governance/Timelock.vy").deploy(council.parameters, WAIT)


def test_the_deployer_wires_once_and_has_no_right_after_it(council: Council, unwired: Contract) -> None:
    rules = DELAY, PERIOD, THRESHOLD, QUORUM_BPS
    governor = deployer("governance/Governor.vy").deploy(council.ifx, council.staking, unwired, *rules)
    with acting(council.alice), boa.reverts("Timelock: not the deployer"):
        unwired.wire(governor)
    with acting(key("deployer")):
        with boa.reverts("Timelock: of another timelock"):
            unwired.wire(council.governor)
        unwired.wire(governor)
        with boa.reverts("Timelock: wired already"):
            unwired.wire(governor)
    assert unwired.hasRole(unwired.PROPOSER_ROLE(), governor)
    assert unwired.hasRole(unwired.CANCELLER_ROLE(), governor)


def test_delay_at_deployment_is_bounded_and_parameters_are_needed(council: Council) -> None:
    deploy = deployer("governance/Timelock.vy").deploy
    for wrong in (DAY - 1, 30 * DAY + 1):
        with boa.reverts("Timelock: delay out of bounds"):
            deploy(council.parameters, wrong)
    with boa.reverts("Timelock: no parameters"):
        deploy("0x" + "00" * 20, WAIT)


def test_it_governs_once_it_was_proposed_and_anybody_says_so(council: Council, unwired: Contract) -> None:
    with acting(key("anybody")), boa.reverts("Parameters: not the proposed governor"):
        unwired.accept_governor()
    assert (unwired.governs(), unwired.may_govern()) == (False, False)
    with acting(council.timelock):
        council.parameters.propose_governor(unwired)
    assert (unwired.governs(), unwired.may_govern()) == (False, True)
    with acting(key("anybody")):
        unwired.accept_governor()
    assert (unwired.governs(), unwired.may_govern()) == (True, True)
    assert not council.timelock.governs()
    with acting(key("deployer")), boa.reverts("Parameters: not the governor"):
        council.parameters.set(parameter("slot"), 31)


def test_the_guardian_has_its_pause_and_nothing_more(council: Council) -> None:
    with acting(council.guardian):
        council.parameters.pause()
        with boa.reverts("Parameters: not the governor"):
            council.parameters.set(parameter("slot"), 31)
        with boa.reverts("Parameters: not the governor"):
            council.parameters.propose_governor(council.guardian.address)
    council.enact(Proposal([council.call(council.parameters, "set_guardian", key("another").address)]))
    assert council.parameters.guardian() == key("another").address


def test_a_failing_target_takes_the_call_before_it_along(council: Council) -> None:
    meddler = deployer("Meddler.vy", STAND_INS).deploy()
    lists = batch(council, 31)
    lists = [*lists[0], meddler.address], [*lists[1], 0], [*lists[2], meddler.fail.prepare_calldata()]
    schedule_batch(council, lists)
    with boa.reverts("Meddler: no"):
        council.timelock.executeBatch(*lists, NONE, SALT)
    assert council.parameters.get(parameter("slot")) == 30
