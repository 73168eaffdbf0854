# SPDX-License-Identifier: Apache-2.0
"""The settings of a public test network: whole but for the addresses that only its operator knows."""

import json
from pathlib import Path
from typing import Any

import pytest
from eth_utils.address import is_checksum_address

from deploy.plan import make_plan
from deploy.settings import Settings, Voting, load_settings
from inferix.errors import Misconfigured

SEPOLIA = Path(__file__).parents[2] / "deploy" / "sepolia.json"
OPERATOR = "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f"
EMPTY = [
    "guardian",
    "foundation",
    "treasury",
    "allocation.liquidity",
    "allocation.community",
    "sale.rate_setter",
]


def filled(path: Path, *but: str) -> Path:
    """The example as an operator fills it in, but for these fields."""
    data: dict[str, Any] = json.loads(SEPOLIA.read_text())
    for field in set(EMPTY) - set(but):
        *groups, name = field.split(".")
        (data[groups[0]] if groups else data)[name] = OPERATOR
    path.write_text(json.dumps(data))
    return path


def test_the_example_is_refused_until_every_address_is_filled_in(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as refusal:
        load_settings(SEPOLIA)
    assert str(refusal.value) == f"{SEPOLIA}: fill in the addresses that are empty: {', '.join(EMPTY)}"
    for field in EMPTY:
        with pytest.raises(Misconfigured, match=f"empty: {field}$"):
            load_settings(filled(tmp_path / "settings.json", field))


def test_the_filled_example_is_a_network_in_production(tmp_path: Path) -> None:
    settings = load_settings(filled(tmp_path / "settings.json"))
    assert settings.chain_id == 11_155_111
    assert settings.parameters == {}, "what is not named is at its default, which is production's"
    assert settings.voting == Voting()
    assert settings.governor == "timelock"
    assert settings.allocation.ecosystem == "fund", (
        "3.75 % of the cap in one hand would be liquid from the first second"
    )
    assert settings.development is None
    named = [settings.native, settings.factory, *(coin.address for coin in settings.coins)]
    assert all(is_checksum_address(address) for address in named)


def test_parameters_that_do_not_go_together_are_refused_before_anything_is_deployed(tmp_path: Path) -> None:
    file = filled(tmp_path / "settings.json")
    data = json.loads(file.read_text())
    for parameters, why in (
        ({"committee": 6}, "no majority of the committee"),
        ({"committee": 6, "votes_needed": 4}, ""),
    ):
        file.write_text(json.dumps(data | {"parameters": parameters}))
        if why:
            with pytest.raises(Misconfigured, match=f"parameters: {why}"):
                load_settings(file)
        else:
            assert load_settings(file).parameters == parameters


def test_the_example_names_every_setting_and_has_a_plan(tmp_path: Path) -> None:
    assert set(json.loads(SEPOLIA.read_text())) == set(Settings.model_fields)
    plan = make_plan(load_settings(filled(tmp_path / "settings.json")), OPERATOR, 1_900_000_000)
    assert plan.calls[-1].function == "accept_governor"
    assert not {"DevUSD", "Faucet", "UniswapV2Factory"} & {creation.contract for creation in plan.creations}
    assert any("PoolMarket.add_pool" in line for line in plan.left)
