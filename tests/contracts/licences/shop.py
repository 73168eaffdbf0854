# SPDX-License-Identifier: Apache-2.0
"""The protocol with its own licence sale and buyback, open, and what a buyer and a holder do with them."""

import boa
from eth_account.signers.local import LocalAccount
from eth_utils import keccak

from deploy.tiers import load_tiers
from tests.contracts.merkle.lists import load
from tests.contracts.system import (
    DAY,
    IFX,
    USD,
    VERIFIER,
    WORKER,
    Contract,
    System,
    acting,
    deployer,
    key,
    now,
    set_time,
)

TIERS = {WORKER: load_tiers("worker"), VERIFIER: load_tiers("verifier")}
NATIVE_RATE = 2_000 * USD  # nano-USD of a whole coin
NONE = bytes(32)
PARTNER = keccak(text="partner code: studio")
OPENS_AFTER = 365 * DAY // 2
WINDOW, EXCHANGE_TERM, LINEAR, CLAIM_TERM = 7 * DAY, 2 * DAY, 30 * DAY, 90 * DAY


def wallet_code(person: LocalAccount | Contract) -> bytes:
    """The code that is a wallet's address."""
    return bytes.fromhex(str(person.address)[2:]).rjust(32, b"\0")


class Shop(System):
    """Sale and buyback in place of people. The whitelist sale runs for a day from the start, then the public sale."""

    def _deploy_sale(self) -> None:
        self.tge = now()
        self.treasury = key("treasury").address
        self.native = deployer("token/dev/DevNative.vy").deploy()
        tiers = [[tier.values() for tier in TIERS[role]] for role in (WORKER, VERIFIER)]
        self.node_sale = deployer("licences/NodeSale.vy").deploy(
            self.parameters, self.licence, self.native, self.treasury, *tiers
        )
        self.buyback = deployer("licences/Buyback.vy").deploy(*self.buyback_arguments(), self.tge)
        self.node_sale.wire(self.buyback)

    def buyback_arguments(self) -> list[str]:
        """What a buyback is deployed with, before the TGE."""
        contracts = (self.parameters, self.node_sale, self.licence, self.registry, self.ifx, self.market)
        return [*(contract.address for contract in contracts), self.treasury]

    def open_sale(self, whitelist_for: int = DAY) -> None:
        """As the governor: times, coins, a rate, the whitelist and a partner."""
        with acting(self.governor):
            self.node_sale.set_times(now(), now() + whitelist_for, now() + 1000 * DAY)
            for coin in (self.usd, self.native):
                self.node_sale.accept_coin(coin, True)
            self.node_sale.set_rate(NATIVE_RATE)
            self.node_sale.set_whitelist(load("whitelist").root, bytes(32))
            self.node_sale.set_partner(PARTNER, key("partner").address, 700)

    def set_rate(self, rate: int = NATIVE_RATE) -> None:
        """As the governor."""
        with acting(self.governor):
            self.node_sale.set_rate(rate)

    def fund(self, buyer: LocalAccount, coin: Contract, units: int) -> None:
        """Money for a buyer, and the sale's allowance of it."""
        if coin.address == self.usd.address:
            self.give_usd(buyer.address, units)
        elif coin.address == self.native.address:
            boa.env.set_balance(buyer.address, units)
            with acting(buyer):
                coin.deposit(value=units)
        else:
            coin.mint(buyer.address, units)
        with acting(buyer):
            coin.approve(self.node_sale, 2**256 - 1)

    def buy(
        self,
        buyer: LocalAccount,
        tier: int = 1,
        count: int = 1,
        role: int = WORKER,
        coin: Contract | None = None,
        code: bytes = NONE,
        funds: int | None = None,
    ) -> int:
        """A purchase in the public sale, with just the money for it unless told otherwise."""
        coin = coin or self.usd
        due = self.node_sale.quote(role, tier, count, coin, code, buyer.address)
        self.fund(buyer, coin, due if funds is None else funds)
        with acting(buyer):
            return int(self.node_sale.buy(role, tier, count, coin, due, code))

    def own_ifx(self, amount: int = IFX) -> None:
        """IFX for the buyback from the foundation [wei]."""
        self.give_ifx(self.buyback.address, amount)

    def start_public_sale(self) -> None:
        """The whitelist sale is over."""
        set_time(self.node_sale.times()[1])

    def open_buyback(self) -> None:
        """The window's first second, with a rate."""
        set_time(self.buyback.opens_at())
        self.set_rate()

    def offer(self, owner: LocalAccount, licence: int, option: int) -> None:
        """Approve and request, where no list of participations was posted."""
        with acting(owner):
            self.licence.approve(self.buyback, licence)
            self.buyback.request(licence, option, 0, [])

    def settle(self) -> None:
        """At the first second at which it can be, with a fresh rate."""
        set_time(self.buyback.opens_at() + WINDOW + EXCHANGE_TERM)
        self.set_rate()
        self.buyback.settle()
