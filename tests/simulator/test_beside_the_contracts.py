# SPDX-License-Identifier: Apache-2.0
"""The simulator's money beside the contracts': equal to the wei, on random epochs, stakes, streams and schedules."""

from random import Random

import boa
import pytest

from inferix import economy
from inferix.models.anchor import NodeLeaf
from inferix.models.parameters import DEFAULTS
from inferix.models.roles import Role
from inferix.replay import accounting
from inferix.units import MicroIb, NanoIbm, NanoUsd, Wei
from simulator.book import Book
from simulator.fleet import Leaf
from simulator.issuance import Issuance
from simulator.markets import ReferenceMarket
from tests.contracts.system import IFX, PRICE, WORKER, acting, deployer, key, now, set_time
from tests.contracts.work.books import Ledger
from tests.contracts.work.network import Network, batch_leaf

CREDIT = 10**12  # units: a million USD
INVENTORY = 10**7 * IFX
EPOCHS = 8
ODD_PRICE = 49_999_993  # nano-USD; divides nothing


class Twins:
    """The contracts and the simulator's issuance, moved alike."""

    def __init__(self, network: Network, seed: int) -> None:
        self.network, self.random = network, Random(seed)
        self.ledger = Ledger(network)
        client = self.ledger.client
        network.give_usd(client.address, CREDIT)
        with acting(client):
            network.usd.approve(network.ifx_dollar, CREDIT)
            network.ifx_dollar.top_up(network.usd, CREDIT, client.address)
        network.give_ifx(network.market.address, INVENTORY - int(network.ifx.balanceOf(network.market)))
        self.rules = dict(DEFAULTS)
        self.book = Book()
        self.book.allocate("market", INVENTORY)
        self.book.usd.create("ifx_dollar", CREDIT)
        self.market = ReferenceMarket(self.book, NanoUsd(network.market.price()))
        self.issuance = Issuance(self.book, self.market, self.rules)
        self.batches = 0

    def govern(self) -> None:
        """Other numbers, another price."""
        bounds = {"mint_multiple_bps": 50_000, "burn_bps": 9_500, "manager_fee_bps": 200, "epochs": 36_500}
        least = {"burn_bps": 5_000, "manager_fee_bps": 50, "epochs": 1}
        for name, most in bounds.items():
            self.rules[name] = self.random.randint(least.get(name, 0), most)
            self.network.set_parameter(name, self.rules[name])
        wanted = NanoUsd(self.market.governed * self.random.randint(800, 1_200) // 1_000)
        with acting(self.network.governor):
            self.network.market.set_price(wanted)
        assert economy.moved_price(self.market.governed, wanted) == wanted
        self.market.governed = wanted

    def settle(self, charge: int, work: int) -> None:
        """A batch, final in both."""
        self.batches += 1
        leaf = batch_leaf(20_000 + self.batches, charge=charge, work=work, account=self.ledger.account)
        self.network.settle(self.network.manager, [leaf])
        self.issuance.settle(NanoUsd(charge), NanoIbm(work))

    def collect(self) -> None:
        """All that is due; refused by both or by neither."""
        network = self.network
        split = self.issuance.collect()
        if split is None:
            with boa.reverts():
                network.fee_burner.collect(network.usd)
            return
        before = network.fee_burner.foundation_due(network.usd), network.fee_burner.kept(network.usd)
        network.fee_burner.collect(network.usd)
        assert network.fee_burner.foundation_due(network.usd) - before[0] == split.foundation
        assert network.fee_burner.kept(network.usd) - before[1] == split.managers
        assert network.fee_burner.burned() == self.issuance.burned

    def fine(self) -> None:
        """Something comes into the penalty pool."""
        amount = self.random.randint(1, 10**20)
        self.network.give_ifx(self.network.penalty_pool.address, amount)
        self.book.allocate("penalty_pool", amount)

    def close(self) -> int:
        """The epoch ends in both, and comes to the same."""
        network = self.network
        network.end_epoch()
        closed = self.issuance.close_epoch()
        network.burn_mint_work.close_epoch()
        info = network.burn_mint_work.epoch_info(self.issuance.epoch - 1)
        assert (info.work, info.charge, info.burned) == (closed.work, closed.charge, closed.burned)
        assert (info.minted, info.pooled) == (closed.minted, closed.pooled)
        workers = economy.split_mint(closed.minted)[Role.WORKER]
        assert info.price_of_work == (workers * 10**9 // closed.work if closed.work else 0)
        assert network.burn_mint_work.minted() == self.issuance.minted == self.book.minted
        assert network.ifx.balanceOf(network.accounts) == self.book.ifx.of("accounts")
        assert network.ifx.balanceOf(network.market) == self.book.ifx.of("market")
        self.book.check()
        return closed.minted


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_epochs_burn_and_mint_the_same(network: Network, seed: int) -> None:
    twins = Twins(network, seed)
    minted = []
    for _ in range(EPOCHS):
        network.end_epoch()
        twins.network.burn_mint_work.close_epoch()
        twins.issuance.close_epoch()
        twins.govern()
        for _ in range(twins.random.randint(0, 2)):
            twins.settle(twins.random.randint(1, 2**39), twins.random.randint(1, 10**15))
            if twins.random.random() < 0.7:
                twins.collect()
        if twins.random.random() < 0.5:
            twins.fine()
        minted.append(twins.close())
    assert any(minted)
    assert len(set(minted)) > 1


def test_a_market_without_inventory_stops_both(network: Network) -> None:
    twins = Twins(network, 4)
    with acting(network.governor):
        network.market.withdraw_inventory(INVENTORY)
    twins.book.ifx.destroy("market", INVENTORY)
    twins.book.allocated -= INVENTORY
    twins.settle(10**9, 10**9)
    twins.collect()
    assert twins.close() == 0


@pytest.mark.parametrize("ib", [1, 202_220, 500_000, 21_923_080])
@pytest.mark.parametrize("price", [8_000_000, 33_333_333])
@pytest.mark.parametrize("rate", [ODD_PRICE, PRICE, 2 * PRICE - ODD_PRICE])
def test_a_worker_must_stake_and_keep_the_same(network: Network, ib: int, price: int, rate: int) -> None:
    node = network.register(WORKER, price=price)
    with acting(network.manager.operator):
        network.registry.attest_benchmark(node.id, ib, bytes(32))
    with acting(network.governor):
        network.market.set_price(rate)
    required = economy.required_stake(Role.WORKER, DEFAULTS, NanoUsd(rate), MicroIb(ib), NanoUsd(price))
    assert network.staking.required(node.id) == required
    network.stake(node, required * 8 // 10 + 1)
    assert not network.staking.is_bonded(node.id)  # it qualifies at the whole of it only
    network.stake(node, required - required * 8 // 10 - 1)
    assert network.staking.is_bonded(node.id)
    with acting(network.governor):
        network.market.set_price(PRICE * 8 // 10)
    later = economy.required_stake(Role.WORKER, DEFAULTS, NanoUsd(PRICE * 8 // 10), MicroIb(ib), NanoUsd(price))
    assert network.staking.is_bonded(node.id) == economy.keeps_bonded(required, later) == (rate <= PRICE)


def test_bonds_of_verifiers_and_managers_are_the_same(network: Network) -> None:
    with acting(network.governor):
        network.market.set_price(ODD_PRICE)
    rate = NanoUsd(network.market.price())
    for role in (Role.VERIFIER, Role.MANAGER):
        node = network.register(role)
        assert network.staking.required(node.id) == economy.required_stake(role, DEFAULTS, rate)


@pytest.mark.parametrize("taken", [1, 2, 3, 10**18 + 7])
def test_a_slash_is_split_the_same(network: Network, taken: int) -> None:
    node = network.bonded(WORKER)
    supply, pool = network.ifx.totalSupply(), network.ifx.balanceOf(network.penalty_pool)
    reporter = key("reporter").address
    before = network.ifx.balanceOf(reporter)
    with acting(network.panels):
        network.staking.slash(node.id, taken, 1_000, reporter)
    split = economy.split_slash(Wei(taken), 1_000)
    assert supply - network.ifx.totalSupply() == split.burned
    assert network.ifx.balanceOf(network.penalty_pool) - pool == split.pooled
    assert network.ifx.balanceOf(reporter) - before == split.reporter


def test_a_claim_streams_the_same(network: Network) -> None:
    ledger, leaf, rules, random = Ledger(network, charge=10**11), Leaf(), DEFAULTS, Random(5)
    node = ledger.node(WORKER)
    network.give_usd(ledger.client.address, CREDIT)
    with acting(ledger.client):
        network.usd.approve(network.ifx_dollar, CREDIT)
        network.ifx_dollar.top_up(network.usd, CREDIT, ledger.client.address)
    for _ in range(3):
        epoch = ledger.close_epoch()
        minted = int(network.burn_mint_work.epoch_info(epoch).minted)
        leaf.earn(minted * random.randint(1, 999) // 1_000, int(network.burn_mint_work.epoch_end(epoch)), 2_500)
        leaf.publish()
        books = ledger.publish(ledger.books({node.id: (leaf.matured, leaf.vesting, leaf.start)}, epoch))
        set_time(now() + random.randint(1, 86_400))
        due = leaf.claim(now(), rules["worker_vesting"])
        assert network.accounts.claim(*books.claim(node.id)) == due > 0


@pytest.mark.filterwarnings("ignore:casted bytecode")
def test_every_share_vests_the_same() -> None:
    foundation = key("foundation")
    tge, random = now() + 1_000, Random(6)
    with acting(key("deployer")):
        vesting = deployer("token/Vesting.vy").deploy(foundation.address, tge)
        ifx = deployer("token/IFX.vy").deploy([vesting.address], [350 * 10**6 * IFX])
        vesting.wire(ifx, deployer("token/VestingWallet.vy").deploy(ifx, vesting))
    for number, (share, terms) in enumerate(economy.VESTING.items(), start=1):
        amount = Wei(random.randint(1, 10**24))
        with acting(foundation):
            vesting.create(number, [key(share).address], [amount])
        cliff, end = terms.cliff * economy.MONTH, (terms.cliff + terms.linear) * economy.MONTH
        moments = [-1, 0, cliff - 1, cliff, cliff + 1, end - 1, end]
        for elapsed in [*moments, *(random.randint(0, 40 * economy.MONTH) for _ in range(10))]:
            assert vesting.vested(number, tge + elapsed) == economy.vested(amount, terms, elapsed)


def test_a_claim_is_what_the_reducer_says() -> None:
    random = Random(7)
    for _ in range(200):
        vesting, start = random.randint(0, 10**26), random.randint(0, 10**9)
        leaf = NodeLeaf(node=1, matured=random.randint(0, 10**26), vesting=vesting, start=vesting * start)
        time, length = start + random.randint(-(10**7), 4 * 10**7), DEFAULTS["worker_vesting"]
        found = economy.streamed(Wei(leaf.matured), Wei(vesting), leaf.start, time, length)
        assert found == accounting.claimable(leaf, time, length)
    assert {int(role): part for role, part in economy.PARTS.items()} == {
        int(r): p for r, p in accounting.SHARES.items()
    }
