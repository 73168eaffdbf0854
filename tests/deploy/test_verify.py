# SPDX-License-Identifier: Apache-2.0
"""What verification expects of a deployment, from its plan and settings alone."""

from pathlib import Path
from typing import Any

import pytest

from deploy.plan import COURTS, Ref, make_plan
from deploy.settings import Settings, load_settings
from deploy.verify import COURT, WIRES, Expected, code_differs, expectations, undone
from inferix.models.parameters import DEFAULTS, DEV_OVERRIDES

DEPLOYER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
OTHER = "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f"
RUNTIME, WORD = bytes(range(64)), bytes(31) + b"\1"


def settings(**changes: Any) -> Settings:
    return load_settings(Path(__file__).parents[2] / "deploy" / "dev.json").model_copy(update=changes)


def expected(**changes: Any) -> list[Expected]:
    return expectations(make_plan(settings(**changes), DEPLOYER, 1), settings(**changes), DEPLOYER)


def test_every_wire_of_the_plan_is_looked_at() -> None:
    plan = make_plan(settings(), DEPLOYER, 1)
    wired = {call.contract for call in plan.calls if call.function == "wire"}
    assert wired == {*WIRES, "Timelock"}
    seen = {(each.contract, each.view) for each in expected()}
    shown = {(contract, view) for contract, views in WIRES.items() for view in views}
    # A development network names another market at once, which the call for it shows.
    assert shown - seen == {("Staking", "market")}
    assert {each.view for each in expected() if each.contract == "Timelock"} == {"hasRole", "getMinDelay"}


def test_the_courts_are_courts_and_nothing_else_is() -> None:
    asked = {each.name: each.value for each in expected() if (each.contract, each.view) == ("Staking", COURT)}
    assert {name for name, value in asked.items() if value} == set(COURTS)
    assert {"deployer", "Faucet", "Orders"} <= {name for name, value in asked.items() if not value}


def test_every_parameter_is_compared_with_the_settings_or_its_default() -> None:
    values = {each.name: each.value for each in expected() if each.contract == "Parameters" and each.view == "get"}
    assert values == DEFAULTS | DEV_OVERRIDES


@pytest.mark.parametrize(
    ("governor", "value", "instead"),
    [("deployer", DEPLOYER, ""), ("timelock", Ref("Timelock"), ""), (OTHER, OTHER, "proposed_governor")],
)
def test_the_governor_is_who_the_settings_say_or_is_proposed(governor: str, value: Any, instead: str) -> None:
    found = next(each for each in expected(governor=governor) if each.view == "governor")
    assert (found.value, found.instead) == (value, instead)


def test_a_difference_is_named_with_what_to_do_and_what_is_proposed_is_none() -> None:
    governor = Expected("Parameters", "governor", (), Ref("Timelock"), "propose it", instead="proposed_governor")
    addresses = {"Timelock": OTHER}
    assert governor.differs(lambda *_: OTHER, addresses) == ""
    assert governor.differs(lambda _, view, __: OTHER if view == "proposed_governor" else DEPLOYER, addresses) == ""
    said = governor.differs(lambda *_: DEPLOYER, addresses)
    assert said == f"Parameters.governor() is {DEPLOYER}, expected {OTHER}: propose it"


def test_code_is_equal_to_the_byte_and_immutables_are_told_from_code() -> None:
    code = RUNTIME + WORD + WORD
    assert code_differs("Orders", code, code, len(RUNTIME)) == ""
    said = code_differs("Orders", RUNTIME + WORD + bytes(32), code, len(RUNTIME))
    assert f"its immutable 1 is 0x{bytes(32).hex()}, expected 0x{WORD.hex()}" in said
    for foreign in (code + WORD, code[:-1], b"\xff" + code[1:], b""):
        assert "is not what this source compiles to" in code_differs("Orders", foreign, code, len(RUNTIME))


def test_calls_without_a_lasting_effect_are_named_and_money_that_moves_on_is_not() -> None:
    plan = make_plan(settings(), DEPLOYER, 1)
    assert undone(plan, lambda _: True) == []
    named = undone(plan, lambda call: call.function not in ("set_market", "transfer", "grant"))
    assert len(named) == 3
    assert all("set_market has no effect" in line for line in named)
