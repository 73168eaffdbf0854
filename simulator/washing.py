# SPDX-License-Identifier: Apache-2.0
"""Washing: client and worker are one. What its own orders cost it, and what their mint brings, for each multiple m.

Favourable to the washer throughout: the work itself costs nothing, all that is minted is sold at once though most of it
vests, and it has as much of the fleet as of the work. What stands against it is the pool, where all sell their mint.
"""

from dataclasses import dataclass

from inferix.economy import PARTS, Rules
from inferix.models.roles import Role
from inferix.units import NanoIbm, NanoUsd, Wei
from simulator.book import NANO_PER_UNIT, SCALE, Book
from simulator.issuance import Issuance
from simulator.markets import Pool, ReferenceMarket, pieces
from simulator.settings import PPM

LEAST, MOST = 2_500, 40_000
"""Multiples that are shown, basis points; the contracts' bound is 50,000."""


@dataclass(frozen=True, slots=True)
class Washer:
    """Who it is: ``tasks``: share of its own tasks that it is drawn for, ppm; ``roles``: whose mint it has; and whether
    it has the managers' and the foundation's part of its own fees."""

    name: str
    tasks: int
    roles: tuple[Role, ...]
    is_manager: bool = False
    is_foundation: bool = False


ALL = (Role.WORKER, Role.VERIFIER, Role.MANAGER)
WASHERS = (
    Washer("worker drawn for a tenth", PPM // 10, (Role.WORKER,)),
    Washer("worker", PPM, (Role.WORKER,)),
    Washer("worker and verifiers", PPM, (Role.WORKER, Role.VERIFIER)),
    Washer("worker, verifiers, manager", PPM, ALL, is_manager=True),
    Washer("these and the foundation", PPM, ALL, is_manager=True, is_foundation=True),
)


@dataclass(frozen=True, slots=True)
class Wash:
    """One epoch: units of the coin. ``back``: fees that come back, and what its mint was sold for."""

    paid: int
    back: int
    minted: int

    @property
    def profit_ppm(self) -> int:
        """Of what it paid, rounded down."""
        return (self.back - self.paid) * PPM // self.paid


@dataclass(frozen=True, slots=True)
class Market:
    """Before the epoch: nano-USD an IFX, USD in the pool; USD of fees that others pay."""

    price: NanoUsd
    pool_usd: int
    others_usd: int


def wash(washer: Washer, usd: int, market: Market, rules: Rules) -> Wash:
    """Own fees of so many USD, in a pool, in the first epoch."""
    book = Book()
    pool_units = market.pool_usd * SCALE
    book.usd.create("pool", pool_units)
    book.allocate("pool", pool_units * NANO_PER_UNIT * 10**18 // market.price)
    issuance = Issuance(book, Pool(book), rules)
    paid, total = usd * SCALE, (usd + market.others_usd) * SCALE
    book.usd.create("ifx_dollar", total)
    left, count = total * NANO_PER_UNIT, pieces(total, issuance.market)
    for at in range(count):
        part = left // (count - at)
        left -= part
        issuance.settle(NanoUsd(part), NanoIbm(1))
        issuance.collect()
    minted = issuance.close_epoch().minted
    sold = issuance.market.sell("accounts", minted)
    own = sum(PARTS[role] * (washer.tasks if role is Role.WORKER else PPM) for role in washer.roles)
    back = sold * paid * own // (total * sum(PARTS.values()) * PPM)
    return Wash(paid, back + _fees_back(washer, book, paid, total), minted)


def _fees_back(washer: Washer, book: Book, paid: int, total: int) -> int:
    managers = book.usd.of("managers") if washer.is_manager else 0
    foundation = book.usd.of("foundation") if washer.is_foundation else 0
    return (managers + foundation) * paid // total


def with_multiple(rules: Rules, multiple_bps: int) -> Rules:
    """The same rules with another m."""
    return {**rules, "mint_multiple_bps": multiple_bps}


def break_even(washer: Washer, usd: int, market: Market, rules: Rules) -> int | None:
    """The least m [basis points] at which it earns anything; None where even the contracts' highest does not."""
    low, high = 0, 50_000
    if wash(washer, usd, market, with_multiple(rules, high)).profit_ppm <= 0:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if wash(washer, usd, market, with_multiple(rules, middle)).profit_ppm > 0:
            high = middle
        else:
            low = middle
    return high


def outside_price(washer: Washer, usd: int, price: NanoUsd, rules: Rules) -> int:
    """Beside the reference market, which buys at a price that is not the market's: the price elsewhere, in ppm of the
    reference price and rounded up, from which on selling what is minted there covers the fees."""
    book = Book()
    book.allocate("market", 10**12 * 10**18)
    book.usd.create("ifx_dollar", usd * SCALE)
    issuance = Issuance(book, ReferenceMarket(book, price), rules)
    issuance.settle(NanoUsd(usd * 10**9), NanoIbm(1))
    issuance.collect()
    minted = issuance.close_epoch().minted
    own = sum(PARTS[role] * (washer.tasks if role is Role.WORKER else PPM) for role in washer.roles)
    worth = Wei(minted * own // (sum(PARTS.values()) * PPM)) * price // 10**18
    needed = (usd * SCALE - _fees_back(washer, book, 1, 1)) * NANO_PER_UNIT
    return -(-needed * PPM // max(1, worth))
