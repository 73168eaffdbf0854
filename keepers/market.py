# SPDX-License-Identifier: Apache-2.0
"""The pools in which fees buy IFX: observed so often that their mean is never too old, and priced once an epoch.

Anybody may do both; each is done once, and a keeper that was away goes on with the present.
"""

from dataclasses import dataclass

from inferix.replay import Network
from keepers.desk import MONEY, Desk


def decide_observe(network: Network) -> list[str]:
    """Coins whose pool was not observed for half the time after which its mean is too old."""
    often = network.parameters["price_stale"] // 2
    return [coin for coin, at in sorted(network.observed.items()) if network.time >= at + often]


def decide_roll(network: Network) -> int | None:
    """The epoch, counted from time 0, that has no price of its own yet."""
    epoch = network.time // network.parameters["epoch_length"]
    return epoch if network.observed and epoch > network.rolled else None


@dataclass
class MarketKeeper:
    """Both cranks of the market."""

    desk: Desk

    def cycle(self) -> None:
        """Does what is due: the price first, whose epoch shall begin as early as can be."""
        with self.desk.follower.reading() as network:
            epoch = decide_roll(network)
            coins = [(coin, network.observed[coin]) for coin in decide_observe(network)]
        if epoch is not None:
            self.desk.try_send(MONEY, f"roll:{epoch}", "PoolMarket", "roll")
        for coin, at in coins:
            self.desk.try_send(MONEY, f"observe:{coin}:{at}", "PoolMarket", "observe", coin)
