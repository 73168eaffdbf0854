# SPDX-License-Identifier: Apache-2.0
"""The licence sale and the buyback of a world: deployed and wired as they are, open from the start, and who trades there."""

import boa
from eth_account.signers.local import LocalAccount
from eth_utils import keccak

from deploy.tiers import load_tiers
from inferix.lists import StandardTree
from tests.contracts.system import DAY, IFX, VERIFIER, WORKER, System, acting, deployer, key, now

DELAY = 15_768_000  # from TGE to the buyback's window
OPENS_IN = 21 * DAY  # the window, after the start: the machine's own epochs go on meanwhile
WHITELIST_FOR = DAY
# The first tier as it is sold, and small ones: sold out soon, or of a price whose rebate is no whole cent.
TIERS = {
    WORKER: [load_tiers("worker")[0].values(), (33_333, 2, 4, 2), (333, 0, 9, 1)],
    VERIFIER: [load_tiers("verifier")[0].values(), (50_001, 1, 2, 1), (70_007, 0, 40, 0)],
}
RATE = 1_999_999_999_999  # nano-USD of a whole coin of wrapped native
PARTNERS = {keccak(text="partner code: studio"): 700, keccak(text="partner code: client"): 2_000}
LISTED = ("address", "uint256", "uint256")
WHITELISTED = [(role, tier) for role in TIERS for tier in (1, 2)]  # for each buyer but the last


class Selling(System):
    """Sale and buyback in place of people; the second partner is a buyer too."""

    def _deploy_sale(self) -> None:
        self.treasury = key("treasury").address
        self.native = deployer("token/dev/DevNative.vy").deploy()
        self.node_sale = deployer("licences/NodeSale.vy").deploy(
            self.parameters, self.licence, self.native, self.treasury, TIERS[WORKER], TIERS[VERIFIER]
        )
        contracts = (self.parameters, self.node_sale, self.licence, self.registry, self.ifx, self.market)
        addresses = [contract.address for contract in contracts]
        tge = now() + OPENS_IN - DELAY
        self.buyback = deployer("licences/Buyback.vy").deploy(*addresses, self.treasury, tge)
        self.node_sale.wire(self.buyback)

    def open_shop(self, buyers: list[LocalAccount]) -> None:
        """As the governor: times, coins, a rate and its setter, the whitelist, two partners. Buyers get wrapped native."""
        self.buyers, self.partner, self.setter = buyers, key("partner"), key("rate setter")
        self.invited = [(buyer.address, *each) for buyer in buyers[:-1] for each in WHITELISTED]
        self.whitelist = StandardTree(LISTED, self.invited)
        with acting(self.governor):
            self.node_sale.set_times(now(), now() + WHITELIST_FOR, now() + 1_000 * DAY)
            for coin in (self.usd, self.native):
                self.node_sale.accept_coin(coin, True)
            self.node_sale.set_rate(RATE)
            self.node_sale.set_rate_setter(self.setter.address)
            self.node_sale.set_whitelist(self.whitelist.root, bytes(32))
            for (code, bps), owner in zip(PARTNERS.items(), self.owners_of_codes(), strict=True):
                self.node_sale.set_partner(code, owner, bps)
        for buyer in buyers:
            boa.env.set_balance(buyer.address, 100 * IFX)
            with acting(buyer):
                self.native.deposit(value=100 * IFX)
                for coin in (self.usd, self.cents, self.native):
                    coin.approve(self.node_sale, 2**255)

    def owners_of_codes(self) -> list[str]:
        """Addresses of the partners."""
        return [self.partner.address, self.buyers[0].address]

    def coins_of(self, name: str) -> int:
        """Native coin that a contract holds [wei]."""
        return int(boa.env.get_balance(getattr(self, name).address))
