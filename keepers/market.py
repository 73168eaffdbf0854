# SPDX-License-Identifier: Apache-2.0
"""The pools in which fees buy IFX: observed so often that their mean is never too old, and priced once an epoch. And
whose stake is no longer enough at the new price.

Anybody may do all of it; each is done once, and a keeper that was away goes on with the present.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from inferix.models.roles import NodeStatus
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


def decide_weigh(network: Network) -> list[int]:
    """Nodes that could be drawn, and whose stake is to be weighed by a new price. Not those of which something is
    frozen: about them a court decides."""
    return [
        node.id
        for node in network.nodes.values()
        if node.status is NodeStatus.ACTIVE and node.qualified and not node.frozen
    ]


@dataclass
class StakeKeeper:
    """Puts out of the draws whose stake is worth less than 80 % of what is required, once a price. A price of IFX moves
    a fifth an epoch at most. ``is_bonded``: what Staking says of a node now."""

    desk: Desk
    is_bonded: Callable[[int], bool]
    _weighed: int | None = field(default=None, init=False)

    def cycle(self) -> None:
        """Weighs all, where there is another price than at the last time."""
        with self.desk.follower.reading() as network:
            epoch = network.rolled
            nodes = decide_weigh(network) if epoch != self._weighed else []
        for node in nodes:
            if not self.is_bonded(node):
                self.desk.try_send(MONEY, f"refresh:{node}:{epoch}", "Staking", "refresh", node)
        self._weighed = epoch
