# SPDX-License-Identifier: Apache-2.0
"""What a node's owner does on chain: register it under a licence, stake for it. The owner's wallet pays the gas."""

import logging
from dataclasses import dataclass

from eth_account import Account

from inferix.chain.deployment import Contracts
from inferix.chain.errors import CallReverted
from inferix.chain.transact import transact
from inferix.errors import LimitExceeded, Refused
from inferix.models.roles import Role
from inferix.units import Wei, format_ifx

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Owner:
    """The contracts, and the wallet that holds the licence and the money."""

    contracts: Contracts
    key: bytes

    @property
    def address(self) -> str:
        """The checksummed address."""
        return str(Account.from_key(self.key).address)

    def register(self, licence: int, operator: str, sealing_key: bytes, price: int, role: str) -> int:
        """The id of a new node, or of the one that this operator runs already; ``price`` in nano-USD per IBM.

        :raises Refused: the licence is another's, of another role, or used up.
        """
        contracts = self.contracts
        known = int(contracts.read("NodeRegistry", "node_of_operator", operator))
        if known:
            log.info("operator %s runs node %d already", operator, known)
            return known
        try:
            holder = str(contracts.read("NodeLicence", "ownerOf", licence))
        except CallReverted as error:
            raise Refused(f"nobody holds licence {licence}: name one that the wallet {self.address} owns") from error
        if holder.lower() != self.address.lower():
            raise Refused(
                f"licence {licence} belongs to {holder}, the wallet is {self.address}: use its owner's wallet"
            )
        found = Role(int(contracts.read("NodeLicence", "role_of", licence)))
        if found.name.lower() != role:
            raise Refused(f"licence {licence} is for a {found.name.lower()}, not for a {role}: name another one")
        arguments = (licence, operator, sealing_key, price)
        transact(contracts.client, self.key, contracts.deployment.call("NodeRegistry", "register", *arguments))
        node = int(contracts.read("NodeRegistry", "node_of_operator", operator))
        log.info("registered node %d under licence %d", node, licence)
        return node

    def missing_stake(self, node: int) -> Wei | None:
        """What has to be staked before the node can be drawn; 0 when it is enough, None before a worker is measured."""
        terms = self.contracts.read("NodeRegistry", "terms", node)
        if Role(terms["role"]) is Role.WORKER and not terms["ib"]:
            return None
        required = int(self.contracts.read("Staking", "required", node))
        bonded = int(self.contracts.read("Staking", "bonded", node))
        frozen = int(self.contracts.read("Staking", "frozen", node))
        return Wei(max(0, required + frozen - bonded))

    def stake(self, node: int, amount: Wei) -> None:
        """Move IFX from the wallet into the node's stake. Raises LimitExceeded when the wallet holds less."""
        contracts, deployment = self.contracts, self.contracts.deployment
        held = int(contracts.read("IFX", "balanceOf", self.address))
        if held < amount:
            raise LimitExceeded(f"the wallet holds {format_ifx(Wei(held))}, {format_ifx(amount)} are needed: buy some")
        staking = deployment["Staking"].address
        if int(contracts.read("IFX", "allowance", self.address, staking)) < amount:
            transact(contracts.client, self.key, deployment.call("IFX", "approve", staking, amount))
        transact(contracts.client, self.key, deployment.call("Staking", "stake", node, amount))
        log.info("staked %s for node %d", format_ifx(amount), node)
