# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize codesize
"""
@title Timelock
@license AGPL-3.0-only
@author Inferix
@notice Governs the protocol for its voters: what Governor schedules waits here in sight of everybody, then anybody may execute it, whole
        or not at all, once, until its grace period is over. States and roles are snekmate's; what is added is bounds to the delay, the
        grace period, names as in OpenZeppelin's TimelockController, and the way to become the governor.
@custom:kill None: nobody can stop it. Only an executed operation gives roles, takes them, or changes the delay.
"""

from snekmate.auth import access_control
from snekmate.governance import timelock_controller
from ..interfaces import IGovernor
from ..interfaces import IParameters
from ..interfaces import ITimelock

implements: ITimelock
initializes: access_control
initializes: timelock_controller[access_control := access_control]


# A new Governor is a new deployment: an operation gives it the roles, and takes them from the old one.
exports: (
    access_control.DEFAULT_ADMIN_ROLE,
    access_control.hasRole,
    access_control.getRoleAdmin,
    access_control.grantRole,
    access_control.revokeRole,
    access_control.renounceRole,
    access_control.supportsInterface,
    timelock_controller.PROPOSER_ROLE,
    timelock_controller.EXECUTOR_ROLE,
    timelock_controller.CANCELLER_ROLE,
)


LOWEST_DELAY: public(constant(uint256)) = 86400
HIGHEST_DELAY: public(constant(uint256)) = 30 * 86400
# What nobody executed for so long was decided about another world.
GRACE_PERIOD: public(constant(uint256)) = 14 * 86400
CALLS: constant(uint256) = 16


_DEPLOYER: immutable(address)
_PARAMETERS: immutable(IParameters)


wired: public(bool)


@deploy
def __init__(parameters_: address, delay: uint256):
    """
    @param parameters_ Whose governor it is to become.
    @param delay Least delay of operations [s].
    """
    assert parameters_ != empty(address), "Timelock: no parameters"
    self._check_delay(delay)
    access_control.__init__()
    # The timelock is its own administrator; the deployer has no role.
    timelock_controller.__init__(delay, [], [], empty(address))
    _DEPLOYER = msg.sender
    _PARAMETERS = IParameters(parameters_)
    log ITimelock.MinDelayChange(oldDuration=0, newDuration=delay)


@external
@payable
def __default__():
    """
    @notice Takes the chain's coin, which operations may spend.
    """
    pass


@external
def wire(governor: address):
    """
    @notice Makes Governor the proposer and canceller, and anybody the executor. The deployer, once.
    """
    assert msg.sender == _DEPLOYER, "Timelock: not the deployer"
    assert not self.wired, "Timelock: wired already"
    assert staticcall IGovernor(governor).timelock() == self, "Timelock: of another timelock"
    self.wired = True
    access_control._grant_role(timelock_controller.PROPOSER_ROLE, governor)
    access_control._grant_role(timelock_controller.CANCELLER_ROLE, governor)
    access_control._grant_role(timelock_controller.EXECUTOR_ROLE, empty(address))


@external
def accept_governor():
    """
    @notice Takes the protocol over when its governor has proposed this timelock, so that no operation need wait for it. Anybody: it
            is the governor who decides.
    """
    extcall _PARAMETERS.accept_governor()


@external
def schedule(target: address, amount: uint256, data: Bytes[1024], predecessor: bytes32, salt: bytes32, delay: uint256):
    """
    @notice Schedules one call. Proposers only.
    @param predecessor Operation that must have been executed before; zero: none.
    @param delay At least `getMinDelay` [s].
    """
    access_control._check_role(timelock_controller.PROPOSER_ROLE, msg.sender)
    id: bytes32 = timelock_controller._hash_operation(target, amount, data, predecessor, salt)
    self._schedule(id, salt, delay)
    log ITimelock.CallScheduled(
        id=id, index=0, target=target, value=amount, data=data, predecessor=predecessor, delay=delay
    )


@external
def scheduleBatch(
    targets: DynArray[address, CALLS],
    values: DynArray[uint256, CALLS],
    payloads: DynArray[Bytes[1024], CALLS],
    predecessor: bytes32,
    salt: bytes32,
    delay: uint256,
):
    """
    @notice Schedules calls that are made in this order, all or none. Proposers only.
    """
    access_control._check_role(timelock_controller.PROPOSER_ROLE, msg.sender)
    assert len(targets) == len(values) and len(targets) == len(payloads), "Timelock: lists differ in length"
    id: bytes32 = self._hash_batch(targets, values, payloads, predecessor, salt)
    self._schedule(id, salt, delay)
    for i: uint256 in range(len(targets), bound=CALLS):
        log ITimelock.CallScheduled(
            id=id,
            index=i,
            target=targets[i],
            value=values[i],
            data=payloads[i],
            predecessor=predecessor,
            delay=delay,
        )


@external
def cancel(id: bytes32):
    """
    @notice Drops an operation that waits or is ready. Cancellers only.
    """
    access_control._check_role(timelock_controller.CANCELLER_ROLE, msg.sender)
    assert self._is_pending(id), "Timelock: nothing to cancel"
    timelock_controller.get_timestamp[id] = 0
    log ITimelock.Cancelled(id=id)


@external
@payable
@nonreentrant
def execute(target: address, amount: uint256, payload: Bytes[1024], predecessor: bytes32, salt: bytes32):
    """
    @notice Makes a call that is ready; reverts with its reason when it fails. Anybody.
    """
    id: bytes32 = timelock_controller._hash_operation(target, amount, payload, predecessor, salt)
    self._before(id, predecessor)
    self._call(id, 0, target, amount, payload)
    timelock_controller._after_call(id)


@external
@payable
@nonreentrant
def executeBatch(
    targets: DynArray[address, CALLS],
    values: DynArray[uint256, CALLS],
    payloads: DynArray[Bytes[1024], CALLS],
    predecessor: bytes32,
    salt: bytes32,
):
    """
    @notice Makes calls that are ready; reverts whole, with the reason of the first that fails. Anybody.
    """
    assert len(targets) == len(values) and len(targets) == len(payloads), "Timelock: lists differ in length"
    id: bytes32 = self._hash_batch(targets, values, payloads, predecessor, salt)
    self._before(id, predecessor)
    for i: uint256 in range(len(targets), bound=CALLS):
        self._call(id, i, targets[i], values[i], payloads[i])
    timelock_controller._after_call(id)


@external
def updateDelay(newDelay: uint256):
    """
    @notice Changes the least delay of operations to come [s], within 1 to 30 days. The timelock itself only.
    """
    assert msg.sender == self, "Timelock: not the timelock"
    self._check_delay(newDelay)
    log ITimelock.MinDelayChange(oldDuration=timelock_controller.get_minimum_delay, newDuration=newDelay)
    timelock_controller.get_minimum_delay = newDelay


@external
@view
def parameters() -> address:
    """
    @notice The contract that knows who governs.
    """
    return _PARAMETERS.address


@external
@view
def governs() -> bool:
    """
    @notice Whether the protocol obeys this timelock.
    """
    return staticcall _PARAMETERS.governor() == self


@external
@view
def may_govern() -> bool:
    """
    @notice Whether it governs already, or does as soon as anybody calls `accept_governor`.
    """
    return self in [staticcall _PARAMETERS.governor(), staticcall _PARAMETERS.proposed_governor()]


@external
@view
def getMinDelay() -> uint256:
    """
    @notice The least delay of new operations [s].
    """
    return timelock_controller.get_minimum_delay


@external
@view
def getTimestamp(id: bytes32) -> uint256:
    """
    @notice From which second on an operation may be executed; 0: there is none, 1: it was executed.
    """
    return timelock_controller.get_timestamp[id]


@external
@view
def isOperation(id: bytes32) -> bool:
    """
    @notice Whether it was scheduled and not cancelled.
    """
    return timelock_controller._is_operation(id)


@external
@view
def isOperationPending(id: bytes32) -> bool:
    """
    @notice Whether it waits or is ready; false once its grace period is over.
    """
    return self._is_pending(id)


@external
@view
def isOperationReady(id: bytes32) -> bool:
    """
    @notice Whether it may be executed now.
    """
    return timelock_controller._is_operation_ready(id) and self._is_pending(id)


@external
@view
def isOperationDone(id: bytes32) -> bool:
    """
    @notice Whether it was executed.
    """
    return timelock_controller._is_operation_done(id)


@external
@pure
def hashOperation(
    target: address, amount: uint256, data: Bytes[1024], predecessor: bytes32, salt: bytes32
) -> bytes32:
    """
    @notice Id of an operation of one call.
    """
    return timelock_controller._hash_operation(target, amount, data, predecessor, salt)


@external
@pure
def hashOperationBatch(
    targets: DynArray[address, CALLS],
    values: DynArray[uint256, CALLS],
    payloads: DynArray[Bytes[1024], CALLS],
    predecessor: bytes32,
    salt: bytes32,
) -> bytes32:
    """
    @notice Id of an operation: other calls, or another order, are another operation.
    """
    return self._hash_batch(targets, values, payloads, predecessor, salt)


@internal
@pure
def _check_delay(delay: uint256):
    assert delay >= LOWEST_DELAY and delay <= HIGHEST_DELAY, "Timelock: delay out of bounds"


@internal
@pure
def _hash_batch(
    targets: DynArray[address, CALLS],
    values: DynArray[uint256, CALLS],
    payloads: DynArray[Bytes[1024], CALLS],
    predecessor: bytes32,
    salt: bytes32,
) -> bytes32:
    # snekmate's own has room for 255 calls, and its memory costs more than the operation.
    return keccak256(abi_encode(targets, values, payloads, predecessor, salt))


@internal
def _schedule(id: bytes32, salt: bytes32, delay: uint256):
    assert delay <= HIGHEST_DELAY, "Timelock: delay out of bounds"
    timelock_controller._schedule(id, delay)
    if salt != empty(bytes32):
        log ITimelock.CallSalt(id=id, salt=salt)


@internal
@view
def _is_pending(id: bytes32) -> bool:
    if not timelock_controller._is_operation_pending(id):
        return False
    return block.timestamp < timelock_controller.get_timestamp[id] + GRACE_PERIOD


@internal
@view
def _before(id: bytes32, predecessor: bytes32):
    timelock_controller._only_role_or_open_role(timelock_controller.EXECUTOR_ROLE)
    timelock_controller._before_call(id, predecessor)
    assert self._is_pending(id), "Timelock: expired"


@internal
def _call(id: bytes32, index: uint256, target: address, amount: uint256, payload: Bytes[1024]):
    # A call of an address without code succeeds and does nothing, which nobody can have voted for.
    assert target.is_contract or len(payload) == 0, "Timelock: no code at the target"
    timelock_controller._execute(target, amount, payload)
    log ITimelock.CallExecuted(id=id, index=index, target=target, value=amount, data=payload)
