# SPDX-License-Identifier: Apache-2.0
"""How likely a share of the verifiers has the majority of a committee or a panel: exact, as fractions of integers."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb

from inferix.economy import Rules

LIMITS = (Fraction(1, 1_000), Fraction(1, 10**6))


@dataclass(frozen=True, slots=True)
class Capture:
    """``own`` of ``roster`` verifiers, and their chances: in the ``committee``, to pass a forgery that all others see;
    of a panel; of both for one task.

    ``seats``: the votes needed, among two draws of a committee. All these seats may vote, so that they are enough where
    the manager leaves out what the others say.
    """

    roster: int
    own: int
    committee: Fraction
    seats: Fraction
    panel: Fraction

    @property
    def both(self) -> Fraction:
        """Draws are from different seeds, so chances multiply."""
        return self.committee * self.panel


def wins(roster: int, own: int, drawn: int, needed: int) -> Fraction:
    """The chance that ``needed`` or more of ``drawn`` different nodes, all equally likely, are one's own."""
    drawn = min(drawn, roster)
    ways = sum(comb(own, k) * comb(roster - own, drawn - k) for k in range(needed, drawn + 1) if own >= k)
    return Fraction(ways, comb(roster, drawn))


def wins_among_many(share: Fraction, drawn: int, needed: int) -> Fraction:
    """The same, of a roster so large that each draw is a new one."""
    return sum((comb(drawn, k) * share**k * (1 - share) ** (drawn - k) for k in range(needed, drawn + 1)), Fraction(0))


def passes(roster: int, own: int, seats: int, needed: int) -> Fraction:
    """The chance that one's own pass what all others reject: the whole first draw, or the votes needed in both of them.
    A roster without so many left for a second draw lets the first one decide."""
    found = Fraction(0)
    for first in range(needed, min(seats, own, roster) + 1):
        drawn = min(seats, roster)
        chance = Fraction(comb(own, first) * comb(roster - own, drawn - first), comb(roster, drawn))
        alone = first == seats or roster - seats < needed
        if chance:
            found += chance * (1 if alone else wins(roster - seats, own - first, seats, needed))
    return found


def passes_among_many(share: Fraction, seats: int, needed: int) -> Fraction:
    """The same, of a roster so large that each draw is a new one."""
    most, whole = wins_among_many(share, seats, needed), share**seats
    return whole + (most - whole) * most


def capture(roster: int, own: int, rules: Rules) -> Capture:
    """The chances of so many verifiers of one owner. A panel is won by a majority of those drawn."""
    panel = min(rules["panel"], roster)
    return Capture(
        roster,
        own,
        passes(roster, own, rules["committee"], rules["votes_needed"]),
        wins(roster, own, 2 * rules["committee"], rules["votes_needed"]),
        wins(roster, own, panel, panel // 2 + 1),
    )


def captures(rosters: Sequence[int], rules: Rules) -> list[Capture]:
    """Every tenth of each roster, and every hundredth of the large."""
    return [
        capture(roster, own, rules)
        for roster in rosters
        for own in sorted({roster * percent // 100 for percent in range(1, 100)})
    ]


def most_below(roster: int, limit: Fraction, rules: Rules, part: str) -> int:
    """How many verifiers one may own with a chance below the limit; ``part``: committee, panel, or both."""
    own = 0
    while own < roster and getattr(capture(roster, own + 1, rules), part) < limit:
        own += 1
    return own
