# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title stakes
@license AGPL-3.0-only
@author Inferix
@notice The books of Staking: two storage words a node, and how a slash is shared between what is bonded and what is leaving.
@custom:kill Books only.
"""


# Stake of a node, two words of 96-bit lanes [wei]:
#   at work  qualified << 208 | holds << 192 | frozen << 96 | bonded
#   leaving  free_at << 192 | unbonding << 96 | own
struct Stake:
    bonded: uint256
    frozen: uint256
    holds: uint256
    qualified: bool


struct Exit:
    own: uint256
    unbonding: uint256
    free_at: uint256


_LANE: constant(uint256) = 2**96 - 1
_HOLDS: constant(uint256) = 2**16 - 1


_at_work: HashMap[uint32, uint256]
_leaving: HashMap[uint32, uint256]


@external
@view
def bonded(node: uint32) -> uint256:
    """
    @notice Stake at work [wei].
    """
    return self._at_work[node] & _LANE


@external
@view
def own(node: uint32) -> uint256:
    """
    @notice The owner's part of the bonded stake [wei].
    """
    return self._leaving[node] & _LANE


@external
@view
def unbonding(node: uint32) -> uint256:
    """
    @notice Stake on its way out [wei].
    """
    return self._leaving[node] >> 96 & _LANE


@external
@view
def free_at(node: uint32) -> uint256:
    """
    @notice When the unbonding stake may be withdrawn [s].
    """
    return self._leaving[node] >> 192


@external
@view
def frozen(node: uint32) -> uint256:
    """
    @notice Frozen part of bonded and unbonding stake [wei].
    """
    return self._at_work[node] >> 96 & _LANE


@external
@view
def holds(node: uint32) -> uint256:
    """
    @notice Open cases and batches that block withdrawal.
    """
    return self._at_work[node] >> 192 & _HOLDS


@internal
def _take(node: uint32, amount: uint256) -> uint256:
    stake: Stake = self._read_stake(node)
    exit: Exit = self._read_exit(node)
    total: uint256 = stake.bonded + exit.unbonding
    taken: uint256 = min(amount, total)
    if taken == 0:
        return 0
    from_exit: uint256 = taken * exit.unbonding // total
    from_bonded: uint256 = taken - from_exit
    if from_bonded != 0:
        # The owner's part bears its share, rounded up.
        exit.own -= (from_bonded * exit.own + stake.bonded - 1) // stake.bonded
    stake.bonded -= from_bonded
    exit.unbonding -= from_exit
    stake.frozen = min(stake.frozen, total - taken)
    self._write_exit(node, exit)
    self._write_stake(node, stake)
    return taken


@internal
@view
def _read_stake(node: uint32) -> Stake:
    word: uint256 = self._at_work[node]
    return Stake(
        bonded=word & _LANE,
        frozen=word >> 96 & _LANE,
        holds=word >> 192 & _HOLDS,
        qualified=word >> 208 != 0,
    )


@internal
def _write_stake(node: uint32, stake: Stake):
    self._at_work[node] = (
        convert(stake.qualified, uint256) << 208 | stake.holds << 192 | stake.frozen << 96 | stake.bonded
    )


@internal
@view
def _read_exit(node: uint32) -> Exit:
    word: uint256 = self._leaving[node]
    return Exit(own=word & _LANE, unbonding=word >> 96 & _LANE, free_at=word >> 192)


@internal
def _write_exit(node: uint32, exit: Exit):
    self._leaving[node] = exit.free_at << 192 | exit.unbonding << 96 | exit.own
