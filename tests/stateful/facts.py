# SPDX-License-Identifier: Apache-2.0
"""What must be the same everywhere: the model's facts, the contracts' and the mirror's.

After each step those facts are read from the contracts that the model or a log says may have changed, every few steps
and at the end all of them; the mirror is compared as a whole each time.
"""

from collections.abc import Callable, Iterable
from typing import Any

from inferix.models.event import ChainEvent
from inferix.replay import Network as Mirror
from tests.stateful import court_facts, exit_facts, lane_facts, pool_facts, realm_facts, sale_facts
from tests.stateful.model.stake import MANAGER
from tests.stateful.model.whole import Model
from tests.stateful.model.work import BUDGET, DIVIDING, FINAL, LEASES
from tests.stateful.start import COINS
from tests.stateful.world import World

Key = tuple[Any, ...]
Facts = dict[Key, Any]


def _allowed(world: World, key: Key) -> Any:
    _, payer, address = key
    name = next(name for name in COINS if world.addresses[name] == address)
    used = world.read(name, "nonces", payer) if name == "usd" else 0  # the other coin knows no permits
    return world.read(name, "allowance", payer, world.addresses["ifx_dollar"]), used


ROOMS: dict[str, Callable[[World, Key], Any]] = {
    **dict.fromkeys(("escape", "claim"), exit_facts.read),
    **dict.fromkeys(court_facts.NAMES, court_facts.read),
    **dict.fromkeys(lane_facts.NAMES, lane_facts.read),
    **dict.fromkeys(pool_facts.NAMES, pool_facts.read),
    **dict.fromkeys(sale_facts.NAMES, sale_facts.read),
    "realm": realm_facts.read,
    "allowed": _allowed,
}
"""Who reads facts of these names."""


def facts(model: Model) -> Facts:
    """Everything that the model says of the contracts' state."""
    ground = model.ground
    names = {ground.own[name]: name for name in COINS}
    found: Facts = {("ifx", holder): amount for holder, amount in ground.ifx.balances.items() if holder}
    for coin, token in ground.coins.items():
        found |= {(names[coin], holder): amount for holder, amount in token.balances.items()}
    found["minted",] = (ground.ifx.supply, ground.minted)
    found["clock",] = (ground.clock.protocol, ground.clock.paused, ground.price, ground.dispute_bond)
    found["held up",] = (model.books.added, model.objections.accounts_bond)
    found |= _people(model) | _delegations(model) | _work(model) | _courts(model)
    found |= exit_facts.of_model(model) | pool_facts.of_model(model) | realm_facts.of_model(model)
    found |= sale_facts.of_model(model) | lane_facts.of_model(model)
    return found


def _people(model: Model) -> Facts:
    found: Facts = {}
    for node in model.stakes.nodes.values():
        amounts = (
            node.bonded,
            node.own,
            node.unbonding,
            node.delegated_unbonding,
            node.free_at,
            node.frozen,
            node.holds,
        )
        found["node", node.id] = (*amounts, node.status, model.stakes.is_bonded(node), model.stakes.required(node))
    for account in model.credit.accounts.values():
        amounts = (account.credit, account.requested, account.requested_at)
        amounts = (*amounts, model.work.paid_by.get(account.id, 0))
        found["account", account.id] = (account.owner, account.coin, *amounts)
    for place, units in model.credit.allowed.items():
        found["allowed", *place] = (units, model.credit.permits.get(place, 0))
    for coin in model.credit.coins.values():
        amounts = (coin.cap, coin.pool, coin.released, coin.paused)
        found["coin", coin.address] = (*amounts, model.credit.allowance(coin), coin.leased)
    return found


def _delegations(model: Model) -> Facts:
    books = model.delegations
    found: Facts = {("exits",): books.count}
    for id, pool in books.pools.items():
        found["pool", id] = (pool.shares, pool.earning, pool.limit, pool.share, pool.next, pool.since)
        for who, holder in pool.holders.items():
            amounts = (holder.shares, holder.waiting, books.value(id, who), holder.rewards, holder.votes)
            found["delegation", id, who] = amounts
            found["votes", who] = books.votes(who)
    for id, exit in books.exits.items():
        found["exit", id] = (exit.delegator, exit.node, exit.free_at, books.worth(id))
    owners = {node.owner for node in model.stakes.nodes.values()}
    return found | {("votes", owner): books.votes(owner) for owner in owners}


def _work(model: Model) -> Facts:
    work, found = model.work, Facts()
    for batch in work.batches.values():
        found["batch", batch.commitment] = (batch.status, batch.disputes, *batch.voided)
    for coin in model.credit.coins.values():
        books = [book.get(coin.address, 0) for book in (work.collected, work.kept, work.unpaid, work.waiting)]
        found["fees", coin.address, coin.index] = (work.final_charge(coin.index), *books)
        found |= {("foundation", place, coin.address): work.due.get((place, coin.address), 0) for place in DIVIDING}
        marked = coin.index + LEASES
        found["leases", coin.address, marked] = work.final_charge(marked)
    for node in model.stakes.nodes.values():
        if node.role == MANAGER:
            waiting = work.lane(node.id).waiting
            live = len(work.lane(node.id).batches)
            found["lane", node.id] = (live, live - len(waiting), sum(batch.charge for batch in waiting))
            for coin in model.credit.coins.values():
                paid = work.paid.get((node.id, coin.address), 0)
                found["lane fees", node.id, coin.index, coin.address] = (work.final_charge(coin.index, node.id), paid)
    found |= {("lease", leaf.task): leaf.task in work.paid_leases for _, leaf in work.leases()}
    for index, epoch in enumerate(work.epochs):
        found["epoch", index] = (epoch.work, epoch.charge, epoch.burned, epoch.minted)
    found["epochs",] = (len(work.epochs), work.burned)
    roots = (model.books.newest, model.books.pending)
    found["roots",] = tuple(root and root.epoch for root in roots)
    found |= {("claimed", node): amount for node, amount in model.books.claimed.items()}
    return found


def _courts(model: Model) -> Facts:
    found: Facts = {
        ("case", case.id): (case.status, case.leaf.node, case.amount, case.bond, case.is_referred)
        for case in model.courts.cases.values()
    }
    found |= {("dispute", *key): item.status for key, item in model.courts.disputes.items()}
    return found | court_facts.facts(model)


def read(world: World, key: Key) -> Any:
    """The same fact as the contracts have it."""
    match key:
        case ("minted",):
            return world.read("ifx", "totalSupply"), world.read("ifx", "minted")
        case ("clock",):
            clock = (world.read("parameters", "clock"), world.read("parameters", "paused"))
            return (*clock, pool_facts.stakes_price(world), world.read("disputes", "bond"))
        case ("held up",):
            return world.read("accounts", "added"), world.read("objections", "accounts_bond")
        case ("node", id):
            names = ("bonded", "own", "unbonding", "delegated_unbonding", "free_at", "frozen", "holds")
            amounts = [world.read("staking", name, id) for name in names]
            status = world.read("registry", "terms", id)["status"]
            return (*amounts, status, world.read("staking", "is_bonded", id), world.read("staking", "required", id))
        case ("account", id):
            account = world.read("ifx_dollar", "account", id)
            fields = [account[name] for name in ("owner", "coin", "credit", "requested", "requested_at")]
            return (*fields, world.read("leases", "paid_by", id))
        case ("coin", address):
            coin = world.read("ifx_dollar", "coin", address)
            fields = [coin[name] for name in ("cap", "pool", "released", "paused")]
            return (*fields, *(world.read("ifx_dollar", name, address) for name in ("withdrawable", "leased")))
        case (token, holder) if token in ("ifx", *COINS):
            return world.read(token, "balanceOf", holder)
        case ("leases", _, index):
            return world.read("batches", "final_charge", index)
        case ("lease", task):
            return world.read("leases", "is_paid", task)
        case (name, *_) if name in ROOMS:
            return ROOMS[name](world, key)
        case ("exits" | "pool" | "delegation" | "exit" | "votes", *_):
            return _read_delegations(world, key)
        case _:
            return _read_work(world, key)


def _read_delegations(world: World, key: Key) -> Any:
    match key:
        case ("exits",):
            return world.read("delegation", "exit_count")
        case ("pool", id):
            pool, terms = world.read("delegation", "pool", id), world.read("delegation", "terms", id)
            names = ("limit", "share", "next_share", "since")
            return (pool["shares"], pool["earning"], *(terms[name] for name in names))
        case ("delegation", id, who):
            position = world.read("delegation", "position", id, who)
            return tuple(position[name] for name in ("shares", "waiting", "value", "rewards", "votes"))
        case ("exit", id):
            exit = world.read("delegation", "exit", id)
            return tuple(exit[name] for name in ("delegator", "node", "free_at", "value"))
        case ("votes", who):
            return world.read("staking", "getVotes", who)
    raise AssertionError(key)


def _read_work(world: World, key: Key) -> Any:
    match key:
        case ("batch", commitment):
            batch = world.read("batches", "batch", commitment)
            return tuple(batch[name] for name in ("status", "disputes", "voided_charge", "voided_work"))
        case ("fees", address, index):
            books = [world.read("fee_burner", name, address) for name in ("collected", "kept", "unpaid", "to_burn")]
            return (world.read("batches", "final_charge", index), *books)
        case ("foundation", place, address):
            return world.read(place, "foundation_due", address)
        case ("lane", id):
            lane = world.read("batches", "lane", id)
            return lane["batches"], lane["final"], lane["open_charge"]
        case ("lane fees", id, index, address):
            return world.read("batches", "final_charge_of", id, index), world.read("fee_burner", "paid", id, address)
        case ("epoch", index):
            epoch = world.read("burn_mint_work", "epoch_info", index)
            return tuple(epoch[name] for name in ("work", "charge", "burned", "minted"))
        case ("epochs",):
            return world.read("burn_mint_work", "closed"), world.read("fee_burner", "burned")
        case ("roots",):
            roots = [world.read("accounts", name) for name in ("newest", "pending")]
            return tuple(root["epoch"] if root["index"] else None for root in roots)
        case ("claimed", node):
            return world.read("accounts", "claimed", node)
        case ("case", id):
            case = world.read("panels", "case", id)
            return tuple(case[name] for name in ("status", "node", "amount", "bond", "is_referred"))
        case ("dispute", *place):
            return world.read("disputes", "dispute", world.read("disputes", "dispute_id", *place))["status"]
    raise AssertionError(key)


def named(events: Iterable[ChainEvent], known: Facts) -> set[Key]:
    """The facts that logs speak of."""
    words = {value for event in events for value in event.args.values() if isinstance(value, str | bytes | int)}
    return {key for key in known if any(part in words for part in key[1:])}


# -- the mirror


def mirrored(mirror: Mirror, model: Model) -> tuple[Facts, Facts]:
    """The mirror's facts, and the model's in the same terms."""
    theirs: Facts = {}
    for node in mirror.nodes.values():
        stake = (node.bonded, node.delegated, node.unbonding, node.delegated_unbonding, node.frozen)
        theirs["node", node.id] = (*stake, int(node.status), node.qualified)
        terms = (node.limit, node.terms.share, node.terms.next_share, node.terms.since)
        theirs |= {("terms", node.id): terms} if terms != (0, 5_000, 5_000, 0) else {}
    theirs |= {("delegation", *place): shares for place, shares in mirror.delegations.items()}
    theirs |= {("exit", id): (exit.node, exit.delegator, exit.free_at) for id, exit in mirror.exits.items()}
    for account in mirror.accounts.values():
        amounts = (account.credit, account.requested, account.spent + account.reserved, account.free)
        theirs["account", account.id] = (account.owner, account.coin, *amounts)
    theirs |= {("batch", key): (batch.manager, int(batch.status), batch.epoch) for key, batch in mirror.batches.items()}
    theirs |= {("epoch", e.index): (e.work, e.charge, e.burned, e.minted) for e in mirror.epochs}
    theirs |= {("case", key): (int(case.status), case.node, case.amount) for key, case in mirror.cases.items()}
    theirs |= {
        ("dispute", item.commitment, int(item.kind), item.place): (int(item.status), item.bond, item.node)
        for item in mirror.disputes.values()
    }
    theirs |= {("claimed", node): amount for node, amount in mirror.claimed.items()}
    theirs |= {("lane", id): list(lane.batches) for id, lane in mirror.lanes.items() if lane.batches}
    theirs |= {("released", coin): amount for coin, amount in mirror.released.items()}
    theirs |= pool_facts.of_mirror(mirror)
    theirs |= {("lease", task): True for task in mirror.paid_leases}
    theirs |= exit_facts.of_mirror(mirror) | {("sold",): mirror.sold}
    theirs |= lane_facts.of_mirror(mirror)
    root = mirror.final_accounts()
    theirs["root",] = (root.epoch, root.cut_off) if root else None
    return theirs | court_facts.mirrored(mirror), _in_its_terms(model) | court_facts.in_its_terms(model)


def _in_its_terms(model: Model) -> Facts:
    ours: Facts = {}
    for node in model.stakes.nodes.values():
        stake = (node.bonded, node.delegated, node.unbonding, node.delegated_unbonding, node.frozen)
        ours["node", node.id] = (*stake, node.status, node.qualified)
    for id, pool in model.delegations.pools.items():
        terms = (pool.limit, pool.share, pool.next, pool.since)
        ours |= {("terms", id): terms} if terms != (0, 5_000, 5_000, 0) else {}
        ours |= {("delegation", id, who): holder.shares for who, holder in pool.holders.items()}
    ours |= {("exit", id): (exit.node, exit.delegator, exit.free_at) for id, exit in model.delegations.exits.items()}
    newest = model.books.newest
    for account in model.credit.accounts.values():
        used = sum(newest.used.get(account.id, (0, 0))) if newest else 0
        amounts = (account.credit, account.requested, used, model.books.free(account.id))
        ours["account", account.id] = (account.owner, account.coin, *amounts)
    for key, batch in model.work.batches.items():
        ours["batch", key] = (batch.manager, batch.status, batch.epoch)
    for index, epoch in enumerate(model.work.epochs):
        ours["epoch", index] = (epoch.work, epoch.charge, epoch.burned, epoch.minted)
    for key, case in model.courts.cases.items():
        ours["case", key] = (int(case.status), case.leaf.node, case.amount)
    for place, item in model.courts.disputes.items():
        ours["dispute", *place] = (item.status, item.bond, item.node)
    ours |= {("claimed", node): amount for node, amount in model.books.claimed.items()}
    for id, lane in model.work.lanes.items():
        ours |= {("lane", id): [batch.commitment for batch in lane.batches]} if lane.batches else {}
    ours |= {("released", coin.address): coin.released for coin in model.credit.coins.values() if coin.released}
    ours |= {("lease", task): True for task in model.work.paid_leases}
    ours |= exit_facts.in_its_terms(model) | pool_facts.in_its_terms(model) | {("sold",): model.sale.sold}
    ours |= lane_facts.in_its_terms(model)
    ours["root",] = (newest.epoch, model.books.cut_off) if newest else None
    return ours


# -- what is true of any state


def check_laws(model: Model) -> None:
    """Conservation, issuance, stakes, and that no charge is both final and still free."""
    ground, work, own = model.ground, model.work, model.ground.own
    for token in (ground.ifx, *ground.coins.values()):
        assert sum(token.balances.values()) == token.supply and min(token.balances.values()) >= 0
    assert ground.ifx.of(own["staking"]) == sum(node.total for node in model.stakes.nodes.values())
    assert all(0 <= node.frozen <= node.total for node in model.stakes.nodes.values())
    _check_delegations(model)
    court_facts.check_laws(model)
    bonds = sum(item.bond for item in model.courts.disputes.values() if item.status == 1 and not item.node)
    assert ground.ifx.of(own["disputes"]) == bonds
    exit_facts.check(model)
    pool_facts.check(model)
    realm_facts.check(model)
    sale_facts.check(model)
    for coin in model.credit.coins.values():
        money = ground.coins[coin.address].of(own["ifx_dollar"])
        # A top-up is rounded down to credit, and so is the money: under one unit an account and payment apart.
        assert coin.nano(money) == coin.pool
        assert coin.leased <= work.final_charge(coin.index + LEASES) and coin.released <= work.final_charge(coin.index)
    minted = sum(epoch.minted for epoch in work.epochs)
    paid_for = sum(
        epoch.burned * epoch.parameters["mint_multiple_bps"] // epoch.parameters["burn_bps"] for epoch in work.epochs
    )
    assert minted <= min(BUDGET, paid_for)
    rewards = minted + sum(epoch.pooled for epoch in work.epochs)
    assert ground.ifx.of(own["accounts"]) == rewards - sum(model.books.claimed.values())
    _check_credit(model)


def _check_delegations(model: Model) -> None:
    # What is owed is there, to the wei but for roundings, which stay; a share is never worth more than a wei.
    books, ifx = model.delegations, model.ground.ifx
    assert ifx.of(model.ground.own["delegation"]) == books.received - books.paid
    owed = sum(holder.rewards for pool in books.pools.values() for holder in pool.holders.values())
    assert owed <= books.received - books.paid
    for id, pool in books.pools.items():
        node = model.stakes.nodes[id]
        leaving = sum(books.worth(at) for at, exit in books.exits.items() if exit.node == id)
        assert sum(books.value(id, who) for who in pool.holders) <= node.delegated <= pool.shares
        assert leaving <= node.delegated_unbonding


def _check_credit(model: Model) -> None:
    # What was charged finally is owed; whatever the client may still take out stays clear of it.
    spent: dict[int, int] = {}
    for batch in model.work.batches.values():
        for leaf in batch.standing if batch.status == FINAL else []:
            spent[leaf.account] = spent.get(leaf.account, 0) + leaf.charge
    for account in model.credit.accounts.values():
        assert spent.get(account.id, 0) <= account.credit, "charged more than there is"
