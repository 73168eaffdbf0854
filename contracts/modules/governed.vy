# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title governed
@license AGPL-3.0-only
@author Inferix
@notice What every governed contract needs: the parameters, the governor's and the guardian's rights (both kept by
        Parameters, so that one pause stops the whole protocol), and addresses that the deployer sets once.
@custom:kill Guardian: `Parameters.pause`. Calls that must go on never ask `_check_running`.
"""

from ..interfaces import IParameters


_PARAMETERS: immutable(IParameters)
_DEPLOYER: immutable(address)


wired: public(bool)


@deploy
def __init__(parameters_: address):
    assert parameters_ != empty(address), "governed: no parameters"
    _PARAMETERS = IParameters(parameters_)
    _DEPLOYER = msg.sender


@external
@view
def parameters() -> address:
    """
    @notice The contract that holds parameters, governor and guardian.
    """
    return _PARAMETERS.address


@internal
def _wire_once():
    # The deployer wires right after deployment, and loses every right with it.
    assert msg.sender == _DEPLOYER, "governed: not the deployer"
    assert not self.wired, "governed: wired already"
    self.wired = True


@internal
@view
def _check_governor():
    assert msg.sender == staticcall _PARAMETERS.governor(), "governed: not the governor"


@internal
@view
def _check_guardian():
    # Whoever may stop, the governor may too.
    if msg.sender != staticcall _PARAMETERS.guardian():
        assert msg.sender == staticcall _PARAMETERS.governor(), "governed: not the guardian"


@internal
@view
def _check_running():
    assert not staticcall _PARAMETERS.paused(), "governed: paused"


@internal
@view
def _parameter(name: bytes32) -> uint256:
    return staticcall _PARAMETERS.get(name)


@internal
@view
def _clock() -> uint256:
    # Protocol time: stands still while paused.
    return staticcall _PARAMETERS.clock()


@internal
@view
def _passed(since: uint256) -> uint256:
    # Protocol time since a block time; for terms of 30 days at most.
    return staticcall _PARAMETERS.passed(since)
