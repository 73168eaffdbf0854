# SPDX-License-Identifier: Apache-2.0
"""What is sent by who holds IFX or a licence: transfers, vesting, airdrops, votes, the buyback. Each twice, and the second time
counts: who is paid has been paid before."""

import warnings
from typing import Any

from tests.contracts.governance.council import FOR, Council
from tests.contracts.licences.shop import LINEAR, Shop
from tests.contracts.merkle.lists import listed, load
from tests.contracts.system import DAY, IFX, acting, advance, deployer, key, now, set_time
from tests.contracts.token.test_vesting import AMOUNT, PUBLIC, Vault
from tests.gas.meter import transaction_gas

IN_IFX, IN_NATIVE = 1, 2


class Holders:
    """Each room has contracts of its own; `figures` maps a transaction to its gas."""

    def __init__(self, figures: dict[str, int]) -> None:
        self.figures = figures
        self.anybody = key("anybody")

    def run(self) -> None:
        """All figures."""
        self._vesting()
        self._votes()
        self._licences()

    def measure(self, name: str, call: Any, *args: Any, sender: Any = None) -> None:
        """Record one transaction."""
        self.figures[name] = transaction_gas(call, *args, sender=sender or self.anybody)

    def _vesting(self) -> None:
        vault, holder = Vault(), key("holder")
        with warnings.catch_warnings():
            # titanoboa takes a minimal proxy for the contract behind it.
            warnings.filterwarnings("ignore", "casted bytecode")
            schedule = vault.create(PUBLIC, holder, AMOUNT * IFX)
            set_time(vault.tge + 1)
            for _ in range(2):
                self.measure("claim of what has vested", vault.vesting.claim, schedule, sender=holder)
                advance(150 * DAY)
                self.measure(
                    "delegate what vests", vault.vesting.delegate, schedule, self.anybody.address, sender=holder
                )

    def _votes(self) -> None:
        council = Council()
        governor = council.governor
        for value in (31, 32):
            proposal = council.setting("slot", value, f"set it to {value}")
            proposal.id = int(governor.hashProposal(*proposal.key))
            self.measure("transfer of IFX", council.ifx.transfer, council.bob.address, IFX, sender=council.alice)
            self.measure("delegate votes", council.ifx.delegate, key(f"for {value}").address, sender=council.carol)
            advance(1)
            self.measure(
                "propose to the governor", governor.propose, *proposal.lists, proposal.description, sender=council.alice
            )
            set_time(council.snapshot(proposal) + 1)
            self.measure("cast a vote", governor.castVote, proposal.id, FOR, sender=council.alice)
            set_time(council.deadline(proposal) + 1)
            self.measure("queue a proposal", governor.queue, *proposal.key)
            set_time(int(governor.proposalEta(proposal.id)))
            self.measure("execute a proposal", governor.execute, *proposal.key)

    def _licences(self) -> None:
        shop, owner = Shop(), key("owner of licences")
        shop.open_sale()
        fund = deployer("token/CommunityFund.vy").deploy(shop.parameters, sender=shop.deployer)
        with acting(shop.deployer):
            fund.wire(shop.ifx)
        self._airdrop(shop, fund)
        shop.start_public_sale()
        first = shop.buy(owner, count=6)
        shop.set_rate()
        shop.buy(key("rich buyer"), tier=15, count=10, coin=shop.native)
        shop.own_ifx(10**7 * IFX)
        shop.open_buyback()
        offers = {IN_IFX: [first, first + 1], IN_NATIVE: [first + 2, first + 3]}
        for option, licences in offers.items():
            for licence in (*licences, first + 4):
                self.measure("allow the buyback a licence", shop.licence.approve, shop.buyback, licence, sender=owner)
                name = "offer a licence to the buyback"
                self.measure(name, shop.buyback.request, licence, option, 0, [], sender=owner)
            self.measure("take a licence back", shop.buyback.take_back, first + 4, sender=owner)
        shop.settle()
        advance(LINEAR // 3)
        for option, name in ((IN_IFX, "IFX"), (IN_NATIVE, "wrapped native")):
            for licence in offers[option]:
                shop.set_rate()
                self.measure(f"first claim of a buyback in {name}", shop.buyback.claim, licence, sender=owner)
        advance(LINEAR // 3)
        self.measure("claim of a buyback in IFX", shop.buyback.claim, first, sender=owner)

    def _airdrop(self, shop: Shop, fund: Any) -> None:
        shop.give_ifx(fund.address, 10**6 * IFX)
        proofs = load("airdrop")
        with acting(shop.governor):
            airdrop = int(fund.open_airdrop(proofs.root, bytes(32), 15_000 * IFX, now() + 7 * DAY))
        for index in range(2):
            account, amount = listed(index).address, (index + 1) * 1000 * IFX
            arguments = (airdrop, account, amount, proofs[account, amount])
            self.measure("claim of an airdrop", fund.claim, *arguments, sender=listed(index))
