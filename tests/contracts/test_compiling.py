# SPDX-License-Identifier: Apache-2.0
"""What the tests run is what stands in contracts/."""

from pathlib import Path

import boa
from boa.environment import Env

from tests.contracts.system import fingerprint

TOP, MIDDLE, BOTTOM = "from . import middle\n{0}", "from . import bottom\n{0}", "{0}"
FUNCTION = "@{0}\n@view\ndef {1}() -> uint256:\n    return {2}\n"


def write(folder: Path, number: int) -> None:
    """A contract whose only number comes from two modules down."""
    for name, text, function in (
        ("top.vy", TOP, FUNCTION.format("external", "number", "middle._number()")),
        ("middle.vy", MIDDLE, FUNCTION.format("internal", "_number", "bottom._number()")),
        ("bottom.vy", BOTTOM, FUNCTION.format("internal", "_number", number)),
    ):
        (folder / name).write_text(text.format(function))


def test_regression_a_change_two_modules_down_is_compiled(tmp_path: Path) -> None:
    with boa.swap_env(Env()):
        numbers = []
        for number in (1, 2, 1):
            write(tmp_path, number)
            numbers.append(boa.load(str(tmp_path / "top.vy")).number())
    assert numbers == [1, 2, 1]


def test_a_contract_that_did_not_change_keeps_its_name(tmp_path: Path) -> None:
    write(tmp_path, 1)
    names = []
    for number in (1, 1, 2):
        write(tmp_path, number)
        contract = boa.load_partial(str(tmp_path / "top.vy"))
        names.append(fingerprint(contract.compiler_data.annotated_vyper_module._metadata["type"]))
    assert names[0] == names[1] != names[2]
