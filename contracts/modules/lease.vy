# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title lease
@license AGPL-3.0-only
@author Inferix
@notice By what contracts know a lease: its order, its task, its leaf and its batch. A lease is no work: it is paid to the owner
        of the machine, and nothing is burned or minted for it.
@custom:kill Stateless.
"""

# @dev Index of a job's one task, reserved as the assemble task's is. Its order has the price 0, which no work has.
TASK_INDEX: constant(uint32) = max_value(uint32) - 1

# @dev Outcome of its leaf: the machine was handed over. Its charge is the order's cap, its work 0, and nobody votes.
LEASED: constant(uint8) = 7

# @dev Added to the coin's index in the header of a batch of leases, whose charges are counted apart from all others.
MARK: constant(uint8) = 128


@internal
@pure
def _coin(index: uint8) -> uint8:
    """
    @dev The coin that a header names, without the mark.
    """
    return index & (MARK - 1)
