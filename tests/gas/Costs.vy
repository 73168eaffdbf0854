# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title Costs
@notice Test only: a call for each rule by which gas is reckoned.
"""

counters: uint256[3]
entries: public(HashMap[uint256, uint256])


event Given:
    data: Bytes[7000]


interface Other:
    def entries(key: uint256) -> uint256: view


@external
def fill():
    self.counters = [1, 2, 3]


@external
def clear():
    self.counters = empty(uint256[3])


@external
def put(key: uint256, number: uint256):
    self.entries[key] = number
    self.counters[0] += 1


@external
def give(data: Bytes[7000]):
    log Given(data=data)


@external
def ask(other: address, key: uint256):
    self.counters[1] = staticcall Other(other).entries(key) + staticcall Other(other).entries(key) + 5
