# SPDX-License-Identifier: Apache-2.0
"""Clients' prepaid credit: IfxDollar. Amounts in nano-USD, but where units of a coin are named."""

from dataclasses import dataclass, field

from tests.stateful.model.basics import BPS, NANO, Ground, need

OPENING_CREDIT = NANO
"""What opens an account, a USD."""


@dataclass
class Coin:
    """A coin that is taken at 1 USD; ``scale`` units a USD."""

    address: str
    index: int
    scale: int
    cap: int
    pool: int = 0
    released: int = 0
    leased: int = 0
    paused: bool = False
    epoch: int = -1
    withdrawn: int = 0

    def units(self, nano: int) -> int:
        """Units of an amount, rounded down."""
        return nano * self.scale // NANO

    def nano(self, units: int) -> int:
        """The amount of units, rounded down."""
        return units * NANO // self.scale


@dataclass
class Account:
    """What one owner paid in in one coin."""

    id: int
    owner: str
    coin: str
    credit: int = 0
    requested: int = 0
    requested_at: int = 0


@dataclass
class Credit:
    """All accounts and the pools that they are paid from. ``allowed``: units that may be taken of a payer in a coin, who is
    not in it where that is without end; ``permits``: how many of its were used."""

    ground: Ground
    coins: dict[str, Coin] = field(default_factory=dict)
    accounts: dict[int, Account] = field(default_factory=dict)
    allowed: dict[tuple[str, str], int] = field(default_factory=dict)
    permits: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def _address(self) -> str:
        return self.ground.own["ifx_dollar"]

    def account_of(self, owner: str, coin: str) -> Account | None:
        """The one account of an owner in a coin."""
        return next((a for a in self.accounts.values() if (a.owner, a.coin) == (owner, coin)), None)

    def approve(self, payer: str, coin: str) -> None:
        """Without end."""
        self.allowed.pop((payer, coin), None)

    def permit(self, payer: str, coin: str, units: int) -> None:
        """In place of what was allowed before."""
        self.allowed[payer, coin] = units
        self.permits[payer, coin] = self.permits.get((payer, coin), 0) + 1

    def top_up(self, payer: str, coin: str, units: int, owner: str, *, is_permit: bool = False) -> None:
        """Units from the payer become credit of the owner; ``is_permit``: with the payer's permit over them."""
        book, place = self.coins[coin], (payer, coin)
        need(is_permit or self.allowed.get(place, units) >= units, "not allowed")
        need(not book.paused, "coin paused")
        nano = book.nano(units)
        need(nano, "nothing to credit")
        need(book.pool + nano <= book.cap, "over the coin's cap")
        account = self.account_of(owner, coin)
        need(account or nano >= OPENING_CREDIT, "under what opens an account")
        self.ground.coins[coin].move(payer, self._address, units)
        if is_permit:
            self.permit(payer, coin, units)
        if place in self.allowed:
            self.allowed[place] -= units
        book.pool += nano
        if account is None:
            account = Account(len(self.accounts) + 1, owner, coin)
            self.accounts[account.id] = account
        account.credit += nano

    def pause(self, who: str, coin: str, *, paused: bool) -> None:
        """By the governor; the guardian only begins it."""
        guards = (self.ground.own["timelock"], self.ground.guardian) if paused else (self.ground.own["timelock"],)
        need(who in guards, "not who may")
        self.coins[coin].paused = paused

    def request(self, who: str, id: int, amount: int) -> None:
        """Takes an amount out of free credit; a further request adds, and waits anew."""
        account = self.accounts[id]
        need(who == account.owner, "not the owner")
        need(amount and account.requested + amount <= account.credit, "nothing, or over the credit")
        account.requested += amount
        account.requested_at = self.ground.clock.now

    def cancel_request(self, who: str, id: int) -> None:
        """All that is still requested is free again."""
        account = self.accounts[id]
        need(who == account.owner, "not the owner")
        need(account.requested, "nothing requested")
        account.requested = account.requested_at = 0

    def allowance(self, coin: Coin) -> int:
        """What the accounts of a coin may still take out in this epoch."""
        gone = coin.withdrawn if coin.epoch == self._epoch() else 0
        share = (coin.pool + gone) * self.ground.parameters["pool_withdrawal_bps"] // BPS
        most = max(share, self.ground.parameters["pool_withdrawal_floor"])
        return min(max(0, most - gone), coin.pool)

    def withdraw(self, id: int, used: int, cut_off: int) -> int:
        """Pays what is requested, as far as credit less ``used`` (spent and reserved) and the allowance let it."""
        account = self.accounts[id]
        need(account.requested, "nothing requested")
        need(cut_off > account.requested_at, "no root after the request")
        need(account.credit > used, "no credit left")
        return self.pay(account, account.credit - used)

    def pay(self, account: Account, most: int) -> int:
        """Pays what is requested, at most ``most``, in whole units, as the allowance lets it."""
        book = self.coins[account.coin]
        units = book.units(min(account.requested, most, self.allowance(book)))
        need(units, "allowance used up, or under one unit")
        paid = book.nano(units)
        if book.epoch != self._epoch():
            book.epoch, book.withdrawn = self._epoch(), 0
        book.withdrawn += paid
        book.pool -= paid
        account.credit -= paid
        account.requested -= paid
        self.ground.coins[account.coin].move(self._address, account.owner, units)
        return paid

    def release(self, coin: Coin, final_charge: int) -> int:
        """Units of final charges that go to the fee burner now."""
        units = coin.units(min(final_charge - coin.released, coin.pool))
        paid = coin.nano(units)
        coin.released += paid
        coin.pool -= paid
        self.ground.coins[coin.address].move(self._address, self.ground.own["fee_burner"], units)
        return units

    def release_lease(self, coin: Coin, to: str, amount: int, final_charge: int) -> int:
        """Units of final charges of leases that go to whom Leases names."""
        need(coin.leased + amount <= final_charge, "over the charges of leases")
        units = coin.units(amount)
        need(coin.nano(units) <= coin.pool, "over the pool")
        coin.leased += amount
        coin.pool -= coin.nano(units)
        self.ground.coins[coin.address].move(self._address, to, units)
        return units

    def _epoch(self) -> int:
        return self.ground.clock.now // self.ground.parameters["epoch_length"]
