# SPDX-License-Identifier: Apache-2.0
"""Who holds IFX that no work earned, and who governs: vesting, the community's fund, Governor and Timelock.

The protocol is handed over to the timelock: in all that the machine does the governor is the timelock's address.
"""

from typing import Any

from tests.contracts.disputes.court import Court
from tests.contracts.system import DAY, IFX, acting, deployer, key, now

NAMES = ["vesting", "vesting_wallet", "community_fund", "timelock", "council"]
TGE_AFTER = 2 * DAY  # of the first second of a run
SHARES, FUND = 350_000_000 * IFX, 20_000_000 * IFX
# The least that the bounds allow: a proposal goes its whole way in five days.
DELAY, PERIOD, WAIT, THRESHOLD, QUORUM_BPS = DAY, 3 * DAY, DAY, 10_000 * IFX, 100


class Realm(Court):
    """A Court with these; ``council`` is the contract Governor, for ``governor`` is who governs."""

    def __init__(self) -> None:
        super().__init__()
        with acting(self.deployer):
            self.vesting = deployer("token/Vesting.vy").deploy(self.foundation, now() + TGE_AFTER)
            self.vesting_wallet = deployer("token/VestingWallet.vy").deploy(self.ifx, self.vesting)
            self.community_fund = deployer("token/CommunityFund.vy").deploy(self.parameters)
            self.community_fund.wire(self.ifx)
            self.timelock = deployer("governance/Timelock.vy").deploy(self.parameters, WAIT)
            terms = (DELAY, PERIOD, THRESHOLD, QUORUM_BPS)
            self.council = deployer("governance/Governor.vy").deploy(self.ifx, self.staking, self.timelock, *terms)
            self.timelock.wire(self.council)
        self.give_ifx(self.vesting.address, SHARES)
        self.give_ifx(self.community_fund.address, FUND)
        with acting(self.deployer):
            self.vesting.wire(self.ifx, self.vesting_wallet)
        with acting(self.governor):
            self.parameters.propose_governor(self.timelock)
        self.timelock.accept_governor()
        self.governor = self.timelock.address
        self.investors = [key("first investor"), key("second investor")]

    @property
    def founder(self) -> Any:
        """The foundation's key."""
        return key("foundation")
