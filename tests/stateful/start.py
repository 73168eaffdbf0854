# SPDX-License-Identifier: Apache-2.0
"""The model of a world as it stands before the first step; from there on it goes its own way."""

from inferix.models.parameters import DEFAULTS
from tests.contracts.system import Node as Person
from tests.stateful.model.availability import Availability
from tests.stateful.model.basics import Clock, Ground, Token
from tests.stateful.model.bonds import Bonds
from tests.stateful.model.books import Books
from tests.stateful.model.claims import Claims
from tests.stateful.model.contradictions import Contradictions
from tests.stateful.model.courts import Courts
from tests.stateful.model.credit import Coin, Credit
from tests.stateful.model.delegation import Delegations
from tests.stateful.model.escape import Escapes
from tests.stateful.model.keys import Keys
from tests.stateful.model.lanes import Lanes
from tests.stateful.model.objections import Objections
from tests.stateful.model.panel import Panels
from tests.stateful.model.roots import Roots
from tests.stateful.model.stake import Node, Stakes
from tests.stateful.model.terms import Terms
from tests.stateful.model.whole import Model
from tests.stateful.model.work import Work
from tests.stateful.pool_facts import markets_of
from tests.stateful.realm_facts import model_of_realm
from tests.stateful.sale_facts import shop_of
from tests.stateful.world import NAMES, World, parameter

COINS = ("usd", "cents")


def holders(world: World) -> dict[str, str]:
    """Everybody who can have money, by address, with a name to print."""
    people = {f"owner of {node.id}": node.owner.address for node in world.nodes.values()}
    people |= {"challenger": world.challenger.address, "stranger": world.stranger.address}
    people |= {f"client {at}": client.address for at, client in enumerate(world.clients)}
    people |= {f"investor {at}": investor.address for at, investor in enumerate(world.investors)}
    people |= {"partner": world.partner.address, "trader": world.trader.address}
    people |= {"foundation": world.foundation, "treasury": world.treasury}
    people |= {name: world.addresses[name] for name in NAMES}
    return {address: name for name, address in people.items()}


def model_of(world: World) -> Model:
    """Reads what there is."""
    tokens = {name: _token(world, name) for name in ("ifx", *COINS)}
    ground = Ground(
        clock=Clock(world.now),
        parameters={name: world.read("parameters", "get", parameter(name)) for name in DEFAULTS},
        own=dict(world.addresses),
        ifx=tokens["ifx"],
        coins={world.addresses[name]: tokens[name] for name in COINS},
        price=world.read("market", "price"),
        genesis=world.genesis,
        epoch_length=world.read("batches", "epoch_length"),
        minted=world.read("ifx", "minted"),
        guardian=world.read("parameters", "guardian"),
    )
    credit = Credit(ground, {world.addresses[name]: _coin(world, name) for name in COINS})
    for name in COINS:  # of all who have coins, this one alone lets nobody take them
        allowed = world.read(name, "allowance", world.trader.address, world.addresses["ifx_dollar"])
        credit.allowed[world.trader.address, world.addresses[name]] = allowed
    stakes = Stakes(ground, {node.id: _node(world, node) for node in world.nodes.values()})
    markets = markets_of(world, ground, credit)
    work = Work(ground, credit, stakes, markets, foundation=world.foundation, treasury=world.treasury)
    delegations = Delegations(ground, stakes)
    books = Books(ground, stakes, work, delegations=delegations)
    escapes, claims = Escapes(ground, stakes, work), Claims(ground, credit, work, books)
    lanes = Lanes(ground, stakes)
    courts = Courts(ground, stakes, work, escapes=escapes, lanes=lanes)
    bonds, panels = Bonds(ground, stakes, {person.address for person in world.funded()}), Panels(ground, stakes)
    roots = Roots(ground, stakes, books, {kind: world.read("rosters", "newest", kind)["index"] for kind in (1, 2)})
    return Model(
        ground,
        credit,
        stakes,
        work,
        books,
        courts,
        delegations,
        escapes,
        claims,
        roots,
        Availability(bonds, roots),
        Objections(bonds, panels, roots, work),
        Contradictions(bonds, panels, work),
        markets,
        *model_of_realm(world, ground, delegations),
        *shop_of(world, ground, stakes, _token(world, "native"), markets.reference),
        Keys(stakes),
        lanes,
        Terms(stakes),
    )


def _token(world: World, name: str) -> Token:
    balances = {address: world.read(name, "balanceOf", address) for address in holders(world)}
    supply = world.read(name, "totalSupply") if name != "cents" else sum(balances.values())
    assert sum(balances.values()) == supply, f"somebody unknown has {name}"
    return Token(balances, supply, world.read(name, "minted") - supply if name == "ifx" else 0)


def _coin(world: World, name: str) -> Coin:
    coin = world.read("ifx_dollar", "coin", world.addresses[name])
    return Coin(world.addresses[name], coin["index"], coin["scale"], coin["cap"])


def _node(world: World, person: Person) -> Node:
    node = world.read("registry", "node", person.id)
    return Node(
        id=person.id,
        role=node["role"],
        owner=node["owner"],
        operator=node["operator"],
        ib=node["ib"],
        price=node["price"],
        device_class=node["device_class"],
        sealing_key=node["sealing_key"],
        bonded=world.read("staking", "bonded", person.id),
        qualified=True,
        could_work=True,
    )
