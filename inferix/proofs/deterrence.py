# SPDX-License-Identifier: Apache-2.0
"""What a cheat can expect: how often tiles, votes and a slash meet it, and what that makes of its gain.

Standard library only. Money is integer nano-USD, chances are parts per million; whatever is rounded is rounded in the
cheat's favour, so that a loss shown here is a loss.
"""

from math import comb
from typing import Final

from inferix.proofs.calibration import MILLION, Rule
from inferix.units import NanoUsd, ceil_div

_MAX_TILES: Final = 100_000


def rejection_ppm(rule: Rule, failing_ppm: int, clean_ppm: int | None = None, *, tiles: int = 30) -> int:
    """How often one verifier rejects a frame of which a tile fails with ``failing_ppm`` and is clean, with noise in it,
    with ``clean_ppm`` (by default all the rest; what is left of a million are calm tiles, which say nothing): the
    sequential test over at most ``tiles``, exactly, for tiles that are independent. Down; what slight tiles add to it
    is left out, in the cheat's favour.

    :raises ValueError: a chance outside [0, 10**6], more than a million together, or no tile.
    """
    clean_ppm = MILLION - failing_ppm if clean_ppm is None else clean_ppm
    _check(failing_ppm, clean_ppm, failing_ppm + clean_ppm)
    if tiles < 1:
        raise ValueError("a test needs at least one tile")
    fail, clean = failing_ppm / MILLION, clean_ppm / MILLION
    open_states, rejected = {(0, 0): 1.0}, 0.0
    for used in range(1, tiles + 1):
        found: dict[tuple[int, int], float] = {}
        for (failures, cleans), chance in open_states.items():
            nothing = 1 - fail - clean
            for state, step in (
                ((failures + 1, cleans), fail),
                ((failures, cleans + 1), clean),
                ((failures, cleans), nothing),
            ):
                found[state] = found.get(state, 0.0) + chance * step
        open_states = {}
        for (failures, cleans), chance in found.items():
            if rule.is_enough(failures, cleans, used):
                rejected += chance
            elif failures or used < rule.minimum or cleans < rule.clean_needed:
                open_states[failures, cleans] = chance
    last = rule.failures_to_reject(tiles)
    rejected += sum(chance for (failures, _), chance in open_states.items() if failures >= last)
    return min(int(rejected * MILLION), MILLION)


def verdict_ppm(one_ppm: int, seats: int, needed: int) -> int:
    """How often at least ``needed`` of ``seats`` verifiers reject when each does with ``one_ppm``. Down.

    :raises ValueError: a chance outside [0, 10**6], or more votes needed than there are seats.
    """
    _check(one_ppm)
    if not 1 <= needed <= seats:
        raise ValueError(f"{needed} of {seats} votes cannot be had")
    ways = (
        comb(seats, votes) * one_ppm**votes * (MILLION - one_ppm) ** (seats - votes)
        for votes in range(needed, seats + 1)
    )
    return int(sum(ways) * MILLION // MILLION**seats)


def expected_value_of_cheating(p: int, d: int, stake: NanoUsd, reward: NanoUsd, cost: NanoUsd) -> NanoUsd:
    """What one cheated job brings on average, rounded up: (1 - p d) reward - p d stake - cost.

    ``p``: how often a job is checked, ``d``: how often a check rejects the cheat, both ppm; ``stake``: what a rejection
    takes; ``reward``: what acceptance pays; ``cost``: what the cheat costs the worker. All money in nano-USD.

    :raises ValueError: a chance outside [0, 10**6], or negative money.
    """
    _check(p, d)
    if min(stake, reward, cost) < 0:
        raise ValueError("stake, reward and cost are not negative")
    caught, all_of_them = p * d, MILLION * MILLION
    return NanoUsd(ceil_div((all_of_them - caught) * reward - caught * stake, all_of_them) - cost)


def audit_ppm(d: int, stake: NanoUsd, reward: NanoUsd, cost: NanoUsd) -> int | None:
    """How often jobs have to be checked so that cheating brings nothing, up; None where even always is too seldom.

    :raises ValueError: as `expected_value_of_cheating`.
    """
    if expected_value_of_cheating(MILLION, d, stake, reward, cost) > 0:
        return None
    if reward <= cost:
        return 0
    rate = ceil_div((reward - cost) * MILLION * MILLION, d * (reward + stake))
    return rate if expected_value_of_cheating(rate, d, stake, reward, cost) <= 0 else rate + 1


def tiles_needed(part_ppm: int, tile_ppm: int, wanted_ppm: int) -> int | None:
    """How many tiles find at least one that fails with ``wanted_ppm``, of a frame forged in ``part_ppm`` of its area
    whose tiles fail there with ``tile_ppm``; None where more than 100,000 would not do. Of a fixed number of tiles:
    for whoever plans a check by hand; no program calls it, since verifiers stop by the sequential test.

    :raises ValueError: a chance outside [0, 10**6].
    """
    _check(part_ppm, tile_ppm, wanted_ppm)
    missed, left, count = 1 - part_ppm * tile_ppm / MILLION**2, 1.0, 0
    while left * MILLION > MILLION - wanted_ppm:
        left, count = left * missed, count + 1
        if count > _MAX_TILES:
            return None
    return count


def _check(*chances: int) -> None:
    if not all(0 <= chance <= MILLION for chance in chances):
        raise ValueError(f"chances are in [0, {MILLION}] parts per million, not {chances}")
