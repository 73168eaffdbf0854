# SPDX-License-Identifier: Apache-2.0
"""Who comes first where a lane's bond is too small for all that waits: nobody fills it alone. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inferix.models.anchor import BatchLeaf

SHARE = 10
"""While others wait, one client's open charges are at most the cap over this."""


@dataclass(frozen=True)
class Waiting:
    """An outcome that is not in a batch yet. ``ended_at``: since when [s]."""

    ended_at: int
    leaf: BatchLeaf


def in_turn(waiting: Sequence[Waiting], held: Mapping[int, int], cap: int) -> list[Waiting]:
    """What may be proposed now, the longest waiting first.

    ``held``: open charges of the lane by account; ``cap``: what they may come to, both nano-USD. Where all fits, all.
    Else an account that others wait beside gets no further than its share, but one outcome in any case: else a large
    one would never come. The first that the room is too small for ends the list, so that smaller ones do not pass it
    by until it is too late; what is over the cap itself is passed over. Never empty where something waits: the contract
    then says why not.
    """
    turns = sorted(waiting, key=lambda each: (each.ended_at, each.leaf.task, each.leaf.attempt))
    room = cap - sum(held.values())
    if sum(each.leaf.charge for each in turns) <= room:
        return turns
    crowded = len({each.leaf.account for each in turns if 0 < each.leaf.charge <= cap}) > 1
    taken: Counter[int] = Counter(held)
    chosen: list[Waiting] = []
    for each in turns:
        account, charge = each.leaf.account, each.leaf.charge
        is_over = taken[account] > 0 and taken[account] + charge > cap // SHARE
        if charge > cap or (crowded and charge and is_over):
            continue
        if charge > room:
            break
        chosen.append(each)
        taken[account] += charge
        room -= charge
    return chosen or turns[:1]
