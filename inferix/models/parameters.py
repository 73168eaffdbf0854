# SPDX-License-Identifier: Apache-2.0
"""Governable numbers of the protocol and their defaults; on chain they are named by keccak256 of the text."""

from collections.abc import Iterator, Mapping

from eth_utils.crypto import keccak

DEFAULTS: dict[str, int] = {
    "slot": 30,
    "accept_window": 30,
    "vote_window": 600,
    "committee": 5,
    "votes_needed": 3,
    "panel": 15,
    "panel_minimum": 3,
    "batch_window": 86_400,
    "answer_window": 21_600,
    "panel_window": 86_400,
    "appeal_window": 604_800,
    "roster_window": 86_400,
    "accounts_window": 86_400,
    "epoch_length": 259_200,
    "epochs": 487,
    "unbonding": 7_776_000,
    "price_floor": 8_000_000,
    "price_default": 16_000_000,
    "verifier_bond": 500 * 10**9,
    "manager_bond": 5_000 * 10**9,
    "dispute_bond": 50 * 10**9,
    "root_bond": 500 * 10**9,
    "slash_failed_bps": 2_000,
    "slash_late_bps": 100,
    "burn_bps": 8_000,
    "manager_fee_bps": 100,
    "lease_fee_bps": 500,
    "mint_multiple_bps": 10_000,
    "pool_withdrawal_bps": 2_000,
    "pool_withdrawal_floor": 1_000 * 10**9,
    "worker_vesting": 15_552_000,
    "matured_bps": 2_500,
    "poc_bps": 2_000,
    "buyback_bps": 10_000,
    "claim_horizon": 1_209_600,
    "takeover_after": 600,
    "root_only": 0,
    "swap_share_bps": 30,
    "swap_interval": 600,
    "swap_slippage_bps": 200,
    "price_warn_bps": 9_500,
    "price_halt_bps": 9_000,
    "price_stale": 7_200,
}
DEV_OVERRIDES: dict[str, int] = {
    "slot": 2,
    "accept_window": 4,
    "vote_window": 30,
    "votes_needed": 2,
    "committee": 2,
    "panel_minimum": 1,
    "panel": 1,
    "roster_window": 4,
    "price_stale": 604_800,
}
SWAP_COST_BPS = 40
"""What a purchase in a pool loses beside its share: the pair's fee, rounding, a price that moves on."""
_NAMES = {keccak(text=name): name for name in DEFAULTS}


class Parameters(Mapping[str, int]):
    """The values in force; ``set`` takes what a ParameterSet event says."""

    def __init__(self) -> None:
        self._values = dict(DEFAULTS)

    def __getitem__(self, name: str) -> int:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def set(self, name: bytes, value: int) -> None:
        """Takes the value of a name's hash; a name that this version does not know is kept out."""
        if name in _NAMES:
            self._values[_NAMES[name]] = value


def clash(values: Mapping[str, int]) -> str:
    """Why the contract takes no such set of values, each of which may be within its bounds; empty where it does."""
    bonds = max(values["root_bond"], values["dispute_bond"])
    rules = {
        "no majority of the committee": values["votes_needed"] <= values["committee"] < 2 * values["votes_needed"],
        "panel under its minimum": values["panel_minimum"] <= values["panel"],
        "takeover within two slots": 2 * values["slot"] <= values["takeover_after"],
        "batch window within two of votes": 2 * values["vote_window"] <= values["batch_window"],
        "price floor over the default": values["price_floor"] <= values["price_default"],
        "bonds over half a manager's": 2 * bonds <= values["manager_bond"],
        "slippage under a swap's cost": values["swap_share_bps"] + SWAP_COST_BPS <= values["swap_slippage_bps"],
        "halt before the warning": values["price_halt_bps"] <= values["price_warn_bps"],
    }
    return next((rule for rule, holds in rules.items() if not holds), "")
