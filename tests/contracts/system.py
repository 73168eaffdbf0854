# SPDX-License-Identifier: Apache-2.0
"""The whole protocol on titanoboa, deployed and wired as one object, with the people who act on it.

A test takes the fixture `system` (tests/contracts/conftest.py): the system is deployed once a session, and what a test
does to it is rolled back.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import boa
from boa import interpret
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils import keccak

CONTRACTS = Path(__file__).parents[2] / "contracts"
STAND_INS = Path(__file__).parent / "stand_ins"

WORKER, VERIFIER, MANAGER = 1, 2, 3
ACTIVE, FROZEN, JAILED, BANNED, RETIRED = 1, 2, 3, 4, 5
DAY = 86400
USD = 10**9  # nano-USD
IFX = 10**18  # wei
PRICE = 50_000_000  # nano-USD per IFX: 0.05 USD
FLOOR = 8_000_000  # nano-USD per IBM
TGE = 537_500_000 * IFX
HASHES = 256  # that a block can look back
START = 1_800_000_000  # first second of every world: the same draws, the same calldata, in each run

Contract = Any  # boa's contracts get their methods from the ABI


def fingerprint(module: Any, seen: object = None) -> str:
    """Of a module and of all that it imports, however deep: what boa keeps compiled goes by this name.

    boa's own follows imports one level down: after a change below that it would hand out the contract of before.
    """
    found = {module._module.path: module._module.source_sha256sum}
    waiting = [module]
    while waiting:
        for statement in waiting.pop().import_stmts:
            info = statement._metadata["import_info"]
            path = str(info.compiler_input.path)
            if path not in found:
                found[path] = info.compiler_input.sha256sum
                waiting += [info.typ.module_t] if hasattr(info.typ, "module_t") else []
    return sha256(repr(sorted(found.items())).encode()).hexdigest()


interpret.get_module_fingerprint = fingerprint


@cache
def deployer(path: str, root: Path = CONTRACTS) -> Any:
    """The compiled contract of `path` under contracts/."""
    return boa.load_partial(str(root / path))


def key(name: str) -> LocalAccount:
    """A person's signing key, the same in each run."""
    return Account.from_key(keccak(text=f"inferix test key: {name}"))


def parameter(name: str) -> bytes:
    """A parameter's name as the contracts know it."""
    return keccak(text=name)


def now() -> int:
    """Time of the present block [s]."""
    return int(boa.env.timestamp)


def block_hash(number: int) -> bytes:
    """The hash of a block of the tests' chain."""
    return keccak(text=f"block {number}")


def know_hashes() -> None:
    """The chain knows the hashes of the blocks before the present one."""
    number = int(boa.env.evm.patch.block_number)
    boa.env.evm.patch.prev_hashes = [block_hash(number - 1 - depth) for depth in range(HASHES)]


def advance(seconds: int) -> None:
    """Move the clock, and blocks of 12 s."""
    boa.env.time_travel(seconds=seconds)
    know_hashes()


def set_time(timestamp: int) -> None:
    """Move the clock to this very second."""
    advance(timestamp - now())


@contextmanager
def own_time() -> Iterator[None]:
    """Within, the clock is at START; afterwards it is where it was.

    What is set up for a whole session is set up here. It is on one chain, whose clock nothing winds back before the
    session's end: else each would begin where the one before left it, and be moved on by the next.
    """
    with boa.env.evm.patch.anchor():
        boa.env.evm.patch.timestamp, boa.env.evm.patch.block_number = START, 1
        know_hashes()
        yield


@contextmanager
def acting(who: str | LocalAccount | Contract) -> Iterator[None]:
    """Within, calls come from this address."""
    with boa.env.prank(getattr(who, "address", who)):
        yield


def check_locked(coin: Contract, target: Contract, call: bytes, outer: Callable[[], object]) -> None:
    """An odd coin that makes this call while `outer` moves it has both refused; while anybody else moves it, it may.

    A lock has no reason to be named. That the call fails by nothing else is seen from outside, and that the outer one fails
    by the coin and no later: else the test would pass without the lock.
    """
    coin.set_call(target, call)
    with boa.env.anchor():
        boa.env.raw_call(coin.address, data=coin.transfer.prepare_calldata(coin, 0))
    with boa.reverts("external call failed"):
        outer()


def slot(contract: Contract, name: str, *keys: int) -> int:
    """Place in storage of a contract's variable, or of an entry of its nested HashMaps; a module's: `module.name`."""
    place = contract.compiler_data.storage_layout["storage_layout"]
    for part in (*name.split("."), "slot"):
        place = place[part]
    for each in keys:
        place = int.from_bytes(keccak(place.to_bytes(32, "big") + each.to_bytes(32, "big")), "big")
    return int(place)


@dataclass
class Node:
    """A registered node: its id and the keys of the people behind it."""

    id: int
    owner: LocalAccount
    operator: LocalAccount


class System:
    """Every contract of the protocol, wired; attributes are the contracts' names in snake_case."""

    def __init__(self) -> None:
        self.deployer = key("deployer").address
        self.governor = key("governor").address
        self.guardian = key("guardian").address
        self.foundation = key("foundation").address
        self._names = 0
        with acting(self.deployer):
            self._deploy_nodes()
            self._deploy_work()
            self._deploy_sale()
            self._wire()
        with acting(self.governor):
            self.licence.set_minter(self.foundation, True)
            self.ifx_dollar.add_coin(self.usd, 10**9 * USD)
        self.remember()

    def remember(self) -> None:
        """Its tests begin in this second, with these people."""
        self._begin = now(), int(boa.env.evm.patch.block_number), self._names

    def resume(self) -> None:
        """The clock is where it was, and the next keys are the same, whatever was set up or tested since."""
        boa.env.evm.patch.timestamp, boa.env.evm.patch.block_number, self._names = self._begin
        know_hashes()

    def _deploy_nodes(self) -> None:
        self.parameters = deployer("governance/Parameters.vy").deploy(self.governor, self.guardian, [], [])
        self.ifx = deployer("token/IFX.vy").deploy([self.foundation], [TGE])
        self.usd = deployer("token/dev/DevUSD.vy").deploy()
        self.ifx_dollar = deployer("token/IfxDollar.vy").deploy(self.parameters)
        self.licence = deployer("licences/NodeLicence.vy").deploy(self.parameters, "")
        self.registry = deployer("nodes/NodeRegistry.vy").deploy(self.parameters)
        self.staking = deployer("nodes/Staking.vy").deploy(self.parameters, self.ifx)
        self.penalty_pool = deployer("nodes/PenaltyPool.vy").deploy(self.parameters, self.ifx)

    def _deploy_work(self) -> None:
        self.market = deployer("Market.vy", STAND_INS).deploy(PRICE)
        self.batches = self.accounts = deployer("Work.vy", STAND_INS).deploy()
        self.burn_mint_work = key("burn mint work")
        self.delegation = key("delegation")
        self.fee_burner = key("fee burner")
        self.balance_claims = key("balance claims")
        self.leases = key("leases")
        self.panels = key("panels")
        self.objections = key("objections")
        self.contradictions = key("contradictions")
        self.strikes = key("strikes")
        self.disputes = key("disputes")
        self.availability = key("availability")

    def _deploy_sale(self) -> None:
        self.node_sale = key("node sale")
        self.buyback = key("buyback")

    def _wire(self) -> None:
        address = {name: getattr(each, "address", None) for name, each in vars(self).items()}
        self.ifx.wire(address["burn_mint_work"])
        payers = (address[name] for name in ("fee_burner", "balance_claims", "leases"))
        self.ifx_dollar.wire(address["batches"], address["accounts"], *payers)
        self.licence.wire(address["registry"], address["node_sale"], address["buyback"])
        self.registry.wire(address["licence"], address["staking"], self.courts())
        self.staking.wire(
            address["registry"],
            address["market"],
            address["penalty_pool"],
            address["batches"],
            address["delegation"],
            self.courts(),
        )
        self.penalty_pool.wire(address["burn_mint_work"], address["accounts"])

    def courts(self) -> list[str]:
        """Addresses of the contracts that judge."""
        courts = (self.panels, self.disputes, self.availability, self.objections, self.contradictions, self.strikes)
        return [court.address for court in courts]

    def fresh_key(self, role: str = "someone") -> LocalAccount:
        """A person nobody has met yet."""
        self._names += 1
        return key(f"{role} {self._names}")

    def set_parameter(self, name: str, value: int) -> None:
        """As the governor."""
        with acting(self.governor):
            self.parameters.set(parameter(name), value)

    def mint_licence(self, owner: LocalAccount, role: int, locked: bool = True) -> int:
        """A licence of this role for `owner`."""
        with acting(self.foundation):
            return int(self.licence.mint(owner.address, role, locked))

    def set_minted(self, role: int, count: int) -> None:
        """As if so many licences of a role had been minted."""
        boa.env.set_storage(self.licence.address, slot(self.licence, "minted", role), count)

    def register(
        self,
        role: int,
        owner: LocalAccount | None = None,
        price: int = 2 * FLOOR,
        operator: LocalAccount | None = None,
    ) -> Node:
        """A node with a licence of its own, without stake."""
        owner = owner or self.fresh_key("owner")
        operator = operator or self.fresh_key("operator")
        licence = self.mint_licence(owner, role)
        with acting(owner):
            price = price if role == WORKER else 0
            node = self.registry.register(licence, operator.address, bytes(32), price)
        return Node(int(node), owner, operator)

    def give_ifx(self, to: str, amount: int) -> None:
        """IFX [wei] from the foundation."""
        with acting(self.foundation):
            self.ifx.transfer(to, amount)

    def stake(self, node: Node, amount: int) -> None:
        """Stake [wei] for a node, paid by its owner, who is given the money first."""
        self.give_ifx(node.owner.address, amount)
        with acting(node.owner):
            self.ifx.approve(self.staking, amount)
            self.staking.stake(node.id, amount)

    def bonded(self, role: int, times: int = 1, ib: int = 1_000_000) -> Node:
        """A node with `times` the stake that it needs; a worker has been measured at `ib` micro-IB."""
        node = self.register(role)
        if role == WORKER:
            with acting(self.manager.operator):
                self.registry.attest_benchmark(node.id, ib, bytes(32))
        self.stake(node, times * int(self.staking.required(node.id)))
        return node

    @property
    def manager(self) -> Node:
        """The first bonded manager, made when first asked for."""
        owner, operator = key("manager"), key("manager's operator")
        node = int(self.registry.node_of_operator(operator.address))
        if not node:
            node = self.register(MANAGER, owner, operator=operator).id
            self.stake(Node(node, owner, operator), int(self.staking.required(node)))
        return Node(node, owner, operator)

    def give_usd(self, to: str, amount: int) -> None:
        """DevUSD [units of 10^-6 USD]."""
        with acting(self.deployer):
            self.usd.mint(to, amount)

    def top_up(self, owner: LocalAccount, amount: int) -> int:
        """Credit of `amount` units of DevUSD; returns the account."""
        self.give_usd(owner.address, amount)
        with acting(owner):
            self.usd.approve(self.ifx_dollar, amount)
            return int(self.ifx_dollar.top_up(self.usd, amount, owner.address))
