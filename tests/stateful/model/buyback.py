# SPDX-License-Identifier: Apache-2.0
"""The buyback of licences, and what it lets the sale's proceeds do before, during and after it. IFX and wrapped native in wei."""

from dataclasses import dataclass, field

from tests.stateful.model.basics import BPS, DAY, WEI, Ground, Token, need
from tests.stateful.model.licences import NOBODY, Licence, Licences
from tests.stateful.model.pool import Reference
from tests.stateful.model.sale import CENT, HOUR, RATE_TERM, Sale
from tests.stateful.model.stake import RETIRED

IN_IFX, IN_NATIVE = 1, 2
NATIVE_BPS, PARTICIPATION_BPS = 8_000, 6_670
WINDOW, NOTICE, EXCHANGE_TERM = 7 * DAY, 7 * DAY, 2 * DAY
LINEAR, CLAIM_TERM = 30 * DAY, 90 * DAY


@dataclass
class Offer:
    """A licence that somebody offered; ``paid`` for it in the sale [nano-USD], ``received`` for it here [wei]."""

    owner: str
    option: int
    paid: int
    received: int = 0


@dataclass
class Buyback:
    """``listed``: basis points of participation by licence, where a list was posted; ``wanted``, ``pool`` by option."""

    ground: Ground
    licences: Licences
    sale: Sale
    market: Reference
    opens_at: int
    listed: dict[int, int] | None = None
    wanted: dict[int, int] = field(default_factory=lambda: {IN_IFX: 0, IN_NATIVE: 0})
    pool: dict[int, int] = field(default_factory=lambda: {IN_IFX: 0, IN_NATIVE: 0})
    settled_at: int = 0
    offers: dict[int, Offer] = field(default_factory=dict)

    @property
    def _address(self) -> str:
        return self.ground.own["buyback"]

    @property
    def _now(self) -> int:
        return self.ground.clock.now

    @property
    def settles_at(self) -> int:
        """From when on anybody may settle."""
        return self.opens_at + WINDOW + EXCHANGE_TERM

    def token(self, option: int) -> Token:
        """What an option pays in."""
        return self.ground.ifx if option == IN_IFX else self.sale.native

    # -- offers

    def post_list(self, listed: dict[int, int]) -> None:
        """A week before the window at the latest."""
        need(self._now + NOTICE <= self.opens_at, "less than a week before")
        self.listed = listed

    def offer(self, who: str, id: int, option: int, share: int, *, shown: bool) -> None:
        """A licence moves here; ``shown``: with the proof of the licence's row, of this share [basis points]."""
        need(self.opens_at <= self._now < self.opens_at + WINDOW, "not in the window")
        need(option in (IN_IFX, IN_NATIVE), "no such option")
        licence = self.licences.at(id)
        need(licence.owner == who, "not the owner")
        need(licence.cents, "given away")
        if self.listed is not None:
            need(shown and self.listed.get(id) == share, "not in the list")
            need(share > PARTICIPATION_BPS, "too little participation")
        self._check_not_banned(who, id)
        nodes = [self.licences.stakes.nodes[node] for node in licence.nodes]
        need(all(node.status == RETIRED for node in nodes), "retire its nodes first")
        self.licences.move(self._address, id, self._address)
        licence.seller = who
        self.offers[id] = Offer(who, option, licence.cents * CENT)
        self.wanted[option] += licence.cents * CENT

    def _check_not_banned(self, owner: str, id: int) -> None:
        need(owner not in self.licences.banned and id not in self.licences.banned_ids, "banned")

    def take_back(self, who: str, id: int) -> None:
        """What nothing was paid for; others' parts stay what a settlement made them."""
        offer = self.offers.get(id)
        need(offer and offer.owner == who, "not who offered it")
        assert offer
        need(not offer.received, "paid for")
        del self.offers[id]
        self.licences.items[id].seller = NOBODY
        self.wanted[offer.option] -= 0 if self.settled_at else offer.paid
        self.licences.put(id, who)

    # -- settlement

    def settle(self) -> None:
        """Two days after the window: the sale pays for what wrapped native is wanted for, and both pools are fixed."""
        need(not self.settled_at and self._now >= self.settles_at, "settled, or too early")
        native, wanted = self.sale.native, self.wanted[IN_NATIVE]
        funds = self.sale.held(self.ground.own["native"]) if wanted else 0
        if self.sale.is_rated(RATE_TERM):
            funds = min(funds, self._native_for(wanted))
        native.move(self.ground.own["node_sale"], self._address, funds)
        self.pool[IN_NATIVE] = native.of(self._address)
        if self.wanted[IN_IFX]:
            worth = self.wanted[IN_IFX] * WEI // self.market.price
            self.pool[IN_IFX] = min(worth, self.ground.ifx.of(self._address))
        self.settled_at = self._now

    def _native_for(self, value: int) -> int:
        return self.sale.coins[self.ground.own["native"]].units(value)

    def part(self, offer: Offer) -> int:
        """Of its pool, in proportion to what was paid; rounded down."""
        return self.pool[offer.option] * offer.paid // self.wanted[offer.option]

    def due(self, offer: Offer) -> int:
        """What would be paid now."""
        if offer.option == IN_IFX:
            return self.part(offer) * min(self._now - self.settled_at, LINEAR) // LINEAR - offer.received
        if offer.received:
            return 0
        need(self.sale.is_rated(RATE_TERM), "rate too old")
        return min(self.part(offer), self._native_for(offer.paid * NATIVE_BPS // BPS))

    def claim(self, id: int) -> int:
        """Anybody for whoever offered it; with the first payment the licence is the treasury's."""
        need(self.settled_at and self._now < self.settled_at + CLAIM_TERM, "not settled, or claims over")
        offer = self.offers.get(id)
        need(offer, "not offered")
        assert offer
        # What becomes of a licence that is paid for is not its old owner's affair.
        self._check_not_banned(offer.owner, 0 if offer.received else id)
        amount = self.due(offer)
        need(amount, "nothing to claim")
        self.token(offer.option).move(self._address, offer.owner, amount)
        if not offer.received:
            self.licences.put(id, self.sale.treasury)
        offer.received += amount
        return amount

    def sweep(self) -> None:
        """The treasury has what nobody claimed in time."""
        need(self.settled_at and self._now >= self.settled_at + CLAIM_TERM, "not settled, or claims open")
        for option in (IN_IFX, IN_NATIVE):
            token = self.token(option)
            token.move(self._address, self.sale.treasury, token.of(self._address))

    # -- the sale's proceeds

    def release(self, coin: str) -> int:
        """The treasury's: the part that is not held before the window, all of it after the settlement, in between nothing."""
        units, before = self.sale.held(coin), self.sale.released.get(coin, 0)
        if not self.settled_at:
            need(self._now < self.opens_at, "held for the buyback")
            units = (units + before) * (BPS - self.ground.parameters["buyback_bps"]) // BPS - before
        need(units > 0, "nothing to release")
        self.sale.token(coin).move(self.ground.own["node_sale"], self.sale.treasury, units)
        self.sale.released[coin] = before + units
        return units

    def exchange(self, who: str, coin: str, native: int, minimum: int) -> int:
        """Gives wrapped native for proceeds, as far as offers want it; units paid, rounded down."""
        own = self.ground.own
        need(coin != own["native"] and coin in self.sale.coins, "the same coin, or none")
        need(self._now >= self.opens_at and not self.settled_at, "not open, or settled")
        need(self.sale.is_rated(HOUR), "rate too old")
        need(self.sale.held(own["native"]) + native <= self._native_for(self.wanted[IN_NATIVE]), "more than is wanted")
        value = native * self.sale.coins[own["native"]].rate // WEI
        units = self.sale.coins[coin].units(value)
        need(units and minimum <= units <= self.sale.held(coin), "too little, or too much")
        self.sale.native.move(who, own["node_sale"], native)
        self.sale.token(coin).move(own["node_sale"], who, units)
        return units

    def standing(self) -> list[tuple[Licence, Offer]]:
        """Offers whose licence waits here."""
        found = [(self.licences.items[id], offer) for id, offer in self.offers.items() if id in self.licences.items]
        return [(licence, offer) for licence, offer in found if licence.owner == self._address]
