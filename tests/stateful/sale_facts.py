# SPDX-License-Identifier: Apache-2.0
"""What must be the same everywhere of licences, their sale and their buyback; how all of it stands at the start; its laws."""

from typing import Any

from tests.stateful.model.basics import BPS, Ground, Token
from tests.stateful.model.buyback import CLAIM_TERM, IN_IFX, IN_NATIVE, Buyback, Offer
from tests.stateful.model.licences import BEFORE_FIRST, NOBODY, Licence, Licences, role_of
from tests.stateful.model.pool import Reference
from tests.stateful.model.sale import Coin, Sale, Tier
from tests.stateful.model.stake import Stakes
from tests.stateful.model.whole import Model
from tests.stateful.selling import PARTNERS, TIERS
from tests.stateful.world import World

Facts = dict[tuple[Any, ...], Any]
NAMES = (
    *("native", "wrapped", "licence", "licences", "licences of", "for all", "tier", "bought", "times"),
    *("sale coin", "commission", "buyback", "offered", "banned"),
)
TIER = ("price", "cap", "licences", "whitelisted", "sold", "whitelisted_sold")


# -- the start


def shop_of(
    world: World, ground: Ground, stakes: Stakes, native: Token, market: Reference
) -> tuple[Licences, Sale, Buyback]:
    """Nodes' licences, which were given away; nothing sold."""
    minted = {role: world.read("licence", "minted", role) for role in BEFORE_FIRST}
    given = [_licence(world, first + 1 + at) for role, first in BEFORE_FIRST.items() for at in range(minted[role])]
    node_on = {node: licence.id for licence in given for node in licence.nodes}
    licences = Licences(ground, stakes, {licence.id: licence for licence in given}, minted, node_on)
    sale = Sale(
        ground,
        licences,
        native,
        treasury=world.treasury,
        governor=world.governor,
        setter=world.setter.address,
        tiers={(role, at): Tier(*terms) for role, tiers in TIERS.items() for at, terms in enumerate(tiers, 1)},
        coins={world.addresses[name]: _coin(world, name) for name in ("usd", "native")},
        times=world.read("node_sale", "times"),
        invited=set(world.invited),
        partners=dict(zip(PARTNERS, zip(world.owners_of_codes(), PARTNERS.values(), strict=True), strict=True)),
    )
    return licences, sale, Buyback(ground, licences, sale, market, world.read("buyback", "opens_at"))


def _licence(world: World, id: int) -> Licence:
    role, owner = world.read("licence", "role_of", id), world.read("licence", "ownerOf", id)
    free_at, nodes = world.read("licence", "transferable_at", id), world.read("registry", "nodes_of", id)
    assert world.read("licence", "paid", id) == 0
    return Licence(id, role, owner, free_at=free_at, nodes=list(nodes))


def _coin(world: World, name: str) -> Coin:
    coin = world.read("node_sale", "coin", world.addresses[name])
    return Coin(coin["decimals"], coin["rate"], coin["accepted"], coin["rated_at"])


# -- facts


def of_model(model: Model) -> Facts:
    """Everything that the model says of these contracts' state. Places that are small numbers are texts: few logs name them."""
    sale, licences = model.sale, model.licences
    found: Facts = {("native", holder): units for holder, units in sale.native.balances.items()}
    found["wrapped",] = (sale.native.supply, sale.native.supply)
    found["licences",] = (*licences.minted.values(), licences.burned)
    for id, licence in licences.items.items():
        terms = (licence.owner, licence.cents * 10**7, licence.free_at, licence.approved, licences.in_use(licence))
        found["licence", f"{id}"] = (*terms, id in licences.banned_ids, tuple(licence.nodes))
        found["licences of", licence.owner] = licences.count(licence.owner)
        found["banned", licence.owner] = licence.owner in licences.banned
    found |= {("for all", *pair): allowed for pair, allowed in licences.for_all.items()}
    for (role, at), tier in sale.tiers.items():
        found["tier", f"{role}.{at}"] = tuple(getattr(tier, name) for name in TIER)
    for who, role, at in sale.bought.keys() | sale.whitelisted:
        key = (who, role, at)
        found["bought", who, f"{role}.{at}"] = (sale.bought.get(key, 0), key in sale.whitelisted)
    found["times",] = sale.times
    for address, coin in sale.coins.items():
        books = (sale.owed(address), sale.released.get(address, 0), sale.held(address))
        found["sale coin", address] = (coin.accepted, coin.decimals, coin.rate, coin.rated_at, *books)
    found |= {("commission", *key): units for key, units in sale.commissions.items()}
    return found | _of_buyback(model.buyback)


def _of_buyback(buyback: Buyback) -> Facts:
    pools = [book[option] for book in (buyback.wanted, buyback.pool) for option in (IN_IFX, IN_NATIVE)]
    found: Facts = {("buyback",): (*pools, buyback.settled_at)}
    for id in buyback.licences.items:
        offer = buyback.offers.get(id)
        terms = (offer.owner, offer.option, offer.paid, offer.received) if offer else (NOBODY, 0, 0, 0)
        # What is claimable in wrapped native depends on a rate that may be too old to tell.
        is_told = offer is not None and offer.option == IN_IFX and buyback.settled_at
        found["offered", f"{id}"] = (*terms, buyback.due(offer) if is_told and offer else 0)
    return found


def read(world: World, key: tuple[Any, ...]) -> Any:
    """The same fact as the contracts have it."""
    match key:
        case ("native", holder):
            return world.read("native", "balanceOf", holder)
        case ("wrapped",):
            return world.read("native", "totalSupply"), world.coins_of("native")
        case ("licences",):
            minted = (world.read("licence", "minted", role) for role in BEFORE_FIRST)
            return (*minted, world.read("licence", "burned"))
        case ("licence", id):
            return _read_licence(world, int(id))
        case ("for all", owner, who):
            return world.read("licence", "isApprovedForAll", owner, who)
        case ("licences of", who):
            return world.read("licence", "balanceOf", who)
        case ("banned", who):
            return world.read("registry", "is_banned", who)
        case ("offered", id):
            offer = world.read("buyback", "offered", int(id))
            due = world.read("buyback", "claimable", int(id)) if offer["option"] == IN_IFX else 0
            return (*(offer[name] for name in ("owner", "option", "paid", "received")), due)
        case ("buyback",):
            books = [world.read("buyback", name, option) for name in ("wanted", "pool") for option in (1, 2)]
            return (*books, world.read("buyback", "settled_at"))
    return _read_sale(world, key)


def _read_licence(world: World, id: int) -> tuple[Any, ...]:
    names = ("ownerOf", "paid", "transferable_at", "getApproved")
    banned = world.read("registry", "is_licence_banned", id)
    nodes = tuple(world.read("registry", "nodes_of", id))
    return (*(world.read("licence", name, id) for name in names), world.read("registry", "in_use", id), banned, nodes)


def _read_sale(world: World, key: tuple[Any, ...]) -> Any:
    match key:
        case ("tier", place):
            tier = world.read("node_sale", "tier", *map(int, place.split(".")))
            return tuple(tier[name] for name in TIER)
        case ("bought", who, place):
            return world.read("node_sale", "bought", *map(int, place.split(".")), who)
        case ("times",):
            return world.read("node_sale", "times")
        case ("sale coin", address):
            coin = world.read("node_sale", "coin", address)
            terms = [coin[name] for name in ("accepted", "decimals", "rate", "rated_at")]
            return (*terms, *(world.read("node_sale", name, address) for name in ("owed", "released", "held")))
        case ("commission", who, address):
            return world.read("node_sale", "commission", who, address)
    raise AssertionError(key)


# -- what is true of any state


def check(model: Model) -> None:
    """Each unit in the sale and the buyback is somebody's, each licence has one owner, and no rounding is the buyer's."""
    sale, native = model.sale, model.sale.native
    assert sum(native.balances.values()) == native.supply and min(native.balances.values()) >= 0
    for coin in sale.coins:
        assert 0 <= sale.owed(coin) <= sale.token(coin).of(model.ground.own["node_sale"])
    for receipt in sale.receipts:
        assert receipt.units * receipt.rate * BPS >= receipt.least, "sold for less than its price"
    _check_licences(model)
    _check_offers(model)


def _check_licences(model: Model) -> None:
    sale, licences = model.sale, model.licences
    sold: dict[int, int] = {}
    for (role, at), tier in sale.tiers.items():
        assert tier.whitelisted_sold <= tier.whitelisted and tier.sold <= tier.licences
        bought = [count for (_, *place), count in sale.bought.items() if place == [role, at]]
        assert max(bought, default=0) <= tier.cap
        assert not tier.cap or sum(bought) + tier.whitelisted_sold == tier.sold
        sold[role] = sold.get(role, 0) + tier.sold
    for role, count in sold.items():
        assert count == sum(role_of(id) == role for id in sale.sold)
    assert len(licences.items) + licences.burned == sum(licences.minted.values())
    assert all(id in sale.sold for id, licence in licences.items.items() if licence.cents), "paid for, not sold"


def _check_offers(model: Model) -> None:
    buyback, own = model.buyback, model.ground.own["buyback"]
    waiting = {licence.id for licence in model.licences.items.values() if licence.owner == own}
    assert waiting == {licence.id for licence, _ in buyback.standing()}, "a licence that is nobody's"
    assert all(not offer.received for _, offer in buyback.standing()), "paid for and not handed over"
    for option in (IN_IFX, IN_NATIVE):
        offers = [offer for offer in buyback.offers.values() if offer.option == option]
        if not buyback.settled_at:
            assert buyback.wanted[option] == sum(offer.paid for offer in offers)
        elif model.ground.clock.now < buyback.settled_at + CLAIM_TERM:
            assert _owed(buyback, option, offers) <= buyback.token(option).of(own), "less than is owed"
        assert all(offer.received <= buyback.part(offer) for offer in offers if offer.received), "more than its part"


def _owed(buyback: Buyback, option: int, offers: list[Offer]) -> int:
    if option == IN_IFX:
        return sum(buyback.part(offer) - offer.received for offer in offers)
    return sum(buyback.part(offer) for offer in offers if not offer.received)
