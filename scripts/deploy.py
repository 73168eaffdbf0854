# SPDX-License-Identifier: Apache-2.0
"""Deploy the protocol with Ape: `ape run deploy --network ethereum:local:node`.

Settings are in deploy/dev.json (--config), what was deployed is in deployments/<chain id>.json (--out). A second run
deploys nothing: it finishes what an interrupted run left open, and verifies the whole, as does --verify alone.
"""

import time
from functools import cache
from pathlib import Path
from typing import Any

import click
from ape import accounts, project
from ape.api import AccountAPI, ProviderAPI
from ape.cli import ConnectedProviderCommand, network_option
from ape.contracts import ContractContainer
from ape.exceptions import ContractLogicError, ProviderError, VirtualMachineError
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from ethpm_types import ContractType
from rlp import encode as rlp_encode  # type: ignore[import-untyped]

from deploy.packages import FILES, built
from deploy.plan import Call, Creation, Plan, epoch_length, make_plan, resolve
from deploy.record import Record
from deploy.settings import Settings, load_settings
from deploy.verify import code_differs, expectations, undone
from inferix.errors import Misconfigured

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


@click.command(cls=ConnectedProviderCommand)
@network_option()
@click.option("--config", type=click.Path(path_type=Path), default=Path("deploy/dev.json"), show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=Path("deployments"), show_default=True)
@click.option("--account", "alias", help="Ape's name of the deployer's account; a local network has test accounts")
@click.option("--verify", is_flag=True, help="send nothing: only compare what is deployed with the settings")
def cli(provider: ProviderAPI, config: Path, out: Path, alias: str | None, *, verify: bool) -> None:
    """Deploy the contracts, wire them, write down where they are, and verify what is there."""
    try:
        settings = load_settings(config)
    except Misconfigured as error:
        raise click.ClickException(str(error)) from error
    if provider.chain_id != settings.chain_id:
        raise click.ClickException(f"the network is chain {provider.chain_id}, {config} is for {settings.chain_id}")
    record = Record(out, settings.chain_id)
    if verify and not record.complete:
        raise click.ClickException(f"{record.path} is no complete deployment: nothing to verify")
    # Who verifies needs no account: the record says who deployed.
    account = None if verify and record.deployer else _account(provider, alias)
    deployer = account.address if account else str(record.deployer)
    _drop_lost(provider, settings, record, deployer, forget=settings.development is not None and not verify)
    begun = provider.get_block(record.block).timestamp
    plan = make_plan(settings, deployer, begun)
    _refuse(record, _foreign(provider, plan, record, deployer, begun))
    if record.complete:
        _refuse(record, _differences(plan, settings, record, deployer))
        click.echo(f"{record.path} is complete and what is on the chain is as {config} says: nothing to deploy")
    elif account:
        _deploy(provider, account, plan, record)
        _refuse(record, _differences(plan, settings, record, deployer))


def _deploy(provider: ProviderAPI, account: AccountAPI, plan: Plan, record: Record) -> None:
    _check_funds(provider, account)
    started = time.monotonic()
    chain = Chain(provider, account)
    click.echo(f"deploying {len(plan.creations)} contracts to chain {provider.chain_id} as {account.address}")
    _create(chain, plan, record)
    _call(chain, plan, record)
    record.finish()
    click.echo(f"deployed in {time.monotonic() - started:.1f} s: {record.path}")
    for line in plan.left:
        click.echo(f"left to do: {line}")


def _account(provider: ProviderAPI, alias: str | None) -> AccountAPI:
    return accounts.load(alias) if alias else _test_account(provider)


def _test_account(provider: ProviderAPI) -> AccountAPI:
    if provider.network.name != "local":
        raise click.UsageError("name the deployer's account with --account (`ape accounts list`)")
    return accounts.test_accounts[0]


def _drop_lost(provider: ProviderAPI, settings: Settings, record: Record, deployer: str, *, forget: bool) -> None:
    """Contracts of the plan without code leave the record, with those that were told their address.

    A local chain started anew; or the run ended before these were mined.
    """
    newest = provider.get_block("latest")
    plan = make_plan(settings, deployer, newest.timestamp)
    there = {name for name, address in record.addresses.items() if provider.get_code(address)}
    missing = {creation.contract for creation in plan.creations} - there
    if missing and record.complete and not forget:
        raise click.ClickException(f"{record.path} is complete, but the chain has no code of {sorted(missing)}")
    record.drop(plan.depending_on(missing))
    if not record.addresses:
        record.begin(int(newest.number or 0), deployer)
    elif record.deployer not in (None, deployer):
        raise click.ClickException(
            f"{record.deployer} began this deployment and alone can wire it: name that --account"
        )
    elif "Batches" in missing and newest.timestamp >= _first_epoch_ends(provider, settings, record, deployer):
        raise click.ClickException(
            f"the first epoch was over before Batches was made: move {record.path} away to deploy anew"
        )


def _first_epoch_ends(provider: ProviderAPI, settings: Settings, record: Record, deployer: str) -> int:
    plan = make_plan(settings, deployer, provider.get_block(record.block).timestamp)
    genesis = next(creation.arguments[-1] for creation in plan.creations if creation.contract == "Batches")
    return int(genesis) + epoch_length(settings)


def _refuse(record: Record, differences: list[str]) -> None:
    if differences:
        lines = "".join(f"\n  {line}" for line in differences)
        raise click.ClickException(f"what {record.path} names is not what the settings say:{lines}")


def _foreign(provider: ProviderAPI, plan: Plan, record: Record, deployer: str, begun: int) -> list[str]:
    """Recorded contracts whose code or immutables are others than the plan's."""
    found = []
    for creation in plan.creations:
        if creation.contract in record.addresses:
            code = bytes(provider.get_code(record.addresses[creation.contract]))
            expected = _constructed(provider, creation, record, deployer, begun)
            runtime = len(_container(creation.contract).contract_type.get_runtime_bytecode() or b"")
            found.append(code_differs(creation.contract, code, expected, runtime))
    return [line for line in found if line]


def _constructed(provider: ProviderAPI, creation: Creation, record: Record, deployer: str, begun: int) -> bytes:
    """The code, immutables included, that a constructor returns where the contract is, sent by whom and when it was.

    The chain runs the creation's code in place of the contract's, before storage: nothing of it lasts.
    """
    address = record.addresses[creation.contract]
    arguments = resolve(creation.arguments, record.addresses)
    creating = "0x" + bytes(_container(creation.contract).constructor.serialize_transaction(*arguments).data).hex()
    override = {address: {"code": creating, "state": {}}}
    call = {"from": deployer, "to": address}
    try:
        returned = provider.make_request("eth_call", [call, "latest", override, {"time": hex(begun)}])
    except (ContractLogicError, VirtualMachineError, ProviderError) as error:
        raise click.ClickException(f"the constructor of {creation.contract} refuses the settings: {error}") from error
    return bytes.fromhex(returned.removeprefix("0x"))


def _differences(plan: Plan, settings: Settings, record: Record, deployer: str) -> list[str]:
    """What is stored otherwise than the settings say: wires, parameters, who governs, and what was opened."""
    addresses = record.addresses

    def read(contract: str, view: str, arguments: tuple[Any, ...]) -> Any:
        return getattr(_at(contract, addresses), view)(*arguments)

    found = [each.differs(read, addresses) for each in expectations(plan, settings, deployer)]
    return [line for line in found if line] + undone(plan, lambda call: _holds(call, addresses))


def _check_funds(provider: ProviderAPI, account: AccountAPI) -> None:
    needed = DEPLOYMENT_GAS * (provider.base_fee + provider.priority_fee)
    if account.balance < needed:
        raise click.ClickException(
            f"{account.address} has {account.balance} wei, the deployment may cost {needed}: fund it first"
        )


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
        if not _holds(call, addresses):
            method = getattr(_at(call.contract, addresses), call.function)
            chain.send(str(call), method.as_transaction(*resolve(call.arguments, addresses), sender=chain.account))
    chain.wait()
    undone = [str(call) for call in plan.calls if not _holds(call, addresses)]
    if undone:
        raise click.ClickException(f"these had no effect: {undone}")


def _holds(call: Call, addresses: dict[str, str]) -> bool:
    check = call.done
    view = getattr(_at(check.contract, addresses), check.view)
    return check.met(view(*resolve(check.arguments, addresses)), addresses)


def _at(name: str, addresses: dict[str, str]) -> Any:
    return _container(name).at(addresses[name])
