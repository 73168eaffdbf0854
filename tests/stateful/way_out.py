# SPDX-License-Identifier: Apache-2.0
"""The cranks, turned by whoever likes, and the way out of every waiting state without any manager's help."""

from inferix.models.roles import CaseStatus
from tests.stateful import purse
from tests.stateful.bench import Bench
from tests.stateful.closing import close_shop
from tests.stateful.exits import Exits
from tests.stateful.model.basics import DAY
from tests.stateful.model.escape import LAST, PATIENCE
from tests.stateful.model.stake import ACTIVE, BANNED, JAILED, VERIFIER, Node
from tests.stateful.model.work import LEASES
from tests.stateful.till import Till

ROUNDS = 90  # of a day each, at most, until nothing waits any more
DUST = 50  # units of a coin that roundings may leave behind


def keep_up(bench: Bench, docket: Exits) -> None:
    """What keepers do in an epoch: settle, answer, finalize, collect, close, post, pay."""
    for dispute in docket.open_disputes():
        docket.answer(dispute)
    docket.archive.serve()
    for manager in bench.world.managers:
        docket.settle(manager.id)
    docket.trading.keep()
    turn(bench, docket)
    books = bench.model.books
    if len(bench.model.work.epochs) and (books.pending is None or books.is_stuck()):
        for manager in bench.world.managers:
            if bench.model.stakes.is_bonded(bench.model.stakes.nodes[manager.id]):
                bench.post_books(manager.id, len(bench.model.work.epochs) - 1)
                break


def turn(bench: Bench, docket: Exits) -> None:
    """Everything that is due and that anybody may do."""
    model, clock = bench.sync(), bench.model.ground.clock
    for batch in docket.live():
        if not batch.is_honest and clock.protocol < batch.proposed_at + model.ground.parameters["batch_window"]:
            docket.convict(batch)
    for dispute in docket.open_disputes():
        if clock.protocol > dispute.until or dispute.batch.status == 3:
            docket.expire(dispute)
    docket.archive.turn()
    docket.hearings.turn()
    for batch in docket.live():
        if batch.is_honest and batch.status == 1:
            docket.finalize(batch)
    docket.pay_leases()
    docket.release_bonds()
    docket.look_after_claims()
    for id in list(model.claims.standing):
        docket.settle_claim(id)
    for address in model.credit.coins:
        bench.both(bench.world.stranger, lambda a=address: model.work.collect(a), "fee_burner", "collect", address)
    while bench.both(bench.world.stranger, model.work.close_epoch, "burn_mint_work", "close_epoch"):
        pass
    if model.books.pending is not None:
        bench.finalize_books()


def leave(bench: Bench, docket: Exits) -> None:
    """All managers are gone: cases end, disputes end, batches end, books are posted, all money reaches its owners."""
    bench.compare(everything=True)
    _end_what_waits(bench, docket)
    _pay_clients(bench, docket)
    _pay_nodes(bench)
    _unbond_all(bench)
    docket.trading.leave()
    purse.leave(bench)
    close_shop(Till(bench))
    bench.compare(everything=True)
    _pay_foundation(bench)
    _check_nothing_left(bench)


def _end_what_waits(bench: Bench, docket: Exits) -> None:
    turn(bench, docket)
    clock = bench.sync().ground.clock
    bench.world.wait(max(0, clock.paused_until - clock.now) + PATIENCE)
    for _ in range(ROUNDS):
        docket.escape_all(funded=True)
        turn(bench, docket)
        for case in docket.cases(CaseStatus.FROZEN):
            docket.clear(case)
        for case in docket.cases(CaseStatus.SLASHABLE):
            docket.execute(case)
        for case in docket.cases(CaseStatus.APPEALED):
            docket.resolve(case)
        waiting = docket.cases(CaseStatus.FROZEN, CaseStatus.SLASHABLE, CaseStatus.APPEALED)
        waits = [waiting, docket.live(), docket.open_disputes(), docket.hearings.open(), docket.archive.open()]
        if not any(waits):
            return _check_paid(bench, docket)
        bench.world.wait(DAY + 1)
    raise AssertionError("something waits for ever")


def _check_paid(bench: Bench, docket: Exits) -> None:
    """Whatever votes decided in time is charged, and none of it twice."""
    deadlines = {job.id: job.order.deadline for job in bench.world.mirror.jobs.values()}
    clock = bench.sync().ground.clock
    assert all(clock.running(deadlines[state.task.job], clock.now) >= LAST for state, _ in docket.decided()), (
        "work that nobody is charged for"
    )
    final = [(leaf.task, leaf.attempt) for batch in bench.model.work.final() for leaf in batch.leaves]
    assert len(final) == len(set(final)), "charged twice"


def _pay_clients(bench: Bench, docket: Exits) -> None:
    """Requests first; then, epoch by epoch, as much as the pools let go."""
    model = bench.sync()
    for account in model.credit.accounts.values():
        amount = account.credit - account.requested
        ask = lambda a=account, n=amount: model.credit.request(a.owner, a.id, n)  # noqa: E731
        if amount:
            bench.both(account.owner, ask, "ifx_dollar", "request_withdrawal", account.id, amount)
    bench.world.wait(35 * DAY)
    _claim_balances(bench, docket)
    for _ in range(ROUNDS):
        before = [account.credit for account in model.credit.accounts.values()]
        turn(bench, docket)
        _books_by_anybody(bench, docket)
        for id in model.credit.accounts:
            bench.withdraw(id)
        for id in list(model.claims.standing):
            docket.settle_claim(id)
        is_paid = before == [account.credit for account in model.credit.accounts.values()]
        if is_paid and model.books.newest and model.books.newest.epoch >= model.ground.epoch - 20:
            return
        bench.world.wait(model.ground.parameters["epoch_length"])
    raise AssertionError("credit that nobody can take out")


def _claim_balances(bench: Bench, docket: Exits) -> None:
    """Half of the clients do not wait for somebody's books: nobody need post any."""
    model, claimed = bench.model, []
    for account in model.credit.accounts.values():
        if (account.id + bench.steps) % 2 and account.id not in model.claims.standing:
            left = docket.left(account.id)
            assert docket.claim_balance(account.id, docket.owner_of(account)) is (left > 0), (
                "a balance that nobody can claim"
            )
            claimed += [account] if left else []
    bench.world.wait(15 * DAY)  # its window, also where the protocol is paused
    for account in claimed:
        due, coin = model.claims.standing[account.id].left, model.credit.coins[account.coin]
        pays = coin.units(min(due, bench.sync().credit.allowance(coin))) > 0
        assert docket.settle_claim(account.id) is pays, "a claim that stood and is not paid"


def _books_by_anybody(bench: Bench, docket: Exits) -> None:
    """A week after an epoch's end any bonded node may post its books."""
    model = bench.sync()
    bench.world.wait(15 * DAY)  # also where the protocol is paused
    turn(bench, docket)
    bonded = (node for node in model.stakes.nodes.values() if model.stakes.is_bonded(node))
    node = next(filter(model.books.has_bond, bonded), None) or _new_poster(bench)
    clock, late = bench.sync().ground.clock, len(model.work.epochs) - 1
    while clock.running(model.ground.epoch_end(late), clock.now) < 7 * DAY:
        late -= 1
    if late > (model.books.newest.epoch if model.books.newest else -1) and model.books.pending is None:
        assert bench.post_books(node.id, late)
        bench.world.wait(model.ground.parameters["accounts_window"] + 1)
        bench.finalize_books()


def _new_poster(bench: Bench):  # type: ignore[no-untyped-def]
    """Nobody who may post is bonded any more: a verifier puts its stake in again."""
    model, world = bench.model, bench.world
    verifiers = [node for node in model.stakes.nodes.values() if node.role == VERIFIER]
    node = next((n for n in verifiers if n.stored not in (BANNED, JAILED)), None) or _let_out(bench, verifiers[0])
    amount = max(model.stakes.required(node), model.ground.root_bond) + node.frozen
    world.give_ifx(node.owner, amount)
    model.ground.ifx.move(world.foundation, node.owner, amount)
    ask = lambda: model.stakes.stake(node.owner, node.id, amount)  # noqa: E731
    assert bench.both(world.nodes[node.id].owner, ask, "staking", "stake", node.id, amount)
    return node


def _let_out(bench: Bench, node: Node) -> Node:
    """All verifiers are in jail: the governor lets one out."""
    ask = lambda: bench.model.licences.set_status(node, ACTIVE)  # noqa: E731
    assert bench.both(bench.world.governor, ask, "registry", "set_status", node.id, ACTIVE)
    return node


def _pay_nodes(bench: Bench) -> None:
    """What was claimed and what waits add up to what was minted."""
    for node in (0, *bench.model.stakes.nodes):
        bench.claim(node)


def _unbond_all(bench: Bench) -> None:
    model = bench.sync()
    for node in model.stakes.nodes.values():
        ask = lambda n=node: model.stakes.unbond(n.owner, n.id, n.own)  # noqa: E731
        if node.own:
            assert bench.both(node.owner, ask, "staking", "unbond", node.id, node.own)
    _undelegate_all(bench)
    bench.world.wait(model.ground.parameters["unbonding"])
    for node in model.stakes.nodes.values():
        if node.unbonding:
            ask = lambda n=node: model.stakes.withdraw(n.owner, n.id)  # noqa: E731
            assert bench.both(node.owner, ask, "staking", "withdraw", node.id), f"node {node.id} can't leave"
    _pay_exits(bench)


def _undelegate_all(bench: Bench) -> None:
    books = bench.model.delegations
    for id, pool in books.pools.items():
        for who, holder in pool.holders.items():
            if holder.shares:
                ask = lambda w=who, i=id, n=holder.shares: books.undelegate(w, i, n)  # noqa: E731
                assert bench.both(who, ask, "delegation", "undelegate", id, holder.shares)
            if holder.rewards:
                ask = lambda w=who, i=id: books.claim(i, w)  # noqa: E731
                assert bench.both(bench.world.stranger, ask, "delegation", "claim", id, who)


def _pay_exits(bench: Bench) -> None:
    books = bench.model.delegations
    for id in list(books.exits):
        ask = lambda i=id: books.withdraw(i)  # noqa: E731
        assert bench.both(bench.world.stranger, ask, "delegation", "withdraw", id), f"exit {id} can't leave"


def _pay_foundation(bench: Bench) -> None:
    for place, coin in list(bench.model.work.due):
        ask = lambda p=place, c=coin: bench.model.work.pay_foundation(p, c)  # noqa: E731
        bench.both(bench.world.stranger, ask, place, "pay_foundation", coin)


def _check_nothing_left(bench: Bench) -> None:
    model, own = bench.model, bench.model.ground.own
    assert model.ground.ifx.of(own["staking"]) == model.ground.ifx.of(own["escape"]) == 0
    for place in ("balance_claims", "leases"):
        assert not any(coin.of(own[place]) for coin in model.ground.coins.values())
    for court in ("disputes", "panels", "availability", "objections", "contradictions"):
        assert model.ground.ifx.of(own[court]) == 0, f"{court} still has IFX"
    for coin in model.credit.coins.values():
        owed = model.work.final_charge(coin.index) - coin.released
        assert coin.leased == model.work.final_charge(coin.index + LEASES), "a lease that nobody was paid for"
        left = model.ground.coins[coin.address].of(own["ifx_dollar"]) - coin.units(owed)
        assert 0 <= left <= DUST, f"{left} units are left"
