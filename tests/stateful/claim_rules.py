# SPDX-License-Identifier: Apache-2.0
"""Clients that leave while nobody posts accounts: with what is left, with more, twice, too early."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.stateful.model.basics import BPS, DAY
from tests.stateful.stage import PICK, SMALL, Stage
from tests.stateful.way_out import keep_up

MONTH = st.sampled_from([20, 32, 33, 34, 40])  # days from the request to the claim


class ClaimRules(Stage):
    """Owners, and whoever else tries."""

    @precondition(lambda self: self.bench.model.credit.accounts)
    @rule(pick=PICK, by=PICK, part=st.sampled_from([0, 1, BPS, BPS, BPS]), more=SMALL, forget=st.integers(0, 2))
    def claim_balance(self, pick: int, by: int, part: int, more: int, forget: int) -> None:
        """At whatever time: mostly too early; more than is left, or leaving charges out."""
        account = self._of(list(self.bench.model.credit.accounts.values()), pick)
        who = self.world.stranger if by % 7 == 0 else self.docket.owner_of(account)
        self.docket.claim_balance(account.id, who, account.requested * part // BPS + more, forget, by % 5 == 0)

    @precondition(lambda self: self.bench.model.credit.accounts)
    @rule(days=MONTH, forget=st.integers(0, 1), pick=PICK, books=st.booleans())
    def silent_month(self, days: int, forget: int, pick: int, books: bool) -> None:
        """All is requested, no books come, all that is left is claimed; also by the last books, where they came after."""
        accounts = list(self.bench.model.credit.accounts.values())
        for account in [self._of(accounts, pick)] if pick % 3 else accounts:
            amount = account.credit - account.requested
            ask = lambda a=account, n=amount: self.bench.model.credit.request(a.owner, a.id, n)  # noqa: E731
            self.bench.both(account.owner, ask, "ifx_dollar", "request_withdrawal", account.id, amount)
        for _ in range(3 if books else 0):
            self._pass(DAY)
            keep_up(self.bench, self.docket)
        self._pass(days * DAY)
        for account in accounts:
            self.docket.claim_balance(account.id, self.docket.owner_of(account), leave_out=forget)
            if books:
                self.bench.withdraw(account.id)
        self.bench.compare()
        self._pass(3 * DAY)
        for account in accounts:
            self.docket.settle_claim(account.id)  # too early, whether or not its root is still the newest
        self._pass(4 * DAY)
        for account in accounts:
            self.docket.settle_claim(account.id)

    @precondition(lambda self: self.bench.model.claims.standing)
    @rule(pick=PICK, at=PICK, is_list=st.booleans())
    def prove_charge(self, pick: int, at: int, is_list: bool) -> None:
        """Any charge there is, mostly one that is counted, or another client's."""
        standing = list(self.bench.model.claims.standing)
        leaves = [(b, leaf) for b in self.bench.model.work.batches.values() for leaf in b.leaves]
        leaves = [(b, leaf) for b, leaf in leaves if self.docket.lies.get(b.commitment) != "sum"]
        if leaves:
            self.docket.prove_charge(self._of(standing, pick), *self._of(leaves, at), is_list=is_list)

    @precondition(lambda self: self.bench.model.claims.standing)
    @rule(pick=PICK, times=st.integers(1, 2))
    def settle_claim(self, pick: int, times: int) -> None:
        id = self._of(list(self.bench.model.credit.accounts), pick)
        for _ in range(times):
            self.docket.settle_claim(id)
