# SPDX-License-Identifier: Apache-2.0
"""Deploy the protocol with Ape: `ape run deploy --network ethereum:local:node`.

Settings are in deploy/dev.json (--config), what was deployed is in deployments/<chain id>.json (--out). A second run
deploys nothing: it checks the code at the recorded addresses, and finishes what an interrupted run left open.
"""

import json
import os
import time
from functools import cache
from pathlib import Path
from typing import Any

import click
from ape import accounts, project
from ape.api import AccountAPI, ProviderAPI
from ape.cli import ConnectedProviderCommand, network_option
from ape.contracts import ContractContainer
from ape.exceptions import ContractLogicError, VirtualMachineError
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from ethpm_types import ContractType
from rlp import encode as rlp_encode  # type: ignore[import-untyped]

from deploy.packages import FILES, built
from deploy.plan import Check, Plan, make_plan, resolve
from deploy.settings import load_settings

RECEIPT_SECONDS = 300
POLL_SECONDS = 0.2
# Half more than estimated: what a pool has accumulated may still be 0 in the second of the estimate
GAS_MARGIN = 2
# Gas of the whole deployment, with room: measured 60 million
DEPLOYMENT_GAS = 80_000_000


class Chain:
    """Sends the deployer's transactions one after the other without waiting for each, and follows them."""

    def __init__(self, provider: ProviderAPI, account: AccountAPI) -> None:
        self.provider = provider
        self.account = account
        self.web3 = provider.web3
        self._nonce = self.web3.eth.get_transaction_count(account.address, "pending")
        self._waiting: list[tuple[str, bytes]] = []
        self._gas = 0  # that what waits may use
        self._block_gas = int(self.web3.eth.get_block("latest")["gasLimit"])

    def next_address(self) -> str:
        """Where the next contract of this account will be."""
        return to_checksum_address(keccak(rlp_encode([bytes.fromhex(self.account.address[2:]), self._nonce]))[12:])

    def send(self, label: str, transaction: Any) -> None:
        """Sign and send. A simulation that fails only because something is still on its way is tried again after it."""
        transaction.nonce = self._nonce
        transaction.sender = self.account.address
        try:
            gas = self.provider.estimate_gas_cost(transaction)
        except (ContractLogicError, VirtualMachineError):
            if not self._waiting:
                raise
            self.wait()
            gas = self.provider.estimate_gas_cost(transaction)
        # Ape would ask for a whole block on a local chain, and get one transaction a block.
        transaction.gas_limit = gas + gas // GAS_MARGIN
        # No more at once than a block holds: Anvil loses what is left over.
        if self._gas + transaction.gas_limit > self._block_gas:
            self.wait()
        self._gas += transaction.gas_limit
        signed = self.account.sign_transaction(self.provider.prepare_transaction(transaction))
        if signed is None:
            raise click.ClickException("the account did not sign: nothing more was sent; run again to go on")
        self._waiting.append((label, self.web3.eth.send_raw_transaction(signed.serialize_transaction())))
        self._nonce += 1

    def wait(self) -> None:
        """Until all that was sent is mined; a failed transaction ends the deployment."""
        deadline = time.monotonic() + RECEIPT_SECONDS
        for label, sent in self._waiting:
            receipt = self.web3.eth.wait_for_transaction_receipt(
                sent, timeout=max(1, deadline - time.monotonic()), poll_latency=POLL_SECONDS
            )
            if receipt["status"] != 1:
                raise click.ClickException(f"{label} failed in transaction 0x{bytes(sent).hex()}: run again to go on")
            click.echo(f"  {label}: {receipt['gasUsed']:,} gas")
        self._waiting.clear()
        self._gas = 0


class Record:
    """deployments/<chain id>.json, written after each step, so that nothing is deployed twice."""

    def __init__(self, folder: Path, chain_id: int, block: int) -> None:
        self.path = folder / f"{chain_id}.json"
        self._data: dict[str, Any] = {"chain_id": chain_id, "block": block, "complete": False, "contracts": {}}
        if self.path.exists():
            self._data = json.loads(self.path.read_text())

    @property
    def addresses(self) -> dict[str, str]:
        """Contracts so far."""
        return {name: item["address"] for name, item in self._data["contracts"].items()}

    @property
    def complete(self) -> bool:
        """Whether nothing was left to do."""
        return bool(self._data["complete"])

    def add(self, name: str, address: str, abi: list[Any]) -> None:
        """A contract that was sent."""
        self._data["contracts"][name] = {"address": address, "abi": abi}
        self._write()

    def drop(self, names: set[str]) -> None:
        """Contracts that never came to be, or are of no use."""
        for name in names & self.addresses.keys():
            del self._data["contracts"][name]
            self._data["complete"] = False

    def finish(self) -> None:
        """Everything stands."""
        self._data["complete"] = True
        self._write()

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".tmp")
        draft.write_text(json.dumps(self._data, indent=1, sort_keys=True) + "\n")
        os.replace(draft, self.path)


@click.command(cls=ConnectedProviderCommand)
@network_option()
@click.option("--config", type=click.Path(path_type=Path), default=Path("deploy/dev.json"), show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=Path("deployments"), show_default=True)
@click.option("--account", "alias", help="Ape's name of the deployer's account; a local network has test accounts")
def cli(provider: ProviderAPI, config: Path, out: Path, alias: str | None) -> None:
    """Deploy the contracts, wire them, and write down where they are."""
    settings = load_settings(config)
    if provider.chain_id != settings.chain_id:
        raise click.ClickException(f"the network is chain {provider.chain_id}, {config} is for {settings.chain_id}")
    account = accounts.load(alias) if alias else _test_account(provider)
    newest = provider.get_block("latest")
    record = Record(out, settings.chain_id, int(newest.number or 0))
    plan = make_plan(settings, account.address, newest.timestamp)
    started = time.monotonic()
    _check_recorded(provider, plan, record, forget=settings.development is not None)
    if record.complete:
        click.echo(f"{record.path} is complete and its code is on the chain: nothing to deploy")
        return
    _check_funds(provider, account)
    chain = Chain(provider, account)
    click.echo(f"deploying {len(plan.creations)} contracts to chain {settings.chain_id} as {account.address}")
    _create(chain, plan, record)
    _call(chain, plan, record)
    record.finish()
    click.echo(f"deployed in {time.monotonic() - started:.1f} s: {record.path}")
    for line in plan.left:
        click.echo(f"left to do: {line}")


def _test_account(provider: ProviderAPI) -> AccountAPI:
    if provider.network.name != "local":
        raise click.UsageError("name the deployer's account with --account (`ape accounts list`)")
    return accounts.test_accounts[0]


def _check_recorded(provider: ProviderAPI, plan: Plan, record: Record, *, forget: bool) -> None:
    """The recorded contracts are on the chain, and are those of this source."""
    codes = {name: bytes(provider.get_code(address)) for name, address in record.addresses.items()}
    missing = [name for name, code in codes.items() if not code]
    if missing and record.complete and not forget:
        raise click.ClickException(f"{record.path} says these are deployed, the chain has no code: {missing}")
    # A local chain started anew; or the run ended before these were mined. Whoever was told their address goes too.
    record.drop(plan.depending_on(set(missing)))
    for creation in plan.creations:
        code = codes.get(creation.contract)
        if code and not _is_code_of(creation.contract, code):
            raise click.ClickException(
                f"{creation.contract} at {record.addresses[creation.contract]} is not what this source compiles to: "
                f"move {record.path} away to deploy anew"
            )


def _check_funds(provider: ProviderAPI, account: AccountAPI) -> None:
    needed = DEPLOYMENT_GAS * (provider.base_fee + provider.priority_fee)
    if account.balance < needed:
        raise click.ClickException(
            f"{account.address} has {account.balance} wei, the deployment may cost {needed}: fund it first"
        )


def _is_code_of(name: str, code: bytes) -> bool:
    if name in FILES:
        return built(name).is_at(code)
    # Vyper's immutables stand behind the code.
    return code.startswith(bytes(_container(name).contract_type.get_runtime_bytecode() or b""))


@cache
def _container(name: str) -> ContractContainer:
    if name not in FILES:
        return project.get_contract(name)
    package = built(name)
    code = {"bytecode": "0x" + package.bytecode.hex()}
    return ContractContainer(ContractType(contractName=name, abi=package.abi, deploymentBytecode=code))


def _create(chain: Chain, plan: Plan, record: Record) -> None:
    for creation in plan.creations:
        if creation.contract in record.addresses:
            continue
        container = _container(creation.contract)
        arguments = resolve(creation.arguments, record.addresses)
        address = chain.next_address()
        chain.send(creation.contract, container.constructor.serialize_transaction(*arguments))
        abi = [item.model_dump(mode="json", by_alias=True, exclude_none=True) for item in container.contract_type.abi]
        record.add(creation.contract, address, abi)
    chain.wait()


def _call(chain: Chain, plan: Plan, record: Record) -> None:
    addresses = record.addresses
    for call in plan.calls:
        if not _holds(call.done, addresses):
            method = getattr(_at(call.contract, addresses), call.function)
            chain.send(str(call), method.as_transaction(*resolve(call.arguments, addresses), sender=chain.account))
    chain.wait()
    undone = [str(call) for call in plan.calls if not _holds(call.done, addresses)]
    if undone:
        raise click.ClickException(f"these had no effect: {undone}")


def _holds(check: Check, addresses: dict[str, str]) -> bool:
    view = getattr(_at(check.contract, addresses), check.view)
    return check.met(view(*resolve(check.arguments, addresses)), addresses)


def _at(name: str, addresses: dict[str, str]) -> Any:
    return _container(name).at(addresses[name])
