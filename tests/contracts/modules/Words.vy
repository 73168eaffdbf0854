# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title Words
@notice Test only: writes and reads what modules pack by hand.
"""

from contracts.modules import lanes
from contracts.modules import leaving
from contracts.modules import pools
from contracts.modules import roots

initializes: lanes
initializes: leaving
initializes: pools
initializes: roots


@external
def entry(entry: lanes.Entry) -> lanes.Entry:
    lanes._write_entry(empty(bytes32), entry)
    return lanes._read_entry(empty(bytes32))


@external
def state(state: roots.State) -> roots.State:
    roots._write_state(state)
    return roots._read_state()


@external
def stream(stream: roots.Stream) -> roots.Stream:
    roots._write_stream(1, stream)
    return roots._read_stream(1)


@external
def ledger(ledger: roots.Ledger) -> roots.Ledger:
    roots._write_ledger(1, ledger)
    return roots._read_ledger(1)


@external
def pool(pool: pools.Pool) -> pools.Pool:
    pools._write_pool(1, pool)
    return pools._read_pool(1)


@external
def rewards(rewards: pools.Rewards) -> pools.Rewards:
    pools._write_rewards(1, rewards)
    return pools._read_rewards(1)


@external
def leave(amount: uint256, unbonding: uint256, free_at: uint256) -> leaving.Exit:
    return leaving._read_exit(leaving._open(1, msg.sender, amount, unbonding, free_at))
