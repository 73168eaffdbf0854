# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title stakes
@license AGPL-3.0-only
@author Inferix
@notice The books of Staking: three storage words a node, and how a slash is shared between the four parts of a node's stake:
        the owner's at work and leaving, the delegators' at work and leaving.
@custom:kill Books only.
"""


# Stake of a node, words of 96-bit lanes [wei]:
#   at work  qualified << 208 | holds << 192 | frozen << 96 | bonded
#   leaving  free_at << 192 | unbonding << 96 | own
# and a word for what delegators have on its way out. Delegated at work is what is bonded and not the owner's.
struct Stake:
    bonded: uint256
    frozen: uint256
    holds: uint256
    # On its present price and speed: NEVER, ONCE, NOW
    qualified: uint256


struct Exit:
    own: uint256
    unbonding: uint256
    free_at: uint256


NEVER: constant(uint256) = 0
ONCE: constant(uint256) = 1
NOW: constant(uint256) = 2

_LANE: constant(uint256) = 2**96 - 1
_HOLDS: constant(uint256) = 2**16 - 1


_at_work: HashMap[uint32, uint256]
_leaving: HashMap[uint32, uint256]
# Delegators' stake on its way out [wei]
delegated_unbonding: public(HashMap[uint32, uint256])


@external
@view
def bonded(node: uint32) -> uint256:
    """
    @notice Stake at work, the owner's and delegated [wei].
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
def delegated(node: uint32) -> uint256:
    """
    @notice The delegators' part of the bonded stake [wei].
    """
    return self._delegated(node)


@external
@view
def parts(node: uint32) -> (uint256, uint256):
    """
    @notice The owner's and the delegators' part of the bonded stake [wei].
    """
    own: uint256 = self._leaving[node] & _LANE
    return own, (self._at_work[node] & _LANE) - own


@external
@view
def unbonding(node: uint32) -> uint256:
    """
    @notice The owner's stake on its way out [wei].
    """
    return self._leaving[node] >> 96 & _LANE


@external
@view
def free_at(node: uint32) -> uint256:
    """
    @notice When the owner's unbonding stake may be withdrawn [s].
    """
    return self._leaving[node] >> 192


@external
@view
def frozen(node: uint32) -> uint256:
    """
    @notice Frozen part of all stake, bonded and unbonding [wei].
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
def _take(node: uint32, amount: uint256) -> (uint256, uint256):
    """
    @dev Takes up to `amount` of the four parts in proportion. Each bears its share rounded down, and the owner's at work what
         these roundings leave, as far as it goes. Returns wei taken, and how much of it was the owner's.
    """
    stake: Stake = self._read_stake(node)
    exit: Exit = self._read_exit(node)
    leaving: uint256 = self.delegated_unbonding[node]
    delegated: uint256 = stake.bonded - exit.own
    total: uint256 = stake.bonded + exit.unbonding + leaving
    taken: uint256 = min(amount, total)
    if taken == 0:
        return 0, 0
    from_exit: uint256 = taken * exit.unbonding // total
    from_delegated: uint256 = taken * delegated // total
    from_leaving: uint256 = taken * leaving // total
    rest: uint256 = taken - from_exit - from_delegated - from_leaving
    from_own: uint256 = min(rest, exit.own)
    rest -= from_own
    more: uint256 = min(rest, exit.unbonding - from_exit)
    from_exit += more
    rest -= more
    more = min(rest, delegated - from_delegated)
    from_delegated += more
    from_leaving += rest - more
    stake.bonded -= from_own + from_delegated
    stake.frozen = min(stake.frozen, total - taken)
    exit.own -= from_own
    exit.unbonding -= from_exit
    self._write_exit(node, exit)
    self._write_stake(node, stake)
    if from_leaving != 0:
        self.delegated_unbonding[node] = leaving - from_leaving
    return taken, from_own + from_exit


@internal
@view
def _delegated(node: uint32) -> uint256:
    return (self._at_work[node] & _LANE) - (self._leaving[node] & _LANE)


@internal
@view
def _total(node: uint32, stake: Stake) -> uint256:
    # What a slash can reach.
    return stake.bonded + (self._leaving[node] >> 96 & _LANE) + self.delegated_unbonding[node]


@internal
@view
def _read_stake(node: uint32) -> Stake:
    word: uint256 = self._at_work[node]
    return Stake(
        bonded=word & _LANE,
        frozen=word >> 96 & _LANE,
        holds=word >> 192 & _HOLDS,
        qualified=word >> 208,
    )


@internal
def _write_stake(node: uint32, stake: Stake):
    self._at_work[node] = stake.qualified << 208 | stake.holds << 192 | stake.frozen << 96 | stake.bonded


@internal
@view
def _read_exit(node: uint32) -> Exit:
    word: uint256 = self._leaving[node]
    return Exit(own=word & _LANE, unbonding=word >> 96 & _LANE, free_at=word >> 192)


@internal
def _write_exit(node: uint32, exit: Exit):
    self._leaving[node] = exit.free_at << 192 | exit.unbonding << 96 | exit.own
