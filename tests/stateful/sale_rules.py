# SPDX-License-Identifier: Apache-2.0
"""Buyers buy licences, own them and sell them back; the governor keeps the shop."""

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.stateful.model.basics import DAY, Refused
from tests.stateful.model.buyback import CLAIM_TERM, LINEAR, NOTICE, PARTICIPATION_BPS, WINDOW
from tests.stateful.model.licences import NOBODY, Licence
from tests.stateful.model.sale import NO_CODE, Basket
from tests.stateful.model.stake import ACTIVE, BANNED, WORKER
from tests.stateful.selling import PARTNERS, RATE
from tests.stateful.stage import PICK, Stage
from tests.stateful.till import COINS, Till, wallet_code

ALL = 2**200  # more than anything costs
PLACES = [(1, 1), (1, 2), (1, 2), (1, 3), (1, 3), (2, 1), (2, 2), (2, 3), (1, 4), (3, 1)]
RATES = [(80, 100), (79, 100), (1, 1), (6, 5), (7, 5), (1, 0), (99_999, 100_000)]  # of the last; by nothing: none
SHARES = [10_000, PARTICIPATION_BPS + 1, 9_000, PARTICIPATION_BPS, 0]
TRADES = (
    *("buy", "buy", "buy", "buy_whitelisted", "commission", "release", "rate", "accept", "partner", "times"),
    *("give", "transfer", "hand_over", "let_all", "burn", "register", "retire", "ban"),
)
DEALS = (
    *("offer", "take_back", "exchange", "settle", "claim", "claim", "sweep", "post_list"),
    *("give_pool", "next", "rate", "release"),
)


def some(acts: tuple[str, ...]) -> st.SearchStrategy[list[tuple[str, int, int, int]]]:
    """A few acts with what they pick."""
    return st.lists(st.tuples(st.sampled_from(acts), PICK, PICK, PICK), min_size=1, max_size=5)


class SaleRules(Stage):
    """Also wrong people, codes and amounts, too early and too late: both sides must refuse them."""

    def __init__(self) -> None:
        super().__init__()
        self.till = Till(self.bench)

    def _buyer(self, pick: int):  # type: ignore[no-untyped-def]
        return self.world.stranger if pick % 10 == 9 else self._of(self.world.buyers, pick)

    def _licences(self) -> list[Licence]:
        return list(self.bench.model.licences.items.values())

    def _licence(self, pick: int) -> Licence:
        return self._of([each for each in self._licences() if each.cents or pick % 4 == 3], pick)

    def _one(self, licences: list[Licence], pick: int) -> Licence:
        """Of these, mostly."""
        return self._of(licences, pick) if licences and pick % 8 != 7 else self._licence(pick)

    def _by(self, owner: str, pick: int) -> str:
        """The one whose it is, if that is a person, or somebody else."""
        return owner if self._is_person(owner) and pick % 6 != 5 else str(self._buyer(pick // 6).address)

    @initialize(role=st.integers(1, 2), count=st.integers(0, 5), coin=st.sampled_from(COINS[:2]))
    def stock(self, role: int, count: int, coin: str) -> None:
        """Every run has a licence that was reserved, and mostly some of the public sale, by the code of who has that."""
        invited, other = self.world.buyers[1:3]
        basket = Basket(role, 2, 1, self.world.addresses["usd"], ALL, next(iter(PARTNERS)))
        assert self.till.buy_whitelisted(invited, basket)
        if count:
            now = self.world.now
            assert self.till.set_times((now, now, now + 1_000 * DAY))
            code = wallet_code(invited.address)
            assert self.till.buy(other, Basket(1, 1, count, self.world.addresses[coin], ALL, code))

    @rule(acts=some(TRADES))
    def trade(self, acts: list[tuple[str, int, int, int]]) -> None:
        self._do(acts)

    @precondition(lambda self: self.world.now >= self.bench.model.buyback.opens_at - NOTICE - DAY)
    @rule(acts=some(DEALS))
    def deal(self, acts: list[tuple[str, int, int, int]]) -> None:
        self._do(acts)

    def _do(self, acts: list[tuple[str, int, int, int]]) -> None:
        for at, (name, *picks) in enumerate(acts):
            if at:
                self.bench.compare()
            getattr(self, f"_{name}")(*picks)

    # -- the sale

    def _basket(self, a: int, b: int, c: int, buyer: str) -> Basket:
        role, place = self._of(PLACES, a)
        coin = self.world.addresses[self._of(COINS, b)]
        codes = [NO_CODE, *PARTNERS, wallet_code(self._buyer(a + b).address), wallet_code(buyer), b"\1" * 32]
        basket = Basket(role, place, self._of((1, 2, 3, 1, 5, 0), c), coin, ALL, self._of(codes, b + c))
        try:
            due = self.till.model.sale.price(buyer, basket)[1]
        except Refused:
            return basket
        return basket._replace(maximum=max(0, due - (a % 9 == 8)))

    def _buy(self, a: int, b: int, c: int) -> None:
        buyer = self._buyer(a // 10 + b)
        self.till.buy(buyer, self._basket(a, b, c, buyer.address))

    def _buy_whitelisted(self, a: int, b: int, c: int) -> None:
        buyer = self._buyer(b)
        row = self._of(self.world.invited, a) if a % 5 == 4 else None
        self.till.buy_whitelisted(buyer, self._basket(a, b, c, buyer.address)._replace(count=1), row)

    def _commission(self, a: int, b: int, c: int) -> None:
        owed = [key for key, units in self.bench.model.sale.commissions.items() if units]
        owner, coin = (
            self._of(owed, a) if owed and b % 5 != 4 else (self._buyer(b).address, self.world.addresses["usd"])
        )
        for _ in range(1 + c % 2):
            self.till.claim_commission(owner, coin)

    def _release(self, a: int, b: int, c: int) -> None:
        self.till.release(self._of(COINS, a))

    def _rate(self, a: int, b: int, c: int) -> None:
        times, by = self._of(RATES, b)
        last = self.bench.model.sale.coins[self.world.addresses["native"]].rate
        who = self._of([self.world.governor, self.world.setter, self.world.setter, self.world.stranger], a)
        self.till.set_rate(who, last * times // by if by else 0)

    def _accept(self, a: int, b: int, c: int) -> None:
        who = self.world.stranger if c % 5 == 4 else None
        self.till.accept(self._of(("cents", "cents", "native"), a), b % 4 != 3, who)

    def _partner(self, a: int, b: int, c: int) -> None:
        owner = self._of([self.world.partner.address, self.world.buyers[0].address, self._buyer(b).address, NOBODY], a)
        codes = [*PARTNERS, b"\1" * 32, wallet_code(self.world.partner.address)]
        who = self.world.stranger if c % 7 == 6 else None
        self.till.set_partner(self._of(codes, b), owner, self._of([0, 1, 700, 2_000, 2_001], c), who)

    def _times(self, a: int, b: int, c: int) -> None:
        now = self.world.now
        choices = [(now, now, now + 900 * DAY), (now, now + DAY, now + 900 * DAY), (now, now, now), (now, now - 1, now)]
        self.till.set_times(self._of(choices, a), self.world.stranger if c % 7 == 6 else None)

    # -- licences

    def _give(self, a: int, b: int, c: int) -> None:
        self.till.give(self._buyer(a).address, 1 + b % 2, bool(c % 2), self.world.stranger if c % 7 == 6 else None)

    def _movable(self) -> list[Licence]:
        licences, now = self.bench.model.licences, self.world.now
        return [each for each in self._licences() if each.free_at <= now and not licences.in_use(each)]

    def _transfer(self, a: int, b: int, c: int) -> None:
        licence, to = self._one(self._movable(), a), self._buyer(c).address
        self.till.transfer(self._mover(licence, b), licence.id, to)

    def _hand_over(self, a: int, b: int, c: int) -> None:
        """To a person, to a contract that takes licences, or to one that does not."""
        licence, contracts = self._one(self._movable(), a), self.world.addresses
        people = [self._buyer(c // 8).address] * 6
        to = self._of([*people, contracts["staking"], contracts["cents"]], c)
        self.till.hand_over(self._mover(licence, b), licence.id, to)

    def _let_all(self, a: int, b: int, c: int) -> None:
        """Another buyer, or the buyback, may take all of an owner's licences, or no more."""
        licence, other = self._licence(a), self._buyer(b).address
        to = self.world.addresses["buyback"] if c % 5 == 4 else other
        self.till.approve_all(self._by(licence.owner, 6 * b), to, allowed=c % 4 != 3)
        if c % 3 == 0:
            self.till.approve(other, licence.id, self._buyer(c).address)

    def _mover(self, licence: Licence, pick: int) -> str:
        """Who may take all of the owner's, or the owner, or somebody else."""
        let = sorted(
            who for owner, who in self.bench.model.licences.for_all if owner == licence.owner and self._is_person(who)
        )
        return self._of(let, pick) if let and pick % 2 else self._by(licence.owner, pick)

    def _is_person(self, who: str) -> bool:
        return who not in self.world.addresses.values()

    def _burn(self, a: int, b: int, c: int) -> None:
        licence = self._one(self._movable(), a)
        self.till.burn(self._by(licence.owner, b), licence.id)

    def _register(self, a: int, b: int, c: int) -> None:
        licence = self._licence(a)
        if licence.role == WORKER:  # a verifier that never stakes is none that anybody could draw
            self.till.register(self._by(licence.owner, b), licence.id, 1 if c % 7 == 6 else 16_000_000)

    def _late_nodes(self) -> list[int]:
        """Nodes on licences that were bought, or given since."""
        return [id for id in self.bench.model.stakes.nodes if id not in self.world.nodes]

    def _retire(self, a: int, b: int, c: int) -> None:
        nodes = self._late_nodes()
        if nodes:
            node = self.bench.model.stakes.nodes[self._of(nodes, a)]
            self.till.retire(self._by(node.owner, b), node.id)

    def _ban(self, a: int, b: int, c: int) -> None:
        nodes = self._late_nodes()
        if nodes:
            self.till.set_status(self._of(nodes, a), self._of([BANNED, ACTIVE, ACTIVE], b))
        if c % 3 == 0:
            self.till.apply_ban(self._of(list(self.bench.model.stakes.nodes), a + b))

    # -- the buyback

    def _post_list(self, a: int, b: int, c: int) -> None:
        """With one licence left out, mostly."""
        ids = sorted(self.bench.model.licences.items)
        listed = {id: self._of(SHARES, id * b) for at, id in enumerate(ids) if at % 6 != a % 6}
        self.till.post_list(listed, self.world.stranger if c % 7 == 6 else None)

    def _offer(self, a: int, b: int, c: int) -> None:
        waiting = [each for each in self._licences() if each.cents and each.owner not in self.world.addresses.values()]
        licence = self._one(waiting, a)
        share = self._of(SHARES, b) if c % 9 == 8 else None
        option = 1 + c % 2 if c % 11 != 10 else 3
        self.till.offer(self._by(licence.owner, b), licence.id, option, share, approved=c % 8 != 7)

    def _offered(self, pick: int) -> int:
        offers = list(self.bench.model.buyback.offers)
        return self._of(offers, pick) if offers and pick % 12 != 11 else self._licence(pick).id

    def _take_back(self, a: int, b: int, c: int) -> None:
        offer = self.bench.model.buyback.offers.get(id := self._offered(a))
        self.till.take_back(self._by(offer.owner if offer else self._buyer(b).address, b), id)

    def _exchange(self, a: int, b: int, c: int) -> None:
        model, native = self.till.model, self.world.addresses["native"]
        wanted = model.buyback.wanted[2] * 10**18 // model.sale.coins[native].rate - model.sale.held(native)
        amount = max(0, wanted) * self._of([10_000, 1, 5_000, 9_999, 10_001], a) // 10_000
        minimum = amount * RATE if c % 6 == 5 else 0
        coin = self._of(("usd", "usd", "cents", "native"), c)
        self.till.exchange(self._buyer(b), coin, amount, minimum)

    def _settle(self, a: int, b: int, c: int) -> None:
        self.till.settle()

    def _claim(self, a: int, b: int, c: int) -> None:
        for _ in range(1 + c % 2):
            self.till.claim(self._offered(a))

    def _sweep(self, a: int, b: int, c: int) -> None:
        self.till.sweep()

    def _give_pool(self, a: int, b: int, c: int) -> None:
        self.till.give_pool(1 + a % 2, self._of([0, 1, 10**18 + 1, 10**22], b) if a % 2 == 0 else b * 10**13)

    def _next(self, a: int, b: int, c: int) -> None:
        """To the next moment at which something begins or ends, or a second off it."""
        buyback, now = self.bench.model.buyback, self.world.now
        opens, settled = buyback.opens_at, buyback.settled_at
        moments = [*self.bench.model.sale.times, opens - NOTICE, opens, opens + WINDOW, buyback.settles_at]
        moments += [settled + LINEAR, settled + CLAIM_TERM] if settled else []
        left = min((moment - now for moment in moments if moment > now + 1), default=1)
        self._pass(max(1, left + c % 3 - 1) if left < 100 * DAY else 1)

    @precondition(lambda self: self.world.now < self.bench.model.buyback.opens_at + WINDOW)
    @rule(acts=some(DEALS), offers=st.lists(st.tuples(PICK, PICK, PICK), min_size=1, max_size=5), pool=PICK, days=PICK)
    def buy_back(
        self, acts: list[tuple[str, int, int, int]], offers: list[tuple[int, int, int]], pool: int, days: int
    ) -> None:
        """The window from its opening to the claims, in which anything else happens too."""
        buyback = self.bench.model.buyback
        if pool % 3 == 2:
            self._post_list(pool, days, 1)
        self.till.give_pool(1, pool * 10**20)
        self._pass(max(1, buyback.opens_at - self.world.now))
        self._do([("rate", 0, 2, 0), *(("offer", *picks) for picks in offers), ("exchange", 1 + pool, 0, days), *acts])
        self._pass(max(1, buyback.settles_at - self.world.now - 1 - days % 2))
        self._do([("settle", 0, 0, 0), ("rate", pool % 4, 2, 0), ("exchange", 3, pool, 0)])
        self._pass(2)
        self.till.settle()
        claims = [("claim", at, 0, days) for at in range(1, len(buyback.offers) + 2)]
        for passed in (1 + days % 17, 31 if days % 2 else 7):
            self._do(claims)
            self._pass(passed * DAY + 1)
            self._rate(days % 2, 2, 0)
        self._do(claims)
