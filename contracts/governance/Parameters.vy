# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
"""
@title Parameters
@license AGPL-3.0-only
@author Inferix
@notice Every governable number within fixed bounds, the governor, the guardian and the one pause of the protocol.
        The pause stops new orders, batches and mints; it ends by itself, and cannot be repeated at will, so a lost or
        captured guardian key delays the network and takes nothing. No exit ever asks for it.
@custom:kill The governor hands over by `propose_governor`; the guardian is replaced by the governor.
"""

from ..interfaces import IParameters
implements: IParameters


MAX_PAUSE: public(constant(uint256)) = 7 * 86400
PAUSE_BREAK: public(constant(uint256)) = 30 * 86400
# Of a pair of Uniswap V2: its fee, and what rounding and a price that moves on may take
SWAP_COST_BPS: constant(uint256) = 40

# Marks a stored value as known, so that an unknown name reverts instead of reading 0
_KNOWN: constant(uint256) = 1 << 255
# Values and bounds fit this many bits; bounds are packed low | high << 128
_LANE: constant(uint256) = (1 << 128) - 1
_TIME: constant(uint256) = (1 << 40) - 1


# The latest pause [s]; both 0 before the first. It is on while at <= now < until.
struct Pause:
    at: uint256
    until: uint256
    # Length of all pauses before it
    earlier: uint256


governor: public(address)
proposed_governor: public(address)
guardian: public(address)

# One word, which every clock reads: earlier << 80 | until << 40 | at
_pause: uint256

_values: HashMap[bytes32, uint256]
_bounds: HashMap[bytes32, uint256]


@deploy
def __init__(governor_: address, guardian_: address, names: DynArray[bytes32, 64], new_values: DynArray[uint256, 64]):
    """
    @notice Every parameter at its default, then `names` at `new_values` (a development network has shorter windows).
    """
    assert governor_ != empty(address), "Parameters: no governor"
    assert len(names) == len(new_values), "Parameters: names and values differ in number"
    self.governor = governor_
    self.guardian = guardian_
    log IParameters.GovernorChanged(governor=governor_)
    log IParameters.GuardianChanged(guardian=guardian_)
    self._define_work()
    self._define_windows()
    self._define_money()
    self._define_swaps()
    for i: uint256 in range(len(names), bound=64):
        self._set(names[i], new_values[i])
    self._check_together()


@external
def set(name: bytes32, new_value: uint256):
    """
    @notice Sets a parameter within its bounds, and so that it goes with the others. Governor only. The epochs' length is as
            deployed, for good: contracts and mirrors count epochs by it, and an epoch's index must always mean the same
            seconds.
    """
    self._check_governor()
    assert name != keccak256("epoch_length"), "Parameters: fixed at deployment"
    self._set(name, new_value)
    self._check_together()


@external
def propose_governor(governor_: address):
    """
    @notice Names the next governor, who takes over by accepting. Governor only; zero withdraws the proposal.
    """
    self._check_governor()
    self.proposed_governor = governor_
    log IParameters.GovernorProposed(governor=governor_)


@external
def accept_governor():
    """
    @notice The proposed governor takes over: an address that cannot act never becomes governor.
    """
    assert msg.sender == self.proposed_governor, "Parameters: not the proposed governor"
    self.governor = msg.sender
    self.proposed_governor = empty(address)
    log IParameters.GovernorChanged(governor=msg.sender)


@external
def set_guardian(guardian_: address):
    """
    @notice Replaces the guardian. Governor only.
    """
    self._check_governor()
    self.guardian = guardian_
    log IParameters.GuardianChanged(guardian=guardian_)


@external
def pause():
    """
    @notice Stops new orders, batches and mints for at most 7 days, and not within 30 days after a pause. Guardian only.
    """
    assert msg.sender == self.guardian, "Parameters: not the guardian"
    last: Pause = self._latest()
    assert last.until == 0 or block.timestamp >= last.until + PAUSE_BREAK, "Parameters: too soon after a pause"
    earlier: uint256 = last.earlier + last.until - last.at
    self._write(Pause(at=block.timestamp, until=block.timestamp + MAX_PAUSE, earlier=earlier))
    log IParameters.Paused(until=block.timestamp + MAX_PAUSE)


@external
def resume():
    """
    @notice Ends a pause early. Guardian or governor.
    """
    assert msg.sender in [self.guardian, self.governor], "Parameters: not the guardian"
    last: Pause = self._latest()
    assert block.timestamp < last.until, "Parameters: not paused"
    last.until = block.timestamp
    self._write(last)
    log IParameters.Resumed(at=block.timestamp)


@external
@view
def get(name: bytes32) -> uint256:
    """
    @notice Value of a parameter.
    """
    return self._get(name)


@external
@view
def bounds(name: bytes32) -> (uint256, uint256):
    """
    @notice Lowest and highest value that a parameter may take.
    """
    return self._unpack_bounds(name)


@external
@view
def paused() -> bool:
    """
    @notice Whether the pause is on.
    """
    return block.timestamp < self._pause >> 40 & _TIME


@external
@view
def paused_at() -> uint256:
    """
    @notice When the latest pause began [s]; 0 before the first.
    """
    return self._latest().at


@external
@view
def paused_until() -> uint256:
    """
    @notice When the latest pause ends, or has ended [s]; 0 before the first.
    """
    return self._latest().until


@external
@view
def clock() -> uint256:
    """
    @notice Protocol time [s]: block time less all time spent in pauses.
    """
    last: Pause = self._latest()
    return block.timestamp - last.earlier - (min(block.timestamp, last.until) - last.at)


@external
@view
def passed(since: uint256) -> uint256:
    """
    @notice Protocol time since a block time [s]; 0 of one to come. Exact up to PAUSE_BREAK; what is over that may count in
            pauses before the latest.
    """
    # Of pauses only the latest is known. Between one before it and it alone lies PAUSE_BREAK.
    last: Pause = self._latest()
    if since >= block.timestamp:
        return 0
    stopped: uint256 = 0
    if since < last.until:
        stopped = min(block.timestamp, last.until) - max(since, last.at)
    return block.timestamp - since - stopped


@internal
@view
def _latest() -> Pause:
    word: uint256 = self._pause
    return Pause(at=word & _TIME, until=word >> 40 & _TIME, earlier=word >> 80)


@internal
def _write(pause: Pause):
    self._pause = pause.earlier << 80 | pause.until << 40 | pause.at


@internal
@view
def _check_governor():
    assert msg.sender == self.governor, "Parameters: not the governor"


@internal
@view
def _get(name: bytes32) -> uint256:
    stored: uint256 = self._values[name]
    assert stored != 0, "Parameters: unknown name"
    return stored ^ _KNOWN


@internal
@view
def _unpack_bounds(name: bytes32) -> (uint256, uint256):
    packed: uint256 = self._bounds[name]
    assert packed != 0, "Parameters: unknown name"
    return packed & _LANE, packed >> 128


@internal
def _set(name: bytes32, new_value: uint256):
    low: uint256 = 0
    high: uint256 = 0
    low, high = self._unpack_bounds(name)
    assert low <= new_value and new_value <= high, "Parameters: out of bounds"
    self._values[name] = new_value | _KNOWN
    log IParameters.ParameterSet(name=name, value=new_value)


@internal
@view
def _check_together():
    """
    @dev What no bound of one number says. Steps of one number lead from every set that passes to every other.
    """
    # As many equal votes as the first draw has seats, at most; more than half, or two outcomes could both have them
    committee: uint256 = self._get(keccak256("committee"))
    needed: uint256 = self._get(keccak256("votes_needed"))
    assert needed <= committee and committee < 2 * needed, "Parameters: no majority of the committee"
    # Else no panel ever decides
    minimum: uint256 = self._get(keccak256("panel_minimum"))
    assert minimum <= self._get(keccak256("panel")), "Parameters: panel under its minimum"
    # Who is called out anchors at its slot's end, and is given another for that to be included
    slots: uint256 = 2 * self._get(keccak256("slot"))
    assert slots <= self._get(keccak256("takeover_after")), "Parameters: takeover within two slots"
    # What both draws vote on can be asked for until they have voted
    votes: uint256 = 2 * self._get(keccak256("vote_window"))
    assert votes <= self._get(keccak256("batch_window")), "Parameters: batch window within two of votes"
    # Nobody stakes for less than it is paid for
    price: uint256 = self._get(keccak256("price_floor"))
    assert price <= self._get(keccak256("price_default")), "Parameters: price floor over the default"
    # A false root costs what the stake behind it has; the other half of the bond is behind charges
    bond: uint256 = 2 * max(self._get(keccak256("root_bond")), self._get(keccak256("dispute_bond")))
    assert bond <= self._get(keccak256("manager_bond")), "Parameters: bonds over half a manager's"
    # What a purchase of the whole share loses by itself: the pair's fee, that share, and a little
    cost: uint256 = self._get(keccak256("swap_share_bps")) + SWAP_COST_BPS
    assert cost <= self._get(keccak256("swap_slippage_bps")), "Parameters: slippage under a swap's cost"
    halt: uint256 = self._get(keccak256("price_halt_bps"))
    assert halt <= self._get(keccak256("price_warn_bps")), "Parameters: halt before the warning"


@internal
def _define(name: bytes32, initial: uint256, low: uint256, high: uint256):
    self._bounds[name] = low | high << 128
    self._set(name, initial)


@internal
def _define_work():
    # Draws and committees. The lowest values are those of a development network.
    self._define(keccak256("slot"), 30, 1, 600)
    self._define(keccak256("accept_window"), 30, 1, 3600)
    self._define(keccak256("vote_window"), 600, 10, 86400)
    self._define(keccak256("committee"), 5, 2, 8)
    self._define(keccak256("votes_needed"), 3, 2, 8)
    self._define(keccak256("panel"), 15, 1, 15)
    self._define(keccak256("panel_minimum"), 3, 1, 15)
    self._define(keccak256("takeover_after"), 600, 60, 86400)
    # 1: batches may leave their 12 bytes a leaf out of the calldata
    self._define(keccak256("root_only"), 0, 0, 1)


@internal
def _define_windows():
    # Seconds, unless the name says otherwise. Unbonding outlasts every window through which a node can be slashed.
    self._define(keccak256("batch_window"), 86400, 3600, 7 * 86400)
    self._define(keccak256("answer_window"), 21600, 3600, 3 * 86400)
    self._define(keccak256("panel_window"), 86400, 3600, 7 * 86400)
    self._define(keccak256("appeal_window"), 7 * 86400, 86400, 14 * 86400)
    self._define(keccak256("roster_window"), 86400, 1, 7 * 86400)
    self._define(keccak256("accounts_window"), 86400, 3600, 7 * 86400)
    self._define(keccak256("epoch_length"), 259200, 3600, 30 * 86400)
    self._define(keccak256("epochs"), 487, 1, 36500)
    self._define(keccak256("unbonding"), 90 * 86400, 60 * 86400, 365 * 86400)
    self._define(keccak256("worker_vesting"), 180 * 86400, 30 * 86400, 730 * 86400)
    self._define(keccak256("claim_horizon"), 14 * 86400, 86400, 60 * 86400)


@internal
def _define_money():
    # nano-USD, or basis points where the name ends so.
    self._define(keccak256("price_floor"), 8 * 10**6, 10**6, 10**9)
    self._define(keccak256("price_default"), 16 * 10**6, 10**6, 10**9)
    self._define(keccak256("verifier_bond"), 500 * 10**9, 10**9, 10**15)
    self._define(keccak256("manager_bond"), 5000 * 10**9, 10 * 10**9, 10**16)
    self._define(keccak256("dispute_bond"), 50 * 10**9, 10**9, 10**13)
    self._define(keccak256("root_bond"), 500 * 10**9, 10**9, 10**14)
    self._define(keccak256("slash_failed_bps"), 2000, 0, 10000)
    self._define(keccak256("slash_late_bps"), 100, 0, 1000)
    self._define(keccak256("burn_bps"), 8000, 5000, 9500)
    self._define(keccak256("manager_fee_bps"), 100, 50, 200)
    self._define(keccak256("lease_fee_bps"), 500, 0, 1000)
    self._define(keccak256("mint_multiple_bps"), 10000, 0, 50000)
    self._define(keccak256("pool_withdrawal_bps"), 2000, 100, 10000)
    self._define(keccak256("pool_withdrawal_floor"), 1000 * 10**9, 0, 10**15)
    self._define(keccak256("matured_bps"), 2500, 0, 10000)
    self._define(keccak256("poc_bps"), 2000, 0, 10000)
    # Of the licence sale's proceeds, what is held until the buyback is settled
    self._define(keccak256("buyback_bps"), 10000, 5000, 10000)


@internal
def _define_swaps():
    # Purchases of IFX in a pool. What one may spend of the pool's coin: up to 30 basis points, a sandwich costs more in
    # fees than it can take. Seconds between two, and how far under the 30-minute mean the least that it must bring lies.
    self._define(keccak256("swap_share_bps"), 30, 1, 50)
    self._define(keccak256("swap_interval"), 600, 1, 86400)
    self._define(keccak256("swap_slippage_bps"), 200, 70, 500)
    # Spot and mean: the lower as a share of the higher, under which there is a warning, or no purchase
    self._define(keccak256("price_warn_bps"), 9500, 9000, 9999)
    self._define(keccak256("price_halt_bps"), 9000, 8000, 9900)
    # Age of an observation that is too old [s]; the highest value is for a development network, whose clock is moved on
    self._define(keccak256("price_stale"), 7200, 3600, 7 * 86400)
