# SPDX-License-Identifier: Apache-2.0
"""The way out of the sale and the buyback, without the governor: every coin and every licence reaches its owner."""

from tests.stateful.model.buyback import CLAIM_TERM, LINEAR
from tests.stateful.till import COINS, Till


def close_shop(till: Till) -> None:
    """Commissions and proceeds are paid; offers are settled, paid or taken back; what nobody claimed is the treasury's."""
    for (owner, coin), units in list(till.model.sale.commissions.items()):
        assert not units or till.claim_commission(owner, coin), "a commission that nobody can have"
    buyback = till.model.buyback
    if not buyback.settled_at:
        till.world.wait(max(1, buyback.settles_at - till.world.now))
        assert till.settle(), "a buyback that nobody can settle"
    for name in COINS:
        coin = till.world.addresses[name]
        if coin in till.model.sale.coins and till.model.sale.held(coin):
            assert till.release(name), "proceeds that nobody can have"
    till.world.wait(LINEAR)
    _end_offers(till)
    till.world.wait(max(1, buyback.settled_at + CLAIM_TERM - till.world.now))
    assert till.sweep()
    _unwrap(till)
    _check_nothing_left(till)


def _end_offers(till: Till) -> None:
    """Half of those that were not paid for go back; so does what is not paid, as its pool is empty or its rate unknown."""
    offers = till.model.buyback.offers
    for id, offer in list(offers.items()):
        if offer.received or (id + till.bench.steps) % 2:
            till.claim(id)
        if not offer.received:
            assert till.take_back(offer.owner, id), "a licence that waits for ever"


def _unwrap(till: Till) -> None:
    native, contracts = till.model.sale.native, till.world.addresses.values()
    for who, amount in list(native.balances.items()):
        if amount and who not in contracts:
            assert till.unwrap(who, amount)


def _check_nothing_left(till: Till) -> None:
    model, own = till.model, till.model.ground.own
    for name in ("node_sale", "buyback"):
        tokens = (model.ground.ifx, model.sale.native, *model.ground.coins.values())
        assert not any(token.of(own[name]) for token in tokens), f"{name} still has money"
    assert model.sale.native.supply == 0
    assert not model.licences.count(own["buyback"]), "a licence that nobody has"
