# SPDX-License-Identifier: Apache-2.0
"""IFX as its holders move it, and its votes: told anew from balances each time, remembered as each second ended."""

from dataclasses import dataclass, field
from typing import Any

from tests.stateful.model.basics import Ground, Token, need
from tests.stateful.model.delegation import Delegations

NOBODY = "0x" + 40 * "0"
CAP = 10**27


@dataclass(frozen=True)
class Moment:
    """What a second ended with: supply and everything minted so far [wei], votes by who has them."""

    at: int
    supply: int
    minted: int
    held: dict[str, int]
    staked: dict[str, int]

    def __deepcopy__(self, memo: Any) -> "Moment":
        """Nobody changes the past."""
        return self


@dataclass
class Votes:
    """``delegates``: who votes with whose balance. ``moments``: ends of seconds that changed something, oldest first."""

    ground: Ground
    delegations: Delegations
    delegates: dict[str, str] = field(default_factory=dict)
    nonces: dict[str, int] = field(default_factory=dict)
    allowances: dict[tuple[str, str], int] = field(default_factory=dict)
    moments: list[Moment] = field(default_factory=list)

    @property
    def _ifx(self) -> Token:
        return self.ground.ifx

    # -- votes

    def held(self, who: str) -> int:
        """Votes of balances, now."""
        return sum(self._ifx.of(holder) for holder, voter in self.delegates.items() if voter == who != NOBODY)

    def remember(self) -> None:
        """The clock is about to leave its second."""
        people = [holder for holder in self._ifx.balances if holder]
        end = Moment(
            self.ground.clock.now,
            self._ifx.supply,
            self.ground.minted,
            {who: votes for who in people if (votes := self.held(who))},
            {who: votes for who in people if (votes := self.delegations.votes(who))},
        )
        last = self.moments[-1] if self.moments else None
        if last is None or vars(end) | {"at": last.at} != vars(last):
            self.moments.append(end)

    def _moment(self, at: int) -> Moment | None:
        return next((moment for moment in reversed(self.moments) if moment.at <= at), None)

    def past(self, who: str, at: int) -> tuple[int, int]:
        """Votes of balances and of stake at the end of a second that is over."""
        need(at < self.ground.clock.now, "not over")
        moment = self._moment(at)
        return (moment.held.get(who, 0), moment.staked.get(who, 0)) if moment else (0, 0)

    def past_supply(self, at: int) -> int:
        """Wei."""
        need(at < self.ground.clock.now, "not over")
        moment = self._moment(at)
        return moment.supply if moment else 0

    # -- calls

    def delegate(self, who: str, to: str) -> None:
        """To whomever, oneself too; the zero address is nobody."""
        self.delegates[who] = to

    def _use(self, signer: str, nonce: int, until: int) -> None:
        need(self.ground.clock.now <= until, "expired")
        need(nonce == self.nonces.get(signer, 0), "another nonce")
        self.nonces[signer] = nonce + 1

    def delegate_signed(self, signer: str, to: str, nonce: int, until: int) -> None:
        """Anybody carries it."""
        self._use(signer, nonce, until)
        self.delegate(signer, to)

    def permit(self, owner: str, spender: str, amount: int, nonce: int, until: int) -> None:
        """An allowance by a signature of the same series."""
        self._use(owner, nonce, until)
        self.allowances[owner, spender] = amount

    def transfer(self, who: str, to: str, amount: int) -> None:
        """Not to the zero address."""
        need(to != NOBODY, "nobody")
        self._ifx.move(who, to, amount)

    def transfer_from(self, spender: str, owner: str, to: str, amount: int) -> None:
        """Within the allowance."""
        need(self.allowances.get((owner, spender), 0) >= amount, "over the allowance")
        self.transfer(owner, to, amount)
        self.allowances[owner, spender] = self.allowances.get((owner, spender), 0) - amount

    def burn_from(self, spender: str, owner: str, amount: int) -> None:
        """Within the allowance."""
        need(self.allowances.get((owner, spender), 0) >= amount, "over the allowance")
        self._ifx.burn(owner, amount)
        self.allowances[owner, spender] = self.allowances.get((owner, spender), 0) - amount

    def check(self) -> None:
        """What is there was minted and not burned; no room comes back; each delegated wei votes once, and nothing else."""
        ifx, minted = self._ifx, self.ground.minted
        assert ifx.supply == minted - ifx.burned
        assert [moment.minted for moment in self.moments] == sorted(moment.minted for moment in self.moments)
        assert (self.moments[-1].minted if self.moments else 0) <= minted <= CAP
        delegated = sum(ifx.of(holder) for holder, voter in self.delegates.items() if voter != NOBODY)
        people = [holder for holder in ifx.balances if holder]
        assert sum(map(self.held, people)) == delegated <= ifx.supply
        at_work = sum(node.bonded for node in self.delegations.stakes.nodes.values())
        counted = sum(h.votes for pool in self.delegations.pools.values() for h in pool.holders.values())
        own = sum(node.own for node in self.delegations.stakes.nodes.values())
        assert sum(map(self.delegations.votes, people)) == own + counted
        assert own <= at_work
