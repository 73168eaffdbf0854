# SPDX-License-Identifier: Apache-2.0
"""What a worker can expect of not rendering, from the error rates that were measured and the stakes that stand.

All of the frame is forged, for nothing; half of its tiles are taken to have noise. Device classes that were never
compared blame nobody: of their workers nothing is found. Money is integer nano-USD, chances are parts per million.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from inferix.economy import BPS, worker_stake_usd
from inferix.machines import class_of, from_bytes32
from inferix.models.roles import NodeStatus, Role
from inferix.proofs.calibration import MILLION, Rule, load_calibration
from inferix.proofs.deterrence import audit_ppm, expected_value_of_cheating, rejection_ppm, verdict_ppm
from inferix.replay.network import Network
from inferix.replay.state import Node
from inferix.units import MicroIb, NanoIbm, NanoUsd, fee_of


@dataclass(frozen=True, slots=True)
class Cheating:
    """``found_ppm``: how often a committee rejects it; every attempt is checked. ``audit_ppm``: how many of them would
    have to be, None where all are too few. ``tiles``: after so many clean ones a verifier accepts. ``stake``: what a
    slash takes."""

    device_class: str
    expected_value: NanoUsd
    found_ppm: int
    audit_ppm: int | None
    tiles: int
    stake: NanoUsd
    reward: NanoUsd


def of_worker(network: Network, node: Node, work: int, price: int) -> Cheating:
    """A task of ``work`` nano-IBM at ``price`` nano-USD an IBM, done by this worker."""
    rules = network.parameters
    device = class_of(from_bytes32(node.device_class)) or "cpu"
    rule = load_calibration().rule(device, device)
    found = verdict_ppm(_one(rule), rules["committee"], 1)  # a second draw confirms what one has seen
    staked = worker_stake_usd(MicroIb(node.ib), NanoUsd(node.price), rules)
    stake = NanoUsd(staked * rules["slash_failed_bps"] // BPS)
    reward = fee_of(NanoIbm(work), NanoUsd(price))
    value = expected_value_of_cheating(MILLION, found, stake, reward, NanoUsd(0))
    needed = audit_ppm(found, stake, reward, NanoUsd(0))
    return Cheating(device, value, found, needed, rule.clean_needed, stake, reward)


def by_device_class(network: Network, work: int, price: int) -> list[Cheating]:
    """Of the active workers of each device class the one who can expect most; the class of whom most can be first."""
    worst: dict[str, Cheating] = {}
    for node in _workers(network):
        found = of_worker(network, node, work, price)
        known = worst.get(found.device_class)
        if known is None or found.expected_value > known.expected_value:
            worst[found.device_class] = found
    return sorted(worst.values(), key=lambda item: (-item.expected_value, item.device_class))


def _workers(network: Network) -> Iterator[Node]:
    nodes = network.nodes.values()
    return (node for node in nodes if node.role is Role.WORKER and node.status is NodeStatus.ACTIVE and node.ib)


def _one(rule: Rule) -> int:
    """How often one verifier rejects."""
    if not rule.calibrated:
        return 0
    return rejection_ppm(rule, rule.forged_ppm // 2, (MILLION - rule.forged_ppm) // 2)
