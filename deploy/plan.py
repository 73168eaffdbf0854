# SPDX-License-Identifier: Apache-2.0
"""The deployment as data: which contracts, from which arguments, and which calls make one protocol of them; pure.

`Ref("Batches")` stands for the address of a contract of the plan. Every call names what shows that it was made, so that
a deployment that was interrupted goes on where it stopped.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from eth_utils.crypto import keccak

from deploy.settings import DEPLOYER, FUND, TIMELOCK, Settings
from deploy.tiers import ROLES, load_tiers
from inferix.models.parameters import DEFAULTS

IFX = 10**18
# IFX of each share; 462,500,000 more are the minter's
SHARES = {
    "seed": 80_000_000,
    "strategic": 70_000_000,
    "kol": 25_000_000,
    "public": 50_000_000,
    "liquidity": 6_000_000,
    "community": 144_000_000,
    "foundation": 125_000_000,
    "ecosystem": 37_500_000,
}
# Shares that vest, by their numbers in Vesting
VESTED = {"seed": 1, "strategic": 2, "kol": 3, "public": 4, "foundation": 5}
# Contracts that freeze and slash stakes and set a node's status
COURTS = ("Panels", "Disputes", "Availability", "Objections", "Contradictions", "Strikes")
# IFX of the community's share that is free at TGE; the rest is the CommunityFund's
COMMUNITY_AT_TGE = 3_000_000


@dataclass(frozen=True, slots=True)
class Ref:
    """The address of a contract of the plan."""

    contract: str


@dataclass(frozen=True, slots=True)
class Creation:
    """A contract to deploy."""

    contract: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """A view and what its value must be."""

    contract: str
    view: str
    arguments: tuple[Any, ...] = ()
    holds: Callable[[Any], bool] = bool
    # The contract of the plan whose address the value must be, in place of `holds`
    is_address_of: str = ""

    def met(self, value: Any, addresses: Mapping[str, str]) -> bool:
        """Whether the value is what it must be."""
        return bool(value == addresses[self.is_address_of] if self.is_address_of else self.holds(value))


@dataclass(frozen=True, slots=True)
class Call:
    """A call that the deployer makes unless `done` holds."""

    contract: str
    function: str
    arguments: tuple[Any, ...]
    done: Check

    def __str__(self) -> str:
        return f"{self.contract}.{self.function}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Creations in order, then calls in any order; left: what others must do afterwards, in words."""

    creations: list[Creation]
    calls: list[Call]
    left: list[str] = field(default_factory=list)

    def depending_on(self, contracts: set[str]) -> set[str]:
        """These contracts, and all that were made with the address of one of them."""
        found = set(contracts)
        for creation in self.creations:
            if references(creation.arguments) & found:
                found.add(creation.contract)
        return found


def make_plan(settings: Settings, deployer: str, now: int) -> Plan:
    """The plan for these settings; now: time of the chain's newest block [s], which the first epoch contains."""
    left: list[str] = []
    creations = _creations(settings, deployer, now)
    calls = [*_wiring(), *_opening(settings, deployer, left)]
    return Plan(creations, calls, left)


def epoch_length(settings: Settings) -> int:
    """Seconds."""
    return settings.parameters.get("epoch_length", DEFAULTS["epoch_length"])


def resolve(value: Any, addresses: Mapping[str, str]) -> Any:
    """The value with addresses in place of references."""
    if isinstance(value, Ref):
        return addresses[value.contract]
    if isinstance(value, tuple):
        return tuple(resolve(item, addresses) for item in value)
    return value


def _is_set(address: Any) -> bool:
    return bool(int(str(address), 16))


def references(value: Any) -> set[str]:
    """Contracts that a value refers to."""
    if isinstance(value, Ref):
        return {value.contract}
    if isinstance(value, tuple):
        return {contract for item in value for contract in references(item)}
    return set()


def _at_least(amount: int) -> Callable[[Any], bool]:
    return lambda found: bool(found >= amount)


def _creations(settings: Settings, deployer: str, now: int) -> list[Creation]:
    def who(address: str) -> str:
        return deployer if address == DEPLOYER else address

    parameters, registry, staking, ifx = Ref("Parameters"), Ref("NodeRegistry"), Ref("Staking"), Ref("IFX")
    dollar, batches, market = Ref("IfxDollar"), Ref("Batches"), Ref("ReferenceMarket")
    books = (parameters, registry, staking, ifx)
    names = tuple(keccak(text=name) for name in settings.parameters)
    length = epoch_length(settings)
    rules = settings.voting
    # The deployer governs until everything stands (see _opening).
    plan = [
        Creation("Parameters", (deployer, who(settings.guardian), names, tuple(settings.parameters.values()))),
        Creation("Vesting", (who(settings.foundation), settings.tge or now)),
        Creation("CommunityFund", (parameters,)),
        Creation("IFX", _allocation(settings, who)),
        Creation("VestingWallet", (ifx, Ref("Vesting"))),
        Creation("Timelock", (parameters, rules.timelock)),
        Creation("Staking", (parameters, ifx)),
        Creation(
            "Governor", (ifx, staking, Ref("Timelock"), rules.delay, rules.period, rules.threshold, rules.quorum_bps)
        ),
        Creation("NodeRegistry", (parameters,)),
        Creation("IfxDollar", (parameters,)),
        Creation("NodeLicence", (parameters, settings.licence_uri)),
        Creation("PenaltyPool", (parameters, ifx)),
        Creation("ReferenceMarket", (parameters, ifx, dollar, who(settings.treasury), settings.ifx_price)),
        *_licence_sale(settings, who(settings.treasury), settings.tge or now),
        Creation("Batches", (parameters, registry, staking, now - now % length)),
        Creation("Orders", (parameters, registry, staking, dollar, batches)),
        Creation("Rosters", (parameters, registry, staking)),
        Creation("BurnMintWork", (parameters, ifx, batches)),
        Creation("Delegation", (*books, Ref("BurnMintWork"))),
        Creation("Accounts", (*books, Ref("BurnMintWork"), Ref("PenaltyPool"), Ref("Delegation"))),
        *_exchange(settings, deployer),
        Creation("FeeBurner", (parameters, ifx, dollar, batches, registry, market, who(settings.foundation))),
        Creation("BalanceClaims", (parameters, dollar, Ref("Accounts"), batches, who(settings.foundation))),
        Creation("Availability", (parameters, registry, staking, ifx, batches, Ref("Rosters"), Ref("Accounts"))),
        Creation(
            "Committees",
            (parameters, registry, dollar, batches, Ref("Rosters"), Ref("Orders"), Ref("Availability")),
        ),
        Creation("Escape", (parameters, registry, staking, ifx, dollar, batches, Ref("Committees"))),
        Creation("Leases", (parameters, registry, dollar, batches, Ref("Committees"), who(settings.foundation))),
        Creation("Disputes", (parameters, registry, staking, ifx, batches, Ref("Orders"), Ref("Committees"), dollar)),
        Creation("Panels", (parameters, registry, staking, ifx, dollar, batches, Ref("Rosters"))),
        Creation("Objections", (*books, dollar, batches, Ref("Rosters"), Ref("Accounts"))),
        Creation("Contradictions", (*books, dollar, batches, Ref("Rosters"))),
        Creation("Strikes", (parameters, registry, staking, batches, Ref("Panels"))),
    ]
    if settings.development:
        gift = settings.development
        plan.append(Creation("DevUSD", ()))
        plan.append(Creation("Faucet", (Ref("DevUSD"), ifx, Ref("NodeLicence"), gift.drip_usd, gift.drip_ifx)))
    return plan


def _exchange(settings: Settings, deployer: str) -> list[Creation]:
    """Where pools are. A development network gets Uniswap V2, as its authors built it (deploy/packages.py)."""
    factory = settings.factory or Ref("UniswapV2Factory")
    reference = Ref("ReferenceMarket")
    market = Creation("PoolMarket", (Ref("Parameters"), Ref("IFX"), Ref("IfxDollar"), reference, factory))
    if not settings.development:
        return [market]
    router = Creation("UniswapV2Router02", (factory, Ref("WETH9")))
    return [Creation("UniswapV2Factory", (deployer,)), Creation("WETH9", ()), router, market]


def _licence_sale(settings: Settings, treasury: str, tge: int) -> list[Creation]:
    parameters, licences, sale = Ref("Parameters"), Ref("NodeLicence"), Ref("NodeSale")
    tiers = (tuple(tier.values() for tier in load_tiers(role)) for role in ROLES)
    registry, ifx, market = Ref("NodeRegistry"), Ref("IFX"), Ref("ReferenceMarket")
    plan = [
        Creation("NodeSale", (parameters, licences, _native(settings), treasury, *tiers)),
        Creation("Buyback", (parameters, sale, licences, registry, ifx, market, treasury, tge)),
    ]
    return [Creation("DevNative", ()), *plan] if settings.development else plan


def _native(settings: Settings) -> Any:
    return settings.native or Ref("DevNative")


def _allocation(settings: Settings, who: Callable[[str], str]) -> tuple[tuple[Any, ...], tuple[int, ...]]:
    """Holders and wei of the first mint: what vests and what governance grants is minted to where it waits."""
    shares = settings.allocation
    amounts: dict[Any, int] = {
        Ref("Vesting"): sum(SHARES[share] for share in VESTED),
        Ref("CommunityFund"): SHARES["community"] - COMMUNITY_AT_TGE,
    }
    free = {"liquidity": SHARES["liquidity"], "community": COMMUNITY_AT_TGE, "ecosystem": SHARES["ecosystem"]}
    for share, amount in free.items():
        named = getattr(shares, share)
        holder = Ref("CommunityFund") if named == FUND else who(named)
        amounts[holder] = amounts.get(holder, 0) + amount
    return tuple(amounts), tuple(amount * IFX for amount in amounts.values())


def _wiring() -> list[Call]:
    wires: dict[str, tuple[Any, ...]] = {
        "Timelock": ("Governor",),
        "CommunityFund": ("IFX",),
        "NodeLicence": ("NodeRegistry", "NodeSale", "Buyback"),
        "NodeSale": ("Buyback",),
        "NodeRegistry": ("NodeLicence", "Staking", COURTS),
        "Staking": ("NodeRegistry", "ReferenceMarket", "PenaltyPool", "Batches", "Delegation", COURTS),
        "PenaltyPool": ("BurnMintWork", "Accounts"),
        "IfxDollar": ("Batches", "Accounts", "FeeBurner", "BalanceClaims", "Leases"),
        "Batches": ("Disputes", "Objections", "Escape"),
        "Rosters": (("Availability", "Objections"),),
        "Accounts": (("Availability", "Objections"),),
        "Delegation": ("Accounts",),
        "BurnMintWork": ("Accounts", "FeeBurner", "PenaltyPool"),
    }
    minter = Check("IFX", "mintable")
    vesting = Call("Vesting", "wire", (Ref("IFX"), Ref("VestingWallet")), Check("Vesting", "wallet_code", (), _is_set))
    return [Call("IFX", "wire", (Ref("BurnMintWork"),), minter), vesting] + [
        Call(contract, "wire", _refs(others), Check(contract, "wired")) for contract, others in wires.items()
    ]


def _refs(names: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(Ref(name) if isinstance(name, str) else _refs(name) for name in names)


def _opening(settings: Settings, deployer: str, left: list[str]) -> list[Call]:
    """What the deployer, while it governs, and the foundation do before the first client comes."""
    coins: list[tuple[Any, int]] = [(coin.address, coin.cap) for coin in settings.coins]
    calls: list[Call] = []
    if settings.development:
        faucet = Ref("Faucet")
        coins.append((Ref("DevUSD"), settings.development.usd_cap))
        calls += [
            Call(contract, "set_minter", (faucet, True), Check(contract, "is_minter", (faucet,)))
            for contract in ("DevUSD", "NodeLicence")
        ]
        # Nothing is sold or given away before the deployment is complete.
        amount = settings.development.faucet_ifx
        calls.append(Call("CommunityFund", "grant", (faucet, amount), _holds_ifx("Faucet", amount)))
    for coin, cap in coins:
        known = Check("IfxDollar", "coin", (coin,), lambda found: found[0] != 0)
        calls.append(Call("IfxDollar", "add_coin", (coin, cap), known))
    calls += _selling(settings, deployer, [coin for coin, _ in coins])
    if settings.development and settings.allocation.ecosystem in (DEPLOYER, deployer):
        calls += _pooling(settings, settings.development.pool_ifx, deployer)
    else:
        left.append("once a pair has liquidity, the governor calls PoolMarket.add_pool, and set_market of its readers")
    calls += [*_endowing(settings, deployer, left), *_vesting(settings, deployer, left)]
    return [*calls, *_handing_over(settings, deployer, left)]


def _handing_over(settings: Settings, deployer: str, left: list[str]) -> list[Call]:
    """Who governs from now on. The last calls: the timelock accepts only after all before it was mined."""
    if settings.governor == TIMELOCK:
        # Whether it was proposed shows in another place once it governs: the timelock looks at both.
        proposed, taken = Check("Timelock", "may_govern"), Check("Timelock", "governs")
        return [
            Call("Parameters", "propose_governor", (Ref("Timelock"),), proposed),
            Call("Timelock", "accept_governor", (), taken),
        ]
    if settings.governor in (DEPLOYER, deployer):
        return []
    left.append(f"the governor {settings.governor} calls Parameters.accept_governor")
    named = Check("Parameters", "proposed_governor", (), lambda found: found == settings.governor)
    return [Call("Parameters", "propose_governor", (settings.governor,), named)]


def _selling(settings: Settings, deployer: str, coins: list[Any]) -> list[Call]:
    """The licence sale opens: its times, coins, first rate, and who keeps that."""
    sale, native = settings.sale, _native(settings)
    times = (sale.whitelist_at, sale.public_at, sale.ends_at)
    calls = [
        Call("NodeSale", "accept_coin", (coin, True), Check("NodeSale", "coin", (coin,), lambda found: bool(found[0])))
        for coin in (*coins, native)
    ]
    rated = Check("NodeSale", "coin", (native,), lambda found: found[2] != 0)
    calls.append(Call("NodeSale", "set_rate", (sale.rate,), rated))
    calls.append(Call("NodeSale", "set_times", times, Check("NodeSale", "times", (), lambda found: found[2] != 0)))
    if sale.rate_setter:
        setter = deployer if sale.rate_setter == DEPLOYER else sale.rate_setter
        known = Check("NodeSale", "rate_setter", (), lambda found: found == setter)
        calls.append(Call("NodeSale", "set_rate_setter", (setter,), known))
    return calls


def _pooling(settings: Settings, ifx: int, deployer: str) -> list[Call]:
    """A pool of DevUSD at the reference price, where fees buy IFX from the start."""
    usd = ifx * settings.ifx_price // 10**21  # units of 10^-6 USD
    router, coin, everything = Ref("UniswapV2Router02"), Ref("DevUSD"), 2**256 - 1
    minted = Check("DevUSD", "totalSupply", (), _at_least(usd))
    calls = [Call("DevUSD", "mint", (deployer, usd), minted)]
    for token in ("IFX", "DevUSD"):
        allowed = Check(token, "allowance", (deployer, router), _at_least(ifx))
        calls.append(Call(token, "approve", (router, everything), allowed))
    terms = (Ref("IFX"), coin, ifx, usd, ifx, usd, deployer, everything)
    pooled = Check("UniswapV2Factory", "allPairsLength")
    calls.append(Call("UniswapV2Router02", "addLiquidity", terms, pooled))
    known = Check("PoolMarket", "newest", (coin,), lambda found: found[0] != 0)
    calls.append(Call("PoolMarket", "add_pool", (coin,), known))
    for reader in ("Staking", "FeeBurner", "Buyback"):
        there = Check(reader, "market", (), is_address_of="PoolMarket")
        calls.append(Call(reader, "set_market", (Ref("PoolMarket"),), there))
    return calls


def _holds_ifx(contract: str, amount: int) -> Check:
    return Check("IFX", "balanceOf", (Ref(contract),), _at_least(amount))


def _endowing(settings: Settings, deployer: str, left: list[str]) -> list[Call]:
    """What the ecosystem's share is set aside for."""
    calls = []
    for contract, amount in {"ReferenceMarket": settings.market_ifx, "Buyback": settings.sale.buyback_ifx}.items():
        if settings.allocation.ecosystem in (DEPLOYER, deployer):
            calls.append(Call("IFX", "transfer", (Ref(contract), amount), _holds_ifx(contract, amount)))
        elif settings.allocation.ecosystem == FUND:
            calls.append(Call("CommunityFund", "grant", (Ref(contract), amount), _holds_ifx(contract, amount)))
        else:
            left.append(f"the holder of the ecosystem's share transfers {amount} wei of IFX to {contract}")
    return calls


def _vesting(settings: Settings, deployer: str, left: list[str]) -> list[Call]:
    """A schedule over the whole of each share whose beneficiary is one; the foundation makes the others itself."""
    calls = []
    for share, number in VESTED.items():
        beneficiary = getattr(settings.allocation, share)
        if beneficiary is None or settings.foundation not in (DEPLOYER, deployer):
            left.append(f"the foundation makes the schedules of {SHARES[share]} IFX ({share}): Vesting.create")
            continue
        beneficiary = deployer if beneficiary == DEPLOYER else beneficiary
        done = Check("Vesting", "unallocated", (number,), lambda found: found == 0)
        calls.append(Call("Vesting", "create", (number, (beneficiary,), (SHARES[share] * IFX,)), done))
    return calls
