# SPDX-License-Identifier: Apache-2.0
"""A node that others delegate to, its delegators, and roots that it earns by."""

from typing import Any

from eth_account.signers.local import LocalAccount

from tests.contracts.system import IFX, VERIFIER, Node, acting, advance
from tests.contracts.work.books import Books, Ledger
from tests.contracts.work.network import Network

OWN = 10_000 * IFX  # what the owner has at work: a verifier's bond
UNBONDING = 90 * 86_400
LIMIT = 10**6 * IFX
DUST = 10**6  # wei: a share earns whole parts of 10**-18 wei, of which there are up to 10**24


class Backing:
    """``earned``: wei that the node's leaf says, cumulative; ``people``: all delegators."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.staking, self.delegation, self.ifx = network.staking, network.delegation, network.ifx
        self.ledger = Ledger(network)
        self.ledger.close_epoch()
        self.node = network.bonded(VERIFIER)
        self.set_limit(LIMIT)
        self.earned = 0
        self.people: list[LocalAccount] = []

    def set_limit(self, limit: int, node: Node | None = None) -> None:
        """As the node's owner."""
        node = node or self.node
        with acting(node.owner):
            self.delegation.set_limit(node.id, limit)

    def set_share(self, share: int) -> None:
        """As the node's owner."""
        with acting(self.node.owner):
            self.delegation.set_share(self.node.id, share)

    def give(self, who: LocalAccount, amount: int) -> None:
        """IFX and an allowance of as much."""
        self.network.give_ifx(who.address, amount)
        with acting(who):
            self.ifx.approve(self.delegation, amount)

    def delegate(self, amount: int, who: LocalAccount | None = None, node: Node | None = None) -> LocalAccount:
        """Somebody, new by default, delegates what it is given first."""
        who = who or self.network.fresh_key("delegator")
        self.give(who, amount)
        self.people = [*self.people, who] if who not in self.people else self.people
        with acting(who):
            self.delegation.delegate((node or self.node).id, amount)
        return who

    def undelegate(self, who: LocalAccount, shares: int | None = None) -> int:
        """Shares, all by default; returns the exit."""
        shares = self.position(who).shares if shares is None else shares
        with acting(who):
            return int(self.delegation.undelegate(self.node.id, shares))

    def position(self, who: LocalAccount) -> Any:
        return self.delegation.position(self.node.id, who.address)

    def rewards(self, who: LocalAccount) -> int:
        return int(self.position(who).rewards)

    def balance(self, who: Any) -> int:
        return int(self.ifx.balanceOf(getattr(who, "address", who)))

    def slash(self, amount: int, share_bps: int = 0, reporter: str | None = None) -> int:
        """As a court."""
        court = self.network.panels
        with acting(court):
            return int(self.staking.slash(self.node.id, amount, share_bps, reporter or court.address))

    def close(self, earned: int) -> Books:
        """The books of an epoch in which the node earned this; not posted yet."""
        self.ledger.close_epoch()
        self.earned += earned
        return self.ledger.books({self.node.id: (self.earned, 0, 0)})

    def root(self, earned: int) -> Books:
        """The same, final."""
        return self.ledger.publish(self.close(earned))

    def claim(self, books: Books) -> int:
        """Anybody claims for the node."""
        return int(self.network.accounts.claim(*books.claim(self.node.id)))

    def pay(self, earned: int) -> int:
        """A root by which the node earned this, claimed at once."""
        return self.claim(self.root(earned))

    def part(self, amount: int, delegated: int, own: int = OWN, share: int = 5_000) -> int:
        """What delegators get of a claim."""
        return amount * delegated * share // ((own + delegated) * 10_000)

    def wait_out(self) -> None:
        """The unbonding time."""
        advance(UNBONDING)

    def check_books(self) -> None:
        """What Staking holds is what it says that it owes, to the wei; Delegation holds all rewards and no more than dust."""
        nodes = range(1, int(self.network.registry.node_count()) + 1)
        names = ("bonded", "unbonding", "delegated_unbonding")
        booked = sum(int(getattr(self.staking, name)(node)) for node in nodes for name in names)
        assert self.balance(self.staking) == booked
        owed = sum(self.rewards(who) for who in self.people)
        assert 0 <= self.balance(self.delegation) - owed <= DUST
