# SPDX-License-Identifier: Apache-2.0
"""The deployment's plan on titanoboa: one protocol comes out, and money leaves it through the real contracts."""

import json
from pathlib import Path
from typing import Any

import boa
import pytest

from deploy.packages import FILES
from deploy.plan import COMMUNITY_AT_TGE, SHARES, VESTED, Check, Creation, Plan, make_plan, resolve
from deploy.plan import IFX as WEI
from deploy.settings import Settings, load_settings
from deploy.tiers import COLUMNS, load_tiers
from inferix import trees
from inferix.errors import Misconfigured
from inferix.models.anchor import AccountLeaf, NodeLeaf
from tests.contracts import uniswap
from tests.contracts.system import (
    CONTRACTS,
    IFX,
    MANAGER,
    USD,
    WORKER,
    Contract,
    acting,
    advance,
    deployer,
    key,
    now,
    parameter,
)

# titanoboa takes a vesting wallet's proxy for the contract behind it
pytestmark = pytest.mark.filterwarnings("ignore:casted bytecode")

DEV = Path(__file__).parents[2] / "deploy" / "dev.json"
DEPLOYER = key("deployer").address


class Protocol:
    """The contracts of a plan by their names."""

    def __init__(self, plan: Plan) -> None:
        self.contracts: dict[str, Contract] = {}
        with acting(DEPLOYER):
            for creation in plan.creations:
                if creation.contract in FILES:
                    self.contracts[creation.contract] = self.packaged(creation)
                    continue
                path = next(CONTRACTS.rglob(f"{creation.contract}.vy")).relative_to(CONTRACTS)
                arguments = resolve(creation.arguments, self.addresses)
                self.contracts[creation.contract] = deployer(str(path)).deploy(*arguments)
            for call in plan.calls:
                assert not self.holds(call.done), f"{call} shows as done before it is made"
                getattr(self[call.contract], call.function)(*resolve(call.arguments, self.addresses))
                assert self.holds(call.done), f"{call} does not show as done"

    def __getitem__(self, name: str) -> Contract:
        return self.contracts[name]

    @property
    def addresses(self) -> dict[str, str]:
        return {name: contract.address for name, contract in self.contracts.items()}

    def holds(self, check: Check) -> bool:
        arguments = resolve(check.arguments, self.addresses)
        return check.met(getattr(self[check.contract], check.view)(*arguments), self.addresses)

    def packaged(self, creation: Creation) -> Contract:
        """A contract that its authors built."""
        arguments = resolve(creation.arguments, self.addresses)
        return uniswap.deploy(creation.contract, ["address"] * len(arguments), *arguments)


@pytest.fixture(scope="module")
def planned() -> Protocol:
    return Protocol(make_plan(load_settings(DEV), DEPLOYER, now()))


@pytest.fixture
def protocol(planned: Protocol) -> Protocol:
    """Titanoboa's plug-in rolls back what a test does to a fixture of its own."""
    return planned


def changed(**changes: Any) -> Settings:
    return Settings.model_validate(json.loads(DEV.read_text()) | changes)


def flat(proof: list[trees.Sum]) -> list[bytes]:
    return [word for node in proof for word in (node.hash, node.sum.to_bytes(32, "big"))]


def test_every_deployable_contract_is_in_the_plan() -> None:
    plan = make_plan(load_settings(DEV), DEPLOYER, 0)
    files = {path.stem for path in CONTRACTS.rglob("*.vy") if path.parent.name != "modules"}
    packaged = set(FILES) - {"UniswapV2Pair"}  # the factory makes the pairs
    assert {creation.contract for creation in plan.creations} == files | packaged


def test_shares_and_issuance_are_the_whole_cap() -> None:
    assert sum(SHARES.values()) + 462_500_000 == 1_000_000_000


def test_everything_is_wired_and_parameters_are_those_of_the_settings(protocol: Protocol) -> None:
    wired = [name for name, contract in protocol.contracts.items() if hasattr(contract, "wired")]
    assert len(wired) == 13
    assert all(protocol[name].wired() for name in wired)
    assert protocol["IFX"].minter() == protocol["BurnMintWork"].address
    for name, value in load_settings(DEV).parameters.items():
        assert protocol["Parameters"].get(parameter(name)) == value
    assert protocol["IFX"].balanceOf(protocol["ReferenceMarket"]) == 10_000_000 * IFX


def test_no_contract_is_too_large(protocol: Protocol) -> None:
    sizes = {name: len(boa.env.get_code(contract.address)) for name, contract in protocol.contracts.items()}
    assert max(sizes.values()) <= 24_576, sizes


def test_fees_buy_ifx_in_a_pool_at_the_reference_price_and_everybody_reads_it(protocol: Protocol) -> None:
    settings, market, usd = load_settings(DEV), protocol["PoolMarket"], protocol["DevUSD"]
    for reader in ("Staking", "FeeBurner", "Buyback"):
        assert protocol[reader].market() == market.address
    assert settings.development
    ifx = settings.development.pool_ifx
    pool = market.pool(usd)
    assert protocol["IFX"].balanceOf(pool.pair) == ifx
    assert usd.balanceOf(pool.pair) == ifx * settings.ifx_price // 10**9 * 10**6 // WEI
    assert usd.balanceOf(DEPLOYER) == 0
    assert market.price() == settings.ifx_price
    assert market.refusal(protocol["FeeBurner"], usd) == "PoolMarket: not observed for 30 minutes"
    advance(1800)
    assert market.offer(protocol["FeeBurner"], usd)[1] == pytest.approx(settings.ifx_price, abs=1)


def test_faucet_gives_once_an_hour_and_one_licence_of_a_role(protocol: Protocol) -> None:
    visitor = key("visitor").address
    faucet = protocol["Faucet"]
    with acting(visitor):
        faucet.drip(visitor)
        assert protocol["DevUSD"].balanceOf(visitor) == 10**9
        assert protocol["IFX"].balanceOf(visitor) == 20_000 * IFX
        advance(3599)
        with boa.reverts("Faucet: once an hour"):
            faucet.drip(visitor)
        advance(1)
        faucet.drip(visitor)
        assert faucet.claim_licence(MANAGER) == 125_001
        with boa.reverts("Faucet: one licence of a role"):
            faucet.claim_licence(MANAGER)


def test_other_governor_and_foundation_are_told_what_is_left() -> None:
    governor, foundation = key("governor").address, key("foundation").address
    allocation = load_settings(DEV).allocation.model_dump() | {"ecosystem": foundation}
    plan = make_plan(changed(governor=governor, foundation=foundation, allocation=allocation), DEPLOYER, 1)
    theirs = ("transfer", "create", "propose_governor")
    assert [call.function for call in plan.calls if call.function in theirs] == ["propose_governor"]
    assert len(plan.left) == 9
    assert sum("Vesting.create" in line for line in plan.left) == 5
    assert "accept_governor" in plan.left[-1]


def test_the_timelock_governs_at_the_end_when_the_settings_say_so(protocol: Protocol) -> None:
    voted = Protocol(make_plan(changed(governor="timelock"), DEPLOYER, now()))
    assert voted["Parameters"].governor() == voted["Timelock"].address
    assert voted["Governor"].timelock() == voted["Timelock"].address
    # On a development network nobody waits for votes.
    assert protocol["Parameters"].governor() == DEPLOYER
    assert not protocol["Timelock"].may_govern()
    calls = make_plan(changed(governor="timelock"), DEPLOYER, now()).calls
    assert all(voted.holds(call.done) for call in calls), "a second run would repeat a call that cannot be made"
    for view, rule in {"votingDelay": 86_400, "votingPeriod": 7 * 86_400, "proposalThreshold": 10**24}.items():
        assert getattr(voted["Governor"], view)() == rule
    assert voted["Timelock"].getMinDelay() == 2 * 86_400


def test_the_ecosystems_share_in_the_fund_moves_by_a_vote_alone() -> None:
    settings = load_settings(DEV)
    allocation = settings.allocation.model_dump() | {"ecosystem": "fund"}
    voted = Protocol(make_plan(changed(governor="timelock", allocation=allocation), DEPLOYER, now()))
    fund, ifx, visitor = voted["CommunityFund"], voted["IFX"], key("visitor").address
    for contract, amount in (("ReferenceMarket", settings.market_ifx), ("Buyback", settings.sale.buyback_ifx)):
        assert ifx.balanceOf(voted[contract]) == amount
    assert settings.development
    granted = settings.market_ifx + settings.sale.buyback_ifx + settings.development.faucet_ifx
    waiting = (SHARES["ecosystem"] + SHARES["community"] - COMMUNITY_AT_TGE) * WEI - granted
    assert ifx.balanceOf(fund) == waiting
    assert ifx.balanceOf(DEPLOYER) == (SHARES["liquidity"] + COMMUNITY_AT_TGE) * WEI
    with acting(DEPLOYER), boa.reverts("governed: not the governor"):
        fund.grant(visitor, 1)
    with acting(voted["Timelock"]):
        fund.grant(visitor, waiting)
    assert ifx.balanceOf(visitor) == waiting


def test_a_hand_over_that_was_interrupted_goes_on(protocol: Protocol) -> None:
    propose, accept = make_plan(changed(governor="timelock"), DEPLOYER, now()).calls[-2:]
    with acting(DEPLOYER):
        protocol["Parameters"].propose_governor(key("a timelock that was lost").address)
        assert not protocol.holds(propose.done)
        protocol["Parameters"].propose_governor(protocol["Timelock"])
    assert protocol.holds(propose.done)
    assert not protocol.holds(accept.done)
    protocol["Timelock"].accept_governor()
    assert protocol.holds(propose.done)
    assert protocol.holds(accept.done)


def test_a_share_without_one_beneficiary_is_left_to_the_foundation() -> None:
    allocation = load_settings(DEV).allocation.model_dump() | {"seed": None}
    plan = make_plan(changed(allocation=allocation), DEPLOYER, 1)
    assert [call.arguments[0] for call in plan.calls if str(call) == "Vesting.create"] == [2, 3, 4, 5]
    assert plan.left == ["the foundation makes the schedules of 80000000 IFX (seed): Vesting.create"]


def test_what_vests_is_in_schedules_and_votes_and_the_rest_is_where_it_belongs(protocol: Protocol) -> None:
    vesting, ifx = protocol["Vesting"], protocol["IFX"]
    assert [vesting.unallocated(share) for share in VESTED.values()] == [0] * 5
    assert vesting.schedule(1).beneficiary == DEPLOYER
    assert ifx.balanceOf(vesting) == 0
    assert ifx.getVotes(DEPLOYER) == 350_000_000 * IFX
    assert ifx.balanceOf(protocol["CommunityFund"]) == 91_000_000 * IFX
    assert ifx.balanceOf(protocol["Faucet"]) == 50_000_000 * IFX
    assert ifx.minted() == 537_500_000 * IFX


def test_the_licence_sale_is_open_and_the_buyback_endowed(protocol: Protocol) -> None:
    buyer, sale, usd = key("buyer").address, protocol["NodeSale"], protocol["DevUSD"]
    with acting(buyer):
        protocol["Faucet"].drip(buyer)
        usd.approve(sale, 10**9)
        licence = sale.buy(WORKER, 1, 3, usd, 900 * 10**6)
        with boa.reverts("NodeSale: over the maximum"):
            sale.buy(WORKER, 1, 1, usd, 1)
    assert protocol["NodeLicence"].paid(licence) == 300 * USD
    assert sale.coin(protocol["DevNative"]).rate == 2_000 * USD
    assert protocol["IFX"].balanceOf(protocol["Buyback"]) == 10_000_000 * IFX
    assert protocol["Buyback"].opens_at() == protocol["Vesting"].tge() + 365 * 86400 // 2


def test_a_public_network_names_its_wrapped_native_and_who_keeps_its_rate() -> None:
    native, setter = key("native").address, key("setter").address
    sale = load_settings(DEV).sale.model_dump() | {"rate_setter": setter}
    factory = key("factory").address
    plan = make_plan(changed(native=native, factory=factory, development=None, sale=sale), DEPLOYER, 1)
    assert next(each.arguments[2] for each in plan.creations if each.contract == "NodeSale") == native
    assert [call.arguments for call in plan.calls if str(call) == "NodeSale.set_rate_setter"] == [(setter,)]
    assert not {"DevNative", "DevUSD", "Faucet", *FILES} & {each.contract for each in plan.creations}
    assert next(each.arguments[-1] for each in plan.creations if each.contract == "PoolMarket") == factory
    assert not [call for call in plan.calls if call.function == "set_market"]
    assert any("PoolMarket.add_pool" in line for line in plan.left)


@pytest.mark.parametrize("text", ["", "tier\n1\n", "{columns}\n2,,300,1,0\n", "{columns}\n1,,x,1,0\n"])
def test_files_that_hold_no_tiers_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "worker.csv").write_text(text.format(columns=",".join(COLUMNS)))
    for role in ("worker", "verifier"):
        with pytest.raises(Misconfigured, match="holds no tiers"):
            load_tiers(role, tmp_path)
    assert len(load_tiers("worker")) == 30


def test_vesting_starts_when_the_settings_say() -> None:
    plan = make_plan(changed(tge=1_900_000_000), DEPLOYER, 1)
    assert next(each.arguments[1] for each in plan.creations if each.contract == "Vesting") == 1_900_000_000


def test_what_depends_on_a_lost_contract_is_made_anew() -> None:
    plan = make_plan(load_settings(DEV), DEPLOYER, 0)
    assert plan.depending_on({"Faucet"}) == {"Faucet"}
    assert {"Batches", "Disputes", "Panels"} <= plan.depending_on({"Staking"})
    assert "IFX" not in plan.depending_on({"Staking"})
    assert {"IFX", "VestingWallet"} <= plan.depending_on({"Vesting"})


@pytest.mark.parametrize(
    "changes",
    [
        {"governor": "0xabc"},
        {"chain_id": "1337"},
        {"unknown": 1},
        {"ifx_price": 0},
        {"native": key("native").address},
        {"factory": key("factory").address},
        {"development": None},
        {"coins": [{"address": "deployer"}]},
    ],
)
def test_wrong_settings_are_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(json.loads(DEV.read_text()) | changes))
    with pytest.raises(Misconfigured):
        load_settings(path)
    with pytest.raises(Misconfigured, match="--config"):
        load_settings(tmp_path / "absent.json")


def bonded_manager(protocol: Protocol) -> tuple[int, str]:
    """A manager by way of the faucet; returns node and operator."""
    owner, operator = key("manager's owner").address, key("manager's operator").address
    with acting(DEPLOYER):
        protocol["IFX"].transfer(owner, 100_000 * IFX)
    with acting(owner):
        licence = protocol["Faucet"].claim_licence(MANAGER)
        node = protocol["NodeRegistry"].register(licence, operator, bytes(32), 0)
        protocol["IFX"].approve(protocol["Staking"], 100_000 * IFX)
        protocol["Staking"].stake(node, 100_000 * IFX)
    assert protocol["Staking"].is_bonded(node)
    return node, operator


def test_client_tops_up_and_withdraws_by_a_real_accounts_root(protocol: Protocol) -> None:
    client = key("client").address
    _, operator = bonded_manager(protocol)
    dollar, accounts, epochs = protocol["IfxDollar"], protocol["Accounts"], protocol["BurnMintWork"]
    with acting(client):
        protocol["Faucet"].drip(client)
        protocol["DevUSD"].approve(dollar, 10**9)
        account = dollar.top_up(protocol["DevUSD"], 10**9, client)
        dollar.request_withdrawal(account, 600 * USD)
    epoch = epochs.epoch()
    for closing in range(epochs.closed(), epoch + 1):
        advance(max(0, epochs.epoch_end(closing) - now()))
        epochs.close_epoch()
    leaf = AccountLeaf(account=account, spent=0, reserved=100 * USD)
    tree = trees.Tree([trees.EMPTY, trees.account_leaf(leaf)])
    nodes = trees.Tree([trees.node_leaf(NodeLeaf(node=0, matured=0, vesting=0, start=0))])
    with acting(operator):
        accounts.post(epoch, tree.root.hash, 0, 100 * USD, nodes.root.hash, 0, 0, bytes(32))
    proof = flat(tree.proof(account))
    with boa.reverts("IfxDollar: no accounts root after the request yet"):
        dollar.withdraw(account, 0, 100 * USD, proof)
    advance(protocol["Parameters"].get(parameter("accounts_window")))
    accounts.finalize()
    with boa.reverts("IfxDollar: not in the accounts root"):
        dollar.withdraw(account, 0, 0, proof)
    assert dollar.withdraw(account, 0, 100 * USD, proof) == 600 * USD
    assert protocol["DevUSD"].balanceOf(client) == 600 * 10**6
